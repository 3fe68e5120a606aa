"""Whose thread it is, and when it is nobody's any more."""

import pytest
from msgspec.structs import replace

from carethread.directory.model import Standing
from carethread.policy.home import holds_home_rights, home_side, is_deserted
from tests.people import CLINIC, JOHN, PHARMACY
from tests.policy.scene import (
    ACTOR,
    ASKED_KEEPER,
    EXTRA,
    HOME_KEEPER,
    NETWORK,
    Scene,
    known,
    scene,
)

NO_ONE: frozenset[Standing] = frozenset()
RELATIVES = frozenset({Standing.PATIENT_ASSOCIATE})
CLERKS = frozenset({Standing.CARE_ADMINISTRATOR})


def _scene(relation: str, role: str = "clinician") -> Scene:
    return scene(role, relation, "standard", "open")


def test_the_home_side() -> None:
    assert home_side(_scene("opener").thread.ledger) == (PHARMACY.id,)
    assert home_side(_scene("left").thread.ledger) == (PHARMACY.id,)
    assert home_side(_scene("opener", "relative").thread.ledger) == (NETWORK.id,)
    assert home_side(_scene("requester").thread.ledger) == (ACTOR,)
    assert home_side(_scene("requester", "patient").thread.ledger) == (ACTOR,)
    named = (ACTOR, HOME_KEEPER.id, ASKED_KEEPER.id, EXTRA.id)
    assert home_side(_scene("plain_named").thread.ledger) == named
    assert home_side(_scene("plain_named", "patient").thread.ledger) == named[1:]


def _without_professionals(asked: Scene) -> Scene:
    listed = tuple(each for each in asked.thread.ledger.participants if each.id in (ACTOR, CLINIC.id))
    return replace(asked, thread=replace(asked.thread, ledger=replace(asked.thread.ledger, participants=listed)))


def test_a_plain_thread_of_patients_and_groups_is_in_the_hands_of_their_clinicians() -> None:
    asked = _without_professionals(_scene("plain_named", "patient"))
    assert home_side(asked.thread.ledger) == ()
    assert not holds_home_rights(asked.actor, asked.thread)
    for role, holds in (("clinician", True), ("administrator", False)):
        actor = _scene("asked", role).actor
        assert holds_home_rights(actor, asked.thread) is holds
        assert not holds_home_rights(replace(actor, active=False), asked.thread)


@pytest.mark.parametrize("members,deserted", [(NO_ONE, True), (RELATIVES, True), (CLERKS, False)])
def test_a_home_group_without_professionals_is_deserted(members: frozenset[Standing], deserted: bool) -> None:
    asked = _scene("opener")
    company = asked.company | {PHARMACY.id: replace(known(PHARMACY), members=members)}
    assert is_deserted(asked.thread.ledger, company) is deserted


def test_so_is_a_group_that_is_not_active_or_not_known() -> None:
    asked = _scene("home")
    inactive = asked.company | {PHARMACY.id: replace(known(PHARMACY), active=False)}
    assert not is_deserted(asked.thread.ledger, asked.company)
    assert is_deserted(asked.thread.ledger, inactive)
    assert is_deserted(asked.thread.ledger, {})


def test_whoever_asked_for_themselves_is_the_home_side() -> None:
    asked = _scene("requester")
    assert not is_deserted(asked.thread.ledger, asked.company)
    gone = asked.company | {ACTOR: replace(asked.company[ACTOR], active=False)}
    assert is_deserted(asked.thread.ledger, gone)


@pytest.mark.parametrize("members,deserted", [(NO_ONE, True), (CLERKS, True), (frozenset(Standing), False)])
def test_what_a_patient_asked_is_deserted_with_the_clinicians_asked(
    members: frozenset[Standing], deserted: bool
) -> None:
    asked = _scene("asked_by_patient")
    company = asked.company | {CLINIC.id: replace(known(CLINIC), members=members)}
    assert asked.company[JOHN.id].active
    assert is_deserted(asked.thread.ledger, company) is deserted


def test_whoever_is_inactive_holds_no_rights() -> None:
    for relation in ("requester", "plain_named", "home"):
        asked = _scene(relation)
        assert holds_home_rights(asked.actor, asked.thread)
        assert not holds_home_rights(replace(asked.actor, active=False), asked.thread)


def test_a_steward_holds_the_rights_of_a_deserted_home_side() -> None:
    steward = _scene("none", "steward")
    assert not holds_home_rights(steward.actor, steward.thread)
    assert holds_home_rights(steward.actor, replace(steward.thread, deserted=True))
    assert not holds_home_rights(replace(steward.actor, active=False), replace(steward.thread, deserted=True))
