"""From a transition to the rows that make it durable: the journal entry, the head, the index."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import msgspec
from msgspec import Struct, field
from sqlalchemy import Executable

from carethread.git.objects import Commit, Person, encode_commit, object_id, with_signature
from carethread.git.repository import FileChange
from carethread.git.signatures import Signer
from carethread.ids import ParticipantId
from carethread.record.commit_message import render_commit_message
from carethread.record.model import CoordinationStatus, Custodian, ThreadStatus
from carethread.record.status_yaml import render_status
from carethread.record.transitions import Named, Transition
from carethread.store import changes, names, statements, text_index
from carethread.store.database import Connection, Parameters
from carethread.store.finding import document_of, free_key, participation_rows
from carethread.store.identifiers import KnownIdentifier, NewIdentifier
from carethread.store.keys import key_of
from carethread.store.names import NAMELESS, Kind, Names, Place, kind_at, rows_of
from carethread.store.state import RecordState, ThreadState
from carethread.store.text_index import Document

_changes = msgspec.msgpack.Encoder()
_read_changes = msgspec.msgpack.Decoder(tuple[FileChange, ...])


class Installation(Struct, frozen=True):
    """Who writes here: the custodian of the records, its domain in commits, and its signing key, if it has one."""

    custodian: Custodian
    domain: str
    signer: Signer | None = None

    def person(self, identifier: ParticipantId, name: str, seconds: int) -> Person:
        """Return somebody as Git writes people down."""
        return Person(name, f"{identifier}@{self.domain}", seconds)


class Effect(Struct, frozen=True):
    """A row that goes with what is recorded, such as a line of the access log: a statement and its parameters.

    `wakes` says that whoever waits for what is recorded looks again because of it.
    """

    statement: Executable
    parameters: Parameters
    wakes: bool = False


class Rows(Struct):
    """What one batch writes. Threads and records are written once, as they stand at its end.

    `is_careful` looks whether a search key is taken, before the database refuses it. `text` is what enters (`True`)
    and leaves (`False`) the full text, in order. `names` and `business` are the rows of what clients call things,
    `renamed` what messages recorded earlier are called from now on, `claimed` the resource ids that are given out.
    """

    is_careful: bool = True
    journal: list[Parameters] = field(default_factory=list)
    messages: list[Parameters] = field(default_factory=list)
    identifiers: list[Parameters] = field(default_factory=list)
    threads: dict[tuple[int, int], tuple[RecordState, ThreadState]] = field(default_factory=dict)
    records: dict[int, RecordState] = field(default_factory=dict)
    text: list[tuple[bool, Document]] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)
    changes: list[Parameters] = field(default_factory=list)
    names: list[Parameters] = field(default_factory=list)
    business: list[Parameters] = field(default_factory=list)
    renamed: list[Parameters] = field(default_factory=list)
    claimed: dict[tuple[Kind, str], Place] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    @property
    def wakes(self) -> bool:
        """Whether those who wait are woken: nobody waits for lines of the access log."""
        return bool(self.journal) or any(each.wakes for each in self.effects)


def read_changes(payload: bytes) -> tuple[FileChange, ...]:
    """Read the changes of a journal entry back."""
    return _read_changes.decode(payload)


def first_row(transition: Transition, status: CoordinationStatus) -> Parameters:
    """Return the row of a record that a transition is about to begin."""
    return {
        "coordination_id": bytes.fromhex(status.coordination_id),
        "clinical_id": key_of(status.clinical_id),
        "custodian_id": key_of(status.custodian.id),
        "status": render_status(status),
        "head_seq": 0,
        "head_commit": bytes(32),
        "last_instant": transition.at,
        "synced_seq": 0,
        "pending_since": transition.at,
    }


def record_transition(
    connection: Connection,
    rows: Rows,
    state: RecordState,
    transition: Transition,
    installation: Installation,
    identifier: NewIdentifier | None,
) -> None:
    """Make the commit, let the state follow, and add what is to be written."""
    is_first = state.head_seq == 0
    tokens_before = _tokens(state, transition)
    is_at_once = transition.at == state.last
    blobs = state.blob_ids(transition)
    tree = state.follow(transition, blobs)
    seconds = transition.at // 1000
    # The name the record knows its custodian by: an installation that is renamed goes on under it here.
    author, custodian = transition.author, state.status.custodian
    raw = encode_commit(
        Commit(
            tree=tree,
            parents=() if is_first else (state.head_commit,),
            author=installation.person(author.id, author.name, seconds),
            committer=installation.person(custodian.id, custodian.name, seconds),
            message=render_commit_message(transition.commit),
        )
    )
    if installation.signer is not None:
        raw = with_signature(raw, installation.signer.sign(raw))
    state.head_commit = object_id(b"commit", raw)
    state.head_seq += 1
    changes = tuple(
        FileChange(edit.path, edit.append, edit.data, blob) for edit, blob in zip(transition.edits, blobs, strict=True)
    )
    rows.records[state.key] = state
    rows.journal.append(
        {
            "record_key": state.key,
            "seq": state.head_seq,
            "commit_id": state.head_commit,
            "commit_object": raw,
            "changes": _changes.encode(changes),
        }
    )
    if transition.ledger is not None:
        thread = state.threads[transition.ledger.communication_id]
        rows.threads[state.key, thread.number] = (state, thread)
        _add_entries(connection, rows, state, thread, transition, tokens_before, is_at_once)
        rows.changes.append(_change(state, thread, transition))
    if transition.named is not None:
        _add_names(connection, rows, state, transition.named, is_new=bool(transition.entries))
    if identifier is not None:
        state.new_identifiers[identifier.client, identifier.value] = KnownIdentifier(
            identifier.digest, identifier.result
        )
        rows.identifiers.append(
            {
                "record_key": state.key,
                "client": identifier.client,
                "value": identifier.value,
                "digest": identifier.digest,
                "result": identifier.result,
            }
        )


def _change(state: RecordState, thread: ThreadState, transition: Transition) -> Parameters:
    message = transition.entries[-1].message if transition.entries else None
    return {
        "at": transition.at,
        "coordination_id": bytes.fromhex(state.coordination_id),
        "seq": state.head_seq,
        "communication_id": thread.ledger.communication_id,
        "thread_version": thread.versions,
        "message_id": None if message is None else key_of(message.id),
        "corrects": None if message is None or message.corrects is None else key_of(message.corrects),
    }


def _add_names(connection: Connection, rows: Rows, state: RecordState, named: Named, *, is_new: bool) -> None:
    """Let a thread or message be called what its client calls it; `is_new`: a message whose row was just added."""
    if named.message is None:
        thread = state.threads[named.thread]
        called = thread.names = Names(thread.number, 0).with_more(named.naming)
    else:
        called = state.names(connection, named.message).with_more(named.naming)
        state.new_names[named.message] = called
        if is_new:
            rows.messages[-1].update(called.columns())
        else:
            row = {f"new_{name}": value for name, value in called.columns().items()}
            rows.renamed.append({"key": state.key, "no": called.thread_no, "at": called.position, **row})
    ids, identifiers = rows_of(named.naming, called)
    rows.names.extend({"record_key": state.key, **each} for each in ids)
    rows.business.extend({"record_key": state.key, **each} for each in identifiers)
    if named.naming.resource_id is not None:
        place = state.key, called.thread_no, called.position
        rows.claimed[kind_at(called.position), named.naming.resource_id] = place


def _tokens(state: RecordState, transition: Transition) -> tuple[str, ...]:
    """Return the tokens a thread's messages have in the full text so far."""
    known = None if transition.ledger is None else state.threads.get(transition.ledger.communication_id)
    return () if known is None else known.tokens


def _add_entries(
    connection: Connection,
    rows: Rows,
    state: RecordState,
    thread: ThreadState,
    transition: Transition,
    tokens_before: tuple[str, ...],
    is_at_once: bool,  # noqa: FBT001 - handed on
) -> None:
    tokens = thread.tokens
    position = thread.entries - len(transition.entries)
    if tokens_before and tokens != tokens_before:
        _replace_tokens(connection, rows, state, thread, position, tokens_before, tokens)
    for entry in transition.entries:
        position += 1
        # A sending system's time may be to the second, or to the day: many messages then ask for one place. So do two
        # that are recorded in one millisecond.
        is_careful = rows.is_careful or is_at_once or entry.message.sent is not None
        key = free_key(connection if is_careful else None, rows.keys, state.coordination_id, entry.message)
        thread.new_keys[position] = key
        rows.text.append((True, document_of(key, tokens, state.coordination_id, entry.message)))
        rows.messages.append(
            {
                "record_key": state.key,
                "thread_no": thread.number,
                "position": position,
                "message_id": key_of(entry.message.id),
                "search_key": key,
                "corrects": None if entry.message.corrects is None else key_of(entry.message.corrects),
                "recorded_at": entry.message.timestamp,
                "seq": state.head_seq,
                "entry": entry.data,
                **NAMELESS,
            }
        )


def _replace_tokens(
    connection: Connection,
    rows: Rows,
    state: RecordState,
    thread: ThreadState,
    count: int,
    before: tuple[str, ...],
    after: tuple[str, ...],
) -> None:
    """Let the first `count` entries of a thread be found by whoever may find them now, and by nobody else."""
    keys = dict(connection.all(statements.list_search_keys, key=state.key, no=thread.number)) | thread.new_keys
    indexed = [(keys[position], message) for position, message in enumerate(thread.messages()[:count], 1)]
    for is_added, tokens in ((False, before), (True, after)):
        rows.text.extend((is_added, document_of(key, tokens, state.coordination_id, each)) for key, each in indexed)


def write_rows(connection: Connection, rows: Rows, now: int) -> None:
    """Write a batch. Everything goes in one transaction, or not at all."""
    new_threads, old_threads = [], []
    changed: list[Parameters] = []
    participations: list[Parameters] = []
    moved: list[Parameters] = []
    for (key, number), (_, thread) in sorted(rows.threads.items(), key=lambda each: each[0]):
        if thread.is_new or thread.is_changed:
            found = participation_rows(thread.ledger, thread.turns, thread.last_message)
            participations.extend({"record_key": key, "thread_no": number, **each} for each in found)
            if not thread.is_new:
                changed.append({"key": key, "no": number})
        else:
            moved.extend(_moved(key, number, thread))
        if thread.is_new:
            new_threads.append(
                {
                    "record_key": key,
                    "thread_no": number,
                    "communication_id": thread.ledger.communication_id,
                    "status": thread.ledger.status.value,
                    "created_at": thread.ledger.created_at,
                    "last_updated_at": thread.ledger.last_updated_at,
                    "entries": thread.entries,
                    "last_message": thread.last_message,
                    "ledger": thread.ledger_bytes,
                    "tree_id": thread.tree,
                    "attachments": thread.attachments,
                    "continues": thread.ledger.continues,
                    "versions": thread.versions,
                    **(NAMELESS if thread.names is None else thread.names.columns()),
                }
            )
        else:
            old_threads.append(
                {
                    "key": key,
                    "no": number,
                    "new_status": thread.ledger.status.value,
                    "new_updated": thread.ledger.last_updated_at,
                    "new_entries": thread.entries,
                    "new_last_message": thread.last_message,
                    "new_ledger": thread.ledger_bytes,
                    "new_tree": thread.tree,
                    "new_attachments": thread.attachments,
                    "new_versions": thread.versions,
                }
            )
    heads = [
        {
            "key": key,
            "new_seq": state.head_seq,
            "new_commit": state.head_commit,
            "new_instant": state.last,
            "new_status": state.status_bytes,
            "now": now,
        }
        for key, state in sorted(rows.records.items())
    ]
    with connection.pipeline():
        connection.many(statements.insert_journal, rows.journal)
        connection.many(statements.insert_thread, new_threads)
        connection.many(statements.update_thread, old_threads)
        connection.many(statements.insert_message, rows.messages)
        connection.many(names.name_message, rows.renamed)
        # In one order everywhere: two processes that claim the same ids must not wait for each other.
        connection.many(names.insert_name, sorted(rows.names, key=itemgetter("kind", "resource_id")))
        connection.many(names.insert_identifier, rows.business)
        connection.many(statements.insert_identifier, rows.identifiers)
        connection.many(statements.delete_participations, changed)
        connection.many(statements.insert_participation, participations)
        connection.many(statements.move_participation, moved)
        for is_added, texts in groupby(rows.text, key=itemgetter(0)):
            (text_index.add if is_added else text_index.remove)(connection, (each[1] for each in texts))
        connection.many(statements.update_record, heads)
        changes.add(connection, rows.changes)
        for _, group in groupby(rows.effects, key=lambda each: id(each.statement)):
            effects = list(group)
            connection.many(effects[0].statement, [each.parameters for each in effects])


def _moved(key: int, number: int, thread: ThreadState) -> Iterator[Parameters]:
    """Yield what one more entry changes for each participant."""
    activity = thread.ledger.last_updated_at
    is_open = thread.ledger.status is ThreadStatus.OPEN
    for participant, turn in thread.turns.items():
        yield {
            "key": key,
            "no": number,
            "participant": key_of(participant),
            "new_activity": activity,
            "new_addressed": turn.addressed,
            "new_answered": turn.answered,
            "new_waiting": int(is_open and turn.addressed > turn.answered),
            "new_last_message": thread.last_message,
        }
