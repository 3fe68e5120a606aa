"""The inbox: mine, that of each organisation or team I act for; what waits on us; what is archived."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import (
    CommunicationId,
    ParticipantId,
    parse_communication_id,
    parse_message_id,
    parse_participant_id,
)
from carethread.policy.drafts import CorrectionOf, DraftPlace, ReplyIn, ThreadAbout, Unfinished
from carethread.reads import (
    Banner,
    InboxLine,
    Overview,
    PatientPage,
    Wanted,
    banners,
    find_patients,
    last_cursor,
    overview,
)
from carethread.web.forms import Form
from carethread.web.page import Page
from carethread.web.showing import one_line
from carethread.web.visit import Visit
from carethread.writes import discard_draft

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


class Begun(Struct, frozen=True):
    """A draft: what it is of, where one goes on with it, when it was kept; and what a form calls its place."""

    text: str
    path: str
    at: Instant
    field: str
    value: str


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
    patient = parse_participant_id(visit.query["patient"], "patient") if visit.query.get("patient") else None
    is_part = bool(visit.query.get("part"))
    me = visit.known_me
    cursor = last_cursor(visit.service)
    found = overview(
        visit.service,
        visit.caller,
        of=of,
        wanted=wanted,
        patient=patient,
        after=visit.query.get("after", ""),
        count=_COUNT,
        counted=() if is_part else (None, me.id, *(each.id for each in me.groups)),
        with_drafts=not is_part and visit.signed_in.acting.kind is None,
    )
    shown: dict[str, object] = {
        "lines": _lines(visit, found.page.lines, found.patients),
        "more": _path(of, show, patient, found.page.after) if found.page.after else "",
        "nothing": _nothing(visit, show, patient),
        "live": {"again": _path(of, show, patient, part=True), "stream": f"/live?{urlencode({'after': cursor})}"},
    }
    if is_part:
        return visit.page("threads", shown)
    around = {
        "tabs": _tabs(visit, of, show, patient, found.unread),
        "filters": _filters(visit, of, show, patient),
        "only": None if patient is None else found.patients.get(patient),
        "only_asked": patient is not None,
        "every": _path(of, show, None),
        "of": of or "",
        "show": show,
        "waiting_explained": show == "waiting",
        "unfinished": _unfinished(visit, found),
    }
    return visit.page("inbox", shown | around)


def _nothing(visit: Visit, show: str, patient: ParticipantId | None) -> str:
    """Say what would stand in a list where nothing does."""
    _ = visit.words.gettext
    if patient is not None:
        return _("No thread about this patient stands here.")
    return {
        "waiting": _("Nothing waits on your side. A thread stands here when something addressed to you comes."),
        "unread": _("You have had every message before you. New ones stand here until you open their thread."),
        "archived": _("No thread is archived. Archived threads are kept here, and can be read as before."),
    }.get(
        show, _("No thread is here. Those in which you take part, yourself or for a group, stand here until archived.")
    )


def find_patient(visit: Visit) -> Response:
    """Look for the patient whose threads alone are wanted. What is looked for travels in the form."""
    form = visit.form
    of = parse_participant_id(form.line("of"), "of") if form.line("of") else None
    show = form.line("show") if form.line("show") in _WANTED else ""
    said = form.line("name")
    problem = None
    page: PatientPage | None = None
    try:
        page = find_patients(visit.service, visit.caller, name=said, after=form.line("after"))
    except InvalidValueError as error:
        problem = visit.problem(error)
    else:
        if len(page.hits) == 1 and not page.after and not form.line("after"):
            return visit.see(_path(of, show, page.hits[0].banner.id))
    shown = {
        "found": [] if page is None else [(each.banner, _path(of, show, each.banner.id)) for each in page.hits],
        "more": "" if page is None else page.after,
        "every": _path(of, show, None),
        "said": said,
        "of": of or "",
        "show": show,
        "problem": problem,
    }
    return visit.page("inbox_patient", shown, status=200 if problem is None else problem.status)


def discard(visit: Visit) -> Response:
    """Throw away what somebody had begun to write, without going there."""
    discard_draft(visit.service, visit.caller, _place_in(visit.form))
    return visit.see("/inbox")


def _place_in(form: Form) -> DraftPlace:
    if form.line("thread"):
        return ReplyIn(parse_communication_id(form.line("thread"), "thread"))
    if form.line("message"):
        return CorrectionOf(parse_message_id(form.line("message")))
    return ThreadAbout(parse_participant_id(form.line("patient"), "patient"))


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


def _unfinished(visit: Visit, found: Overview) -> list[Begun]:
    """Return what somebody has begun to write and not sent."""
    return [_begun(visit, each, found.patients) for each in found.unfinished]


def _begun(visit: Visit, each: Unfinished, known: Mapping[ParticipantId, Banner]) -> Begun:
    _ = visit.words.gettext
    place = each.place
    if isinstance(place, ReplyIn):
        return Begun(_("A reply"), f"/threads/{place.thread}#reply", each.kept_at, "thread", place.thread)
    if isinstance(place, CorrectionOf):
        path = f"/messages/{place.message}/correct"
        return Begun(_("A correction"), path, each.kept_at, "message", place.message)
    name = known[place.patient].name if place.patient in known else ""
    text = _("A new thread about %(name)s") % {"name": name}
    return Begun(text, f"/new/{place.patient}?meant=1", each.kept_at, "patient", place.patient)


def _tabs(
    visit: Visit,
    of: ParticipantId | None,
    show: str,
    patient: ParticipantId | None,
    unread: Mapping[ParticipantId | None, int],
) -> list[Link]:
    _ = visit.words.gettext
    me = visit.known_me
    choices: list[tuple[str, ParticipantId | None]] = [(_("All"), None), (_("Mine"), me.id)]
    choices += [(each.name, each.id) for each in me.groups]
    return [Link(name, _path(each, show, patient), each == of, _unread(unread[each])) for name, each in choices]


def _unread(count: int) -> str:
    return f"{_MOST_UNREAD}+" if count >= _MOST_UNREAD else str(count or "")


def _filters(visit: Visit, of: ParticipantId | None, show: str, patient: ParticipantId | None) -> list[Link]:
    _ = visit.words.gettext
    named = {"": _("Active"), "waiting": _("Waiting on us"), "unread": _("Unread"), "archived": _("Archived")}
    return [Link(name, _path(of, each, patient), each == show) for each, name in named.items()]


def _path(
    of: ParticipantId | None, show: str, patient: ParticipantId | None, after: str = "", *, part: bool = False
) -> str:
    asked = {"of": of or "", "show": show, "patient": patient or "", "after": after, "part": "1" if part else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/inbox?{query}" if query else "/inbox"


def first_page(visit: Visit) -> Response:
    """Send to the inbox."""
    return visit.see("/inbox")


PAGES = (
    Page("GET", "/", first_page),
    Page("GET", "/inbox", show_inbox),
    Page("POST", "/inbox", find_patient),
    Page("POST", "/inbox/drafts/discard", discard),
)
