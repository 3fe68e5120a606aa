"""A record as it stood at an instant, from its repository.

Entries and ledgers have times to the millisecond, and a record's times never go back, so there is exactly one last
commit for an instant. A commit that changed only the record's status has a time to the second: it counts from the
beginning of that, and from what the threads in it had come to.
"""

from msgspec import Struct

from carethread.clock import Instant
from carethread.git.history import Repository, commits, open_repository
from carethread.git.objects import parse_tree
from carethread.ids import ClinicalId, CommunicationId, CoordinationId
from carethread.record.commit_message import COMMUNICATION_ID, Summary, parse_commit_message
from carethread.record.ledger_yaml import parse_ledger
from carethread.record.model import Ledger
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import split_thread
from carethread.record.transitions import STATUS_PATH
from carethread.store.archive import Archive


class PastThread(Struct, frozen=True):
    """A thread as it stood: its ledger, and how many entries it had."""

    ledger: Ledger
    entries: int


class PastRecord(Struct, frozen=True):
    """A record as it stood. `version` is its commit."""

    record: CoordinationId
    clinical_id: ClinicalId
    version: str
    threads: tuple[PastThread, ...]


def record_at(archive: Archive, coordination_id: CoordinationId, at: Instant) -> PastRecord | None:
    """Return a record as it stood at an instant, or nothing if it had not begun.

    Raises:
        IntegrityError: its repository cannot be read.
    """
    archive.materialiser.flush(coordination_id)
    with open_repository(archive.path(coordination_id)) as repository:
        before = [each for each in commits(repository) if each[1].committer.seconds * 1000 <= at]
        while before:
            commit_id, commit = before.pop()
            root = parse_tree(repository.raw_tree(commit.tree))
            folders = parse_tree(repository.raw_tree(root[b"communications"].id)) if b"communications" in root else {}
            named = dict(parse_commit_message(commit.message).trailers).get(COMMUNICATION_ID)
            moved = [folders[named.encode()]] if named is not None else list(folders.values())
            if any(_thread(repository, each.id).ledger.last_updated_at > at for each in moved):
                continue
            status = parse_status(repository.blob(root[STATUS_PATH.encode()].id))
            threads = tuple(_thread(repository, folder.id) for folder in folders.values())
            return PastRecord(coordination_id, status.clinical_id, commit_id.hex(), threads)
    return None


def _thread(repository: Repository, folder: bytes) -> PastThread:
    files = parse_tree(repository.raw_tree(folder))
    ledger = parse_ledger(repository.blob(files[b"ledger.yaml"].id))
    return PastThread(ledger, len(split_thread(repository.blob(files[b"thread.md"].id))))


def thread_versions(archive: Archive, coordination_id: CoordinationId, thread_id: CommunicationId) -> list[Ledger]:
    """Return the ledgers of a thread, oldest first: that of each commit that made a version of it.

    Raises:
        IntegrityError: its repository cannot be read.
    """
    archive.materialiser.flush(coordination_id)
    found = []
    with open_repository(archive.path(coordination_id)) as repository:
        for _, commit in commits(repository):
            message = parse_commit_message(commit.message)
            named = dict(message.trailers).get(COMMUNICATION_ID)
            if named != thread_id or message.summary is Summary.MESSAGE_NAMED:
                continue
            root = parse_tree(repository.raw_tree(commit.tree))
            folders = parse_tree(repository.raw_tree(root[b"communications"].id))
            files = parse_tree(repository.raw_tree(folders[thread_id.encode()].id))
            found.append(parse_ledger(repository.blob(files[b"ledger.yaml"].id)))
    return found
