"""The history of a thread: the commits behind it in plain words, how they are signed, and what the checker says."""

from collections.abc import Callable

from starlette.responses import Response

from carethread.git.signatures import SignatureKind
from carethread.ids import parse_communication_id
from carethread.reads import conversation, thread_history
from carethread.reads.past import Deed, Step
from carethread.web.page import Page
from carethread.web.pages.thread import shown_of
from carethread.web.visit import Visit

_NO_MESSAGES = 1 << 30


def show_past(visit: Visit) -> Response:
    """Show the commits behind a thread."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    found = conversation(visit.service, visit.caller, thread, opens=False, after=_NO_MESSAGES)
    past = thread_history(visit.service, visit.caller, thread)
    shown = shown_of(visit, found) | {
        "record": found.view.record,
        "steps": [(each, _told(each, visit.words.gettext)) for each in reversed(past.steps)],
        "signatures": _signatures(visit, past.steps),
        "is_checked": past.is_checked,
        "findings": past.findings,
    }
    return visit.page("past", shown)


def _told(step: Step, _: Callable[[str], str]) -> list[str]:
    """Say what a commit did."""
    who = ", ".join(each.name for each in step.participants)
    sentences = {
        Deed.OPENED: _("opened the thread"),
        Deed.MESSAGE: _("wrote a message"),
        Deed.CORRECTION: _("corrected a message"),
        Deed.NAMED: _("another system gave a message a name"),
        Deed.ADDED: _("added %(names)s") % {"names": who},
        Deed.REMOVED: _("removed %(names)s") % {"names": who},
        Deed.CLOSED: _("closed the thread"),
        Deed.ARCHIVED: _("archived the thread"),
        Deed.VISIBILITY: _("changed who can read it"),
        Deed.POLICIES: _("changed who may take part"),
        Deed.ADDRESSING: _("changed to whom it is addressed"),
    }
    return [sentences[each] for each in step.deeds]


def _signatures(visit: Visit, steps: tuple[Step, ...]) -> str:
    _ = visit.words.gettext
    kinds = {each.signature for each in steps}
    if kinds == {SignatureKind.NONE}:
        return _("The commits are not signed: this installation has no signing key.")
    if SignatureKind.NONE in kinds:
        return _("Some of the commits are signed.")
    return _("Every commit is signed.")


PAGES = (Page("GET", "/threads/{thread}/history", show_past),)
