"""The rows by which inboxes and searches find threads and messages, from a ledger and its messages.

The writer keeps them as it goes, a rebuild makes them anew; both through these functions.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import bindparam, select, text

from carethread.clock import Instant
from carethread.ids import CommunicationId, CoordinationId
from carethread.policy.reading import reaches
from carethread.record.model import Ledger, Message, MessageType, ThreadStatus
from carethread.record.rules import sent_time
from carethread.store import statements
from carethread.store.database import Connection, Parameters
from carethread.store.keys import key_of
from carethread.store.schema import message
from carethread.store.text_index import Document
from carethread.store.turns import Turns
from carethread.store.words import message_tokens, message_words

_find_search_keys = text("SELECT search_key FROM message WHERE search_key = ANY(:wanted)")
_keys_from = (
    select(message.c.search_key)
    .where(message.c.search_key >= bindparam("search_key"))
    .order_by(message.c.search_key)
    .limit(bindparam("count"))
    .offset(statements.ZERO)
)
_KEYS_AT_ONCE = 64
# A search key is a time in milliseconds, then four digits of the record's id, then room for what it has at that time.
_DIGITS = 4
_ROOM_BITS = 4
_LOW_BITS = 4 * _DIGITS + _ROOM_BITS
_UUID_LENGTH = 36


def thread_uuid(thread_id: CommunicationId) -> bytes:
    """Return the UUID of a thread's id: short, and the same in every index."""
    return key_of(thread_id[-_UUID_LENGTH:])


def search_key(record: CoordinationId, found: Message) -> int:
    """Return where a message stands among all by when it was sent, or the place before which it does not stand.

    The messages of a record that were sent at one time ask for one place, and go up from there in the order of the
    record. Those of two records may, rarely, mix.
    """
    return search_key_at(max(Instant(0), sent_time(found))) | int(record[-_DIGITS:], 16) << _ROOM_BITS


def search_key_at(instant: int) -> int:
    """Return the lowest search key of an instant."""
    return instant << _LOW_BITS


def instant_of(key: int) -> int:
    """Return the instant in a search key."""
    return key >> _LOW_BITS


def free_key(connection: Connection | None, taken: set[int], record: CoordinationId, found: Message) -> int:
    """Return the search key of a new message: the next free one, should others have its place.

    Without a connection, only `taken` says what is; the key goes there.
    """
    key = search_key(record, found)
    held = iter(()) if connection is None else _held_from(connection, key)
    following = next(held, None)
    while True:
        if following == key:
            following = next(held, None)
        elif key not in taken:
            break
        key += 1
    taken.add(key)
    return key


def _held_from(connection: Connection, key: int) -> Iterator[int]:
    while True:
        rows = connection.all(_keys_from, search_key=key, count=_KEYS_AT_ONCE)
        yield from (row[0] for row in rows)
        if len(rows) < _KEYS_AT_ONCE:
            return
        key = rows[-1][0] + 1


def free_keys(connection: Connection, record: CoordinationId, messages: list[Message]) -> list[int]:
    """Return the search keys of many new messages, in the order of their record; in one look if the database is far."""
    taken: set[int] = set()
    if not connection.is_sqlite:
        wanted = [search_key(record, each) for each in messages]
        taken.update(row[0] for row in connection.all(_find_search_keys, wanted=wanted))
    # Whoever has to move looks where to: the next place may be taken as well.
    return [
        free_key(connection if connection.is_sqlite or search_key(record, each) in taken else None, taken, record, each)
        for each in messages
    ]


def participation_rows(ledger: Ledger, turns: Turns, last: int) -> list[Parameters]:
    """Return a thread's participations, without the keys of record and thread. `last` is its `last_message`."""
    reach = reaches(ledger)
    unique = thread_uuid(ledger.communication_id)
    is_open = ledger.status is ThreadStatus.OPEN
    return [
        {
            "participant_id": key_of(each.id),
            "reach": reach[each.id].value,
            "archived": int(ledger.status is ThreadStatus.ARCHIVED),
            "activity": ledger.last_updated_at,
            "created_at": ledger.created_at,
            "thread_uuid": unique,
            "addressed": turns[each.id].addressed,
            "answered": turns[each.id].answered,
            "waiting": int(is_open and turns[each.id].addressed > turns[each.id].answered),
            "last_message": last,
        }
        for each in ledger.participants
    ]


def document_of(key: int, of_thread: tuple[str, ...], record: CoordinationId, found: Message) -> Document:
    """Return what is indexed of a message at its search key."""
    return Document(key, tuple(message_words(found)), message_tokens(of_thread, record, found))


def last_message(messages: Iterable[Message]) -> int:
    """Return the position of the last entry that is no system entry, or 0."""
    found = 0
    for position, each in enumerate(messages, 1):
        if each.type is not MessageType.SYSTEM:
            found = position
    return found
