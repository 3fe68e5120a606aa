"""A message that went into the wrong patient's record: the way to set that right, in the record.

Nothing is removed. The message is corrected where it stands, filed again in the right record as a thread of its own,
and the thread where it stood is restricted to named readers and archived. Everything is asked of the policy before the
first step; each step is recorded by itself, and the same call again goes on where it stopped. Neither record says
anything of the other patient.
"""

from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.clock import format_instant
from carethread.coordination import CoordinationService
from carethread.errors import WrongPatientError
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_message_id
from carethread.policy.actor import Caller, Thread
from carethread.policy.changing import check_may_change
from carethread.policy.reading import may_read, unknown_message
from carethread.policy.speaking import default_group
from carethread.policy.writing import check_may_correct
from carethread.record.media_types import attachment_path
from carethread.record.model import (
    AttachmentContent,
    ClientIdentifier,
    LedgerUpdate,
    Message,
    MessageContent,
    ThreadStatus,
    Visibility,
)
from carethread.store.asking import actor_for, line
from carethread.store.people import known
from carethread.store.threads import Stored, asked_about, entry_at, find_thread_of, with_patients
from carethread.writes.acting import participants, performed
from carethread.writes.changing import ThreadChange, change_thread
from carethread.writes.opening import Opening, check_opening, open_thread
from carethread.writes.posting import post_message

WRONG_RECORD = "This message was written in the wrong record. It does not concern this patient."
_CLIENT = "carethread-refile"


class Refiling(Struct, frozen=True):
    """What is to be set right.

    Attributes:
        message: the message that stands in the wrong record.
        patient: whom it concerns.
        recipients: whom the thread in the right record is addressed to; left out, whom the wrong one was.
        on_behalf_of: for whom it is opened; left out, for whom the message was written.
        readers: who keeps reading the wrong thread by name; each side of it needs one.
        note: what the correction says.
    """

    message: MessageId
    patient: ParticipantId
    recipients: tuple[ParticipantId, ...] = ()
    on_behalf_of: ParticipantId | None = None
    readers: tuple[ParticipantId, ...] = ()
    note: str = WRONG_RECORD


class Refiled(Struct, frozen=True):
    """What was recorded: the correction, and the thread in the right record."""

    correction: MessageId
    thread: CommunicationId


def refile(service: CoordinationService, caller: Caller, refiling: Refiling) -> Refiled:
    """Set a message right that went into the wrong record.

    Raises:
        UnknownMessageError: there is no such message, or they may not read its thread.
        WrongPatientError: the patient is the one in whose record it stands.
        PolicyError: they may not correct it, not open the other thread, or not restrict and archive this one:
            nothing was recorded.
        NoReaderError: a side of the thread would be left without a reader: name `readers`.
        Others: as in `post_message`, `open_thread` and `change_thread`.
    """
    parse_message_id(refiling.message)
    stored, message = performed(
        service.archive,
        replace(line(caller, Action.WRITTEN), message=refiling.message, detail="refile"),
        lambda: _check(service, caller, refiling),
    )
    thread_id = stored.ledger.communication_id
    correction = MessageContent(refiling.note, corrects=message.id)
    corrected = post_message(
        service, caller, thread_id, correction, client_identifier=_identifier(refiling, "correction")
    )  # fmt: skip
    opening = replace(_opening(refiling, stored, message), message=_again(service, caller, stored, message))
    opened = open_thread(service, caller, opening, client_identifier=_identifier(refiling, "thread"))
    change_thread(service, caller, thread_id, _change(refiling, stored))
    return Refiled(corrected, opened)


def _identifier(refiling: Refiling, step: str) -> ClientIdentifier:
    # It stands in a trailer of either record, and must not lead from one patient to the other.
    return ClientIdentifier(_CLIENT, sha256(f"{refiling.message} {step}".encode()).hexdigest())


def _opening(refiling: Refiling, stored: Stored, message: Message) -> Opening:
    """Return the thread in the right record, without its message: as narrow as the wrong one is."""
    return Opening(
        refiling.patient,
        refiling.recipients or _recipients(stored, message),
        refiling.on_behalf_of or (None if message.on_behalf_of is None else message.on_behalf_of.id),
        visibility=stored.ledger.visibility,
    )


def _check(service: CoordinationService, caller: Caller, refiling: Refiling) -> tuple[Stored, Message]:
    """Return the message and its thread, if the whole way is open."""
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        actor = actor_for(connection, caller, at)
        found = find_thread_of(connection, refiling.message)
        stored = None if found is None else found[0]
        about = asked_about(connection, stored, actor, at)
        if found is None or about is None or not may_read(actor, about):
            raise unknown_message(refiling.message)
        about = with_patients(connection, found[0], about)
        if refiling.patient in about.patients:
            raise WrongPatientError(f"message {refiling.message} stands in the record of patient {refiling.patient}")
        message = entry_at(connection, *found)
        group = default_group(actor, about)
        check_may_correct(actor, about, group, message.id, (about, message))
        change = _change(refiling, found[0])
        listed = [each.id for each in about.ledger.participants]
        company = known(connection, [*listed, *change.add], at)
        update = LedgerUpdate(change.status, participants(company, change.add), visibility=change.visibility)
        check_may_change(actor, Thread(about.ledger, about.patients), update, company)
    check_opening(service, caller, _opening(refiling, found[0], message))
    return found[0], message


def _change(refiling: Refiling, stored: Stored) -> ThreadChange:
    listed = {each.id for each in stored.ledger.participants}
    added = tuple(each for each in refiling.readers if each not in listed)
    restricted = Visibility(stored.ledger.visibility.sensitivity, restricted=True)
    return ThreadChange(ThreadStatus.ARCHIVED, add=added, visibility=restricted)


def _recipients(stored: Stored, message: Message) -> tuple[ParticipantId, ...]:
    if message.to:
        return tuple(each.id for each in message.to)
    return tuple(each.id for each in stored.ledger.participants if each.id != message.author_id)


def _again(service: CoordinationService, caller: Caller, stored: Stored, message: Message) -> MessageContent:
    """Return the message as it is filed again; who else wrote it, and when, stands above it."""
    archive = service.archive
    thread_id = stored.ledger.communication_id
    files = tuple(
        AttachmentContent(
            archive.attachment(stored.record, thread_id, attachment_path(each)), each.media_type, each.file_name
        )
        for each in message.attachments
    )
    written_at = message.timestamp if message.sent is None else message.sent
    if message.author_id == caller.person:
        return MessageContent(message.body, attachments=files, sent=written_at)
    origin = f"Written by {message.author_name} at {format_instant(written_at)}, and filed again here:"
    return MessageContent(f"{origin}\n\n{message.body}", attachments=files)
