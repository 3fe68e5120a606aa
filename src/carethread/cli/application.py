"""The command `carethread`: its nouns and verbs, and the one place where errors become exit codes.

A noun's module is loaded when it is used, so that `carethread --help` need not wait for the library.
"""

import inspect
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from carethread.cli import exit_codes
from carethread.errors import CarethreadError

PROGRAM = "carethread"

# Name, what it does in a line, and the module with its `app`. In the order in which help lists them.
COMMANDS = (
    ("demo", "Make an invented region, and serve it on this machine.", "demo"),
    ("record", "Begin, list and show the coordination records of patients.", "record"),
    ("thread", "Open, list, show and close conversations.", "thread"),
    ("message", "Add, correct and show messages.", "message"),
    ("ledger", "Show and change who takes part in a thread, under which rules.", "ledger"),
    ("directory", "Load and show people, organisations and teams; appoint auditors and stewards.", "directory"),
    ("client", "Say which programs may ask, for whom, and what of the directory they write.", "client"),
    ("token", "Make bearer tokens for the FHIR interface, and the key that signs them.", "token"),
    ("serve", "Serve the FHIR interface over HTTP.", "serve"),
    ("inbox", "Show the threads a person has, and what waits on them.", "inbox"),
    ("search", "Find messages a person may read, by their words.", "search"),
    ("access-log", "Show auditors who was served what, when and why.", "access_log"),
    ("log", "Show a record's history, as `git log` would.", "log"),
    ("verify", "Check records independently of what wrote them.", "verify"),
    ("flush", "Write to the repositories what is acknowledged and still waits.", "flush"),
    ("rebuild", "Make the database's index anew from the repositories.", "rebuild"),
    ("backup", "Copy everything to another place, while in use.", "backup"),
    ("restore", "Make a data directory from a backup.", "restore"),
)

_DESCRIPTION = """
Clinical conversations as a record: immutable, in Git, one repository per patient.

Start here:
  carethread demo
  carethread record init --help

RECORD, THREAD, MESSAGE and PARTICIPANT are ids, or the first four or more characters of one if that says which. A
thread may be named by the part of its id after the time, and a participant by name.

What most commands take can be set once in the environment:
  CARETHREAD_DATA            the data directory
  CARETHREAD_AS              the person of the directory who acts, as --as says it
  CARETHREAD_AUTHOR_ID, CARETHREAD_AUTHOR_NAME, CARETHREAD_AUTHOR_ROLE
                             who acts, without --as: trusted, and not checked
  CARETHREAD_CARE_LOCATION   where

Exit codes: 0 done, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 integrity, 7 storage. With --json, errors are
JSON too, on standard error.
"""


class Noun(TyperGroup):
    """A command with commands of its own. Called with nothing, it shows its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help, and exit as after wrong usage, if nothing follows."""
        if not args and not ctx.resilient_parsing:
            print(ctx.get_help(), file=sys.stderr)
            raise typer.Exit(exit_codes.USAGE)
        return super().parse_args(ctx, args)


class Root(Noun):
    """The command itself. What it is made with only lists the nouns; their modules are loaded here."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the noun, and load it."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest

    def main(self, args: Sequence[str] | None = None, *_positional: Any, **_named: Any) -> NoReturn:
        """Run the command line and exit the process; nothing it does is shown as a traceback but a bug."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # Records are UTF-8 whatever the terminal thinks; names of files are shown as the bytes they are.
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")
        arguments = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in arguments
        try:
            code = super().main(arguments, PROGRAM, standalone_mode=False)
            sys.stdout.flush()
        except typer.TyperException as error:
            _report(as_json, "usage", error.format_message(), _usage_remedy(error), exit_codes.USAGE)
            code = exit_codes.USAGE
        sys.exit(code if isinstance(code, int) else exit_codes.DONE)

    def invoke(self, ctx: Any) -> Any:
        """Run a command, and turn what goes wrong into one line and an exit code."""
        as_json = "--json" in ctx.args
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except CarethreadError as error:
            code = exit_codes.exit_code(error)
            _report(as_json, error.code, str(error), exit_codes.remedy(error), code)
            raise typer.Exit(code) from error
        except BrokenPipeError as error:
            # What Python still holds for the pipe must not fail again when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(exit_codes.PIPE_CLOSED) from error
        except KeyboardInterrupt as error:
            print("carethread: interrupted; what was acknowledged is recorded", file=sys.stderr)
            raise typer.Exit(exit_codes.INTERRUPTED) from error
        return result


def load(name: str) -> Any:
    """Return the command of this name, ready to run."""
    module = next(module for known, _, module in COMMANDS if known == name)
    command: Any = typer.main.get_command(import_module(f"carethread.cli.{module}").app)
    command.name = name
    for each in (command, *getattr(command, "commands", {}).values()):
        each.help = _as_typed(each.help or "")
    return command


def _as_typed(text: str) -> str:
    """Mark the paragraphs that must not be wrapped: those with indented lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(f"\b\n{each}" if "\n  " in each else each for each in paragraphs)


def new_noun(description: str) -> typer.Typer:
    """Return an empty noun, or a command without verbs, for its module to fill."""
    return typer.Typer(cls=Noun, help=description, add_completion=False, rich_markup_mode=None)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and seldom asked for

        print(f"{PROGRAM} {version('carethread')}")
        raise typer.Exit


def _new_application() -> typer.Typer:
    application = typer.Typer(
        name=PROGRAM,
        cls=Root,
        help=_as_typed(_DESCRIPTION),
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 100},
    )
    for name, description, _ in COMMANDS:
        application.add_typer(typer.Typer(), name=name, help=description)

    @application.callback()
    def options(
        _version: Annotated[
            bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
        ] = False,
    ) -> None:
        """Take the options before the noun."""

    return application


application = _new_application()


def _usage_remedy(error: typer.TyperException) -> str | None:
    context = getattr(error, "ctx", None)
    return None if context is None else f"`{context.command_path} --help` says how"


def _report(as_json: bool, code: str, message: str, to_do: str | None, exit_with: int) -> None:
    if as_json:
        import msgspec  # noqa: PLC0415 - not for the help

        # A file's name may be no text.
        text = message.encode("utf-8", "replace").decode()
        told: dict[str, object] = {"code": code, "message": text, "remedy": to_do, "exit_code": exit_with}
        print(msgspec.json.encode({"error": told}).decode(), file=sys.stderr)
        return
    line = " ".join(message.split())
    print(f"carethread: {line}" + (f" ({to_do})" if to_do else ""), file=sys.stderr)
