"""`carethread thread`: conversations."""

from contextlib import ExitStack
from typing import Annotated

import typer

from carethread import LedgerUpdate, MessageContent, Policies, Sensitivity, ThreadStatus, Visibility
from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.changes import change_ledger
from carethread.cli.content import (
    new_addressing,
    new_identifier,
    read_attachments,
    read_participants,
    read_sent,
    with_author,
    written_body,
)
from carethread.cli.documents import (
    LedgerDocument,
    LedgerOfRecordDocument,
    MessageDocument,
    RecordedDocument,
    ThreadDocument,
    ThreadsDocument,
)
from carethread.cli.naming import find_participant, find_participants, find_record, find_thread
from carethread.errors import InvalidValueError
from carethread.record.words import read_word

app = new_noun("Open, list, show and close conversations.")


@app.command("new")
def open_thread(
    record: options.RecordArgument,
    file: options.BodyFileArgument = None,
    *,
    participant: options.ParticipantOption = None,
    body: options.BodyOption = None,
    edit: Annotated[bool, typer.Option("--edit", help="Write the first message in $EDITOR.")] = False,
    to: options.AddressedToOption = None,
    reply_to: options.ReplyToOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    attach: options.AttachOption = None,
    sent: options.SentOption = None,
    continues: Annotated[
        str | None, typer.Option("--continues", metavar="THREAD", help="The closed thread that this one takes up.")
    ] = None,
    sensitivity: options.SensitivityOption = Sensitivity.STANDARD.value,
    restricted: options.RestrictedOption = None,
    patients: options.PatientsOption = None,
    external_organisations: options.ExternalsOption = None,
    client: options.ClientOption = options.DEFAULT_CLIENT,
    identifier: options.IdentifierOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Open a thread, with or without a first message.

    The author takes part, named with --participant or not. Roles are clinician, care_administrator, patient,
    patient_associate, organisation and care_team. PARTICIPANT is an id, how one begins, or a name.

    With --to, the thread is addressed: messages go from the side that asks to the side that is asked and back.
    Without, everybody writes to everybody.

    Examples:
      carethread thread new 7f4c --body "Please review the chest X-ray." \
          --participant "clinician:a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3:Dr Tom Patel" \
          --participant "patient:John Doe"
      carethread thread new 7f4c question.txt \
          --participant "organisation:Pharmacy A" --participant "organisation:Clinic B" \
          --on-behalf-of "Pharmacy A" --reply-to "Pharmacy A" --to "Clinic B"
    """
    author = library.new_author(author_id, author_name, author_role)
    participants = with_author(author, read_participants(participant or (), may_make_ids=identifier is None))
    addressing = new_addressing(author.id, participants, to or (), reply_to)
    speaks_for = None if on_behalf_of is None else find_participant(participants, on_behalf_of, "on-behalf-of")
    attachments = read_attachments(attach or ())
    has_message = edit or bool(attachments) or file is not None or body is not None
    if not has_message and (speaks_for is not None or sent is not None):
        raise InvalidValueError(
            "on-behalf-of" if sent is None else "sent", "says something of a first message; give one"
        )
    visibility = Visibility(read_word(Sensitivity, sensitivity, "sensitivity"), restricted is True)
    policies = Policies(patients is not False, external_organisations is not False)
    with ExitStack() as stack:
        service = stack.enter_context(library.opened(data))
        found = find_record(service, record)
        taken_up = None if continues is None else find_thread(found, continues)
        text = stack.enter_context(written_body(file, body, otherwise=None if edit else ""))
        content = None
        if has_message:
            content = MessageContent(text, on_behalf_of=speaks_for, attachments=attachments, sent=read_sent(sent))
        thread_id = found.communication_create(
            author,
            care_location,
            participants,
            content,
            addressing=addressing,
            continues=taken_up,
            visibility=visibility,
            policies=policies,
            client_identifier=new_identifier(client, identifier),
        )

        def tell() -> None:
            opened = found.read_communication(thread_id)
            first = opened.messages[0].id if content is not None else None
            if as_json:
                output.answer(RecordedDocument(found.coordination_id, thread_id, first))
                return
            output.say(f"Opened thread {thread_id}")
            if first is not None:
                output.say(f"Recorded message {first}")
            output.say("")
            views.show_participants(opened.ledger.participants)

        library.settle(found, tell)


@app.command("list")
def list_all(
    record: options.RecordArgument,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Archived threads, too.")] = False,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List a record's threads, oldest first.

    Example:
      carethread thread list 7f4c --all
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        known = found.communications()
        ledgers = [each for each in known if everything or each.status is not ThreadStatus.ARCHIVED]
        if as_json:
            output.answer(ThreadsDocument(found.coordination_id, tuple(LedgerDocument.of(each) for each in ledgers)))
            return
        if ledgers:
            output.table(
                ("THREAD", "STATUS", "LAST UPDATED", "PARTICIPANTS"),
                (
                    (
                        each.communication_id,
                        each.status.value,
                        views.at(each.last_updated_at),
                        ", ".join(participant.name for participant in each.participants),
                    )
                    for each in ledgers
                ),
            )
        else:
            output.say(
                "No threads yet: `carethread thread new` opens one." if not known else "No open or closed threads."
            )
        hidden = len(known) - len(ledgers)
        if hidden:
            output.say("", f"{hidden} archived, which --all shows.")


@app.command("show")
def show(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show a thread: who takes part, and every message, as it was typed.

    Example:
      carethread thread show 7f4c 550e
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        read = found.read_communication(find_thread(found, thread))
        if as_json:
            messages = tuple(MessageDocument.of(each) for each in read.messages)
            output.answer(ThreadDocument(found.coordination_id, read.version, LedgerDocument.of(read.ledger), messages))
            return
        views.show_ledger(read.ledger)
        for message in read.messages:
            output.say("", "─" * 72, "")
            views.show_message(message)


@app.command("close")
def close(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Close a thread: it takes no more messages. This cannot be undone.

    Example:
      carethread thread close 7f4c 550e
    """
    update = LedgerUpdate(status=ThreadStatus.CLOSED)
    author = library.new_author(author_id, author_name, author_role)
    with library.opened(data) as service:
        found = find_record(service, record)
        change_ledger(found, find_thread(found, thread), author, care_location, on_behalf_of, update, as_json=as_json)


@app.command("archive")
def archive(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Archive a thread: it takes no more messages and is left out of lists. This cannot be undone.

    Example:
      carethread thread archive 7f4c 550e
    """
    update = LedgerUpdate(status=ThreadStatus.ARCHIVED)
    author = library.new_author(author_id, author_name, author_role)
    with library.opened(data) as service:
        found = find_record(service, record)
        change_ledger(found, find_thread(found, thread), author, care_location, on_behalf_of, update, as_json=as_json)


@app.command("participants")
def participants(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    add: options.AddOption = None,
    remove: options.RemoveOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Show who takes part in a thread; add and remove people and groups.

    Who is added sees the whole thread. Who acts, and where, need only be said to change something.

    Examples:
      carethread thread participants 7f4c 550e
      carethread thread participants 7f4c 550e \
          --add "care_administrator:Priya Shah" --remove "Dr Tom Patel"
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        thread_id = find_thread(found, thread)
        if add or remove:
            author = library.acting(author_id, author_name, author_role)
            update = LedgerUpdate(
                add_participants=read_participants(add or ()),
                remove_participants=find_participants(found, thread_id, remove or (), "remove"),
            )
            place = library.acting_place(care_location)
            change_ledger(found, thread_id, author, place, on_behalf_of, update, as_json=as_json)
            return
        ledger = found.read_communication(thread_id).ledger
        if as_json:
            output.answer(LedgerOfRecordDocument(found.coordination_id, None, LedgerDocument.of(ledger)))
        else:
            views.show_participants(ledger.participants)
