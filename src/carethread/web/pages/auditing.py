"""For auditors: who looked at what, when, and which version."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from carethread.access_log import AccessEntry, Action, Outcome
from carethread.clock import format_instant
from carethread.errors import CarethreadError, InvalidValueError
from carethread.ids import ParticipantId, parse_communication_id, parse_participant_id
from carethread.reads import Filter, access_log, access_page, names
from carethread.web.page import Page
from carethread.web.pages.searching import day_of, one_named
from carethread.web.visit import Visit

_DAY_MS = 86_400_000
_PART = 1_000
# As many digits as a line's number never has.
_LONGEST_NUMBER = 18
_COLUMNS = (
    "number", "at", "actor", "actor_kind", "acting_for", "action", "outcome", "detail", "record", "thread", "message",
    "version", "query", "purpose", "client", "request_id",
)  # fmt: skip
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show_log(visit: Visit) -> Response:
    """Show the newest lines."""
    return _page(visit)


def find_lines(visit: Visit) -> Response:
    """Show the lines that a form selects, or hand them over as a file."""
    try:
        form = visit.form.line("as")
        if form in ("csv", "json"):
            return _export(visit, form)
        return _page(visit)
    except InvalidValueError as error:
        return _page(visit, error)


def _wanted(visit: Visit) -> Filter:
    """Return what a form selects.

    Raises:
        InvalidValueError: something in it is not in order.
    """
    form, zone = visit.form, visit.words.zone
    action, outcome, thread = form.line("action"), form.line("outcome"), form.line("thread")
    until = day_of(form, "until", zone)
    try:
        return Filter(
            actor=one_named(visit, "actor"),
            thread=parse_communication_id(thread, "thread") if thread else None,
            action=Action(action) if action else None,
            outcome=Outcome(outcome) if outcome else None,
            since=day_of(form, "since", zone),
            until=None if until is None else type(until)(until + _DAY_MS),
        )
    except ValueError as error:
        raise InvalidValueError("action", "is none") from error


def _page(visit: Visit, error: CarethreadError | None = None) -> Response:
    problem = None if error is None else visit.problem(error)
    wanted = Filter() if error is not None else _wanted(visit)
    after = visit.form.line("after")
    page = access_page(
        visit.service,
        visit.caller,
        wanted,
        patient=None if error is not None else _patient(visit),
        after=int(after) if after.isascii() and after.isdigit() and len(after) < _LONGEST_NUMBER else 0,
    )
    known = _names(visit, page.lines)
    shown: dict[str, Any] = {
        "entries": [(each, known.get(each.actor, "")) for each in page.lines],
        "more": page.after,
        "said": visit.form,
        "actions": [each.value for each in Action],
        "outcomes": [each.value for each in Outcome],
        "problem": problem,
    }
    return visit.page("audit", shown, status=200 if problem is None else problem.status)


def _patient(visit: Visit) -> ParticipantId | None:
    said = visit.form.line("patient")
    return parse_participant_id(said, "patient") if said else None


def _of_patient(visit: Visit, wanted: Filter, patient: ParticipantId) -> Iterator[AccessEntry]:
    """Yield the lines about a patient, newest first: whom a line is about is found for a part of the log at a time."""
    page = access_page(visit.service, visit.caller, wanted, patient=patient, count=_PART)
    yield from page.lines
    while page.after:
        page = access_page(visit.service, visit.caller, wanted, patient=patient, count=_PART, after=page.after)
        yield from page.lines


def _names(visit: Visit, entries: tuple[AccessEntry, ...]) -> dict[ParticipantId, str]:
    return dict(names(visit.service, visit.caller, {each.actor for each in entries}))


def _export(visit: Visit, form: str) -> Response:
    wanted, patient = _wanted(visit), _patient(visit)
    lines = access_log(visit.service, visit.caller, wanted) if patient is None else _of_patient(visit, wanted, patient)
    rows = _as_csv(lines) if form == "csv" else _as_json(lines)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers = {
        "content-type": kind,
        "content-disposition": f'attachment; filename="access-log.{"csv" if form == "csv" else "ndjson"}"',
    }
    return StreamingResponse(rows, headers=headers)


def _as_csv(lines: Iterator[AccessEntry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    for each in lines:
        writer.writerow([_cell(each, column) for column in _COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(entry: AccessEntry, column: str) -> str:
    value = getattr(entry, column)
    if value is None:
        return ""
    text = format_instant(value) if column == "at" else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _as_json(lines: Iterator[AccessEntry]) -> Iterator[bytes]:
    for each in lines:
        yield msgspec.json.encode(each) + b"\n"


PAGES = (Page("GET", "/audit", show_log), Page("POST", "/audit", find_lines))
