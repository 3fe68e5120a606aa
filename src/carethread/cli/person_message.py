"""Messages as a person of the directory writes and shows them, by what they may."""

from pathlib import Path

from carethread import CoordinationService, MessageContent
from carethread.cli import library, output, views
from carethread.cli.content import new_identifier, read_attachments, read_sent, written_body
from carethread.cli.documents import MessageDocument, MessageOfRecordDocument, RecordedDocument
from carethread.cli.person import message_of, participants_of, thread_of
from carethread.cli.person_thread import group_of, told
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.reads import read_message
from carethread.writes import post_message


def reply(
    service: CoordinationService,
    caller: Caller,
    thread: str,
    file: str | None,
    *,
    body: str | None,
    in_response_to: str | None,
    to: list[str] | None,
    on_behalf_of: str | None,
    attach: list[Path] | None,
    sent: str | None,
    client: str,
    identifier: str | None,
    care_location: str | None,
    as_json: bool,
) -> None:
    """Add a message to a thread, and say for whom and to whom it was recorded.

    Raises:
        CarethreadError: as `writes.post_message`, or a value is not in order.
    """
    attachments = read_attachments(attach or ())
    when = read_sent(sent)
    thread_id = thread_of(service, caller, thread)
    answered = None if in_response_to is None else message_of(service, caller, thread_id, in_response_to)
    group = group_of(service, caller, thread_id, on_behalf_of)
    recipients = participants_of(service, caller, thread_id, to or (), "to")
    with written_body(file, body, otherwise="" if attachments else None) as text:
        content = MessageContent(
            body=text,
            in_response_to=answered,
            on_behalf_of=group,
            recipients=recipients,
            attachments=attachments,
            sent=when,
        )
        asked_as = new_identifier(client, identifier)
        message_id = post_message(
            service, caller, thread_id, content, care_location=care_location, client_identifier=asked_as
        )
    _settle(service, caller, thread_id, message_id, as_json=as_json)


def correct(
    service: CoordinationService,
    caller: Caller,
    named: tuple[str | None, str],
    file: str | None,
    *,
    body: str | None,
    thread: str | None,
    on_behalf_of: str | None,
    attach: list[Path] | None,
    client: str,
    identifier: str | None,
    care_location: str | None,
    as_json: bool,
) -> None:
    """Correct a message, where it stands or, once its thread is closed, in one that continues it.

    Raises:
        CarethreadError: as `writes.post_message`, or a value is not in order.
    """
    attachments = read_attachments(attach or ())
    original = message_of(service, caller, *named)
    if thread is None:
        thread_id = read_message(service, caller, original)[0].ledger.communication_id
    else:
        thread_id = thread_of(service, caller, thread)
    group = group_of(service, caller, thread_id, on_behalf_of)
    with written_body(file, body, otherwise="" if attachments else None) as text:
        content = MessageContent(body=text, corrects=original, on_behalf_of=group, attachments=attachments)
        asked_as = new_identifier(client, identifier)
        message_id = post_message(
            service, caller, thread_id, content, care_location=care_location, client_identifier=asked_as
        )
    _settle(service, caller, thread_id, message_id, as_json=as_json)


def show(service: CoordinationService, caller: Caller, named: tuple[str | None, str], *, as_json: bool) -> None:
    """Show one message, as it was typed."""
    view, message = read_message(service, caller, message_of(service, caller, *named))
    thread_id = view.ledger.communication_id
    if as_json:
        output.answer(MessageOfRecordDocument(view.record, thread_id, MessageDocument.of(message)))
        return
    output.pairs((("Thread", thread_id),))
    views.show_message(message)


def _settle(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId, message_id: MessageId, *, as_json: bool
) -> None:
    def tell() -> None:
        view, message = read_message(service, caller, message_id)
        if as_json:
            output.answer(RecordedDocument(view.record, thread_id, message_id))
            return
        output.pairs(
            (
                ("Recorded message", message_id),
                ("On behalf of", "" if message.on_behalf_of is None else message.on_behalf_of.name),
                *(("To", each.name) for each in message.to),
            )
        )

    library.settle(service, lambda: told(tell, f"Recorded message {message_id}"))
