"""Opening a thread about a patient. The first one begins the patient's record."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.coordination import CoordinationRecord, CoordinationService
from carethread.coordination.record import Permission, check_first_thread
from carethread.errors import DuplicateRecordError, UnknownPersonError, WrongPatientError
from carethread.ids import ClinicalId, CommunicationId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, Caller, Company, Thread
from carethread.policy.drafts import DraftPlace
from carethread.policy.opening import as_opened, check_may_open
from carethread.policy.sides import recipients_for
from carethread.policy.speaking import author_opening
from carethread.policy.writing import check_is_theirs
from carethread.record.intake import check_care_location
from carethread.record.model import (
    Addressing,
    Author,
    ClientIdentifier,
    Ledger,
    MessageContent,
    Naming,
    Participant,
    Policies,
    Visibility,
)
from carethread.record.transitions import Found, NewThread, Transition
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.drafts import finished
from carethread.store.inbox import wrote
from carethread.store.journal import Effect
from carethread.store.people import known, patients_of_record, surviving_patient
from carethread.store.threads import asked_about, find_thread
from carethread.store.writer import View
from carethread.writes.acting import WriteLog, original_of, own_identifier, participants, patients_in, performed, via


class Opening(Struct, frozen=True):
    """A thread that is to be opened.

    Attributes:
        patient: whom it is about; merged ones: the record of the patient that stands for them now.
        recipients: people, organisations and teams that are asked, at least one.
        on_behalf_of: the organisation or team it is opened for; replies go there.
        reply_to: where replies go, if it is opened for nobody; left out, to who opens it.
        others: who takes part without being asked.
        message: the first message.
        visibility: who among the members of groups may read.
        policies: who may become a participant.
        continues: the closed thread of the same record that it takes up.
    """

    patient: ParticipantId
    recipients: tuple[ParticipantId, ...]
    on_behalf_of: ParticipantId | None = None
    reply_to: ParticipantId | None = None
    others: tuple[ParticipantId, ...] = ()
    message: MessageContent | None = None
    visibility: Visibility = Visibility()
    policies: Policies = Policies()
    continues: CommunicationId | None = None


class _Prepared(Struct, frozen=True):
    actor: Actor
    author: Author
    new: NewThread
    clinical_id: ClinicalId
    place: str


def open_thread(
    service: CoordinationService,
    caller: Caller,
    opening: Opening,
    *,
    care_location: str | None = None,
    client_identifier: ClientIdentifier | None = None,
    naming: Naming | None = None,
    patient_side_opens: bool = True,
    draft: DraftPlace | None = None,
) -> CommunicationId:
    """Open a thread; begin the patient's record, if this is the first.

    Args:
        service: the installation.
        caller: who opens it.
        opening: what it begins with.
        care_location: where that happens; left out, the group's name, else the installation's.
        client_identifier: what the client calls this request, within what this person asks for through it.
        naming: what the thread is called in the whole installation.
        patient_side_opens: whether this installation lets patients and related persons open threads.
        draft: the place of what they had begun to write: it goes with the commit that opens the thread.

    Raises:
        UnknownPersonError: the directory does not know the patient or somebody named.
        PolicyError: they may not open it so; the class says why.
        RuleError, InvalidValueError, ConflictError: as in `CoordinationRecord.communication_create`.
    """
    asked = replace(
        line(caller, Action.WRITTEN), acting_for=opening.on_behalf_of, query=f'{{"patient":"{opening.patient}"}}'
    )  # fmt: skip
    return performed(
        service.archive,
        asked,
        lambda: _open(
            service, caller, opening, care_location, (client_identifier, naming), patient_side_opens, asked, draft
        ),
    )


def _open(
    service: CoordinationService,
    caller: Caller,
    opening: Opening,
    care_location: str | None,
    names: tuple[ClientIdentifier | None, Naming | None],
    patient_side_opens: bool,  # noqa: FBT001 - handed on
    asked: AccessEntry,
    draft: DraftPlace | None,
) -> CommunicationId:
    archive = service.archive
    prepared = _prepare(service, caller, opening, care_location, patient_side_opens=patient_side_opens)
    message = _first_message(caller, opening, prepared)
    identifier, naming = own_identifier(caller, names[0]), names[1]
    record = service.find_record(prepared.clinical_id)
    if record is None:
        check_first_thread(archive, prepared.author, prepared.place, prepared.new, message, identifier, naming)
        record = _begin(service, prepared)
    log = WriteLog(archive, asked, "thread")
    done: list[Effect] = []

    def following(commit: str, made: str, _: Transition | None) -> Iterator[Effect]:
        thread_id = CommunicationId(made)
        yield from log.effects(commit, thread=thread_id)
        if opening.message is not None:
            yield wrote(prepared.actor.id, thread_id, 0, 1, archive.clock())
        yield from done

    def ask(view: View, new: NewThread, continued: Ledger | None, corrected: Found | None) -> Author:
        now = archive.clock()
        actor = actor_for(view.connection, caller, now)
        patients = patients_in(view)
        before = None if continued is None else Thread(continued, patients)
        company = known(view.connection, (each.id for each in new.participants), now)
        check_may_open(
            actor,
            new,
            opening.on_behalf_of,
            patients,
            company,
            patient_side_opens=patient_side_opens,
            continued=before,
        )
        if opening.message is not None and opening.message.corrects is not None:
            check_is_theirs(actor, opening.message.corrects, original_of(patients, corrected))
        log.acting(actor, record.coordination_id, None, opening.on_behalf_of)
        # Asked only where something is to be recorded: who asks again finds what is there, and has begun anew perhaps.
        done[:] = [] if draft is None else [finished(actor.id, draft)]
        return author_opening(actor, patients, opening.on_behalf_of)

    return record.communication_create(
        prepared.author,
        prepared.place,
        prepared.new.participants,
        message,
        addressing=prepared.new.addressing,
        continues=opening.continues,
        visibility=opening.visibility,
        policies=opening.policies,
        client_identifier=identifier,
        naming=naming,
        permission=Permission(ask, following),
    )


def check_opening(service: CoordinationService, caller: Caller, opening: Opening) -> None:
    """Somebody may open a thread so, as things stand; nothing is recorded, and no line of the log is written.

    Raises:
        UnknownPersonError, PolicyError, RuleError, InvalidValueError: as `open_thread`.
    """
    _prepare(service, caller, opening, None, patient_side_opens=True)


def _prepare(
    service: CoordinationService,
    caller: Caller,
    opening: Opening,
    care_location: str | None,
    *,
    patient_side_opens: bool,
) -> _Prepared:
    """Look everybody up, and ask the policy once before a record may be begun for it."""
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        actor = actor_for(connection, caller, at)
        if actor.kind in PATIENT_SIDE and opening.patient not in actor.patients:
            # Whether the directory has such a patient is not theirs to know.
            raise WrongPatientError(f"{actor.kind} {actor.id} belongs to another patient")
        clinical_id = surviving_patient(connection, opening.patient).clinical_id
        patients = patients_of_record(connection, clinical_id)
        author = author_opening(actor, patients, opening.on_behalf_of)
        company = _company(connection, opening, at)
        continued = None
        if opening.continues is not None:
            found = find_thread(connection, opening.continues)
            in_record = found if found is not None and found.clinical_id == clinical_id else None
            continued = asked_about(connection, in_record, actor, at)
    new = _new_thread(author, opening, company)
    check_may_open(
        actor,
        new,
        opening.on_behalf_of,
        patients,
        company,
        patient_side_opens=patient_side_opens,
        continued=continued,
    )
    group = None if opening.on_behalf_of is None else company[opening.on_behalf_of].name
    place = check_care_location(care_location or group or archive.installation.custodian.name)
    return _Prepared(actor, author, new, clinical_id, place)


def _company(connection: Connection, opening: Opening, at: Instant) -> Company:
    named = {*opening.recipients, *opening.others, opening.on_behalf_of, opening.reply_to} - {None}
    company = known(connection, [each for each in named if each is not None], at)
    for each in named:
        if each not in company:
            raise UnknownPersonError(f"the directory has no person, organisation or team {each}")
    return company


def _new_thread(author: Author, opening: Opening, company: Company) -> NewThread:
    reply_to = opening.reply_to or opening.on_behalf_of
    wanted = dict.fromkeys((reply_to, opening.on_behalf_of, *opening.recipients, *opening.others))
    others = [each for each in wanted if each is not None and each != author.id]
    listed = (Participant(author.id, author.role, author.name), *participants(company, others))
    return NewThread(
        listed,
        Addressing(author.id, opening.recipients, None if reply_to == author.id else reply_to),
        opening.continues,
        opening.visibility,
        opening.policies,
    )


def _begin(service: CoordinationService, prepared: _Prepared) -> CoordinationRecord:
    """Begin the patient's record. Of two who begin it at once, one does."""
    try:
        return service.initialise(prepared.author, prepared.place, prepared.clinical_id)
    except DuplicateRecordError:
        found = service.find_record(prepared.clinical_id)
        if found is None:  # pragma: no cover - the record that is in the way is there
            raise
        return found


def _first_message(caller: Caller, opening: Opening, prepared: _Prepared) -> MessageContent | None:
    if opening.message is None:
        return None
    content = replace(opening.message, via=via(caller), on_behalf_of=opening.on_behalf_of)
    if content.recipients or content.corrects is not None:
        return content
    thread = as_opened(prepared.new, prepared.actor.patients)
    return replace(content, recipients=recipients_for(prepared.actor, thread, opening.on_behalf_of, ()))
