"""The right to read, in the parts of which the index keeps copies."""

import pytest
from msgspec.structs import replace

from carethread import Addressing, Participant, Policies, Role, Sensitivity, Visibility, errors
from carethread.directory.model import Membership, Standing
from carethread.ids import CommunicationId
from carethread.policy.actor import Actor, ActorKind
from carethread.policy.reading import (
    Grant,
    Reach,
    check_may_read,
    grants,
    may_read,
    opened_for,
    reaches,
    reads_everything,
    unknown_thread,
)
from tests.people import CLINIC, PHARMACY, person
from tests.policy.scene import ACTOR, FOREIGN, NETWORK, OPENER, OTHER_PATIENT, PATIENT, THREAD_ID, membership, scene

LEDGER = scene("clinician", "home", "standard", "open").thread.ledger
SYSTEM = Participant(person(120), Role.SYSTEM, "Gateway")
PATIENTS_OUT = Policies(allow_patient_participation=False)


@pytest.mark.parametrize(
    "visibility,policies,reach",
    [
        (Visibility(), Policies(), Reach.EVERY_MEMBER),
        (Visibility(), PATIENTS_OUT, Reach.PROFESSIONALS),
        (Visibility(Sensitivity.CONFIDENTIAL), Policies(), Reach.CLINICIANS),
        (Visibility(Sensitivity.CONFIDENTIAL), PATIENTS_OUT, Reach.CLINICIANS),
        (Visibility(Sensitivity.RESTRICTED), Policies(), Reach.NOBODY),
        (Visibility(restricted=True), Policies(), Reach.NOBODY),
        (Visibility(Sensitivity.CONFIDENTIAL, restricted=True), Policies(), Reach.NOBODY),
    ],
)
def test_how_far_a_thread_reaches(visibility: Visibility, policies: Policies, reach: Reach) -> None:
    found = reaches(
        replace(LEDGER, visibility=visibility, policies=policies, participants=(*LEDGER.participants, SYSTEM))
    )
    assert found[PHARMACY.id] is found[CLINIC.id] is reach
    assert found[SYSTEM.id] is Reach.NOBODY
    assert found[OPENER.id] is Reach.NOBODY
    others = {key: value for key, value in found.items() if key not in (PHARMACY.id, CLINIC.id, SYSTEM.id, OPENER.id)}
    assert set(others.values()) == {Reach.NAMED}


def test_whoever_opened_it_for_a_group_and_is_asked_by_name_reads_it_by_name() -> None:
    addressing = Addressing(OPENER.id, (CLINIC.id, OPENER.id), PHARMACY.id)
    assert reaches(replace(LEDGER, addressing=addressing))[OPENER.id] is Reach.NAMED


def test_for_whom_a_thread_was_opened() -> None:
    assert opened_for(LEDGER) == PHARMACY.id
    for addressing in (None, Addressing(OPENER.id, (CLINIC.id,)), Addressing(OPENER.id, (CLINIC.id,), OPENER.id)):
        assert opened_for(replace(LEDGER, addressing=addressing)) is None


def _actor(kind: ActorKind, *memberships: Membership, patients: frozenset[str] = frozenset()) -> Actor:
    return Actor(ACTOR, kind, "Actor", memberships=memberships, patients=patients)  # type: ignore[arg-type]


def test_what_a_membership_gives() -> None:
    memberships = (
        membership(PHARMACY.id),
        membership(PHARMACY.id, Standing.CARE_ADMINISTRATOR),
        membership(NETWORK.id),
    )
    mine = frozenset({PATIENT})
    assert set(grants(_actor(ActorKind.PRACTITIONER, *memberships))) == {
        Grant(ACTOR, Reach.NAMED),
        Grant(PHARMACY.id, Reach.CLINICIANS),
        Grant(PHARMACY.id, Reach.PROFESSIONALS),
        Grant(NETWORK.id, Reach.CLINICIANS, mine),
    }
    # Bound to organisations, a system is no clinician; two memberships come to the same.
    assert set(grants(_actor(ActorKind.CLIENT, *memberships))) == {
        Grant(PHARMACY.id, Reach.PROFESSIONALS),
        Grant(NETWORK.id, Reach.PROFESSIONALS, mine),
    }


@pytest.mark.parametrize("standing", list(Standing))
def test_whatever_a_team_says_a_relative_is_the_patients_side(standing: Standing) -> None:
    memberships = (membership(NETWORK.id, standing), membership(FOREIGN.id, standing), Membership(CLINIC.id, standing))
    mine, nobodys = frozenset({PATIENT}), frozenset[str]()
    found = grants(_actor(ActorKind.RELATED_PERSON, *memberships, patients=mine))
    assert set(found) == {
        Grant(ACTOR, Reach.NAMED, mine),
        Grant(NETWORK.id, Reach.EVERY_MEMBER, mine),
        Grant(FOREIGN.id, Reach.EVERY_MEMBER, nobodys),  # type: ignore[arg-type]
        Grant(CLINIC.id, Reach.EVERY_MEMBER, mine),
    }
    assert [each.participant for each in found] == sorted(each.participant for each in found)


def test_a_patients_standing_in_a_team_reaches_as_far_as_patients_may_whoever_has_it() -> None:
    actor = _actor(ActorKind.PRACTITIONER, membership(NETWORK.id, Standing.PATIENT_ASSOCIATE))
    assert Grant(NETWORK.id, Reach.EVERY_MEMBER, frozenset({PATIENT})) in grants(actor)


def test_a_merged_patient_is_both() -> None:
    asked = scene("patient", "named", "standard", "open")
    merged = replace(asked.thread, patients=frozenset({OTHER_PATIENT, PATIENT}))
    assert may_read(replace(asked.actor, patients=frozenset({OTHER_PATIENT})), merged)
    assert not may_read(replace(asked.actor, patients=frozenset({OTHER_PATIENT})), asked.thread)


@pytest.mark.parametrize("kind", [ActorKind.AUDITOR, ActorKind.STEWARD])
def test_auditors_and_stewards_read_through_nobody(kind: ActorKind) -> None:
    assert grants(_actor(kind, membership(PHARMACY.id))) == ()


def test_an_auditor_has_a_purpose() -> None:
    asked = scene("auditor", "none", "restricted", "open")
    assert reads_everything(asked.actor)
    for actor in (replace(asked.actor, purpose=""), replace(asked.actor, active=False)):
        assert not reads_everything(actor)
        with pytest.raises(errors.UnknownThreadError):
            check_may_read(actor, asked.thread)


def test_neither_a_purpose_nor_a_deserted_thread_gives_anybody_else_a_right() -> None:
    asked = scene("clinician", "none", "standard", "open")
    deserted = replace(asked.thread, deserted=True)
    assert not may_read(replace(asked.actor, purpose="complaint"), deserted)
    steward = scene("steward", "none", "standard", "open").actor
    assert may_read(steward, deserted)
    assert not may_read(replace(steward, active=False), deserted)


def test_whoever_is_inactive_reads_through_nobody() -> None:
    assert grants(replace(_actor(ActorKind.PRACTITIONER, membership(PHARMACY.id)), active=False)) == ()


def test_what_one_may_not_read_and_what_does_not_exist_are_told_in_the_same_words() -> None:
    asked = scene("clinician", "none", "standard", "open")
    with pytest.raises(errors.UnknownThreadError) as refused:
        check_may_read(asked.actor, asked.thread)
    assert str(refused.value) == str(unknown_thread(CommunicationId(THREAD_ID)))
