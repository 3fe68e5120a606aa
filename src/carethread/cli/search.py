"""`carethread search`: messages a person may read, by their words."""

from typing import Annotated

import typer

from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.content import read_time
from carethread.cli.inbox import AfterOption, CountOption, one_line, say_more
from carethread.cli.people import ANYBODY, PEOPLE, find_entry
from carethread.cli.people_documents import HitDocument, SearchDocument
from carethread.cli.person import AsPersonOption, AuditorOption, PurposeOption, caller_of
from carethread.directory.model import Patient
from carethread.reads import Looking, search

SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="From then on: 2026-01-11, or 2026-01-11T14:36:15Z; UTC.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then, likewise.")]

app = new_noun("Find messages by their words.")


@app.command("search")
def find(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="Words that all occur in the message.")
    ] = None,
    *,
    as_person: AsPersonOption,
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="PATIENT", help="In threads about this patient.")
    ] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", metavar="PARTICIPANT", help="In which this organisation, team or person is."),
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="PERSON", help="Written by them.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    count: CountOption = 50,
    after: AfterOption = "",
    auditor: AuditorOption = False,
    purpose: PurposeOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Find messages you may read, newest first, those in archived threads too.

    A word that ends with * stands for all that begin so; words in double quotes must follow each other. What was
    looked for is logged with what was found.

    Examples:
      carethread search potassium --as B1 --patient P1
      carethread search "medic*" --as A1 --organisation Clinic-B --since 2026-01-01
    """
    with library.opened(data) as service:
        caller = caller_of(service, as_person, auditor=auditor, purpose=purpose)
        looking = Looking(
            words=" ".join(words or ()),
            patient=None if patient is None else find_entry(service, patient, (Patient,), "patient").id,
            organisation=None
            if organisation is None
            else find_entry(service, organisation, ANYBODY, "organisation").id,
            author=None if author is None else find_entry(service, author, PEOPLE, "author").id,
            since=None if since is None else read_time(since, "since"),
            until=None if until is None else read_time(until, "until"),
        )
        found = search(service, caller, looking, after=after, count=count)
        if as_json:
            output.answer(SearchDocument(tuple(HitDocument.of(each) for each in found.hits), found.after or None))
            return
        if not found.hits:
            output.say("Nothing more." if after else "Nothing found.")
            return
        output.fitted(
            ("THREAD", "MESSAGE", "AT", "TEXT"),
            (
                (each.thread, each.message.id, views.at(each.message.timestamp), one_line(each.message))
                for each in found.hits
            ),
            (3,),
        )
        say_more(found.after)
