"""`carethread ledger`: who takes part in a thread, under which rules."""

from collections.abc import Sequence
from typing import Annotated

import typer

from carethread import (
    Addressing,
    Ledger,
    LedgerUpdate,
    Participant,
    Policies,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.cli import library, options, output, person_thread, views
from carethread.cli.application import new_noun
from carethread.cli.changes import change_ledger
from carethread.cli.content import new_addressing, read_participants
from carethread.cli.documents import LedgerDocument, LedgerOfRecordDocument
from carethread.cli.naming import find_participant, find_participants, find_record, find_thread
from carethread.cli.people import ANYBODY, find_all, find_taking_part
from carethread.cli.person import (
    AsOption,
    AuditorOption,
    PurposeOption,
    StewardOption,
    YesOption,
    caller_of,
    check_operator,
    last_arguments,
    thread_of,
)
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId
from carethread.reads import read_thread, served_thread
from carethread.record.words import read_word
from carethread.writes import ThreadChange

_THREAD = ("THREAD",)
_BOTH = ("RECORD", "THREAD")

app = new_noun("Show and change who takes part in a thread, under which rules.")


@app.command("show")
def show(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    auditor: AuditorOption = False,
    steward: StewardOption = False,
    purpose: PurposeOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show a thread's ledger; with --as, also in words who can read the thread.

    Examples:
      carethread ledger show 550e8400 --as A1
      carethread ledger show 7f4c 550e
    """
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
            (named,) = last_arguments(record, thread, needed=_THREAD)
            person_thread.show_ledger(service, caller, named, as_json=as_json)
            return
        check_operator(auditor=auditor, steward=steward, purpose=purpose)
        record, thread = last_arguments(record, thread, needed=_BOTH)
        found = find_record(service, record)
        read = found.read_communication(find_thread(found, thread))
        library.show_operator(service, found, "ledger", served_thread(read.ledger.communication_id, read.version))
        if as_json:
            output.answer(LedgerOfRecordDocument(found.coordination_id, None, LedgerDocument.of(read.ledger)))
        else:
            views.show_ledger(read.ledger)


@app.command("update")
def update(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    status: Annotated[str | None, typer.Option("--status", metavar="WORD", help="closed or archived.")] = None,
    add: options.AddOption = None,
    remove: options.RemoveOption = None,
    to: options.AddressedToOption = None,
    reply_to: options.ReplyToOption = None,
    sensitivity: options.SensitivityIfChangedOption = None,
    restricted: options.RestrictedOption = None,
    patients: options.PatientsOption = None,
    external_organisations: options.ExternalsOption = None,
    yes: YesOption = False,
    steward: StewardOption = False,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Change a thread's ledger. Whatever is not named stays.

    All changes of one command are recorded at once, with one entry in the thread that tells of them. With --as,
    whoever is added is an entry of the directory, sees the whole thread from its beginning, and is to be confirmed.

    Examples:
      carethread ledger update 550e8400 --as A1 --restricted --add person:A2 --add person:B1
      carethread ledger update 7f4c 550e --sensitivity confidential
      carethread ledger update 7f4c 550e \
          --add "care_administrator:Priya Shah" --no-external-organisations
    """
    becomes = None if status is None else read_word(ThreadStatus, status, "status")
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, steward=steward)
            (named,) = last_arguments(record, thread, needed=_THREAD)
            view = read_thread(service, caller, thread_of(service, caller, named), opens=False)
            taking_part = view.ledger.participants
            joining = find_all(service, add, ANYBODY, "add")

            def meant(name: str, field: str) -> ParticipantId:
                return find_taking_part(service, taking_part, name, field, joining=joining)

            change = ThreadChange(
                becomes,
                joining,
                tuple(meant(each, "remove") for each in remove or ()),
                _visibility(view.ledger.visibility, sensitivity, restricted),
                _policies(view.ledger.policies, patients, external_organisations),
                _readdressed(
                    view.ledger,
                    tuple(meant(each, "to") for each in to or ()),
                    None if reply_to is None else meant(reply_to, "reply-to"),
                ),
            )
            if change == ThreadChange():
                raise _nothing()
            person_thread.change(
                service,
                caller,
                view.ledger.communication_id,
                change,
                on_behalf_of=on_behalf_of,
                care_location=care_location,
                yes=yes,
                as_json=as_json,
            )
            return
        check_operator(steward=steward)
        record, thread = last_arguments(record, thread, needed=_BOTH)
        author = library.acting(author_id, author_name, author_role)
        place = library.acting_place(care_location)
        added = read_participants(add or ())
        found = find_record(service, record)
        thread_id = find_thread(found, thread)
        before = found.read_communication(thread_id).ledger
        asked = LedgerUpdate(
            status=becomes,
            add_participants=added,
            remove_participants=find_participants(found, thread_id, remove or (), "remove"),
            visibility=_visibility(before.visibility, sensitivity, restricted),
            policies=_policies(before.policies, patients, external_organisations),
            addressing=_addressing(before, (*before.participants, *added), author.id, to or (), reply_to),
        )
        if asked == LedgerUpdate():
            raise _nothing()
        change_ledger(service, found, thread_id, author, place, on_behalf_of, asked, as_json=as_json)


def _nothing() -> InvalidValueError:
    return InvalidValueError("ledger", "say what is to change; `carethread ledger update --help` lists the options")


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
    before: Ledger,
    participants: tuple[Participant, ...],
    author: ParticipantId,
    to: Sequence[str],
    reply_to: str | None,
) -> Addressing | None:
    if before.addressing is None:
        return new_addressing(author, participants, to, reply_to)
    return _readdressed(
        before,
        tuple(find_participant(participants, each, "to") for each in to),
        None if reply_to is None else find_participant(participants, reply_to, "reply-to"),
    )


def _readdressed(
    before: Ledger, to: tuple[ParticipantId, ...], reply_to: ParticipantId | None
) -> Addressing | None:  # fmt: skip
    if not to and reply_to is None:
        return None
    if before.addressing is None:
        raise InvalidValueError("to", "is for a thread that says who is asked; this one does not, and stays so")
    return Addressing(
        before.addressing.requester, to or before.addressing.recipients, reply_to or before.addressing.reply_to
    )
