"""A thread on paper or as PDF, made by the browser: every message whole, with exact times and the record's ids."""

from starlette.responses import Response

from carethread.ids import parse_communication_id
from carethread.reads import conversation
from carethread.web.page import Page
from carethread.web.pages.thread import shown_of
from carethread.web.visit import Visit


def show_print(visit: Visit) -> Response:
    """Show a thread as it is printed."""
    thread = parse_communication_id(visit.path("thread"), "thread_id")
    found = conversation(visit.service, visit.caller, thread)
    shown = shown_of(visit, found) | {"record": found.view.record, "version": found.view.version}
    return visit.page("print", shown)


PAGES = (Page("GET", "/threads/{thread}/print", show_print),)
