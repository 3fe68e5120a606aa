"""A message in the wrong patient's record: set right step by step, and nothing is recorded before the last one.

The right patient, told apart from others; whom the new thread goes to; who keeps reading the wrong one by name; and
what will be recorded in either record. Each step's form carries what the steps before chose.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from carethread.errors import (
    CarethreadError,
    InvalidValueError,
    NotAllowedError,
    NotFoundError,
    ThreadNotOpenError,
    UnknownPersonError,
    WrongPatientError,
)
from carethread.ids import ParticipantId, parse_communication_id, parse_participant_id
from carethread.reads import Addressee, Banner, Conversation, banners, look_alikes, read_message
from carethread.record.model import PATIENT_SIDE_ROLES, Message, MessageType, Role, ThreadStatus, Visibility
from carethread.record.system_text import ledger_sentences
from carethread.web import showing
from carethread.web.page import Page
from carethread.web.pages.changing import changed, explained, frame, sides_in_words, thread_of
from carethread.web.pages.choosing import as_participants, chooser, chosen_in, described
from carethread.web.pages.correcting import original
from carethread.web.pages.finding import patients_looked_for
from carethread.web.pages.opening import alike_words, confusable
from carethread.web.pages.thread import check_patient
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import Refiling, ThreadChange, refile
from carethread.writes.refiling import WRONG_RECORD

# A patient who was replaced by one who was replaced: more are not followed.
_MOST_MERGED = 10
_PEOPLE = (Role.CLINICIAN, Role.CARE_ADMINISTRATOR)


class _Wrong(Struct, frozen=True):
    """The message that stands in the wrong record, and its thread."""

    message: Message
    found: Conversation


def show_wrong_patient(visit: Visit) -> Response:
    """Say what setting it right does, and ask for the right patient."""
    return _find(visit, _subject(visit))


def set_right(visit: Visit) -> Response:
    """Go a step further, or record all of it."""
    wrong = _subject(visit)
    if wrong.found.view.ledger.status is not ThreadStatus.OPEN:
        # All of it was recorded: the form came twice.
        return visit.see(f"/messages/{wrong.message.id}/wrong-patient/done")
    step = visit.form.line("step")
    if not step:
        step = next((each for each in ("to", "readers") if visit.form.line(f"{each}-after")), "find")
    try:
        check_patient(visit.form, wrong.found)
        if step == "find":
            return _find(visit, wrong)
        return _STEPS.get(step, _record)(visit, wrong, _patient(visit, wrong))
    except CarethreadError as error:
        return _find(visit, wrong, explained(visit, wrong.found, error))


def _subject(visit: Visit) -> _Wrong:
    """Return the message.

    Raises:
        UnknownMessageError: there is no such message, or they may not read it.
        ThreadNotOpenError, NotAllowedError: it is not for them to set right, or not any more.
    """
    view, message = read_message(visit.service, visit.caller, visit.path("message"))
    found = thread_of(visit, view.ledger.communication_id, after=0)
    wrong = _Wrong(message, found)
    if message.id in found.possible.refile or (visit.form.fields and _is_set_right(visit, wrong)):
        return wrong
    if found.view.ledger.status is not ThreadStatus.OPEN:
        raise ThreadNotOpenError(f"message {message.id} stands in a thread that is not open")
    raise NotAllowedError(f"message {message.id} is not for them to file again")


def _is_set_right(visit: Visit, wrong: _Wrong) -> bool:
    ledger, person = wrong.found.view.ledger, visit.signed_in.person
    is_corrected = any(
        each.corrects == wrong.message.id and each.author_id == person and each.body == WRONG_RECORD
        for each in wrong.found.view.messages
    )
    return is_corrected and ledger.status is ThreadStatus.ARCHIVED and ledger.visibility.restricted


def _shown(visit: Visit, wrong: _Wrong, problem: Problem | None = None) -> dict[str, Any]:
    return frame(visit, wrong.found, problem) | {
        "message": wrong.message.id,
        "original": original(wrong.message, visit),
    }


def _answer(visit: Visit, template: str, shown: dict[str, Any], problem: Problem | None = None) -> Response:
    return visit.page(template, shown, status=200 if problem is None else problem.status)


# ── The right patient ─────────────────────────────────────────────────────────────────────────────────────────────────


def _find(visit: Visit, wrong: _Wrong, problem: Problem | None = None) -> Response:
    """Ask for the right patient, and show who was found."""
    form = visit.form
    hits = None
    more = ""
    if problem is None and form.line("step") == "find":
        page, problem = patients_looked_for(visit)
        if page is not None:
            hits = [each.banner for each in page.hits if each.banner.id not in wrong.found.view.patients]
            more = page.after
    shown = _shown(visit, wrong, problem) | {"said": form, "hits": hits, "more": more}
    return _answer(visit, "wrong_patient", shown, problem)


def _patient(visit: Visit, wrong: _Wrong) -> Banner:
    """Return the right patient, as the form names them, or whom they are merged into.

    Raises:
        UnknownPersonError: there is none of whom they may know.
        WrongPatientError: it is the one in whose record the message stands.
    """
    said = wanted = parse_participant_id(visit.form.line("right"), "right")
    for _ in range(_MOST_MERGED):
        found = banners(visit.service, visit.caller, [wanted]).get(wanted)
        if found is None:
            break
        if found.replaced_by is None:
            if found.id in wrong.found.view.patients:
                raise WrongPatientError(f"message {wrong.message.id} stands in the record of patient {said}")
            return found
        wanted = found.replaced_by
    raise UnknownPersonError(f"the directory has no patient {said}")


def _compare(visit: Visit, wrong: _Wrong, patient: Banner) -> Response:
    """Show the patient that was chosen, and who could be taken for them."""
    alike = [
        (each.hit.banner, alike_words(visit, each.alike))
        for each in confusable(look_alikes(visit.service, visit.caller, patient.id))
        if each.hit.banner.id not in wrong.found.view.patients
    ]
    return visit.page("wrong_patient_compare", _shown(visit, wrong) | {"right": patient, "alike": alike})


# ── Who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chosen(
    visit: Visit, field: str, patient: ParticipantId, otherwise: Callable[[], list[ParticipantId]]
) -> tuple[Addressee, ...]:
    """Return whom the form has ticked; before it was shown, whom it begins with."""
    said = chosen_in(visit.form, field)
    asked = said or f"{field}-words" in visit.form.fields or visit.form.is_ticked(f"{field}-chosen")
    return described(visit, said if asked else otherwise(), patient)


def _recipients(visit: Visit, wrong: _Wrong, patient: Banner) -> tuple[Addressee, ...]:
    """Return whom the new thread goes to: to begin with, whom the message went to, without the wrong patient's side."""
    message = wrong.message
    to = [each.id for each in message.to] or [
        each.id for each in wrong.found.view.ledger.participants if each.id != message.author_id
    ]
    return _chosen(visit, "to", patient.id, lambda: to)


def _choose_recipients(
    visit: Visit, wrong: _Wrong, patient: Banner, problem: Problem | None = None
) -> Response:  # fmt: skip
    ticked = _recipients(visit, wrong, patient)
    shown = _shown(visit, wrong, problem) | {
        "right": patient,
        "to": chooser(visit, "to", ticked, patient.id, without={visit.signed_in.person}),
        "readers": chosen_in(visit.form, "readers"),
        "readers_chosen": visit.form.is_ticked("readers-chosen"),
    }
    return _answer(visit, "wrong_patient_to", shown, problem)


def _readers(visit: Visit, wrong: _Wrong) -> tuple[Addressee, ...]:
    """Return who is added to the wrong thread by name: to begin with, who wrote in it, and whoever sets it right."""
    ledger = wrong.found.view.ledger
    listed = {each.id for each in ledger.participants}
    wrote = [
        each.author_id
        for each in wrong.found.view.messages
        if each.type is not MessageType.SYSTEM and each.author_role not in PATIENT_SIDE_ROLES
    ]
    those = [each for each in dict.fromkeys((visit.signed_in.person, *wrote)) if each not in listed]
    found = _chosen(visit, "readers", wrong.found.patients[0].id, lambda: those)
    return tuple(each for each in found if each.id not in listed)


def _choose_readers(visit: Visit, wrong: _Wrong, patient: Banner, problem: Problem | None = None) -> Response:
    to = _recipients(visit, wrong, patient)
    if problem is None and not to:
        return _choose_recipients(visit, wrong, patient, visit.problem(InvalidValueError("recipients", "are none")))
    ledger = wrong.found.view.ledger
    listed = {each.id for each in ledger.participants}
    named = {each.id for each in wrong.found.readers.individuals}
    restricted = Visibility(ledger.visibility.sensitivity, restricted=True)
    sides = wrong.found.possible.without_reader.get(restricted, ())
    shown = _shown(visit, wrong, problem) | {
        "right": patient,
        "to": [each.id for each in to],
        "readers": chooser(
            visit, "readers", _readers(visit, wrong), wrong.found.patients[0].id, without=listed, roles=_PEOPLE
        ),
        "already": [each.name for each in wrong.found.readers.individuals],
        "needed": sides_in_words(ledger, sides, visit.words),
        "leaves": visit.signed_in.person in listed - named,
    }
    return _answer(visit, "wrong_patient_readers", shown, problem)


# ── What will be recorded ─────────────────────────────────────────────────────────────────────────────────────────────


def _check(visit: Visit, wrong: _Wrong, patient: Banner, problem: Problem | None = None) -> Response:
    ledger, message = wrong.found.view.ledger, wrong.message
    to, readers = _recipients(visit, wrong, patient), _readers(visit, wrong)
    change = ThreadChange(
        ThreadStatus.ARCHIVED,
        add=tuple(each.id for each in readers),
        visibility=Visibility(ledger.visibility.sensitivity, restricted=True),
    )
    group = message.on_behalf_of
    named = [each.name for each in wrong.found.readers.individuals]
    shown = _shown(visit, wrong, problem) | {
        "right": patient,
        "to": to,
        "readers": readers,
        "correction": WRONG_RECORD,
        "sentences": ledger_sentences(ledger, changed(ledger, change, as_participants(readers))),
        "keep": ", ".join([*named, *(each.name for each in readers)]),
        "leaves": visit.signed_in.person
        not in {*(each.id for each in wrong.found.readers.individuals), *(each.id for each in readers)},
        "on_behalf_of": "" if group is None else group.name,
        "is_own": message.author_id == visit.signed_in.person,
        "rules": showing.rules(ledger, visit.words),
    }
    return _answer(visit, "wrong_patient_check", shown, problem)


def _record(visit: Visit, wrong: _Wrong, patient: Banner) -> Response:
    to, readers = chosen_in(visit.form, "to"), chosen_in(visit.form, "readers")
    try:
        if visit.form.line("thread") != wrong.found.view.ledger.communication_id:
            raise WrongPatientError("the form was made for another thread")
        done = refile(visit.service, visit.caller, Refiling(wrong.message.id, patient.id, to, readers=readers))
    except CarethreadError as error:
        return _check(visit, wrong, patient, explained(visit, wrong.found, error))
    return visit.see(f"/messages/{wrong.message.id}/wrong-patient/done?thread={done.thread}")


def show_done(visit: Visit) -> Response:
    """Say what was recorded, and where."""
    said = visit.query.get("thread", "")
    found = thread_of(visit, parse_communication_id(said, "thread")) if said else None
    message = visit.path("message")
    try:
        read_message(visit.service, visit.caller, message)
        is_readable = True
    except NotFoundError:
        is_readable = False
    shown = {
        "thread": said,
        "patients": () if found is None else found.patients,
        "message": message,
        "is_readable": is_readable,
    }
    return visit.page("wrong_patient_done", shown)


_STEPS: dict[str, Callable[[Visit, _Wrong, Banner], Response]] = {
    "patient": _compare,
    "to": _choose_recipients,
    "readers": _choose_readers,
    "check": _check,
}
PAGES = (
    Page("GET", "/messages/{message}/wrong-patient", show_wrong_patient),
    Page("POST", "/messages/{message}/wrong-patient", set_right),
    Page("GET", "/messages/{message}/wrong-patient/done", show_done),
)
