"""Acting as an auditor, with a purpose, or as a steward; and the inboxes that nobody reads any more."""

from starlette.responses import Response

from carethread.errors import CarethreadError, InvalidValueError, PurposeError
from carethread.ids import parse_participant_id
from carethread.policy.actor import ActorKind
from carethread.reads import Acting, deserted_threads, names, unattended_groups
from carethread.web.page import Page
from carethread.web.pages.inbox import lines
from carethread.web.pages.signing_in import Cookies
from carethread.web.visit import CLIENT, Visit
from carethread.writes import change_session, rotate_session

_KINDS = {each.value: each for each in (ActorKind.AUDITOR, ActorKind.STEWARD)}


class Duties:
    """Taking up a duty, and laying it down. The session gets a new secret each time."""

    def __init__(self, cookies: Cookies) -> None:
        """Take what knows of cookies."""
        self._cookies = cookies

    def show(self, visit: Visit) -> Response:
        """Show what one is appointed to, and as what one acts."""
        return self._page(visit)

    def _page(self, visit: Visit, error: CarethreadError | None = None) -> Response:
        problem = None if error is None else visit.problem(error)
        shown = {"purpose": visit.form.line("purpose"), "problem": problem}
        return visit.page("duties", shown, status=200 if problem is None else problem.status)

    def act(self, visit: Visit) -> Response:
        """Act as something from now on; without saying as what, as oneself."""
        said = visit.form.line("kind")
        try:
            if said and said not in _KINDS:
                raise InvalidValueError("kind", "is no duty")
            kind = _KINDS.get(said)
            purpose = visit.form.line("purpose") if kind is ActorKind.AUDITOR else ""
            if kind is ActorKind.AUDITOR and not purpose:
                raise PurposeError("an auditor states a purpose")
            change_session(
                visit.service,
                visit.secret,
                acting=Acting(kind=kind, purpose=purpose),
                client=CLIENT,
                request_id=visit.request_id,
            )
            _, secret = rotate_session(visit.service, visit.secret)
        except CarethreadError as error:
            return self._page(visit, error)
        to = {ActorKind.AUDITOR: "/audit", ActorKind.STEWARD: "/steward"}.get(kind, "/inbox") if kind else "/inbox"
        response = visit.see(to)
        self._cookies.sign_in(response, secret)
        return response

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        return (Page("GET", "/duties", self.show), Page("POST", "/duties", self.act))


def show_unattended(visit: Visit) -> Response:
    """Show the groups whose inbox nobody reads any more."""
    said = visit.query.get("after", "")
    after = parse_participant_id(said, "after") if said else None
    groups, following = unattended_groups(visit.service, visit.caller, after=after)
    known = names(visit.service, visit.caller, groups)
    shown = {"groups": [(each, known.get(each, each)) for each in groups], "more": following}
    return visit.page("steward", shown)


def show_deserted(visit: Visit) -> Response:
    """Show the threads of a group for which a steward acts."""
    group = parse_participant_id(visit.path("group"), "group")
    found = deserted_threads(visit.service, visit.caller, group, after=visit.query.get("after", ""))
    shown = {
        "group": names(visit.service, visit.caller, [group]).get(group, group),
        "lines": lines(visit, found.lines),
        "more": f"/steward/{group}?after={found.after}" if found.after else "",
        "nothing": visit.words.gettext("No thread of theirs is without somebody at its home side."),
        "live": None,
    }
    return visit.page("steward_group", shown)


PAGES = (Page("GET", "/steward", show_unattended), Page("GET", "/steward/{group}", show_deserted))
