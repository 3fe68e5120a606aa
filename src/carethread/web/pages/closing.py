"""Closing a thread, and archiving it: what that says, what it does not say, and that nothing goes back."""

from starlette.responses import Response

from carethread.reads import Conversation
from carethread.record.model import ThreadStatus
from carethread.web.page import Page
from carethread.web.pages.changing import apply, changed, frame, recorded, refused, subject
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import ThreadChange

_CLOSE = ThreadChange(ThreadStatus.CLOSED)
_ARCHIVE = ThreadChange(ThreadStatus.ARCHIVED)


def show_close(visit: Visit) -> Response:
    """Say what closing a thread will record."""
    return _close_page(visit, subject(visit))


def close(visit: Visit) -> Response:
    """Close it."""
    return apply(visit, _CLOSE, _close_page)


def _close_page(visit: Visit, found: Conversation, problem: Problem | None = None) -> Response:
    if not found.possible.close:
        return refused(visit, found)
    return _page(visit, found, problem, "close", _CLOSE)


def show_archive(visit: Visit) -> Response:
    """Say what archiving a thread will record."""
    return _archive_page(visit, subject(visit))


def archive(visit: Visit) -> Response:
    """Archive it."""
    return apply(visit, _ARCHIVE, _archive_page)


def _archive_page(visit: Visit, found: Conversation, problem: Problem | None = None) -> Response:
    if not found.possible.archive:
        return refused(visit, found)
    return _page(visit, found, problem, "archive", _ARCHIVE)


def _page(
    visit: Visit, found: Conversation, problem: Problem | None, template: str, change: ThreadChange
) -> Response:  # fmt: skip
    names = {each.id: each.name for each in found.view.ledger.participants}
    shown = frame(visit, found, problem) | {
        "recorded": recorded(visit, found, changed(found.view.ledger, change)),
        "waits_on": [names[each] for each in sorted(found.waiting)],
    }
    return visit.page(template, shown, status=200 if problem is None else problem.status)


PAGES = (
    Page("GET", "/threads/{thread}/close", show_close),
    Page("POST", "/threads/{thread}/close", close),
    Page("GET", "/threads/{thread}/archive", show_archive),
    Page("POST", "/threads/{thread}/archive", archive),
)
