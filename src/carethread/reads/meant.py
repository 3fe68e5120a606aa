"""Whom references mean, and what somebody is whom a thread names.

The directory says of its own entries of which type they are. Whoever it does not have is called by their role in a
thread, and is meant under that type alone: so what an answer shows finds the same again, and no other type does.
"""

from collections.abc import Iterable

from msgspec import Struct

from carethread.ids import ParticipantId
from carethread.reads.criteria import ByIdentifier, Ref, Value
from carethread.record.model import Ledger, Message, MessageType, Role
from carethread.store.called import Called, meant_by_identifier, type_of
from carethread.store.database import Connection


class People(Struct, frozen=True):
    """Whom the alternatives of a clause mean: `known` whatever they are, `by_role` only under the type beside them."""

    known: frozenset[ParticipantId]
    by_role: frozenset[tuple[ParticipantId, str]]

    @property
    def ids(self) -> list[ParticipantId]:
        """All of them, in an order of their own."""
        return sorted(self.known | {each for each, _ in self.by_role})

    @property
    def must_check(self) -> bool:
        """Whether their ids alone do not tell."""
        return bool(self.by_role)

    def has(self, person: ParticipantId, ledger: Ledger, message: Message | None = None) -> bool:
        """Say whether somebody is meant whom a thread names, or one of its messages."""
        if person in self.known:
            return True
        return self.must_check and (person, type_of(role_of(person, ledger, message))) in self.by_role


def people_meant(connection: Connection, called: Called, values: Iterable[Value]) -> People:
    """Return whom references mean."""
    known: set[ParticipantId] = set()
    by_role: set[tuple[ParticipantId, str]] = set()
    for each in values:
        if isinstance(each, ByIdentifier):
            known.update(meant_by_identifier(connection, each.type, each.system, each.value))
        elif isinstance(each, Ref):
            meant = called.meant(connection, each.type, each.id)
            known.update(meant.known)
            if meant.unknown is not None:
                if each.type is None:
                    known.add(meant.unknown)
                else:
                    by_role.add((meant.unknown, each.type))
    return People(frozenset(known), frozenset(by_role))


def role_of(person: ParticipantId, ledger: Ledger, message: Message | None = None) -> Role:
    """Return what somebody is in a thread; a group, if neither it nor the message says so."""
    for each in ledger.participants:
        if each.id == person:
            return each.role
    if message is None or message.author_id != person:
        return Role.ORGANISATION
    return message.author_role or (Role.PATIENT if message.type is MessageType.PATIENT else Role.CLINICIAN)
