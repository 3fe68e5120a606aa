"""Choosing one person, group or patient of the directory by name, in a form: searched for, then chosen.

Whoever is chosen stays so while one looks for others, and nobody has to know an id. Those who are not active any more
are found too: what they did is still looked at.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

from carethread.directory.criteria import EntryClause, EntryField, Text
from carethread.directory.matching import plain_words
from carethread.directory.model import EntryKind, Organization, Patient, Practitioner, RelatedPerson
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.reads import Banner, banners, chosen_addressees, find_addressees, names, search_entries
from carethread.record.model import Role
from carethread.web.pages.choosing import Choosable, shown
from carethread.web.visit import Visit

PERSONS = (EntryKind.PRACTITIONER, EntryKind.RELATED_PERSON, EntryKind.PATIENT)
GROUPS = (EntryKind.ORGANIZATION, EntryKind.CARE_TEAM)
PATIENTS = (EntryKind.PATIENT,)
_COUNT = 20
Named = Practitioner | RelatedPerson | Patient | Organization


class Picker(Struct, frozen=True):
    """What the form shows: who is chosen, and who is found by the words. `is_partial` says that there are more."""

    field: str
    said: str = ""
    chosen: Choosable | None = None
    found: tuple[Choosable, ...] = ()
    is_partial: bool = False


def picker(visit: Visit, field: str, kinds: Collection[EntryKind]) -> Picker:
    """Return who is chosen in a field, or found by what was typed beside it.

    Raises:
        InvalidValueError: what is chosen is no id, or the words are not in order.
    """
    form = visit.form
    said, chosen = form.line(f"{field}-words"), form.line(field)
    wanted = parse_participant_id(chosen, field) if chosen else None
    is_looking = form.line("step") == f"find-{field}"
    found, is_partial = _found(visit, field, said, kinds) if said and (is_looking or wanted is None) else ((), False)
    if wanted is not None:
        others = tuple(each for each in found if each.id != wanted)
        return Picker(field, said if is_looking else "", _one(visit, wanted), others, is_partial)
    if len(found) == 1 and not is_partial:
        return Picker(field, chosen=found[0])
    return Picker(field, said, None, found, is_partial)


def picked(made: Picker) -> ParticipantId | None:
    """Return whom a form has chosen; nobody where it left the field alone.

    Raises:
        InvalidValueError: words were typed that stand for nobody, or for several.
    """
    if made.chosen is not None:
        return made.chosen.id
    if made.said:
        raise InvalidValueError(made.field, "stands for nobody, or for several")
    return None


def _found(visit: Visit, field: str, said: str, kinds: Collection[EntryKind]) -> tuple[tuple[Choosable, ...], bool]:
    clauses = tuple(EntryClause(EntryField.NAME, (Text(word),)) for word in plain_words(said))
    if not clauses:
        raise InvalidValueError(field, "says nothing to look for")
    made: list[Named] = []
    teams: tuple[Choosable, ...] = ()
    is_partial = False
    for kind in kinds:
        # Teams have no name to be searched by in the directory's own terms.
        if kind is EntryKind.CARE_TEAM:
            addressed = find_addressees(visit.service, visit.caller, said, count=_COUNT)
            teams = tuple(shown(each, visit.words) for each in addressed.addressees if each.role is Role.CARE_TEAM)
            is_partial = is_partial or bool(addressed.after)
        else:
            page = search_entries(visit.service, visit.caller, kind, clauses, count=_COUNT)
            made += [each.entry for each in page.entries if isinstance(each.entry, Named)]
            is_partial = is_partial or bool(page.after)
    return (*_described(visit, made), *teams), is_partial


def _one(visit: Visit, wanted: ParticipantId) -> Choosable:
    """Return somebody who was chosen before; of whom nothing is known any more, the id is all there is."""
    patient = banners(visit.service, visit.caller, [wanted]).get(wanted)
    if patient is not None:
        return Choosable(wanted, patient.name, _of_patient(visit, patient))
    name = names(visit.service, visit.caller, [wanted]).get(wanted, wanted)
    return Choosable(wanted, name, _about(visit, [wanted]).get(wanted, ""))


def _described(visit: Visit, entries: Sequence[Named]) -> tuple[Choosable, ...]:
    """Return entries of the directory with what tells them from others of that name."""
    _ = visit.words.gettext
    about = _about(visit, [each.id for each in entries if not isinstance(each, Patient | RelatedPerson)])
    patients = banners(visit.service, visit.caller, [each.id for each in entries if isinstance(each, Patient)])
    about |= {patient: _of_patient(visit, banner) for patient, banner in patients.items()}
    related = [each for each in entries if isinstance(each, RelatedPerson)]
    known = names(visit.service, visit.caller, {each.patient for each in related})
    about |= {
        each.id: _("Relative or carer of %(name)s") % {"name": known.get(each.patient, "")} for each in related
    }  # fmt: skip
    made = [Choosable(each.id, each.name, about.get(each.id, _("Not active any more"))) for each in entries]
    return tuple(sorted(made, key=lambda each: (each.name, each.about)))


def _about(visit: Visit, ids: Sequence[ParticipantId]) -> dict[ParticipantId, str]:
    found = chosen_addressees(visit.service, visit.caller, ids)
    return {each.id: shown(each, visit.words).about for each in found}


def _of_patient(visit: Visit, patient: Banner) -> str:
    _ = visit.words.gettext
    born = _("date of birth not known")
    if patient.birth_date:
        born = _("born %(date)s") % {"date": visit.words.birth_date(patient.birth_date)}
    return " · ".join([_("Patient"), born, *(each.value for each in patient.identifiers[:2])])
