"""`carethread demo`: an invented region to try Carethread in, served on this machine alone."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from carethread import CoordinationService
from carethread.cli import demo_text, options, output
from carethread.cli.application import new_noun
from carethread.cli.demo_documents import NamedDocument, RegionDocument
from carethread.cli.documents import ServingDocument
from carethread.cli.progress import shown
from carethread.clock import system_clock
from carethread.demonstration import Region, cast, kept, make
from carethread.errors import ConfigurationError
from carethread.settings import Settings

# What every installation says in words of its own.
_NOT_FOR_EMERGENCIES = (
    "Not for emergencies: call 999, or 111 for urgent advice. Messages are read on working days from 8:00 to 18:00."
)

app = new_noun("Make an invented region, and serve it on this machine.")


@app.command("demo")
def demo(
    *,
    text: Annotated[
        bool, typer.Option("--text", help="Replay two conversations and show what becomes of them; serve nothing.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIRECTORY", help="Where to keep it; a region that is there goes on."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Where to listen, on this machine.  [default: 127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="NUMBER", help="Likewise; 0: any.  [default: 8080]")
    ] = None,
    no_server: Annotated[bool, typer.Option("--no-server", help="Only make it, with --keep.")] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Make an invented region, and serve it on this machine until it is told to stop.

    Organisations, professionals, patients and carers, and forty threads of the last months. Without --keep it is made
    anew each time, and removed in the end. Whoever runs this may act as anybody in it, so it is served to nobody else.

    With --text, two conversations are recorded, shown as they lie on disk, and verified; then a copy is tampered with.

    Examples:
      carethread demo
      carethread demo --keep ./demo --port 9000
      carethread demo --text
    """
    if text:
        if host is not None or port is not None or no_server:
            raise ConfigurationError("--text serves nothing: leave out --host, --port and --no-server")
        demo_text.replay(keep, as_json=as_json)
    elif not no_server:
        _serve(keep, host, port, as_json=as_json)
    elif keep is None:
        raise ConfigurationError("--no-server makes a region and leaves it: say where, with --keep DIRECTORY")
    else:
        _tell(_found_or_made(keep), None, None, as_json=as_json)


class _Place(Struct, frozen=True):
    """A data directory with the region; whether that was made just now, and whether it stays in the end."""

    directory: Path
    region: Region
    made: bool
    stays: bool = True


def _found_or_made(directory: Path) -> _Place:
    region = kept(directory)
    if region is not None:
        return _Place(directory, region, made=False)
    with shown("Making the region") as progress:
        return _Place(directory, make(directory, system_clock(), progress), made=True)


@contextmanager
def _place(keep: Path | None) -> Iterator[_Place]:
    if keep is not None:
        yield _found_or_made(keep)
        return
    with tempfile.TemporaryDirectory(prefix="carethread-demo-") as made:
        yield replace(_found_or_made(Path(made) / "region"), stays=False)


def _serve(keep: Path | None, host: str | None, port: int | None, *, as_json: bool) -> None:
    from carethread.cli import serving  # noqa: PLC0415 - slow to load, and nothing else needs it

    chosen = host or serving.DEFAULT_HOST
    if not serving.is_local(chosen):
        raise ConfigurationError(
            f"{chosen} is reached by others, who could act as anybody: a demonstration listens on 127.0.0.1, ::1 or "
            "localhost; others are served by `carethread serve`"
        )
    listening = serving.bind(chosen, serving.checked_port(port))
    bound = listening.getsockname()[1]
    base = serving.local_base(chosen, bound)
    pages = serving.pages_are_built()
    with listening, _place(keep) as place, CoordinationService.open(place.directory) as service:
        # Nothing of the environment: what is set there is meant for another installation.
        settings = Settings(data=place.directory, not_for_emergencies=_NOT_FOR_EMERGENCIES)
        ids = place.region.people
        people = [
            (heading, [serving.Somebody(ids[each.short], each.name, each.about) for each in parts if each.short in ids])
            for heading, parts in cast()
        ]

        def announce() -> None:
            address = base.removesuffix("fhir") if pages else None
            _tell(place, address, ServingDocument(base, chosen, bound), as_json=as_json)

        serve = serving.Serve.of(settings, base)
        serving.run_until_told(service, settings, serve, listening, announce, people if pages else None)


# ── What is said ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell(place: _Place, pages: str | None, served: ServingDocument | None, *, as_json: bool) -> None:
    region, directory = place.region, place.directory
    if as_json:
        people, groups, threads = (_named(each) for each in (region.people, region.groups, region.threads))
        output.answer(RegionDocument(str(directory), place.made, people, groups, threads, pages, served))
        return
    if place.made:
        output.say(f"Made an invented region: {len(region.threads)} threads, {len(region.people)} people.")
    else:
        output.say("The region that was kept goes on.")
    output.say(f"It is in {directory}. To look around in it on the command line:")
    output.say(
        f"  carethread inbox --as anna --of pharmacy --data {directory}",
        f"  carethread search methotrexaat --as daan --data {directory}",
    )
    if served is not None:
        output.say(
            f'  carethread token --as Practitioner/anna --scope "user/*.rs" --data {directory}',
            "",
            f"Open {pages} in a browser, and be whoever you like."
            if pages
            else "There are no pages for a browser: `make assets` builds what they load, with npm.",
            f"FHIR: {served.base_url}. All of it is for this machine alone.",
            "Ctrl-C stops it." if place.stays else "Ctrl-C stops it, and removes the region.",
        )


def _named(ids: Mapping[str, str]) -> tuple[NamedDocument, ...]:
    return tuple(NamedDocument(name, each) for name, each in ids.items())
