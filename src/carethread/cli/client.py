"""`carethread client`: the programs that may ask, and what each may do."""

from collections.abc import Iterable
from typing import Annotated

import typer

from carethread import CoordinationService
from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.directory import ByOption, who_records
from carethread.cli.documents import (
    ChangedClientDocument,
    ClientDocument,
    ClientsDocument,
    ClientVersionDocument,
    ClientVersionsDocument,
    EntryDocument,
)
from carethread.cli.views import at
from carethread.clock import format_instant
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.clients import RegisteredClient
from carethread.reads import ClientChange

app = new_noun("Say which programs may ask, for whom, and what of the directory they write.")

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="What it is called in tokens.")]
SpeaksForOption = Annotated[
    list[str] | None,
    typer.Option(
        "--speaks-for",
        metavar="ORGANISATION",
        help="Whose members it asks for, and for itself as one who is not clinical. All of them; repeatable.",
    ),
]
ManagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--manages", metavar="ORGANISATION", help="Whose entries of the directory it writes. All of them; repeatable."
    ),
]


@app.command("add")
def add(
    client: ClientArgument,
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What people call it.")],
    speaks_for: SpeaksForOption = None,
    manages: ManagesOption = None,
    manages_all: Annotated[bool, typer.Option("--manages-all", help="It writes the whole directory.")] = False,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="UUID", help="Its id in records.  [default: a new one]")
    ] = None,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Make a program known. It may do what is said here, and nothing else.

    Examples:
      carethread client add pharmacy-ehr --name "Pharmacy system" --speaks-for Organization/Pharmacy-A
      carethread client add region-directory --name "Regional directory" --manages-all
    """
    change = ClientChange(name, tuple(speaks_for or ()), tuple(manages or ()), manages_all)
    participant = None if identifier is None else parse_participant_id(identifier.lower(), "id")
    who = who_records(by)
    with library.opened(data) as service:
        made = service.clients.add(client, change, by=who, participant=participant)
        found = _document(service, made)
    if as_json:
        output.answer(ChangedClientDocument(found, changed=True))
    else:
        output.say(f"{client} may ask. In records it is {made.id}.")


@app.command("list")
def list_clients(*, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """List the programs that are known, those that may ask no more too.

    Example:
      carethread client list
    """
    with library.opened(data) as service:
        found = [_document(service, each) for each in service.clients.all()]
    if as_json:
        output.answer(ClientsDocument(tuple(found)))
    elif found:
        output.table(("CLIENT", "NAME", "STATE", "SPEAKS FOR", "MANAGES", "ID"), (_row(each) for each in found))
    else:
        output.say("No program may ask: `carethread client add` makes one known.")


@app.command("change")
def change(
    client: ClientArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What people call it.")] = None,
    speaks_for: SpeaksForOption = None,
    speaks_for_nobody: Annotated[bool, typer.Option("--speaks-for-nobody", help="It speaks for none.")] = False,
    manages: ManagesOption = None,
    manages_nothing: Annotated[
        bool, typer.Option("--manages-nothing", help="It writes nothing of the directory.")
    ] = False,
    manages_all: Annotated[
        bool | None, typer.Option("--manages-all/--not-all", help="It writes the whole directory, or not any more.")
    ] = None,
    active: Annotated[bool, typer.Option("--active", help="It may ask again.")] = False,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Change what a program is called or may do. What is left out stays; what is named replaces all of its kind.

    Examples:
      carethread client change pharmacy-ehr --speaks-for Organization/Pharmacy-A --speaks-for Organization/Pharmacy-B
      carethread client change region-directory --manages-nothing
    """
    if (speaks_for and speaks_for_nobody) or ((manages or manages_all) and manages_nothing):
        raise InvalidValueError("client", "says two different things of what it may do")
    wanted = ClientChange(
        name,
        () if speaks_for_nobody else tuple(speaks_for) if speaks_for else None,
        () if manages_nothing else tuple(manages) if manages else None,
        False if manages_nothing else manages_all,
        True if active else None,
    )
    _change(client, wanted, by, data, as_json)


@app.command("revoke")
def revoke(
    client: ClientArgument,
    *,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Have a program ask no more, from its next request on, whatever tokens it has.

    Example:
      carethread client revoke pharmacy-ehr
    """
    _change(client, ClientChange(active=False), by, data, as_json)


@app.command("history")
def history(client: ClientArgument, *, data: options.DataOption = None, as_json: options.JsonOption = False) -> None:
    """List the versions of a program: since when it might do what, and who recorded that. Oldest first.

    Example:
      carethread client history pharmacy-ehr
    """
    with library.opened(data) as service:
        found = [(each, _document(service, each.client)) for each in service.clients.history(client)]
    if as_json:
        output.answer(
            ClientVersionsDocument(
                tuple(
                    ClientVersionDocument(
                        version.number, format_instant(version.recorded_at), version.recorded_by, document
                    )
                    for version, document in found
                )
            )
        )
        return
    output.table(
        ("VERSION", "RECORDED", "BY", "CLIENT", "NAME", "STATE", "SPEAKS FOR", "MANAGES", "ID"),
        (
            (str(version.number), at(version.recorded_at), version.recorded_by, *_row(document))
            for version, document in found
        ),
    )


def _change(client: str, wanted: ClientChange, by: str | None, data: str | None, as_json: bool) -> None:
    who = who_records(by)
    with library.opened(data) as service:
        after, changed = service.clients.change(client, wanted, by=who)
        found = _document(service, after)
    if as_json:
        output.answer(ChangedClientDocument(found, changed))
        return
    now = "may ask" if after.active else "asks no more"
    output.say(f"{client} {now}" + ("." if changed else ", as before."))


def _document(service: CoordinationService, client: RegisteredClient) -> ClientDocument:
    def entries(ids: Iterable[ParticipantId]) -> tuple[EntryDocument, ...]:
        return tuple(EntryDocument.of(service.directory.find(each)) for each in ids)

    return ClientDocument(
        client.client_id,
        client.id,
        client.name,
        entries(client.speaks_for),
        entries(client.manages),
        client.manages_all,
        client.active,
    )


def _row(client: ClientDocument) -> tuple[str, ...]:
    managed = "everything" if client.manages_all else _named(client.manages)
    state = "active" if client.active else "inactive"
    return client.client_id, client.name, state, _named(client.speaks_for), managed, client.id


def _named(entries: Iterable[EntryDocument]) -> str:
    return ", ".join(each.reference.partition("/")[2] for each in entries)
