"""Who can take part in a thread, and who of them reads it."""

from collections.abc import Iterable

from carethread.errors import (
    ExternalParticipantError,
    InactiveError,
    NoReaderError,
    PolicyContradictionError,
    RoleMismatchError,
    UnknownPersonError,
    WrongPatientError,
)
from carethread.ids import ParticipantId
from carethread.policy.actor import Company, Known, Thread
from carethread.policy.reading import NEED, Reach, opened_for, reaches
from carethread.policy.standing import PROFESSIONAL_ROLES
from carethread.record.model import GROUP_ROLES, PATIENT_SIDE_ROLES, Ledger, Participant


def is_member(known: Known, group: ParticipantId, patients: frozenset[ParticipantId]) -> bool:
    """Say whether somebody is an active member of a group, as far as it counts for these patients."""
    return any(each.group == group and (each.patient is None or each.patient in patients) for each in known.memberships)


def check_admitted(added: Iterable[Participant], thread: Thread, company: Company) -> None:
    """Whoever is to take part in `thread`, which is as it will be, is active and admitted to it.

    Raises:
        UnknownPersonError: the directory does not know them.
        InactiveError: they are not active.
        RoleMismatchError: the directory says another role.
        WrongPatientError: they belong to another patient.
        ExternalParticipantError: the thread admits the home side alone, and they do not belong to it.
    """
    for each in added:
        known = company.get(each.id)
        if known is None:
            raise UnknownPersonError(f"participant {each.id} is not in the directory")
        if not known.active:
            raise InactiveError(f"participant {each.id} is not active")
        if known.role is not each.role:
            raise RoleMismatchError(f"participant {each.id} is {known.role} in the directory, not {each.role}")
        bound = known.patient is not None or each.role in PATIENT_SIDE_ROLES
        if bound and known.patient not in thread.patients:
            raise WrongPatientError(f"participant {each.id} belongs to another patient than the thread")
        if _is_external(each, thread, company):
            raise ExternalParticipantError(
                f"participant {each.id} is no member of {opened_for(thread.ledger)}, and allow_external_organisations "
                "is false"
            )


def check_none_external(thread: Thread, company: Company) -> None:
    """`thread`, as it will be, excludes nobody who takes part in it: turning a policy off removes nobody silently.

    Raises:
        PolicyContradictionError: somebody does.
    """
    for each in thread.ledger.participants:
        if _is_external(each, thread, company):
            raise PolicyContradictionError(
                f"participant {each.id} is no member of {opened_for(thread.ledger)}: remove them before "
                "allow_external_organisations is turned off"
            )


def _is_external(participant: Participant, thread: Thread, company: Company) -> bool:
    """Say whether somebody is excluded; nobody is without a home group, which the record's rules refuse themselves."""
    ledger = thread.ledger
    home = opened_for(ledger)
    if ledger.policies.allow_external_organisations or home is None:
        return False
    if participant.role in GROUP_ROLES:
        return participant.id != home
    # Whoever opened the thread for the home group stays its requester when they leave it.
    requester = None if ledger.addressing is None else ledger.addressing.requester
    if participant.role not in PROFESSIONAL_ROLES or participant.id == requester:
        return False
    known = company.get(participant.id)
    return known is None or not is_member(known, home, thread.patients)


def check_addressed(addressed: Iterable[ParticipantId], thread: Thread, company: Company) -> None:
    """Whoever is addressed is active, and a group has an active member who could read the thread.

    Raises:
        InactiveError: somebody is not active.
        NoReaderError: a group has nobody who could read it.
    """
    roles = {each.id: each.role for each in thread.ledger.participants}
    for each in addressed:
        known = company.get(each)
        if known is None or not known.active:
            raise InactiveError(f"{each} is not active and cannot be addressed")
        if roles[each] in GROUP_ROLES and not has_reader({each}, thread, company):
            raise NoReaderError(
                f"{each} has no active member who could read this thread: widen its visibility, or add one by name",
                (frozenset({each}),),
            )


def has_reader(addresses: Iterable[ParticipantId], thread: Thread, company: Company) -> bool:
    """Say whether somebody active reads a thread through one of these participants, or is a member and named."""
    wanted = frozenset(addresses)
    reach = reaches(thread.ledger)
    return any(
        _reads_for(known, wanted, reach[each.id], thread)
        for each in thread.ledger.participants
        if (known := company.get(each.id)) is not None and known.active
    )


def _reads_for(known: Known, wanted: frozenset[ParticipantId], reach: Reach, thread: Thread) -> bool:
    if reach is Reach.NAMED:
        return known.id in wanted or any(is_member(known, each, thread.patients) for each in wanted)
    return known.id in wanted and any(NEED[each] <= reach for each in known.members)


def narrows(before: Ledger, after: Ledger) -> bool:
    """Say whether a participant reaches fewer people after a change than before."""
    reach = reaches(after)
    return any(reach.get(participant, was) < was for participant, was in reaches(before).items())
