"""Opening a thread: the patient first, told apart from others; then to whom, for whom, and the message."""

from typing import Any

from msgspec import Struct
from starlette.responses import Response

from carethread.directory.likeness import Alike
from carethread.errors import CarethreadError, InvalidValueError, UnknownPersonError, WrongPatientError
from carethread.ids import CommunicationId, ParticipantId, parse_participant_id
from carethread.policy.actor import PATIENT_SIDE
from carethread.policy.drafts import DraftContent, ThreadAbout
from carethread.reads import (
    Banner,
    LookAlike,
    banners,
    look_alikes,
    read_draft,
    readers_of,
)
from carethread.record.model import (
    Addressing,
    Ledger,
    MessageContent,
    Participant,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.text import MAX_BODY
from carethread.web import drafting, showing
from carethread.web.drafting import Drafting, Typed, as_kept, status_of
from carethread.web.forms import Form
from carethread.web.kept_files import attachments_of, kept_files
from carethread.web.page import Page
from carethread.web.pages.choosing import as_participants, chooser, chosen_in, described
from carethread.web.pages.composing import OWN_NAME
from carethread.web.pages.finding import patients_looked_for
from carethread.web.pages.thread import once_of
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import Opening, discard_draft, open_thread

_NO_THREAD = CommunicationId("")
_INDIVIDUAL_ROLES = (Role.CLINICIAN, Role.PATIENT, Role.PATIENT_ASSOCIATE)


class Speaking(Struct, frozen=True):
    """For whom a thread can be opened, as the form offers it."""

    value: str
    name: str
    is_chosen: bool


# ── The patient ───────────────────────────────────────────────────────────────────────────────────────────────────────


def choose_patient(visit: Visit) -> Response:
    """Ask whom it is about. Whoever is of a patient's side is not asked where there is only one."""
    me = visit.known_me
    if me.kind in PATIENT_SIDE:
        own = [each for each in me.patients if each.replaced_by is None]
        if len(own) == 1:
            return visit.see(f"/new/{own[0].id}")
        return visit.page("new_patient", {"found": None, "own": own, "said": Form(), "problem": None})
    return visit.page("new_patient", {"found": None, "own": [], "said": Form(), "problem": None})


def find_patient(visit: Visit) -> Response:
    """Look for a patient. What is looked for travels in the form, not in the address."""
    found, problem = patients_looked_for(visit)
    shown: dict[str, Any] = {"found": found, "own": [], "said": visit.form, "problem": problem}
    return visit.page("new_patient", shown, status=200 if problem is None else problem.status)


def _patient(visit: Visit) -> Banner:
    """Return the patient of the address, or whom they are merged into.

    Raises:
        UnknownPersonError: there is none whom they may know of.
    """
    wanted = parse_participant_id(visit.path("patient"), "patient")
    for _ in range(10):
        found = banners(visit.service, visit.caller, [wanted]).get(wanted)
        if found is None:
            break
        if found.replaced_by is None:
            return found
        wanted = found.replaced_by
    raise UnknownPersonError(f"the directory has no patient {wanted}")


def alike_words(visit: Visit, alike: frozenset[Alike]) -> str:
    """Say in what two patients are alike."""
    _ = visit.words.gettext
    sentences = {
        Alike.SAME_NAME: _("the same name"),
        Alike.SIMILAR_NAME: _("a similar name"),
        Alike.SAME_BIRTH_DATE: _("the same date of birth"),
        Alike.SIMILAR_BIRTH_DATE: _("a similar date of birth"),
    }
    return ", ".join(sentence for kind, sentence in sentences.items() if kind in alike)


# ── The form ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_new(visit: Visit) -> Response:
    """Show the form of a new thread; before that, whoever could be taken for the patient."""
    patient = _patient(visit)
    if visit.known_me.kind not in PATIENT_SIDE and not visit.query.get("meant"):
        others = confusable(look_alikes(visit.service, visit.caller, patient.id))
        if others:
            return _compare(visit, patient, others)
    draft = read_draft(visit.service, visit.caller, ThreadAbout(patient.id))
    continues = None if draft is None else draft.content.continues
    if draft is None or continues is not None:
        # A thread that continues another has a page of its own.
        return _form(visit, patient, Typed(DraftContent(on_behalf_of=_usual(visit)), Drafting()), continues=continues)
    return _form(visit, patient, Typed(draft.content, as_kept(draft)))


def confusable(found: tuple[LookAlike, ...]) -> tuple[LookAlike, ...]:
    """Return those whose names are alike too: among many patients, somebody was born on the same day as anybody."""
    return tuple(each for each in found if each.alike != {Alike.SAME_BIRTH_DATE})


def _compare(visit: Visit, patient: Banner, others: tuple[LookAlike, ...]) -> Response:
    alike = [(each.hit.banner, alike_words(visit, each.alike)) for each in others]
    return visit.page("new_alike", {"patient": patient, "others": alike})


def _usual(visit: Visit) -> ParticipantId | None:
    """Return for whom somebody writes who says nothing: whom they act for, else their only organisation."""
    acting = visit.signed_in.acting.group
    groups = [each.id for each in visit.known_me.groups if each.role is Role.ORGANISATION]
    return acting or (groups[0] if len(groups) == 1 else None)


def content_of(form: Form) -> DraftContent:
    """Return what the form of a new thread holds.

    Raises:
        InvalidValueError: an id is none, or there is no such visibility.
    """
    speaking = form.line("for")
    sensitivity = form.line("sensitivity") or Sensitivity.STANDARD.value
    if sensitivity not in {each.value for each in Sensitivity}:
        raise InvalidValueError("sensitivity", "is none")
    return DraftContent(
        form.text("body"),
        parse_participant_id(speaking, "for") if speaking and speaking != OWN_NAME else None,
        chosen_in(form, "to"),
        others=chosen_in(form, "others"),
        visibility=Visibility(Sensitivity(sensitivity)),
        policies=Policies(not form.is_ticked("without-patient"), not form.is_ticked("without-others")),
    )


def _form(
    visit: Visit,
    patient: Banner,
    typed: Typed,
    problem: Problem | None = None,
    continues: CommunicationId | None = None,
) -> Response:
    """Show the form. `continues` is a closed thread that they have begun to go on with, on the page for that."""
    content = typed.content
    recipients = described(visit, content.recipients, patient.id)
    others = described(visit, content.others, patient.id)
    taking_part = as_participants((*recipients, *others))
    shown: dict[str, Any] = {
        "patient": patient,
        "patients": (patient,),
        "to": chooser(visit, "to", recipients, patient.id),
        "others": chooser(visit, "others", others, patient.id),
        "speaking": _speaking(visit, content.on_behalf_of),
        "content": content,
        "sensitivities": _sensitivities(visit, content.visibility),
        "readers": _readers(visit, patient, content, taking_part) if taking_part else [],
        "drafting": typed.drafting,
        "path": _path(patient),
        "kept": typed.files,
        "continues": continues,
        "longest": MAX_BODY,
        "largest": showing.size(visit.options.largest_upload, visit.words),
        "problem": problem,
    }
    return visit.page("new_thread", shown, status=status_of(problem, typed), once=typed.once)


def _speaking(visit: Visit, chosen: ParticipantId | None) -> list[Speaking]:
    _ = visit.words.gettext
    me = visit.known_me
    made = [Speaking(OWN_NAME, _("%(name)s, for nobody else") % {"name": me.name}, chosen is None)]
    for each in me.groups:
        name = _("%(name)s on behalf of %(group)s") % {"name": me.name, "group": each.name}
        made.append(Speaking(each.id, name, chosen == each.id))
    return made


def _sensitivities(visit: Visit, chosen: Visibility) -> list[Speaking]:
    _ = visit.words.gettext
    sentences = {
        Sensitivity.STANDARD: _("Members of the organisations and teams that take part can read it"),
        Sensitivity.CONFIDENTIAL: _("Of organisations and teams, only clinicians can read it"),
        Sensitivity.RESTRICTED: _("Only people who take part by name can read it"),
    }
    return [Speaking(kind.value, said, kind is chosen.sensitivity) for kind, said in sentences.items()]


def _readers(
    visit: Visit, patient: Banner, content: DraftContent, taking_part: tuple[Participant, ...]
) -> list[str]:  # fmt: skip
    """Say who would read the thread if it were opened so."""
    me = visit.known_me
    author = Participant(me.id, _role_of(visit), me.name)
    group = next((each for each in me.groups if each.id == content.on_behalf_of), None)
    for_whom = () if group is None else (Participant(group.id, group.role, group.name),)
    listed = tuple({each.id: each for each in (author, *for_whom, *taking_part)}.values())
    now = visit.service.archive.clock()
    recipients = tuple(each for each in content.recipients if any(each == one.id for one in listed))
    ledger = Ledger(
        communication_id=_NO_THREAD,
        status=ThreadStatus.OPEN,
        created_at=now,
        last_updated_at=now,
        participants=listed,
        visibility=content.visibility,
        policies=content.policies,
        addressing=Addressing(me.id, recipients, None if group is None else group.id) if recipients else None,
    )
    return showing.readers(readers_of(visit.service, ledger, frozenset({patient.id})), visit.words)


def _role_of(visit: Visit) -> Role:
    kinds = {"patient": Role.PATIENT, "related_person": Role.PATIENT_ASSOCIATE}
    return kinds.get(visit.known_me.kind.value, Role.CLINICIAN)


# ── What becomes of it ────────────────────────────────────────────────────────────────────────────────────────────────


def take_form(visit: Visit) -> Response:
    """Open the thread; or look for more people first, with whatever was typed."""
    patient = _patient(visit)
    content = DraftContent(visit.form.text("body"))
    try:
        content = content_of(visit.form)
        if visit.form.line("patient") != patient.id:
            raise WrongPatientError("the form is about another patient")
        if visit.form.line("step") != "send":
            standing = drafting.keep(visit, ThreadAbout(patient.id), content)
            return _form(visit, patient, Typed(content, standing, kept_files(visit), visit.form.line("once")))
        if not content.recipients:
            raise InvalidValueError("recipients", "are none")
        thread = open_thread(
            visit.service,
            visit.caller,
            _opening(visit, patient, content),
            client_identifier=once_of(visit.form),
            patient_side_opens=visit.options.patients_open_threads,
            draft=drafting.ended(visit, ThreadAbout(patient.id), content),
        )
    except CarethreadError as error:
        return _form(visit, patient, drafting.not_taken(visit, content, error), visit.problem(error))
    return visit.see(f"/threads/{thread}?stored=first")


def _opening(visit: Visit, patient: Banner, content: DraftContent) -> Opening:
    return Opening(
        patient.id,
        content.recipients,
        on_behalf_of=content.on_behalf_of,
        others=content.others,
        message=MessageContent(content.body, attachments=attachments_of(visit)),
        visibility=content.visibility,
        policies=content.policies,
    )


def keep(visit: Visit) -> Response:
    """Keep what was typed so far; or take what was kept elsewhere instead."""
    patient = _patient(visit)

    def show(typed: Typed) -> Response:
        return _form(visit, patient, typed)

    return drafting.answer(visit, ThreadAbout(patient.id), content_of(visit.form), _path(patient), show)


def open_again(visit: Visit) -> Response:
    """Give back what was written before somebody signed in anew."""
    typed = drafting.given_back(visit, content_of(visit.form))
    return _form(visit, _patient(visit), typed, drafting.signed_in_anew(visit))


def keep_again(visit: Visit) -> Response:
    """Let whoever signed in anew go on where they were writing."""
    return drafting.answer_again(visit, _path(_patient(visit)), open_again)


def _path(patient: Banner) -> str:
    return f"/new/{patient.id}/draft"


def discard(visit: Visit) -> Response:
    """Throw the draft away."""
    discard_draft(visit.service, visit.caller, ThreadAbout(_patient(visit).id))
    return visit.see("/inbox")


PAGES = (
    Page("GET", "/new", choose_patient),
    Page("POST", "/new", find_patient),
    Page("GET", "/new/{patient}", show_new),
    Page("POST", "/new/{patient}", take_form, again=open_again),
    Page("POST", "/new/{patient}/draft", keep, again=keep_again),
    Page("POST", "/new/{patient}/draft/discard", discard),
)
