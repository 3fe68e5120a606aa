"""Who may open a thread, and with whom."""

from carethread.clock import Instant
from carethread.errors import (
    InactiveError,
    InvalidValueError,
    NotAllowedError,
    NotMemberError,
    WrongPatientError,
)
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, ActorKind, Company, Known, Thread
from carethread.policy.admission import check_addressed, check_admitted
from carethread.policy.reading import may_read, opened_for
from carethread.policy.speaking import author_opening
from carethread.policy.standing import PROFESSIONAL_STANDINGS, is_professional_in, standings_in
from carethread.record import rules
from carethread.record.model import GROUP_ROLES, Ledger
from carethread.record.transitions import NewThread


def as_opened(new: NewThread, patients: frozenset[ParticipantId]) -> Thread:
    """Return a thread as it will be: what the other functions ask for, with an empty id and no times."""
    ledger = Ledger(
        communication_id=CommunicationId(""),
        created_at=Instant(0),
        last_updated_at=Instant(0),
        participants=new.participants,
        addressing=new.addressing,
        continues=new.continues,
        visibility=new.visibility,
        policies=new.policies,
    )
    return Thread(ledger, patients)


def check_may_open(
    actor: Actor,
    new: NewThread,
    on_behalf_of: ParticipantId | None,
    patients: frozenset[ParticipantId],
    company: Company,
    *,
    patient_side_opens: bool,
    continued: Thread | None = None,
) -> None:
    """A clinician, a care administrator, or as far as the installation allows it the patient's side opens a thread.

    `patients` are those of the record (merged ones included), `company` what the directory knows of every other
    participant; the requester is listed as `author_opening` says. `continued` is the thread that `new.continues`
    names, if the record has it. `on_behalf_of` is for whom it is opened; left out, that is the reply-to if it is a
    group.

    Raises:
        InactiveError: the actor, or a participant, is not active.
        NotAllowedError: whoever asks may open none, or could not read this one.
        WrongPatientError: the actor or a participant belongs to another patient.
        NotMemberError: the actor is no active member of the group it is opened for.
        UnknownPersonError: the directory does not know a participant.
        NotParticipantError: the actor does not take part, or somebody addressed does not.
        RoleMismatchError: a participant has another role than the directory says.
        ExternalParticipantError, PolicyContradictionError: the policies exclude a participant.
        NoReaderError: an addressed group has no active member who could read it.
        InvalidValueError: the reply-to is not the group it is opened for. There is no thread to continue, or they
            may not read it: the answer is the same. Or what the record's rules say of participants and addressing.
    """
    thread = as_opened(new, patients)
    rules.check_participants(new.participants)
    if new.addressing is not None:
        rules.check_addressing(new.addressing, new.participants)
    home = opened_for(thread.ledger)
    _check_opens(actor, thread, on_behalf_of or home, patient_side_opens=patient_side_opens)
    if new.continues is not None:
        readable = None if continued is None or not may_read(actor, continued) else continued.ledger
        rules.check_continues(new.continues, readable)
    for group in (on_behalf_of, home):
        if group is not None and not standings_in(actor, thread, group):
            raise NotMemberError(f"{actor.id} is no active member of {group}, and cannot open a thread for it")
    if on_behalf_of is not None and new.addressing is not None and home != on_behalf_of:
        # Else the thread would not say for whom it was opened, and its requester would read it beyond their membership.
        raise InvalidValueError("addressing.reply_to", f"is not {on_behalf_of}, on whose behalf the thread is opened")
    author = author_opening(actor, patients, on_behalf_of)
    rules.check_speaks(thread.ledger, author, None)
    themselves = Known(actor.id, author.role, actor.name, memberships=actor.memberships)
    company = {**company, actor.id: themselves}
    check_admitted((each for each in new.participants if each.id != actor.id), thread, company)
    rules.check_policies(new.policies, new.addressing, new.participants)
    if not may_read(actor, thread):
        raise NotAllowedError(
            f"{actor.id} could not read the thread they open: take a wider visibility, or open it as an individual"
        )
    check_addressed(_addressed(thread.ledger), thread, company)


def _check_opens(actor: Actor, thread: Thread, group: ParticipantId | None, *, patient_side_opens: bool) -> None:
    if not actor.active:
        raise InactiveError(f"{actor.kind} {actor.id} is not active")
    if actor.kind in PATIENT_SIDE:
        if not patient_side_opens:
            raise NotAllowedError(f"{actor.kind} {actor.id} opens no thread in this installation")
        if actor.patients.isdisjoint(thread.patients):
            raise WrongPatientError(f"{actor.kind} {actor.id} belongs to another patient")
        return
    works = not actor.standings.isdisjoint(PROFESSIONAL_STANDINGS) or (
        group is not None and is_professional_in(actor, thread, group)
    )
    if actor.kind is not ActorKind.PRACTITIONER or not works:
        raise NotAllowedError(f"{actor.kind} {actor.id} is neither clinician nor care administrator anywhere")


def _addressed(ledger: Ledger) -> tuple[ParticipantId, ...]:
    """Return who is asked: in a plain thread every group that takes part, since a message goes to everyone."""
    if ledger.addressing is not None:
        return ledger.addressing.recipients
    return tuple(each.id for each in ledger.participants if each.role in GROUP_ROLES)
