"""Messages by their words, within what may be found."""

from msgspec import Struct
from sqlalchemy import bindparam, select

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, CoordinationId
from carethread.record.model import Message
from carethread.record.thread_md import parse_entry
from carethread.store import text_index
from carethread.store.database import Connection
from carethread.store.finding import search_key_at
from carethread.store.schema import message, record, thread
from carethread.store.words import Search

_END = 1 << 62
_stands_in = (thread.c.record_key == message.c.record_key) & (thread.c.thread_no == message.c.thread_no)
_by_key = (
    select(record.c.coordination_id, record.c.head_commit, thread.c.communication_id, message.c.entry)
    .join_from(message, thread, _stands_in)
    .join(record, record.c.record_key == message.c.record_key)
    .where(message.c.search_key == bindparam("search_key"))
)


class Hit(Struct, frozen=True):
    """A message that was found, and where. `version` is the commit of its record."""

    place: int
    record: CoordinationId
    version: str
    thread: CommunicationId
    message: Message


def found(
    connection: Connection, search: Search, since: Instant | None, until: Instant | None, after: str, count: int
) -> list[Hit]:
    """Return messages that match, newest first: from `since` on, before `until`, and after a place in this list.

    Raises:
        InvalidValueError: the place is none.
    """
    before = _END if until is None else _within(search_key_at(until))
    if after:
        before = min(before, decode_place(after))
    first = 0 if since is None else _within(search_key_at(since))
    hits = []
    for key in text_index.find(connection, search, before, first, count):
        record_id, head, thread_id, entry = connection.all(_by_key, search_key=key)[0]
        hits.append(
            Hit(
                place=key,
                record=CoordinationId(bytes(record_id).hex()),
                version=bytes(head).hex(),
                thread=CommunicationId(thread_id),
                message=parse_entry(bytes(entry)),
            )
        )
    return hits


def _within(key: int) -> int:
    """Return a search key that the databases take, for an instant however far away."""
    return min(_END, max(0, key))


def encode_place(key: int) -> str:
    """Write a place down as opaque text."""
    return f"{key:016x}"


def decode_place(given: str) -> int:
    """Read a place back.

    Raises:
        InvalidValueError: it is none.
    """
    try:
        place = int(given, 16)
    except ValueError:
        place = -1
    if not 0 <= place <= _END:
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    return place
