"""Access beside the usual: an emergency, and a system that asks for a person."""

from carethread.errors import InactiveError, NotAllowedError, NotMemberError, PurposeError
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Thread
from carethread.policy.reading import check_may_read
from carethread.policy.standing import AUTHORS, is_clinician_in
from carethread.record.model import Role, Sensitivity


def check_may_open_in_emergency(actor: Actor, thread: Thread, reason: str) -> None:
    """A clinician of a participating organisation opens a restricted thread, stating why.

    Raises:
        UnknownThreadError: it is not restricted or they are no such clinician, and they may not read it.
        NotAllowedError: the same, and they may read it anyway.
        PurposeError: the reason is empty.
    """
    ledger = thread.ledger
    restricted = ledger.visibility.restricted or ledger.visibility.sensitivity is Sensitivity.RESTRICTED
    clinician = any(
        each.role is Role.ORGANISATION and is_clinician_in(actor, thread, each.id) for each in ledger.participants
    )
    if not (restricted and clinician):
        check_may_read(actor, thread)
        raise NotAllowedError(
            f"thread {ledger.communication_id} is not for {actor.id} to open in an emergency: "
            "clinicians of its organisations open it, and only while it is restricted"
        )
    if not reason.strip():
        raise PurposeError(f"thread {ledger.communication_id} is opened in an emergency with a reason: state it")


def check_may_assert(client: Actor, person: Actor, organizations: frozenset[ParticipantId]) -> None:
    """A system client asks for a person who is a current member of an organisation it is bound to.

    `organizations` are those the client is bound to: teams in which they have a part do not count.

    Raises:
        InactiveError: the client or the person is not active.
        NotAllowedError: whoever asserts is no client, or asserts nobody who writes.
        NotMemberError: the person is no current member of any of them.
    """
    if client.kind is not ActorKind.CLIENT or person.kind not in AUTHORS:
        raise NotAllowedError(f"{client.kind} {client.id} does not ask for {person.kind} {person.id}")
    for each in (client, person):
        if not each.active:
            raise InactiveError(f"{each.kind} {each.id} is not active")
    if organizations.isdisjoint(each.group for each in person.memberships):
        raise NotMemberError(f"{person.id} is no member of an organisation that client {client.id} is bound to")
