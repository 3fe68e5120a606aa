"""Who writes which entry of the directory: clients, for the organisations whose directory they manage.

A role or a team entry lets somebody read, so writing one is guarded like what it opens.

| entry | is written by whoever manages |
|---|---|
| an organisation | it; a new one, only by whoever manages everything |
| a role | its organisation, and the one it was in before |
| a team of an organisation | that organisation, and the one it belonged to before |
| a practitioner | all organisations they work in, at least one; somebody new, any organisation |
| a patient, a related person, the team of a patient, a team of nobody's | everything |

An auditor or steward is written by whoever manages everything alone: nobody removes those who look at what they do.
"""

from typing import NoReturn

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.memberships import Entries
from carethread.directory.model import CareTeam, Entry, Organization, Practitioner, PractitionerRole
from carethread.errors import NotAllowedError
from carethread.ids import ParticipantId


class DirectoryRights(Struct, frozen=True):
    """Whose entries a client writes: those of some organisations, or `everything`."""

    organizations: frozenset[ParticipantId] = frozenset()
    everything: bool = False


class Surroundings(Struct, frozen=True):
    """What bears on whether a practitioner's entry may be written.

    `entries` has the roles that name them, `at` says when that is, `has_duty` that they are an auditor or steward.
    """

    entries: Entries
    at: Instant
    has_duty: bool = False


def check_may_write_entry(rights: DirectoryRights, before: Entry | None, after: Entry, around: Surroundings) -> None:
    """A client writes what belongs to the organisations whose directory it manages.

    Args:
        rights: what the client manages.
        before: the entry as it stands, if it is not new.
        after: the entry as it is to stand.
        around: what bears on it.

    Raises:
        NotAllowedError: it is not theirs, before or after.
    """
    if rights.everything:
        return
    match after:
        case Organization():
            _check_organization(rights, before, after)
        case PractitionerRole():
            _check_owner(rights, after.organization)
            if isinstance(before, PractitionerRole):
                _check_owner(rights, before.organization)
        case CareTeam():
            for each in (after, before):
                if isinstance(each, CareTeam):
                    _check_team(rights, each)
        case Practitioner():
            _check_practitioner(rights, before, around)
        case _:
            _refuse("a patient's side is written by whoever manages the whole directory")


def _check_organization(rights: DirectoryRights, before: Entry | None, after: Organization) -> None:
    if before is None:
        _refuse("a new organisation is made by whoever manages the whole directory")
    _check_owner(rights, after.id)
    was = before.part_of if isinstance(before, Organization) else None
    if after.part_of not in (None, was):
        # Else it could call itself a part of one that knows nothing of it.
        _check_owner(rights, after.part_of)


def _check_team(rights: DirectoryRights, team: CareTeam) -> None:
    if team.patient is not None:
        _refuse("the team of a patient is written by whoever manages the whole directory")
    _check_owner(rights, team.managing_organization)


def _check_practitioner(rights: DirectoryRights, before: Entry | None, around: Surroundings) -> None:
    if before is None:
        if not rights.organizations:
            _refuse("the client manages no organisation")
        return
    if around.has_duty:
        _refuse(f"{before.id} is an auditor or steward")
    places = {
        each.organization
        for each in around.entries.values()
        if isinstance(each, PractitionerRole) and each.practitioner == before.id and _lasts(each, around.at)
    }
    if not places:
        _refuse(f"{before.id} works in no organisation")
    for each in sorted(places):
        _check_owner(rights, each)


def _lasts(role: PractitionerRole, at: Instant) -> bool:
    """Say whether a role counts, or will."""
    return role.active and (role.period.end is None or at < role.period.end)


def _check_owner(rights: DirectoryRights, organization: ParticipantId | None) -> None:
    if organization is None:
        _refuse("what belongs to no organisation is written by whoever manages the whole directory")
    if organization not in rights.organizations:
        _refuse(f"the client does not manage the directory of organisation {organization}")


def _refuse(why: str) -> NoReturn:
    raise NotAllowedError(why)
