"""The rows by which inboxes and searches find threads and messages, from a ledger and its messages.

The writer keeps them as it goes, a rebuild makes them anew; both through these functions.
"""

from collections.abc import Iterable

from sqlalchemy import text

from carethread.ids import CommunicationId, CoordinationId
from carethread.policy.reading import reaches
from carethread.record.model import Ledger, Message, MessageType, ThreadStatus
from carethread.store import statements
from carethread.store.database import Connection, Parameters
from carethread.store.keys import key_of
from carethread.store.text_index import Document
from carethread.store.turns import Turns
from carethread.store.words import message_tokens, message_words

_find_search_keys = text("SELECT search_key FROM message WHERE search_key = ANY(:wanted)")
# A search key is a time in milliseconds, then the last five digits of the message's id: twenty bits.
_ID_DIGITS = 5
_ID_BITS = 4 * _ID_DIGITS
_UUID_LENGTH = 36


def thread_uuid(thread_id: CommunicationId) -> bytes:
    """Return the UUID of a thread's id: short, and the same in every index."""
    return key_of(thread_id[-_UUID_LENGTH:])


def search_key(message: Message) -> int:
    """Return where a message stands among all, newest last. Two of one millisecond may, rarely, ask for one place."""
    return search_key_at(message.timestamp) | int(message.id[-_ID_DIGITS:], 16)


def search_key_at(instant: int) -> int:
    """Return the lowest search key of an instant."""
    return instant << _ID_BITS


def instant_of(key: int) -> int:
    """Return the instant in a search key."""
    return key >> _ID_BITS


def free_key(connection: Connection | None, taken: set[int], message: Message) -> int:
    """Return the search key of a new message: the next free one, should another message have its place.

    Without a connection, only `taken` says what is; the key goes there.
    """
    key = search_key(message)
    while key in taken or (
        connection is not None and connection.one(statements.find_search_key, search_key=key) is not None
    ):
        key += 1
    taken.add(key)
    return key


def free_keys(connection: Connection, messages: list[Message]) -> list[int]:
    """Return the search keys of many new messages, in one look where the database is far."""
    taken: set[int] = set()
    if not connection.is_sqlite:
        wanted = [search_key(each) for each in messages]
        taken.update(row[0] for row in connection.all(_find_search_keys, wanted=wanted))
    # Whoever has to move looks where to: the next place may be taken as well.
    return [
        free_key(connection if connection.is_sqlite or search_key(each) in taken else None, taken, each)
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
            "thread_uuid": unique,
            "addressed": turns[each.id].addressed,
            "answered": turns[each.id].answered,
            "waiting": int(is_open and turns[each.id].addressed > turns[each.id].answered),
            "last_message": last,
        }
        for each in ledger.participants
    ]


def document_of(key: int, of_thread: tuple[str, ...], record: CoordinationId, message: Message) -> Document:
    """Return what is indexed of a message at its search key."""
    return Document(key, tuple(message_words(message)), message_tokens(of_thread, record, message))


def last_message(messages: Iterable[Message]) -> int:
    """Return the position of the last entry that is no system entry, or 0."""
    found = 0
    for position, message in enumerate(messages, 1):
        if message.type is not MessageType.SYSTEM:
            found = position
    return found
