"""The access log's table: appending in the transaction of what is told, listing, and nothing else.

A line is never changed and never removed by this program. Lines are ids, not keys: they outlive an index.
"""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, LargeBinary, Select, Text, bindparam, insert, select

from carethread.access_log import AccessEntry, Action, Outcome, Served, ServedEntry
from carethread.clock import Instant
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.store import statements
from carethread.store.database import Connection, Parameters, Row
from carethread.store.journal import Effect
from carethread.store.keys import id_of, key_of, text_of
from carethread.store.schema import access_log

_PAGE = 500
# How many lines a call looks at before it answers with what it has.
_BUDGET = 5_000
_served = msgspec.json.Decoder(tuple[Served, ...])
_entries = msgspec.json.Decoder(tuple[ServedEntry, ...])
_COLUMNS = tuple(column for column in access_log.columns if column.name != "entry_no")
# Inline: nobody waits for the number a line gets.
_insert = (
    insert(access_log).inline().values({column.name: bindparam(column.name, type_=column.type) for column in _COLUMNS})
)


class Entity(Struct, frozen=True):
    """What a line is about, in any way: asked for alone, written, or part of a list. One of these."""

    thread: CommunicationId | None = None
    message: MessageId | None = None
    entry: ParticipantId | None = None


class Filter(Struct, frozen=True):
    """Which lines are wanted; what is left out does not matter. `since` counts, `until` does not."""

    actor: ParticipantId | None = None
    record: CoordinationId | None = None
    thread: CommunicationId | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: Instant | None = None
    until: Instant | None = None
    number: int | None = None


def logged(entry: AccessEntry, at: Instant) -> Effect:
    """Return the row that puts a line into the log at an instant."""
    return Effect(_insert, _row(entry, at))


def _row(entry: AccessEntry, at: Instant) -> Parameters:
    return {
        "at": at,
        "actor_id": key_of(entry.actor),
        "actor_kind": entry.actor_kind,
        "acting_for": None if entry.acting_for is None else key_of(entry.acting_for),
        "action": entry.action.value,
        "outcome": entry.outcome.value,
        "detail": entry.detail,
        "coordination_id": None if entry.record is None else bytes.fromhex(entry.record),
        "communication_id": entry.thread,
        "message_id": None if entry.message is None else key_of(entry.message),
        "version": bytes.fromhex(entry.version),
        "served": msgspec.json.encode(entry.served) if entry.served else b"",
        "entries": msgspec.json.encode(entry.entries) if entry.entries else b"",
        "query": entry.query,
        "purpose": entry.purpose,
        "client": entry.client,
        "request_id": entry.request_id,
    }


def lines(connection: Connection, wanted: Filter) -> Iterator[AccessEntry]:
    """Return lines of the log, oldest first, read in pages."""
    after = 0
    while True:
        rows = connection.all(_page(wanted), after=after, count=_PAGE, **_parameters(wanted))
        yield from (_entry(row) for row in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def newest(
    connection: Connection, wanted: Filter, about: Callable[[AccessEntry], bool], before: int, count: int
) -> tuple[list[AccessEntry], int]:
    """Return lines of the log, newest first, and before which number to go on: 0 at the end.

    A call looks at a bounded number of lines: there may be fewer than `count`, and more to come.
    """
    found: list[AccessEntry] = []
    place = before
    for _ in range(_BUDGET // _PAGE):
        rows = connection.all(_page(wanted, newest_first=True), before=place, count=_PAGE, **_parameters(wanted))
        for entry in map(_entry, rows):
            if about(entry):
                if len(found) == count:
                    return found, place
                found.append(entry)
            place = entry.number
        if len(rows) < _PAGE:
            return found, 0
    return found, place


_CONDITIONS = {
    "actor": access_log.c.actor_id == bindparam("actor", type_=LargeBinary),
    "record": access_log.c.coordination_id == bindparam("record", type_=LargeBinary),
    "thread": access_log.c.communication_id == bindparam("thread", type_=Text),
    "action": access_log.c.action == bindparam("action", type_=Text),
    "outcome": access_log.c.outcome == bindparam("outcome", type_=Text),
    "since": access_log.c.at >= bindparam("since", type_=BigInteger),
    "until": access_log.c.at < bindparam("until", type_=BigInteger),
    "number": access_log.c.entry_no == bindparam("number", type_=BigInteger),
}
_select = select(*access_log.columns).where(access_log.c.entry_no > bindparam("after", type_=BigInteger))
_select_back = select(*access_log.columns).where(access_log.c.entry_no < bindparam("before", type_=BigInteger))
# Compiled once for each combination of conditions that is asked for.
_pages: dict[tuple[bool, tuple[str, ...]], Select[tuple[object, ...]]] = {}


def _page(wanted: Filter, *, newest_first: bool = False) -> Select[tuple[object, ...]]:
    names = tuple(name for name in _CONDITIONS if getattr(wanted, name) is not None)
    if (newest_first, names) not in _pages:
        conditions = [_CONDITIONS[name] for name in names]
        ordered = (
            _select_back.where(*conditions).order_by(access_log.c.entry_no.desc())
            if newest_first
            else _select.where(*conditions).order_by(access_log.c.entry_no)
        )
        _pages[newest_first, names] = ordered.limit(bindparam("count")).offset(statements.ZERO)
    return _pages[newest_first, names]


def _parameters(wanted: Filter) -> Parameters:
    given: Parameters = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    if wanted.actor is not None:
        given["actor"] = key_of(wanted.actor)
    if wanted.record is not None:
        given["record"] = bytes.fromhex(wanted.record)
    return given


def _entry(row: Row) -> AccessEntry:
    names = [column.name for column in access_log.columns]
    held = dict(zip(names, row, strict=True))
    return AccessEntry(
        actor=id_of(held["actor_id"]),
        actor_kind=held["actor_kind"],
        action=Action(held["action"]),
        outcome=Outcome(held["outcome"]),
        detail=held["detail"],
        acting_for=None if held["acting_for"] is None else id_of(held["acting_for"]),
        record=None if held["coordination_id"] is None else CoordinationId(bytes(held["coordination_id"]).hex()),
        thread=None if held["communication_id"] is None else CommunicationId(held["communication_id"]),
        message=None if held["message_id"] is None else MessageId(text_of(held["message_id"])),
        version=bytes(held["version"]).hex(),
        served=_served.decode(bytes(held["served"])) if held["served"] else (),
        entries=_entries.decode(bytes(held["entries"])) if held["entries"] else (),
        query=held["query"],
        purpose=held["purpose"],
        client=held["client"],
        request_id=held["request_id"],
        at=Instant(held["at"]),
        number=held["entry_no"],
    )
