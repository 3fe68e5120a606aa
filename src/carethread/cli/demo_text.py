"""`carethread demo --text`: two conversations, and what becomes of them."""

import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from carethread import CoordinationRecord, CoordinationService, Finding
from carethread.access_log import AccessEntry
from carethread.cli import conversations, exit_codes, output, stock_git
from carethread.cli.demo_documents import DemonstrationDocument
from carethread.cli.documents import FindingDocument
from carethread.cli.verify import counted, line
from carethread.cli.views import at
from carethread.clock import Instant
from carethread.errors import ConfigurationError
from carethread.ids import CommunicationId

_WIDTH = 100
# An id or a path is never broken.
_FINDING = textwrap.TextWrapper(
    _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
)
_INTRODUCTION = """
Carethread keeps clinical conversations as a record: immutable, in Git, one repository per patient, readable
without Carethread. Here two of them are recorded, and then looked at with nothing but cat and git. The clock is
set to January 2026, so that it is the same record each time.
"""


def replay(keep: Path | None, *, as_json: bool) -> None:
    """Replay the conversations in a data directory of their own, which stays if it is to be kept.

    Raises:
        ConfigurationError: there is something where it is to be kept.
        typer.Exit: the check found something.
    """
    stage = conversations.Stage()
    with (
        _directory(keep) as directory,
        CoordinationService.open(
            directory,
            name="Thames Valley Shared Care",
            domain="care.example",
            clock=stage.clock,
            mint=stage.mint,
            flushes=False,
        ) as service,
    ):
        findings = _answer(service, stage, keep) if as_json else _show(service, stage, directory, keep)
    if findings:
        raise typer.Exit(exit_codes.INTEGRITY)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="carethread-demo-") as made:
            yield Path(made)
    elif keep.exists() and not (keep.is_dir() and not any(keep.iterdir())):
        raise ConfigurationError(f"{keep} is there already: name a new directory, or leave out --keep")
    else:
        yield keep


def _answer(service: CoordinationService, stage: conversations.Stage, keep: Path | None) -> tuple[Finding, ...]:
    record = conversations.begin(service, stage, _unheard)
    threads = (
        conversations.discuss_x_ray(record, stage, _unheard),
        _about_medication(service, stage, _unheard),
    )
    findings = tuple(service.verify([record.coordination_id], None))
    output.answer(
        DemonstrationDocument(
            None if keep is None else str(keep),
            record.coordination_id,
            threads,
            sum(1 for _ in record.history()),
            tuple(FindingDocument.of(each) for each in findings),
        )
    )
    return findings


def _about_medication(
    service: CoordinationService, stage: conversations.Stage, narrate: conversations.Narrate
) -> CommunicationId:
    conversations.know(service, stage, narrate)
    return conversations.review_medication(service, stage, narrate)


def _unheard(_at: Instant, _sentence: str) -> None:
    """Tell nobody."""


# ── The show ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _show(
    service: CoordinationService, stage: conversations.Stage, directory: Path, keep: Path | None
) -> tuple[Finding, ...]:
    _paragraph(_INTRODUCTION)

    _section("1. A chest X-ray: a clinician, a colleague, and the patient")
    record = conversations.begin(service, stage, _narrate)
    x_ray = conversations.discuss_x_ray(record, stage, _narrate)
    record.flush()
    output.say("")
    _paragraph("This is all of it, as it lies on disk. Entries are only ever added at the end.")
    _file(record, x_ray, "thread.md")
    _paragraph("Beside it stands who takes part, under which rules. This file changes; every version is kept.")
    _file(record, x_ray, "ledger.yaml")

    _section("2. A medication list: a pharmacy asks a clinic")
    medication = _about_medication(service, stage, _narrate)
    record.flush()
    output.say("")
    _paragraph("An individual answers for every message, and the organisation they spoke for is recorded with it.")
    _file(record, medication, "thread.md")
    _paragraph("The ledger says who asked, where replies go, and who was asked.")
    _file(record, medication, "ledger.yaml")

    _section("3. Who was shown what")
    _paragraph(
        "Whoever acts through the directory finds what they may read, and nothing else exists for them. Each answer is "
        "in the access log before it is given. The log says what was served, never that somebody has read it."
    )
    output.say("$ carethread access-log list")
    _log(conversations.who_was_shown_what(service, stage))

    _section("4. The history")
    _history(record)

    _section("5. The check")
    _paragraph(
        "An independent checker reads every commit: nothing rewritten, nobody's name forged, each change told of, "
        "all bytes as the specification has them."
    )
    output.say("$ carethread verify")
    findings = tuple(service.verify([record.coordination_id], None))
    _findings(record, findings)

    _section("6. A forgery")
    _forge(directory, record, x_ray)

    _section("Where it is")
    _farewell(directory, record, keep)
    return findings


def _narrate(instant: Instant, sentence: str) -> None:
    when = f"{at(instant)[:16]}  "
    output.say(*textwrap.wrap(sentence, _WIDTH, initial_indent=when, subsequent_indent=" " * len(when)))


def _log(entries: tuple[AccessEntry, ...]) -> None:
    names = {each.id: each.name for each in (conversations.JANE, *conversations.AT_WORK)}
    output.table(
        ("  AT", "WHO", "ACTION", "OUTCOME"),
        (
            (
                f"  {at(each.at)[:16]}",
                names[each.actor],
                f"{each.action.value} {each.detail}".strip(),
                each.outcome.value,
            )
            for each in entries
        ),
    )
    output.say("")


def _history(record: CoordinationRecord) -> None:
    shown = stock_git.log(record.path)
    if shown is None:
        _paragraph("Git is not installed here, or too old for this, so Carethread reads its own repository.")
        output.say("$ carethread log")
        for entry in record.history():
            output.say(f"  {entry.commit[:10]}  {at(entry.at)[:16]}  {entry.author_name:<14}  {entry.summary}")
        output.say("")
        return
    _paragraph("Each step that recorded something is one commit, by the person who did it. Stock Git shows them.")
    output.say(*shown)


def _findings(record: CoordinationRecord, findings: tuple[Finding, ...]) -> None:
    for each in findings:
        told = line(each).removeprefix(f"{record.coordination_id} ")
        output.say(*_FINDING.wrap(told))
    commits = counted(sum(1 for _ in record.history()), "commit")
    found = counted(len(findings), "finding") if findings else "nothing found"
    output.say(f"  Checked 1 record with {commits}: {found}.", "")


def _forge(directory: Path, record: CoordinationRecord, thread: CommunicationId) -> None:
    with tempfile.TemporaryDirectory(prefix="carethread-forged-") as scratch:
        copy = Path(scratch) / "copy"
        file = Path("communications") / thread / "thread.md"
        forged_file = copy / record.path.relative_to(directory) / file
        by_tom = next(each.commit for each in record.history() if each.author_id == conversations.TOM.id)
        if not stock_git.forge(directory, copy, forged_file, (b"No acute", b"Some acute"), by_tom):
            _paragraph("Without Git, nothing is forged here. With it, a message is changed in a copy, and found out.")
            return
        _paragraph(
            "In a copy of all this, somebody who may do everything on the machine changes “No acute changes” to “Some "
            "acute changes”, and commits that in Dr Patel's name, with stock Git. The check finds out."
        )
        output.say("$ carethread verify")
        with CoordinationService.open(copy, flushes=False) as service:
            forged = service.record(record.coordination_id)
            _findings(forged, tuple(service.verify([record.coordination_id], None)))


def _farewell(directory: Path, record: CoordinationRecord, keep: Path | None) -> None:
    if keep is None:
        _paragraph("It is removed again. To keep it, and to look around in it:")
        place = "./demo"
        output.say(f"  carethread demo --text --keep {place}")
    else:
        _paragraph(f"It is in {directory}, and the record's repository in {record.path}. To look around:")
        place = str(directory)
    output.say(
        f"  carethread thread list {record.coordination_id[:4]} --data {place}",
        f"  carethread inbox --as {conversations.BETH.id} --data {place}",
        "  carethread message add --help",
    )


# ── The page ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _section(title: str) -> None:
    output.heading(f"── {title} ".ljust(_WIDTH, "─"))
    output.say("")


def _paragraph(text: str) -> None:
    output.say(*textwrap.wrap(" ".join(text.split()), _WIDTH), "")


def _file(record: CoordinationRecord, thread: CommunicationId, name: str) -> None:
    path = Path("communications") / thread / name
    output.say(f"$ cat {path}")
    for each in (record.path / path).read_text(encoding="utf-8").rstrip("\n").split("\n"):
        output.say(f"  {each}".rstrip())
    output.say("")
