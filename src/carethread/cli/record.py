"""`carethread record`: the coordination records of patients."""

from typing import Annotated

import typer

from carethread import CoordinationRecord, CoordinationStatus
from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.documents import RecordDocument, RecordsDocument
from carethread.cli.naming import find_record

app = new_noun("Begin, list and show the coordination records of patients.")


@app.command("init")
def begin(
    clinical_id: Annotated[
        str, typer.Argument(metavar="CLINICAL_ID", help="The id of the patient's clinical record, a UUID.")
    ],
    *,
    author_id: options.AuthorIdOption,
    author_name: options.AuthorNameOption,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationOption,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Begin the coordination record of a patient.

    Makes the data directory where there is none. A patient has one record: another one for the same clinical record
    is refused.

    Example:
      carethread record init a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12 --data ./carethread-data \
          --author-id 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12 --author-name "Dr Jane Smith" \
          --care-location "Oxford University Hospitals"
    """
    author = library.new_author(author_id, author_name, author_role)
    with library.opened(data, may_make=True) as service:
        record = service.initialise(author, care_location, clinical_id.lower())

        def tell() -> None:
            if as_json:
                output.answer(_document(record, record.status()))
            else:
                output.say(f"Began record {record.coordination_id} in {record.path}")

        library.settle_operator(service, record, author, "record", tell)


@app.command("list")
def list_all(*, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """List all records.

    Examples:
      carethread record list
      carethread record list --json
    """
    with library.opened(data) as service:
        found = tuple(service.records())
        if as_json:
            output.answer(
                RecordsDocument(tuple(_document(service.record(each.coordination_id), each) for each in found))
            )
        elif found:
            output.table(
                ("RECORD", "CLINICAL RECORD", "STATE"),
                ((each.coordination_id, each.clinical_id, each.lifecycle_state.value) for each in found),
            )
        else:
            output.say("No records yet: `carethread record init` begins one.")


@app.command("show")
def show(
    record: options.RecordArgument, *, data: options.DataOption = None, as_json: options.JsonOption = False
) -> None:
    """Show a record: its status, and where its repository is.

    Example:
      carethread record show 7f4c
    """
    with library.opened(data) as service:
        found = find_record(service, record)
        status = found.status()
        if as_json:
            output.answer(_document(found, status))
        else:
            views.show_record(status, str(found.path), len(found.communications()))


def _document(record: CoordinationRecord, status: CoordinationStatus) -> RecordDocument:
    return RecordDocument.of(status, str(record.path))
