"""Emergencies, and systems that ask for a person."""

import pytest
from msgspec.structs import replace

from carethread import errors
from carethread.policy.actor import Actor, ActorKind
from carethread.policy.exceptional import check_may_assert, check_may_open_in_emergency
from carethread.policy.reading import unknown_thread
from tests.people import CLINIC, PHARMACY
from tests.policy.scene import ACTOR, NETWORK, THREAD_ID, membership, scene

RESTRICTED = scene("clinician", "asked", "restricted", "open")
CLIENT = Actor(ACTOR, ActorKind.CLIENT, "Hospital system", memberships=(membership(CLINIC.id),))
CLINICS = frozenset({CLINIC.id})


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_an_emergency_has_a_reason(reason: str) -> None:
    with pytest.raises(errors.PurposeError, match="state it"):
        check_may_open_in_emergency(RESTRICTED.actor, RESTRICTED.thread, reason)
    check_may_open_in_emergency(RESTRICTED.actor, RESTRICTED.thread, "collapsed")


@pytest.mark.parametrize(
    "role,relation", [("clinician", "none"), ("clinician", "network"), ("administrator", "asked"), ("client", "asked")]
)
@pytest.mark.parametrize("reason", ["", "collapsed"])
def test_to_everyone_else_the_thread_is_unknown_with_or_without_a_reason(role: str, relation: str, reason: str) -> None:
    asked = scene(role, relation, "restricted", "open")
    with pytest.raises(errors.UnknownThreadError) as refused:
        check_may_open_in_emergency(asked.actor, asked.thread, reason)
    assert str(refused.value) == str(unknown_thread(THREAD_ID))


def test_a_system_asks_for_the_members_of_its_organisations() -> None:
    check_may_assert(CLIENT, RESTRICTED.actor, CLINICS)
    check_may_assert(CLIENT, RESTRICTED.actor, frozenset({PHARMACY.id, CLINIC.id}))
    for person in (replace(RESTRICTED.actor, memberships=()), scene("clinician", "home", "standard", "open").actor):
        with pytest.raises(errors.NotMemberError, match=CLIENT.id):
            check_may_assert(CLIENT, person, CLINICS)


def test_a_team_in_which_both_are_is_no_organisation_of_the_system() -> None:
    person = replace(RESTRICTED.actor, memberships=(membership(NETWORK.id),))
    client = replace(CLIENT, memberships=(membership(CLINIC.id), membership(NETWORK.id)))
    with pytest.raises(errors.NotMemberError):
        check_may_assert(client, person, CLINICS)


def test_neither_is_inactive() -> None:
    for client, person in (
        (replace(CLIENT, active=False), RESTRICTED.actor),
        (CLIENT, replace(RESTRICTED.actor, active=False)),
    ):
        with pytest.raises(errors.InactiveError, match="is not active"):
            check_may_assert(client, person, CLINICS)


@pytest.mark.parametrize("kind", [ActorKind.AUDITOR, ActorKind.STEWARD, ActorKind.CLIENT])
def test_a_system_asks_for_no_auditor_no_steward_and_no_system(kind: ActorKind) -> None:
    with pytest.raises(errors.NotAllowedError):
        check_may_assert(CLIENT, replace(RESTRICTED.actor, kind=kind), CLINICS)


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.CLIENT])
def test_nobody_else_asks_for_a_person(kind: ActorKind) -> None:
    with pytest.raises(errors.NotAllowedError):
        check_may_assert(replace(CLIENT, kind=kind), RESTRICTED.actor, CLINICS)
