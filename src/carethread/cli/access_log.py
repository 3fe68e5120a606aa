"""`carethread access-log`: who was served what, for auditors."""

import sys
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from carethread import CoordinationService
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.cli import library, options, output, progress, views
from carethread.cli.access_export import Format, write_lines, written_to
from carethread.cli.application import new_noun
from carethread.cli.content import read_time
from carethread.cli.documents import PartyDocument
from carethread.cli.naming import find_record
from carethread.cli.people import PEOPLE, find_entry, name_of
from carethread.cli.people_documents import (
    AccessLineDocument,
    AccessLogDocument,
    ExportDocument,
    ReconstructionDocument,
    VisibleDocument,
)
from carethread.cli.person import AsPersonOption, caller_of
from carethread.cli.search import SinceOption, UntilOption
from carethread.clock import format_instant
from carethread.errors import InvalidValueError
from carethread.ids import parse_communication_id
from carethread.reads import Filter, access_log, reconstruct
from carethread.record.words import read_word

_WORDS = {Action: ", ".join(Action), Outcome: ", ".join(Outcome)}

PurposeOption = Annotated[
    str, typer.Option("--purpose", metavar="TEXT", help="Why you look, in one line. It is logged.")
]
PersonOption = Annotated[str | None, typer.Option("--person", metavar="PERSON", help="What this person did.")]
RecordOption = Annotated[str | None, typer.Option("--record", metavar="RECORD", help="In this record.")]
ThreadOption = Annotated[str | None, typer.Option("--thread", metavar="THREAD", help="In the thread of this whole id.")]
ActionOption = Annotated[str | None, typer.Option("--action", metavar="WORD", help=f"One of {_WORDS[Action]}.")]
OutcomeOption = Annotated[str | None, typer.Option("--outcome", metavar="WORD", help=f"One of {_WORDS[Outcome]}.")]

app = new_noun("Show the access log: who was served what, when, and why.")


@app.command("list")
def list_lines(
    *,
    as_person: AsPersonOption,
    purpose: PurposeOption,
    person: PersonOption = None,
    record: RecordOption = None,
    thread: ThreadOption = None,
    action: ActionOption = None,
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many of the newest.", min=1)] = 50,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Show lines of the access log to an auditor, the newest last.

    The log says what was served, not what anybody made of it. That you look is a line of it as well, with your purpose.

    Examples:
      carethread access-log list --as N1 --purpose "Complaint 17" --person B1 --since 2026-01-01
      carethread access-log list --as N1 --purpose "Yearly review" --action emergency
    """
    with library.opened(data) as service:
        wanted = _filter(service, person, record, thread, action, outcome, since, until)
        caller = caller_of(service, as_person, auditor=True, purpose=purpose)
        newest: deque[AccessEntry] = deque(maxlen=count)
        total = 0
        for total, entry in enumerate(access_log(service, caller, wanted), 1):  # noqa: B007 - how many there were
            newest.append(entry)
        earlier = total - len(newest)
        if as_json:
            output.answer(AccessLogDocument(earlier, tuple(AccessLineDocument.of(each) for each in newest)))
            return
        if not newest:
            output.say("No line is like that.")
            return
        _show_lines(service, tuple(newest))
        if earlier:
            output.say(
                "", f"{earlier:,} earlier lines are not shown: narrow it with --since, or give a higher --count."
            )


@app.command("export")
def export(
    *,
    as_person: AsPersonOption,
    purpose: PurposeOption,
    form: Annotated[
        str, typer.Option("--format", metavar="WORD", help="jsonl: one JSON object a line. csv: for spreadsheets.")
    ] = Format.JSONL.value,
    to_file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="A new file; left out, standard output.")
    ] = None,
    person: PersonOption = None,
    record: RecordOption = None,
    thread: ThreadOption = None,
    action: ActionOption = None,
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Write lines of the access log to a file or to standard output, oldest first. That you do is logged.

    In CSV, a cell that begins with = + - @, a tab or a carriage return has an apostrophe in front, so that no
    spreadsheet takes it for a formula; take it off to have the value. `served` holds THREAD@VERSION:ENTRIES, `entries`
    ENTRY@VERSION of the directory, separated by spaces. Only the owner of the new file can read it.

    Examples:
      carethread access-log export --as N1 --purpose "Yearly review" --format csv --output 2026.csv \
          --since 2026-01-01 --until 2027-01-01
      carethread access-log export --as N1 --purpose "Complaint 17" --record 7f4c | jq .actor_id
    """
    wanted_form = read_word(Format, form, "format")
    if as_json and to_file is None:
        raise InvalidValueError("output", "is missing: with --json, the lines go to a file")
    with library.opened(data) as service:
        wanted = _filter(service, person, record, thread, action, outcome, since, until)
        caller = caller_of(service, as_person, auditor=True, purpose=purpose)
        entries = access_log(service, caller, wanted)
        on_screen = to_file is None and sys.stdout.isatty()
        with written_to(to_file) as file, progress.counted("Exporting", wanted=not on_screen) as report:
            lines = write_lines(entries, file, wanted_form, report)
        if as_json:
            output.answer(ExportDocument(lines, str(to_file)))
        elif to_file is not None:
            output.say(f"Wrote {lines:,} lines to {to_file}")


@app.command("reconstruct")
def reconstruct_view(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Whose eyes are meant.")],
    *,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When: 2026-01-11, or 2026-01-11T14:36:15Z; UTC.")],
    as_person: AsPersonOption,
    purpose: PurposeOption,
    record: RecordOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Show what somebody could read at an instant, and what they had been served until then.

    What they could read is worked out anew from the repositories and the directory as they stood then. Without
    --record, the history of every record is gone through, which takes its time.

    Example:
      carethread access-log reconstruct B1 --at 2026-01-11T14:36:15Z --record 7f4c \
          --as N1 --purpose "Complaint 17"
    """
    instant = read_time(at, "at")
    with library.opened(data) as service:
        meant = find_entry(service, person, PEOPLE, "person")
        within = None if record is None else find_record(service, record).coordination_id
        caller = caller_of(service, as_person, auditor=True, purpose=purpose)
        with progress.shown("Reconstructing") as report:
            found = reconstruct(service, caller, meant.id, instant, record=within, progress=report)
        name = name_of(service, meant.id)
        if as_json:
            output.answer(
                ReconstructionDocument(
                    PartyDocument(meant.id, name),
                    format_instant(instant),
                    tuple(VisibleDocument.of(each) for each in found.visible),
                    tuple(AccessLineDocument.of(each) for each in found.served),
                )
            )
            return
        output.heading(f"What {name} could read at {views.at(instant)}")
        if found.visible:
            output.table(
                ("RECORD", "THREAD", "STATUS", "ENTRIES", "VERSION"),
                (
                    (
                        each.record,
                        each.ledger.communication_id,
                        each.ledger.status.value,
                        str(each.entries),
                        each.version[:12],
                    )
                    for each in found.visible
                ),
            )
        else:
            output.say("Nothing.")
        output.say("")
        output.heading("What the access log says of them until then")
        if found.served:
            _show_lines(service, found.served)
        else:
            output.say("Nothing.")


def _filter(
    service: CoordinationService,
    person: str | None,
    record: str | None,
    thread: str | None,
    action: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
) -> Filter:
    return Filter(
        actor=None if person is None else find_entry(service, person, PEOPLE, "person").id,
        record=None if record is None else find_record(service, record).coordination_id,
        thread=None if thread is None else parse_communication_id(thread, "thread"),
        action=None if action is None else read_word(Action, action, "action"),
        outcome=None if outcome is None else read_word(Outcome, outcome, "outcome"),
        since=None if since is None else read_time(since, "since"),
        until=None if until is None else read_time(until, "until"),
    )


def _show_lines(service: CoordinationService, entries: tuple[AccessEntry, ...]) -> None:
    output.table(
        ("NO", "AT", "WHO", "AS", "FOR", "ACTION", "OUTCOME", "WHAT", "THREAD", "PURPOSE"),
        (
            (
                str(each.number),
                views.at(each.at),
                name_of(service, each.actor) or each.actor,
                each.actor_kind.replace("_", " "),
                "" if each.acting_for is None else name_of(service, each.acting_for),
                each.action.value,
                each.outcome.value,
                each.detail,
                each.thread or _number_of_threads(each),
                each.purpose,
            )
            for each in entries
        ),
    )


def _number_of_threads(entry: AccessEntry) -> str:
    return f"{len(entry.served)} threads" if len(entry.served) > 1 else "".join(each.thread for each in entry.served)
