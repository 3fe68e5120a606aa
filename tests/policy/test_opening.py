"""Who may open a thread, and with whom: each refusal by itself."""

import pytest
from msgspec.structs import replace

from carethread import Addressing, Participant, Policies, Role, Sensitivity, ThreadStatus, Visibility, errors
from carethread.directory.model import Membership, Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Known, Thread
from carethread.policy.opening import as_opened, check_may_open
from carethread.record.transitions import NewThread
from tests.people import CLINIC, JOHN, MARY, PHARMACIST, PHARMACY, TOM, listed, person
from tests.policy.scene import (
    FOREIGN,
    NETWORK,
    OTHER_PATIENT,
    PATIENT,
    STRANGER,
    THREAD_ID,
    known,
    membership,
    scene,
)

PATIENTS = frozenset({PATIENT})
REQUESTER = Participant(PHARMACIST.id, Role.CLINICIAN, PHARMACIST.name)
OPENS = Actor(
    PHARMACIST.id,
    ActorKind.PRACTITIONER,
    PHARMACIST.name,
    memberships=(membership(PHARMACY.id),),
    standings=frozenset({Standing.CLINICIAN}),
)
FOR_PHARMACY = NewThread((REQUESTER, PHARMACY, CLINIC), Addressing(REQUESTER.id, (CLINIC.id,), PHARMACY.id))
FOR_HERSELF = NewThread((REQUESTER, CLINIC), Addressing(REQUESTER.id, (CLINIC.id,)))
COMPANY = {each.id: known(each) for each in (PHARMACY, CLINIC, NETWORK, FOREIGN, STRANGER)}
COMPANY |= {REQUESTER.id: known(REQUESTER, PHARMACY.id)}
COMPANY |= {each.id: known(each) for each in listed(JOHN, MARY)}


def _open(
    new: NewThread,
    actor: Actor = OPENS,
    on_behalf_of: ParticipantId | None = None,
    *changed: Known,
    patient_side_opens: bool = False,
    continued: Thread | None = None,
) -> None:
    company = COMPANY | {each.id: each for each in changed}
    check_may_open(
        actor, new, on_behalf_of, PATIENTS, company, patient_side_opens=patient_side_opens, continued=continued
    )


def _with(new: NewThread, *added: Participant) -> NewThread:
    return replace(new, participants=(*new.participants, *added))


def test_for_oneself_and_for_a_group() -> None:
    _open(FOR_HERSELF)
    _open(FOR_PHARMACY, on_behalf_of=PHARMACY.id)
    # That the reply-to is a group says for whom.
    _open(FOR_PHARMACY)


def test_a_team_may_say_that_somebody_works_though_no_role_does() -> None:
    actor = replace(OPENS, standings=frozenset())
    _open(FOR_PHARMACY, actor, PHARMACY.id)
    # Who did not say for whom is no clinician on the strength of the group.
    administrator = replace(REQUESTER, role=Role.CARE_ADMINISTRATOR)
    _open(replace(FOR_PHARMACY, participants=(administrator, PHARMACY, CLINIC)), actor)
    with pytest.raises(errors.NotAllowedError, match="neither clinician nor care administrator"):
        _open(FOR_HERSELF, actor)


def test_so_may_a_group_that_a_plain_thread_is_opened_for() -> None:
    actor = replace(OPENS, standings=frozenset())
    plain = replace(FOR_PHARMACY, addressing=None)
    _open(plain, actor, PHARMACY.id)
    as_relative = replace(actor, memberships=(membership(PHARMACY.id, Standing.PATIENT_ASSOCIATE),))
    with pytest.raises(errors.NotAllowedError, match="neither clinician nor care administrator"):
        _open(plain, as_relative, PHARMACY.id)


def test_whoever_opens_a_thread_takes_part() -> None:
    with pytest.raises(errors.NotParticipantError, match=OPENS.id):
        _open(NewThread((PHARMACY, CLINIC)), OPENS, PHARMACY.id)


def test_one_may_ask_ones_own_group_and_be_its_reader() -> None:
    actor = replace(OPENS, memberships=(membership(CLINIC.id),))
    _open(replace(FOR_HERSELF, visibility=Visibility(restricted=True)), actor)


def test_only_for_a_group_of_ones_own() -> None:
    actor = replace(OPENS, memberships=())
    with pytest.raises(errors.NotMemberError, match=PHARMACY.id):
        _open(FOR_PHARMACY, actor)
    with pytest.raises(errors.NotMemberError, match=CLINIC.id):
        _open(FOR_HERSELF, OPENS, CLINIC.id)


def test_as_what_one_is_in_that_group() -> None:
    both = (membership(PHARMACY.id, Standing.CARE_ADMINISTRATOR), membership(CLINIC.id))
    administrator = replace(REQUESTER, role=Role.CARE_ADMINISTRATOR)
    actor = replace(OPENS, memberships=both)
    _open(replace(FOR_PHARMACY, participants=(administrator, PHARMACY, CLINIC)), actor, PHARMACY.id)
    with pytest.raises(errors.RoleMismatchError, match="is clinician in this thread, not care_administrator"):
        _open(FOR_PHARMACY, actor, PHARMACY.id)


def test_what_is_opened_for_a_group_has_its_replies_go_there() -> None:
    actor = replace(OPENS, memberships=(membership(PHARMACY.id), membership(CLINIC.id)))
    for reply_to in (None, CLINIC.id, REQUESTER.id):
        new = replace(FOR_PHARMACY, addressing=Addressing(REQUESTER.id, (CLINIC.id,), reply_to))
        with pytest.raises(errors.InvalidValueError, match=f"reply_to: is not {PHARMACY.id}"):
            _open(new, actor, PHARMACY.id)
    # A plain thread has no such place: that the first message is for the pharmacy stands in the message.
    _open(replace(FOR_PHARMACY, addressing=None), actor, PHARMACY.id)


def test_whether_the_patients_side_opens_is_the_installations_choice() -> None:
    new = NewThread((*listed(MARY), CLINIC), Addressing(MARY.id, (CLINIC.id,)))
    actor = Actor(MARY.id, ActorKind.RELATED_PERSON, MARY.name, patients=PATIENTS)
    _open(new, actor, patient_side_opens=True)
    with pytest.raises(errors.NotAllowedError, match="in this installation"):
        _open(new, actor)
    with pytest.raises(errors.WrongPatientError):
        _open(new, replace(actor, patients=frozenset({OTHER_PATIENT})), patient_side_opens=True)
    # Two patients that were merged are one.
    _open(new, replace(actor, patients=frozenset({OTHER_PATIENT, PATIENT})), patient_side_opens=True)


def test_whoever_takes_part_is_known_active_and_what_the_directory_says() -> None:
    with pytest.raises(errors.UnknownPersonError, match=TOM.id):
        _open(_with(FOR_HERSELF, *listed(TOM)))
    with pytest.raises(errors.InactiveError, match=STRANGER.id):
        _open(_with(FOR_HERSELF, STRANGER), OPENS, None, replace(known(STRANGER), active=False))
    with pytest.raises(errors.InactiveError, match=CLINIC.id):
        _open(FOR_HERSELF, OPENS, None, replace(known(CLINIC), active=False))
    with pytest.raises(errors.RoleMismatchError, match="is patient in the directory, not clinician"):
        _open(_with(FOR_HERSELF, Participant(JOHN.id, Role.CLINICIAN, JOHN.name)))


def test_only_people_and_teams_of_this_patient() -> None:
    _open(_with(FOR_HERSELF, *listed(JOHN, MARY), NETWORK))
    other = replace(known(listed(MARY)[0]), patient=OTHER_PATIENT)
    for added, knows in ((listed(MARY)[0], other), (FOREIGN, known(FOREIGN))):
        with pytest.raises(errors.WrongPatientError, match=added.id):
            _open(_with(FOR_HERSELF, added), OPENS, None, knows)
    with pytest.raises(errors.WrongPatientError):
        _open(_with(FOR_HERSELF, *listed(MARY)), OPENS, None, replace(other, patient=None))


def test_whoever_is_listed_twice_or_addressed_without_taking_part() -> None:
    with pytest.raises(errors.DuplicateParticipantError):
        _open(_with(FOR_HERSELF, CLINIC))
    with pytest.raises(errors.NotParticipantError):
        _open(replace(FOR_HERSELF, addressing=Addressing(REQUESTER.id, (CLINIC.id,), PHARMACY.id)))


# ── Policies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

HOME_ALONE = Policies(allow_external_organisations=False)
COLLEAGUES = NewThread(
    (REQUESTER, PHARMACY, *listed(TOM)), Addressing(REQUESTER.id, (TOM.id,), PHARMACY.id), policies=HOME_ALONE
)
TOM_OF_PHARMACY = known(listed(TOM)[0], PHARMACY.id)


def test_the_home_side_alone() -> None:
    _open(COLLEAGUES, OPENS, None, TOM_OF_PHARMACY)
    _open(_with(COLLEAGUES, *listed(JOHN)), OPENS, None, TOM_OF_PHARMACY)
    with pytest.raises(errors.ExternalParticipantError, match=f"{TOM.id} is no member of {PHARMACY.id}"):
        _open(COLLEAGUES, OPENS, None, known(listed(TOM)[0], CLINIC.id))
    for external in (CLINIC, NETWORK):
        with pytest.raises(errors.ExternalParticipantError, match=external.id):
            _open(_with(COLLEAGUES, external), OPENS, None, TOM_OF_PHARMACY)


def test_no_patients_where_they_may_not() -> None:
    policies = Policies(allow_patient_participation=False, allow_external_organisations=False)
    with pytest.raises(errors.PolicyContradictionError, match=JOHN.id):
        _open(_with(replace(COLLEAGUES, policies=policies), *listed(JOHN)), OPENS, None, TOM_OF_PHARMACY)


def test_a_thread_without_a_home_group_excludes_nobody() -> None:
    with pytest.raises(errors.PolicyContradictionError, match="without a home group"):
        _open(replace(FOR_HERSELF, policies=HOME_ALONE))
    with pytest.raises(errors.PolicyContradictionError, match="without a home group"):
        _open(replace(FOR_HERSELF, addressing=None, policies=HOME_ALONE))


# ── Readers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CONFIDENTIAL = Visibility(Sensitivity.CONFIDENTIAL)
RESTRICTED = Visibility(restricted=True)
PATIENTS_OUT = Policies(allow_patient_participation=False)
ADMINISTRATOR, CLINICIAN, RELATIVE = Standing.CARE_ADMINISTRATOR, Standing.CLINICIAN, Standing.PATIENT_ASSOCIATE


@pytest.mark.parametrize(
    "members,visibility,policies,enough",
    [
        (set(), Visibility(), Policies(), False),
        ({RELATIVE}, Visibility(), Policies(), True),
        ({RELATIVE}, Visibility(), PATIENTS_OUT, False),
        ({ADMINISTRATOR}, Visibility(), PATIENTS_OUT, True),
        ({ADMINISTRATOR}, CONFIDENTIAL, Policies(), False),
        ({ADMINISTRATOR, CLINICIAN}, CONFIDENTIAL, Policies(), True),
        ({CLINICIAN}, RESTRICTED, Policies(), False),
        ({CLINICIAN}, Visibility(Sensitivity.RESTRICTED), Policies(), False),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_whoever_is_addressed_could_read_it(
    members: set[Standing], visibility: Visibility, policies: Policies, enough: bool, plain: bool
) -> None:
    addressing = None if plain else FOR_HERSELF.addressing
    new = NewThread((REQUESTER, CLINIC), addressing, visibility=visibility, policies=policies)
    clinic = replace(known(CLINIC), members=frozenset(members))
    if enough:
        _open(new, OPENS, None, clinic)
    else:
        with pytest.raises(errors.NoReaderError, match=f"{CLINIC.id} has no active member"):
            _open(new, OPENS, None, clinic)


def test_somebody_of_the_group_who_takes_part_by_name_reads_it() -> None:
    new = _with(replace(FOR_HERSELF, visibility=RESTRICTED), STRANGER)
    _open(new, OPENS, None, known(STRANGER, CLINIC.id))
    with pytest.raises(errors.NoReaderError):
        _open(new, OPENS, None, known(STRANGER, PHARMACY.id))
    elsewhere = replace(known(STRANGER), memberships=(Membership(CLINIC.id, CLINICIAN, OTHER_PATIENT),))
    with pytest.raises(errors.NoReaderError):
        _open(new, OPENS, None, elsewhere)


def test_a_system_that_is_asked_needs_no_reader() -> None:
    gateway = Participant(person(120), Role.SYSTEM, "Gateway")
    new = NewThread((REQUESTER, gateway), Addressing(REQUESTER.id, (gateway.id,)))
    _open(new, OPENS, None, Known(gateway.id, Role.SYSTEM, gateway.name))


def test_a_group_that_only_takes_part_need_not() -> None:
    _open(_with(FOR_HERSELF, NETWORK), OPENS, None, replace(known(NETWORK), members=frozenset()))


def test_whoever_opens_it_reads_it() -> None:
    new = _with(replace(FOR_PHARMACY, visibility=RESTRICTED), STRANGER)
    with pytest.raises(errors.NotAllowedError, match="or open it as an individual"):
        _open(new, OPENS, None, known(STRANGER, CLINIC.id, PHARMACY.id))


# ── Taking up another thread ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_one_may_not_read_is_none_to_continue() -> None:
    new = replace(FOR_HERSELF, continues=THREAD_ID)
    opener = Participant(PHARMACIST.id, Role.CLINICIAN, PHARMACIST.name)
    closed = scene("clinician", "none", "standard", "closed").thread
    own = replace(closed, ledger=replace(closed.ledger, participants=(*closed.ledger.participants, opener)))
    _open(new, continued=own)
    said = set()
    stranger = replace(OPENS, memberships=())
    for continued in (None, closed):
        with pytest.raises(errors.InvalidValueError) as refused:
            _open(new, stranger, continued=continued)
        said.add(str(refused.value))
    assert said == {f"continues: {THREAD_ID} is no thread of this record"}
    still_open = replace(own, ledger=replace(own.ledger, status=ThreadStatus.OPEN))
    with pytest.raises(errors.InvalidValueError, match="still open"):
        _open(new, continued=still_open)


def test_a_thread_to_be_has_no_id_and_nobody_is_left_out() -> None:
    thread = as_opened(FOR_PHARMACY, PATIENTS)
    assert thread.ledger.communication_id == ""
    assert thread.ledger.participants == FOR_PHARMACY.participants
    assert thread.patients == PATIENTS


def test_an_inactive_person_opens_nothing() -> None:
    with pytest.raises(errors.InactiveError, match=OPENS.id):
        _open(FOR_HERSELF, replace(OPENS, active=False))
