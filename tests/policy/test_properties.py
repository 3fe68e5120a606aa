"""What holds for any actor, thread and change."""

import contextlib
from itertools import product

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread import Author, LedgerUpdate, MessageContent, Policies, Role, Sensitivity, Visibility, errors
from carethread.clock import Instant
from carethread.ids import ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, Company, Thread
from carethread.policy.admission import has_reader, narrows
from carethread.policy.allowing import allows
from carethread.policy.changing import check_may_change
from carethread.policy.exceptional import check_may_open_in_emergency
from carethread.policy.home import holds_home_rights, home_side
from carethread.policy.opening import as_opened
from carethread.policy.reading import may_read, reaches
from carethread.policy.sides import recipients_for
from carethread.policy.speaking import author_in, check_may_speak, default_group
from carethread.policy.standing import AUTHORS
from carethread.policy.writing import check_may_correct, check_may_post, check_may_set_aside
from carethread.record import rules, transitions
from carethread.record.model import Message, MessageType
from tests.policy.scene import MESSAGE_ID, Scene
from tests.policy.strategies import GROUPS, PEOPLE, actors, changes, companies, policies, threads, updates, visibilities

groups = st.none() | st.sampled_from([each.id for each in GROUPS])
named = st.lists(st.sampled_from([each.id for each in PEOPLE + GROUPS]), max_size=2, unique=True).map(tuple)


@given(actors(), threads(), groups, updates(), companies())
def test_whatever_somebody_may_write_they_may_read(
    actor: Actor, thread: Thread, group: ParticipantId | None, update: LedgerUpdate, company: Company
) -> None:
    original = Message(MESSAGE_ID, MessageType.CLINICIAN, Instant(0), actor.id, actor.name, "Text.")
    allowed = (
        allows(check_may_speak, actor, thread, group),
        allows(check_may_post, actor, thread, group),
        allows(check_may_correct, actor, thread, group, MESSAGE_ID, (thread, original)),
        allows(check_may_set_aside, actor, thread, group or GROUPS[0].id),
        allows(check_may_change, actor, thread, update, company),
    )
    assert may_read(actor, thread) or not any(allowed)


@given(actors(), threads(), groups, updates(), companies())
def test_whoever_may_not_read_gets_one_answer(
    actor: Actor, thread: Thread, group: ParticipantId | None, update: LedgerUpdate, company: Company
) -> None:
    if may_read(actor, thread):
        return
    with pytest.raises(errors.UnknownThreadError):
        check_may_post(actor, thread, group)
    with pytest.raises(errors.UnknownThreadError):
        check_may_set_aside(actor, thread, group or GROUPS[0].id)
    with pytest.raises(errors.UnknownThreadError):
        check_may_change(actor, thread, update, company)


@given(actors(), threads(), groups, updates(), companies())
def test_an_inactive_person_does_nothing(
    actor: Actor, thread: Thread, group: ParticipantId | None, update: LedgerUpdate, company: Company
) -> None:
    actor = replace(actor, active=False)
    assert not may_read(actor, thread)
    assert not holds_home_rights(actor, thread)
    assert not allows(check_may_post, actor, thread, group)
    assert not allows(check_may_change, actor, thread, update, company)
    assert not allows(check_may_open_in_emergency, actor, thread, "reason")


@given(actors(), threads())
def test_nobody_of_another_patient_reads(actor: Actor, thread: Thread) -> None:
    if actor.kind in PATIENT_SIDE and actor.patients.isdisjoint(thread.patients):
        assert not may_read(actor, thread)


STEPS = (Visibility(), Visibility(Sensitivity.CONFIDENTIAL), Visibility(restricted=True))


@given(actors(), threads(), st.booleans())
def test_narrowing_never_widens(actor: Actor, thread: Thread, patients: bool) -> None:
    wide = replace(thread, ledger=replace(thread.ledger, policies=Policies()))
    for before, after in product(STEPS, repeat=2):
        if STEPS.index(before) > STEPS.index(after):
            continue
        was = replace(wide, ledger=replace(wide.ledger, visibility=before))
        policy = Policies(allow_patient_participation=patients)
        now = replace(wide, ledger=replace(wide.ledger, visibility=after, policies=policy))
        reached = reaches(now.ledger)
        assert all(reached[each] <= reach for each, reach in reaches(was.ledger).items())
        assert may_read(actor, was) or not may_read(actor, now)
        assert not narrows(now.ledger, was.ledger) or reaches(now.ledger) == reaches(was.ledger)


@given(actors(), threads())
def test_whoever_reads_and_can_be_an_author_can_speak_or_is_asked_for_whom(actor: Actor, thread: Thread) -> None:
    if actor.kind in AUTHORS and may_read(actor, thread):
        with contextlib.suppress(errors.AmbiguousSideError):
            check_may_speak(actor, thread, default_group(actor, thread))


@given(actors(), threads(), groups)
def test_whoever_may_speak_is_an_author_to_the_record(
    actor: Actor, thread: Thread, group: ParticipantId | None
) -> None:
    if allows(check_may_speak, actor, thread, group):
        rules.check_speaks(thread.ledger, author_in(actor, thread, group), group)


@given(actors(), threads(), groups, named)
def test_where_a_message_goes_is_in_the_thread_and_the_record_takes_it_so(
    actor: Actor, thread: Thread, group: ParticipantId | None, named: tuple[ParticipantId, ...]
) -> None:
    to: tuple[ParticipantId, ...] = ()
    with contextlib.suppress(errors.NotParticipantError, errors.AmbiguousSideError):
        to = recipients_for(actor, thread, group, named)
    if not to:
        return
    content = MessageContent("Text.", on_behalf_of=group, recipients=to)
    author = Author(actor.id, actor.name, Role.CLINICIAN)
    assert rules.recipients_of(thread.ledger, author, content, None) == to
    assert not named or to == named


@given(changes())
def test_what_the_policy_lets_change_the_record_takes(change: tuple[Scene, LedgerUpdate]) -> None:
    asked, update = change
    before = asked.thread.ledger
    if not allows(check_may_change, asked.actor, asked.thread, update, asked.company):
        event("refused")
        return
    event("allowed")
    after = transitions._updated(before, update)
    assert home_side(after) == home_side(before) or before.addressing is None
    assert {each.id for each in after.participants} <= asked.company.keys()
    if after.addressing is None:
        assert before.addressing is None
    else:
        assert before.addressing is not None
        assert set(before.addressing.recipients) <= set(after.addressing.recipients)
        if narrows(before, after):
            changed = replace(asked.thread, ledger=after)
            assert has_reader(after.addressing.recipients, changed, asked.company)
            assert has_reader(home_side(after), changed, asked.company)


@given(visibilities, policies)
def test_every_visibility_has_one_reach_for_all_groups(visibility: Visibility, policy: Policies) -> None:
    thread = transitions.NewThread(GROUPS, visibility=visibility, policies=policy)
    assert len(set(reaches(as_opened(thread, frozenset()).ledger).values())) == 1
