"""Correcting a message: the original beside the form, and who will read it.

A message of a closed thread is corrected in a thread that continues it: in one that there is, or in one that is opened
for it.
"""

from typing import Any

from msgspec import Struct
from starlette.responses import Response

from carethread.errors import CarethreadError, NotAllowedError, WrongPatientError
from carethread.ids import MessageId, parse_message_id
from carethread.policy.drafts import CorrectionOf, DraftContent
from carethread.reads import Conversation, read_draft, read_message
from carethread.record.model import Message, MessageContent, ThreadStatus
from carethread.record.text import MAX_BODY
from carethread.web import drafting, showing
from carethread.web.drafting import Typed, as_kept, status_of
from carethread.web.kept_files import attachments_of
from carethread.web.page import Page
from carethread.web.pages.changing import frame, thread_of
from carethread.web.pages.composing import OWN_NAME, ShownWay, chosen_way, content_of, speaker
from carethread.web.pages.thread import check_patient, once_of
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import discard_draft, post_message


class Original(Struct, frozen=True):
    """The message that is to be corrected, as the page shows it."""

    author: str
    on_behalf_of: str
    at: int
    body: str
    to: str
    files: list[str]


class _Correcting(Struct, frozen=True):
    """A message, the thread it stands in, and the thread its correction goes into, if there is one that takes it."""

    message: Message
    own: Conversation
    place: Conversation | None


def show_correct(visit: Visit) -> Response:
    """Show a message, and the form of its correction."""
    return _page(visit, _subject(visit))


def correct(visit: Visit) -> Response:
    """Record a correction, once however often the form comes."""
    subject = _subject(visit)
    if subject.place is None:
        return _page(visit, subject)
    thread = subject.place.view.ledger.communication_id
    content = DraftContent(visit.form.text("body"))
    try:
        content = content_of(visit.form)
        if visit.form.line("thread") != thread:
            raise WrongPatientError("the form was made for another thread")
        check_patient(visit.form, subject.place)
        made = post_message(
            visit.service,
            visit.caller,
            thread,
            MessageContent(
                content.body,
                corrects=subject.message.id,
                on_behalf_of=content.on_behalf_of,
                attachments=attachments_of(visit),
            ),
            client_identifier=once_of(visit.form),
            draft=drafting.ended(visit, CorrectionOf(subject.message.id), content),
        )
    except CarethreadError as error:
        typed = drafting.not_taken(visit, content, error)
        return _page(visit, subject, problem=visit.problem(error), typed=typed)
    return visit.see(f"/threads/{thread}?stored={made}#m-{made}")


def _subject(visit: Visit) -> _Correcting:
    """Return what is to be corrected, and where that goes.

    Raises:
        UnknownMessageError: there is no such message, or they may not read it.
        NotAllowedError: it is not theirs to correct.
    """
    view, message = read_message(visit.service, visit.caller, visit.path("message"))
    own = thread_of(visit, view.ledger.communication_id, after=0)
    can = own.possible
    if message.id not in can.correct | can.correct_later:
        raise NotAllowedError(f"message {message.id} is not theirs to correct")
    if own.view.ledger.status is ThreadStatus.OPEN:
        return _Correcting(message, own, own)
    others = (thread_of(visit, each) for each in own.view.continued_by)
    return _Correcting(message, own, next((each for each in others if each.possible.post), None))


def _page(
    visit: Visit, subject: _Correcting, *, problem: Problem | None = None, typed: Typed | None = None
) -> Response:
    own, place, message = subject.own, subject.place, subject.message
    if place is None:
        return visit.see(f"/threads/{own.view.ledger.communication_id}/continue?corrects={message.id}")
    draft = read_draft(visit.service, visit.caller, CorrectionOf(message.id)) if typed is None else None
    said = typed.content if typed is not None else None if draft is None else draft.content
    shown = frame(visit, place, problem) | {
        "message": message.id,
        "own": own.view.ledger.communication_id,
        "original": original(message, visit),
        "ways": ways(visit, place, said),
        "body": "" if said is None else said.body,
        "drafting": as_kept(draft) if typed is None else typed.drafting,
        "path": _path(message.id),
        "kept": [] if typed is None else typed.files,
        "readers": showing.readers(place.readers, visit.words),
        **limits(visit),
    }
    return visit.page("correct", shown, status=status_of(problem, typed), once="" if typed is None else typed.once)


def original(message: Message, visit: Visit) -> Original:
    """Return a message as it is shown beside the form of its correction."""
    return Original(
        message.author_name,
        "" if message.on_behalf_of is None else message.on_behalf_of.name,
        message.timestamp,
        message.body,
        ", ".join(each.name for each in message.to),
        [f"{each.file_name}, {showing.size(each.size, visit.words)}" for each in message.attachments],
    )


def ways(visit: Visit, found: Conversation, said: DraftContent | None) -> list[ShownWay]:
    """Return for whom somebody can write, as a form offers it."""
    chosen = chosen_way(found.speaking, said)
    return [
        ShownWay(each.on_behalf_of or OWN_NAME, speaker(visit, found, each), "", each == chosen)
        for each in found.speaking
    ]


def limits(visit: Visit) -> dict[str, Any]:
    """Return what a form says of how much it takes."""
    return {"longest": str(MAX_BODY), "largest": showing.size(visit.options.largest_upload, visit.words)}


def keep(visit: Visit) -> Response:
    """Keep what was typed so far; or take what was kept elsewhere instead."""
    message = parse_message_id(visit.path("message"))

    def show(typed: Typed) -> Response:
        return _page(visit, _subject(visit), typed=typed)

    return drafting.answer(visit, CorrectionOf(message), content_of(visit.form), _path(message), show)


def correct_again(visit: Visit) -> Response:
    """Give back a correction that was written before somebody signed in anew."""
    typed = drafting.given_back(visit, content_of(visit.form))
    return _page(visit, _subject(visit), problem=drafting.signed_in_anew(visit), typed=typed)


def keep_again(visit: Visit) -> Response:
    """Let whoever signed in anew go on where they were writing."""
    return drafting.answer_again(visit, _path(parse_message_id(visit.path("message"))), correct_again)


def _path(message: MessageId) -> str:
    return f"/messages/{message}/correct/draft"


def discard(visit: Visit) -> Response:
    """Throw away what was typed so far."""
    message = parse_message_id(visit.path("message"))
    discard_draft(visit.service, visit.caller, CorrectionOf(message))
    return visit.see(f"/messages/{message}/correct")


PAGES = (
    Page("GET", "/messages/{message}/correct", show_correct),
    Page("POST", "/messages/{message}/correct", correct, again=correct_again),
    Page("POST", "/messages/{message}/correct/draft", keep, again=keep_again),
    Page("POST", "/messages/{message}/correct/draft/discard", discard),
)
