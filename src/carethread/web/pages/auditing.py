"""For auditors: who looked at what, when, and which version; what was opened in emergencies."""

import csv
import io
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from carethread.access_log import AccessEntry, Action, Outcome
from carethread.clock import Instant, format_instant
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_communication_id
from carethread.reads import AccessPage, Filter, access_log, access_page, names
from carethread.web.forms import Form
from carethread.web.log_words import action_words, kind_words, outcome_words, told, why
from carethread.web.page import Page
from carethread.web.pages.picking import GROUPS, PATIENTS, PERSONS, Picker, picked, picker
from carethread.web.pages.searching import day_of
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
_KINDS = {"actor": PERSONS, "group": GROUPS, "patient": PATIENTS}
_FIELDS = ("thread", "action", "outcome", "since", "until")


Code = TypeVar("Code", Action, Outcome)


class Line(Struct, frozen=True):
    """A line of the log as a page shows it. Of what does not exist any more, or never did, there is no link."""

    number: int
    at: Instant
    who: str
    kind: str
    acting_for: str
    told: str
    outcome: str
    why: str
    purpose: str
    patient: str
    thread: CommunicationId | None
    message: MessageId | None
    version: str
    client: str


class _Wanted(Struct, frozen=True):
    """What a form selects. `group` and `patient` are looked for line by line."""

    filter: Filter = Filter()
    group: ParticipantId | None = None
    patient: ParticipantId | None = None


def show_log(visit: Visit) -> Response:
    """Show the newest lines."""
    return _page(visit)


def show_emergencies(visit: Visit) -> Response:
    """Show what was opened in emergencies, newest first."""
    page = _asked(visit, _Wanted(Filter(action=Action.EMERGENCY)), _after(visit.form))
    shown = {"tab": "emergencies", "lines": lines_of(visit, page), "more": page.after}
    return visit.page("audit_emergencies", shown)


def find_lines(visit: Visit) -> Response:
    """Show the lines that a form selects, or hand them over as a file."""
    return _page(visit)


def _page(visit: Visit) -> Response:
    pickers: dict[str, Picker] = {}
    problem = None
    page: AccessPage | None = None
    try:
        for field, kinds in _KINDS.items():
            pickers[field] = Picker(field)
            pickers[field] = picker(visit, field, kinds)
        if not visit.form.line("step"):
            wanted = _wanted(visit, pickers)
            if visit.form.line("as") in ("csv", "json"):
                return _export(visit, wanted, visit.form.line("as"))
            page = _asked(visit, wanted, _after(visit.form))
    except InvalidValueError as error:
        problem = visit.problem(error)
    _ = visit.words.gettext
    shown: dict[str, Any] = {
        "tab": "log",
        "lines": None if page is None else lines_of(visit, page),
        "more": 0 if page is None else page.after,
        "said": visit.form,
        "pickers": {field: pickers.get(field, Picker(field)) for field in _KINDS},
        "choices": {"action": action_words(_), "outcome": outcome_words(_)},
        "chosen": _carried(visit.form, pickers),
        "problem": problem,
    }
    return visit.page("audit", shown, status=200 if problem is None else problem.status)


def _carried(form: Form, pickers: dict[str, Picker]) -> dict[str, str]:
    """Return what a form selects, for the form that asks for older lines."""
    chosen = {field: "" if each.chosen is None else each.chosen.id for field, each in pickers.items()}
    return {name: said for name, said in (chosen | {each: form.line(each) for each in _FIELDS}).items() if said}


def _wanted(visit: Visit, pickers: dict[str, Picker]) -> _Wanted:
    """Return what a form selects.

    Raises:
        InvalidValueError: something in it is not in order.
    """
    form, zone = visit.form, visit.words.zone
    thread = form.line("thread")
    until = day_of(form, "until", zone)
    chosen = Filter(
        actor=picked(pickers["actor"]),
        thread=parse_communication_id(thread, "thread") if thread else None,
        action=_one_of(Action, form, "action"),
        outcome=_one_of(Outcome, form, "outcome"),
        since=day_of(form, "since", zone),
        until=None if until is None else Instant(until + _DAY_MS),
    )
    return _Wanted(chosen, picked(pickers["group"]), picked(pickers["patient"]))


def _one_of(kind: type[Code], form: Form, field: str) -> Code | None:
    said = form.line(field)
    try:
        return kind(said) if said else None
    except ValueError:
        raise InvalidValueError(field, "is none") from None


def _after(form: Form) -> int:
    said = form.line("after")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _LONGEST_NUMBER else 0


def _asked(visit: Visit, wanted: _Wanted, after: int = 0, count: int = 50) -> AccessPage:
    """Return lines, newest first. That they are asked for is in the log too, with whom they are asked of."""
    group = wanted.group
    keep = None if group is None else lambda entry: entry.acting_for == group
    said = {**msgspec.to_builtins(wanted.filter), "acting_for": group, "patient": wanted.patient}
    query = msgspec.json.encode({name: each for name, each in said.items() if each is not None}).decode()
    return access_page(
        visit.service,
        visit.caller,
        wanted.filter,
        patient=wanted.patient,
        keep=keep,
        after=after,
        count=count,
        query=query,
    )


def lines_of(visit: Visit, page: AccessPage) -> list[Line]:
    """Return lines as a page shows them."""
    ids = {each.actor for each in page.lines} | set(page.patients.values())
    ids |= {each.acting_for for each in page.lines if each.acting_for is not None}
    known = dict(names(visit.service, visit.caller, ids)) if ids else {}
    return [line_of(visit, each, page, known) for each in page.lines]


def line_of(visit: Visit, each: AccessEntry, page: AccessPage, known: dict[ParticipantId, str]) -> Line:
    """Return one line, with the names that are known."""
    _ = visit.words.gettext
    group, patient = each.acting_for, None if each.record is None else page.patients.get(each.record)
    return Line(
        number=each.number,
        at=each.at,
        who=known.get(each.actor) or each.client or each.actor,
        kind=kind_words(_).get(each.actor_kind, ""),
        acting_for="" if group in (None, each.actor) else known.get(group, group),
        told=told(each, visit.words),
        outcome="" if each.outcome is Outcome.DONE else outcome_words(_)[each.outcome],
        why=why(each, visit.words),
        purpose=each.purpose,
        patient="" if patient is None else known.get(patient, ""),
        thread=each.thread if each.thread in page.threads else None,
        message=each.message if each.message in page.messages else None,
        version=each.version,
        client=each.client,
    )


# ── As a file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _export(visit: Visit, wanted: _Wanted, form: str) -> Response:
    is_whole = wanted.patient is None and wanted.group is None
    lines = access_log(visit.service, visit.caller, wanted.filter) if is_whole else _in_parts(visit, wanted)
    rows = _as_csv(lines) if form == "csv" else _as_json(lines)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers = {
        "content-type": kind,
        "content-disposition": f'attachment; filename="access-log.{"csv" if form == "csv" else "ndjson"}"',
    }
    return StreamingResponse(rows, headers=headers)


def _in_parts(visit: Visit, wanted: _Wanted) -> Iterator[AccessEntry]:
    """Yield lines, newest first: what has to be looked for line by line is found for a part of the log at a time."""
    page = _asked(visit, wanted, count=_PART)
    yield from page.lines
    while page.after:
        page = _asked(visit, wanted, page.after, _PART)
        yield from page.lines


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


PAGES = (
    Page("GET", "/audit", show_log),
    Page("POST", "/audit", find_lines),
    Page("GET", "/audit/emergencies", show_emergencies),
    Page("POST", "/audit/emergencies", show_emergencies),
)
