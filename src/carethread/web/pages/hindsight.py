"""For auditors: what somebody could see at an instant, and what they had been served until then."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from carethread.access_log import AccessEntry, Outcome
from carethread.clock import Instant
from carethread.errors import InvalidValueError, NotAllowedError, UnknownPersonError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import ActorKind
from carethread.reads import Reconstruction, names, patient_threads, reconstruct
from carethread.web import showing
from carethread.web.log_words import told
from carethread.web.page import Page
from carethread.web.pages.picking import PATIENTS, PERSONS, Picker, picked, picker
from carethread.web.visit import Visit

_KINDS = {"person": PERSONS, "patient": PATIENTS}
# Served before the instant, newest first: the log has the rest.
_MOST_SERVED = 100


class Seen(Struct, frozen=True):
    """A thread that somebody could read: about whom, with whom, as of which commit, and how many entries it had."""

    thread: CommunicationId
    patients: str
    with_whom: str
    last_at: Instant
    version: str
    entries: int


class Got(Struct, frozen=True):
    """What somebody had been served: what, when, of which thread, as of which commit."""

    at: Instant
    told: str
    thread: CommunicationId | None
    message: MessageId | None
    version: str


def show_form(visit: Visit) -> Response:
    """Ask of whom, and at which instant.

    Raises:
        NotAllowedError: whoever asks does not act as an auditor.
    """
    _check_auditor(visit)
    return _page(visit)


def look_back(visit: Visit) -> Response:
    """Show what they could see.

    Raises:
        NotAllowedError: whoever asks does not act as an auditor.
    """
    _check_auditor(visit)
    return _page(visit)


def _check_auditor(visit: Visit) -> None:
    # What is read says so too; the form alone reads nothing.
    if visit.signed_in.acting.kind is not ActorKind.AUDITOR:
        raise NotAllowedError("the page is for auditors")


def _page(visit: Visit) -> Response:
    pickers = {field: Picker(field) for field in _KINDS}
    problem = None
    found: list[Reconstruction] | None = None
    at: Instant | None = None
    try:
        for field, kinds in _KINDS.items():
            pickers[field] = picker(visit, field, kinds)
        if visit.form.line("step") == "show":
            person, at = _person(pickers["person"]), instant_of(visit)
            found = _reconstructed(visit, person, at, picked(pickers["patient"]))
    except UnknownPersonError:
        problem = visit.problem(InvalidValueError("instant", "is before the directory had them"))
    except InvalidValueError as error:
        problem = visit.problem(error)
    shown: dict[str, Any] = {
        "tab": "hindsight",
        "said": visit.form,
        "pickers": pickers,
        "zone": visit.words.zone.key,
        "found": None if found is None else _shown(visit, found),
        "at": at,
        "problem": problem,
    }
    return visit.page("hindsight", shown, status=200 if problem is None else problem.status)


def _person(made: Picker) -> ParticipantId:
    person = picked(made)
    if person is None:
        raise InvalidValueError(made.field, "is missing")
    return person


def instant_of(visit: Visit) -> Instant:
    """Return the instant that a form names: a day and a time of day in the reader's zone, to its end or to now.

    Raises:
        InvalidValueError: it is none.
    """
    day, time = visit.form.line("day"), visit.form.line("time")
    pattern = "%H:%M:%S" if time.count(":") > 1 else "%H:%M"
    try:
        local = datetime.strptime(f"{day} {time}", f"%Y-%m-%d {pattern}").replace(tzinfo=visit.words.zone)
    except ValueError:
        raise InvalidValueError("instant", "is no day with a time such as 14:02:30") from None
    length = timedelta(seconds=1) if time.count(":") > 1 else timedelta(minutes=1)
    begin = (local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    now = visit.service.archive.clock()
    if not 0 <= begin <= now:
        raise InvalidValueError("instant", "has not come yet")
    return Instant(min(begin + length // timedelta(milliseconds=1) - 1, now))


def _reconstructed(
    visit: Visit, person: ParticipantId, at: Instant, patient: ParticipantId | None
) -> list[Reconstruction]:
    """Return what somebody could see: in all records, or in those of a patient, one after the other."""
    if patient is None:
        return [reconstruct(visit.service, visit.caller, person, at)]
    threads = patient_threads(visit.service, visit.caller, patient, archived=True)
    records = dict.fromkeys(each.record for each in threads)
    return [reconstruct(visit.service, visit.caller, person, at, record=each) for each in records]


def _shown(visit: Visit, found: list[Reconstruction]) -> dict[str, Any]:
    visible = [each for part in found for each in part.visible]
    visible.sort(key=lambda each: each.ledger.last_updated_at, reverse=True)
    served = sorted((each for part in found for each in part.served), key=lambda each: each.number, reverse=True)
    patients = {one for each in visible for one in each.patients}
    known = names(visit.service, visit.caller, patients) if patients else {}
    return {
        "threads": [
            Seen(
                each.ledger.communication_id,
                showing.names(sorted(each.patients), known),
                ", ".join(one.name for one in each.ledger.participants if one.id not in each.patients),
                each.ledger.last_updated_at,
                each.version,
                each.entries,
            )
            for each in visible
        ],
        "served": [_got(visit, each) for each in served[:_MOST_SERVED]],
        "is_partial": len(served) > _MOST_SERVED,
    }


def _got(visit: Visit, each: AccessEntry) -> Got:
    is_there = each.outcome is Outcome.DONE
    return Got(
        each.at,
        told(each, visit.words),
        each.thread if is_there else None,
        each.message if is_there else None,
        each.version,
    )


PAGES = (Page("GET", "/audit/hindsight", show_form), Page("POST", "/audit/hindsight", look_back))
