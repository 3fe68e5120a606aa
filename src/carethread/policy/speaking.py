"""For whom somebody writes, and as what the record names them."""

from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Thread
from carethread.record.model import Author


def default_group(actor: Actor, thread: Thread, named: tuple[ParticipantId, ...] = ()) -> ParticipantId | None:
    """Return for whom somebody writes who did not say; `None` for themselves.

    Whoever opened the thread for a group writes for it while a member. Else whoever takes part by name writes for
    themselves. Else it is the only participating group of which they are a member; the recipients they named, if
    any, may tell which of several.

    Raises:
        AmbiguousSideError: several groups remain: say on whose behalf.
    """
    raise NotImplementedError


def author_in(actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None) -> Author:
    """Return an actor as the author of an entry in a thread.

    The role is the ledger's for whoever is listed. Else it is what they are in the group they write for (clinician,
    if they are both), or without one in the roles they hold. A steward counts as care administrator. This does not
    say that they may: ask `check_may_speak`.
    """
    raise NotImplementedError


def author_opening(actor: Actor, patients: frozenset[ParticipantId], on_behalf_of: ParticipantId | None) -> Author:
    """Return an actor as the author, and requester, of a thread they are about to open in the record of `patients`."""
    raise NotImplementedError


def check_may_speak(actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None) -> None:
    """An author writes for themselves if they take part by name, or for a participating group as its active member.

    `on_behalf_of` is as it will be recorded: resolve what nobody said with `default_group` first. Whoever opened a
    thread for a group takes part as its member, not by name.

    Raises:
        UnknownThreadError: they may not read the thread.
        NotAllowedError: they are no person who writes.
        NotParticipantError: the group does not take part.
        RoleMismatchError: `on_behalf_of` is no group.
        NotMemberError: they are no active member of the group, or no participant by name.
    """
    raise NotImplementedError
