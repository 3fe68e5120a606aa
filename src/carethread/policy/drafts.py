"""What somebody has begun to write: where it belongs, what it holds, whose it is. Nothing of it is recorded."""

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import InactiveError, InvalidValueError, NotAllowedError
from carethread.ids import (
    CommunicationId,
    MessageId,
    ParticipantId,
    parse_communication_id,
    parse_message_id,
    parse_participant_id,
)
from carethread.policy.actor import Actor, Caller
from carethread.policy.standing import AUTHORS
from carethread.record.intake import check_visibility_value
from carethread.record.model import Policies, Visibility
from carethread.record.text import MAX_BODY

# Whom one draft may name in each list: more than any thread has.
MOST_NAMED = 200


class ReplyIn(Struct, frozen=True):
    """The place of a draft: the next message in a thread."""

    thread: CommunicationId


class CorrectionOf(Struct, frozen=True):
    """The place of a draft: what corrects a message, in its own thread or in one that takes it up."""

    message: MessageId


class ThreadAbout(Struct, frozen=True):
    """The place of a draft: a new thread about a patient."""

    patient: ParticipantId


DraftPlace: TypeAlias = ReplyIn | CorrectionOf | ThreadAbout


class DraftContent(Struct, frozen=True, omit_defaults=True):
    """What was typed and chosen so far. Nothing is asked of it but its size: what is not in order yet may be later.

    Attributes:
        body: as it was typed; lines end as the record has them.
        on_behalf_of: the organisation or team it is written for.
        recipients: people, organisations and teams.
        in_response_to: the message it answers.
        others: of a new thread: who takes part without being asked.
        visibility: of a new thread.
        policies: of a new thread.
        continues: of a new thread: the closed one that it takes up.
    """

    body: str = ""
    on_behalf_of: ParticipantId | None = None
    recipients: tuple[ParticipantId, ...] = ()
    in_response_to: MessageId | None = None
    others: tuple[ParticipantId, ...] = ()
    visibility: Visibility = Visibility()
    policies: Policies = Policies()
    continues: CommunicationId | None = None


class Draft(Struct, frozen=True):
    """A draft as it is kept. Versions grow, and none comes twice at one place."""

    place: DraftPlace
    content: DraftContent
    version: int
    kept_at: Instant


class Unfinished(Struct, frozen=True):
    """That there is a draft: where, and when it was last written to."""

    place: DraftPlace
    kept_at: Instant


def drafting(caller: Caller) -> ParticipantId:
    """Return whose drafts a call is about: those of a person who asks as themselves.

    Raises:
        NotAllowedError: a system asks, or somebody as auditor or steward. They have none.
    """
    if caller.person is None or caller.system is not None or caller.kind is not None:
        raise NotAllowedError("drafts are of persons who ask as themselves")
    return caller.person


def check_drafts(actor: Actor) -> None:
    """Somebody may have drafts.

    Raises:
        InactiveError: they are not active.
        NotAllowedError: they write nothing.
    """
    if not actor.active:
        raise InactiveError(f"{actor.kind} {actor.id} is not active")
    if actor.kind not in AUTHORS:
        raise NotAllowedError(f"{actor.kind} {actor.id} writes nothing")


def check_place(place: DraftPlace) -> DraftPlace:
    """Return a place whose id is one.

    Raises:
        InvalidValueError: it is not.
    """
    match place:
        case ReplyIn(thread=thread):
            parse_communication_id(thread, "place.thread")
        case CorrectionOf(message=message):
            parse_message_id(message, "place.message")
        case _:
            parse_participant_id(place.patient, "place.patient")
    return place


def check_content(content: DraftContent) -> DraftContent:
    """Return content as it is kept: CRLF becomes LF.

    Raises:
        InvalidValueError: the body is longer than a message's or no text, somebody named has no id, or too many are.
    """
    body = content.body.replace("\r\n", "\n")
    if len(body) > MAX_BODY:
        raise InvalidValueError("body", f"is longer than {MAX_BODY:,} characters")
    try:
        body.encode()
    except UnicodeEncodeError:
        raise InvalidValueError("body", "is no text: it holds half a character") from None
    for field in ("recipients", "others"):
        named = getattr(content, field)
        if len(named) > MOST_NAMED:
            raise InvalidValueError(field, f"are more than {MOST_NAMED}")
        for index, each in enumerate(named):
            parse_participant_id(each, f"{field}[{index}]")
    if content.on_behalf_of is not None:
        parse_participant_id(content.on_behalf_of, "on_behalf_of")
    if content.in_response_to is not None:
        parse_message_id(content.in_response_to, "in_response_to")
    if content.continues is not None:
        parse_communication_id(content.continues, "continues")
    return replace(content, body=body, visibility=check_visibility_value(content.visibility))
