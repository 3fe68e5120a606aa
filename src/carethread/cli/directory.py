"""`carethread directory`: people, organisations and teams, and who is appointed to what."""

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.directory_views import details_document, entry_rows, show_details
from carethread.cli.documents import (
    AppointedDocument,
    EntriesDocument,
    EntryDocument,
    ExportedDocument,
    LoadedDocument,
    VersionDocument,
    VersionsDocument,
)
from carethread.cli.progress import shown
from carethread.cli.views import at
from carethread.clock import format_instant, parse_instant
from carethread.directory.model import Duty, EntryKind
from carethread.errors import InvalidValueError, StorageError
from carethread.record.text import check_name
from carethread.record.words import read_word

app = new_noun("Load and show people, organisations and teams; appoint auditors and stewards.")

_KINDS = ", ".join(each.value for each in EntryKind if each is not EntryKind.PRACTITIONER_ROLE)
_DUTIES = ", ".join(Duty)

ReferenceArgument = Annotated[
    str,
    typer.Argument(metavar="ENTRY", help="Its UUID, such as Practitioner/A1, or its FHIR id if only one has that."),
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="WHO", help="Who is recorded as having done it.  [default: who is logged in]"),
]


@app.command("load")
def load(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A FHIR Bundle, or - for standard input.")],
    *,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Take over a FHIR R4 Bundle in JSON, all of it or nothing.

    Makes the data directory where there is none. What is there already and the same gets no new version, so a Bundle
    may be loaded again.

    Example:
      carethread directory load people.json
    """
    who = who_records(by)
    bundle = _read(source)
    with library.opened(data, may_make=True) as service, shown("Loading") as progress:
        loaded = service.directory.load(bundle, by=who, progress=progress)
    if as_json:
        output.answer(LoadedDocument(loaded.made, loaded.changed, loaded.unchanged, loaded.not_kept))
        return
    output.say(f"Made {loaded.made:,}, changed {loaded.changed:,}, left as they are {loaded.unchanged:,}.")
    if loaded.not_kept:
        output.say(f"Not kept: {', '.join(loaded.not_kept)}.")


@app.command("show")
def show(
    entry: ReferenceArgument,
    *,
    then: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="As it stood then, such as 2026-01-11T14:36:15.234Z."),
    ] = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show an entry: what it says, what the person is a member of, or who the members of the group are.

    Examples:
      carethread directory show Practitioner/A1
      carethread directory show Organization/Pharmacy-A --at 2026-01-11T14:36:15.234Z
    """
    with library.opened(data) as service:
        found = service.directory.details(entry, None if then is None else parse_instant(then, "at"))
    if as_json:
        output.answer(details_document(found))
    else:
        show_details(found)


@app.command("search")
def search(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="How words of the name begin. Without any, everybody.")
    ] = None,
    *,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help=f"One of {_KINDS}.")] = None,
    active: Annotated[bool, typer.Option("--active", help="Leave out what is inactive.")] = False,
    after: Annotated[str | None, typer.Option("--after", metavar="ENTRY", help="Begin after this one.")] = None,
    count: Annotated[int, typer.Option("--count", metavar="NUMBER", help="How many at most.")] = 50,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Find people, organisations and teams by how words of their names begin, whatever the case and accents.

    Examples:
      carethread directory search whit el
      carethread directory search --kind CareTeam --active
    """
    wanted = None if kind is None else read_word(EntryKind, kind, "kind")
    with library.opened(data) as service:
        directory = service.directory
        begin = None if after is None else directory.find(after).id
        found = directory.search(" ".join(words or ()), kind=wanted, after=begin, count=count, active_only=active)
    if as_json:
        output.answer(EntriesDocument(tuple(EntryDocument.of(each) for each in found)))
    elif found:
        output.table(("NAME", "ENTRY", "STATE", "ID"), entry_rows(found))
        if len(found) == count:
            output.say(f"There may be more: --after {found[-1].id}")
    else:
        output.say("Nobody found: `carethread directory load` fills the directory.")


@app.command("export")
def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")],
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write all entries, as they stand, as a FHIR Bundle. Loaded elsewhere, they have the same ids there.

    Example:
      carethread directory export people.json
    """
    with library.opened(data) as service:
        bundle = service.directory.export()
    _write(target, bundle)
    if as_json:
        output.answer(ExportedDocument(str(target), len(bundle)))
    else:
        output.say(f"Wrote the directory to {target}")


@app.command("history")
def history(entry: ReferenceArgument, *, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """List the versions of an entry, oldest first: since when it stood like this, and who recorded that.

    Example:
      carethread directory history Practitioner/A1
    """
    with library.opened(data) as service:
        found = service.directory.history(entry)
    if as_json:
        output.answer(
            VersionsDocument(
                tuple(
                    VersionDocument(
                        each.number, format_instant(each.recorded_at), each.recorded_by, EntryDocument.of(each.entry)
                    )
                    for each in found
                )
            )
        )
        return
    output.table(
        ("VERSION", "RECORDED", "BY", "NAME", "ENTRY", "STATE", "ID"),
        (
            (str(each.number), at(each.recorded_at), each.recorded_by, *row)
            for each, row in zip(found, entry_rows([each.entry for each in found]), strict=True)
        ),
    )


@app.command("appoint")
def appoint(
    entry: ReferenceArgument,
    duty: Annotated[str, typer.Argument(metavar="DUTY", help=f"One of {_DUTIES}.")],
    *,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Appoint a practitioner as an auditor, who reads everything for a stated purpose, or as a steward.

    Example:
      carethread directory appoint Practitioner/A1 auditor
    """
    _appointed(entry, duty, by, data, as_json, begins=True)


@app.command("dismiss")
def dismiss(
    entry: ReferenceArgument,
    duty: Annotated[str, typer.Argument(metavar="DUTY", help=f"One of {_DUTIES}.")],
    *,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """End the appointment of an auditor or steward.

    Example:
      carethread directory dismiss Practitioner/A1 auditor
    """
    _appointed(entry, duty, by, data, as_json, begins=False)


def _appointed(entry: str, duty: str, by: str | None, data: str | None, as_json: bool, *, begins: bool) -> None:
    wanted = read_word(Duty, duty, "duty")
    who = who_records(by)
    with library.opened(data) as service:
        directory = service.directory
        change = directory.appoint if begins else directory.dismiss
        changed = change(entry, wanted, by=who)
        person = directory.find(entry)
    if as_json:
        output.answer(AppointedDocument(person.id, wanted.value, changed))
        return
    now = "appointed as" if begins else "no longer"
    output.say(f"{person.id} is {now} {wanted.value}" + ("." if changed else ", as before."))


def who_records(said: str | None) -> str:
    """Return who is recorded: who was said, or whoever is logged in."""
    if said is None:
        try:
            said = getpass.getuser()
        except (KeyError, OSError):
            said = f"uid {os.getuid()}"
    return check_name(said, "by")


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InvalidValueError("file", f"cannot read {source}: {error.strerror}") from error


def _write(target: Path, content: bytes) -> None:
    """Write a file that only its owner can read: it names patients."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor, so that the mode is right from the start
            file.write(content)
    except FileExistsError as error:
        raise InvalidValueError("file", f"there is a file {target} already") from error
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror}") from error
