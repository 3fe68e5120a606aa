"""Corrections across threads, and setting aside."""

import pytest
from msgspec.structs import replace

from carethread import errors
from carethread.clock import Instant
from carethread.policy.allowing import allows
from carethread.policy.writing import check_is_theirs, check_may_correct, check_may_post, check_may_set_aside
from carethread.record import rules
from carethread.record.model import Message, MessageType, Party
from tests.people import CLINIC, PHARMACY
from tests.policy.scene import ACTOR, EXTRA, LABORATORY, MESSAGE_ID, STRANGER, THREAD_ID, scene

HOME = scene("clinician", "home", "standard", "open")
CLOSED = scene("clinician", "home", "standard", "closed")
HIDDEN = scene("clinician", "home", "restricted", "closed")
OWN = Message(MESSAGE_ID, MessageType.CLINICIAN, Instant(0), ACTOR, "Actor", "Text.")
COLLEAGUES = replace(OWN, author_id=STRANGER.id, on_behalf_of=Party(PHARMACY.id, PHARMACY.name))
CLINICS = replace(COLLEAGUES, on_behalf_of=Party(CLINIC.id, CLINIC.name))


def test_an_error_found_after_closing_is_corrected_in_another_thread() -> None:
    for original in (OWN, COLLEAGUES):
        check_may_correct(HOME.actor, HOME.thread, PHARMACY.id, MESSAGE_ID, (CLOSED.thread, original))
        check_is_theirs(HOME.actor, MESSAGE_ID, (CLOSED.thread, original))
    with pytest.raises(errors.NotAllowedError, match="its author corrects it, or a clinician of the group"):
        check_may_correct(HOME.actor, HOME.thread, PHARMACY.id, MESSAGE_ID, (CLOSED.thread, CLINICS))


def test_a_message_one_may_not_read_is_none() -> None:
    with pytest.raises(errors.UnknownMessageError) as rule:
        rules.check_correction(THREAD_ID, MESSAGE_ID, None)
    for found in (None, (HIDDEN.thread, OWN), (HIDDEN.thread, replace(OWN, type=MessageType.SYSTEM))):
        with pytest.raises(errors.UnknownMessageError) as refused:
            check_may_correct(HOME.actor, HOME.thread, PHARMACY.id, MESSAGE_ID, found)
        assert str(refused.value) == str(rule.value)


def test_whoever_left_the_group_still_corrects_what_they_wrote_for_it() -> None:
    moved = scene("clinician", "asked", "standard", "open")
    check_is_theirs(moved.actor, MESSAGE_ID, (moved.thread, replace(COLLEAGUES, author_id=ACTOR)))


def test_one_sets_aside_for_a_group_of_ones_own_that_takes_part() -> None:
    check_may_set_aside(HOME.actor, HOME.thread, PHARMACY.id)
    with pytest.raises(errors.NotMemberError):
        check_may_set_aside(HOME.actor, HOME.thread, CLINIC.id)
    with pytest.raises(errors.NotParticipantError):
        check_may_set_aside(HOME.actor, HOME.thread, LABORATORY.id)
    with pytest.raises(errors.RoleMismatchError):
        check_may_set_aside(HOME.actor, HOME.thread, EXTRA.id)


def test_a_button_is_there_where_the_check_lets_it_through() -> None:
    assert allows(check_may_post, HOME.actor, HOME.thread, PHARMACY.id)
    assert not allows(check_may_post, HOME.actor, CLOSED.thread, PHARMACY.id)
    assert not allows(check_may_post, HOME.actor, HIDDEN.thread, PHARMACY.id)
