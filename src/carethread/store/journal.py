"""From a transition to the rows that make it durable: the journal entry, the head, the index."""

from uuid import UUID

import msgspec
from msgspec import Struct, field

from carethread.git.objects import Commit, Person, encode_commit, object_id, with_signature
from carethread.git.repository import FileChange
from carethread.git.signatures import Signer
from carethread.ids import ParticipantId
from carethread.record.commit_message import render_commit_message
from carethread.record.model import CoordinationStatus, Custodian
from carethread.record.status_yaml import render_status
from carethread.record.transitions import Transition
from carethread.store import statements
from carethread.store.database import Connection, Parameters
from carethread.store.identifiers import KnownIdentifier, NewIdentifier
from carethread.store.state import RecordState

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


class Rows(Struct):
    """What one batch writes. Threads and records are written once, as they stand at its end."""

    journal: list[Parameters] = field(default_factory=list)
    messages: list[Parameters] = field(default_factory=list)
    identifiers: list[Parameters] = field(default_factory=list)
    threads: dict[tuple[int, int], tuple[RecordState, str]] = field(default_factory=dict)
    records: dict[int, RecordState] = field(default_factory=dict)


def read_changes(payload: bytes) -> tuple[FileChange, ...]:
    """Read the changes of a journal entry back."""
    return _read_changes.decode(payload)


def first_row(transition: Transition, status: CoordinationStatus) -> Parameters:
    """Return the row of a record that a transition is about to begin."""
    return {
        "coordination_id": bytes.fromhex(status.coordination_id),
        "clinical_id": UUID(status.clinical_id).bytes,
        "custodian_id": UUID(status.custodian.id).bytes,
        "status": render_status(status),
        "head_seq": 0,
        "head_commit": bytes(32),
        "last_instant": transition.at,
        "synced_seq": 0,
        "pending_since": transition.at,
    }


def record_transition(
    rows: Rows,
    state: RecordState,
    transition: Transition,
    installation: Installation,
    identifier: NewIdentifier | None,
) -> None:
    """Make the commit, let the state follow, and add what is to be written."""
    is_first = state.head_seq == 0
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
        thread_id = transition.ledger.communication_id
        thread = state.threads[thread_id]
        rows.threads[state.key, thread.number] = (state, thread_id)
        position = thread.entries - len(transition.entries)
        for entry in transition.entries:
            position += 1
            rows.messages.append(
                {
                    "record_key": state.key,
                    "thread_no": thread.number,
                    "position": position,
                    "message_id": UUID(entry.message.id).bytes,
                    "seq": state.head_seq,
                    "entry": entry.data,
                }
            )
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


def write_rows(connection: Connection, rows: Rows, now: int) -> None:
    """Write a batch. Everything goes in one transaction, or not at all."""
    new_threads, old_threads = [], []
    for (key, number), (state, thread_id) in sorted(rows.threads.items(), key=lambda each: each[0]):
        thread = state.threads[thread_id]  # type: ignore[index]
        if thread.is_new:
            new_threads.append(
                {
                    "record_key": key,
                    "thread_no": number,
                    "communication_id": thread_id,
                    "status": thread.ledger.status.value,
                    "created_at": thread.ledger.created_at,
                    "last_updated_at": thread.ledger.last_updated_at,
                    "entries": thread.entries,
                    "ledger": thread.ledger_bytes,
                    "tree_id": thread.tree,
                    "attachments": thread.attachments,
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
                    "new_ledger": thread.ledger_bytes,
                    "new_tree": thread.tree,
                    "new_attachments": thread.attachments,
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
        connection.many(statements.insert_identifier, rows.identifiers)
        connection.many(statements.update_record, heads)
