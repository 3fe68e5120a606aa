"""`carethread rebuild`: the index made anew."""

from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import OperationDocument
from carethread.cli.progress import shown
from carethread.cli.verify import counted

app = new_noun("Make the index anew.")


@app.command("rebuild")
def rebuild(*, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """Make the database's index anew from the repositories alone. Every answer is the same afterwards.

    Example:
      carethread rebuild
    """
    with library.opened(data) as service, shown("Rebuilding") as progress:
        records = service.rebuild(progress)
    if as_json:
        output.answer(OperationDocument(records, None))
    else:
        output.say(f"Rebuilt the index of {counted(records, 'record')}.")
