"""Going on where a thread was closed: a new one that continues it, perhaps with a correction of one of its messages."""

from msgspec import Struct
from starlette.responses import Response

from carethread.errors import (
    AmbiguousSideError,
    CarethreadError,
    InvalidValueError,
    UnknownMessageError,
    WrongPatientError,
)
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_message_id, parse_participant_id
from carethread.policy.drafts import CorrectionOf, Draft, DraftContent, DraftPlace, ThreadAbout
from carethread.policy.possible import Way
from carethread.policy.reading import opened_for
from carethread.reads import Conversation, read_draft
from carethread.record.model import Message, MessageContent, Policies, Sensitivity, ThreadStatus
from carethread.web import drafting, showing
from carethread.web.drafting import Typed, as_kept, status_of
from carethread.web.forms import Form
from carethread.web.kept_files import attachments_of
from carethread.web.page import Page
from carethread.web.pages.changing import frame, refused, subject
from carethread.web.pages.composing import OWN_NAME, chosen_way, content_of
from carethread.web.pages.correcting import limits, original, ways
from carethread.web.pages.thread import check_patient, once_of
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import Opening, discard_draft, open_thread


class Candidate(Struct, frozen=True):
    """Somebody of the closed thread: whether the new one asks them, or has them take part."""

    id: ParticipantId
    name: str
    is_asked: bool
    is_other: bool


class _Continuing(Struct, frozen=True):
    """A closed thread, and the message of it that is corrected, if one is."""

    found: Conversation
    corrected: Message | None

    @property
    def thread(self) -> CommunicationId:
        return self.found.view.ledger.communication_id

    @property
    def patient(self) -> ParticipantId:
        return self.found.patients[0].id

    @property
    def draft_place(self) -> DraftPlace:
        return ThreadAbout(self.patient) if self.corrected is None else CorrectionOf(self.corrected.id)


def show_continue(visit: Visit) -> Response:
    """Show what a thread that continues a closed one begins with."""
    return _page(visit, _subject(visit, visit.query.get("corrects", "")))


def continue_thread(visit: Visit) -> Response:
    """Open it, once however often the form comes."""
    about = _subject(visit, visit.form.line("corrects"))
    if not about.found.possible.continues:
        return _page(visit, about)
    try:
        content = _content_of(visit.form, about)
        if visit.form.line("thread") != about.thread:
            raise WrongPatientError("the form was made for another thread")
        check_patient(visit.form, about.found)
        opened = open_thread(
            visit.service,
            visit.caller,
            _opening(visit, about, content),
            client_identifier=once_of(visit.form),
            patient_side_opens=visit.options.patients_open_threads,
            draft=drafting.ended(visit, about.draft_place, content),
        )
    except CarethreadError as error:
        typed = drafting.not_taken(visit, _content_or_none(visit.form, about), error)
        return _page(visit, about, problem=visit.problem(error), typed=typed)
    return visit.see(f"/threads/{opened}?stored=first")


def _subject(visit: Visit, corrects: str) -> _Continuing:
    """Return the closed thread, and what is corrected.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it.
        UnknownMessageError: it has no such message that is theirs to correct.
    """
    found = subject(visit, after=0)
    if not corrects:
        return _Continuing(found, None)
    wanted = parse_message_id(corrects, "corrects")
    message = next((each for each in found.view.messages if each.id == wanted), None)
    if message is None or (found.possible.continues and wanted not in found.possible.correct_later):
        raise UnknownMessageError(f"there is no message {wanted} to correct")
    return _Continuing(found, message)


# ── What it begins with ───────────────────────────────────────────────────────────────────────────────────────────────


def _content_of(form: Form, about: _Continuing) -> DraftContent:
    typed = content_of(form)
    return DraftContent(
        typed.body,
        typed.on_behalf_of,
        typed.recipients,
        others=tuple(
            each
            for each in (parse_participant_id(one, "others") for one in form.every("others"))
            if each not in typed.recipients
        ),
        continues=about.thread,
    )


def _content_or_none(form: Form, about: _Continuing) -> DraftContent:
    try:
        return _content_of(form, about)
    except InvalidValueError:
        return DraftContent(form.text("body"), continues=about.thread)


def _opening(visit: Visit, about: _Continuing, content: DraftContent) -> Opening:
    if not visit.form.line("for") and len(_ways(about.found)) != 1:
        raise AmbiguousSideError("the form does not say for whom the thread is opened")
    if not content.recipients:
        raise InvalidValueError("recipients", "is empty")
    ledger = about.found.view.ledger
    before = ledger.policies
    # Whom it admits beside the group for which it was opened is that group's to say.
    same_home = content.on_behalf_of is not None and content.on_behalf_of == opened_for(ledger)
    return Opening(
        about.patient,
        content.recipients,
        content.on_behalf_of,
        others=content.others,
        message=MessageContent(
            content.body,
            corrects=None if about.corrected is None else about.corrected.id,
            attachments=attachments_of(visit),
        ),
        visibility=ledger.visibility,
        policies=Policies(before.allow_patient_participation, before.allow_external_organisations or not same_home),
        continues=about.thread,
    )


def _ways(found: Conversation) -> tuple[Way, ...]:
    """Return for whom somebody can open it: a restricted thread is opened by a person, and for nobody."""
    visibility = found.view.ledger.visibility
    restricted = visibility.restricted or visibility.sensitivity is Sensitivity.RESTRICTED
    return tuple(each for each in found.speaking if not restricted or each.on_behalf_of is None)


def _prefilled(found: Conversation, person: ParticipantId) -> DraftContent:
    """Return whom a reply in the closed thread would have gone to, with everybody else who reads it."""
    way = chosen_way(_ways(found), None)
    group = None if way is None else way.on_behalf_of
    listed = [each.id for each in found.view.ledger.participants if each.id not in (person, group)]
    to = () if way is None or way.to is None else tuple(each for each in way.to if each != person)
    if way is not None and way.to == ():
        to = tuple(listed)
    # Whoever opened the closed thread for a group reads it as a member of that, and so they do the new one.
    reading = {each.id for each in found.readers.individuals} | {each.group.id for each in found.readers.groups}
    others = tuple(each for each in listed if each in reading and each not in to)
    return DraftContent(on_behalf_of=group, recipients=to, others=others, continues=found.view.ledger.communication_id)


def _draft(visit: Visit, about: _Continuing) -> Draft | None:
    return read_draft(visit.service, visit.caller, about.draft_place)


def _is_of_another(about: _Continuing, draft: Draft | None) -> bool:
    """Say whether what was begun at the same place is another new thread about the patient, to be left alone."""
    return about.corrected is None and draft is not None and draft.content.continues != about.thread


def _page(visit: Visit, about: _Continuing, *, problem: Problem | None = None, typed: Typed | None = None) -> Response:
    found = about.found
    ledger = found.view.ledger
    if ledger.status is ThreadStatus.OPEN:
        return visit.see(f"/threads/{about.thread}")
    if not found.possible.continues:
        return refused(visit, found)
    draft = _draft(visit, about)
    of_another = _is_of_another(about, draft)
    person = visit.signed_in.person
    kept = None if of_another else draft
    content = typed.content if typed is not None else _prefilled(found, person) if kept is None else kept.content
    offered = _ways(found)
    only = offered[0].on_behalf_of if len(offered) == 1 else None
    shown = frame(visit, found, problem) | {
        "corrects": None if about.corrected is None else about.corrected.id,
        "original": None if about.corrected is None else original(about.corrected, visit),
        "continued_by": found.view.continued_by,
        "ways": [
            each for each in ways(visit, found, content) if each.value in {w.on_behalf_of or OWN_NAME for w in offered}
        ],
        "candidates": [
            Candidate(each.id, each.name, each.id in content.recipients, each.id in content.others)
            for each in ledger.participants
            if each.id not in (person, only)
        ],
        "rules": showing.rules(ledger, visit.words),
        "body": content.body,
        "drafting": as_kept(kept) if typed is None else typed.drafting,
        "path": _path(about),
        "kept": [] if typed is None else typed.files,
        "is_kept": not of_another,
        **limits(visit),
    }
    return visit.page("continue", shown, status=status_of(problem, typed), once="" if typed is None else typed.once)


def keep(visit: Visit) -> Response:
    """Keep what was typed so far; or take what was kept elsewhere instead."""
    about = _subject(visit, visit.form.line("corrects"))

    def show(typed: Typed) -> Response:
        return _page(visit, about, typed=typed)

    return drafting.answer(visit, about.draft_place, _content_of(visit.form, about), _path(about), show)


def continue_again(visit: Visit) -> Response:
    """Give back what was written before somebody signed in anew."""
    about = _subject(visit, visit.form.line("corrects"))
    typed = drafting.given_back(visit, _content_or_none(visit.form, about))
    return _page(visit, about, problem=drafting.signed_in_anew(visit), typed=typed)


def keep_again(visit: Visit) -> Response:
    """Let whoever signed in anew go on where they were writing."""
    return drafting.answer_again(visit, _path(_subject(visit, visit.form.line("corrects"))), continue_again)


def _path(about: _Continuing) -> str:
    return f"/threads/{about.thread}/continue/draft"


def discard(visit: Visit) -> Response:
    """Throw away what was typed so far."""
    about = _subject(visit, visit.form.line("corrects"))
    discard_draft(visit.service, visit.caller, about.draft_place)
    corrects: MessageId | None = None if about.corrected is None else about.corrected.id
    return visit.see(f"/threads/{about.thread}/continue" + (f"?corrects={corrects}" if corrects else ""))


PAGES = (
    Page("GET", "/threads/{thread}/continue", show_continue),
    Page("POST", "/threads/{thread}/continue", continue_thread, again=continue_again),
    Page("POST", "/threads/{thread}/continue/draft", keep, again=keep_again),
    Page("POST", "/threads/{thread}/continue/draft/discard", discard),
)
