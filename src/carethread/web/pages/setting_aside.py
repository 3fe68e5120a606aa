"""Setting a thread aside until its next message, for a group: outside the record, and colleagues see who did."""

from starlette.responses import Response

from carethread.errors import CarethreadError, VersionConflictError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.reads import Conversation
from carethread.web.page import Page
from carethread.web.pages.changing import check_form, explained, frame, refused, subject
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import set_aside


def show_set_aside(visit: Visit) -> Response:
    """Say what setting a thread aside means, and ask for whom."""
    return _page(visit, subject(visit))


def put_aside(visit: Visit) -> Response:
    """Set it aside; what came since the page was shown is not set aside with it."""
    found = subject(visit)
    thread = found.view.ledger.communication_id
    group: ParticipantId | None = None
    try:
        version = check_form(visit, found)
        group = parse_participant_id(visit.form.line("group"), "group")
        set_aside(visit.service, visit.caller, thread, group, expected_version=version)
    except CarethreadError as error:
        found = subject(visit)
        return _page(visit, found, explained(visit, found, error), is_behind=isinstance(error, VersionConflictError))
    return visit.see(f"/threads/{thread}")


def _page(
    visit: Visit, found: Conversation, problem: Problem | None = None, *, is_behind: bool = False
) -> Response:  # fmt: skip
    # Whoever is behind came to say it of a thread that may wait no longer: they are told what happened meanwhile.
    groups = found.possible.set_aside & found.waiting
    if not groups and not is_behind:
        return refused(visit, found)
    shown = frame(visit, found, problem) | {
        "groups": [each for each in found.view.ledger.participants if each.id in groups]
    }  # fmt: skip
    return visit.page("set_aside", shown, status=200 if problem is None else problem.status)


PAGES = (
    Page("GET", "/threads/{thread}/set-aside", show_set_aside),
    Page("POST", "/threads/{thread}/set-aside", put_aside),
)
