"""The inbox: mine, that of each organisation or team I act for; what waits on us; what is archived."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.ids import CommunicationId, ParticipantId, parse_participant_id
from carethread.policy.drafts import CorrectionOf, DraftPlace, ReplyIn, ThreadAbout
from carethread.reads import Banner, InboxLine, Wanted, banners, drafts, inbox, last_cursor, unread_count
from carethread.web.page import Page
from carethread.web.showing import one_line
from carethread.web.visit import Visit

_COUNT = 50
_MOST_UNREAD = 100
_WANTED = {
    "": Wanted(),
    "waiting": Wanted(waiting=True),
    "unread": Wanted(unread=True),
    "archived": Wanted(archived=True),
}


class Link(Struct, frozen=True):
    """A tab."""

    name: str
    path: str
    is_current: bool
    unread: str = ""


class Line(Struct, frozen=True):
    """A thread in a list."""

    thread: CommunicationId
    patients: str
    with_whom: str
    at: Instant
    last: str
    last_by: str
    status: str
    is_unread: bool


def show_inbox(visit: Visit) -> Response:
    """Show one inbox; with `part`, the list alone, for a page that is open."""
    of = parse_participant_id(visit.query["of"], "of") if visit.query.get("of") else None
    show = visit.query.get("show", "")
    wanted = _WANTED.get(show, Wanted())
    cursor = last_cursor(visit.service)
    page = inbox(visit.service, visit.caller, of=of, wanted=wanted, after=visit.query.get("after", ""), count=_COUNT)
    shown: dict[str, object] = {
        "lines": lines(visit, page.lines),
        "more": _path(of, show, page.after) if page.after else "",
        "live": {"again": _path(of, show, part=True), "stream": f"/live?{urlencode({'after': cursor})}"},
    }
    if visit.query.get("part"):
        return visit.page("threads", shown)
    around = {
        "tabs": _tabs(visit, of, show),
        "filters": _filters(visit, of, show),
        "waiting_explained": show == "waiting",
        "unfinished": _unfinished(visit),
    }
    return visit.page("inbox", shown | around)


def lines(visit: Visit, found: tuple[InboxLine, ...]) -> list[Line]:
    """Return threads as a list shows them."""
    known = banners(visit.service, visit.caller, {each for line in found for each in line.patients})
    made = []
    for each in found:
        ledger = each.ledger
        hidden = {visit.signed_in.person, *each.patients}
        made.append(
            Line(
                ledger.communication_id,
                " / ".join(dict.fromkeys(known[patient].name for patient in sorted(each.patients) if patient in known)),
                ", ".join(one.name for one in ledger.participants if one.id not in hidden),
                ledger.last_updated_at,
                "" if each.last is None else one_line(each.last.body),
                "" if each.last is None else each.last.author_name,
                ledger.status.value,
                each.is_unread,
            )
        )
    return made


def _unfinished(visit: Visit) -> list[tuple[str, str, Instant]]:
    """Return what somebody has begun to write and not sent: what it is, where, and when it was kept."""
    if visit.signed_in.acting.kind is not None:
        return []
    found = drafts(visit.service, visit.caller)
    about = [each.place.patient for each in found if isinstance(each.place, ThreadAbout)]
    known = banners(visit.service, visit.caller, about) if about else {}
    return [(*_place(visit, each.place, known), each.kept_at) for each in found]


def _place(visit: Visit, place: DraftPlace, known: Mapping[ParticipantId, Banner]) -> tuple[str, str]:
    """Return what a draft is of, and where one goes on with it."""
    _ = visit.words.gettext
    if isinstance(place, ReplyIn):
        return _("A reply"), f"/threads/{place.thread}#reply"
    if isinstance(place, CorrectionOf):
        return _("A correction"), f"/messages/{place.message}/correct"
    name = known[place.patient].name if place.patient in known else ""
    return _("A new thread about %(name)s") % {"name": name}, f"/new/{place.patient}?meant=1"


def _tabs(visit: Visit, of: ParticipantId | None, show: str) -> list[Link]:
    _ = visit.words.gettext
    me = visit.known_me
    choices: list[tuple[str, ParticipantId | None]] = [(_("All"), None), (_("Mine"), me.id)]
    choices += [(each.name, each.id) for each in me.groups]
    return [Link(name, _path(each, show), each == of, _unread(visit, each)) for name, each in choices]


def _unread(visit: Visit, of: ParticipantId | None) -> str:
    count = unread_count(visit.service, visit.caller, of=of)
    return f"{_MOST_UNREAD}+" if count >= _MOST_UNREAD else str(count or "")


def _filters(visit: Visit, of: ParticipantId | None, show: str) -> list[Link]:
    _ = visit.words.gettext
    named = {"": _("Active"), "waiting": _("Waiting on us"), "unread": _("Unread"), "archived": _("Archived")}
    return [Link(name, _path(of, each), each == show) for each, name in named.items()]


def _path(of: ParticipantId | None, show: str, after: str = "", *, part: bool = False) -> str:
    asked = {"of": of or "", "show": show, "after": after, "part": "1" if part else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/inbox?{query}" if query else "/inbox"


def first_page(visit: Visit) -> Response:
    """Send to the inbox."""
    return visit.see("/inbox")


PAGES = (Page("GET", "/", first_page), Page("GET", "/inbox", show_inbox))
