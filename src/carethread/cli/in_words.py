"""Who can read a thread, and where replies go, in words."""

from carethread import CoordinationService, Ledger
from carethread.errors import UnknownPersonError
from carethread.ids import ParticipantId
from carethread.policy.reading import Reach, reaches
from carethread.record.model import GROUP_ROLES, Role

_OF_GROUP = {
    Reach.NOBODY: "of {} only who is named here",
    Reach.CLINICIANS: "the clinicians of {}",
    Reach.PROFESSIONALS: "the clinicians and care administrators of {}",
    Reach.EVERY_MEMBER: "all members of {}",
}


def readers(service: CoordinationService, ledger: Ledger, patients: frozenset[ParticipantId]) -> tuple[str, ...]:
    """Say who can read a thread: whether the patient can, then who else, then where replies go."""
    reach = reaches(ledger)
    who = []
    for each in ledger.participants:
        if each.role in GROUP_ROLES:
            who.append(_OF_GROUP[reach[each.id]].format(each.name))
        elif reach[each.id] is Reach.NAMED:
            who.append(each.name)
    can = "can" if _patient_reads(service, ledger, patients) else "cannot"
    lines = [f"The patient {can} read this.", f"Who can read it: {'; '.join(who)}."]
    replies = replies_go_to(ledger)
    if replies:
        lines.append(f"Replies go to {replies}.")
    return tuple(lines)


def replies_go_to(ledger: Ledger) -> str:
    """Return the name of whom replies go to; nothing in a plain thread, where everyone writes to everyone."""
    if ledger.addressing is None:
        return ""
    names = {each.id: each.name for each in ledger.participants}
    return names[ledger.addressing.reply_to or ledger.addressing.requester]


def _patient_reads(service: CoordinationService, ledger: Ledger, patients: frozenset[ParticipantId]) -> bool:
    reach = reaches(ledger)
    return any(
        each.id in patients
        if each.role is Role.PATIENT
        else each.role is Role.CARE_TEAM
        and reach[each.id] is Reach.EVERY_MEMBER
        and not patients.isdisjoint(_members(service, each.id))
        for each in ledger.participants
    )


def _members(service: CoordinationService, group: ParticipantId) -> frozenset[ParticipantId]:
    try:
        return frozenset(person for person, _ in service.directory.details(group).members)
    except UnknownPersonError:
        return frozenset()
