"""Lists of threads, in the order of their last activity, newest first.

A list is made of shelves: the threads that reach an actor through one participant at one reach. Each shelf is a range
of an index, read in small pieces; merging a few of them costs the same however many threads there are.
"""

from collections.abc import Iterator
from heapq import merge

from msgspec import Struct
from sqlalchemy import BigInteger, Integer, LargeBinary, Select, bindparam, func, literal_column, select, text, tuple_

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.reading import Grant, Reach
from carethread.store import statements
from carethread.store.database import Connection
from carethread.store.finding import thread_uuid
from carethread.store.journal import Effect
from carethread.store.keys import id_of, key_of
from carethread.store.schema import opened_mark, participation, set_aside, thread

# Unread threads are counted up to here: "more than 99" is answer enough.
MOST_UNREAD = 100
_CHUNK = 50
# Of a list that only some records are looked for in: few of the rows are wanted.
_BOUND_CHUNK = 1_000
_CURSOR_LENGTH = 24

p = bindparam
_ACTIVITY, _UUID = participation.c.activity, participation.c.thread_uuid
_is_unread = participation.c.last_message > func.coalesce(opened_mark.c.position, statements.ZERO)
_rows = (
    select(_ACTIVITY, _UUID, participation.c.record_key, participation.c.thread_no, _is_unread)
    .join_from(
        participation,
        opened_mark,
        (opened_mark.c.person_id == p("person", type_=LargeBinary)) & (opened_mark.c.thread_uuid == _UUID),
        isouter=True,
    )
    .where(
        participation.c.participant_id == p("participant"),
        participation.c.reach == p("reach"),
        tuple_(_ACTIVITY, _UUID) < tuple_(p("activity", type_=BigInteger), p("uuid", type_=LargeBinary)),
    )
    .order_by(_ACTIVITY.desc(), _UUID.desc())
    .limit(p("count"))
    .offset(statements.ZERO)
)
_shelf = _rows.where(participation.c.archived == p("archived"))
_unread = _shelf.where(_is_unread)
_waiting = _rows.outerjoin(
    set_aside,
    (set_aside.c.group_id == participation.c.participant_id) & (set_aside.c.thread_uuid == _UUID),
).where(
    participation.c.waiting == statements.ONE,
    participation.c.addressed > func.coalesce(set_aside.c.position, statements.ZERO),
)
_waiting_on = (
    select(participation.c.participant_id)
    .join_from(
        participation,
        set_aside,
        (set_aside.c.group_id == participation.c.participant_id) & (set_aside.c.thread_uuid == _UUID),
        isouter=True,
    )
    .where(
        participation.c.record_key == p("key"),
        participation.c.thread_no == p("no"),
        participation.c.waiting == statements.ONE,
        participation.c.addressed > func.coalesce(set_aside.c.position, statements.ZERO),
    )
)
_find_unread = (
    select(thread.c.last_message, opened_mark.c.position)
    .join_from(
        thread,
        opened_mark,
        (opened_mark.c.person_id == p("person", type_=LargeBinary))
        & (opened_mark.c.thread_uuid == p("uuid", type_=LargeBinary)),
        isouter=True,
    )
    .where(thread.c.record_key == p("key"), thread.c.thread_no == p("no"))
)
_groups = (
    select(participation.c.participant_id)
    .where(
        participation.c.participant_id > p("after", type_=LargeBinary),
        participation.c.reach < literal_column(str(Reach.NAMED.value), Integer),
        participation.c.archived == statements.ZERO,
    )
    .group_by(participation.c.participant_id)
    .order_by(participation.c.participant_id)
    .limit(p("count"))
    .offset(statements.ZERO)
)
_mark = text(
    "INSERT INTO opened_mark (person_id, thread_uuid, position, at) VALUES (:person, :uuid, :position, :at) "
    "ON CONFLICT (person_id, thread_uuid) DO UPDATE SET position = excluded.position, at = excluded.at "
    "WHERE excluded.position > opened_mark.position"
)
# Looked at as it is stored, after what the same batch stored before.
_mark_own = text(
    "INSERT INTO opened_mark (person_id, thread_uuid, position, at) SELECT :person, :uuid, :position, :at "
    "WHERE :before = 0 OR EXISTS (SELECT 1 FROM opened_mark AS mark "
    "WHERE mark.person_id = :person AND mark.thread_uuid = :uuid AND mark.position >= :before) "
    "ON CONFLICT (person_id, thread_uuid) DO UPDATE SET position = excluded.position, at = excluded.at "
    "WHERE excluded.position > opened_mark.position"
)
_put_aside = text(
    "INSERT INTO set_aside (group_id, thread_uuid, position, person_id, at) "
    "VALUES (:group_id, :uuid, :position, :person, :at) ON CONFLICT (group_id, thread_uuid) "
    "DO UPDATE SET position = excluded.position, person_id = excluded.person_id, at = excluded.at "
    "WHERE excluded.position > set_aside.position"
)


_asides = select(set_aside.c.group_id, set_aside.c.position, set_aside.c.person_id, set_aside.c.at).where(
    set_aside.c.thread_uuid == p("uuid")
)


class Aside(Struct, frozen=True):
    """That a group has set a thread aside up to a position, who did, and when."""

    group: ParticipantId
    position: int
    person: ParticipantId
    at: Instant


class Cursor(Struct, frozen=True, order=True):
    """A place in a list: the last activity of a thread, and its UUID."""

    activity: int
    uuid: bytes


FIRST = Cursor((1 << 62), b"")


def encode_cursor(cursor: Cursor) -> str:
    """Write a place down as opaque text."""
    return (cursor.activity.to_bytes(8, "big") + cursor.uuid).hex()


def decode_cursor(given: str) -> Cursor:
    """Read a place back.

    Raises:
        InvalidValueError: it is none.
    """
    try:
        data = bytes.fromhex(given)
    except ValueError:
        data = b""
    if len(data) != _CURSOR_LENGTH or data[0] > 0x3F:  # noqa: PLR2004 - what fits a signed integer
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    return Cursor(int.from_bytes(data[:8], "big"), data[8:])


class Found(Struct, frozen=True):
    """A thread in a list."""

    place: Cursor
    key: int
    number: int
    is_unread: bool


class Wanted(Struct, frozen=True):
    """Which threads are listed. `waiting` are those that wait on a participant and were not set aside since."""

    archived: bool = False
    waiting: bool = False
    unread: bool = False


class Shelf(Struct, frozen=True):
    """The threads that reach an actor through one grant. `records` are the keys it is bound to; `None`: any."""

    grant: Grant
    records: frozenset[int] | None = None


def listed(
    connection: Connection, shelves: list[Shelf], wanted: Wanted, person: ParticipantId, after: Cursor, count: int
) -> list[Found]:
    """Return the next threads of a list, each once, however many ways it reaches the actor."""
    walks = [
        _walk(connection, _statement(wanted), shelf, reach, wanted, person, after)
        for shelf in shelves
        for reach in within_reach(shelf.grant)
    ]
    found: list[Found] = []
    for each in merge(*walks, key=lambda each: each.place, reverse=True):
        if found and found[-1].place == each.place:
            continue
        if wanted.unread and not each.is_unread:
            continue
        found.append(each)
        if len(found) == count:
            break
    return found


def _statement(wanted: Wanted) -> Select[tuple[int, bytes, int, int, bool]]:
    if wanted.waiting:
        return _waiting
    return _unread if wanted.unread else _shelf


def within_reach(grant: Grant) -> tuple[Reach, ...]:
    """Return how far a thread may reach through a grant's participant for the grant to find it."""
    last = Reach.NAMED if grant.need is Reach.NAMED else Reach.EVERY_MEMBER
    return tuple(each for each in Reach if grant.need <= each <= last)


def _walk(
    connection: Connection,
    statement: Select[tuple[int, bytes, int, int, bool]],
    shelf: Shelf,
    reach: int,
    wanted: Wanted,
    person: ParticipantId,
    after: Cursor,
) -> Iterator[Found]:
    given = {"participant": key_of(shelf.grant.participant), "reach": reach, "person": key_of(person)}
    if not wanted.waiting:
        given["archived"] = int(wanted.archived)
    chunk = _CHUNK if shelf.records is None else _BOUND_CHUNK
    while True:
        rows = connection.all(statement, activity=after.activity, uuid=after.uuid, count=chunk, **given)
        for activity, uuid, key, number, is_unread in rows:
            after = Cursor(activity, bytes(uuid))
            if shelf.records is None or key in shelf.records:
                yield Found(after, key, number, bool(is_unread))
        if len(rows) < chunk:
            return


def is_unread(connection: Connection, person: ParticipantId, thread_id: CommunicationId, key: int, number: int) -> bool:
    """Say whether a thread has a message after what a person last had before them. System entries do not count."""
    rows = connection.all(
        _find_unread, person=key_of(person), uuid=thread_uuid(thread_id), key=key, no=number
    )  # fmt: skip
    return any(last > (position or 0) for last, position in rows)


def waiting_on(connection: Connection, key: int, number: int) -> frozenset[ParticipantId]:
    """Return the participants on whom a thread waits, and for whom nobody has set it aside since."""
    return frozenset(id_of(row[0]) for row in connection.all(_waiting_on, key=key, no=number))


def groups_with_threads(connection: Connection, after: ParticipantId | None, count: int) -> list[ParticipantId]:
    """Return groups that take part in threads which are not archived, in the order of their ids."""
    since = b"" if after is None else key_of(after)
    rows = connection.all(_groups, after=since, count=count)
    return [id_of(row[0]) for row in rows]


def asides(connection: Connection, thread_id: CommunicationId) -> tuple[Aside, ...]:
    """Return which groups have set a thread aside, in the order of their ids."""
    rows = connection.all(_asides, uuid=thread_uuid(thread_id))
    found = (Aside(id_of(row[0]), row[1], id_of(row[2]), Instant(row[3])) for row in rows)
    return tuple(sorted(found, key=lambda each: each.group))


def opened(person: ParticipantId, thread_id: CommunicationId, position: int, at: Instant) -> Effect:
    """Return the row that keeps how far a person had a thread before them."""
    row = {"person": key_of(person), "uuid": thread_uuid(thread_id), "position": position, "at": at}
    return Effect(_mark, row)


def wrote(person: ParticipantId, thread_id: CommunicationId, before: int, position: int, at: Instant) -> Effect:
    """Return the row that keeps what a person wrote themselves from being unread for them.

    `before` is the position of the last message before it: if that is unread, the thread stays so.
    """
    row = {"person": key_of(person), "uuid": thread_uuid(thread_id), "position": position, "at": at}
    return Effect(_mark_own, {**row, "before": before})


def put_aside(
    group: ParticipantId, thread_id: CommunicationId, position: int, person: ParticipantId, at: Instant
) -> Effect:
    """Return the row that sets a thread aside for a group, up to a position."""
    row = {
        "group_id": key_of(group),
        "uuid": thread_uuid(thread_id),
        "position": position,
        "person": key_of(person),
        "at": at,
    }
    return Effect(_put_aside, row)
