"""`carethread message`: messages and their corrections."""

from typing import Annotated

import typer

from carethread import CoordinationRecord, MessageContent
from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.content import new_identifier, read_attachments, read_sent, written_body
from carethread.cli.documents import MessageDocument, MessageOfRecordDocument, RecordedDocument
from carethread.cli.naming import find_message, find_participants, find_record, find_thread
from carethread.ids import CommunicationId, MessageId

app = new_noun("Add, correct and show messages.")

ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="PARTICIPANT", help="Whom it goes to, where not whom the thread says. Repeatable."),
]


@app.command("add")
def add(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    file: options.BodyFileArgument = None,
    *,
    body: options.BodyOption = None,
    in_response_to: Annotated[
        str | None, typer.Option("--in-response-to", metavar="MESSAGE", help="The message of the thread it answers.")
    ] = None,
    to: ToOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    sent: options.SentOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Add a message to a thread. It is durable once its id is printed, and never changes.

    The body is what --body says, or in a file, or comes from standard input. With none of these, on a terminal,
    $EDITOR opens.

    Examples:
      carethread message add 7f4c 550e --body "Reviewed X-ray. No acute changes."
      carethread message add 7f4c 550e letter.txt --attach ecg.pdf
      echo "Yes, I will do that, doctor." | carethread message add 7f4c 550e -
    """
    author = library.new_author(author_id, author_name, author_role)
    attachments = read_attachments(attach or ())
    when = read_sent(sent)
    named = () if on_behalf_of is None else (on_behalf_of,)
    with library.opened(data) as service:
        found = find_record(service, record)
        thread_id = find_thread(found, thread)
        answered = None if in_response_to is None else find_message(found, in_response_to, "in-response-to")
        group = next(iter(find_participants(found, thread_id, named, "on-behalf-of")), None)
        recipients = find_participants(found, thread_id, to or (), "to")
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
            message_id = found.add_message(author, care_location, thread_id, content, client_identifier=asked_as)
        _settle(found, thread_id, message_id, as_json=as_json)


@app.command("correct")
def correct(
    record: options.RecordArgument,
    message: options.MessageArgument,
    file: options.BodyFileArgument = None,
    *,
    body: options.BodyOption = None,
    thread: Annotated[
        str | None,
        typer.Option("--thread", metavar="THREAD", help="Where to correct it, once its own thread is closed."),
    ] = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Correct a message, with another one. The original stays as it is; the correction names it.

    Example:
      carethread message correct 7f4c 8b2f --body "Reassess in 24 hours, not in 48."
    """
    author = library.new_author(author_id, author_name, author_role)
    attachments = read_attachments(attach or ())
    named = () if on_behalf_of is None else (on_behalf_of,)
    with library.opened(data) as service:
        found = find_record(service, record)
        original = find_message(found, message)
        its_own = found.read_message(original)[0].communication_id
        thread_id = its_own if thread is None else find_thread(found, thread)
        group = next(iter(find_participants(found, thread_id, named, "on-behalf-of")), None)
        with written_body(file, body, otherwise="" if attachments else None) as text:
            content = MessageContent(body=text, corrects=original, on_behalf_of=group, attachments=attachments)
            asked_as = new_identifier(client, identifier)
            message_id = found.add_message(author, care_location, thread_id, content, client_identifier=asked_as)
        _settle(found, thread_id, message_id, as_json=as_json)


@app.command("show")
def show(
    record: options.RecordArgument,
    message: options.MessageArgument,
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show one message, as it was typed.

    Example:
      carethread message show 7f4c 3f7a
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        ledger, shown = found.read_message(find_message(found, message))
        if as_json:
            document = MessageDocument.of(shown)
            output.answer(MessageOfRecordDocument(found.coordination_id, ledger.communication_id, document))
            return
        output.pairs((("Thread", ledger.communication_id),))
        views.show_message(shown)


def _settle(record: CoordinationRecord, thread_id: CommunicationId, message_id: MessageId, *, as_json: bool) -> None:
    def tell() -> None:
        if as_json:
            output.answer(RecordedDocument(record.coordination_id, thread_id, message_id))
        else:
            output.say(f"Recorded message {message_id}")

    library.settle(record, tell)
