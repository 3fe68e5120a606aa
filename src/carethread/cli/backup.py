"""`carethread backup`: everything in one file."""

from pathlib import Path
from typing import Annotated

import typer

from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import OperationDocument
from carethread.cli.progress import shown
from carethread.cli.verify import counted

app = new_noun("Copy everything to a file.")


@app.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write; it must not exist.")],
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write every record to a tar file, while in use.

    It holds at least everything that was acknowledged before it began.

    Example:
      carethread backup carethread-2026-01-11.tar
    """
    with library.opened(data) as service:
        records = sum(1 for _ in service.records())
        with shown("Backing up") as progress:
            service.backup(target, progress)
    if as_json:
        output.answer(OperationDocument(records, str(target)))
    else:
        output.say(f"Backed up {counted(records, 'record')} to {target}")
