"""For whom somebody writes, and as what the record names them."""

from carethread.directory.model import Standing
from carethread.errors import AmbiguousSideError, NotMemberError, NotParticipantError, RoleMismatchError
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Thread
from carethread.policy.reading import opened_for
from carethread.policy.sides import addresses_of, side_of
from carethread.policy.standing import check_may_write, groups_of, standings_in, takes_part_by_name
from carethread.record.model import GROUP_ROLES, Author, Role
from carethread.record.rules import find_participant


def default_group(actor: Actor, thread: Thread, named: tuple[ParticipantId, ...] = ()) -> ParticipantId | None:
    """Return for whom somebody writes who did not say; `None` for themselves.

    Whoever opened the thread for a group writes for it while a member. Else whoever takes part by name writes for
    themselves. Else it is the only participating group of which they are a member; the recipients they named, if
    any, may tell which of several.

    Raises:
        AmbiguousSideError: several groups remain: say on whose behalf.
    """
    home = opened_for(thread.ledger)
    addressing = thread.ledger.addressing
    if home and addressing and addressing.requester == actor.id and standings_in(actor, thread, home):
        return home
    if takes_part_by_name(actor, thread):
        return None
    groups = groups_of(actor, thread)
    if len(groups) > 1 and named and addressing:
        side = side_of(actor, thread, None, named)
        groups = tuple(each for each in groups if side and each in addresses_of(addressing, side)) or groups
    if len(groups) > 1:
        raise AmbiguousSideError(
            f"{actor.id} is a member of {' and '.join(groups)} in thread {thread.ledger.communication_id}: "
            "say on whose behalf"
        )
    return groups[0] if groups else None


def author_in(actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None) -> Author:
    """Return an actor as the author of an entry in a thread.

    The role is the ledger's for whoever is listed. Else it is what they are in the group they write for (clinician,
    if they are both), or without one in the roles they hold. A steward counts as care administrator. This does not
    say that they may: ask `check_may_speak`.
    """
    listed = find_participant(thread.ledger.participants, actor.id)
    if listed is not None:
        return Author(actor.id, actor.name, listed.role)
    return author_opening(actor, thread.patients, on_behalf_of)


def author_opening(actor: Actor, patients: frozenset[ParticipantId], on_behalf_of: ParticipantId | None) -> Author:
    """Return an actor as the author, and requester, of a thread they are about to open in the record of `patients`."""
    if actor.kind is ActorKind.PATIENT:
        return Author(actor.id, actor.name, Role.PATIENT)
    if actor.kind is ActorKind.RELATED_PERSON:
        return Author(actor.id, actor.name, Role.PATIENT_ASSOCIATE)
    standings = actor.standings if on_behalf_of is None else actor.standing_in(on_behalf_of, patients)
    role = Role.CLINICIAN if Standing.CLINICIAN in standings else Role.CARE_ADMINISTRATOR
    return Author(actor.id, actor.name, role)


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
    check_may_write(actor, thread)
    if on_behalf_of is not None:
        check_member(actor, thread, on_behalf_of)
    elif not takes_part_by_name(actor, thread):
        raise NotMemberError(
            f"{actor.id} does not take part by name in thread {thread.ledger.communication_id}: say on whose behalf"
        )


def check_member(actor: Actor, thread: Thread, group: ParticipantId) -> None:
    """Whoever acts for a group is its active member, and it takes part.

    Raises:
        NotParticipantError: the group does not take part.
        RoleMismatchError: it is no group.
        NotMemberError: they are no active member of it.
    """
    listed = find_participant(thread.ledger.participants, group)
    if listed is None:
        raise NotParticipantError(f"{group} does not take part in thread {thread.ledger.communication_id}")
    if listed.role not in GROUP_ROLES:
        raise RoleMismatchError(f"{group} is {listed.role}, not an organisation or care team")
    if not standings_in(actor, thread, group):
        raise NotMemberError(f"{actor.id} is no active member of {group}")
