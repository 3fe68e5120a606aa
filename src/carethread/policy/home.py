"""The home side of a thread, and who holds its rights.

The home side is the group on whose behalf the thread was opened, or the requester alone; its clinicians and care
administrators hold its rights. A patient or related person who opened a thread holds none but to close it: the
clinicians of the recipient side do. A plain thread does not say who opened it. Its home side are the professionals
who take part by name; where there is none, the clinicians of the groups that take part hold the rights.
"""

from carethread.directory.model import Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Company, Thread
from carethread.policy.reading import opened_for
from carethread.policy.standing import (
    PROFESSIONAL_ROLES,
    PROFESSIONAL_STANDINGS,
    is_clinician_by_name,
    is_clinician_in,
    is_professional_in,
)
from carethread.record.model import GROUP_ROLES, PATIENT_SIDE_ROLES, Ledger, Role


def home_side(ledger: Ledger) -> tuple[ParticipantId, ...]:
    """Return the participants that are the home side: one group, or individuals."""
    if ledger.addressing is not None:
        return (opened_for(ledger) or ledger.addressing.requester,)
    return tuple(each.id for each in ledger.participants if each.role in PROFESSIONAL_ROLES)


def _instead(ledger: Ledger) -> tuple[ParticipantId, ...]:
    """Return the participants whose clinicians hold the rights of a home side that holds none itself."""
    addressing = ledger.addressing
    if addressing is None:
        groups = tuple(each.id for each in ledger.participants if each.role in GROUP_ROLES)
        return () if home_side(ledger) else groups
    roles = {each.id: each.role for each in ledger.participants}
    return addressing.recipients if roles[addressing.requester] in PATIENT_SIDE_ROLES else ()


def is_clinician_of_any(actor: Actor, thread: Thread, addresses: tuple[ParticipantId, ...]) -> bool:
    """Say whether an actor is one of these participants and a clinician, or a clinician of one of these groups."""
    return any(
        is_clinician_in(actor, thread, each) or (each == actor.id and is_clinician_by_name(actor, thread))
        for each in addresses
    )


def holds_home_rights(actor: Actor, thread: Thread) -> bool:
    """Say whether an actor may do what the home side may: change participants, visibility, policies and status."""
    if actor.kind is ActorKind.STEWARD:
        return actor.active and thread.deserted
    if not actor.active or actor.kind is not ActorKind.PRACTITIONER:
        return False
    of_home = any(each == actor.id or is_professional_in(actor, thread, each) for each in home_side(thread.ledger))
    return of_home or is_clinician_of_any(actor, thread, _instead(thread.ledger))


def is_deserted(ledger: Ledger, company: Company) -> bool:
    """Say whether nobody active holds the rights of the home side any more, so that a steward may act.

    `company` is what the directory knows of every participant.
    """
    roles = {each.id: each.role for each in ledger.participants}

    def active(participant: ParticipantId, individuals: frozenset[Role], members: frozenset[Standing]) -> bool:
        known = company.get(participant)
        return (
            known is not None
            and known.active
            and (roles[participant] in individuals or not members.isdisjoint(known.members))
        )

    of_home = any(active(each, PROFESSIONAL_ROLES, PROFESSIONAL_STANDINGS) for each in home_side(ledger))
    clinicians = frozenset({Role.CLINICIAN}), frozenset({Standing.CLINICIAN})
    return not of_home and not any(active(each, *clinicians) for each in _instead(ledger))
