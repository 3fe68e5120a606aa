"""The index rows of a record, derived from its repository alone.

Rebuilding inserts them; auditing compares them with what the index has. The rows a writer makes as it goes must be
the same: that is tested.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from carethread.errors import CarethreadError, RepositoryError
from carethread.git.history import Repository, commits, open_repository
from carethread.git.objects import Tree, parse_tree
from carethread.ids import CoordinationId, MessageId, ParticipantId
from carethread.record.commit_message import (
    CLIENT,
    CLIENT_DIGEST,
    CLIENT_IDENTIFIER,
    COMMUNICATION_ID,
    MESSAGE_ID,
    Summary,
    naming_in,
    parse_commit_message,
)
from carethread.record.ledger_yaml import parse_ledger
from carethread.record.model import Ledger, Message, Naming
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import parse_entry, split_thread
from carethread.record.transitions import STATUS_PATH
from carethread.store.database import Parameters
from carethread.store.finding import last_message, participation_rows
from carethread.store.keys import key_of
from carethread.store.names import NAMELESS, Names, rows_of
from carethread.store.turns import turns_of
from carethread.store.words import thread_tokens


class Texts(Struct, frozen=True):
    """A thread's messages, for the full text: its number, the tokens they share, and all its entries in order."""

    thread_no: int
    tokens: tuple[str, ...]
    messages: tuple[Message, ...]


class Version(Struct, frozen=True):
    """A commit that made a version of a thread, by its number; and the entry it added, if it did."""

    seq: int
    thread: str
    number: int
    message: str | None


class Derived(Struct, frozen=True):
    """A record's rows, without its key: that is the database's to give.

    Messages also lack their search keys, which depend on what else is in the index; `texts` is in the same order.
    `versions` are what `changes` tells of, oldest first.
    """

    coordination_id: CoordinationId
    record: Parameters
    identifiers: list[Parameters]
    threads: list[Parameters] = field(default_factory=list)
    messages: list[Parameters] = field(default_factory=list)
    participations: list[Parameters] = field(default_factory=list)
    texts: list[Texts] = field(default_factory=list)
    names: list[Parameters] = field(default_factory=list)
    business: list[Parameters] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)


class _Log(Struct):
    """What only the commits say: their number, the order of the threads, which commit recorded what."""

    commits: int = 0
    head: bytes = b""
    seconds: int = 0
    threads: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    identifiers: list[Parameters] = field(default_factory=list)
    namings: list[tuple[str, str | None, Naming]] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def derive(path: Path, coordination_id: CoordinationId, custodian: ParticipantId) -> Derived:
    """Return the rows of the record whose repository is at `path`.

    Resource ids are those of the installation that gave them out: of another custodian's record, they name nothing.

    Raises:
        IntegrityError: the repository cannot be read, or does not hold such a record.
    """
    try:
        with open_repository(path) as repository:
            log = _read_log(repository)
            return _rows(repository, log, coordination_id, custodian)
    except RepositoryError:
        raise
    except (CarethreadError, ValueError, KeyError) as error:
        raise RepositoryError(f"record {coordination_id} cannot be indexed: {error}") from error


def _read_log(repository: Repository) -> _Log:
    log = _Log()
    for commit_id, commit in commits(repository):
        log.commits += 1
        log.head = commit_id
        log.seconds = max(log.seconds, commit.committer.seconds)
        message = parse_commit_message(commit.message)
        trailers = dict(message.trailers)
        thread_id = trailers.get(COMMUNICATION_ID)
        message_id = trailers.get(MESSAGE_ID)
        if thread_id is not None:
            log.threads.setdefault(thread_id, len(log.threads) + 1)
        naming = naming_in(trailers)
        if naming is not None and thread_id is not None:
            log.namings.append((thread_id, None if message.summary is Summary.THREAD_CREATED else message_id, naming))
        if message.summary is Summary.MESSAGE_NAMED:
            continue
        if thread_id is not None:
            log.counts[thread_id] += 1
            log.versions.append(Version(log.commits, thread_id, log.counts[thread_id], message_id))
        if message_id is not None:
            log.messages[message_id] = log.commits
        if CLIENT_IDENTIFIER in trailers:
            log.identifiers.append(
                {
                    "client": trailers[CLIENT],
                    "value": trailers[CLIENT_IDENTIFIER],
                    "digest": bytes.fromhex(trailers[CLIENT_DIGEST]),
                    "result": thread_id if message.summary is Summary.THREAD_CREATED else message_id,
                }
            )
    return log


def _rows(repository: Repository, log: _Log, coordination_id: CoordinationId, custodian: ParticipantId) -> Derived:
    root = _tree(repository, repository.tree_of(log.head))
    status_bytes = repository.blob(root[STATUS_PATH.encode()].id)
    status = parse_status(status_bytes)
    if status.coordination_id != coordination_id:
        raise RepositoryError(f"the repository of record {coordination_id} holds record {status.coordination_id}")
    derived = Derived(coordination_id, {}, log.identifiers, versions=log.versions)
    last = log.seconds * 1000
    folders = _tree(repository, root[b"communications"].id) if b"communications" in root else {}
    for name, folder in folders.items():
        files = _tree(repository, folder.id)
        ledger = add_thread(
            derived,
            number=log.threads[name.decode()],
            tree_id=folder.id,
            ledger_bytes=repository.blob(files[b"ledger.yaml"].id),
            entries=split_thread(repository.blob(files[b"thread.md"].id)),
            attachments=repository.raw_tree(files[b"attachments"].id) if b"attachments" in files else b"",
            commits=log.messages,
            versions=log.counts[name.decode()],
        )
        last = max(last, ledger.last_updated_at)
    _add_names(derived, log.namings, gives_out=status.custodian.id == custodian)
    derived.record.update(
        {
            "coordination_id": bytes.fromhex(coordination_id),
            "clinical_id": key_of(status.clinical_id),
            "custodian_id": key_of(status.custodian.id),
            "status": status_bytes,
            "head_seq": log.commits,
            "head_commit": log.head,
            "last_instant": last,
            "synced_seq": log.commits,
            "pending_since": 0,
        }
    )
    return derived


def add_thread(
    derived: Derived,
    *,
    number: int,
    tree_id: bytes,
    ledger_bytes: bytes,
    entries: list[bytes],
    attachments: bytes,
    commits: Mapping[str, int],
    versions: int,
) -> Ledger:
    """Add a thread's rows: from its files, and from which commit recorded which message. Return its ledger."""
    ledger = parse_ledger(ledger_bytes)
    parsed = tuple(parse_entry(each) for each in entries)
    last = last_message(parsed)
    derived.threads.append(
        {
            "thread_no": number,
            "communication_id": ledger.communication_id,
            "status": ledger.status.value,
            "created_at": ledger.created_at,
            "last_updated_at": ledger.last_updated_at,
            "entries": len(entries),
            "last_message": last,
            "ledger": ledger_bytes,
            "tree_id": tree_id,
            "attachments": attachments,
            "continues": ledger.continues,
            "versions": versions,
            **NAMELESS,
        }
    )
    derived.messages.extend(
        {
            "thread_no": number,
            "position": position,
            "message_id": key_of(message.id),
            "corrects": None if message.corrects is None else key_of(message.corrects),
            "recorded_at": message.timestamp,
            "seq": commits[message.id],
            "entry": entry,
            **NAMELESS,
        }
        for position, (entry, message) in enumerate(zip(entries, parsed, strict=True), 1)
    )
    rows = participation_rows(ledger, turns_of(ledger, parsed), last)
    derived.participations.extend({"thread_no": number, **each} for each in rows)
    derived.texts.append(Texts(number, thread_tokens(ledger), parsed))
    return ledger


def _add_names(derived: Derived, namings: list[tuple[str, str | None, Naming]], *, gives_out: bool) -> None:
    """Let threads and messages be called what the commits say, in their order."""
    rows: dict[str | bytes, Parameters] = {row["communication_id"]: row for row in derived.threads}
    if namings:
        rows.update((row["message_id"], row) for row in derived.messages)
    called: dict[str, Names] = {}
    for thread_id, message_id, naming in namings:
        name = message_id or thread_id
        row = rows[key_of(message_id) if message_id else thread_id]
        known = called.get(name) or Names(row["thread_no"], row.get("position", 0))
        new = naming if gives_out else Naming(None, naming.identifiers)
        called[name] = known.with_more(new)
        row.update(called[name].columns())
        ids, identifiers = rows_of(new, known)
        derived.names.extend(ids)
        derived.business.extend(identifiers)


def changes_of(derived: Derived, after: int) -> list[Parameters]:
    """Return what tells of the versions that the commits after that number made."""
    versions = [each for each in derived.versions if each.seq > after]
    if not versions:
        return []
    messages = {message.id: message for each in derived.texts for message in each.messages}
    created = {row["communication_id"]: row["created_at"] for row in derived.threads}
    rows = []
    for each in versions:
        message = None if each.message is None else messages[MessageId(each.message)]
        rows.append(
            {
                "at": created[each.thread] if message is None else message.timestamp,
                "coordination_id": bytes.fromhex(derived.coordination_id),
                "seq": each.seq,
                "communication_id": each.thread,
                "thread_version": each.number,
                "message_id": None if message is None else key_of(message.id),
                "corrects": None if message is None or message.corrects is None else key_of(message.corrects),
            }
        )
    return rows


def _tree(repository: Repository, tree_id: bytes) -> Tree:
    return parse_tree(repository.raw_tree(tree_id))
