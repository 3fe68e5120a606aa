"""`carethread restore`: a data directory from a backup."""

from pathlib import Path
from typing import Annotated

import typer

from carethread import CoordinationService
from carethread.cli import exit_codes, library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import OperationDocument
from carethread.cli.progress import shown
from carethread.cli.verify import check, counted, line
from carethread.errors import InvalidValueError

app = new_noun("Make a data directory from a backup.")


@app.command("restore")
def restore(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What `carethread backup` wrote.")],
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Make a new data directory from a backup, rebuild its index, and verify all of it.

    Once it is in use, the installation that the backup was taken from must write no more: both would be the one
    that writes the records.

    Example:
      carethread restore carethread-2026-01-11.tar --data ./restored
    """
    settings = library.read_settings(data)
    directory = settings.data_directory()
    if not source.is_file():
        raise InvalidValueError("source", f"there is no file {source}")
    with shown("Restoring") as progress:
        service = CoordinationService.restore(source, directory, database_url=settings.database_url, progress=progress)
    with service:
        wanted = [each.coordination_id for each in service.records()]
        with shown("Verifying") as progress:
            findings = list(check(service, wanted, settings, progress))
    if as_json:
        output.answer(OperationDocument(len(wanted), str(directory)))
    else:
        for each in findings:
            output.say(line(each))
        found = f"{counted(len(findings), 'finding')}; `carethread verify` shows them" if findings else "nothing found"
        output.say(f"Restored {counted(len(wanted), 'record')} to {directory} and verified them: {found}.")
    if findings:
        raise typer.Exit(exit_codes.INTEGRITY)
