"""What the pages that change a thread have in common: the thread as they show it, and what becomes of their forms.

Such a form carries the version of the thread that its page showed. If the thread has moved on since, nothing is
recorded and the page is shown anew; if it is already as was asked, because the form came twice, that is an answer.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from carethread.errors import (
    CarethreadError,
    InvalidValueError,
    NoReaderError,
    NotAllowedError,
    ThreadNotOpenError,
    VersionConflictError,
    WrongPatientError,
)
from carethread.ids import CommunicationId, parse_communication_id
from carethread.reads import Conversation, conversation, may_see, readers_of
from carethread.record.model import GROUP_ROLES, Ledger, Participant, ThreadStatus
from carethread.record.system_text import ledger_sentences
from carethread.web import showing
from carethread.web.page import Page
from carethread.web.pages.thread import check_patient
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.web.words import Words
from carethread.writes import ThreadChange, change_thread

# What these pages show is not the messages.
NO_MESSAGES = 1 << 30


class Recorded(Struct, frozen=True):
    """What will be recorded: the sentences of the entry, who is named as its author, and who reads it."""

    sentences: tuple[str, ...]
    author: str
    readers: list[str]


def subject(visit: Visit, *, after: int = NO_MESSAGES) -> Conversation:
    """Return the thread that a page is about."""
    return thread_of(visit, parse_communication_id(visit.path("thread"), "thread_id"), after=after)


def thread_of(visit: Visit, thread: CommunicationId, *, after: int = NO_MESSAGES) -> Conversation:
    """Return a thread; to be asked something about it does not count as opening it."""
    return conversation(
        visit.service,
        visit.caller,
        thread,
        opens=False,
        after=after,
        patient_side_opens=visit.options.patients_open_threads,
    )


def frame(visit: Visit, found: Conversation, problem: Problem | None = None) -> dict[str, Any]:
    """Return what each of these pages shows of the thread."""
    ledger = found.view.ledger
    return {
        "thread": ledger.communication_id,
        "status": ledger.status.value,
        "opened_at": ledger.created_at,
        "patients": found.patients,
        "version": found.versions,
        "author": author_of(visit, found),
        "problem": problem,
    }


def author_of(visit: Visit, found: Conversation) -> str:
    """Say as whom somebody changes a thread who says nothing of that."""
    _ = visit.words.gettext
    own = visit.known_me.name
    names = {each.id: each.name for each in found.view.ledger.participants}
    group = next((names.get(each.on_behalf_of) for each in found.speaking if each.is_default and each.on_behalf_of), "")
    return _("%(name)s on behalf of %(group)s") % {"name": own, "group": group} if group else own


# ── What a change makes ───────────────────────────────────────────────────────────────────────────────────────────────


def changed(ledger: Ledger, change: ThreadChange, added: tuple[Participant, ...] = ()) -> Ledger:
    """Return a ledger as a change makes it; `added` are those of the change."""
    stay = tuple(each for each in ledger.participants if each.id not in change.remove)
    return replace(
        ledger,
        status=change.status or ledger.status,
        participants=stay + added,
        visibility=change.visibility or ledger.visibility,
        policies=change.policies or ledger.policies,
    )


def recorded(visit: Visit, found: Conversation, after: Ledger) -> Recorded:
    """Return what will be recorded of a change, in the words of the record."""
    readers = readers_of(visit.service, after, found.view.patients)
    return Recorded(
        ledger_sentences(found.view.ledger, after), author_of(visit, found), showing.readers(readers, visit.words)
    )


def _is_as_asked(ledger: Ledger, change: ThreadChange) -> bool:
    listed = {each.id for each in ledger.participants}
    return (
        change.status in (None, ledger.status)
        and change.visibility in (None, ledger.visibility)
        and change.policies in (None, ledger.policies)
        and listed.issuperset(change.add)
        and listed.isdisjoint(change.remove)
    )


# ── What becomes of a form ────────────────────────────────────────────────────────────────────────────────────────────

Again = Callable[[Visit, Conversation, Problem], Response]


def check_form(visit: Visit, found: Conversation) -> int:
    """A form is about the thread, and as it was shown. Return that version.

    Raises:
        WrongPatientError: it was made for another thread, or another patient.
        VersionConflictError: the thread has moved on.
        InvalidValueError: it does not say which version its page showed.
    """
    if visit.form.line("thread") != found.view.ledger.communication_id:
        raise WrongPatientError("the form was made for another thread")
    check_patient(visit.form, found)
    said = visit.form.line("version")
    if not (said.isascii() and said.isdigit()):
        raise InvalidValueError("form", "does not say which version it is about")
    if int(said) != found.versions:
        raise VersionConflictError(f"thread {found.view.ledger.communication_id}", int(said), found.versions)
    return int(said)


def apply(visit: Visit, change: ThreadChange, again: Again) -> Response:
    """Change the thread of a page, or show the page again with what was wrong."""
    found = subject(visit)
    thread = found.view.ledger.communication_id
    try:
        told = change_thread(visit.service, visit.caller, thread, change, expected_version=check_form(visit, found))
    except CarethreadError as error:
        found = subject(visit)
        if not isinstance(error, WrongPatientError | InvalidValueError) and _is_as_asked(found.view.ledger, change):
            return visit.see(f"/threads/{thread}")
        return again(visit, found, explained(visit, found, error))
    if not may_see(visit.service, visit.caller, (thread,)):
        return visit.see(f"/threads/{thread}/left")
    return visit.see(f"/threads/{thread}?stored={told}#m-{told}")


def explained(visit: Visit, found: Conversation, error: CarethreadError) -> Problem:
    """Return what went wrong; of whom nobody could read a thread is named."""
    problem = visit.problem(error)
    _ = visit.words.gettext
    if isinstance(error, NoReaderError) and error.sides:
        named = sides_in_words(found.view.ledger, error.sides, visit.words)
        if not named:
            return problem
        text = _("Nobody of %(names)s could read it. Add somebody of theirs by name first.") % {"names": named}
        return replace(problem, text=text)
    return problem


def sides_in_words(ledger: Ledger, sides: tuple[frozenset[str], ...], words: Words) -> str:
    """Name sides of a thread: by their organisation or team, where they have one."""
    named = []
    for side in sides:
        listed = [each for each in ledger.participants if each.id in side]
        groups = [each.name for each in listed if each.role in GROUP_ROLES]
        named += groups or [each.name for each in listed]
    return words.gettext(" and ").join(dict.fromkeys(named))


def refused(visit: Visit, found: Conversation) -> Response:
    """Say that a thread cannot be changed so: because it is closed, or because whoever asks may not."""
    ledger = found.view.ledger
    said = f"thread {ledger.communication_id} cannot be changed so"
    closed = ledger.status is not ThreadStatus.OPEN
    problem = visit.problem(ThreadNotOpenError(said) if closed else NotAllowedError(said))
    return visit.page("cannot_change", frame(visit, found, problem), status=problem.status)


def show_left(visit: Visit) -> Response:
    """Say that a change was stored, to whoever cannot read the thread any more."""
    return visit.page("left")


PAGES = (Page("GET", "/threads/{thread}/left", show_left),)
