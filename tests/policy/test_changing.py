"""Changes of a ledger: each refusal by itself."""

import pytest
from msgspec.structs import replace

from carethread import (
    Addressing,
    LedgerUpdate,
    Participant,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.directory.model import Membership, Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Known
from carethread.policy.changing import check_may_change
from tests.people import CLINIC, JOHN, PHARMACY, listed
from tests.policy.scene import (
    ACTOR,
    ASKED_KEEPER,
    COLLEAGUE,
    ELSEWHERE,
    EXTRA,
    FOREIGN,
    HOME_KEEPER,
    LABORATORY,
    NETWORK,
    OPENER,
    OTHER_PATIENT,
    PATIENT,
    STRANGER,
    Scene,
    known,
    membership,
    scene,
)

HOME = scene("clinician", "home", "standard", "open")
ASKED = scene("clinician", "asked", "standard", "open")
CONFIDENTIAL = Visibility(Sensitivity.CONFIDENTIAL)
RESTRICTED = Visibility(restricted=True)
HOME_ALONE = Policies(allow_external_organisations=False)
PATIENTS_OUT = Policies(allow_patient_participation=False)


def _change(asked: Scene, update: LedgerUpdate, *changed: Known, without: tuple[ParticipantId, ...] = ()) -> None:
    company = {key: value for key, value in asked.company.items() if key not in without}
    check_may_change(asked.actor, asked.thread, update, company | {each.id: each for each in changed})


def _add(*added: Participant) -> LedgerUpdate:
    return LedgerUpdate(add_participants=added)


def _in(asked: Scene, **changes: object) -> Scene:
    ledger = replace(asked.thread.ledger, **changes)
    return replace(asked, thread=replace(asked.thread, ledger=ledger))


# ── Who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_refused_is_named() -> None:
    update = LedgerUpdate(status="closed", visibility=RESTRICTED, policies=PATIENTS_OUT)
    with pytest.raises(errors.NotAllowedError, match="may not change visibility and policies of thread"):
        _change(ASKED, update)


def test_colleagues_are_added_all_or_none() -> None:
    stranger = known(STRANGER, CLINIC.id)
    _change(ASKED, _add(COLLEAGUE, STRANGER), stranger)
    with pytest.raises(errors.NotAllowedError, match="participants"):
        _change(ASKED, _add(COLLEAGUE, STRANGER))
    with pytest.raises(errors.NotAllowedError):
        _change(ASKED, LedgerUpdate(add_participants=(COLLEAGUE,), remove_participants=(EXTRA.id,)))


def test_a_colleague_is_a_professional_of_the_group_that_is_asked() -> None:
    administrator = Participant(STRANGER.id, Role.CARE_ADMINISTRATOR, "Clerk")
    _change(ASKED, _add(administrator), known(administrator, CLINIC.id))
    both = replace(ASKED, actor=replace(ASKED.actor, memberships=(membership(CLINIC.id), membership(ELSEWHERE))))
    with pytest.raises(errors.NotAllowedError):
        _change(both, _add(STRANGER), known(STRANGER, ELSEWHERE))
    relative = listed(JOHN)[0]
    with pytest.raises(errors.NotAllowedError):
        _change(ASKED, _add(relative), known(relative, CLINIC.id))
    with pytest.raises(errors.NotAllowedError):
        _change(ASKED, _add(LABORATORY), replace(known(LABORATORY), memberships=(membership(CLINIC.id),)))
    with pytest.raises(errors.NotAllowedError):
        _change(ASKED, _add(STRANGER), without=(STRANGER.id,))


def test_whoever_is_asked_by_name_adds_colleagues_of_an_organisation_not_of_a_patient() -> None:
    by_name = scene("clinician", "asked_by_name", "restricted", "open")
    _change(by_name, _add(STRANGER), known(STRANGER, ELSEWHERE))
    in_team = replace(by_name, actor=replace(by_name.actor, memberships=(membership(NETWORK.id),)))
    with pytest.raises(errors.NotAllowedError):
        _change(in_team, _add(STRANGER), known(STRANGER, NETWORK.id))


def test_a_colleague_is_one_where_the_actor_is_a_clinician() -> None:
    by_name = scene("clinician", "asked_by_name", "restricted", "open")
    clerk = (membership(ELSEWHERE, Standing.CARE_ADMINISTRATOR),)
    with pytest.raises(errors.NotAllowedError):
        _change(replace(by_name, actor=replace(by_name.actor, memberships=clerk)), _add(COLLEAGUE))


def test_a_professional_who_left_closes_nothing_for_having_opened_it() -> None:
    left = scene("administrator", "left", "standard", "open")
    now = (membership(CLINIC.id, Standing.CARE_ADMINISTRATOR),)
    with pytest.raises(errors.NotAllowedError, match="status"):
        _change(replace(left, actor=replace(left.actor, memberships=now)), LedgerUpdate(status="closed"))


def test_with_a_patients_reply_to_team_its_clinicians_hold_the_home_sides_rights_too() -> None:
    asked = scene("relative", "opener", "standard", "open")
    clinician = replace(HOME.actor, memberships=(membership(NETWORK.id),))
    _change(replace(asked, actor=clinician), LedgerUpdate(visibility=CONFIDENTIAL))
    _change(replace(asked, actor=replace(clinician, memberships=(membership(CLINIC.id),))), _add(STRANGER))


# ── What is as asked, and what cannot be ──────────────────────────────────────────────────────────────────────────────


def test_what_changes_nothing() -> None:
    ledger = HOME.thread.ledger
    same = LedgerUpdate(
        status=ThreadStatus.OPEN, visibility=ledger.visibility, policies=ledger.policies, addressing=ledger.addressing
    )
    for update in (LedgerUpdate(), same):
        with pytest.raises(errors.NothingToChangeError):
            _change(ASKED, update)


def test_removing_and_adding() -> None:
    with pytest.raises(errors.NotParticipantError):
        _change(HOME, LedgerUpdate(remove_participants=(STRANGER.id,)))
    with pytest.raises(errors.AddressedParticipantError):
        _change(HOME, LedgerUpdate(remove_participants=(OPENER.id,)))
    with pytest.raises(errors.DuplicateParticipantError):
        _change(HOME, _add(EXTRA))
    with pytest.raises(errors.DuplicateParticipantError):
        _change(HOME, LedgerUpdate(add_participants=(EXTRA,), remove_participants=(EXTRA.id,)))
    with pytest.raises(errors.DuplicateParticipantError):
        _change(HOME, _add(STRANGER, STRANGER))


def test_whoever_is_added_is_known_active_and_of_this_patient() -> None:
    with pytest.raises(errors.UnknownPersonError):
        _change(HOME, _add(STRANGER), without=(STRANGER.id,))
    with pytest.raises(errors.InactiveError):
        _change(HOME, _add(STRANGER), replace(known(STRANGER), active=False))
    with pytest.raises(errors.RoleMismatchError):
        _change(HOME, _add(STRANGER), replace(known(STRANGER), role=Role.CARE_ADMINISTRATOR))
    with pytest.raises(errors.WrongPatientError):
        _change(HOME, _add(FOREIGN), known(FOREIGN))
    _change(HOME, _add(NETWORK, *listed(JOHN)), known(NETWORK), known(listed(JOHN)[0]))


# ── Policies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _at_home(*changed: Known, **changes: object) -> tuple[Scene, tuple[Known, ...]]:
    """Return a thread of the pharmacy among its own: asked is one of its members by name."""
    participants = (OPENER, PHARMACY, HOME_KEEPER, ASKED_KEEPER)
    addressing = Addressing(OPENER.id, (ASKED_KEEPER.id,), PHARMACY.id)
    asked = _in(HOME, participants=participants, addressing=addressing, **changes)
    return asked, (known(ASKED_KEEPER, PHARMACY.id), *changed)


def test_external_organisations_are_excluded_while_none_takes_part() -> None:
    asked, company = _at_home()
    # The opener has left the pharmacy since, and stays: `known` has them without a group.
    _change(asked, LedgerUpdate(policies=HOME_ALONE), *company)


def test_it_removes_nobody_silently() -> None:
    with pytest.raises(errors.PolicyContradictionError, match=f"{CLINIC.id} is no member of {PHARMACY.id}"):
        _change(HOME, LedgerUpdate(policies=HOME_ALONE))
    asked, _ = _at_home()
    with pytest.raises(errors.PolicyContradictionError, match=ASKED_KEEPER.id):
        _change(asked, LedgerUpdate(policies=HOME_ALONE))
    with pytest.raises(errors.PolicyContradictionError, match=ASKED_KEEPER.id):
        _change(asked, LedgerUpdate(policies=HOME_ALONE), without=(ASKED_KEEPER.id,))
    alone = scene("clinician", "requester", "standard", "open")
    with pytest.raises(errors.PolicyContradictionError, match="without a home group"):
        _change(alone, LedgerUpdate(policies=HOME_ALONE))
    patient = _in(HOME, participants=(*HOME.thread.ledger.participants, *listed(JOHN)))
    with pytest.raises(errors.PolicyContradictionError, match=JOHN.id):
        _change(patient, LedgerUpdate(policies=PATIENTS_OUT), known(listed(JOHN)[0]))


def test_what_contradicts_may_be_removed_in_the_same_change() -> None:
    asked, company = _at_home()
    participants = (*asked.thread.ledger.participants, EXTRA)
    with_extra = _in(asked, participants=participants)
    with pytest.raises(errors.PolicyContradictionError, match=EXTRA.id):
        _change(with_extra, LedgerUpdate(policies=HOME_ALONE), *company)
    _change(with_extra, LedgerUpdate(policies=HOME_ALONE, remove_participants=(EXTRA.id,)), *company)


def test_only_the_home_side_and_patients_join_where_others_are_excluded() -> None:
    asked, company = _at_home(policies=HOME_ALONE)
    _change(asked, _add(STRANGER), *company, known(STRANGER, PHARMACY.id))
    _change(asked, _add(*listed(JOHN)), *company, known(listed(JOHN)[0]))
    for added in (known(STRANGER), known(STRANGER, CLINIC.id), known(LABORATORY)):
        with pytest.raises(errors.ExternalParticipantError, match=added.id):
            _change(asked, _add(Participant(added.id, added.role, added.name)), *company, added)
    closed_to_all = replace(HOME_ALONE, allow_patient_participation=False)
    asked, company = _at_home(policies=closed_to_all)
    with pytest.raises(errors.PolicyContradictionError, match=JOHN.id):
        _change(asked, _add(*listed(JOHN)), *company, known(listed(JOHN)[0]))


def test_whoever_left_since_stays_and_hinders_no_other_change() -> None:
    asked, _ = _at_home(policies=HOME_ALONE)
    _change(asked, LedgerUpdate(status="closed"))


# ── Addressing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_more_may_be_asked() -> None:
    addressing = Addressing(OPENER.id, (CLINIC.id, LABORATORY.id), PHARMACY.id)
    update = LedgerUpdate(add_participants=(LABORATORY,), addressing=addressing)
    _change(HOME, update, known(LABORATORY))
    with pytest.raises(errors.NoReaderError, match=LABORATORY.id):
        _change(HOME, update, replace(known(LABORATORY), members=frozenset()))
    with pytest.raises(errors.NotAllowedError, match="participants and addressing"):
        _change(ASKED, update, known(LABORATORY))
    to_extra = LedgerUpdate(addressing=Addressing(OPENER.id, (CLINIC.id, EXTRA.id), PHARMACY.id))
    _change(HOME, to_extra)
    with pytest.raises(errors.InactiveError, match=EXTRA.id):
        _change(HOME, to_extra, replace(known(EXTRA), active=False))
    with pytest.raises(errors.InactiveError, match=EXTRA.id):
        _change(HOME, to_extra, without=(EXTRA.id,))
    closed = scene("clinician", "home", "standard", "closed")
    with pytest.raises(errors.ThreadNotOpenError):
        _change(closed, to_extra)


def test_whoever_is_asked_stays_asked() -> None:
    with pytest.raises(errors.AddressedParticipantError, match=CLINIC.id):
        _change(HOME, LedgerUpdate(addressing=Addressing(OPENER.id, (EXTRA.id,), PHARMACY.id)))
    with pytest.raises(errors.NotParticipantError):
        _change(HOME, LedgerUpdate(addressing=Addressing(OPENER.id, (CLINIC.id,), STRANGER.id)))


def test_the_home_side_stays_what_it_is() -> None:
    for requester, reply_to in ((OPENER, CLINIC.id), (OPENER, None), (EXTRA, PHARMACY.id)):
        with pytest.raises(errors.NotAllowedError, match="stay: open another"):
            _change(HOME, LedgerUpdate(addressing=Addressing(requester.id, (CLINIC.id,), reply_to)))
    alone = scene("clinician", "requester", "standard", "open")
    _change(alone, LedgerUpdate(addressing=Addressing(ACTOR, (CLINIC.id,), EXTRA.id)))
    with pytest.raises(errors.NotAllowedError, match="stay: open another"):
        _change(alone, LedgerUpdate(addressing=Addressing(ACTOR, (CLINIC.id,), CLINIC.id)))
    plain = scene("clinician", "plain_named", "standard", "open")
    with pytest.raises(errors.NotAllowedError, match="is plain and stays so"):
        _change(plain, LedgerUpdate(addressing=Addressing(ACTOR, (CLINIC.id,))))


# ── Readers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _named(*keepers: Participant) -> Scene:
    """Return the thread of the pharmacy and the clinic, with these by name."""
    return _in(HOME, participants=(OPENER, PHARMACY, CLINIC, *keepers))


def test_a_thread_is_restricted_only_while_each_side_keeps_a_named_reader() -> None:
    for update in (RESTRICTED, Visibility(Sensitivity.RESTRICTED)):
        _change(_named(HOME_KEEPER, ASKED_KEEPER), LedgerUpdate(visibility=update))
        for keeper, left in ((ASKED_KEEPER, PHARMACY), (HOME_KEEPER, CLINIC), (EXTRA, PHARMACY)):
            with pytest.raises(errors.NoReaderError, match=left.id) as refused:
                _change(_named(keeper), LedgerUpdate(visibility=update))
            assert any(left.id in each for each in refused.value.sides)
    inactive = replace(HOME.company[HOME_KEEPER.id], active=False)
    with pytest.raises(errors.NoReaderError, match="add one of them by name first"):
        _change(_named(HOME_KEEPER, ASKED_KEEPER), LedgerUpdate(visibility=RESTRICTED), inactive)


def test_the_named_reader_may_join_in_the_same_change() -> None:
    update = LedgerUpdate(visibility=RESTRICTED, add_participants=(COLLEAGUE,))
    _change(_named(ASKED_KEEPER), update, known(COLLEAGUE, PHARMACY.id))


def test_whoever_asked_for_themselves_or_is_asked_by_name_is_a_named_reader() -> None:
    alone = scene("clinician", "requester", "standard", "open")
    _change(alone, LedgerUpdate(visibility=RESTRICTED))
    by_name = scene("last_steward", "asked_by_name", "standard", "open")
    _change(by_name, LedgerUpdate(visibility=RESTRICTED))


def test_a_thread_is_confidential_only_while_each_side_keeps_a_reader() -> None:
    _change(_named(), LedgerUpdate(visibility=CONFIDENTIAL))
    clerks = replace(known(CLINIC), members=frozenset({Standing.CARE_ADMINISTRATOR}))
    with pytest.raises(errors.NoReaderError, match=CLINIC.id):
        _change(_named(), LedgerUpdate(visibility=CONFIDENTIAL), clerks)
    _change(_named(ASKED_KEEPER), LedgerUpdate(visibility=CONFIDENTIAL), clerks)


def test_patients_are_turned_off_only_while_each_side_keeps_a_reader() -> None:
    relatives = replace(known(CLINIC), members=frozenset({Standing.PATIENT_ASSOCIATE}))
    with pytest.raises(errors.NoReaderError, match=CLINIC.id):
        _change(_named(), LedgerUpdate(policies=PATIENTS_OUT), relatives)


def test_the_last_named_reader_of_a_side_is_not_removed() -> None:
    restricted = _in(scene("clinician", "home_named", "standard", "open"), visibility=RESTRICTED)
    with pytest.raises(errors.NoReaderError, match=CLINIC.id):
        _change(restricted, LedgerUpdate(remove_participants=(ASKED_KEEPER.id,)))
    _change(restricted, LedgerUpdate(remove_participants=(HOME_KEEPER.id,)), known(_actor(), PHARMACY.id))


def _actor() -> Participant:
    return Participant(ACTOR, Role.CLINICIAN, "Actor")


def test_a_side_that_has_nobody_hinders_only_what_narrows() -> None:
    gone = replace(known(CLINIC), members=frozenset())
    asked = _named(HOME_KEEPER, EXTRA)
    _change(asked, LedgerUpdate(remove_participants=(EXTRA.id,)), gone)
    with pytest.raises(errors.NoReaderError):
        _change(asked, LedgerUpdate(visibility=CONFIDENTIAL), gone)


def test_a_plain_thread_keeps_a_reader() -> None:
    plain = scene("clinician", "plain_named", "standard", "open")
    _change(plain, LedgerUpdate(visibility=RESTRICTED))
    only = _in(plain, participants=(_actor(), CLINIC))
    _change(only, LedgerUpdate(visibility=RESTRICTED))
    with pytest.raises(errors.NoReaderError):
        _change(_in(only, visibility=RESTRICTED), LedgerUpdate(remove_participants=(ACTOR,)))


def test_a_membership_for_another_patient_makes_no_reader() -> None:
    keeper = replace(known(ASKED_KEEPER), memberships=(Membership(CLINIC.id, Standing.CLINICIAN, OTHER_PATIENT),))
    with pytest.raises(errors.NoReaderError):
        _change(_named(HOME_KEEPER, ASKED_KEEPER), LedgerUpdate(visibility=RESTRICTED), keeper)
    mine = replace(keeper, memberships=(Membership(CLINIC.id, Standing.CLINICIAN, PATIENT),))
    _change(_named(HOME_KEEPER, ASKED_KEEPER), LedgerUpdate(visibility=RESTRICTED), mine)
