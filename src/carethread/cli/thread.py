"""`carethread thread`: conversations."""

from typing import Annotated

import typer

from carethread import ThreadStatus
from carethread.access_log import Action, Served
from carethread.cli import exceptional, library, opening, options, output, person_thread, thread_changes, views
from carethread.cli.application import new_noun
from carethread.cli.documents import (
    LedgerDocument,
    MessageDocument,
    ThreadDocument,
    ThreadsDocument,
)
from carethread.cli.naming import find_record, find_thread
from carethread.cli.people import find_entry
from carethread.cli.person import (
    AsOption,
    AuditorOption,
    PurposeOption,
    StewardOption,
    caller_of,
    check_operator,
    last_arguments,
    thread_of,
)
from carethread.directory.model import Patient
from carethread.errors import InvalidValueError
from carethread.reads import read_thread, served_thread

_THREAD = ("THREAD",)
_BOTH = ("RECORD", "THREAD")

app = new_noun("Open, list, show and close conversations.")
app.command("new")(opening.open_thread)


@app.command("list")
def list_all(
    record: options.RecordIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    patient: opening.PatientOption = None,
    everything: Annotated[bool, typer.Option("--all", "--archived", help="Archived threads, too.")] = False,
    auditor: AuditorOption = False,
    steward: StewardOption = False,
    purpose: PurposeOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List threads: those of a record, oldest first; with --as, those about a patient that a person may read.

    Examples:
      carethread thread list --as A1 --patient P1
      carethread thread list 7f4c --all
    """
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
            if patient is None or record is not None:
                raise InvalidValueError("patient", "is what --as needs in place of RECORD: say whose with --patient")
            about = find_entry(service, patient, (Patient,), "patient").id
            person_thread.list_threads(service, caller, about, archived=everything, as_json=as_json)
            return
        check_operator(auditor=auditor, steward=steward, purpose=purpose)
        if patient is not None:
            raise InvalidValueError("patient", "needs --as: say which person acts")
        (record,) = last_arguments(record, needed=("RECORD",))
        found = find_record(service, record)
        known = found.communications()
        ledgers = [each for each in known if everything or each.status is not ThreadStatus.ARCHIVED]
        served = tuple(Served(each.communication_id, "") for each in ledgers)
        library.show_operator(service, found, "record", served, action=Action.LISTED)
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
    """Show a thread: who takes part, and every message, as it was typed.

    With --as, RECORD may be left out, the thread counts as opened by that person, and who can read it is said.

    Examples:
      carethread thread show 550e8400 --as A1
      carethread thread show 7f4c 550e
    """
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
            (named,) = last_arguments(record, thread, needed=_THREAD)
            view = read_thread(service, caller, thread_of(service, caller, named))
            person_thread.show_thread(service, view, as_json=as_json)
            return
        check_operator(auditor=auditor, steward=steward, purpose=purpose)
        record, thread = last_arguments(record, thread, needed=_BOTH)
        found = find_record(service, record)
        read = found.read_communication(find_thread(found, thread))
        entries = len(read.messages)
        library.show_operator(
            service, found, "thread", served_thread(read.ledger.communication_id, read.version, entries)
        )
        if as_json:
            messages = tuple(MessageDocument.of(each) for each in read.messages)
            output.answer(ThreadDocument(found.coordination_id, read.version, LedgerDocument.of(read.ledger), messages))
            return
        views.show_ledger(read.ledger)
        for message in read.messages:
            output.say("", "─" * 72, "")
            views.show_message(message)


app.command("close")(thread_changes.close)
app.command("archive")(thread_changes.archive)
app.command("participants")(thread_changes.participants)
app.command("aside")(exceptional.set_aside)
app.command("refile")(exceptional.refile)
app.command("emergency")(exceptional.open_in_emergency)
