"""A thread: its messages, who can see it, and a reply."""

from typing import Any
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import CarethreadError, InvalidValueError, WrongPatientError
from carethread.ids import CommunicationId, ParticipantId, parse_communication_id, parse_participant_id
from carethread.policy.drafts import Draft, DraftContent, ReplyIn
from carethread.policy.possible import Way
from carethread.reads import Conversation, conversation, last_cursor, names, read_attachment, read_draft, read_message
from carethread.record.model import (
    Attachment,
    AttachmentContent,
    ClientIdentifier,
    MessageContent,
    MessageType,
    ThreadStatus,
)
from carethread.record.text import MAX_BODY
from carethread.web import showing
from carethread.web.forms import Form
from carethread.web.page import Page
from carethread.web.visit import CLIENT, Visit
from carethread.writes import discard_draft, keep_draft, post_message

OWN_NAME = "me"


class ShownWay(Struct, frozen=True):
    """A way of speaking, as the form offers it."""

    value: str
    name: str
    goes_to: str
    is_chosen: bool


class Choice(Struct, frozen=True):
    """Somebody to whom a message can go."""

    id: ParticipantId
    name: str
    is_chosen: bool


class Composer(Struct, frozen=True):
    """The form of a reply, as it is filled in."""

    ways: list[ShownWay]
    recipients: list[Choice]
    must_choose: bool
    body: str
    draft: Draft | None
    longest: str
    largest: str


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
    visit: Visit, thread: CommunicationId, *, error: CarethreadError | None = None, typed: DraftContent | None = None
) -> Response:
    """Show a thread; after a form that could not be taken, with what was typed and what was wrong."""
    cursor = last_cursor(visit.service)
    found = conversation(
        visit.service, visit.caller, thread, patient_side_opens=visit.options.patients_open_threads
    )  # fmt: skip
    problem = None if error is None else visit.problem(error)
    shown = shown_of(visit, found) | {
        "problem": problem,
        "stored": _stored(visit, found),
        "asides": _asides(visit, found),
        "composer": _composer(visit, found, typed),
        "live": live_of(thread, found.entries, cursor),
    }
    return visit.page("thread", shown, status=200 if problem is None else problem.status, once=visit.form.text("once"))


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


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _composer(visit: Visit, found: Conversation, typed: DraftContent | None) -> Composer | None:
    if not found.possible.post or not found.speaking:
        return None
    thread = found.view.ledger.communication_id
    draft = read_draft(visit.service, visit.caller, ReplyIn(thread)) if typed is None else None
    content = typed or (DraftContent() if draft is None else draft.content)
    chosen = chosen_way(found.speaking, content)
    return Composer(
        ways=[_shown(visit, found, each, is_chosen=each == chosen) for each in found.speaking],
        recipients=[
            Choice(each.id, each.name, each.id in content.recipients)
            for each in found.view.ledger.participants
            if each.id != visit.signed_in.person
        ],
        must_choose=bool(content.recipients) or (chosen is not None and chosen.to is None),
        body=content.body,
        draft=draft,
        longest=str(MAX_BODY),
        largest=showing.size(visit.options.largest_upload, visit.words),
    )


def chosen_way(ways: tuple[Way, ...], content: DraftContent) -> Way | None:
    """Return for whom somebody writes: as they said, or as follows for who did not."""
    said = next((each for each in ways if each.on_behalf_of == content.on_behalf_of), None)
    default = next((each for each in ways if each.is_default), None)
    return said if content.on_behalf_of is not None else default or (ways[0] if len(ways) == 1 else None)


def speaker(visit: Visit, found: Conversation, way: Way) -> str:
    """Say as whom somebody writes in a way of speaking."""
    own = visit.known_me.name
    if way.on_behalf_of is None:
        return own
    group = _known(visit, found).get(way.on_behalf_of, "")
    return visit.words.gettext("%(name)s on behalf of %(group)s") % {"name": own, "group": group}


def _known(visit: Visit, found: Conversation) -> dict[ParticipantId, str]:
    known = {each.id: each.name for each in found.view.ledger.participants}
    return known | {each.id: each.name for each in visit.known_me.groups}


def _shown(visit: Visit, found: Conversation, way: Way, *, is_chosen: bool) -> ShownWay:
    _ = visit.words.gettext
    if way.to is None:
        goes_to = _("Choose below to whom it goes.")
    elif way.to:
        goes_to = _("It goes to %(names)s.") % {"names": showing.names(way.to, _known(visit, found))}
    else:
        goes_to = _("It goes to everyone who takes part.")
    return ShownWay(way.on_behalf_of or OWN_NAME, speaker(visit, found, way), goes_to, is_chosen)


def content_of(form: Form) -> DraftContent:
    """Return what the form of a message holds.

    Raises:
        InvalidValueError: an id is none.
    """
    speaking = form.line("for")
    return DraftContent(
        form.text("body"),
        parse_participant_id(speaking, "for") if speaking and speaking != OWN_NAME else None,
        tuple(parse_participant_id(each, "to") for each in form.every("to")),
    )


def check_patient(form: Form, found: Conversation) -> None:
    """A form is about the patient whose record it would go into.

    Raises:
        WrongPatientError: it was made for another one.
    """
    if form.line("patient") not in {each.id for each in found.patients}:
        raise WrongPatientError("the form is about another patient than the thread")


def post_reply(visit: Visit) -> Response:
    """Record a message, once however often the form comes."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    content = content_of(visit.form)
    try:
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
                attachments=attachments_of(visit.form),
            ),
            client_identifier=once_of(visit.form),
            draft=ReplyIn(thread),
        )
    except CarethreadError as error:
        return thread_page(visit, thread, error=error, typed=content)
    return visit.see(f"/threads/{thread}?stored={message}#m-{message}")


def once_of(form: Form) -> ClientIdentifier:
    """Return by what a form is told apart: sent again, it changes nothing.

    Raises:
        InvalidValueError: it carries nothing of the kind.
    """
    if not form.line("once"):
        raise InvalidValueError("form", "does not say which it is")
    return ClientIdentifier(CLIENT, form.line("once"))


def attachments_of(form: Form) -> tuple[AttachmentContent, ...]:
    """Return the files of a form."""
    return tuple(AttachmentContent(each.data, each.content_type, each.name) for each in form.files)


def keep(visit: Visit) -> Response:
    """Keep what was typed so far."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    place = ReplyIn(thread)
    content = content_of(visit.form)
    said = visit.form.line("draft")
    draft = keep_draft(visit.service, visit.caller, place, content, expected=int(said) if said.isdigit() else 0)
    return visit.page("draft", {"draft": draft})


def discard(visit: Visit) -> Response:
    """Throw a draft away."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    discard_draft(visit.service, visit.caller, ReplyIn(thread))
    return visit.see(f"/threads/{thread}")


def more_entries(visit: Visit) -> Response:
    """Return what came after what an open page shows."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    after = visit.query.get("after", "0")
    if not after.isdigit():
        raise InvalidValueError("after", "is no number")
    found = conversation(visit.service, visit.caller, thread, after=int(after))
    return visit.page("more_entries", shown_of(visit, found) | {"live": live_of(thread, found.entries, "")})


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
    Page("POST", "/threads/{thread}/messages", post_reply),
    Page("POST", "/threads/{thread}/draft", keep),
    Page("POST", "/threads/{thread}/draft/discard", discard),
    Page("GET", "/threads/{thread}/entries", more_entries),
    Page("GET", "/messages/{message}", show_message),
    Page("GET", "/messages/{message}/attachments/{number:int}", download),
)
