"""The index made anew from the repositories, and compared with them.

Rebuilding is one transaction: until it ends everybody sees the old index, and if it fails, still.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, update

from carethread.errors import IntegrityError
from carethread.git.history import commits, open_repository
from carethread.git.repository import read_head
from carethread.ids import CoordinationId, ParticipantId
from carethread.record.finding import Finding
from carethread.record.model import Progress
from carethread.record.rules import sent_time
from carethread.store import changes, names, statements, text_index
from carethread.store.database import Connection, Database, Parameters
from carethread.store.derive import Derived, changes_of, derive
from carethread.store.finding import document_of, free_keys, instant_of
from carethread.store.materialise import record_path
from carethread.store.schema import (
    identifier,
    journal,
    message,
    participation,
    record,
    resource_identifier,
    resource_name,
    thread,
)
from carethread.store.words import message_tokens

_HEX32 = re.compile(r"[0-9a-f]{32}", re.ASCII)
# A column of a rebuilt row that the repository does not know.
_NOT_DERIVED = frozenset({"last_instant", "synced_seq", "pending_since"})

_list_keys = select(record.c.coordination_id, record.c.record_key)
_insert_known_record = insert(record)
_TABLES = (thread, message, participation, identifier, resource_name, resource_identifier)
_select_of = {table.name: select(*table.columns).where(table.c.record_key == bindparam("key")) for table in _TABLES}
_CLEAR = tuple(delete(table) for table in (*_TABLES, record))
_heads = select(record.c.record_key, record.c.coordination_id, record.c.head_commit, record.c.head_seq).where(
    record.c.head_seq == record.c.synced_seq
)
_commit_ids = (
    select(journal.c.commit_id)
    .where(journal.c.record_key == bindparam("key"), journal.c.seq >= bindparam("first"))
    .order_by(journal.c.seq)
)
_set_back = update(record).where(record.c.record_key == bindparam("key")).values(synced_seq=bindparam("seq"))
_find_all_of_record = select(*record.columns).where(record.c.coordination_id == bindparam("coordination_id"))
_list_ahead = select(journal.c.seq).where(journal.c.record_key == bindparam("key"), journal.c.seq > bindparam("head"))


def repositories(root: Path) -> list[CoordinationId]:
    """Return the records that have a repository below `root`, in the order of their ids."""
    found = [
        CoordinationId(path.name)
        for path in root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")
        if _HEX32.fullmatch(path.name) and record_path(root, CoordinationId(path.name)) == path
    ]
    return sorted(found)


def realign(database: Database, root: Path) -> bool:
    """Find repositories that are older than the journal, and have what they lack flushed again.

    An older copy may have been put back. Where the journal still has what came after it, the record's synced mark is
    set back to that copy; say whether that was done. A repository that is ahead of the index is left for rebuilding.

    Raises:
        IntegrityError: a repository lacks what was acknowledged, and the journal does not have it any more.
    """
    with database.read() as connection:
        held = [(row[0], CoordinationId(bytes(row[1]).hex()), bytes(row[2]), row[3]) for row in connection.all(_heads)]
    marks = []
    for key, coordination_id, head_commit, head_seq in held:
        path = record_path(root, coordination_id)
        if not path.exists() or read_head(path) == head_commit:
            continue
        with open_repository(path) as repository:
            history = [commit_id for commit_id, _ in commits(repository)]
        if head_commit in history or len(history) >= head_seq:
            continue
        with database.read() as connection:
            kept = [bytes(row[0]) for row in connection.all(_commit_ids, key=key, first=len(history))]
        if kept[:1] != history[-1:] or len(kept) != head_seq - len(history) + 1:
            raise IntegrityError(f"the repository of record {coordination_id} lacks what was acknowledged; restore it")
        marks.append({"key": key, "seq": len(history)})
    if marks:
        with database.write() as connection:
            connection.many(_set_back, marks)
    return bool(marks)


def rebuild(database: Database, root: Path, custodian: ParticipantId, progress: Progress) -> int:
    """Make the index from the repositories; return the number of records.

    `custodian` is who writes here. What `changes` does not tell of is added there.

    The repositories must be up to date: what is journalled and not flushed is not in them.

    Raises:
        IntegrityError: a repository cannot be read; the index is left as it was.
    """
    wanted = repositories(root)
    with database.write() as connection:
        keys = {bytes(row[0]): row[1] for row in connection.all(_list_keys)}
        pending = connection.one(statements.count_pending)
        if pending is not None and pending[0]:
            raise IntegrityError(f"{pending[0]} commits are not in the repositories yet; flush first")
        missing = keys.keys() - {bytes.fromhex(each) for each in wanted}
        if missing:
            raise IntegrityError(f"record {min(missing).hex()} has no repository; restore it first")
        for statement in _CLEAR:
            connection.run(statement)
        text_index.clear(connection)
        told = changes.last_seqs(connection)
        lost: list[Parameters] = []
        for done, coordination_id in enumerate(wanted):
            progress(done, len(wanted))
            derived = derive(record_path(root, coordination_id), coordination_id, custodian)
            insert_derived(connection, derived, keys.get(bytes.fromhex(coordination_id)))
            lost += _reconcile(connection, derived, told.get(bytes.fromhex(coordination_id), 0))
        changes.add_lost(connection, lost)
        text_index.optimise(connection)
        progress(len(wanted), len(wanted))
    return len(wanted)


def _reconcile(connection: Connection, derived: Derived, told: int) -> list[Parameters]:
    """Forget what tells of commits that are not there; return what is to tell of those after the last one told of."""
    head = derived.record["head_seq"]
    if told > head:
        changes.forget_beyond(connection, bytes.fromhex(derived.coordination_id), head)
    return changes_of(derived, told)


def insert_derived(connection: Connection, derived: Derived, known: int | None) -> None:
    """Put a record's rows into the index, under the key it had before, if it had one. The way for bulk work."""
    if known is None:
        row = connection.one(statements.insert_record, **derived.record)
        key = 0 if row is None else row[0]
    else:
        key = known
        connection.run(_insert_known_record, record_key=key, **derived.record)
    documents = _place(connection, derived)
    with connection.pipeline():
        connection.many(statements.insert_thread, _keyed(derived.threads, key))
        connection.many(statements.insert_message, _keyed(derived.messages, key))
        connection.many(statements.insert_participation, _keyed(derived.participations, key))
        connection.many(statements.insert_identifier, _keyed(derived.identifiers, key))
        connection.many(names.insert_name, _keyed(derived.names, key))
        connection.many(names.insert_identifier, _keyed(derived.business, key))
        text_index.add(connection, documents)


def _place(connection: Connection, derived: Derived) -> list[text_index.Document]:
    """Give the messages their search keys; return what is indexed of them."""
    texts = [(each.tokens, message) for each in derived.texts for message in each.messages]
    # In the order in which they were recorded: what was sent at one time stands in that order.
    placed = sorted(zip(derived.messages, texts, strict=True), key=lambda each: (each[0]["seq"], each[0]["position"]))
    keys = free_keys(connection, derived.coordination_id, [found for _, (_, found) in placed])
    documents = []
    for (row, (tokens, found)), key in zip(placed, keys, strict=True):
        row["search_key"] = key
        documents.append(document_of(key, tokens, derived.coordination_id, found))
    return documents


def _keyed(rows: list[Parameters], key: int) -> list[Parameters]:
    for row in rows:
        row["record_key"] = key
    return rows


# ── Comparing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def audit(
    database: Database, root: Path, custodian: ParticipantId, coordination_id: CoordinationId
) -> Iterator[Finding]:
    """Compare the journal and the index of a record with its repository, which must be up to date.

    `custodian` is who writes here.
    """
    with database.snapshot() as connection:
        row = connection.one(_find_all_of_record, coordination_id=bytes.fromhex(coordination_id))
        if row is None:
            yield Finding(coordination_id, "index-record", "The index does not know this record.")
            return
        held = dict(zip((column.name for column in record.columns), row, strict=True))
        key = held.pop("record_key")
        held_rows = [(table, _rows_of(connection, table, key)) for table in _TABLES]
        ahead = connection.all(_list_ahead, key=key, head=held["head_seq"])
    try:
        derived = derive(record_path(root, coordination_id), coordination_id, custodian)
    except IntegrityError as error:
        yield Finding(coordination_id, "index-repository", f"The repository cannot be read: {error}")
        return
    for name, value in derived.record.items():
        if name not in _NOT_DERIVED and _plain(held[name]) != value:
            yield Finding(coordination_id, "index-record", f"The index has another {name} than the repository.")
    if held["synced_seq"] > derived.record["head_seq"]:
        yield Finding(coordination_id, "journal-mark", "The journal says more is flushed than the repository has.")
    if ahead:
        yield Finding(coordination_id, "journal-ahead", "The journal has commits beyond the record's head.")
    derived_rows = (
        derived.threads, derived.messages, derived.participations, derived.identifiers, derived.names, derived.business
    )  # fmt: skip
    for (table, rows), expected in zip(held_rows, derived_rows, strict=True):
        yield from _compare(coordination_id, table, rows, expected)
    held_keys = {(row["thread_no"], row["position"]): row["search_key"] for row in held_rows[1][1]}
    yield from _compare_texts(database, derived, held_keys)


_Identity = tuple[Any, ...]


def _rows_of(connection: Connection, table: Table, key: int) -> list[Parameters]:
    columns = [column.name for column in table.columns]
    rows = connection.all(_select_of[table.name], key=key)
    return [dict(zip(columns, (_plain(value) for value in row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _identity(table: Table, row: Parameters) -> _Identity:
    return tuple(row[column.name] for column in table.primary_key if column.name != "record_key")


def _compare(
    coordination_id: CoordinationId, table: Table, rows: list[Parameters], expected: list[Parameters]
) -> Iterator[Finding]:
    held = {_identity(table, row): row for row in rows}
    for row in expected:
        found = held.pop(_identity(table, row), None)
        if found is None:
            yield Finding(coordination_id, f"index-{table.name}", f"The index lacks {_name(table, row)}.")
            continue
        for name, value in row.items():
            if found[name] != value:
                sentence = f"The index has another {name} for {_name(table, row)}."
                yield Finding(coordination_id, f"index-{table.name}", sentence)
    for _, row in sorted(held.items(), key=lambda each: each[0]):
        sentence = f"The index has {_name(table, row)}, and the repository does not."
        yield Finding(coordination_id, f"index-{table.name}", sentence)


def _compare_texts(database: Database, derived: Derived, keys: dict[tuple[int, int], int]) -> Iterator[Finding]:
    """Look whether the full text finds each message by its own tokens, by no others, and not twice."""
    everything: set[int] = set()
    expected: dict[str, set[int]] = {}
    for each in derived.texts:
        for position, found in enumerate(each.messages, 1):
            key = keys.get((each.thread_no, position))
            if key is None or instant_of(key) != max(0, sent_time(found)):
                yield Finding(
                    derived.coordination_id, "index-text", f"The index has no place in time for message {found.id}."
                )
            else:
                everything.add(key)
                for token in message_tokens(each.tokens, derived.coordination_id, found):
                    expected.setdefault(token, set()).add(key)

    # What every message has is asked for at once: nothing of the record could be found that should not be.
    shared = tuple(token for token, wanted in expected.items() if wanted == everything)
    asked = [(shared, everything), *(((each,), expected[each]) for each in expected if each not in shared)]
    with database.snapshot() as connection:
        if text_index.of_record(connection, derived.coordination_id) != everything:
            sentence = "The full text finds other messages than the repository has."
            yield Finding(derived.coordination_id, "index-text", sentence)
            return
        for tokens, wanted in asked:
            if text_index.of_record(connection, derived.coordination_id, *tokens) != wanted:
                sentence = f"The full text finds other messages by {' '.join(tokens)} than the repository has."
                yield Finding(derived.coordination_id, "index-text", sentence)


def _name(table: Table, row: Parameters) -> str:
    columns = [column.name for column in table.primary_key if column.name != "record_key"]
    return f"{table.name} ({', '.join(f'{name} {_shown(row[name])}' for name in columns)})"


def _shown(value: Any) -> str:
    return str(UUID(bytes=value)) if isinstance(value, bytes) else str(value)
