"""Who is a member of what: the rules one by one, and all of them against a naive second reading."""

from collections.abc import Iterator

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.directory.memberships import (
    Entries,
    Member,
    in_force,
    members,
    members_of,
    memberships,
    memberships_of,
    merged,
    patients_counted,
    person_standings,
    steady,
)
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
from carethread.ids import ClinicalId, ParticipantId
from tests.directory.networks import EVERYONE, NOW, networks, some_id

CLINICIAN, ADMINISTRATOR = Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR
PHARMACY, CLINIC = some_id("0a", 1), some_id("0a", 2)
ANN, BO = some_id("0b", 1), some_id("0b", 2)
ANNS_ROLE, BOS_ROLE = some_id("0c", 1), some_id("0c", 2)
JOHN, JOHN_TOO, OTHER = some_id("0d", 1), some_id("0d", 2), some_id("0d", 3)
MARY = some_id("0e", 1)
TEAM, OUTER = some_id("0f", 1), some_id("0f", 2)
OVER = Period(end=NOW)


def directory(*more: Entry) -> dict[ParticipantId, Entry]:
    """Return a small directory: Ann is a clinician in the pharmacy, Bo an administrator in the clinic."""
    entries: tuple[Entry, ...] = (
        Organization(PHARMACY, "pharmacy", "Pharmacy"),
        Organization(CLINIC, "clinic", "Clinic", part_of=PHARMACY),
        Practitioner(ANN, "ann", "Ann"),
        Practitioner(BO, "bo", "Bo"),
        PractitionerRole(ANNS_ROLE, "ann-role", ANN, PHARMACY, CLINICIAN),
        PractitionerRole(BOS_ROLE, "bo-role", BO, CLINIC, ADMINISTRATOR),
        Patient(JOHN, "john", "John", ClinicalId(JOHN)),
        Patient(JOHN_TOO, "john-too", "John", ClinicalId(JOHN_TOO), active=False, replaced_by=JOHN),
        Patient(OTHER, "other", "Other", ClinicalId(OTHER)),
        RelatedPerson(MARY, "mary", "Mary", JOHN),
        *more,
    )
    return {each.id: each for each in entries}


def team(*named: ParticipantId, at: ParticipantId = TEAM, **more: object) -> CareTeam:
    made = CareTeam(at, "team", "Team", tuple(TeamMember(each) for each in named))
    return replace(made, **more)


def test_a_role_makes_a_member_and_part_of_does_not() -> None:
    entries = directory()
    assert memberships(ANN, entries, NOW) == (Membership(PHARMACY, CLINICIAN),)
    assert members(PHARMACY, entries, NOW) == {(ANN, Membership(PHARMACY, CLINICIAN))}
    assert memberships(BO, entries, NOW) == (Membership(CLINIC, ADMINISTRATOR),)


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: {ANNS_ROLE: replace(entries[ANNS_ROLE], active=False)},
        lambda entries: {ANNS_ROLE: replace(entries[ANNS_ROLE], period=OVER)},
        lambda entries: {ANNS_ROLE: replace(entries[ANNS_ROLE], period=Period(start=Instant(NOW + 1)))},
        lambda entries: {ANN: replace(entries[ANN], active=False)},
        lambda entries: {PHARMACY: replace(entries[PHARMACY], active=False)},
    ],
    ids=["role inactive", "role over", "role to come", "practitioner inactive", "organisation inactive"],
)
def test_a_role_out_of_force_makes_no_member_of_anything(change: object) -> None:
    entries = directory(team(ANNS_ROLE, PHARMACY))
    assert {each.group for each in memberships(ANN, entries, NOW)} == {PHARMACY, TEAM}
    entries |= change(entries)  # type: ignore[operator]
    assert memberships(ANN, entries, NOW) == ()
    assert members(TEAM, entries, NOW) == members(PHARMACY, entries, NOW) == frozenset()
    assert person_standings(ANN, entries, NOW) == frozenset()


@pytest.mark.parametrize("standing, stands", [(None, CLINICIAN), (ADMINISTRATOR, ADMINISTRATOR)])
@pytest.mark.parametrize("named", [ANN, ANNS_ROLE])
def test_a_team_says_how_somebody_stands_or_their_roles_do(
    named: ParticipantId, standing: Standing | None, stands: Standing
) -> None:
    entries = directory(team(members=(TeamMember(named, standing),)))
    assert members(TEAM, entries, NOW) == {(ANN, Membership(TEAM, stands))}


def test_without_a_clinical_role_a_practitioner_stands_as_an_administrator() -> None:
    entries = directory(team(BO))
    assert members(TEAM, entries, NOW) == {(BO, Membership(TEAM, ADMINISTRATOR))}


@pytest.mark.parametrize("change", [{"active": False}, {"period": OVER}, {"members": (TeamMember(ANN, period=OVER),)}])
def test_a_team_or_a_membership_out_of_force(change: dict[str, object]) -> None:
    assert members(TEAM, directory(replace(team(ANN), **change)), NOW) == frozenset()


def test_groups_in_a_team_bring_their_members_as_they_stand_in_them() -> None:
    entries = directory(team(PHARMACY, BO), team(TEAM, CLINIC, at=OUTER))
    assert members(OUTER, entries, NOW) == {
        (ANN, Membership(OUTER, CLINICIAN)),
        (BO, Membership(OUTER, ADMINISTRATOR)),
    }
    assert memberships(ANN, entries, NOW) == tuple(
        Membership(each, CLINICIAN) for each in sorted((PHARMACY, TEAM, OUTER))
    )


def test_teams_in_each_other() -> None:
    entries = directory(team(OUTER, ANN), team(TEAM, BO, at=OUTER))
    assert {each for each, _ in members(TEAM, entries, NOW)} == {each for each, _ in members(OUTER, entries, NOW)}
    assert {each for each, _ in members(TEAM, entries, NOW)} == {ANN, BO}


def test_a_patients_team_counts_for_the_patient_alone() -> None:
    entries = directory(team(JOHN, MARY, OTHER, PHARMACY, patient=JOHN))
    assert members(TEAM, entries, NOW) == {
        (JOHN, Membership(TEAM, Standing.PATIENT, JOHN)),
        (MARY, Membership(TEAM, Standing.PATIENT_ASSOCIATE, JOHN)),
        (ANN, Membership(TEAM, CLINICIAN, JOHN)),
    }


def test_merged_entries_are_one_patient() -> None:
    entries = directory(team(JOHN, MARY, patient=JOHN_TOO))
    assert {each for each, _ in members(TEAM, entries, NOW)} == {JOHN, MARY}
    assert merged(JOHN, entries) == merged(JOHN_TOO, entries) == {JOHN, JOHN_TOO}
    assert patients_counted(JOHN, entries) == patients_counted(MARY, entries) == {JOHN, JOHN_TOO}
    assert patients_counted(ANN, entries) == patients_counted(TEAM, entries) == frozenset()


def test_merging_in_a_circle_ends() -> None:
    entries = directory()
    entries[JOHN] = replace(entries[JOHN], replaced_by=JOHN_TOO)
    assert merged(JOHN, entries) == {JOHN, JOHN_TOO}


def test_nobody_on_the_patients_side_is_in_an_organisations_team() -> None:
    network = team(JOHN, MARY, ANN, patient=JOHN)
    entries = directory(network, team(JOHN, MARY, TEAM, at=OUTER))
    assert members(OUTER, entries, NOW) == {(ANN, Membership(OUTER, CLINICIAN, JOHN))}


def test_the_team_of_one_patient_within_that_of_another() -> None:
    entries = directory(team(ANN, patient=JOHN), team(TEAM, patient=OTHER, at=OUTER))
    assert members(OUTER, entries, NOW) == frozenset()
    entries[OUTER] = team(TEAM, patient=JOHN_TOO, at=OUTER)
    assert members(OUTER, entries, NOW) == {(ANN, Membership(OUTER, CLINICIAN, JOHN_TOO))}


# ── A naive second reading ────────────────────────────────────────────────────────────────────────────────────────────


def _same_patient(entries: Entries) -> set[tuple[ParticipantId, ParticipantId]]:
    same = {(each, each) for each in EVERYONE}
    for each in entries.values():
        if isinstance(each, Patient) and each.replaced_by is not None:
            same |= {(each.id, each.replaced_by), (each.replaced_by, each.id)}
    while True:
        more = {(a, d) for a, b in same for c, d in same if b == c} - same
        if not more:
            return same
        same |= more


def _role_counts(role: Entry | None, entries: Entries) -> bool:
    return (
        isinstance(role, PractitionerRole)
        and role.active
        and role.period.includes(NOW)
        and role.practitioner in entries
        and entries[role.practitioner].active
        and role.organization in entries
        and entries[role.organization].active
    )


def _one_round(entries: Entries, known: set[Member]) -> Iterator[Member]:
    same = _same_patient(entries)
    roles = [each for each in entries.values() if isinstance(each, PractitionerRole) and _role_counts(each, entries)]
    for role in roles:
        yield role.practitioner, Membership(role.organization, role.standing)
    for team in entries.values():
        if not isinstance(team, CareTeam) or not (team.active and team.period.includes(NOW)):
            continue
        for named in team.members:
            entry = entries.get(named.member)
            if entry is None or not entry.active or not named.period.includes(NOW):
                continue
            if isinstance(entry, Practitioner):
                clinical = any(each.practitioner == entry.id and each.standing is CLINICIAN for each in roles)
                standing = named.standing or (CLINICIAN if clinical else ADMINISTRATOR)
                yield entry.id, Membership(team.id, standing, team.patient)
            if isinstance(entry, PractitionerRole) and entry in roles:
                yield entry.practitioner, Membership(team.id, named.standing or entry.standing, team.patient)
            if isinstance(entry, Patient) and (entry.id, team.patient) in same:
                yield entry.id, Membership(team.id, Standing.PATIENT, team.patient)
            if (
                isinstance(entry, RelatedPerson)
                and entry.period.includes(NOW)
                and (entry.patient, team.patient) in same
            ):
                yield entry.id, Membership(team.id, Standing.PATIENT_ASSOCIATE, team.patient)
            for who, inner in known:
                if inner.group != entry.id:
                    continue
                if team.patient is None and inner.standing in (CLINICIAN, ADMINISTRATOR):
                    yield who, Membership(team.id, inner.standing, inner.patient)
                if team.patient is not None and (inner.patient is None or (inner.patient, team.patient) in same):
                    yield who, Membership(team.id, inner.standing, team.patient)


@given(networks())
def test_memberships_are_the_least_fixpoint_of_the_rules(entries: Entries) -> None:
    known: set[Member] = set()
    while True:
        more = known | set(_one_round(entries, known))
        if more == known:
            break
        known = more
    event(f"{min(len(known), 10)} or more memberships")
    for person in EVERYONE:
        found = memberships(person, entries, NOW)
        assert set(found) == {each for who, each in known if who == person}
        assert len(found) == len(set(found))
    for group in EVERYONE:
        assert members(group, entries, NOW) == {each for each in known if each[1].group == group}


@given(networks())
def test_one_patient_is_one_from_everywhere(entries: Entries) -> None:
    same = _same_patient(entries)
    for person in EVERYONE:
        entry = entries.get(person)
        if isinstance(entry, Patient):
            assert patients_counted(person, entries) == {b for a, b in same if a == person}


def test_what_is_not_there_is_not_in_force() -> None:
    assert not in_force(None, NOW)


@given(networks(), st.lists(st.sampled_from(EVERYONE), unique=True))
def test_many_at_once_are_as_each_by_itself(entries: Entries, asked: list[ParticipantId]) -> None:
    assert memberships_of(asked, entries, NOW) == {each: memberships(each, entries, NOW) for each in asked}
    assert members_of(asked, entries, NOW) == {each: members(each, entries, NOW) for each in asked}


@given(networks(), st.integers(-40, 40).map(lambda days: Instant(NOW + days * 86_400_000)))
def test_nothing_changes_while_no_period_begins_or_ends(entries: Entries, at: Instant) -> None:
    window = steady(entries, at)
    assert window.includes(at)
    last = Instant(at + 1_000_000_000 if window.end is None else window.end - 1)
    for other in (window.start or Instant(0), last):
        assert memberships_of(EVERYONE, entries, other) == memberships_of(EVERYONE, entries, at)
        assert [in_force(each, other) for each in entries.values()] == [in_force(each, at) for each in entries.values()]
