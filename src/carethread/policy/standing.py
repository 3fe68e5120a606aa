"""What an actor is in a thread: by name, through the groups of which they are a member, and whether they write."""

from carethread.directory.model import Standing
from carethread.errors import NotAllowedError
from carethread.ids import ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, ActorKind, Thread
from carethread.policy.reading import Reach, check_may_read, reaches
from carethread.record.model import GROUP_ROLES, Role
from carethread.record.rules import find_participant

# Who can be the author of something: people, as what they are to the patient.
AUTHORS = PATIENT_SIDE | {ActorKind.PRACTITIONER}
PROFESSIONAL_STANDINGS = frozenset({Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR})
PROFESSIONAL_ROLES = frozenset({Role.CLINICIAN, Role.CARE_ADMINISTRATOR})


def standings_in(actor: Actor, thread: Thread, group: ParticipantId) -> frozenset[Standing]:
    """Return what an actor is in a group, as far as it counts in this thread; nothing if no active member.

    Auditors, stewards and clients are members of nothing: they act as what they are.
    """
    if not actor.active or actor.kind not in AUTHORS:
        return frozenset()
    if actor.kind not in PATIENT_SIDE:
        return actor.standing_in(group, thread.patients)
    shared = actor.patients & thread.patients
    return actor.standing_in(group, shared) if shared else frozenset()


def is_clinician_in(actor: Actor, thread: Thread, group: ParticipantId) -> bool:
    """Say whether an actor is a clinician of a group, whatever else they are in it."""
    return actor.kind is ActorKind.PRACTITIONER and Standing.CLINICIAN in standings_in(actor, thread, group)


def is_professional_in(actor: Actor, thread: Thread, group: ParticipantId) -> bool:
    """Say whether an actor is a clinician or a care administrator of a group."""
    return actor.kind is ActorKind.PRACTITIONER and not PROFESSIONAL_STANDINGS.isdisjoint(
        standings_in(actor, thread, group)
    )


def groups_of(actor: Actor, thread: Thread) -> tuple[ParticipantId, ...]:
    """Return the participating groups of which an actor is a member, in the ledger's order."""
    return tuple(
        each.id
        for each in thread.ledger.participants
        if each.role in GROUP_ROLES and standings_in(actor, thread, each.id)
    )


def takes_part_by_name(actor: Actor, thread: Thread) -> bool:
    """Say whether an actor takes part as themselves. Whoever opened a thread for a group does not."""
    return actor.kind in AUTHORS and reaches(thread.ledger).get(actor.id) is Reach.NAMED


def is_clinician_by_name(actor: Actor, thread: Thread) -> bool:
    """Say whether an actor takes part as themselves, and the ledger has them as a clinician."""
    listed = find_participant(thread.ledger.participants, actor.id)
    return listed is not None and listed.role is Role.CLINICIAN and takes_part_by_name(actor, thread)


def check_may_write(actor: Actor, thread: Thread) -> None:
    """Every write needs the right to read, and is a person's: the record names an individual author.

    Raises:
        UnknownThreadError: they may not read it.
        NotAllowedError: a client that names nobody, an auditor, or a steward.
    """
    check_may_read(actor, thread)
    if actor.kind not in AUTHORS:
        raise NotAllowedError(f"{actor.kind} {actor.id} writes nothing: name the individual who does")
