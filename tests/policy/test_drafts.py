"""Drafts: whose they are, where they belong, and how much one holds."""

from typing import Any

import pytest

from carethread import Sensitivity, Visibility, errors
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Caller, SystemClient
from carethread.policy.drafts import (
    MOST_NAMED,
    CorrectionOf,
    DraftContent,
    DraftPlace,
    ReplyIn,
    ThreadAbout,
    check_content,
    check_drafts,
    check_place,
    drafting,
)
from carethread.record.text import MAX_BODY
from tests.people import person

THREAD = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
MESSAGE = MessageId("550e8400-e29b-41d4-a716-446655440000")
SYSTEM = SystemClient(person(9), "EHR", frozenset())


def test_drafts_are_of_persons_who_ask_as_themselves() -> None:
    assert drafting(Caller(person(1))) == person(1)
    for caller in (
        Caller(None, system=SYSTEM),
        Caller(person(1), system=SYSTEM),
        Caller(person(1), ActorKind.AUDITOR, "complaint 17"),
        Caller(person(1), ActorKind.STEWARD),
        Caller(None),
    ):
        with pytest.raises(errors.NotAllowedError):
            drafting(caller)


def test_who_writes_nothing_drafts_nothing() -> None:
    check_drafts(Actor(person(1), ActorKind.PATIENT, "John"))
    with pytest.raises(errors.InactiveError):
        check_drafts(Actor(person(1), ActorKind.PATIENT, "John", active=False))
    with pytest.raises(errors.NotAllowedError):
        check_drafts(Actor(person(1), ActorKind.CLIENT, "EHR"))


@pytest.mark.parametrize(
    "good, bad",
    [
        (ReplyIn(THREAD), ReplyIn(CommunicationId("x"))),
        (CorrectionOf(MESSAGE), CorrectionOf(MessageId("x"))),
        (ThreadAbout(person(3)), ThreadAbout(ParticipantId("x"))),
    ],
)
def test_a_place_has_an_id(good: DraftPlace, bad: DraftPlace) -> None:
    assert check_place(good) == good
    with pytest.raises(errors.InvalidValueError, match=r"^place\."):
        check_place(bad)


def test_what_is_typed_stays_as_it_is() -> None:
    """Half a sentence, trailing spaces and what the record refuses: it is not posted yet."""
    content = DraftContent(
        body="  a\n\u202e\x00 \n",
        on_behalf_of=person(101),
        recipients=(person(102),),
        in_response_to=MESSAGE,
        others=(person(3),),
        visibility=Visibility(Sensitivity.CONFIDENTIAL),
        continues=THREAD,
    )
    assert check_content(content) == content
    assert check_content(DraftContent()) == DraftContent()
    # As many line ends as a browser sends.
    assert check_content(DraftContent("\r\n" * MAX_BODY)).body == "\n" * MAX_BODY


@pytest.mark.parametrize(
    "field, value",
    [
        ("body", "x" * (MAX_BODY + 1)),
        ("body", "\ud83d"),
        ("recipients", ("x",)),
        ("recipients", (person(1),) * (MOST_NAMED + 1)),
        ("others", ("x",)),
        ("on_behalf_of", "x"),
        ("in_response_to", "x"),
        ("continues", "x"),
        ("visibility", Visibility("secret")),  # type: ignore[arg-type]
    ],
)
def test_what_is_too_much_or_no_id(field: str, value: Any) -> None:
    with pytest.raises(errors.InvalidValueError) as raised:
        check_content(DraftContent(**{field: value}))
    assert raised.value.field.startswith(field)
