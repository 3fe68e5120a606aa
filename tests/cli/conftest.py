"""The command line, run in this process, and a record to run it on."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from typer.testing import CliRunner, Result

from carethread import CoordinationService
from carethread.access_log import AccessEntry
from carethread.cli.application import application
from carethread.cli.reference import ANSWERS
from carethread.directory.model import Duty
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import Filter, access_log
from tests.region import Region

CLINICAL_ID = "a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12"
JANE = "4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"
TOM = "a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3"
JOHN = "9b7c6d5e-4f3a-2b1c-0e8d-7f6a5b4c3d2e"
AS_TOM = ("--author-id", TOM, "--author-name", "Dr Tom Patel")
AS_JOHN = ("--author-id", JOHN, "--author-name", "John Doe", "--author-role", "patient")
WITH_BOTH = ("--participant", f"clinician:{TOM}:Dr Tom Patel", "--participant", f"patient:{JOHN}:John Doe")


class CommandLine:
    """Runs `carethread` with a data directory and an author in the environment."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment: dict[str, str | None] = {
            "CARETHREAD_DATA": str(data),
            "CARETHREAD_AUTHOR_ID": JANE,
            "CARETHREAD_AUTHOR_NAME": "Dr Jane Smith",
            "CARETHREAD_CARE_LOCATION": "Oxford University Hospitals",
        }

    def run(self, *arguments: str, stdin: str | bytes | None = None, **environment: str | None) -> Result:
        result = CliRunner().invoke(application, list(arguments), input=stdin, env={**self.environment, **environment})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def text(self, *arguments: str, stdin: str | bytes | None = None, **environment: str | None) -> str:
        """Run a command that must succeed; return what it says to people."""
        result = self.run(*arguments, stdin=stdin, **environment)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def document(self, *arguments: str, code: int = 0, stdin: str | bytes | None = None) -> Any:
        """Run a command with `--json`; return its document, which must have exactly the documented keys."""
        result = self.run(*arguments, "--json", stdin=stdin)
        assert (result.exit_code, result.stderr) == (code, "")
        kind = next(kind for name, kind in ANSWERS.items() if name.split() == list(arguments[: len(name.split())]))
        document = msgspec.json.decode(result.stdout, type=kind, strict=True)
        assert result.stdout == msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
        return document

    def fault(self, code: int, *arguments: str, stdin: str | bytes | None = None, **environment: str | None) -> str:
        """Run a command that must fail with this exit code; return its one line, the same as it says with `--json`."""
        result = self.run(*arguments, stdin=stdin, **environment)
        assert (result.exit_code, result.stdout) == (code, "")
        assert result.stderr.startswith("carethread: ")
        assert result.stderr.count("\n") == 1
        told = self.run(*arguments, "--json", stdin=stdin, **environment)
        error = msgspec.json.decode(told.stderr)["error"]
        assert (told.exit_code, told.stdout, error["exit_code"]) == (code, "", code)
        assert set(error) == {"code", "message", "remedy", "exit_code"}
        message = " ".join(error["message"].split())
        assert result.stderr == f"carethread: {message}" + (f" ({error['remedy']})\n" if error["remedy"] else "\n")
        return result.stderr


class Conversation(Struct):
    """What the fixture of the same name has recorded."""

    record: str
    thread: str
    question: str
    answer: str


@pytest.fixture(autouse=True)
def _only_what_tests_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("CARETHREAD_") or name in ("EDITOR", "VISUAL"):
            monkeypatch.delenv(name)


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "data")


# Making a database takes longer than copying one.
@pytest.fixture(scope="session")
def _record_made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    cli = CommandLine(tmp_path_factory.mktemp("record") / "data")
    return cli.data, cli.document("record", "init", CLINICAL_ID).coordination_id


@pytest.fixture(scope="session")
def _conversation_made(
    tmp_path_factory: pytest.TempPathFactory, _record_made: tuple[Path, str]
) -> tuple[Path, Conversation]:
    made, record = _record_made
    cli = CommandLine(tmp_path_factory.mktemp("conversation") / "data")
    shutil.copytree(made, cli.data)
    opened = cli.document("thread", "new", record, *WITH_BOTH, "--body", "Please review chest X-ray.")
    thread = opened.communication_id
    answered = cli.document("message", "add", record, thread, "--body", "No acute changes.", *AS_TOM)
    return cli.data, Conversation(record, thread, opened.message_id, answered.message_id)


@pytest.fixture
def record(cli: CommandLine, _record_made: tuple[Path, str]) -> str:
    made, record = _record_made
    shutil.copytree(made, cli.data)
    return record


@pytest.fixture
def conversation(cli: CommandLine, _conversation_made: tuple[Path, Conversation]) -> Conversation:
    made, conversation = _conversation_made
    shutil.copytree(made, cli.data)
    return conversation


class PeopleAtWork(CommandLine):
    """Runs `carethread` where the directory knows the invented region; nobody acts unless a test says so."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.environment = {"CARETHREAD_DATA": str(data)}

    @contextmanager
    def region(self) -> Iterator[Region]:
        """Open the region with the library, to change it or to look into it."""
        with CoordinationService.open(self.data, flushes=False) as service:
            yield Region(service)

    def log(self, **wanted: Any) -> list[AccessEntry]:
        """Return the access log, without the lines that looking is."""
        with self.region() as region:
            caller = Caller(region.id("N1"), ActorKind.AUDITOR, "to test")
            lines = access_log(region.service, caller, Filter(**wanted))
            return [each for each in lines if each.purpose != caller.purpose]

    def ask(self, body: str = "Can you review the medication list?", **more: str) -> Any:
        """Have Anna ask the clinic for the pharmacy about John; return the document."""
        options = {"as": "A1", "patient": "P1", "to": "organisation:Clinic-B", "on-behalf-of": "Pharmacy-A", **more}
        given = [part for name, value in options.items() if value for part in (f"--{name}", value)]
        return self.document("thread", "new", *given, "--body", body)


def short(thread: str) -> str:
    """Return how the UUID of a thread's id begins."""
    return thread[-36:][:8]


# Filling a directory takes longer than copying it.
@pytest.fixture(scope="session")
def _region_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("region") / "data"
    with CoordinationService.open(made, name="Thames Valley Shared Care", flushes=False) as service:
        Region(service).service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    return made


@pytest.fixture
def people(tmp_path: Path, _region_made: Path) -> PeopleAtWork:
    shutil.copytree(_region_made, tmp_path / "data")
    return PeopleAtWork(tmp_path / "data")


def columns(text: str) -> Iterator[Sequence[str]]:
    """Split a plain table into its cells."""
    return ([cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.strip().split("\n"))
