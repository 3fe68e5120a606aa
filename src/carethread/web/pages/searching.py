"""Searching the messages that one may read. What is looked for travels in the form, never in the address."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from msgspec import Struct
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import CarethreadError, InvalidValueError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads import Hit, Hits, Looking, find_addressees, search
from carethread.web.forms import Form
from carethread.web.page import Page
from carethread.web.visit import Visit

_AROUND = 90
_WORD = re.compile(r"\w+")


class Found(Struct, frozen=True):
    """A message that was found."""

    thread: CommunicationId
    message: MessageId
    author: str
    on_behalf_of: str
    at: Instant
    text: Markup


def show_search(visit: Visit) -> Response:
    """Show the form."""
    return _page(visit, None, None)


def find_messages(visit: Visit) -> Response:
    """Show what was found."""
    try:
        looking = _looking(visit)
        hits = search(visit.service, visit.caller, looking, after=visit.form.line("after"))
    except InvalidValueError as error:
        return _page(visit, None, error)
    return _page(visit, hits, None)


def _page(visit: Visit, hits: Hits | None, error: CarethreadError | None) -> Response:
    problem = None if error is None else visit.problem(error)
    words = visit.form.line("words")
    shown = {
        "said": visit.form,
        "found": None if hits is None else [_found(each, words) for each in hits.hits],
        "after": "" if hits is None else hits.after,
        "problem": problem,
    }
    return visit.page("search", shown, status=200 if problem is None else problem.status)


def _looking(visit: Visit) -> Looking:
    """Return what a form looks for.

    Raises:
        InvalidValueError: a day is none, or a name stands for nobody, or for several.
    """
    form, zone = visit.form, visit.words.zone
    since, until = day_of(form, "since", zone), day_of(form, "until", zone)
    return Looking(
        words=form.line("words"),
        organisation=one_named(visit, "organisation"),
        author=one_named(visit, "author"),
        since=since,
        until=None if until is None else Instant(until + 86_400_000),
    )


def one_named(visit: Visit, field: str) -> ParticipantId | None:
    """Return whom a name stands for."""
    said = visit.form.line(field)
    if not said:
        return None
    found = find_addressees(visit.service, visit.caller, said, count=2).addressees
    if len(found) != 1:
        raise InvalidValueError(field, "stands for nobody, or for several")
    return found[0].id


def day_of(form: Form, field: str, zone: ZoneInfo) -> Instant | None:
    """Return when a day begins for the reader."""
    said = form.line(field)
    if not said:
        return None
    try:
        day = datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise InvalidValueError(field, "is no day such as 2026-03-01") from None
    since_epoch = day.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return Instant(max(0, since_epoch // timedelta(milliseconds=1)))


def _found(hit: Hit, words: str) -> Found:
    message = hit.message
    return Found(
        hit.thread,
        message.id,
        message.author_name,
        "" if message.on_behalf_of is None else message.on_behalf_of.name,
        message.timestamp,
        marked(message.body, words),
    )


def marked(text: str, words: str) -> Markup:
    """Return the part of a text in which the words stand first, with each of them marked. The text stays text."""
    wanted = [re.escape(each) for each in _WORD.findall(words)]
    flat = " ".join(text.split())
    if not wanted:
        return escape(flat[: 2 * _AROUND])
    pattern = re.compile(rf"\b(?:{'|'.join(wanted)})\w*", re.IGNORECASE)
    first = pattern.search(flat)
    begin = max(0, first.start() - _AROUND) if first is not None else 0
    part = flat[begin : begin + 2 * _AROUND + 60]
    made = Markup("…") if begin else Markup()
    last = 0
    for each in pattern.finditer(part):
        made += escape(part[last : each.start()]) + Markup("<mark>{}</mark>").format(each[0])
        last = each.end()
    return made + escape(part[last:]) + ("…" if begin + len(part) < len(flat) else "")


PAGES = (Page("GET", "/search", show_search), Page("POST", "/search", find_messages))
