"""Who can read a thread, and where replies go, in words."""

from carethread import CoordinationService, Ledger
from carethread.ids import ParticipantId
from carethread.policy.reading import Reach
from carethread.reads import readers_of

_OF_GROUP = {
    Reach.NOBODY: "of {} only who is named here",
    Reach.CLINICIANS: "the clinicians of {}",
    Reach.PROFESSIONALS: "the clinicians and care administrators of {}",
    Reach.EVERY_MEMBER: "all members of {}",
}


def readers(service: CoordinationService, ledger: Ledger, patients: frozenset[ParticipantId]) -> tuple[str, ...]:
    """Say who can read a thread: whether the patient can, then who else, then where replies go."""
    found = readers_of(service, ledger, patients)
    words: dict[ParticipantId, str] = {each.id: each.name for each in found.individuals}
    words |= {each.group.id: _OF_GROUP[each.reach].format(each.group.name) for each in found.groups}
    who = [words[each.id] for each in ledger.participants if each.id in words]
    lines = [
        f"The patient {'can' if found.patient else 'cannot'} read this.",
        f"Who can read it: {'; '.join(who)}.",
    ]
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
