"""What changed, in the order in which it became durable: the feed that others follow.

A row is written in the transaction of the commit it tells of. Readers hold a cursor and ask for what came after it;
nothing is ever passed over. On SQLite transactions follow each other, and each row has a number of its own. On
PostgreSQL several are under way at once, and one that began earlier may end later: rows are in the order of their
transactions' ids, and those of which an earlier one could still follow are not shown yet. So a transaction that stays
open anywhere in that server holds the feed back, and loses nothing.

Numbers only grow, whatever happens to the database: `base` is added to a transaction's id and is taken from the clock
when a database is made, filled from a backup, or moved to another server. A cursor from before a loss is then less
than what is written after it, and its reader gets that again rather than not at all.

A commit that only names a message makes no version of anything, and no row.
"""

import re
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from carethread.clock import Instant, system_clock
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, CoordinationId, MessageId
from carethread.store.database import Connection, Parameters, Row
from carethread.store.keys import text_of
from carethread.store.schema import change, change_state
from carethread.store.statements import ONE, ZERO

# In a millisecond no database begins this many transactions, so that a later base exceeds what an earlier one led to.
_PER_MILLISECOND_BITS = 8
_LARGEST = (1 << 63) - 1
_CURSOR = re.compile(r"([1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,18})", re.ASCII)
START = ""

# What a row says, in the order of the table.
_SAID = tuple(column for column in change.columns if column.name not in {"txid", "change_no"})
_GIVEN = tuple(bindparam(column.name, type_=column.type) for column in _SAID)
_NAMES = [column.name for column in change.columns]
_LAST = func.coalesce(select(func.max(change.c.txid)).scalar_subquery(), ZERO)
_BASE = select(change_state.c.base).scalar_subquery()


def _number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(cast(xid, Text), BigInteger)


# SQLite's max() of several values is PostgreSQL's greatest().
_insert_sqlite = (
    insert(change)
    .inline()
    .from_select(_NAMES, select(func.max(change_state.c.base, _LAST) + ONE, ZERO, *_GIVEN).select_from(change_state))
)
_TXID = _number(func.pg_current_xact_id())
_insert_postgresql = (
    insert(change)
    .inline()
    .from_select(
        _NAMES,
        select(change_state.c.base + _TXID, func.nextval(text("'change_number'")), *(cast(x, x.type) for x in _GIVEN))
        .select_from(change_state),
    )
)  # fmt: skip
_SETTLED = change.c.txid < _BASE + _number(func.pg_snapshot_xmin(func.pg_current_snapshot()))
_after_sqlite = (
    select(*change.columns)
    .where(
        tuple_(change.c.txid, change.c.change_no)
        > tuple_(bindparam("txid", type_=BigInteger), bindparam("number", type_=BigInteger))
    )
    .order_by(change.c.txid, change.c.change_no)
    .limit(bindparam("count"))
    .offset(ZERO)
)
_after_postgresql = _after_sqlite.where(_SETTLED)
_held_back = (
    select(change.c.txid)
    .where(
        tuple_(change.c.txid, change.c.change_no)
        > tuple_(bindparam("txid", type_=BigInteger), bindparam("number", type_=BigInteger))
    )
    .where(~_SETTLED)
    .limit(ONE)
    .offset(ZERO)
)
_newest_sqlite = (
    select(change.c.txid, change.c.change_no)
    .order_by(change.c.txid.desc(), change.c.change_no.desc())
    .limit(ONE)
    .offset(ZERO)
)
_newest_postgresql = _newest_sqlite.where(_SETTLED)
_last_seqs = select(change.c.coordination_id, func.max(change.c.seq)).group_by(change.c.coordination_id)
_drop_beyond = delete(change).where(
    change.c.coordination_id == bindparam("coordination_id"), change.c.seq > bindparam("after")
)
_wanted = bindparam("wanted", type_=BigInteger)
_begin_sqlite = update(change_state).values(base=_wanted)
_begin_postgresql = update(change_state).values(base=func.greatest(cast(_wanted, BigInteger), _LAST + ONE) - _TXID)
_is_ahead = select(change_state.c.one).where(
    change_state.c.base + _number(func.pg_snapshot_xmax(func.pg_current_snapshot())) <= _LAST
)


class Change(Struct, frozen=True):
    """A new version of a thread, and mostly an entry that made it.

    Attributes:
        cursor: what to ask with for what comes after this.
        at: when it was recorded.
        record: the record it happened in.
        seq: the commit, by its number in the record.
        thread: the thread.
        thread_version: how many versions its ledger has had, with this one.
        message: the entry that was added: none where a thread began without a message.
        corrects: the message that this entry corrects, in this thread or in another.
    """

    cursor: str
    at: Instant
    record: CoordinationId
    seq: int
    thread: CommunicationId
    thread_version: int
    message: MessageId | None = None
    corrects: MessageId | None = None


def changes_after(connection: Connection, cursor: str, count: int) -> tuple[list[Change], str]:
    """Return up to `count` changes after a cursor, oldest first, and the cursor to go on with.

    The empty cursor is the beginning. Where nothing is new, the cursor comes back as it was. A change may tell of a
    message that a restored backup does not have: pass it over.

    Raises:
        InvalidValueError: no cursor of this form was given out.
    """
    txid, number = order(cursor)
    statement: Executable = _after_sqlite if connection.is_sqlite else _after_postgresql
    changes = [_change(row) for row in connection.all(statement, txid=txid, number=number, count=count)]
    return changes, changes[-1].cursor if changes else cursor


def is_held_back(connection: Connection, cursor: str) -> bool:
    """Say whether something after a cursor is there and not shown yet, for a transaction that is under way.

    Nobody need be woken when that ends: look again a little later.
    """
    if connection.is_sqlite:
        return False
    txid, number = order(cursor)
    return connection.one(_held_back, txid=txid, number=number) is not None


def last_cursor(connection: Connection) -> str:
    """Return the cursor after which nothing is shown yet: where to begin for whoever wants what comes from now on."""
    row = connection.one(_newest_sqlite if connection.is_sqlite else _newest_postgresql)
    return START if row is None else _cursor(row)


def order(cursor: str) -> tuple[int, int]:
    """Return where a cursor stands: of two, the lesser comes first.

    Raises:
        InvalidValueError: no cursor of this form was given out.
    """
    if cursor == START:
        return 0, 0
    found = _CURSOR.fullmatch(cursor)
    if found is None or max(parts := (int(found[1]), int(found[2]))) > _LARGEST:
        raise InvalidValueError("cursor", "is none that was given out")
    return parts


def _cursor(row: Row) -> str:
    return f"{row[0]}.{row[1]}"


def _change(row: Row) -> Change:
    at, record, seq, thread, version, message, corrects = row[2:]
    return Change(
        cursor=_cursor(row),
        at=Instant(at),
        record=CoordinationId(bytes(record).hex()),
        seq=seq,
        thread=CommunicationId(thread),
        thread_version=version,
        message=None if message is None else MessageId(text_of(message)),
        corrects=None if corrects is None else MessageId(text_of(corrects)),
    )


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def add(connection: Connection, rows: list[Parameters]) -> None:
    """Write rows, in the order in which they happened, in the transaction of what they tell of."""
    connection.many(_insert_sqlite if connection.is_sqlite else _insert_postgresql, rows)


def begin(connection: Connection) -> None:
    """Number from here on by the clock: above all numbers that were ever given out for this data."""
    base = system_clock() << _PER_MILLISECOND_BITS
    connection.run(_begin_sqlite if connection.is_sqlite else _begin_postgresql, wanted=base)


def begin_where_moved(connection: Connection) -> None:
    """Number anew where rows have numbers that this PostgreSQL has yet to reach: they came from another server."""
    if not connection.is_sqlite and connection.one(_is_ahead) is not None:
        begin(connection)


def last_seqs(connection: Connection) -> dict[bytes, int]:
    """Return up to which commit each record's are told of, by the bytes of its id."""
    return {bytes(row[0]): row[1] for row in connection.all(_last_seqs)}


def forget_beyond(connection: Connection, coordination_id: bytes, seq: int) -> None:
    """Drop what tells of commits that a record does not have: those after `seq`, which a backup came too early for."""
    connection.run(_drop_beyond, coordination_id=coordination_id, after=seq)


def add_lost(connection: Connection, rows: list[Parameters]) -> None:
    """Tell of commits of which the database had lost every trace, oldest first; cursors from before get them again."""
    if rows:
        begin(connection)
        add(connection, sorted(rows, key=lambda row: (row["at"], row["coordination_id"], row["seq"])))
