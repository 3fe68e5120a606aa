"""Threads as a person of the directory has them: opened, listed, shown and changed by what they may."""

import sys
from collections.abc import Callable

from carethread import CoordinationService
from carethread.cli import library, output, views
from carethread.cli.documents import (
    AsideDocument,
    CorrectionDocument,
    LedgerDocument,
    LedgerOfRecordDocument,
    MessageDocument,
    RecordedDocument,
    ThreadDocument,
    ThreadsDocument,
)
from carethread.cli.in_words import readers
from carethread.cli.naming import find_participant
from carethread.cli.people import GROUPS, find_entry, name_of
from carethread.cli.person import confirm, thread_of
from carethread.clock import format_instant
from carethread.errors import CarethreadError, NotFoundError, UnknownPersonError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import ThreadView, patient_threads, read_message, read_thread
from carethread.record.model import ClientIdentifier
from carethread.writes import Opening, ThreadChange, change_thread, open_thread

_ADDED = "whoever is added sees the whole thread, from its beginning"


def group_of(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId, named: str | None
) -> ParticipantId | None:  # fmt: skip
    """Return the organisation or team somebody acts for: as the directory knows it, or by its name in the thread.

    Raises:
        UnknownThreadError: they have no such thread.
        NotParticipantError, InvalidValueError: nobody is called so, or several are.
    """
    if named is None:
        return None
    try:
        return find_entry(service, named, GROUPS, "on-behalf-of").id
    except UnknownPersonError:
        view = read_thread(service, caller, thread_id, opens=False)
        return find_participant(view.ledger.participants, named, "on-behalf-of")


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_thread(service: CoordinationService, view: ThreadView, *, as_json: bool) -> None:
    """Show a thread that was served: who takes part, who can read it, and every message."""
    if as_json:
        output.answer(_document(view))
        return
    views.show_ledger(view.ledger)
    output.say("", *readers(service, view.ledger, view.patients))
    output.say(*(f"Continued by thread {each}." for each in view.continued_by))
    output.say(
        *(f"Message {each.corrects} is corrected in thread {each.thread}." for each in view.corrected_elsewhere)
    )  # fmt: skip
    output.say(
        *(
            f"Set aside for {name_of(service, each.group)} by {name_of(service, each.person)} at {views.at(each.at)}, "
            "until the next message."
            for each in view.asides
        )
    )
    for message in view.messages:
        output.say("", "─" * 72, "")
        views.show_message(message)


def _document(view: ThreadView) -> ThreadDocument:
    thread_id = view.ledger.communication_id
    return ThreadDocument(
        view.record,
        view.version,
        LedgerDocument.of(view.ledger),
        tuple(MessageDocument.of(each) for each in view.messages),
        tuple(CorrectionDocument(each.corrects, each.thread, each.message) for each in view.corrected_elsewhere),
        view.continued_by,
        tuple(AsideDocument(thread_id, each.group, each.person, format_instant(each.at)) for each in view.asides),
    )


def list_threads(
    service: CoordinationService, caller: Caller, patient: ParticipantId, *, archived: bool, as_json: bool
) -> None:
    """List a patient's threads, newest activity first, as far as somebody may read them."""
    lines = patient_threads(service, caller, patient, archived=archived)
    if as_json:
        output.answer(ThreadsDocument(None, tuple(LedgerDocument.of(each.ledger) for each in lines)))
    elif lines:
        output.table(
            ("", "THREAD", "STATUS", "LAST UPDATED", "PARTICIPANTS"),
            (
                (
                    "●" if each.is_unread else "",
                    each.ledger.communication_id,
                    each.ledger.status.value,
                    views.at(each.ledger.last_updated_at),
                    ", ".join(participant.name for participant in each.ledger.participants),
                )
                for each in lines
            ),
        )
        if any(each.is_unread for each in lines):
            output.say("", "● unread")
    else:
        output.say("No threads about this patient that you can read.")


def show_ledger(service: CoordinationService, caller: Caller, named: str, *, as_json: bool) -> None:
    """Show a thread's ledger, and in words who can read the thread."""
    view = read_thread(service, caller, thread_of(service, caller, named), opens=False)
    if as_json:
        output.answer(LedgerOfRecordDocument(view.record, None, LedgerDocument.of(view.ledger)))
        return
    views.show_ledger(view.ledger)
    output.say("", *readers(service, view.ledger, view.patients))


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_new(
    service: CoordinationService,
    caller: Caller,
    opening: Opening,
    *,
    care_location: str | None,
    client_identifier: ClientIdentifier | None,
    patient_side_opens: bool,
    as_json: bool,
) -> None:
    """Open a thread; say who can read it, and where replies go."""
    thread_id = open_thread(
        service,
        caller,
        opening,
        care_location=care_location,
        client_identifier=client_identifier,
        patient_side_opens=patient_side_opens,
    )

    def tell() -> None:
        view = read_thread(service, caller, thread_id)
        first = view.messages[0].id if opening.message is not None else None
        if as_json:
            output.answer(RecordedDocument(view.record, thread_id, first))
            return
        output.say(f"Opened thread {thread_id}")
        if first is not None:
            output.say(f"Recorded message {first}")
        output.say("")
        views.show_participants(view.ledger.participants)
        output.say("", *readers(service, view.ledger, view.patients))

    library.settle(service, lambda: told(tell, f"Opened thread {thread_id}"))


def change(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId,
    change: ThreadChange,
    *,
    on_behalf_of: str | None,
    care_location: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Change a thread's ledger and show the system entry that tells of it. Whoever adds somebody confirms.

    Raises:
        CarethreadError: as `writes.change_thread`.
        InvalidValueError: somebody is to be added, and that was not confirmed.
    """
    group = group_of(service, caller, thread_id, on_behalf_of)
    if change.add:
        names = ", ".join(name_of(service, each) for each in change.add)
        confirm((f"To be added: {names}.", f"{_ADDED[0].upper()}{_ADDED[1:]}."), _ADDED, yes=yes)
    message_id = change_thread(
        service, caller, thread_id, change, on_behalf_of=group, care_location=care_location
    )  # fmt: skip
    library.settle(service, lambda: _tell_change(service, caller, message_id, as_json=as_json))


def _tell_change(service: CoordinationService, caller: Caller, message_id: MessageId, *, as_json: bool) -> None:
    try:
        view, message = read_message(service, caller, message_id)
    except NotFoundError:
        if as_json:
            output.answer(LedgerOfRecordDocument(None, message_id, None))
        else:
            output.say(f"Recorded message {message_id}", "You cannot read this thread any more.")
        return
    if as_json:
        output.answer(LedgerOfRecordDocument(view.record, message_id, LedgerDocument.of(view.ledger)))
    else:
        views.show_message(message)
        output.say("", *readers(service, view.ledger, view.patients))


def told(tell: Callable[[], None], otherwise: str) -> None:
    """Tell what was recorded; if that fails, say only that it was: whoever sees a command fail does it again."""
    try:
        tell()
    except CarethreadError as error:
        output.say(otherwise)
        print(f"carethread: recorded, but it cannot be shown: {error}", file=sys.stderr)
