"""The right to read: who reads a thread through which of its participants.

| visibility | an individual taking part | members of a group taking part |
|---|---|---|
| standard | yes | all; those on the patient's side if the thread allows patients |
| confidential | yes | clinicians |
| restricted | yes | nobody |

Whoever opened a thread for a group is its requester, and reads it as a member of that group, not by name.
"""

from enum import IntEnum

from msgspec import Struct

from carethread.directory.model import Standing
from carethread.errors import UnknownMessageError, UnknownThreadError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, ActorKind, Thread
from carethread.record.model import GROUP_ROLES, INDIVIDUAL_ROLES, Ledger, Participant, Role, Sensitivity


class Reach(IntEnum):
    """Who reads a thread through one of its participants. Each step includes the ones before it."""

    NOBODY = 0
    CLINICIANS = 1
    PROFESSIONALS = 2
    EVERY_MEMBER = 3
    NAMED = 4


# What must reach a group for a member of that standing to read through it.
NEED = {
    Standing.CLINICIAN: Reach.CLINICIANS,
    Standing.CARE_ADMINISTRATOR: Reach.PROFESSIONALS,
    Standing.PATIENT: Reach.EVERY_MEMBER,
    Standing.PATIENT_ASSOCIATE: Reach.EVERY_MEMBER,
}


class Grant(Struct, frozen=True):
    """That an actor reads what reaches `need` through a participant, in the records of `patients` (`None`: of any)."""

    participant: ParticipantId
    need: Reach
    patients: frozenset[ParticipantId] | None = None


def opened_for(ledger: Ledger) -> ParticipantId | None:
    """Return the group on whose behalf a thread was opened, if there is one."""
    addressing = ledger.addressing
    if addressing is None or addressing.reply_to is None:
        return None
    roles = {each.id: each.role for each in ledger.participants}
    return addressing.reply_to if roles[addressing.reply_to] in GROUP_ROLES else None


def reaches(ledger: Ledger) -> dict[ParticipantId, Reach]:
    """Return who reads a thread through each of its participants."""
    speaks_for_group = opened_for(ledger) is not None
    return {each.id: _reach(ledger, each, speaks_for_group=speaks_for_group) for each in ledger.participants}


def _reach(ledger: Ledger, participant: Participant, *, speaks_for_group: bool) -> Reach:
    if participant.role in INDIVIDUAL_ROLES:
        addressing = ledger.addressing
        opened_it = addressing is not None and addressing.requester == participant.id
        asked = addressing is not None and participant.id in addressing.recipients
        return Reach.NOBODY if opened_it and speaks_for_group and not asked else Reach.NAMED
    visibility = ledger.visibility
    if participant.role is Role.SYSTEM or visibility.restricted or visibility.sensitivity is Sensitivity.RESTRICTED:
        return Reach.NOBODY
    if visibility.sensitivity is Sensitivity.CONFIDENTIAL:
        return Reach.CLINICIANS
    return Reach.EVERY_MEMBER if ledger.policies.allow_patient_participation else Reach.PROFESSIONALS


def grants(actor: Actor) -> tuple[Grant, ...]:
    """Return through whom an actor reads, ordered, each participant and need once. An inactive actor reads nothing.

    Auditors read everything and have no grants: ask `reads_everything` first.
    """
    if not actor.active or actor.kind in (ActorKind.AUDITOR, ActorKind.STEWARD):
        return ()
    own = actor.patients if actor.kind in PATIENT_SIDE else None
    found: set[tuple[ParticipantId, Reach, frozenset[ParticipantId] | None]] = set()
    if actor.kind is ActorKind.PATIENT:
        # Merged patients are one: a thread may name the entry that was replaced.
        found.update((each, Reach.NAMED, own) for each in actor.patients | {actor.id})
    elif actor.kind is not ActorKind.CLIENT:
        found.add((actor.id, Reach.NAMED, own))
    # Whatever a group says of them, a client reads as no clinician, and a relative as the patient's side.
    least = (
        Reach.EVERY_MEMBER
        if own is not None
        else Reach.PROFESSIONALS
        if actor.kind is ActorKind.CLIENT
        else Reach.CLINICIANS
    )
    for each in actor.memberships:
        need = max(NEED[each.standing], least)
        bound = own if each.patient is None else frozenset({each.patient}) if own is None else own & {each.patient}
        found.add((each.group, need, bound))
    ordered = sorted(found, key=lambda each: (each[0], each[1], sorted(each[2] or ())))
    return tuple(Grant(*each) for each in ordered)


def reads_everything(actor: Actor) -> bool:
    """Say whether no grant is needed: an auditor, who has stated a purpose."""
    return actor.active and actor.kind is ActorKind.AUDITOR and bool(actor.purpose)


def may_read(actor: Actor, thread: Thread) -> bool:
    """Say whether an actor may read a thread. A steward reads those whose home side has no active member left."""
    if reads_everything(actor) or (actor.active and actor.kind is ActorKind.STEWARD and thread.deserted):
        return True
    reach = reaches(thread.ledger)
    return any(
        reach.get(each.participant, Reach.NOBODY) >= each.need
        and (each.patients is None or not each.patients.isdisjoint(thread.patients))
        for each in grants(actor)
    )


def unknown_thread(thread_id: CommunicationId) -> UnknownThreadError:
    """Return the answer to whoever asks for a thread that does not exist, or that they may not read: they are one."""
    return UnknownThreadError(f"there is no thread {thread_id}")


def unknown_message(message_id: MessageId) -> UnknownMessageError:
    """Return the answer to whoever names a message that does not exist, or whose thread they may not read."""
    return UnknownMessageError(f"there is no message {message_id}")


def check_may_read(actor: Actor, thread: Thread) -> None:
    """Whoever may not read a thread gets the answer of one that does not exist.

    Raises:
        UnknownThreadError: they may not.
    """
    if not may_read(actor, thread):
        raise unknown_thread(thread.ledger.communication_id)
