"""A restricted thread in an emergency, to a clinician of an organisation that takes part: read, and nothing else.

Each time it is shown is in the access log as an emergency, with the reason, and listed for auditors. So it is the
answer to a form, and has no address: whoever comes back to it states the reason again.
"""

import re

from starlette.responses import Response

from carethread.errors import CarethreadError, InvalidValueError, NotAllowedError
from carethread.ids import CommunicationId, parse_communication_id
from carethread.policy.possible import Possible
from carethread.reads import (
    Conversation,
    ThreadView,
    banners,
    open_attachment_in_emergency,
    open_in_emergency,
    readers_of,
)
from carethread.web import showing
from carethread.web.page import Page
from carethread.web.pages.thread import sent_file
from carethread.web.visit import Visit

# Within an address that was copied from somewhere, too.
_THREAD = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def show_form(visit: Visit) -> Response:
    """Ask which thread, and why."""
    if not visit.is_clinician:
        raise NotAllowedError("whoever opens a thread in an emergency is a clinician of an organisation")
    return _form(visit, visit.query.get("thread", ""), "")


def open_thread(visit: Visit) -> Response:
    """Show the thread."""
    said, reason = visit.form.line("thread"), visit.form.line("reason")
    try:
        thread = _thread_in(said)
        if not reason:
            # Whether there is such a thread is not told by whether a reason is asked for.
            raise InvalidValueError("reason", "is empty")
        view = _opened(visit, thread, reason)
    except CarethreadError as error:
        return _form(visit, said, reason, error)
    if view is None:
        return visit.see(f"/threads/{thread}")
    found = _as_conversation(visit, view)
    shown = {
        "thread": thread,
        "status": view.ledger.status.value,
        "opened_at": view.ledger.created_at,
        "patients": found.patients,
        "entries": showing.entries(found, visit.signed_in.person, visit.words),
        "participants": showing.participants(view.ledger, visit.words),
        "readers": showing.readers(found.readers, visit.words),
        "rules": showing.rules(view.ledger, visit.words),
        "emergency": reason,
    }
    return visit.page("emergency_thread", shown)


def _opened(visit: Visit, thread: CommunicationId, reason: str) -> ThreadView | None:
    """Return the thread; nothing where they may read it as it is."""
    try:
        return open_in_emergency(visit.service, visit.caller, thread, reason)
    except NotAllowedError:
        return None


def _form(visit: Visit, thread: str, reason: str, error: CarethreadError | None = None) -> Response:
    problem = None if error is None else visit.problem(error)
    shown = {"thread": thread, "reason": reason, "problem": problem}
    return visit.page("emergency", shown, status=200 if problem is None else problem.status)


def _thread_in(said: str) -> CommunicationId:
    """Return the thread that an address or an id names.

    Raises:
        InvalidValueError: it names none.
    """
    found = _THREAD.search(said)
    if found is None:
        raise InvalidValueError("thread", "is neither the address nor the id of a thread")
    return parse_communication_id(found[0], "thread")


def _as_conversation(visit: Visit, view: ThreadView) -> Conversation:
    """Return the thread as other pages show one: with nothing that could be done in it."""
    patients = banners(visit.service, visit.caller, view.patients)
    return Conversation(
        view=view,
        entries=len(view.messages),
        versions=0,
        patients=tuple(sorted(patients.values(), key=lambda each: each.replaced_by is not None)),
        possible=Possible(),
        speaking=(),
        readers=readers_of(visit.service, view.ledger, view.patients),
        waiting=frozenset(),
    )


def send_file(visit: Visit) -> Response:
    """Send a file of the thread, for the same reason."""
    form = visit.form
    number = form.line("number")
    if not (number.isascii() and number.isdigit()):
        raise InvalidValueError("number", "is no number")
    file, data = open_attachment_in_emergency(
        visit.service,
        visit.caller,
        _thread_in(form.line("thread")),
        form.line("message"),
        int(number),
        form.line("reason"),
    )
    return sent_file(file, data)


PAGES = (
    Page("GET", "/emergency", show_form),
    Page("POST", "/emergency", open_thread),
    Page("POST", "/emergency/file", send_file),
)
