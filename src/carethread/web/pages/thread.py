"""A thread: its messages, and who can see it."""

from typing import Any
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import InvalidValueError, WrongPatientError
from carethread.ids import CommunicationId, parse_communication_id
from carethread.reads import Conversation, conversation, last_cursor, names, read_attachment, read_message
from carethread.record.model import Attachment, ClientIdentifier, MessageType, ThreadStatus
from carethread.web import showing
from carethread.web.drafting import Typed, status_of
from carethread.web.forms import Form
from carethread.web.page import Page
from carethread.web.pages.composing import composer, left_over
from carethread.web.problems import Problem
from carethread.web.visit import CLIENT, Visit


class Aside(Struct, frozen=True):
    """That a thread is set aside for a group: by whom, and when."""

    group: str
    by: str
    at: Instant


class Action(Struct, frozen=True):
    """Something that can be done, and where."""

    text: str
    path: str


def show_thread(visit: Visit) -> Response:
    """Show a thread."""
    return thread_page(visit, parse_communication_id(visit.path("thread"), "thread_id"))


def thread_page(
    visit: Visit, thread: CommunicationId, *, problem: Problem | None = None, typed: Typed | None = None
) -> Response:
    """Show a thread; after a form that could not be taken, with what was typed and what was wrong."""
    cursor = last_cursor(visit.service)
    found = conversation(
        visit.service, visit.caller, thread, patient_side_opens=visit.options.patients_open_threads
    )  # fmt: skip
    shown = shown_of(visit, found) | {
        "problem": problem,
        "stored": _stored(visit, found),
        "asides": _asides(visit, found),
        "composer": composer(visit, found, typed),
        "left": left_over(visit, found, typed),
        "live": live_of(thread, found.entries, cursor),
    }
    return visit.page("thread", shown, status=status_of(problem, typed), once="" if typed is None else typed.once)


def _stored(visit: Visit, found: Conversation) -> Instant | None:
    """Return when the message was stored that somebody sent just now, or with which they opened the thread."""
    wanted, messages = visit.query.get("stored"), found.view.messages
    if wanted == "first" and messages:
        return messages[0].timestamp
    return next((each.timestamp for each in messages if each.id == wanted), None)


def live_of(thread: CommunicationId, entries: int, cursor: str) -> dict[str, str]:
    """Return where an open page hears that something happened, and where it then asks for what."""
    return {
        "more": f"/threads/{thread}/entries?after={entries}",
        "stream": f"/live?thread={thread}&after={cursor}",
    }


def shown_of(visit: Visit, found: Conversation) -> dict[str, Any]:
    """Return what each page of a thread shows of it."""
    ledger = found.view.ledger
    thread = ledger.communication_id
    return {
        "thread": thread,
        "status": ledger.status.value,
        "opened_at": ledger.created_at,
        "patients": found.patients,
        "entries": showing.entries(found, visit.signed_in.person, visit.words),
        "participants": showing.participants(ledger, visit.words),
        "readers": showing.readers(found.readers, visit.words),
        "rules": showing.rules(ledger, visit.words),
        "links": _links(visit, found),
        "actions": _actions(visit, found),
        "may_continue": found.possible.continues,
    }


def _links(visit: Visit, found: Conversation) -> list[Action]:
    _ = visit.words.gettext
    made = []
    if found.view.ledger.continues is not None:
        made.append(Action(_("This thread continues a closed one."), f"/threads/{found.view.ledger.continues}"))
    made += [Action(_("This thread is continued in another."), f"/threads/{each}") for each in found.view.continued_by]
    return made


def _asides(visit: Visit, found: Conversation) -> list[Aside]:
    """Return for which groups of theirs the thread is set aside, by whom and when, as long as that lasts."""
    ledger = found.view.ledger
    if ledger.status is not ThreadStatus.OPEN:
        return []
    lasting = [
        each
        for each in found.view.asides
        if all(one.type is MessageType.SYSTEM for one in found.view.messages[each.position :])
    ]
    known = names(visit.service, visit.caller, {each.person for each in lasting}) if lasting else {}
    groups = {each.id: each.name for each in ledger.participants}
    return [Aside(groups.get(each.group, ""), known.get(each.person, ""), each.at) for each in lasting]


def _actions(visit: Visit, found: Conversation) -> list[Action]:
    _ = visit.words.gettext
    thread, can = found.view.ledger.communication_id, found.possible
    offered = (
        (can.add or can.add_others or bool(can.remove), _("Add or remove people"), "participants"),
        (bool(can.visibilities or can.without_reader or can.policies), _("Change who can see it"), "visibility"),
        (bool(can.set_aside and found.waiting), _("Set aside until the next message"), "set-aside"),
        (can.close, _("Close this thread"), "close"),
        (can.archive, _("Archive this thread"), "archive"),
        (can.continues and found.view.ledger.status != "open", _("Continue in a new thread"), "continue"),
        (True, _("History"), "history"),
        (True, _("Print"), "print"),
    )
    return [Action(text, f"/threads/{thread}/{name}") for is_offered, text, name in offered if is_offered]


def check_patient(form: Form, found: Conversation) -> None:
    """A form is about the patient whose record it would go into.

    Raises:
        WrongPatientError: it was made for another one.
    """
    if form.line("patient") not in {each.id for each in found.patients}:
        raise WrongPatientError("the form is about another patient than the thread")


def once_of(form: Form) -> ClientIdentifier:
    """Return by what a form is told apart: sent again, it changes nothing.

    Raises:
        InvalidValueError: it carries nothing of the kind.
    """
    if not form.line("once"):
        raise InvalidValueError("form", "does not say which it is")
    return ClientIdentifier(CLIENT, form.line("once"))


def more_entries(visit: Visit) -> Response:
    """Return what came after what an open page shows."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    after = visit.query.get("after", "0")
    if not after.isdigit():
        raise InvalidValueError("after", "is no number")
    found = conversation(visit.service, visit.caller, thread, after=int(after))
    # What was set aside until the next message is so no longer; the page is not loaded again to say it.
    is_over = found.view.ledger.status is not ThreadStatus.OPEN or any(
        each.type is not MessageType.SYSTEM for each in found.view.messages
    )
    shown = {"live": live_of(thread, found.entries, ""), "asides_end": is_over}
    return visit.page("more_entries", shown_of(visit, found) | shown)


def show_message(visit: Visit) -> Response:
    """Send to a message in its thread."""
    view, message = read_message(visit.service, visit.caller, visit.path("message"))
    return visit.see(f"/threads/{view.ledger.communication_id}#m-{message.id}")


def download(visit: Visit) -> Response:
    """Send a file, to be saved and not to be shown: what it holds is not ours."""
    number = visit.path("number")
    return sent_file(*read_attachment(visit.service, visit.caller, visit.path("message"), int(number)))


def sent_file(file: Attachment, data: bytes) -> Response:
    """Return a file to be saved."""
    quoted = "".join(each if (each.isascii() and each.isalnum()) or each in ".-_ " else "_" for each in file.file_name)
    return Response(
        data,
        media_type=file.media_type,
        headers={
            "content-disposition": f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{_encoded(file.file_name)}",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


def _encoded(name: str) -> str:
    return quote(name, safe="")


PAGES = (
    Page("GET", "/threads/{thread}", show_thread),
    Page("GET", "/threads/{thread}/entries", more_entries),
    Page("GET", "/messages/{message}", show_message),
    Page("GET", "/messages/{message}/attachments/{number:int}", download),
)
