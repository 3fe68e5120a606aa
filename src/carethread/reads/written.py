"""What somebody has just written, as it stands in the record. Its line of the log is that of the write."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.policy.reading import unknown_thread
from carethread.reads.found import Names
from carethread.reads.projecting import Projecting
from carethread.record.model import Message, MessageType, Naming
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.store.asking import Asking, Posted, Seen, actor_for, line, log_refusal
from carethread.store.database import Connection
from carethread.store.threads import entries_of, with_patients

# No thread has it: its UUID is of no version.
_NOBODYS = CommunicationId("19700101T000000.000Z-00000000-0000-0000-0000-000000000000")


class BeforeWriting(Struct, frozen=True):
    """A thread somebody is about to write to: what has to be known of it before.

    Attributes:
        thread: as it is served.
        names: everybody in it, and the patient.
        wrote_before: whether they wrote a message in it besides the one it was opened with; only looked up if they
            wrote that one, and write its words again.
        seen: the same for what writes next, which then need not look for itself.
    """

    thread: ThreadProjection
    names: Names
    wrote_before: bool
    seen: Seen


def message_written_to(
    service: CoordinationService, caller: Caller, posted: Posted, before: BeforeWriting
) -> tuple[MessageProjection, Names]:
    """Return a message that this caller has just written to a thread, from what was known of that before.

    Most messages need nothing else; what answers or corrects another, or names somebody new, is looked up.
    """
    message, thread = posted.message, before.thread
    naming = posted.naming or Naming()
    named = [message.author_id, *(each.id for each in message.to)]
    named += [each.id for each in (message.on_behalf_of, message.via) if each is not None]
    is_plain = message.in_response_to is None and message.corrects is None
    if not is_plain or any(each not in before.names for each in named):
        return written_message(service, caller, message.id)
    shown = MessageProjection(
        id=naming.resource_id or message.id,
        message=message,
        record=thread.record,
        thread=thread.ledger.communication_id,
        thread_id=thread.id,
        patient=thread.patient,
        visibility=posted.ledger.visibility,
        identifiers=tuple(dict.fromkeys(naming.identifiers)),
    )
    return shown, before.names


def written_message(
    service: CoordinationService, caller: Caller, message_id: MessageId
) -> tuple[MessageProjection, Names]:
    """Return a message that this caller has just written or named, as it stands."""
    with service.archive.database.snapshot() as connection:
        projecting = _projecting(service, connection, caller)
        held = projecting.reading.messages_by_own_id((message_id,))[message_id]
        return projecting.messages((held,))[0], projecting.names()


def written_thread(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId
) -> tuple[ThreadProjection, Names]:
    """Return a thread that this caller has just opened or changed, as it stands."""
    with service.archive.database.snapshot() as connection:
        projecting = _projecting(service, connection, caller)
        held = projecting.reading.threads_by_own_id((thread_id,))[thread_id]
        return projecting.thread(held), projecting.names()


def before_writing(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId | None, text: str = ""
) -> BeforeWriting:
    """Return a thread that this caller writes a text to next. What comes of that is logged, a refusal too.

    Of a thread that nobody knows (`None`), the same is looked up and logged as of one they may not read.

    Raises:
        UnknownThreadError: there is none, or they may not read it.
    """
    try:
        return _before(service, caller, thread_id or _NOBODYS, text)
    except CarethreadError as error:
        log_refusal(service.archive, replace(line(caller, Action.WRITTEN), thread=thread_id), error)
        raise


def _before(service: CoordinationService, caller: Caller, thread_id: CommunicationId, text: str) -> BeforeWriting:
    with service.archive.database.snapshot() as connection:
        asking = _asking(service, connection, caller)
        projecting = Projecting(asking)
        held = projecting.reading.threads_by_own_id((thread_id,)).get(thread_id)
        if held is None or not projecting.judge.may_read(held.stored):
            raise unknown_thread(thread_id)
        opening = held.opening
        wrote_before = False
        # Seldom: it takes reading all of the thread.
        if opening is not None and (opening.author_id, opening.body) == (caller.person, text):
            wrote_before = any(_is_by(each, opening) for each in entries_of(connection, held.stored)[1:])
        thread = projecting.thread(held)
        about = with_patients(connection, held.stored, projecting.judge.about(held.stored))
        return BeforeWriting(thread, projecting.names(), wrote_before, Seen(asking.actor, held.stored, about))


def _is_by(message: Message, opening: Message) -> bool:
    return message.type is not MessageType.SYSTEM and message.author_id == opening.author_id


def _projecting(service: CoordinationService, connection: Connection, caller: Caller) -> Projecting:
    return Projecting(_asking(service, connection, caller))


def _asking(service: CoordinationService, connection: Connection, caller: Caller) -> Asking:
    at = service.archive.clock()
    return Asking(connection, actor_for(connection, caller, at), at)
