"""`carethread thread aside`, `refile` and `emergency`: what a person does with a thread beside the usual."""

import sys
from typing import Annotated

import typer

from carethread.cli import library, options, output, person_thread, views
from carethread.cli.documents import PartyDocument
from carethread.cli.people import ANYBODY, GROUPS, PEOPLE, find_all, find_entry, name_of
from carethread.cli.people_documents import RefiledDocument, SetAsideDocument
from carethread.cli.person import (
    AsPersonOption,
    YesOption,
    caller_of,
    confirm,
    last_arguments,
    message_of,
    thread_of,
)
from carethread.directory.model import Patient
from carethread.ids import ParticipantId
from carethread.reads import ThreadView, read_message, read_thread
from carethread.reads import open_in_emergency as read_in_emergency
from carethread.record.model import Message
from carethread.writes import Refiling
from carethread.writes import refile as write_refiling
from carethread.writes import set_aside as write_aside

_IN_SHORT = "the message is corrected where it stands, filed again, and its thread is archived and restricted"
_EMERGENCY = """\
──────────────────────────────────────────────────────────────────────────────
EMERGENCY ACCESS to a thread that is restricted to people named in it.
This is logged with your name and your reason, and listed for auditors.
──────────────────────────────────────────────────────────────────────────────"""


def set_aside(
    thread: options.ThreadArgument,
    *,
    as_person: AsPersonOption,
    of: Annotated[str, typer.Option("--of", metavar="GROUP", help="The organisation or team on which it waits.")],
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Set a thread aside: it waits on your organisation or team no more, until the next message in it.

    Your colleagues see that you did. The record does not change, and nobody outside the group is told.

    Example:
      carethread thread aside 550e8400 --as A1 --of organisation:Pharmacy-A
    """
    with library.opened(data) as service:
        caller = caller_of(service, as_person)
        group = find_entry(service, of, GROUPS, "of").id
        thread_id = thread_of(service, caller, thread)
        write_aside(service, caller, thread_id, group)
        name = name_of(service, group)
        if as_json:
            output.answer(SetAsideDocument(thread_id, PartyDocument(group, name)))
        else:
            output.say(f"Thread {thread_id} is set aside for {name}, until its next message.")


def refile(
    thread: Annotated[
        str | None, typer.Argument(metavar="THREAD", help="Where the message stands, if its id is not given whole.")
    ] = None,
    message: options.MessageIfNotAsArgument = None,
    *,
    as_person: AsPersonOption,
    patient: Annotated[str, typer.Option("--patient", metavar="RIGHT", help="The patient whom the message concerns.")],
    reader: Annotated[
        list[str] | None,
        typer.Option("--reader", metavar="PERSON", help="Who goes on reading the thread it is in. Repeatable."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="PARTICIPANT", help="Who is asked there, where not the same. Repeatable."),
    ] = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    yes: YesOption = False,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Set a message right that was written in the wrong patient's record.

    Nothing is removed. A correction says where the message stands that it does not concern this patient; the message
    is filed again as a thread about the right patient; the thread it stands in is archived and restricted to people
    named in it. Each side of it keeps such a reader: name them with --reader. Whoever opened it for an organisation is
    its member, not such a reader. All of it is shown first, and asked for.
    If the command stops in the middle, give it again: it goes on where it stopped.

    Example:
      carethread thread refile 3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92 --as A1 --patient P2 \
          --reader person:A2 --reader person:B1
    """
    with library.opened(data) as service:
        caller = caller_of(service, as_person)
        (named,) = last_arguments(thread, message, needed=("MESSAGE",))
        message_id = message_of(service, caller, thread if message is not None else None, named)
        right = find_entry(service, patient, (Patient,), "patient")
        refiling = Refiling(
            message_id,
            right.id,
            find_all(service, to, ANYBODY, "to"),
            None if on_behalf_of is None else find_entry(service, on_behalf_of, GROUPS, "on-behalf-of").id,
            find_all(service, reader, PEOPLE, "reader"),
        )
        view, original = read_message(service, caller, message_id)
        names = {each: name_of(service, each) for each in (right.id, *view.patients, *refiling.readers)}
        confirm(_steps(view, original, refiling, names), _IN_SHORT, yes=yes)
        refiled = write_refiling(service, caller, refiling)

        def tell() -> None:
            again = read_thread(service, caller, refiled.thread)
            if as_json:
                output.answer(RefiledDocument(refiled.correction, again.record, refiled.thread))
                return
            output.say(
                f"Recorded correction {refiled.correction}",
                f"Opened thread {refiled.thread} about {names[right.id]}",
                f"Archived and restricted thread {view.ledger.communication_id}",
            )

        library.settle(service, lambda: person_thread.told(tell, f"Opened thread {refiled.thread}"))


def _steps(
    view: ThreadView, message: Message, refiling: Refiling, names: dict[ParticipantId, str]
) -> tuple[str, ...]:  # fmt: skip
    wrong = " and ".join(sorted(names[each] for each in view.patients)) or "a patient the directory does not know"
    readers = ", ".join(names[each] for each in refiling.readers) or "those named in it already"
    written = f"Message {message.id}, by {message.author_name} at {views.at(message.timestamp)}"
    return (
        f"{written}, stands in the record of {wrong} and concerns {names[refiling.patient]}.",
        "To be recorded:",
        f'1. In the record of {wrong}, a correction: "{refiling.note}"',
        f"2. In the record of {names[refiling.patient]}, a new thread with the message.",
        f"3. Thread {view.ledger.communication_id} is archived, and read by {readers} alone.",
    )


def open_in_emergency(
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="The thread's whole id.")],
    *,
    as_person: AsPersonOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why this cannot wait, in one line.")],
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Show a restricted thread in an emergency. This is logged with your reason, and listed for auditors.

    Only a clinician of an organisation that takes part in the thread can do this.

    Example:
      carethread thread emergency 20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000 --as B2 \
          --reason "Patient unconscious, medication unknown"
    """
    with library.opened(data) as service:
        caller = caller_of(service, as_person)
        view = read_in_emergency(service, caller, thread, reason)
        print(_EMERGENCY, file=sys.stderr)
        person_thread.show_thread(service, view, as_json=as_json)
