"""Writing in a thread: a reply, and what is kept of it until it is sent."""

from starlette.responses import Response

from carethread.errors import CarethreadError, IdentifierConflictError, WrongPatientError
from carethread.ids import CommunicationId, parse_communication_id
from carethread.policy.drafts import DraftContent, ReplyIn
from carethread.reads import conversation, read_draft
from carethread.record.model import MessageContent
from carethread.web import drafting
from carethread.web.drafting import as_sent
from carethread.web.kept_files import attachments_of, kept_files
from carethread.web.page import Page
from carethread.web.pages.composing import Typed, content_of
from carethread.web.pages.thread import check_patient, once_of, thread_page
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import discard_draft, post_message

_FORBIDDEN = 403


def post_reply(visit: Visit) -> Response:
    """Record a message, once however often the form comes."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
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
            draft=_ended(visit, thread, content),
        )
    except CarethreadError as error:
        # What was sent first under this name is stored. Under another it is another message.
        once = "" if isinstance(error, IdentifierConflictError) else visit.form.line("once")
        return _shown_again(visit, thread, visit.problem(error), content, once)
    return visit.see(f"/threads/{thread}?stored={message}#m-{message}")


def _ended(visit: Visit, thread: CommunicationId, content: DraftContent) -> ReplyIn | None:
    """Return the draft that a message makes an end of. What was kept from elsewhere meanwhile stays."""
    place = ReplyIn(thread)
    draft = read_draft(visit.service, visit.caller, place)
    return place if draft is None or drafting.is_of(visit.form, draft, content.body) else None


def _shown_again(
    visit: Visit, thread: CommunicationId, problem: Problem, content: DraftContent, once: str
) -> Response:  # fmt: skip
    """Show what was typed again, in the thread; by itself where that cannot be shown any more."""
    try:
        typed = Typed(content, as_sent(visit.form), kept_files(visit), once)
        return thread_page(visit, thread, problem=problem, typed=typed)
    except CarethreadError:
        return visit.page("problem", {"problem": problem, "typed": content.body}, status=problem.status)


def reply_again(visit: Visit) -> Response:
    """Give back a reply that was written before somebody signed in again, to be sent by whoever it is now."""
    _ = visit.words.gettext
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    title, once = _("You signed in again after you opened this page"), visit.form.line("once")
    if visit.form.line("writer") != visit.signed_in.person:
        title, once = _("You are signed in as %(name)s now") % {"name": visit.known_me.name}, ""
    problem = Problem(_FORBIDDEN, title, _("Nothing was stored yet. Check the message, and send it."))
    return _shown_again(visit, thread, problem, content_of(visit.form), once)


# ── Drafts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keep(visit: Visit) -> Response:
    """Keep what was typed so far; or take what was kept elsewhere instead."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    place = ReplyIn(thread)
    if visit.form.line("take"):
        return thread_page(visit, thread, typed=_taken(visit, place))
    content = content_of(visit.form)
    kept = drafting.keep(visit, place, content)
    if visit.is_part:
        return drafting.part(visit, kept, _path(thread))
    return thread_page(visit, thread, typed=Typed(content, kept, kept_files(visit), visit.form.line("once")))


def _taken(visit: Visit, place: ReplyIn) -> Typed:
    draft = read_draft(visit.service, visit.caller, place)
    content = DraftContent() if draft is None else draft.content
    return Typed(content, drafting.as_kept(draft), kept_files(visit), visit.form.line("once"))


def keep_again(visit: Visit) -> Response:
    """Let whoever signed in again go on where they were writing."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    return drafting.part_again(visit, _path(thread)) if visit.is_part else reply_again(visit)


def discard(visit: Visit) -> Response:
    """Throw a draft away."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    discard_draft(visit.service, visit.caller, ReplyIn(thread))
    return visit.see(f"/threads/{thread}")


def _path(thread: CommunicationId) -> str:
    return f"/threads/{thread}/draft"


PAGES = (
    Page("POST", "/threads/{thread}/messages", post_reply, again=reply_again),
    Page("POST", "/threads/{thread}/draft", keep, again=keep_again),
    Page("POST", "/threads/{thread}/draft/discard", discard),
)
