"""Who is a member of what at an instant.

| member of | who |
|---|---|
| an organisation | practitioners with a role in it; nothing comes from an organisation it is part of |
| a team | practitioners it names, or whose roles it names; the members of organisations and teams it names |
| the team of a patient | likewise, for this patient only; the patient, and those related to them, whom it names |

A role counts while it, its practitioner and its organisation are active, and in its period; a team likewise. Someone
a team names stands in it as the team says; else as the role says that it names, or as a clinician if they have a role
as one anywhere. Members of a named group stand in the team as they stand in that group.

A patient's merged entries are one patient. A patient, or somebody related to one, is a member of nothing but that
patient's teams.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.model import (
    CareTeam,
    Entry,
    Membership,
    Organization,
    Patient,
    Period,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Standing,
    TeamMember,
)
from carethread.ids import ParticipantId

Entries = Mapping[ParticipantId, Entry]
# Somebody, and one thing they are a member of.
Member = tuple[ParticipantId, Membership]

_PATIENT_SIDE = frozenset({Standing.PATIENT, Standing.PATIENT_ASSOCIATE})


def in_force(entry: Entry | None, at: Instant) -> bool:
    """Say whether an entry by itself is active, and in its period if it has one."""
    if entry is None or not entry.active:
        return False
    return not isinstance(entry, PractitionerRole | RelatedPerson | CareTeam) or entry.period.includes(at)


def memberships(person: ParticipantId, entries: Entries, at: Instant) -> tuple[Membership, ...]:
    """Return what somebody is a member of, in the order of the groups' ids, each group, standing and patient once.

    `entries` must hold what bears on it; what is not there counts for nothing.
    """
    return memberships_of((person,), entries, at)[person]


def memberships_of(
    people: Iterable[ParticipantId], entries: Entries, at: Instant
) -> dict[ParticipantId, tuple[Membership, ...]]:
    """Return what each of these people is a member of, likewise."""
    wanted: dict[ParticipantId, list[Membership]] = {each: [] for each in people}
    for who, each in _spread(_Scene.of(entries, at), people=wanted):
        wanted[who].append(each)
    return {
        who: tuple(sorted(found, key=lambda each: (each.group, each.standing, each.patient or "")))
        for who, found in wanted.items()
    }


def members(group: ParticipantId, entries: Entries, at: Instant) -> frozenset[Member]:
    """Return who is a member of a group, and how."""
    return members_of((group,), entries, at)[group]


def members_of(
    groups: Iterable[ParticipantId], entries: Entries, at: Instant
) -> dict[ParticipantId, frozenset[Member]]:
    """Return who is a member of each of these groups, and how."""
    wanted: dict[ParticipantId, set[Member]] = {each: set() for each in groups}
    for each in _spread(_Scene.of(entries, at), groups=_below(wanted, entries)):
        if each[1].group in wanted:
            wanted[each[1].group].add(each)
    return {group: frozenset(found) for group, found in wanted.items()}


def steady(entries: Entries, at: Instant) -> Period:
    """Return the time around an instant in which no period of these entries begins or ends."""
    bounds = [each for period in _periods(entries) for each in (period.start, period.end) if each is not None]
    return Period(
        max((each for each in bounds if each <= at), default=None),
        min((each for each in bounds if each > at), default=None),
    )


def _periods(entries: Entries) -> Iterator[Period]:
    for entry in entries.values():
        if isinstance(entry, PractitionerRole | RelatedPerson | CareTeam):
            yield entry.period
        if isinstance(entry, CareTeam):
            yield from (each.period for each in entry.members)


def standings_of(entries: Entries, at: Instant) -> Mapping[ParticipantId, frozenset[Standing]]:
    """Return what practitioners are in the roles they hold, wherever; those without one are left out."""
    return _Scene.of(entries, at).standings


def person_standings(practitioner: ParticipantId, entries: Entries, at: Instant) -> frozenset[Standing]:
    """Return what a practitioner is in the roles they hold, wherever."""
    return standings_of(entries, at).get(practitioner, frozenset())


def merged(patient: ParticipantId, entries: Entries) -> frozenset[ParticipantId]:
    """Return a patient and all whose entries were merged with theirs, whichever took in the other."""
    near: defaultdict[ParticipantId, set[ParticipantId]] = defaultdict(set)
    for each in entries.values():
        if isinstance(each, Patient) and each.replaced_by is not None:
            near[each.id].add(each.replaced_by)
            near[each.replaced_by].add(each.id)
    found = {patient}
    waiting = [patient]
    while waiting:
        new = near[waiting.pop()] - found
        found |= new
        waiting += new
    return frozenset(found)


def patients_counted(person: ParticipantId, entries: Entries) -> frozenset[ParticipantId]:
    """Return the patients in whose records somebody counts: themself, or whom they are related to, merged ones too."""
    entry = entries.get(person)
    if isinstance(entry, Patient):
        return merged(person, entries)
    return merged(entry.patient, entries) if isinstance(entry, RelatedPerson) else frozenset()


class _Scene(Struct, frozen=True):
    """Entries at an instant; what the roles that count give each practitioner; which teams name a group."""

    entries: Entries
    at: Instant
    standings: defaultdict[ParticipantId, frozenset[Standing]]
    above: defaultdict[ParticipantId, list[CareTeam]]

    @classmethod
    def of(cls, entries: Entries, at: Instant) -> "_Scene":
        scene = cls(entries, at, defaultdict(frozenset), defaultdict(list))
        for entry in entries.values():
            if isinstance(entry, PractitionerRole) and _counts(entry, entries, at):
                scene.standings[entry.practitioner] |= {entry.standing}
            elif isinstance(entry, CareTeam) and in_force(entry, at):
                for each in entry.members:
                    if each.period.includes(at) and isinstance(entries.get(each.member), Organization | CareTeam):
                        scene.above[each.member].append(entry)
        return scene


def _counts(role: PractitionerRole, entries: Entries, at: Instant) -> bool:
    practitioner, organization = entries.get(role.practitioner), entries.get(role.organization)
    return in_force(role, at) and in_force(practitioner, at) and in_force(organization, at)


def _spread(
    scene: _Scene,
    *,
    people: Container[ParticipantId] | None = None,
    groups: Container[ParticipantId] | None = None,
) -> set[Member]:
    """Return what these people, or all, are a member of among these groups, directly and through groups in teams."""
    found = {
        (who, each)
        for who, each in _direct(scene)
        if (people is None or who in people) and (groups is None or each.group in groups)
    }
    waiting = list(found)
    while waiting:
        who, inner = waiting.pop()
        for team in scene.above[inner.group]:
            outer = None if groups is not None and team.id not in groups else _through(scene, team, inner)
            if outer is not None and (who, outer) not in found:
                found.add((who, outer))
                waiting.append((who, outer))
    return found


def _below(groups: Iterable[ParticipantId], entries: Entries) -> set[ParticipantId]:
    """Return these groups and all that they name, and those name: whose members may be theirs."""
    found = set(groups)
    waiting = list(found)
    while waiting:
        entry = entries.get(waiting.pop())
        new = {each.member for each in entry.members} - found if isinstance(entry, CareTeam) else set()
        found |= new
        waiting += new
    return found


def _through(scene: _Scene, team: CareTeam, inner: Membership) -> Membership | None:
    """Return what a member of a group is in a team that names the group."""
    if team.patient is None:
        # Whoever is there for one patient stays so; the patient's own side does not come along.
        return None if inner.standing in _PATIENT_SIDE else Membership(team.id, inner.standing, inner.patient)
    if inner.patient is None or _same(scene, team.patient, inner.patient):
        return Membership(team.id, inner.standing, team.patient)
    return None


def _direct(scene: _Scene) -> Iterator[Member]:
    for entry in scene.entries.values():
        if isinstance(entry, PractitionerRole) and _counts(entry, scene.entries, scene.at):
            yield entry.practitioner, Membership(entry.organization, entry.standing)
        elif isinstance(entry, CareTeam) and in_force(entry, scene.at):
            for each in entry.members:
                if each.period.includes(scene.at):
                    yield from _named(scene, entry, each)


def _named(scene: _Scene, team: CareTeam, named: TeamMember) -> Iterator[Member]:
    """Yield who becomes a member of a team because the team names them, not because it names a group."""
    entry = scene.entries.get(named.member)
    if not in_force(entry, scene.at):
        return
    if isinstance(entry, Practitioner):
        usual = Standing.CLINICIAN if Standing.CLINICIAN in scene.standings[entry.id] else Standing.CARE_ADMINISTRATOR
        yield entry.id, Membership(team.id, named.standing or usual, team.patient)
    elif isinstance(entry, PractitionerRole) and _counts(entry, scene.entries, scene.at):
        yield entry.practitioner, Membership(team.id, named.standing or entry.standing, team.patient)
    elif isinstance(entry, Patient | RelatedPerson) and team.patient is not None:
        own, standing = (
            (entry.id, Standing.PATIENT) if isinstance(entry, Patient) else (entry.patient, Standing.PATIENT_ASSOCIATE)
        )
        if _same(scene, team.patient, own):
            yield entry.id, Membership(team.id, standing, team.patient)


def _same(scene: _Scene, first: ParticipantId, second: ParticipantId) -> bool:
    return first == second or second in merged(first, scene.entries)
