"""One thread, one message, one file; and a restricted thread in an emergency."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, Served
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.ids import (
    CommunicationId,
    CoordinationId,
    MessageId,
    ParticipantId,
    parse_communication_id,
    parse_message_id,
)
from carethread.policy.actor import Actor, Caller, Thread
from carethread.policy.exceptional import check_may_open_in_emergency
from carethread.policy.reading import check_may_read, may_read, unknown_message, unknown_thread
from carethread.record.media_types import attachment_path
from carethread.record.model import Attachment, Ledger, Message
from carethread.record.text import check_name
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.database import Connection
from carethread.store.inbox import Aside, asides, opened
from carethread.store.journal import Effect
from carethread.store.threads import (
    Stored,
    asked_about,
    continued_by,
    corrected_elsewhere,
    entries_of,
    entry_at,
    find_thread,
    find_thread_of,
    with_patients,
)


class Correction(Struct, frozen=True):
    """That a message of this thread is corrected in another one, which takes it up."""

    corrects: MessageId
    thread: CommunicationId
    message: MessageId


class ThreadView(Struct, frozen=True):
    """A thread as it was served. `version` is the commit of its record.

    `corrected_elsewhere` are corrections in other threads of the record, and `continued_by` the threads that take this
    one up, as far as whoever asked may read those. `asides` are of their own groups.
    """

    record: CoordinationId
    patients: frozenset[ParticipantId]
    version: str
    ledger: Ledger
    messages: tuple[Message, ...]
    corrected_elsewhere: tuple[Correction, ...] = ()
    continued_by: tuple[CommunicationId, ...] = ()
    asides: tuple[Aside, ...] = ()


def read_thread(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId | str, *, opens: bool = True
) -> ThreadView:
    """Return a thread. With `opens`, it counts as opened by whoever asks, as far as it goes now.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it: the answer is the same.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    asked = replace(line(caller, Action.SERVED), thread=wanted)

    def work(asking: Asking) -> tuple[ThreadView, Shown]:
        stored, about = readable(asking.connection, asking.actor, wanted, asking.at)
        view = view_of(asking, stored, about)
        effects = opening(caller, stored, asking.at) if opens else ()
        return view, Shown(serving(asked, stored, len(view.messages)), effects)

    return answer(service.archive, asked, caller, work)


def read_message(
    service: CoordinationService, caller: Caller, message_id: MessageId | str
) -> tuple[ThreadView, Message]:
    """Return a message, with its thread's ledger; the view holds no other message, but says where it is corrected.

    Raises:
        UnknownMessageError: there is no such message, or they may not read its thread: the answer is the same.
    """
    wanted = parse_message_id(message_id)
    asked = replace(line(caller, Action.SERVED), message=wanted)

    def work(asking: Asking) -> tuple[tuple[ThreadView, Message], Shown]:
        stored, about, message = _message(asking.connection, asking.actor, wanted, asking.at)
        elsewhere = _corrected_elsewhere(asking, stored)
        view = ThreadView(
            stored.record,
            about.patients,
            stored.version,
            stored.ledger,
            (message,),
            tuple(each for each in elsewhere if each.corrects == message.id),
        )
        return (view, message), Shown(replace(serving(asked, stored, 1), detail="message"))

    return answer(service.archive, asked, caller, work)


def read_attachment(
    service: CoordinationService, caller: Caller, message_id: MessageId | str, number: int
) -> tuple[Attachment, bytes]:
    """Return a file of a message, counted from 1.

    Raises:
        UnknownMessageError: there is no such message or file, or they may not read its thread.
    """
    wanted = parse_message_id(message_id)
    asked = replace(line(caller, Action.SERVED), message=wanted)
    archive = service.archive

    def work(asking: Asking) -> tuple[tuple[Stored, Attachment], Shown]:
        stored, _, message = _message(asking.connection, asking.actor, wanted, asking.at)
        if not 0 < number <= len(message.attachments):
            raise unknown_message(wanted)
        file = message.attachments[number - 1]
        return (stored, file), Shown(replace(serving(asked, stored, 1), detail=f"attachment {number}"))

    stored, file = answer(archive, asked, caller, work)
    return file, archive.attachment(stored.record, stored.ledger.communication_id, attachment_path(file))


def open_in_emergency(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId | str, reason: str
) -> ThreadView:
    """Return a restricted thread to a clinician of a participating organisation, who says why. It is logged as such.

    Raises:
        UnknownThreadError: there is no such thread, or it is not theirs to open so.
        PurposeError: no reason is given.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    asked = _emergency(caller, wanted, reason)

    def work(asking: Asking) -> tuple[ThreadView, Shown]:
        stored, about = _opened_in_emergency(asking, wanted, reason)
        view = view_of(asking, stored, about)
        return view, Shown(serving(asked, stored, len(view.messages)))

    return answer(service.archive, asked, caller, work)


def open_attachment_in_emergency(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    message_id: MessageId | str,
    number: int,
    reason: str,
) -> tuple[Attachment, bytes]:
    """Return a file of a restricted thread, counted from 1 in its message, as `open_in_emergency` returns the thread.

    Raises:
        UnknownThreadError, PurposeError: as `open_in_emergency`.
        UnknownMessageError: the thread has no such message, or that has no such file.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    message = parse_message_id(message_id)
    asked = replace(_emergency(caller, wanted, reason), message=message)
    archive = service.archive

    def work(asking: Asking) -> tuple[tuple[Stored, Attachment], Shown]:
        stored, _ = _opened_in_emergency(asking, wanted, reason)
        files = next((each.attachments for each in entries_of(asking.connection, stored) if each.id == message), ())
        if not 0 < number <= len(files):
            raise unknown_message(message)
        return (stored, files[number - 1]), Shown(replace(serving(asked, stored, 1), detail=f"attachment {number}"))

    stored, file = answer(archive, asked, caller, work)
    return file, archive.attachment(stored.record, wanted, attachment_path(file))


def _emergency(caller: Caller, thread_id: CommunicationId, reason: str) -> AccessEntry:
    if reason:
        check_name(reason, "reason")
    return replace(line(caller, Action.EMERGENCY), thread=thread_id, purpose=reason)


def _opened_in_emergency(asking: Asking, thread_id: CommunicationId, reason: str) -> tuple[Stored, Thread]:
    stored = find_thread(asking.connection, thread_id)
    about = asked_about(asking.connection, stored, asking.actor, asking.at)
    if stored is None or about is None:
        raise unknown_thread(thread_id)
    check_may_open_in_emergency(asking.actor, about, reason)
    return stored, with_patients(asking.connection, stored, about)


def readable(
    connection: Connection, actor: Actor, thread_id: CommunicationId, at: Instant
) -> tuple[Stored, Thread]:  # fmt: skip
    """Return a thread that an actor may read.

    Raises:
        UnknownThreadError: there is none, or they may not.
    """
    stored = find_thread(connection, thread_id)
    about = asked_about(connection, stored, actor, at)
    if stored is None or about is None:
        raise unknown_thread(thread_id)
    check_may_read(actor, about)
    return stored, with_patients(connection, stored, about)


def _message(
    connection: Connection, actor: Actor, message_id: MessageId, at: Instant
) -> tuple[Stored, Thread, Message]:  # fmt: skip
    found = find_thread_of(connection, message_id)
    stored = None if found is None else found[0]
    about = asked_about(connection, stored, actor, at)
    if found is None or about is None or not may_read(actor, about):
        raise unknown_message(message_id)
    return found[0], with_patients(connection, found[0], about), entry_at(connection, *found)


def view_of(asking: Asking, stored: Stored, about: Thread, after: int = 0) -> ThreadView:
    """Return a thread as it is served, with its messages after a position."""
    connection = asking.connection
    thread_id = stored.ledger.communication_id
    elsewhere = [Correction(*each) for each in corrected_elsewhere(connection, stored)]
    following = continued_by(connection, thread_id)
    others = {*following, *(each.thread for each in elsewhere)}
    open_to_actor = {each for each in others if _may_read_too(connection, asking.actor, each, asking.at)}
    groups = {each.group for each in asking.actor.memberships}
    return ThreadView(
        record=stored.record,
        patients=about.patients,
        version=stored.version,
        ledger=stored.ledger,
        messages=entries_of(connection, stored, after),
        corrected_elsewhere=tuple(each for each in elsewhere if each.thread in open_to_actor),
        continued_by=tuple(each for each in following if each in open_to_actor),
        asides=tuple(each for each in asides(connection, thread_id) if each.group in groups),
    )


def opening(caller: Caller, stored: Stored, at: Instant) -> tuple[Effect, ...]:
    """Return the mark that a thread counts as opened by whoever asks, as far as it goes now. Nobody else leaves one."""
    if caller.person is None or caller.kind is not None:
        return ()
    return (opened(caller.person, stored.ledger.communication_id, stored.entries, at),)


def _may_read_too(connection: Connection, actor: Actor, thread_id: CommunicationId, at: Instant) -> bool:
    about = asked_about(connection, find_thread(connection, thread_id), actor, at)
    return about is not None and may_read(actor, about)


def _corrected_elsewhere(asking: Asking, stored: Stored) -> tuple[Correction, ...]:
    """Return the corrections of a thread's messages in other threads that whoever asks may read."""
    found = [Correction(*each) for each in corrected_elsewhere(asking.connection, stored)]
    others = {each.thread for each in found}
    readable = {each for each in others if _may_read_too(asking.connection, asking.actor, each, asking.at)}
    return tuple(each for each in found if each.thread in readable)


def serving(asked: AccessEntry, stored: Stored, entries: int) -> AccessEntry:
    """Return the line of a thread that is served, with how many of its entries."""
    thread_id = stored.ledger.communication_id
    return replace(
        asked,
        record=stored.record,
        thread=thread_id,
        version=stored.version,
        served=(Served(thread_id, stored.version, entries),),
    )
