"""`carethread log`: a record's history."""

from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.documents import CommitDocument, HistoryDocument
from carethread.cli.naming import find_record

app = new_noun("Show a record's history.")


@app.command("log")
def show(
    record: options.RecordArgument, *, data: options.DataOption = None, as_json: options.JsonOption = False
) -> None:
    """Show a record's history: who did what, when and where, newest first.

    Stock Git shows the same:
      git -C REPOSITORY log
    where `carethread record show RECORD` says which REPOSITORY. With --json, the oldest comes first.

    Example:
      carethread log 7f4c
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        commits = tuple(found.history())
        library.show_operator(service, found, "log")
        if as_json:
            documents = tuple(CommitDocument.of(each) for each in commits)
            output.answer(HistoryDocument(found.coordination_id, documents))
            return
        output.table(
            ("COMMIT", "AT", "AUTHOR", "WHAT", "WHERE"),
            (
                (each.commit[:12], views.at(each.at), each.author_name, each.summary, each.care_location)
                for each in reversed(commits)
            ),
        )
