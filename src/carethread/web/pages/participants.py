"""Adding people, organisations and teams to a thread, and removing them.

Whoever adds somebody is told that they will see the whole thread, and confirms; a page of its own says what will be
recorded.
"""

from msgspec.structs import replace
from starlette.responses import Response

from carethread.errors import CarethreadError, InvalidValueError, NotAllowedError
from carethread.ids import ParticipantId
from carethread.reads import Addressee, Conversation, readers_of
from carethread.record.model import GROUP_ROLES, Ledger, Participant, Role
from carethread.web import showing
from carethread.web.page import Page
from carethread.web.pages.changing import (
    apply,
    changed,
    check_form,
    explained,
    frame,
    recorded,
    refused,
    subject,
)
from carethread.web.pages.choosing import Choosable, as_participants, chooser, chosen_in, described, shown
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import ThreadChange

_PROFESSIONALS = (Role.CLINICIAN, Role.CARE_ADMINISTRATOR)


def show_participants(visit: Visit) -> Response:
    """Show who takes part, and a way to find others."""
    return _page(visit, subject(visit))


def change_participants(visit: Visit) -> Response:
    """Look for people; or say what adding or removing them will record; or record it."""
    found = subject(visit)
    try:
        add, remove = chosen_in(visit.form, "add"), chosen_in(visit.form, "remove")
        step = visit.form.line("step")
        if not remove and step not in ("check", "record"):
            return _page(visit, found)
        if not (add or remove):
            raise InvalidValueError("add", "names nobody")
        if step == "record":
            return apply(visit, ThreadChange(add=add, remove=remove), _again)
        check_form(visit, found)
        return _check(visit, found, add, remove)
    except CarethreadError as error:
        return _page(visit, found, explained(visit, found, error))


def _again(visit: Visit, found: Conversation, problem: Problem) -> Response:
    _ = visit.words.gettext
    if problem.status == visit.problem(NotAllowedError("")).status and not found.possible.add_others:
        problem = replace(problem, text=_("You can add colleagues only. Ask the side that opened the thread."))
    return _page(visit, found, problem)


def _page(visit: Visit, found: Conversation, problem: Problem | None = None) -> Response:
    can = found.possible
    if not (can.add or can.add_others or can.remove):
        return refused(visit, found)
    listed = found.view.ledger.participants
    adding = None
    if can.add or can.add_others:
        patient = found.patients[0].id
        ticked = described(visit, _ticked(visit, listed), patient)
        # Colleagues are people.
        roles = tuple(Role) if can.add_others else _PROFESSIONALS
        adding = chooser(visit, "add", ticked, patient, without={each.id for each in listed}, roles=roles)
    shown_too = {
        "adding": adding,
        "colleagues_only": not can.add_others,
        "participants": showing.participants(found.view.ledger, visit.words),
        "removable": can.remove,
        "searched": bool(visit.form.fields),
    }
    return visit.page(
        "participants", frame(visit, found, problem) | shown_too, status=200 if problem is None else problem.status
    )


def _ticked(visit: Visit, listed: tuple[Participant, ...]) -> tuple[ParticipantId, ...]:
    there = {each.id for each in listed}
    try:
        return tuple(each for each in chosen_in(visit.form, "add") if each not in there)
    except InvalidValueError:
        # The problem that the page shows says so.
        return ()


# ── What will be recorded ─────────────────────────────────────────────────────────────────────────────────────────────


def _check(
    visit: Visit, found: Conversation, add: tuple[ParticipantId, ...], remove: tuple[ParticipantId, ...]
) -> Response:
    ledger = found.view.ledger
    if remove:
        # One at a time: each is a decision.
        leaving = [each for each in ledger.participants if each.id in remove]
        after = changed(ledger, ThreadChange(remove=remove))
        shown_too = {
            "leaving": leaving,
            "groups_leave": any(each.role in GROUP_ROLES for each in leaving),
            "recorded": recorded(visit, found, after),
        }
        return visit.page("participants_remove", frame(visit, found) | shown_too)
    coming = described(visit, add, found.patients[0].id)
    after = changed(ledger, ThreadChange(add=add), as_participants(coming))
    shown_too = {
        "coming": [_coming(visit, found, after, each) for each in coming],
        "recorded": recorded(visit, found, after),
    }
    return visit.page("participants_add", frame(visit, found) | shown_too)


def _coming(visit: Visit, found: Conversation, after: Ledger, each: Addressee) -> tuple[Choosable, str]:
    """Return somebody who is to be added, and who will see the thread through them."""
    _ = visit.words.gettext
    one = shown(each, visit.words)
    if each.role not in GROUP_ROLES:
        return one, each.name
    readers = readers_of(visit.service, after, found.view.patients)
    reader = next(one for one in readers.groups if one.group.id == each.id)
    return one, showing.of_group(reader, visit.words) or _("Nobody of %(group)s") % {"group": each.name}


PAGES = (
    Page("GET", "/threads/{thread}/participants", show_participants),
    Page("POST", "/threads/{thread}/participants", change_participants),
)
