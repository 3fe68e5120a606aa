"""`carethread flush`: repositories brought up to date."""

from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import OperationDocument
from carethread.cli.progress import shown
from carethread.cli.verify import counted

app = new_noun("Write to the repositories what waits.")


@app.command("flush")
def flush(*, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """Write to the repositories what is acknowledged and still waits.

    What is acknowledged is durable without this. Commands that read a repository do it by themselves.

    Example:
      carethread flush
    """
    with library.opened(data) as service:
        with shown("Flushing") as progress:
            service.flush(progress)
        records = sum(1 for _ in service.records())
    if as_json:
        output.answer(OperationDocument(records, None))
    else:
        output.say(f"Up to date: {counted(records, 'record')}.")
