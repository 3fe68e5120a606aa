"""What a record becomes: one function per use case, from what is recorded to what is recorded next.

A `Transition` is all there is to know about one commit before Git is involved: the edits to the files, the entries
appended, the ledger or status after, who did it, when, and the commit message. Nothing here reads a clock, mints an
id or touches a file: those are arguments.
"""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import (
    CorrectionError,
    DuplicateParticipantError,
    InvalidValueError,
    NothingToChangeError,
    ThreadNotOpenError,
)
from carethread.ids import (
    CommunicationId,
    MessageId,
    ParticipantId,
    mint_communication_id,
)
from carethread.record import rules
from carethread.record.commit_message import COMMUNICATION_ID, MESSAGE_ID, CommitMessage, Summary, naming_trailers
from carethread.record.entry_check import author_role
from carethread.record.intake import CareLocation, Prepared
from carethread.record.ledger_yaml import render_ledger, with_last_updated
from carethread.record.media_types import attachment_path
from carethread.record.model import (
    Addressing,
    Author,
    CoordinationStatus,
    Ledger,
    LedgerUpdate,
    Message,
    MessageType,
    Naming,
    Participant,
    Party,
    Policies,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)
from carethread.record.status_yaml import render_status
from carethread.record.system_text import ledger_sentences, ledger_summary
from carethread.record.thread_md import FILE_HEADER, appendix, render_entry

STATUS_PATH = "COORDINATION_STATUS.yaml"
ATTRIBUTES_PATH = ".gitattributes"
# Clones keep the bytes: Git must never translate line ends.
ATTRIBUTES = b"* -text\n"


class Edit(Struct, frozen=True):
    """New bytes for a file: appended to what it holds, or all it holds. `path` is relative to the record."""

    path: str
    append: bool
    data: bytes


class Entry(Struct, frozen=True):
    """A message and its exact bytes in `thread.md`, without the separator before it."""

    message: Message
    data: bytes


class Named(Struct, frozen=True):
    """What a client calls a thread, or a message of it."""

    naming: Naming
    thread: CommunicationId
    message: MessageId | None = None


class Transition(Struct, frozen=True):
    """One commit to be. `ledger` and `ledger_bytes` go together; `status` is set where the status file changes."""

    commit: CommitMessage
    author: Author
    at: Instant
    edits: tuple[Edit, ...]
    ledger: Ledger | None = None
    ledger_bytes: bytes = b""
    entries: tuple[Entry, ...] = ()
    status: CoordinationStatus | None = None
    named: Named | None = None


class Occasion(Struct, frozen=True):
    """Who acts, where, and when: what every use case needs. `last` is the time of the record's last commit."""

    author: Author
    care_location: CareLocation
    now: Instant
    last: Instant
    trailers: tuple[tuple[str, str], ...] = ()


class Found(Struct, frozen=True):
    """A message that another one names, with the ledger of its thread."""

    ledger: Ledger
    message: Message


class Thread(Struct, frozen=True):
    """A thread as it stands. `count` is the number of entries, `files` the names of its attachments."""

    ledger: Ledger
    ledger_bytes: bytes
    count: int
    files: frozenset[str] = frozenset()


# ── The record ────────────────────────────────────────────────────────────────────────────────────────────────────────


def initialise(occasion: Occasion, status: CoordinationStatus) -> Transition:
    """Begin a patient's record: the status file, and nothing else."""
    edits = (_write(ATTRIBUTES_PATH, ATTRIBUTES), _write(STATUS_PATH, render_status(status)))
    return Transition(_message(occasion, Summary.RECORD_CREATED), occasion.author, occasion.now, edits, status=status)


def update_status(occasion: Occasion, status: CoordinationStatus, update: StatusUpdate) -> Transition:
    """Suspend, resume or close a record, or change what it accepts."""
    rules.check_status_update(status, update)
    changed = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not None}
    after = replace(status, **changed)
    if after == status:
        raise NothingToChangeError(f"record {status.coordination_id} already has this status")
    at = rules.recording_time(occasion.now, occasion.last)
    edits = (_write(STATUS_PATH, render_status(after)),)
    return Transition(_message(occasion, Summary.RECORD_STATUS_UPDATED), occasion.author, at, edits, status=after)


# ── Threads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class NewThread(Struct, frozen=True):
    """What a thread begins with."""

    participants: tuple[Participant, ...]
    addressing: Addressing | None = None
    continues: CommunicationId | None = None
    visibility: Visibility = Visibility()
    policies: Policies = Policies()


def create_thread(
    occasion: Occasion,
    status: CoordinationStatus,
    unique: UUID,
    new: NewThread,
    opening: tuple[MessageId, Prepared, Found | None] | None,
    continued: Ledger | None,
    naming: Naming | None = None,
) -> Transition:
    """Open a thread, with or without a first message.

    `unique` ends the thread's id, which begins with the time of recording; `opening` is the id, the content and the
    corrected message of the first message; `continued` is the ledger of the thread that `new.continues` names.
    `naming` is what the client calls the thread.
    """
    rules.check_accepts_entries(status)
    rules.check_participants(new.participants)
    if new.addressing is not None:
        rules.check_addressing(new.addressing, new.participants)
        if new.addressing.requester != occasion.author.id:
            raise InvalidValueError("addressing.requester", "is not the individual who opens the thread")
    rules.check_policies(new.policies, new.addressing, new.participants)
    if new.continues is not None:
        rules.check_continues(new.continues, continued)
    at = rules.recording_time(occasion.now, occasion.last)
    thread_id = mint_communication_id(at, lambda: unique)
    ledger = Ledger(
        communication_id=thread_id,
        created_at=at,
        last_updated_at=at,
        participants=new.participants,
        addressing=new.addressing,
        continues=new.continues,
        visibility=new.visibility,
        policies=new.policies,
    )
    rules.check_speaks(ledger, occasion.author, None)
    ledger_bytes = render_ledger(ledger)
    thread_bytes = FILE_HEADER
    entries: tuple[Entry, ...] = ()
    files: tuple[Edit, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ((COMMUNICATION_ID, thread_id),)
    if opening is not None:
        message_id, prepared, corrected = opening
        if prepared.content.in_response_to is not None:
            raise InvalidValueError("in_response_to", "names a message, and a new thread has none to answer")
        message = _compose(occasion.author, at, ledger, message_id, prepared, corrected, None)
        entry = Entry(message, render_entry(message))
        entries = (entry,)
        thread_bytes += appendix(0, entry.data)
        files = _new_files(Thread(ledger, ledger_bytes, 0), prepared)
        trailers += ((MESSAGE_ID, message_id),)
    folder = f"communications/{thread_id}"
    edits = (
        _write(f"{folder}/thread.md", thread_bytes),
        _write(f"{folder}/ledger.yaml", ledger_bytes),
        *files,
    )
    message_text = _message(occasion, Summary.THREAD_CREATED, trailers, naming)
    named = None if naming is None else Named(naming, thread_id)
    return Transition(message_text, occasion.author, at, edits, ledger, ledger_bytes, entries, named=named)


def add_message(
    occasion: Occasion,
    status: CoordinationStatus,
    thread: Thread,
    message_id: MessageId,
    prepared: Prepared,
    corrected: Found | None,
    answered: Found | None,
    naming: Naming | None = None,
) -> Transition:
    """Append a message or a correction to an open thread.

    `corrected` and `answered` are what the content's `corrects` and `in_response_to` name, as far as the record
    has it. `naming` is what the client calls the message.
    """
    rules.check_accepts_entries(status)
    rules.check_thread_open(thread.ledger)
    at = rules.recording_time(occasion.now, occasion.last)
    message = _compose(occasion.author, at, thread.ledger, message_id, prepared, corrected, answered)
    entry = Entry(message, render_entry(message))
    ledger = replace(thread.ledger, last_updated_at=at)
    ledger_bytes = with_last_updated(thread.ledger_bytes, at)
    thread_id = thread.ledger.communication_id
    folder = f"communications/{thread_id}"
    edits = (
        _append(f"{folder}/thread.md", appendix(thread.count, entry.data)),
        _write(f"{folder}/ledger.yaml", ledger_bytes),
        *_new_files(thread, prepared),
    )
    trailers = ((COMMUNICATION_ID, thread_id), (MESSAGE_ID, message_id))
    text = _message(occasion, Summary.MESSAGE_ADDED, trailers, naming)
    named = None if naming is None else Named(naming, thread_id, message_id)
    return Transition(text, occasion.author, at, edits, ledger, ledger_bytes, (entry,), named=named)


def name_message(occasion: Occasion, status: CoordinationStatus, found: Found, naming: Naming) -> Transition:
    """Write down what a client calls a message that is recorded already. No file changes: the commit says it.

    Raises:
        InvalidValueError: it is a system entry, which no client made.
    """
    rules.check_modifiable(status)
    rules.check_author(found.ledger, occasion.author)
    rules.check_nameable(found.message)
    at = rules.recording_time(occasion.now, occasion.last)
    thread_id = found.ledger.communication_id
    trailers = ((COMMUNICATION_ID, thread_id), (MESSAGE_ID, found.message.id))
    text = _message(occasion, Summary.MESSAGE_NAMED, trailers, naming)
    return Transition(text, occasion.author, at, (), named=Named(naming, thread_id, found.message.id))


def update_ledger(
    occasion: Occasion,
    status: CoordinationStatus,
    thread: Thread,
    message_id: MessageId,
    update: LedgerUpdate,
    on_behalf_of: ParticipantId | None,
) -> Transition:
    """Change who takes part, the status, the visibility, the policies or the addressing of a thread.

    The fact is told in the thread by a system entry in the same commit.
    """
    rules.check_modifiable(status)
    before = thread.ledger
    rules.check_author(before, occasion.author)
    after = _updated(before, update)
    if after == before:
        raise NothingToChangeError(f"thread {before.communication_id} already is as asked")
    group = None if on_behalf_of is None else rules.check_speaks(before, occasion.author, on_behalf_of)
    at = rules.recording_time(occasion.now, occasion.last)
    after = replace(after, last_updated_at=at)
    message = Message(
        id=message_id,
        type=MessageType.SYSTEM,
        timestamp=at,
        author_id=occasion.author.id,
        author_name=occasion.author.name,
        author_role=occasion.author.role,
        on_behalf_of=None if group is None else Party(group.id, group.name),
        body="\n".join(ledger_sentences(before, after)),
    )
    entry = Entry(message, render_entry(message))
    ledger_bytes = render_ledger(after)
    folder = f"communications/{before.communication_id}"
    edits = (
        _append(f"{folder}/thread.md", appendix(thread.count, entry.data)),
        _write(f"{folder}/ledger.yaml", ledger_bytes),
    )
    trailers = ((COMMUNICATION_ID, before.communication_id), (MESSAGE_ID, message_id))
    text = _message(occasion, ledger_summary(before, after), trailers)
    return Transition(text, occasion.author, at, edits, after, ledger_bytes, (entry,))


def _updated(before: Ledger, update: LedgerUpdate) -> Ledger:
    after = before
    if update.status is not None and update.status != before.status:
        status = ThreadStatus(update.status)
        rules.check_thread_transition(before.status, status)
        after = replace(after, status=status)
    for removed in update.remove_participants:
        rules.check_removal(after, removed)
        after = replace(after, participants=tuple(each for each in after.participants if each.id != removed))
    for added in update.add_participants:
        if rules.find_participant(before.participants, added.id) is not None:
            raise DuplicateParticipantError(f"participant {added.id} takes part already")
    after = replace(after, participants=after.participants + update.add_participants)
    rules.check_participants(after.participants)
    changes = {"visibility": update.visibility, "policies": update.policies, "addressing": update.addressing}
    after = replace(after, **{name: value for name, value in changes.items() if value is not None})
    if before.status is not ThreadStatus.OPEN and (
        after.policies != before.policies or after.addressing != before.addressing
    ):
        raise ThreadNotOpenError(f"thread {before.communication_id} is {before.status}: policies and addressing stay")
    if after.addressing is not None:
        rules.check_addressing(after.addressing, after.participants)
        if before.addressing is not None and after.addressing.requester != before.addressing.requester:
            raise InvalidValueError("addressing.requester", "is who opened the thread, and does not change")
    rules.check_policies(after.policies, after.addressing, after.participants)
    return after


# ── Shared by the above ───────────────────────────────────────────────────────────────────────────────────────────────


def _compose(
    author: Author,
    at: Instant,
    ledger: Ledger,
    message_id: MessageId,
    prepared: Prepared,
    corrected: Found | None,
    answered: Found | None,
) -> Message:
    content = prepared.content
    group = rules.check_speaks(ledger, author, content.on_behalf_of)
    if content.corrects is not None:
        rules.check_correction(ledger.communication_id, content.corrects, _pair(corrected))
    if content.in_response_to is not None:
        rules.check_answer(ledger.communication_id, content.in_response_to, _pair(answered))
    if content.sent is not None:
        rules.check_sent(content.sent, at, None if answered is None else answered.message)
    original = None if corrected is None else corrected.message
    to = rules.recipients_of(ledger, author, content, original)
    if original is not None and corrected is not None and content.recipients and original.to:
        same_thread = corrected.ledger.communication_id == ledger.communication_id
        if same_thread and set(to) != {each.id for each in original.to}:
            raise CorrectionError(f"corrects {content.corrects}: a correction goes where the original went")
    kind = rules.message_type(content, author.role)
    names = {each.id: each.name for each in ledger.participants}
    return Message(
        id=message_id,
        type=kind,
        timestamp=at,
        author_id=author.id,
        author_name=author.name,
        body=content.body,
        author_role=author_role(kind, author.role),
        on_behalf_of=None if group is None else Party(group.id, group.name),
        to=tuple(Party(each, names[each]) for each in to),
        in_response_to=content.in_response_to,
        corrects=content.corrects,
        sent=None if content.sent == at else content.sent,
        via=content.via,
        attachments=prepared.attachments,
    )


def _write(path: str, data: bytes) -> Edit:
    return Edit(path, append=False, data=data)


def _append(path: str, data: bytes) -> Edit:
    return Edit(path, append=True, data=data)


def _pair(found: Found | None) -> tuple[Ledger, Message] | None:
    return None if found is None else (found.ledger, found.message)


def _new_files(thread: Thread, prepared: Prepared) -> tuple[Edit, ...]:
    edits = []
    for described, file in zip(prepared.attachments, prepared.content.attachments, strict=True):
        path = attachment_path(described)
        if path.removeprefix("attachments/") not in thread.files:
            edits.append(_write(f"communications/{thread.ledger.communication_id}/{path}", file.data))
    return tuple(edits)


def _message(
    occasion: Occasion, summary: Summary, trailers: tuple[tuple[str, str], ...] = (), naming: Naming | None = None
) -> CommitMessage:
    return CommitMessage(summary, occasion.care_location, trailers + occasion.trailers + naming_trailers(naming))


# ── What a transition made ────────────────────────────────────────────────────────────────────────────────────────────


def made_thread(transition: Transition) -> str:
    """Return the id of the thread a transition is about, empty where it is about the record."""
    return "" if transition.ledger is None else transition.ledger.communication_id


def made_message(transition: Transition) -> str:
    """Return the id of the entry a transition appends."""
    return transition.entries[-1].message.id
