"""`carethread ledger`: who takes part in a thread, under which rules."""

from collections.abc import Sequence
from typing import Annotated

import typer

from carethread import (
    Addressing,
    Author,
    Ledger,
    LedgerUpdate,
    Participant,
    Policies,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.changes import change_ledger
from carethread.cli.content import new_addressing, read_participants
from carethread.cli.documents import LedgerDocument, LedgerOfRecordDocument
from carethread.cli.naming import find_participant, find_participants, find_record, find_thread
from carethread.errors import InvalidValueError
from carethread.record.words import read_word

app = new_noun("Show and change who takes part in a thread, under which rules.")


@app.command("show")
def show(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show a thread's ledger.

    Example:
      carethread ledger show 7f4c 550e
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        ledger = found.read_communication(find_thread(found, thread)).ledger
        if as_json:
            output.answer(LedgerOfRecordDocument(found.coordination_id, None, LedgerDocument.of(ledger)))
        else:
            views.show_ledger(ledger)


@app.command("update")
def update(
    record: options.RecordArgument,
    thread: options.ThreadArgument,
    *,
    status: Annotated[str | None, typer.Option("--status", metavar="WORD", help="closed or archived.")] = None,
    add: options.AddOption = None,
    remove: options.RemoveOption = None,
    to: options.AddressedToOption = None,
    reply_to: options.ReplyToOption = None,
    sensitivity: options.SensitivityIfChangedOption = None,
    restricted: options.RestrictedOption = None,
    patients: options.PatientsOption = None,
    external_organisations: options.ExternalsOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Change a thread's ledger. Whatever is not named stays.

    All changes of one command are recorded at once, with one entry in the thread that tells of them.

    Examples:
      carethread ledger update 7f4c 550e --sensitivity confidential
      carethread ledger update 7f4c 550e \
          --add "care_administrator:Priya Shah" --no-external-organisations
    """
    author = library.new_author(author_id, author_name, author_role)
    added = read_participants(add or ())
    with library.opened(data) as service:
        found = find_record(service, record)
        thread_id = find_thread(found, thread)
        before = found.read_communication(thread_id).ledger
        change = LedgerUpdate(
            status=None if status is None else read_word(ThreadStatus, status, "status"),
            add_participants=added,
            remove_participants=find_participants(found, thread_id, remove or (), "remove"),
            visibility=_visibility(before.visibility, sensitivity, restricted),
            policies=_policies(before.policies, patients, external_organisations),
            addressing=_addressing(before, (*before.participants, *added), author, to or (), reply_to),
        )
        if change == LedgerUpdate():
            raise InvalidValueError(
                "ledger", "say what is to change; `carethread ledger update --help` lists the options"
            )
        change_ledger(found, thread_id, author, care_location, on_behalf_of, change, as_json=as_json)


def _visibility(before: Visibility, sensitivity: str | None, restricted: bool | None) -> Visibility | None:
    if sensitivity is None and restricted is None:
        return None
    return Visibility(
        before.sensitivity if sensitivity is None else read_word(Sensitivity, sensitivity, "sensitivity"),
        before.restricted if restricted is None else restricted,
    )


def _policies(before: Policies, patients: bool | None, externals: bool | None) -> Policies | None:
    if patients is None and externals is None:
        return None
    return Policies(
        before.allow_patient_participation if patients is None else patients,
        before.allow_external_organisations if externals is None else externals,
    )


def _addressing(
    before: Ledger, participants: tuple[Participant, ...], author: Author, to: Sequence[str], reply_to: str | None
) -> Addressing | None:
    if before.addressing is None:
        return new_addressing(author.id, participants, to, reply_to)
    if not to and reply_to is None:
        return None
    return Addressing(
        before.addressing.requester,
        tuple(find_participant(participants, each, "to") for each in to) or before.addressing.recipients,
        before.addressing.reply_to if reply_to is None else find_participant(participants, reply_to, "reply-to"),
    )
