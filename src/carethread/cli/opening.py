"""`carethread thread new`: in a record as the operator says, or about a patient as a person may."""

from contextlib import ExitStack
from typing import Annotated

import typer
from msgspec.structs import replace

from carethread import CoordinationService, MessageContent, Policies, Sensitivity, Visibility
from carethread.cli import library, options, output, person_thread, views
from carethread.cli.content import (
    new_addressing,
    new_identifier,
    read_attachments,
    read_participants,
    read_sent,
    with_author,
    written_body,
)
from carethread.cli.documents import RecordedDocument
from carethread.cli.naming import find_participant, find_record, find_thread
from carethread.cli.people import ANYBODY, GROUPS, find_all, find_entry
from carethread.cli.person import AsOption, caller_of, last_arguments, thread_of
from carethread.directory.model import Patient
from carethread.errors import InvalidValueError
from carethread.record.words import read_word
from carethread.writes import Opening

_NO_MESSAGE = "says something of a first message; give one"

PatientOption = Annotated[
    str | None, typer.Option("--patient", metavar="PATIENT", help="With --as: whom the thread is about.")
]
WithOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="PERSON", help="With --as: who takes part without being asked. Repeatable."),
]


def open_thread(
    record: options.RecordIfNotAsArgument = None,
    file: options.BodyFileArgument = None,
    *,
    as_person: AsOption = None,
    patient: PatientOption = None,
    with_people: WithOption = None,
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
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Open a thread, with or without a first message.

    With --as, a person opens it about a patient (--patient) and asks somebody (--to). The first thread begins the
    patient's record. --to, --with, --reply-to and --on-behalf-of name entries of the directory: organisation:Clinic-B,
    team:Wounds, person:B1, patient:P1, or without the word before it where that says which. Replies go to whom
    --on-behalf-of or --reply-to says. What is answered says in words who can read the thread.

    Without --as, RECORD is needed, and the author takes part, named with --participant or not. Roles are clinician,
    care_administrator, patient, patient_associate, organisation and care_team. PARTICIPANT is an id, how one begins,
    or a name. With --to, messages go from the side that asks to the side that is asked and back; without, everybody
    writes to everybody.

    Examples:
      carethread thread new --as A1 --patient P1 --on-behalf-of organisation:Pharmacy-A \
          --to organisation:Clinic-B --body "Can you review the medication list?"
      carethread thread new 7f4c --body "Please review the chest X-ray." \
          --participant "clinician:a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3:Dr Tom Patel" \
          --participant "patient:John Doe"
      carethread thread new 7f4c question.txt \
          --participant "organisation:Pharmacy A" --participant "organisation:Clinic B" \
          --on-behalf-of "Pharmacy A" --reply-to "Pharmacy A" --to "Clinic B"
    """
    visibility = Visibility(read_word(Sensitivity, sensitivity, "sensitivity"), restricted is True)
    policies = Policies(patients is not False, external_organisations is not False)
    attachments = read_attachments(attach or ())
    if as_person is None:
        _check_only({"patient": patient, "with": with_people}, "needs --as: say which person acts")
    else:
        _check_only({"record": file}, "is not named with --as: --patient says whose")
        _check_only({"participant": participant}, "is not for --as: --to and --with name whom the directory knows")
        has_message = edit or bool(attachments) or record is not None or body is not None
        if sent is not None and not has_message:
            raise InvalidValueError("sent", _NO_MESSAGE)
        with library.opened(data) as service:
            caller = caller_of(service, as_person)
            opening = _about_patient(service, patient, to, reply_to, on_behalf_of, with_people)
            if continues is not None:
                opening = replace(opening, continues=thread_of(service, caller, continues))
            with written_body(record, body, otherwise=None if edit else "") as text:
                said = MessageContent(text, attachments=attachments, sent=read_sent(sent))
                person_thread.open_new(
                    service,
                    caller,
                    replace(opening, message=said if has_message else None, visibility=visibility, policies=policies),
                    care_location=care_location,
                    client_identifier=new_identifier(client, identifier),
                    patient_side_opens=library.read_settings(data).patients_open_threads is not False,
                    as_json=as_json,
                )
        return
    (record,) = last_arguments(record, needed=("RECORD",))
    author = library.acting(author_id, author_name, author_role)
    place = library.acting_place(care_location)
    participants = with_author(author, read_participants(participant or (), may_make_ids=identifier is None))
    addressing = new_addressing(author.id, participants, to or (), reply_to)
    speaks_for = None if on_behalf_of is None else find_participant(participants, on_behalf_of, "on-behalf-of")
    has_message = edit or bool(attachments) or file is not None or body is not None
    if not has_message and (speaks_for is not None or sent is not None):
        raise InvalidValueError("on-behalf-of" if sent is None else "sent", _NO_MESSAGE)
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
            place,
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

        library.settle_operator(service, found, author, "thread", tell, thread=thread_id)


def _check_only(given: dict[str, object], fault: str) -> None:
    for name, value in given.items():
        if value:
            raise InvalidValueError(name, fault)


def _about_patient(
    service: CoordinationService,
    patient: str | None,
    to: list[str] | None,
    reply_to: str | None,
    on_behalf_of: str | None,
    with_people: list[str] | None,
) -> Opening:
    """Return what a person opens, whom the directory knows."""
    if patient is None:
        raise InvalidValueError("patient", "is missing: with --as, say whom the thread is about with --patient")
    if not to:
        raise InvalidValueError("to", "is missing: with --as, say who is asked")
    return Opening(
        find_entry(service, patient, (Patient,), "patient").id,
        find_all(service, to, ANYBODY, "to"),
        None if on_behalf_of is None else find_entry(service, on_behalf_of, GROUPS, "on-behalf-of").id,
        None if reply_to is None else find_entry(service, reply_to, ANYBODY, "reply-to").id,
        find_all(service, with_people, ANYBODY, "with"),
    )
