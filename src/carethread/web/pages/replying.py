"""Writing in a thread: a reply, and what is kept of it until it is sent."""

from starlette.responses import Response

from carethread.errors import CarethreadError, WrongPatientError
from carethread.ids import CommunicationId, parse_communication_id
from carethread.policy.drafts import DraftContent, ReplyIn
from carethread.reads import conversation
from carethread.record.model import MessageContent
from carethread.web import drafting
from carethread.web.kept_files import attachments_of
from carethread.web.page import Page
from carethread.web.pages.composing import content_of
from carethread.web.pages.thread import check_patient, once_of, thread_page
from carethread.web.visit import Visit
from carethread.writes import discard_draft, post_message


def post_reply(visit: Visit) -> Response:
    """Record a message, once however often the form comes."""
    thread = _thread(visit)
    content = DraftContent(visit.form.text("body"))
    try:
        content = content_of(visit.form)
        if visit.form.line("thread") != thread:
            raise WrongPatientError("the form was made for another thread")
        found = conversation(visit.service, visit.caller, thread, opens=False, after=1 << 30)
        check_patient(visit.form, found)
        message = post_message(
            visit.service,
            visit.caller,
            thread,
            MessageContent(
                content.body,
                on_behalf_of=content.on_behalf_of,
                recipients=content.recipients,
                attachments=attachments_of(visit),
            ),
            client_identifier=once_of(visit.form),
            draft=drafting.ended(visit, ReplyIn(thread), content),
        )
    except CarethreadError as error:
        return _shown_again(visit, thread, content, error)
    return visit.see(f"/threads/{thread}?stored={message}#m-{message}")


def _thread(visit: Visit) -> CommunicationId:
    return parse_communication_id(visit.path("thread"), "thread_id")


def _path(visit: Visit) -> str:
    return f"/threads/{_thread(visit)}/draft"


def _shown_again(visit: Visit, thread: CommunicationId, content: DraftContent, error: CarethreadError) -> Response:
    """Show what was typed again: in the thread, or by itself where that cannot be shown any more."""
    problem = visit.problem(error)
    try:
        typed = drafting.not_taken(visit, content, error)
        return thread_page(visit, thread, problem=problem, typed=typed)
    except CarethreadError:
        return visit.page("problem", {"problem": problem, "typed": content.body}, status=problem.status)


def reply_again(visit: Visit) -> Response:
    """Give back a reply that was written before somebody signed in anew."""
    typed = drafting.given_back(visit, content_of(visit.form))
    return thread_page(visit, _thread(visit), problem=drafting.signed_in_anew(visit), typed=typed)


def keep(visit: Visit) -> Response:
    """Keep what was typed so far; or take what was kept elsewhere instead."""
    thread = _thread(visit)

    def show(typed: drafting.Typed) -> Response:
        return thread_page(visit, thread, typed=typed)

    return drafting.answer(visit, ReplyIn(thread), content_of(visit.form), _path(visit), show)


def keep_again(visit: Visit) -> Response:
    """Let whoever signed in anew go on where they were writing."""
    return drafting.answer_again(visit, _path(visit), reply_again)


def discard(visit: Visit) -> Response:
    """Throw a draft away."""
    discard_draft(visit.service, visit.caller, ReplyIn(_thread(visit)))
    return visit.see(f"/threads/{_thread(visit)}")


PAGES = (
    Page("POST", "/threads/{thread}/messages", post_reply, again=reply_again),
    Page("POST", "/threads/{thread}/draft", keep, again=keep_again),
    Page("POST", "/threads/{thread}/draft/discard", discard),
)
