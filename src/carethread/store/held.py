"""Messages and threads as they stand in the index, many at a time, with what clients call them."""

from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct
from sqlalchemy import BigInteger, Select, Text, and_, bindparam, select, tuple_

from carethread.ids import CommunicationId, MessageId
from carethread.record.model import BusinessIdentifier, Message, MessageType
from carethread.record.thread_md import parse_entry
from carethread.store import statements
from carethread.store.database import Connection, Row
from carethread.store.directory_statements import Listing
from carethread.store.keys import key_of, text_of
from carethread.store.names import MOST_OF_ONE, Kind, Place, read_identifiers
from carethread.store.schema import message, record, resource_identifier, thread
from carethread.store.threads import STORED_COLUMNS, STORED_WIDTH, Stored, stored_of

p = bindparam
# The same messages are shown again and again, and never change.
_entry = lru_cache(maxsize=20_000)(parse_entry)
_opening = message.alias("opening")
_MESSAGE_COLUMNS = (
    message.c.search_key,
    message.c.position,
    message.c.recorded_at,
    message.c.seq,
    message.c.entry,
    message.c.resource_id,
    message.c.identifiers,
)
_OF_THREAD = (message.c.record_key == thread.c.record_key) & (message.c.thread_no == thread.c.thread_no)
_OPENS = and_(
    _opening.c.record_key == thread.c.record_key,
    _opening.c.thread_no == thread.c.thread_no,
    _opening.c.position == statements.ONE,
)
_threads: Select[tuple[object, ...]] = (
    select(*STORED_COLUMNS, _opening.c.entry)
    .join_from(thread, record, thread.c.record_key == record.c.record_key)
    .join(_opening, _OPENS, isouter=True)
)
_messages = _threads.join(message, _OF_THREAD).add_columns(*_MESSAGE_COLUMNS)
_by_key = Listing(_messages, message.c.search_key)
_heads = Listing(
    select(
        message.c.search_key, message.c.record_key, message.c.thread_no, message.c.position, record.c.head_commit
    ).join_from(message, record, message.c.record_key == record.c.record_key),
    message.c.search_key,
)
_by_own_id = Listing(_messages, message.c.message_id)
_message_at = _messages.where(
    message.c.record_key == p("key"), message.c.thread_no == p("no"), message.c.position == p("position")
)
_thread_at = _threads.where(thread.c.record_key == p("key"), thread.c.thread_no == p("no"))
_thread_by_own_id = Listing(_threads, thread.c.communication_id)
_first_of_thread = (
    _messages.where(message.c.record_key == p("key"), message.c.thread_no == p("no"))
    .order_by(message.c.position)
    .limit(p("count"))
    .offset(statements.ZERO)
)
_named_so = and_(
    resource_identifier.c.record_key == thread.c.record_key, resource_identifier.c.thread_no == thread.c.thread_no
)
_identified = and_(
    resource_identifier.c.value == p("value", type_=Text), resource_identifier.c.kind == p("kind", type_=Text)
)
_has_system = resource_identifier.c.system == p("system", type_=Text)
_messages_called = (
    _messages.join(resource_identifier, _named_so & (resource_identifier.c.position == message.c.position))
    .where(_identified)
    .limit(p("count"))
    .offset(statements.ZERO)
)
_threads_called = (
    _threads.join(resource_identifier, _named_so & (resource_identifier.c.position == statements.ZERO))
    .where(_identified)
    .limit(p("count"))
    .offset(statements.ZERO)
)
_ids = Listing(select(message.c.message_id, message.c.resource_id), message.c.message_id)
_corrections = Listing(_messages, message.c.corrects)
RECORDED = (message.c.recorded_at, message.c.record_key, message.c.seq, message.c.position)
_recorded: Select[tuple[object, ...]] = select(*RECORDED, message.c.search_key)
_place = tuple_(*(p(name, type_=BigInteger) for name in ("at", "key", "seq", "position")))
_recorded_after = (
    _recorded.where(tuple_(*RECORDED) > _place).order_by(*RECORDED).limit(p("count")).offset(statements.ZERO)
)
_recorded_before = (
    _recorded.where(tuple_(*RECORDED) < _place)
    .order_by(*(each.desc() for each in RECORDED))
    .limit(p("count"))
    .offset(statements.ZERO)
)

# What this process has read lately, by where it stands in the index and the head of its record: what that says never
# changes. About two kilobytes each.
_REMEMBERED = 30_000
_remembered: dict[Row, "Held"] = {}

# When a message was recorded, and where in its record: in this order, ties are in the order of the record.
Recorded = tuple[int, int, int, int]


class HeldThread(Struct, frozen=True):
    """A thread, and the message it was opened with, if it was."""

    stored: Stored
    opening: Message | None

    @property
    def id(self) -> str:
        """Its resource id."""
        return self.stored.resource_id or self.stored.ledger.communication_id

    @property
    def place(self) -> tuple[int, int]:
        """Where it is in the index."""
        return self.stored.key, self.stored.number


class Held(Struct, frozen=True):
    """A message, its thread, and where it stands: in the order of sending, and in that of recording."""

    search_key: int
    recorded: Recorded
    message: Message
    thread: HeldThread
    resource_id: str | None
    identifiers: tuple[BusinessIdentifier, ...]

    @property
    def id(self) -> str:
        """Its resource id."""
        return self.resource_id or self.message.id


class Reading:
    """Reads messages and threads; threads that come again are made once."""

    def __init__(self, connection: Connection) -> None:
        """Read by a connection, for one answer."""
        self._connection = connection
        self._threads: dict[tuple[int, int], HeldThread] = {}
        self._corrections: dict[MessageId | None, list[Held]] = {}

    def messages(self, search_keys: Iterable[int]) -> dict[int, Held]:
        """Return messages by their search keys."""
        found: dict[int, Held] = {}
        new: dict[int, Row] = {}
        for row in _heads.rows(self._connection, search_keys):
            held = _remembered.get(_standing(row))
            if held is None:
                new[row[0]] = _standing(row)
            else:
                found[row[0]] = held
                self._threads.setdefault(held.thread.place, held.thread)
        if new:
            if len(_remembered) > _REMEMBERED:
                _remembered.clear()
            for row in _by_key.rows(self._connection, new):
                held = self._message(row)
                found[held.search_key] = _remembered[new[held.search_key]] = held
        return found

    def messages_by_own_id(self, ids: Iterable[MessageId]) -> dict[MessageId, Held]:
        """Return messages by their own ids."""
        found = (self._message(row) for row in _by_own_id.rows(self._connection, map(key_of, ids)))
        return {each.message.id: each for each in found}

    def message_at(self, place: Place | None) -> Held | None:
        """Return the message at a place; the same is looked up where there is none."""
        key, number, position = place or (0, 0, 0)
        row = self._connection.one(_message_at, key=key, no=number, position=position)
        return None if row is None else self._message(row)

    def thread_at(self, place: Place | tuple[int, int] | None) -> HeldThread | None:
        """Return the thread at a place; likewise."""
        key, number = (0, 0) if place is None else place[:2]
        row = self._connection.one(_thread_at, key=key, no=number)
        return None if row is None else self._thread(row)

    def thread_there(self, place: tuple[int, int]) -> HeldThread:
        """Return the thread at a place that the index just gave."""
        key, number = place
        return self._thread(self._connection.all(_thread_at, key=key, no=number)[0])

    def threads_by_own_id(self, ids: Iterable[CommunicationId]) -> dict[CommunicationId, HeldThread]:
        """Return threads by their communication ids."""
        found = (self._thread(row) for row in _thread_by_own_id.rows(self._connection, ids))
        return {each.stored.ledger.communication_id: each for each in found}

    def first_messages(self, held: HeldThread, count: int) -> list[Held]:
        """Return the first messages of a thread."""
        key, number = held.place
        rows = self._connection.all(_first_of_thread, key=key, no=number, count=count)
        return [self._message(row) for row in rows]

    def messages_called(self, system: str | None, value: str) -> list[Held]:
        """Return what carries a business identifier: without a system, of any; `MOST_OF_ONE` at most."""
        return [self._message(row) for row in self._called(_messages_called, Kind.MESSAGE, system, value)]

    def threads_called(self, system: str | None, value: str) -> list[HeldThread]:
        """Return threads likewise."""
        return [self._thread(row) for row in self._called(_threads_called, Kind.THREAD, system, value)]

    def _called(
        self, statement: Select[tuple[object, ...]], kind: Kind, system: str | None, value: str
    ) -> list[Row]:  # fmt: skip
        given = {"value": value, "kind": kind.value, "count": MOST_OF_ONE}
        if system is None:
            return self._connection.all(statement, **given)
        return self._connection.all(_with_system(statement), system=system, **given)

    def recorded_from(
        self, place: Recorded, count: int, *, oldest_first: bool
    ) -> list[tuple[Recorded, int]]:  # fmt: skip
        """Return places in the order of recording, beyond one, and the search keys that stand there."""
        statement = _recorded_after if oldest_first else _recorded_before
        at, key, seq, position = place
        rows = self._connection.all(statement, at=at, key=key, seq=seq, position=position, count=count)
        return [((row[0], row[1], row[2], row[3]), row[4]) for row in rows]

    def ids_of(self, messages: Iterable[MessageId]) -> dict[MessageId, str]:
        """Return the resource ids of messages, as far as there are such."""
        rows = _ids.rows(self._connection, map(key_of, messages))
        return {each: resource_id or each for each, resource_id in ((MessageId(text_of(a)), b) for a, b in rows)}

    def corrections(self, messages: Iterable[MessageId]) -> dict[MessageId, list[Held]]:
        """Return what corrects messages, oldest first: those that are corrected are there. Each is looked up once."""
        asked = list(dict.fromkeys(messages))
        new = [each for each in asked if each not in self._corrections]
        self._corrections.update((each, []) for each in new)
        # Their threads come with them: whoever may not read these is not asked more of the database for it.
        found = (self._message(row) for row in _corrections.rows(self._connection, map(key_of, new)))
        for each in sorted(found, key=lambda held: held.recorded[2]):
            self._corrections[each.message.corrects].append(each)
        return {each: several for each in asked if (several := self._corrections[each])}

    # ── From rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _thread(self, row: Row) -> HeldThread:
        place = row[0], row[4]
        held = self._threads.get(place)
        if held is None:
            stored = stored_of(row)
            first = None if row[STORED_WIDTH] is None else _entry(bytes(row[STORED_WIDTH]))
            held = self._threads[place] = HeldThread(stored, _opening_of(stored, first))
        return held

    def _message(self, row: Row) -> Held:
        search_key, position, recorded_at, seq, entry, resource_id, identifiers = row[STORED_WIDTH + 1 :]
        return Held(
            search_key,
            (recorded_at, row[0], seq, position),
            _entry(bytes(entry)),
            self._thread(row),
            resource_id,
            () if identifiers is None else read_identifiers(identifiers),
        )


def _standing(row: Row) -> Row:
    return (*row[:4], bytes(row[4]))


def _opening_of(stored: Stored, first: Message | None) -> Message | None:
    """Return the first entry if the thread began with it: whatever came later has a later time, or is the system's."""
    if first is None or first.type is MessageType.SYSTEM or first.timestamp != stored.ledger.created_at:
        return None
    return first


@lru_cache
def _with_system(statement: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    return statement.where(_has_system)
