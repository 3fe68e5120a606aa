"""What is possible, held to the answers that somebody wrote down for each check."""

import pytest
from msgspec.structs import replace

from carethread import CoordinationStatus, LifecycleState, Policies, Sensitivity, ThreadStatus, Visibility
from carethread.clock import Instant
from carethread.ids import ClinicalId, CoordinationId, MessageId, ParticipantId
from carethread.policy.possible import VISIBILITIES, Around, Possible, Sides, Way, possible, ways_of
from carethread.record.model import Custodian, Ledger, Message, MessageType, Party
from tests.people import CLINIC, PHARMACY, person
from tests.policy.scene import ACTOR, EXTRA, STRANGER, Scene, scene
from tests.policy.table import Case, read_table

TABLE = read_table()
CASES = {case: row.answer for row in TABLE.rows for case in row.cases()}
IMPOSSIBLE = frozenset(case for row in TABLE.impossible for case in row.cases())
HERE = Custodian(person(900), "Here")
STATUS = CoordinationStatus(CoordinationId("a" * 32), ClinicalId(person(901)), HERE)
WRITTEN = ("correct_own", "correct_group", "correct_other", "correct_system")
IDS = {each: MessageId(person(number)) for number, each in enumerate(WRITTEN, 800)}
NARROW = Visibility(Sensitivity.RESTRICTED, restricted=True)


def _messages(of: Scene) -> tuple[Message, ...]:
    group = Party(of.group, "Group")
    plain = Message(IDS["correct_own"], MessageType.CLINICIAN, Instant(0), ACTOR, "Author", "Text.")
    return (
        plain,
        replace(plain, id=IDS["correct_group"], author_id=STRANGER.id, on_behalf_of=group),
        replace(plain, id=IDS["correct_other"], author_id=STRANGER.id),
        replace(plain, id=IDS["correct_system"], type=MessageType.SYSTEM),
    )


def _possible(of: Scene, status: CoordinationStatus = STATUS, *, patient_side_opens: bool = True) -> Possible:
    around = Around(
        status=status, installation=HERE.id, company=of.company, patient_side_opens=patient_side_opens
    )  # fmt: skip
    return possible(of.actor, of.thread, around, _messages(of))


def _said(of: Scene, found: Possible) -> dict[str, bool]:
    """Return the answers in the words of the table."""
    before = of.thread.ledger
    turned = replace(
        before.policies, allow_patient_participation=not before.policies.allow_patient_participation
    )  # fmt: skip
    return {
        "post": found.post,
        **{name: message in found.correct for name, message in IDS.items()},
        "set_aside": of.group in found.set_aside,
        "close": found.close,
        "archive": found.archive,
        "add_colleague": found.add,
        "add_other": found.add_others,
        "remove": EXTRA.id in found.remove,
        "narrow": NARROW in found.visibilities,
        "widen": Visibility() in found.visibilities,
        "policies": turned in found.policies,
    }


@pytest.mark.parametrize("role", TABLE.columns[0])
def test_a_button_is_there_exactly_where_the_answer_is_yes(role: str) -> None:
    wrong = []
    for relation in TABLE.columns[1]:
        for visibility in TABLE.columns[2]:
            for status in TABLE.columns[3]:
                cases: dict[str, Case] = {
                    each: (role, relation, visibility, status, each)
                    for each in TABLE.columns[4]
                    if (role, relation, visibility, status, each) not in IMPOSSIBLE
                }
                if not cases:
                    continue
                of = scene(role, relation, visibility, status)
                said = _said(of, _possible(of))
                wrong += [
                    f"{' '.join(case)}: {said[name]}, written down: {CASES[case]}"
                    for name, case in cases.items()
                    if name in said and said[name] is not (CASES[case] == "yes")
                ]
    assert wrong == []


def test_what_the_record_does_not_take_nobody_may() -> None:
    home = scene("clinician", "home", "standard", "open")
    aside = Possible(set_aside=frozenset({PHARMACY.id}))
    elsewhere = Custodian(person(902), "Elsewhere")
    for status in (
        replace(STATUS, custodian=elsewhere),
        replace(STATUS, lifecycle_state=LifecycleState.SUSPENDED),
        replace(STATUS, record_modifiable=False),
    ):
        assert _possible(home, status) == aside
    shut = _possible(home, replace(STATUS, record_open=False))
    assert shut.close
    assert shut.add
    assert (shut.post, shut.correct, shut.continues, shut.refile) == (False, frozenset(), False, frozenset())


def test_who_may_take_up_a_closed_thread() -> None:
    def may(role: str, relation: str, status: str = "closed", *, patient_side_opens: bool = True) -> bool:
        of = scene(role, relation, "standard", status)
        return _possible(of, patient_side_opens=patient_side_opens).continues

    assert may("clinician", "home")
    assert may("administrator", "asked")
    assert may("patient", "network")
    assert not may("clinician", "home", "open")
    assert not may("patient", "network", patient_side_opens=False)
    assert not may("clinician", "left")
    for role in ("auditor", "client", "last_steward", "other_relative", "inactive"):
        assert not may(role, "home")


def test_who_is_a_professional_of_a_group_alone_takes_up_a_thread_for_it() -> None:
    """They hold no role anywhere: a team names them as a clinician."""
    asked = scene("clinician", "asked", "standard", "closed")
    of = Scene(replace(asked.actor, standings=frozenset()), asked.thread, asked.company, asked.group, None)
    assert _possible(of).continues


def test_which_messages_can_be_filed_again() -> None:
    home = scene("clinician", "home", "standard", "open")
    own_and_the_groups = frozenset({IDS["correct_own"], IDS["correct_group"]})
    assert _possible(home).refile == own_and_the_groups
    # Whoever is asked may correct it, but not shut the thread.
    asked = _possible(scene("clinician", "asked", "standard", "open"))
    assert asked.correct == own_and_the_groups
    assert asked.refile == frozenset()
    # A patient opens nothing in another patient's record.
    assert _possible(scene("patient", "opener", "standard", "open")).refile == frozenset()
    # A member of two groups says for which they correct; filing again does not ask.
    both = _possible(scene("clinician", "both", "standard", "open"))
    assert both.correct
    assert both.refile == frozenset()


def test_a_side_that_would_have_no_reader_can_be_given_one() -> None:
    """Nobody of the two organisations takes part by name: then filing again adds somebody."""
    home = scene("clinician", "home", "standard", "open")
    ledger: Ledger = home.thread.ledger
    named = tuple(each for each in ledger.participants if each.id in {PHARMACY.id, CLINIC.id, _requester(ledger)})
    of = Scene(
        home.actor, replace(home.thread, ledger=replace(ledger, participants=named)), home.company, home.group, None
    )
    found = _possible(of)
    assert NARROW not in found.visibilities
    assert found.refile


def _requester(ledger: Ledger) -> ParticipantId:
    assert ledger.addressing is not None
    return ledger.addressing.requester


def test_of_whom_nobody_would_read_a_narrower_thread() -> None:
    """Whoever shows the choices can say whom to add first."""
    home = scene("clinician", "home", "standard", "open")
    ledger: Ledger = home.thread.ledger
    bare = tuple(each for each in ledger.participants if each.id in {PHARMACY.id, CLINIC.id, _requester(ledger)})

    def without(actor: Scene) -> dict[Visibility, Sides]:
        thread = replace(home.thread, ledger=replace(ledger, participants=bare))
        return dict(_possible(Scene(actor.actor, thread, home.company, actor.group, None)).without_reader)

    sides = (frozenset({PHARMACY.id, _requester(ledger)}), frozenset({CLINIC.id}))
    named_only = {each for each in VISIBILITIES if each.restricted or each.sensitivity is Sensitivity.RESTRICTED}
    assert without(home) == dict.fromkeys(named_only, sides)
    # Whoever may not change it is told of nothing.
    assert without(scene("clinician", "asked", "standard", "open")) == {}
    assert _possible(home).without_reader == {}


def test_which_messages_of_a_closed_thread_can_be_corrected_in_another() -> None:
    closed = _possible(scene("clinician", "home", "standard", "closed"))
    assert closed.correct == frozenset()
    assert closed.correct_later == {IDS["correct_own"], IDS["correct_group"]}
    assert _possible(scene("clinician", "home", "standard", "open")).correct_later == frozenset()
    patient = scene("patient", "network", "standard", "closed")
    assert _possible(patient).correct_later == {IDS["correct_own"]}
    assert _possible(patient, patient_side_opens=False).correct_later == frozenset()


def test_what_a_thread_is_already_is_no_choice() -> None:
    home = _possible(scene("clinician", "home", "standard", "open"))
    assert len(home.visibilities) == 5
    assert Visibility() not in home.visibilities
    # Somebody external takes part: that stays allowed.
    assert home.policies == {Policies(allow_patient_participation=False)}


# ── Speaking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ways(role: str, relation: str, status: str = "open") -> tuple[Way, ...]:
    of = scene(role, relation, "standard", status)
    return ways_of(of.actor, of.thread)


def test_in_which_ways_one_can_speak() -> None:
    assert _ways("clinician", "home") == (Way(PHARMACY.id, (CLINIC.id,), is_default=True),)
    assert _ways("clinician", "asked") == (Way(CLINIC.id, (PHARMACY.id,), is_default=True),)
    # By name, and for a group: for themselves, unless they say so.
    of = scene("clinician", "asked_named", "standard", "open")
    themselves, clinic = ways_of(of.actor, of.thread)
    assert themselves.on_behalf_of is None
    assert themselves.is_default
    assert clinic == Way(CLINIC.id, (PHARMACY.id,), is_default=False)
    # Two groups, and nothing that tells for which.
    assert _ways("clinician", "both") == (
        Way(PHARMACY.id, (CLINIC.id,), is_default=False),
        Way(CLINIC.id, (PHARMACY.id,), is_default=False),
    )


def test_where_a_message_goes_to_everyone_or_it_must_be_said() -> None:
    assert _ways("clinician", "plain_named")[0] == Way(None, (), is_default=True)
    both_sides = scene("clinician", "home", "standard", "open")
    ledger = both_sides.thread.ledger
    assert ledger.addressing is not None
    itself = replace(ledger, addressing=replace(ledger.addressing, recipients=(PHARMACY.id,)))
    asks_itself = replace(both_sides.thread, ledger=itself)
    assert ways_of(both_sides.actor, asks_itself) == (Way(PHARMACY.id, None, is_default=True),)


def test_a_closed_thread_has_the_same_ways() -> None:
    assert _ways("clinician", "home", ThreadStatus.CLOSED.value) == _ways("clinician", "home")


@pytest.mark.parametrize("role", ["auditor", "last_steward", "client", "inactive", "other_relative"])
def test_who_writes_nothing_has_no_way(role: str) -> None:
    assert _ways(role, "home") == ()
