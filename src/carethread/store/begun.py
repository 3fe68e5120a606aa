"""Threads that somebody may read, in the order in which they began or were last active, from either end.

As in an inbox, shelves are merged; a shelf is a range of an index. Somebody who reads everything walks the threads
themselves. The threads of one record are few: they are read at once, and put in order here.
"""

from collections.abc import Iterable, Iterator
from heapq import merge

from msgspec import Struct
from sqlalchemy import BigInteger, LargeBinary, Select, Text, bindparam, select, tuple_

from carethread.errors import InvalidValueError
from carethread.store import statements
from carethread.store.database import Connection
from carethread.store.inbox import Shelf, within_reach
from carethread.store.keys import key_of
from carethread.store.schema import participation, thread

p = bindparam
_CHUNK = 64
_NUMBER_BYTES = 8
_LAST_BYTES = b"\xff" * 64

_at = tuple_(p("at", type_=BigInteger), p("uuid", type_=LargeBinary))
_begun: Select[tuple[int, bytes, int, int]] = select(
    participation.c.created_at, participation.c.thread_uuid, participation.c.record_key, participation.c.thread_no
).where(participation.c.participant_id == p("participant"), participation.c.reach == p("reach"))
_active: Select[tuple[int, bytes, int, int]] = select(
    participation.c.activity, participation.c.thread_uuid, participation.c.record_key, participation.c.thread_no
).where(
    participation.c.participant_id == p("participant"),
    participation.c.reach == p("reach"),
    participation.c.archived == p("archived"),
)


def _both_ways(
    query: Select[tuple[int, bytes, int, int]], first: object, second: object, place: object
) -> dict[bool, Select[tuple[int, bytes, int, int]]]:
    """Return a query from the oldest on, and from the newest on."""
    key = tuple_(first, second)
    ends = query.limit(p("count")).offset(statements.ZERO)
    return {
        True: ends.where(key > place).order_by(first, second),  # type: ignore[arg-type]
        False: ends.where(key < place).order_by(first.desc(), second.desc()),  # type: ignore[attr-defined]
    }


_begun_shelf = _both_ways(_begun, participation.c.created_at, participation.c.thread_uuid, _at)
_active_shelf = _both_ways(_active, participation.c.activity, participation.c.thread_uuid, _at)
_every = _both_ways(
    select(thread.c.created_at, thread.c.communication_id, thread.c.record_key, thread.c.thread_no),
    thread.c.created_at,
    thread.c.communication_id,
    tuple_(p("at", type_=BigInteger), p("id", type_=Text)),
)
_of_record = select(
    participation.c.participant_id,
    participation.c.reach,
    participation.c.created_at,
    participation.c.activity,
    participation.c.thread_uuid,
    participation.c.thread_no,
).where(participation.c.record_key == p("key"))
_every_of_record = select(
    thread.c.created_at, thread.c.last_updated_at, thread.c.communication_id, thread.c.thread_no
).where(thread.c.record_key == p("key"))


class Stand(Struct, frozen=True, order=True):
    """A place in such a list: an instant, and what tells threads of one instant apart."""

    at: int
    unique: bytes


class Found(Struct, frozen=True):
    """A thread in such a list."""

    stand: Stand
    key: int
    number: int


class Way(Struct, frozen=True):
    """In which order threads are listed: by their last activity, or else by their beginning."""

    oldest_first: bool = False
    by_activity: bool = False

    @property
    def start(self) -> Stand:
        """Before everything."""
        return Stand(-(1 << 62), b"") if self.oldest_first else Stand(1 << 62, _LAST_BYTES)

    def is_after(self, stand: Stand, other: Stand) -> bool:
        """Say whether something stands after something else."""
        return stand > other if self.oldest_first else stand < other


def encode_stand(stand: Stand) -> str:
    """Write a place down as opaque text."""
    return (stand.at.to_bytes(_NUMBER_BYTES, "big", signed=True) + stand.unique).hex()


def decode_stand(given: str) -> Stand:
    """Read a place back.

    Raises:
        InvalidValueError: it is none.
    """
    try:
        data = bytes.fromhex(given)
    except ValueError:
        data = b""
    if not _NUMBER_BYTES < len(data) <= _NUMBER_BYTES + len(_LAST_BYTES):
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    return Stand(int.from_bytes(data[:_NUMBER_BYTES], "big", signed=True), data[_NUMBER_BYTES:])


def on_shelves(connection: Connection, shelves: Iterable[Shelf], way: Way, after: Stand) -> Iterator[Found]:
    """Yield the threads on an actor's shelves after a place, each once."""
    walks = [
        _walk(connection, shelf, reach, way, after, archived)
        for shelf in shelves
        for reach in within_reach(shelf.grant)
        for archived in ((0, 1) if way.by_activity else (None,))
    ]
    last = None
    for each in merge(*walks, key=lambda each: each.stand, reverse=not way.oldest_first):
        if each.stand != last:
            yield each
        last = each.stand


def _walk(
    connection: Connection, shelf: Shelf, reach: int, way: Way, after: Stand, archived: int | None
) -> Iterator[Found]:
    statement = (_active_shelf if way.by_activity else _begun_shelf)[way.oldest_first]
    given = {"participant": key_of(shelf.grant.participant), "reach": reach, "count": _CHUNK}
    if archived is not None:
        given["archived"] = archived
    while True:
        rows = connection.all(statement, at=after.at, uuid=after.unique, **given)
        for at, uuid, key, number in rows:
            after = Stand(at, bytes(uuid))
            if shelf.records is None or key in shelf.records:
                yield Found(after, key, number)
        if len(rows) < _CHUNK:
            return


def everywhere(connection: Connection, way: Way, after: Stand) -> Iterator[Found]:
    """Yield all threads there are, by their beginning, for whoever reads everything."""
    while True:
        unique = after.unique.decode("ascii", "replace")
        rows = connection.all(_every[way.oldest_first], at=after.at, id=unique, count=_CHUNK)
        for at, thread_id, key, number in rows:
            after = Stand(at, str(thread_id).encode())
            yield Found(after, key, number)
        if len(rows) < _CHUNK:
            return


def of_records(
    connection: Connection, keys: Iterable[int], shelves: Iterable[Shelf] | None, way: Way, after: Stand
) -> Iterator[Found]:
    """Yield the threads of some records that are on shelves, or all. The same is asked whatever they hold."""
    found: dict[Stand, Found] = {}
    reached = None if shelves is None else _reached(shelves)
    for key in keys:
        if reached is None:
            for begun, active, thread_id, number in connection.all(_every_of_record, key=key):
                stand = Stand(active if way.by_activity else begun, str(thread_id).encode())
                found[stand] = Found(stand, key, number)
            continue
        for participant, reach, begun, active, uuid, number in connection.all(_of_record, key=key):
            stand = Stand(active if way.by_activity else begun, bytes(uuid))
            bound = reached.get((bytes(participant), reach), ())
            if any(records is None or key in records for records in bound):
                found[stand] = Found(stand, key, number)
    for each in sorted(found.values(), key=lambda each: each.stand, reverse=not way.oldest_first):
        if way.is_after(each.stand, after):
            yield each


def _reached(shelves: Iterable[Shelf]) -> dict[tuple[bytes, int], list[frozenset[int] | None]]:
    """Return what is on shelves: by participant and reach, the records they are bound to."""
    found: dict[tuple[bytes, int], list[frozenset[int] | None]] = {}
    for shelf in shelves:
        for reach in within_reach(shelf.grant):
            found.setdefault((key_of(shelf.grant.participant), reach), []).append(shelf.records)
    return found
