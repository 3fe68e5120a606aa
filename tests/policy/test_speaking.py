"""For whom somebody writes, and as what the record names them."""

import pytest
from msgspec.structs import replace

from carethread import Author, Role, errors
from carethread.directory.model import Standing
from carethread.policy.actor import Actor, ActorKind
from carethread.policy.speaking import author_in, author_opening, check_may_speak, default_group
from carethread.policy.standing import standings_in
from tests.people import CLINIC, PHARMACY
from tests.policy.scene import ACTOR, EXTRA, LABORATORY, NETWORK, OTHER_PATIENT, PATIENT, membership, scene

HOME = scene("clinician", "home", "standard", "open")


def test_whoever_is_listed_has_the_ledgers_role() -> None:
    listed = scene("administrator", "home_named", "standard", "open")
    clinician_now = replace(listed.actor, memberships=(membership(PHARMACY.id),), name="New Name")
    assert author_in(clinician_now, listed.thread, PHARMACY.id) == Author(ACTOR, "New Name", Role.CARE_ADMINISTRATOR)


@pytest.mark.parametrize(
    "standings,role",
    [
        ((Standing.CLINICIAN,), Role.CLINICIAN),
        ((Standing.CARE_ADMINISTRATOR,), Role.CARE_ADMINISTRATOR),
        ((Standing.CARE_ADMINISTRATOR, Standing.CLINICIAN), Role.CLINICIAN),
    ],
)
def test_else_what_they_are_in_the_group_they_write_for(standings: tuple[Standing, ...], role: Role) -> None:
    actor = replace(HOME.actor, memberships=tuple(membership(PHARMACY.id, each) for each in standings))
    assert author_in(actor, HOME.thread, PHARMACY.id).role is role


def test_without_a_group_what_they_are_anywhere() -> None:
    actor = replace(HOME.actor, memberships=(), standings=frozenset({Standing.CARE_ADMINISTRATOR}))
    assert author_in(actor, HOME.thread, None).role is Role.CARE_ADMINISTRATOR
    assert author_opening(replace(actor, standings=frozenset(Standing)), frozenset(), None).role is Role.CLINICIAN


def test_a_team_of_another_patient_makes_nobody_a_clinician() -> None:
    actor = replace(HOME.actor, memberships=(membership(NETWORK.id),))
    assert author_opening(actor, frozenset({PATIENT}), NETWORK.id).role is Role.CLINICIAN
    assert author_opening(actor, frozenset({OTHER_PATIENT}), NETWORK.id).role is Role.CARE_ADMINISTRATOR


@pytest.mark.parametrize(
    "kind,role", [(ActorKind.PATIENT, Role.PATIENT), (ActorKind.RELATED_PERSON, Role.PATIENT_ASSOCIATE)]
)
def test_the_patients_side_is_that_whatever_a_team_says(kind: ActorKind, role: Role) -> None:
    actor = Actor(ACTOR, kind, "Actor", memberships=(membership(NETWORK.id),), patients=frozenset({PATIENT}))
    assert author_in(actor, HOME.thread, NETWORK.id).role is role


def test_a_steward_changes_a_ledger_as_an_administrator() -> None:
    steward = Actor(ACTOR, ActorKind.STEWARD, "Actor")
    assert author_in(steward, HOME.thread, None).role is Role.CARE_ADMINISTRATOR


def test_nobody_writes_for_what_is_no_group_of_the_thread() -> None:
    with pytest.raises(errors.NotParticipantError, match=LABORATORY.id):
        check_may_speak(HOME.actor, HOME.thread, LABORATORY.id)
    with pytest.raises(errors.RoleMismatchError, match="not an organisation or care team"):
        check_may_speak(HOME.actor, HOME.thread, EXTRA.id)
    with pytest.raises(errors.NotMemberError, match=CLINIC.id):
        check_may_speak(HOME.actor, HOME.thread, CLINIC.id)
    check_may_speak(HOME.actor, HOME.thread, PHARMACY.id)


@pytest.mark.parametrize("relation", ["home", "opener"])
def test_a_member_writes_for_the_group_never_for_themselves(relation: str) -> None:
    asked = scene("clinician", relation, "standard", "open")
    with pytest.raises(errors.NotMemberError, match="does not take part by name"):
        check_may_speak(asked.actor, asked.thread, None)


def test_whoever_takes_part_by_name_may_still_write_for_their_group() -> None:
    asked = scene("clinician", "home_named", "restricted", "open")
    assert default_group(asked.actor, asked.thread) is None
    check_may_speak(asked.actor, asked.thread, None)
    check_may_speak(asked.actor, asked.thread, PHARMACY.id)


@pytest.mark.parametrize("kind", [ActorKind.CLIENT, ActorKind.AUDITOR, ActorKind.STEWARD])
def test_whoever_is_no_author_is_a_member_of_nothing(kind: ActorKind) -> None:
    actor = replace(HOME.actor, kind=kind)
    assert standings_in(actor, HOME.thread, PHARMACY.id) == frozenset()
    assert default_group(actor, HOME.thread) is None


def test_neither_is_whoever_is_inactive_or_of_another_patient() -> None:
    assert standings_in(replace(HOME.actor, active=False), HOME.thread, PHARMACY.id) == frozenset()
    relative = replace(HOME.actor, kind=ActorKind.RELATED_PERSON, patients=frozenset({OTHER_PATIENT}))
    assert standings_in(relative, HOME.thread, PHARMACY.id) == frozenset()


def test_what_asks_says_what_to_do() -> None:
    both = scene("clinician", "both", "standard", "open")
    with pytest.raises(errors.AmbiguousSideError, match="say on whose behalf"):
        default_group(both.actor, both.thread)
