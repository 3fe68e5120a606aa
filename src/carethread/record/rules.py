"""The record's rules: may this be recorded, given what is recorded?

Every `check_*` returns nothing or raises a class of `carethread.errors`. Who may act is not decided here: these
rules hold whoever asks. Arguments are values; the clock's reading is one of them.
"""

from collections.abc import Iterable

from carethread.clock import Instant
from carethread.errors import (
    AddressedParticipantError,
    AmbiguousSideError,
    ClockError,
    CorrectionError,
    DuplicateParticipantError,
    IllegalTransitionError,
    InvalidValueError,
    NotCustodianError,
    NotParticipantError,
    PolicyContradictionError,
    RecordNotWritableError,
    ReplyError,
    RoleMismatchError,
    ThreadNotOpenError,
    UnknownMessageError,
)
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.record.ledger_check import MAX_PARTICIPANTS
from carethread.record.model import (
    GROUP_ROLES,
    INDIVIDUAL_ROLES,
    PATIENT_SIDE_ROLES,
    Addressing,
    Author,
    CoordinationStatus,
    Ledger,
    LifecycleState,
    Message,
    MessageContent,
    MessageType,
    Participant,
    Policies,
    Role,
    StatusUpdate,
    ThreadStatus,
)

CLOCK_TOLERANCE_MS = 2_000

THREAD_TRANSITIONS = frozenset(
    {
        (ThreadStatus.OPEN, ThreadStatus.CLOSED),
        (ThreadStatus.OPEN, ThreadStatus.ARCHIVED),
        (ThreadStatus.CLOSED, ThreadStatus.ARCHIVED),
    }
)
LIFECYCLE_TRANSITIONS = frozenset(
    {
        (LifecycleState.ACTIVE, LifecycleState.SUSPENDED),
        (LifecycleState.SUSPENDED, LifecycleState.ACTIVE),
        (LifecycleState.ACTIVE, LifecycleState.CLOSED),
        (LifecycleState.SUSPENDED, LifecycleState.CLOSED),
    }
)


# ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def recording_time(now: Instant, last: Instant) -> Instant:
    """Return the time to record: never before what the record already holds.

    A clock that is behind by up to two seconds takes the earlier entry's time.

    Raises:
        ClockError: the clock is behind by more.
    """
    if now >= last:
        return now
    if last - now > CLOCK_TOLERANCE_MS:
        raise ClockError(f"the clock is {last - now} ms behind the record's last entry; set it right and try again")
    return last


# ── The record ────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_custodian(status: CoordinationStatus, installation: ParticipantId) -> None:
    """Only the custodian writes."""
    if status.custodian.id != installation:
        raise NotCustodianError(f"record {status.coordination_id} is written by installation {status.custodian.id}")


def check_accepts_entries(status: CoordinationStatus) -> None:
    """New threads and messages need a record that is active, open and modifiable."""
    check_modifiable(status)
    if not status.record_open:
        raise RecordNotWritableError(f"record {status.coordination_id} accepts no new threads or messages")


def check_modifiable(status: CoordinationStatus) -> None:
    """Any change inside a record needs it active and modifiable."""
    if status.lifecycle_state is not LifecycleState.ACTIVE:
        raise RecordNotWritableError(f"record {status.coordination_id} is {status.lifecycle_state}")
    if not status.record_modifiable:
        raise RecordNotWritableError(f"record {status.coordination_id} is not modifiable")


def check_status_update(status: CoordinationStatus, update: StatusUpdate) -> None:
    """A status change goes along the lifecycle; a closed record takes none."""
    if status.lifecycle_state is LifecycleState.CLOSED:
        raise IllegalTransitionError(f"record {status.coordination_id} is closed, and closed is final")
    after = update.lifecycle_state
    if after is None or after is status.lifecycle_state:
        return
    if (status.lifecycle_state, after) not in LIFECYCLE_TRANSITIONS:  # pragma: no cover - all others start at closed
        raise IllegalTransitionError(f"lifecycle_state does not go from {status.lifecycle_state} to {after}")


# ── Who takes part ────────────────────────────────────────────────────────────────────────────────────────────────────


def find_participant(participants: Iterable[Participant], wanted: ParticipantId) -> Participant | None:
    """Return the participant with this id, if there is one."""
    return next((each for each in participants if each.id == wanted), None)


def check_author(ledger: Ledger, author: Author) -> None:
    """A listed author has the role the ledger gives; whoever acts is an individual."""
    if author.role not in INDIVIDUAL_ROLES:
        raise RoleMismatchError(f"author {author.id}: {author.role} is not the role of an individual")
    listed = find_participant(ledger.participants, author.id)
    if listed is not None and listed.role is not author.role:
        raise RoleMismatchError(f"author {author.id} is {listed.role} in this thread, not {author.role}")


def check_speaks(ledger: Ledger, author: Author, on_behalf_of: ParticipantId | None) -> Participant | None:
    """A message's author takes part, or writes on behalf of a group that does. Returns that group."""
    check_author(ledger, author)
    if on_behalf_of is None:
        if find_participant(ledger.participants, author.id) is None:
            raise NotParticipantError(f"author {author.id} does not take part in thread {ledger.communication_id}")
        return None
    group = find_participant(ledger.participants, on_behalf_of)
    if group is None:
        raise NotParticipantError(f"on_behalf_of {on_behalf_of} does not take part in this thread")
    if group.role not in GROUP_ROLES:
        raise RoleMismatchError(f"on_behalf_of {on_behalf_of} is {group.role}, not an organisation or care team")
    return group


def check_participants(participants: tuple[Participant, ...]) -> None:
    """Ids are unique in a thread, and somebody takes part."""
    seen: set[ParticipantId] = set()
    for each in participants:
        if each.id in seen:
            raise DuplicateParticipantError(f"participant {each.id} is named twice")
        seen.add(each.id)
    if not seen:
        raise InvalidValueError("participants", "is empty")
    if len(seen) > MAX_PARTICIPANTS:
        raise InvalidValueError("participants", f"are more than {MAX_PARTICIPANTS}")


def check_addressing(addressing: Addressing, participants: tuple[Participant, ...]) -> None:
    """All who are addressed take part; the requester is an individual; somebody is asked."""
    requester = find_participant(participants, addressing.requester)
    if requester is None:
        raise NotParticipantError(f"requester {addressing.requester} does not take part in this thread")
    if requester.role not in INDIVIDUAL_ROLES:
        raise RoleMismatchError(f"requester {addressing.requester} is {requester.role}, not an individual")
    if addressing.reply_to is not None and find_participant(participants, addressing.reply_to) is None:
        raise NotParticipantError(f"reply_to {addressing.reply_to} does not take part in this thread")
    if not addressing.recipients:
        raise InvalidValueError("addressing.recipients", "is empty")
    if len(set(addressing.recipients)) != len(addressing.recipients):
        raise InvalidValueError("addressing.recipients", "names somebody twice")
    for each in addressing.recipients:
        if find_participant(participants, each) is None:
            raise NotParticipantError(f"recipient {each} does not take part in this thread")


def check_policies(policies: Policies, addressing: Addressing | None, participants: tuple[Participant, ...]) -> None:
    """Nobody takes part whom the policies exclude: turning one off removes nobody silently."""
    if not policies.allow_patient_participation:
        for each in participants:
            if each.role in PATIENT_SIDE_ROLES:
                raise PolicyContradictionError(f"participant {each.id} is on the patient's side, which is not allowed")
    if not policies.allow_external_organisations:
        home = addressing.reply_to if addressing is not None else None
        group = None if home is None else find_participant(participants, home)
        if group is None or group.role not in GROUP_ROLES:
            raise PolicyContradictionError(
                "external organisations cannot be excluded from a thread without a home group"
            )
        for each in participants:
            if each.role in GROUP_ROLES and each.id != home:
                raise PolicyContradictionError(f"participant {each.id} is an external organisation or team")


def check_removal(ledger: Ledger, removed: ParticipantId) -> None:
    """Whoever is addressed stays."""
    if find_participant(ledger.participants, removed) is None:
        raise NotParticipantError(f"participant {removed} does not take part in this thread")
    addressing = ledger.addressing
    if addressing is not None and removed in (addressing.requester, addressing.reply_to, *addressing.recipients):
        raise AddressedParticipantError(f"participant {removed} is addressed by the thread and stays")


# ── Threads and messages ──────────────────────────────────────────────────────────────────────────────────────────────


def check_thread_open(ledger: Ledger) -> None:
    """Closed and archived threads accept no message from anybody."""
    if ledger.status is not ThreadStatus.OPEN:
        raise ThreadNotOpenError(f"thread {ledger.communication_id} is {ledger.status} and accepts no message")


def check_thread_transition(before: ThreadStatus, after: ThreadStatus) -> None:
    """Open to closed to archived, or open to archived; nothing goes back."""
    if (before, after) not in THREAD_TRANSITIONS:
        raise IllegalTransitionError(f"status does not go from {before} to {after}")


def check_continues(continues: CommunicationId, continued: Ledger | None) -> None:
    """A thread takes up another of the same record that no longer accepts messages."""
    if continued is None:
        raise InvalidValueError("continues", f"{continues} is no thread of this record")
    if continued.status is ThreadStatus.OPEN:
        raise InvalidValueError("continues", f"thread {continues} is still open: write there")


def check_correction(thread: CommunicationId, corrects: MessageId, found: tuple[Ledger, Message] | None) -> None:
    """A message is corrected in its own thread, or, once that is closed, in another of the same record."""
    if found is None:
        raise UnknownMessageError(f"corrects {corrects}: no such message in this record")
    ledger, message = found
    if message.type is MessageType.SYSTEM:
        raise CorrectionError(f"corrects {corrects}: a system entry cannot be corrected")
    if ledger.communication_id != thread and ledger.status is ThreadStatus.OPEN:
        raise CorrectionError(f"corrects {corrects}: its thread is open; correct it there")


def check_nameable(message: Message) -> None:
    """What nobody but the record itself writes is called nothing else."""
    if message.type is MessageType.SYSTEM:
        raise InvalidValueError("message_id", "is that of a system entry, which no client made")


def check_answer(thread: CommunicationId, answers: MessageId, found: tuple[Ledger, Message] | None) -> None:
    """A message answers one of its own thread."""
    if found is None or found[0].communication_id != thread:
        raise UnknownMessageError(f"in_response_to {answers}: no such message in thread {thread}")


def check_sent(sent: Instant, recorded: Instant, answered: Message | None) -> None:
    """Nothing is sent after it was recorded, nor before what it answers."""
    if sent > recorded:
        raise InvalidValueError("sent", "is later than the time of recording")
    if answered is not None and sent < sent_time(answered):
        raise ReplyError("sent is earlier than the message it answers")


def sent_time(message: Message) -> Instant:
    """Return when a message was sent, as far as the record says."""
    return message.timestamp if message.sent is None else message.sent


def message_type(content: MessageContent, role: Role) -> MessageType:
    """Say what kind of entry this content makes."""
    if content.corrects is not None:
        return MessageType.CORRECTION
    return MessageType.PATIENT if role in PATIENT_SIDE_ROLES else MessageType.CLINICIAN


# ── Where a message goes ──────────────────────────────────────────────────────────────────────────────────────────────


def recipients_of(
    ledger: Ledger, author: Author, content: MessageContent, corrected: Message | None
) -> tuple[ParticipantId, ...]:
    """Return whom a message goes to; empty in a plain thread, where it goes to everyone taking part.

    Named recipients hold. A correction goes where the original went. Otherwise the thread's addressing decides:
    from the reply-to side to the recipients, from the recipient side to the reply-to (or the requester), from
    neither to everyone else.

    Raises:
        NotParticipantError: somebody named does not take part.
        AmbiguousSideError: the author is on both sides and named nobody.
    """
    takes_part = {each.id for each in ledger.participants}
    if content.recipients:
        for each in content.recipients:
            if each not in takes_part:
                raise NotParticipantError(f"recipient {each} does not take part in this thread")
        if len(set(content.recipients)) != len(content.recipients):
            raise InvalidValueError("recipients", "names somebody twice")
        return content.recipients
    if corrected is not None:
        still = tuple(each.id for each in corrected.to if each.id in takes_part)
        if still:
            return still
    if ledger.addressing is None:
        return ()
    return _derived_recipients(ledger, ledger.addressing, author, content.on_behalf_of)


def _derived_recipients(
    ledger: Ledger, addressing: Addressing, author: Author, on_behalf_of: ParticipantId | None
) -> tuple[ParticipantId, ...]:
    asked = frozenset(addressing.recipients)
    speaker = on_behalf_of or author.id
    on_reply_side = speaker == addressing.reply_to or (on_behalf_of is None and author.id == addressing.requester)
    on_recipient_side = speaker in asked
    if on_reply_side and on_recipient_side and not (on_behalf_of is None and author.id == addressing.requester):
        raise AmbiguousSideError(f"{speaker} is on both sides of thread {ledger.communication_id}: name the recipients")
    if on_reply_side:
        return addressing.recipients
    if on_recipient_side:
        return (addressing.reply_to or addressing.requester,)
    others = tuple(each.id for each in ledger.participants if each.id not in (author.id, on_behalf_of))
    if not others:
        raise AmbiguousSideError(f"nobody else takes part in thread {ledger.communication_id}: name the recipients")
    return others
