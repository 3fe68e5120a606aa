"""A record as it stood at an instant, from its repository.

Entries and ledgers have times to the millisecond, and a record's times never go back, so there is exactly one last
commit for an instant. A commit that changed only the record's status has a time to the second: it counts from the
beginning of that, and from what the threads in it had come to.
"""

from msgspec import Struct

from carethread.clock import Instant
from carethread.git.history import Repository, commits, open_repository
from carethread.git.objects import parse_tree
from carethread.git.signatures import SignatureKind, kind_of_signature
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.record.commit_message import COMMUNICATION_ID, MESSAGE_ID, Summary, parse_commit_message
from carethread.record.ledger_yaml import parse_ledger
from carethread.record.model import Ledger
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import split_thread
from carethread.record.transitions import STATUS_PATH
from carethread.store.archive import Archive

# Commits that leave a thread's ledger as it was, but for when it was last updated.
_NO_CHANGE = frozenset({Summary.MESSAGE_ADDED, Summary.MESSAGE_NAMED})


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


class PastCommit(Struct, frozen=True):
    """A commit of a record, and what it did to a thread.

    `thread` is the one it names, if any. Of the thread that was asked about, `before` and `after` are its ledgers where
    it began, or where somebody changed it.
    """

    commit: str
    at: Instant
    author_name: str
    author_id: ParticipantId
    care_location: str
    summary: Summary
    thread: str | None
    message: MessageId | None
    signature: SignatureKind
    before: Ledger | None = None
    after: Ledger | None = None


def past_commits(
    archive: Archive, coordination_id: CoordinationId, thread_id: CommunicationId, version: str
) -> list[PastCommit]:
    """Return the commits of a record, oldest first, up to one of them.

    Raises:
        IntegrityError: its repository cannot be read.
    """
    archive.materialiser.flush(coordination_id)
    found = []
    tree: bytes | None = None
    with open_repository(archive.path(coordination_id)) as repository:
        for commit_id, commit in commits(repository, bytes.fromhex(version)):
            message = parse_commit_message(commit.message)
            trailers = dict(message.trailers)
            named = trailers.get(COMMUNICATION_ID)
            before = after = None
            if named == thread_id:
                if message.summary not in _NO_CHANGE:
                    before = None if tree is None else _ledger(repository, tree, thread_id)
                    after = _ledger(repository, commit.tree, thread_id)
                tree = commit.tree
            found.append(
                PastCommit(
                    commit=commit_id.hex(),
                    at=Instant(commit.committer.seconds * 1000),
                    author_name=commit.author.name,
                    author_id=ParticipantId(commit.author.email.partition("@")[0]),
                    care_location=message.care_location,
                    summary=message.summary,
                    thread=named,
                    message=None if MESSAGE_ID not in trailers else MessageId(trailers[MESSAGE_ID]),
                    signature=kind_of_signature(commit.signature),
                    before=before,
                    after=after,
                )
            )
    return found


def _ledger(repository: Repository, tree: bytes, thread_id: CommunicationId) -> Ledger:
    root = parse_tree(repository.raw_tree(tree))
    folders = parse_tree(repository.raw_tree(root[b"communications"].id))
    files = parse_tree(repository.raw_tree(folders[thread_id.encode()].id))
    return parse_ledger(repository.blob(files[b"ledger.yaml"].id))


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
            found.append(_ledger(repository, commit.tree, thread_id))
    return found
