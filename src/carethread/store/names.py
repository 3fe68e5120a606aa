"""What clients call threads and messages: ids they chose, and identifiers of other systems; found by either.

A resource id that a client chose is unique among its kind in the installation, and is nobody's own id: a thread's own
id is its communication id, a message's its message id, and both are always good to find it by.
"""

from enum import StrEnum

import msgspec
from msgspec import Struct
from sqlalchemy import Select, Text, bindparam, insert, select, update

from carethread.errors import InvalidValueError, ResourceIdTakenError
from carethread.ids import MessageId, parse_communication_id, parse_message_id
from carethread.record.model import BusinessIdentifier, Naming
from carethread.store import statements
from carethread.store.database import Connection, Parameters
from carethread.store.keys import key_of
from carethread.store.schema import message, resource_identifier, resource_name, thread

_identifiers = msgspec.json.Encoder()
_read_identifiers = msgspec.json.Decoder(tuple[BusinessIdentifier, ...])

# Record key, number of the thread, position of the entry; 0 is the thread itself.
Place = tuple[int, int, int]
# As many as anybody is told of one identifier: it need not be unique.
MOST_OF_ONE = 1_000


class Kind(StrEnum):
    """What a name stands for."""

    THREAD = "thread"
    MESSAGE = "message"


_find_name = select(resource_name.c.record_key, resource_name.c.thread_no, resource_name.c.position).where(
    resource_name.c.kind == bindparam("kind"), resource_name.c.resource_id == bindparam("resource_id")
)
_find_thread = select(thread.c.record_key, thread.c.thread_no, statements.ZERO).where(
    thread.c.communication_id == bindparam("communication_id")
)
_find_message = select(message.c.record_key, message.c.thread_no, message.c.position).where(
    message.c.message_id == bindparam("message_id")
)
_place = (resource_identifier.c.record_key, resource_identifier.c.thread_no, resource_identifier.c.position)
_by_value: Select[tuple[int, int, int]] = (
    select(*_place)
    .where(
        resource_identifier.c.value == bindparam("value", type_=Text),
        resource_identifier.c.kind == bindparam("kind", type_=Text),
    )
    .distinct()
    .order_by(*_place)
    .limit(bindparam("count"))
    .offset(statements.ZERO)
)
_by_both = _by_value.where(resource_identifier.c.system == bindparam("system", type_=Text))
_names_of_message = select(message.c.thread_no, message.c.position, message.c.resource_id, message.c.identifiers).where(
    message.c.message_id == bindparam("message_id"), message.c.record_key == bindparam("key")
)

insert_name = insert(resource_name)
insert_identifier = insert(resource_identifier)
name_message = (
    update(message)
    .where(
        message.c.record_key == bindparam("key"),
        message.c.thread_no == bindparam("no"),
        message.c.position == bindparam("at"),
    )
    .values(resource_id=bindparam("new_resource_id"), identifiers=bindparam("new_identifiers"))
)


# ── Finding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_named(connection: Connection, kind: Kind, resource_id: str) -> Place | None:
    """Return what has a resource id: one that a client chose, or its own."""
    chosen = connection.one(_find_name, kind=kind.value, resource_id=resource_id)
    # Looked up whatever was found: what is asked must not tell that there is something.
    own = _own(connection, kind, resource_id)
    row = own if chosen is None else chosen
    return None if row is None else (row[0], row[1], row[2])


def _own(connection: Connection, kind: Kind, resource_id: str) -> tuple[int, ...] | None:
    try:
        if kind is Kind.THREAD:
            return connection.one(_find_thread, communication_id=parse_communication_id(resource_id))
        return connection.one(_find_message, message_id=key_of(parse_message_id(resource_id)))
    except InvalidValueError:
        return None


def named_by_identifier(connection: Connection, kind: Kind, system: str | None, value: str) -> list[Place]:
    """Return what carries an identifier, in the order of the index, `MOST_OF_ONE` at most.

    Without a system, of whatever system; the empty system is that of identifiers that have none.
    """
    if system is None:
        rows = connection.all(_by_value, kind=kind.value, value=value, count=MOST_OF_ONE)
    else:
        rows = connection.all(_by_both, kind=kind.value, value=value, system=system, count=MOST_OF_ONE)
    return [(row[0], row[1], row[2]) for row in rows]


def read_identifiers(column: bytes | memoryview | None) -> tuple[BusinessIdentifier, ...]:
    """Read the identifiers that stand in the row of a thread or message."""
    return () if column is None else _read_identifiers.decode(column)


def check_not_taken(connection: Connection, kind: Kind, naming: Naming | None) -> None:
    """A resource id is free to be chosen.

    Raises:
        ResourceIdTakenError: something of its kind has it.
    """
    wanted = None if naming is None else naming.resource_id
    if wanted is not None and find_named(connection, kind, wanted) is not None:
        raise taken(kind, wanted)


def taken(kind: Kind, resource_id: str) -> ResourceIdTakenError:
    """Return the refusal of a resource id that something has."""
    return ResourceIdTakenError(f"a {kind} has the resource id {resource_id} already")


# ── Rows: the writer and a rebuild make them alike ────────────────────────────────────────────────────────────────────


class Names(Struct, frozen=True):
    """What a thread or message is called so far, as its row says, and where it stands.

    `resource_id` is the one it got first; `position` is 0 for the thread.
    """

    thread_no: int
    position: int
    resource_id: str | None = None
    identifiers: tuple[BusinessIdentifier, ...] = ()

    def with_more(self, naming: Naming) -> "Names":
        """Return these with what a later naming adds."""
        identifiers = tuple(dict.fromkeys((*self.identifiers, *naming.identifiers)))
        return Names(self.thread_no, self.position, self.resource_id or naming.resource_id, identifiers)

    def columns(self) -> Parameters:
        """Return what stands in the row."""
        return {
            "resource_id": self.resource_id,
            "identifiers": _identifiers.encode(self.identifiers) if self.identifiers else None,
        }


# The same two columns of what nobody named.
NAMELESS: Parameters = {"resource_id": None, "identifiers": None}


def names_of_message(connection: Connection, key: int, message_id: MessageId) -> Names:
    """Return what a message that a record has is called."""
    row = connection.all(_names_of_message, key=key, message_id=key_of(message_id))[0]
    return Names(row[0], row[1], row[2], read_identifiers(row[3]))


def rows_of(naming: Naming, names: Names) -> tuple[list[Parameters], list[Parameters]]:
    """Return the rows of a naming, without the key of the record: of its resource id, and of its identifiers."""
    place = {"kind": kind_at(names.position).value, "thread_no": names.thread_no, "position": names.position}
    return (
        [] if naming.resource_id is None else [{"resource_id": naming.resource_id, **place}],
        [{"system": each.system, "value": each.value, **place} for each in naming.identifiers],
    )


def kind_at(position: int) -> Kind:
    """Return the kind of what stands at a position of a thread."""
    return Kind.MESSAGE if position else Kind.THREAD
