"""Changing who can see a thread, and who may take part in it: in words, with who would see it no longer."""

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from carethread.directory.model import Standing
from carethread.errors import CarethreadError, InvalidValueError, NothingToChangeError
from carethread.policy.reading import NEED, Reach, opened_for
from carethread.reads import Conversation, GroupReader, Readers, readers_of
from carethread.record.model import (
    PATIENT_SIDE_ROLES,
    Ledger,
    Policies,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.web.forms import Form
from carethread.web.page import Page
from carethread.web.pages.changing import (
    apply,
    changed,
    check_form,
    explained,
    frame,
    recorded,
    refused,
    sides_in_words,
    subject,
)
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.web.words import Words
from carethread.writes import ThreadChange

_LEVELS = {each.value: each for each in Sensitivity}


class Choice(Struct, frozen=True):
    """A visibility, as the form offers it. `why_not` says what stands in its way; perhaps somebody can be added."""

    value: str
    name: str
    about: str
    is_chosen: bool
    why_not: str = ""
    can_add: bool = False


class Rule(Struct, frozen=True):
    """A policy, as the form offers it."""

    value: str
    name: str
    not_on: str
    is_on: bool
    why_not: str = ""


class Difference(Struct, frozen=True):
    """Who can see a thread after a change, and could not before; and the other way round."""

    gain: list[str]
    lose: list[str]
    loses_oneself: bool


def show_visibility(visit: Visit) -> Response:
    """Show who can see a thread, and what can be chosen instead."""
    return _page(visit, subject(visit))


def change_visibility(visit: Visit) -> Response:
    """Say what a choice changes for whom; or record it."""
    found = subject(visit)
    try:
        change = _change(visit.form, found)
        if visit.form.line("step") == "record":
            return apply(visit, change, _page)
        check_form(visit, found)
        if change == ThreadChange():
            raise NothingToChangeError("the thread already is as asked")
        return _check(visit, found, change)
    except CarethreadError as error:
        return _page(visit, found, explained(visit, found, error))


def _change(form: Form, found: Conversation) -> ThreadChange:
    """Return what a form asks for; what is as it was is left out.

    Raises:
        InvalidValueError: it names no visibility.
    """
    ledger = found.view.ledger
    level = _LEVELS.get(form.line("visibility"))
    if level is None:
        raise InvalidValueError("visibility", "is none")
    policies = Policies(form.is_ticked("patients"), form.is_ticked("others"))
    return ThreadChange(
        visibility=None if level is _level(ledger.visibility) else Visibility(level),
        policies=None if policies == ledger.policies else policies,
    )


def _level(visibility: Visibility) -> Sensitivity:
    """Return what people call a visibility: either way of restricting a thread is one to them."""
    return Sensitivity.RESTRICTED if visibility.restricted else visibility.sensitivity


# ── What can be chosen ────────────────────────────────────────────────────────────────────────────────────────────────


def _page(visit: Visit, found: Conversation, problem: Problem | None = None) -> Response:
    can = found.possible
    if not (can.visibilities or can.without_reader or can.policies):
        return refused(visit, found)
    shown = frame(visit, found, problem) | {"choices": _choices(visit, found), "rules": _rules(visit, found)}
    return visit.page("visibility", shown, status=200 if problem is None else problem.status)


def _choices(visit: Visit, found: Conversation) -> list[Choice]:
    _ = visit.words.gettext
    ledger = found.view.ledger
    current = _level(ledger.visibility)
    chosen = _LEVELS.get(visit.form.line("visibility"), current)
    named = {
        Sensitivity.STANDARD: (_("Standard"), _("Members of the organisations and teams that take part can read it.")),
        Sensitivity.CONFIDENTIAL: (_("Confidential"), _("Of organisations and teams, only clinicians can read it.")),
        Sensitivity.RESTRICTED: (_("Restricted"), _("Only people who take part by name can read it.")),
    }
    made = []
    for level, (name, about) in named.items():
        wanted = Visibility(level)
        why_not = "" if level is current else _why_not(visit, found, wanted)
        can_add = found.possible.add_others and wanted in found.possible.without_reader
        made.append(Choice(level.value, name, about, level is chosen, why_not, can_add))
    return made


def _why_not(visit: Visit, found: Conversation, wanted: Visibility) -> str:
    _ = visit.words.gettext
    if wanted in found.possible.visibilities:
        return ""
    sides = found.possible.without_reader.get(wanted)
    if sides is None:
        return _("You cannot change it to this.")
    names = sides_in_words(found.view.ledger, sides, visit.words)
    return _("This is not possible now: nobody of %(names)s could read it. Add somebody of theirs by name first.") % {
        "names": names
    }


def _rules(visit: Visit, found: Conversation) -> list[Rule]:
    _ = visit.words.gettext
    ledger = found.view.ledger
    before, can = ledger.policies, found.possible.policies
    patients = replace(before, allow_patient_participation=not before.allow_patient_participation)
    others = replace(before, allow_external_organisations=not before.allow_external_organisations)
    return [
        Rule(
            "patients",
            _("The patient, relatives and carers can take part"),
            _("The patient, relatives and carers cannot take part"),
            before.allow_patient_participation,
            "" if patients in can else _why_patients_stay(ledger, visit.words),
        ),
        Rule(
            "others",
            _("Other organisations and their people can take part"),
            _("Other organisations and their people cannot take part"),
            before.allow_external_organisations,
            "" if others in can else _why_others_stay(ledger, visit.words),
        ),
    ]


def _why_patients_stay(ledger: Ledger, words: Words) -> str:
    _ = words.gettext
    there = [each.name for each in ledger.participants if each.role in PATIENT_SIDE_ROLES]
    if ledger.status is not ThreadStatus.OPEN:
        return _("In a thread that is not open, this stays.")
    if there:
        return _("This stays as long as they take part: %(names)s.") % {"names": ", ".join(there)}
    return _("You cannot change this as the thread is.")


def _why_others_stay(ledger: Ledger, words: Words) -> str:
    _ = words.gettext
    if ledger.status is not ThreadStatus.OPEN:
        return _("In a thread that is not open, this stays.")
    home = opened_for(ledger)
    if home is None:
        return _("This stays: the thread was not opened for an organisation or team.")
    name = next(each.name for each in ledger.participants if each.id == home)
    return _("This stays as long as anybody takes part who does not belong to %(group)s.") % {"group": name}


# ── What a choice changes ─────────────────────────────────────────────────────────────────────────────────────────────


def _check(visit: Visit, found: Conversation, change: ThreadChange) -> Response:
    after = changed(found.view.ledger, change)
    shown = frame(visit, found) | {
        "recorded": recorded(visit, found, after),
        "difference": _difference(visit, found, readers_of(visit.service, after, found.view.patients)),
        "chosen": {
            "visibility": _level(after.visibility).value,
            "patients": after.policies.allow_patient_participation,
            "others": after.policies.allow_external_organisations,
        },
    }
    return visit.page("visibility_check", shown)


def _difference(visit: Visit, found: Conversation, after: Readers) -> Difference:
    before = found.readers
    lose = _more(before, after, visit.words)
    gain = _more(after, before, visit.words)
    return Difference(gain, lose, not _reads(visit, after))


def _more(wider: Readers, narrower: Readers, words: Words) -> list[str]:
    """Say who reads in one case and not in the other."""
    _ = words.gettext
    told = []
    if wider.patient and not narrower.patient:
        told.append(_("The patient"))
    if wider.related_persons and not narrower.related_persons:
        told.append(_("Relatives or carers of the patient"))
    there = {each.group.id: each.reach for each in narrower.groups}
    told += [
        sentence
        for each in wider.groups
        if (sentence := _beyond(each, there.get(each.group.id, Reach.NOBODY), words))
    ]  # fmt: skip
    return told


def _beyond(wider: GroupReader, reach: Reach, words: Words) -> str:
    """Say who of a group reads as far as `wider` says, and would not as far as `reach`."""
    _ = words.gettext
    if wider.reach <= reach:
        return ""
    if reach is Reach.NOBODY:
        sentences = {
            Reach.CLINICIANS: _("Clinicians of %(group)s who do not take part by name"),
            Reach.PROFESSIONALS: _("Everyone who works for %(group)s and does not take part by name"),
        }
        sentence = sentences.get(wider.reach, _("Members of %(group)s who do not take part by name"))
    elif reach is Reach.CLINICIANS:
        sentence = _("Members of %(group)s who are not clinicians")
    else:
        sentence = _("Patients, relatives and carers in %(group)s")
    return sentence % {"group": wider.group.name}


def _reads(visit: Visit, after: Readers) -> bool:
    """Say whether whoever asks can see it themselves then."""
    me = visit.known_me
    if visit.signed_in.acting.kind is not None or me.id in {each.id for each in after.individuals}:
        return True
    reach = {each.group.id: each.reach for each in after.groups}
    # Only professionals change this.
    return any(
        NEED[standing] <= reach.get(group.id, Reach.NOBODY)
        for group in me.groups
        for standing in group.standings & {Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR}
    )


PAGES = (
    Page("GET", "/threads/{thread}/visibility", show_visibility),
    Page("POST", "/threads/{thread}/visibility", change_visibility),
)
