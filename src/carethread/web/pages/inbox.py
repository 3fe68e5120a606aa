"""The inbox: mine, that of each organisation or team I act for; what waits on us; what is archived."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.ids import CommunicationId, ParticipantId, parse_participant_id
from carethread.policy.drafts import CorrectionOf, DraftPlace, ReplyIn
from carethread.reads import Banner, InboxLine, Overview, Wanted, banners, last_cursor, overview
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
    is_part = bool(visit.query.get("part"))
    me = visit.known_me
    cursor = last_cursor(visit.service)
    found = overview(
        visit.service,
        visit.caller,
        of=of,
        wanted=wanted,
        after=visit.query.get("after", ""),
        count=_COUNT,
        counted=() if is_part else (None, me.id, *(each.id for each in me.groups)),
        with_drafts=not is_part and visit.signed_in.acting.kind is None,
    )
    shown: dict[str, object] = {
        "lines": _lines(visit, found.page.lines, found.patients),
        "more": _path(of, show, found.page.after) if found.page.after else "",
        "live": {"again": _path(of, show, part=True), "stream": f"/live?{urlencode({'after': cursor})}"},
    }
    if is_part:
        return visit.page("threads", shown)
    around = {
        "tabs": _tabs(visit, of, show, found.unread),
        "filters": _filters(visit, of, show),
        "waiting_explained": show == "waiting",
        "unfinished": _unfinished(visit, found),
    }
    return visit.page("inbox", shown | around)


def lines(visit: Visit, found: tuple[InboxLine, ...]) -> list[Line]:
    """Return threads as a list shows them."""
    return _lines(
        visit, found, banners(visit.service, visit.caller, {each for line in found for each in line.patients})
    )


def _lines(visit: Visit, found: tuple[InboxLine, ...], known: Mapping[ParticipantId, Banner]) -> list[Line]:
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


def _unfinished(visit: Visit, found: Overview) -> list[tuple[str, str, Instant]]:
    """Return what somebody has begun to write and not sent: what it is, where, and when it was kept."""
    return [(*_place(visit, each.place, found.patients), each.kept_at) for each in found.unfinished]


def _place(visit: Visit, place: DraftPlace, known: Mapping[ParticipantId, Banner]) -> tuple[str, str]:
    """Return what a draft is of, and where one goes on with it."""
    _ = visit.words.gettext
    if isinstance(place, ReplyIn):
        return _("A reply"), f"/threads/{place.thread}#reply"
    if isinstance(place, CorrectionOf):
        return _("A correction"), f"/messages/{place.message}/correct"
    name = known[place.patient].name if place.patient in known else ""
    return _("A new thread about %(name)s") % {"name": name}, f"/new/{place.patient}?meant=1"


def _tabs(
    visit: Visit, of: ParticipantId | None, show: str, unread: Mapping[ParticipantId | None, int]
) -> list[Link]:  # fmt: skip
    _ = visit.words.gettext
    me = visit.known_me
    choices: list[tuple[str, ParticipantId | None]] = [(_("All"), None), (_("Mine"), me.id)]
    choices += [(each.name, each.id) for each in me.groups]
    return [Link(name, _path(each, show), each == of, _unread(unread[each])) for name, each in choices]


def _unread(count: int) -> str:
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
