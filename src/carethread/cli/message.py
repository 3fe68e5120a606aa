"""`carethread message`: messages and their corrections."""

from typing import Annotated

import typer

from carethread import Author, CoordinationRecord, CoordinationService, MessageContent
from carethread.cli import library, options, output, person_message, views
from carethread.cli.application import new_noun
from carethread.cli.content import new_identifier, read_attachments, read_sent, written_body
from carethread.cli.documents import MessageDocument, MessageOfRecordDocument, RecordedDocument
from carethread.cli.naming import find_message, find_participants, find_record, find_thread
from carethread.cli.person import (
    AsOption,
    AsPersonOption,
    AuditorOption,
    PurposeOption,
    StewardOption,
    caller_of,
    check_operator,
    last_arguments,
)
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, MessageId, parse_message_id
from carethread.reads import served_thread

app = new_noun("Add, correct and show messages.")

ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="PARTICIPANT", help="Whom it goes to, where not whom the thread says. Repeatable."),
]
InResponseToOption = Annotated[
    str | None, typer.Option("--in-response-to", metavar="MESSAGE", help="The message of the thread it answers.")
]


@app.command("reply")
def reply(
    thread: options.ThreadArgument,
    file: options.BodyFileArgument = None,
    *,
    as_person: AsPersonOption,
    body: options.BodyOption = None,
    in_response_to: InResponseToOption = None,
    to: ToOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write in a thread, as a person may. Where it goes, and for whom, follows from the thread.

    A member of an organisation or team that takes part writes for it. Whoever is in several, or on both sides, is asked
    to say for whom with --on-behalf-of, or to whom with --to. What was recorded says both.

    Examples:
      carethread message reply 550e8400 --as B1 --body "Yes, I'll review it today."
      echo "Thank you." | carethread message reply 550e8400 - --as A2
    """
    with library.opened(data) as service:
        person_message.reply(
            service,
            caller_of(service, as_person),
            thread,
            file,
            body=body,
            in_response_to=in_response_to,
            to=to,
            on_behalf_of=on_behalf_of,
            attach=attach,
            sent=None,
            client=client,
            identifier=identifier,
            care_location=care_location,
            as_json=as_json,
        )


@app.command("add")
def add(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    file: options.BodyFileArgument = None,
    *,
    as_person: AsOption = None,
    body: options.BodyOption = None,
    in_response_to: InResponseToOption = None,
    to: ToOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    sent: options.SentOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Add a message to a thread. It is durable once its id is printed, and never changes.

    The body is what --body says, or in a file, or comes from standard input. With none of these, on a terminal,
    $EDITOR opens. With --as, this is `message reply`, and RECORD may be left out.

    Examples:
      carethread message add 7f4c 550e --body "Reviewed X-ray. No acute changes."
      carethread message add 7f4c 550e letter.txt --attach ecg.pdf
      echo "Yes, I will do that, doctor." | carethread message add 7f4c 550e -
    """
    if as_person is not None:
        whole = file is not None or (body is not None and thread is not None)
        named = (thread, file) if whole else (record, thread)
        with library.opened(data) as service:
            person_message.reply(
                service,
                caller_of(service, as_person),
                last_arguments(named[0], needed=("THREAD",))[0],
                named[1],
                body=body,
                in_response_to=in_response_to,
                to=to,
                on_behalf_of=on_behalf_of,
                attach=attach,
                sent=sent,
                client=client,
                identifier=identifier,
                care_location=care_location,
                as_json=as_json,
            )
        return
    record, thread = last_arguments(record, thread, needed=("RECORD", "THREAD"))
    author = library.acting(author_id, author_name, author_role)
    place = library.acting_place(care_location)
    attachments = read_attachments(attach or ())
    when = read_sent(sent)
    asked_for = () if on_behalf_of is None else (on_behalf_of,)
    with library.opened(data) as service:
        found = find_record(service, record)
        thread_id = find_thread(found, thread)
        answered = None if in_response_to is None else find_message(found, in_response_to, "in-response-to")
        group = next(iter(find_participants(found, thread_id, asked_for, "on-behalf-of")), None)
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
            message_id = found.add_message(author, place, thread_id, content, client_identifier=asked_as)
        _settle(service, found, author, thread_id, message_id, "message", as_json=as_json)


@app.command("correct")
def correct(
    record: options.RecordIfNotAsArgument = None,
    message: options.MessageIfNotAsArgument = None,
    file: options.BodyFileArgument = None,
    *,
    as_person: AsOption = None,
    body: options.BodyOption = None,
    thread: Annotated[
        str | None,
        typer.Option("--thread", metavar="THREAD", help="Where to correct it, once its own thread is closed."),
    ] = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Correct a message, with another one. The original stays as it is; the correction names it.

    With --as, give the message's whole id, or in the place of RECORD the thread, and how the message's id begins.

    Examples:
      carethread message correct 3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92 --as B1 \
          --body "Reassess in 24 hours, not in 48."
      carethread message correct 7f4c 8b2f --body "Reassess in 24 hours, not in 48."
    """
    if as_person is not None:
        named, text_file = _of_person(record, message, file)
        with library.opened(data) as service:
            person_message.correct(
                service,
                caller_of(service, as_person),
                named,
                text_file,
                body=body,
                thread=thread,
                on_behalf_of=on_behalf_of,
                attach=attach,
                client=client,
                identifier=identifier,
                care_location=care_location,
                as_json=as_json,
            )
        return
    record, message = last_arguments(record, message, needed=("RECORD", "MESSAGE"))
    author = library.acting(author_id, author_name, author_role)
    place = library.acting_place(care_location)
    attachments = read_attachments(attach or ())
    asked_for = () if on_behalf_of is None else (on_behalf_of,)
    with library.opened(data) as service:
        found = find_record(service, record)
        original = find_message(found, message)
        its_own = found.read_message(original)[0].communication_id
        thread_id = its_own if thread is None else find_thread(found, thread)
        group = next(iter(find_participants(found, thread_id, asked_for, "on-behalf-of")), None)
        with written_body(file, body, otherwise="" if attachments else None) as text:
            content = MessageContent(body=text, corrects=original, on_behalf_of=group, attachments=attachments)
            asked_as = new_identifier(client, identifier)
            message_id = found.add_message(author, place, thread_id, content, client_identifier=asked_as)
        _settle(service, found, author, thread_id, message_id, "correction", as_json=as_json)


@app.command("show")
def show(
    record: options.RecordIfNotAsArgument = None,
    message: options.MessageIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    auditor: AuditorOption = False,
    steward: StewardOption = False,
    purpose: PurposeOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show one message, as it was typed.

    With --as, give the message's whole id, or in the place of RECORD the thread, and how the message's id begins.

    Examples:
      carethread message show 550e8400 3f7a --as A1
      carethread message show 7f4c 3f7a
    """
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
            person_message.show(service, caller, _of_person(record, message, None)[0], as_json=as_json)
            return
        check_operator(auditor=auditor, steward=steward, purpose=purpose)
        record, message = last_arguments(record, message, needed=("RECORD", "MESSAGE"))
        found = find_record(service, record)
        ledger, shown = found.read_message(find_message(found, message))
        served = served_thread(ledger.communication_id, entries=1)
        library.show_operator(service, found, "message", served, message=shown.id)
        if as_json:
            document = MessageDocument.of(shown)
            output.answer(MessageOfRecordDocument(found.coordination_id, ledger.communication_id, document))
            return
        output.pairs((("Thread", ledger.communication_id),))
        views.show_message(shown)


def _of_person(
    first: str | None, second: str | None, third: str | None
) -> tuple[tuple[str | None, str], str | None]:  # fmt: skip
    """Return thread and message, and a file: `MESSAGE`, `MESSAGE FILE`, `THREAD MESSAGE` or `THREAD MESSAGE FILE`."""
    (needed,) = last_arguments(first, needed=("MESSAGE",))
    if second is None:
        return (None, needed), None
    if third is None and _is_whole(needed):
        return (None, needed), second
    return (needed, second), third


def _is_whole(named: str) -> bool:
    try:
        parse_message_id(named.lower())
    except InvalidValueError:
        return False
    return True


def _settle(
    service: CoordinationService,
    record: CoordinationRecord,
    author: Author,
    thread_id: CommunicationId,
    message_id: MessageId,
    what: str,
    *,
    as_json: bool,
) -> None:
    def tell() -> None:
        if as_json:
            output.answer(RecordedDocument(record.coordination_id, thread_id, message_id))
        else:
            output.say(f"Recorded message {message_id}")

    library.settle_operator(service, record, author, what, tell, thread=thread_id, message=message_id)
