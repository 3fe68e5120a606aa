"""Choosing people, organisations and teams from the directory, by the words of their names, in one form.

Whoever is ticked stays so while one looks for others: the form carries them on, and nothing needs a script.
"""

from collections.abc import Collection, Iterable

from msgspec import Struct

from carethread.directory.model import Standing
from carethread.ids import ParticipantId, parse_participant_id
from carethread.reads import Addressee, chosen_addressees, find_addressees
from carethread.record.model import Participant, Role
from carethread.web.forms import Form
from carethread.web.visit import Visit
from carethread.web.words import Words


class Choosable(Struct, frozen=True):
    """Somebody, or a group, with what tells them from others of that name."""

    id: ParticipantId
    name: str
    about: str


class Chooser(Struct, frozen=True):
    """What the form shows: who is ticked, who was found, and where there are more.

    `field` is the name of its boxes. `said` are the words; without any, those around the patient are shown.
    """

    field: str
    said: str
    chosen: tuple[Choosable, ...]
    found: tuple[Choosable, ...]
    more: str


def chosen_in(form: Form, field: str) -> tuple[ParticipantId, ...]:
    """Return whom a form has ticked.

    Raises:
        InvalidValueError: something is no id.
    """
    return tuple(dict.fromkeys(parse_participant_id(each, field) for each in form.every(field)))


def chooser(
    visit: Visit,
    field: str,
    chosen: Iterable[Addressee],
    patient: ParticipantId,
    *,
    without: Collection[ParticipantId] = (),
    roles: Collection[Role] = tuple(Role),
) -> Chooser:
    """Return what the form shows, with who is found by its words.

    Args:
        visit: who asks, and the form: its words, and where the part before ended.
        field: the name of the boxes.
        chosen: who is ticked.
        patient: whom the thread is about.
        without: who is not shown, because they take part already.
        roles: who is shown; left out, everybody.

    Raises:
        UnknownPersonError: there is no such patient.
        InvalidValueError: the words are not in order.
    """
    said = visit.form.line(f"{field}-words")
    after = visit.form.line(f"{field}-after")
    page = find_addressees(visit.service, visit.caller, said, patient=patient, after=after)
    ticked = tuple(shown(each, visit.words) for each in chosen)
    hidden = {*without, *(each.id for each in ticked)}
    found = (each for each in page.addressees if each.id not in hidden and each.role in roles)
    return Chooser(field, said, ticked, tuple(shown(each, visit.words) for each in found), page.after)


def described(visit: Visit, ids: Iterable[ParticipantId], patient: ParticipantId) -> tuple[Addressee, ...]:
    """Return whom a form has ticked, as the directory knows them now; whoever cannot be addressed is not there."""
    return chosen_addressees(visit.service, visit.caller, ids, patient=patient)


def as_participants(found: Iterable[Addressee]) -> tuple[Participant, ...]:
    """Return people and groups as they will take part."""
    return tuple(Participant(each.id, each.role, each.name) for each in found)


def shown(each: Addressee, words: Words) -> Choosable:
    """Return somebody with what tells them from others."""
    return Choosable(each.id, each.name, _about(each, words))


def _about(each: Addressee, words: Words) -> str:
    _ = words.gettext
    of = "" if each.of is None else each.of.name
    match each.role:
        case Role.PATIENT:
            return _("The patient")
        case Role.PATIENT_ASSOCIATE:
            return _("Relative or carer of %(name)s") % {"name": of}
        case Role.CARE_TEAM:
            team = _("Team of %(name)s") % {"name": of} if of else _("Team")
            return f"{team}: {_members(each, words)}"
        case Role.ORGANISATION:
            part = _("Part of %(name)s") % {"name": of} if of else _("Organisation")
            return f"{part}: {_members(each, words)}"
        case _:
            return _places(each, words)


def _places(each: Addressee, words: Words) -> str:
    _ = words.gettext
    told = [
        (
            _("Clinician at %(place)s")
            if Standing.CLINICIAN in one.standings
            else _("Care administrator at %(place)s")
        )
        % {"place": one.organization.name}
        for one in each.places
    ]  # fmt: skip
    return "; ".join(told) or _("Works nowhere that the directory knows of")


def _members(each: Addressee, words: Words) -> str:
    clinicians = each.members.get(Standing.CLINICIAN, 0)
    others = sum(each.members.values()) - clinicians
    told = []
    if clinicians:
        told.append(words.ngettext("%(num)s clinician", "%(num)s clinicians", clinicians) % {"num": clinicians})
    if others:
        told.append(words.ngettext("%(num)s other member", "%(num)s other members", others) % {"num": others})
    return ", ".join(told) or words.gettext("nobody belongs to it now")
