"""The command itself: help, versions, usage, exit codes, and what must never be shown."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carethread import CoordinationService, errors
from carethread.cli import exit_codes
from tests.cli.conftest import CommandLine, Conversation

SUBCLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]


def test_nothing_shows_the_help_and_is_wrong_usage(cli: CommandLine) -> None:
    for arguments in ((), ("thread",)):
        result = cli.run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Usage: carethread")


def test_help_and_version_are_no_failure(cli: CommandLine) -> None:
    assert cli.text("--help").startswith("Usage: carethread [OPTIONS] COMMAND")
    assert cli.text("thread", "new", "--help").startswith("Usage: carethread thread new")
    assert cli.text("--version") == f"carethread {version('carethread')}\n"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("threat", "list"), "Did you mean 'thread'"),
        (("thread", "lst"), "Did you mean 'list'"),
        (("--wrong",), "No such option"),
        (("record", "list", "--wrong"), "No such option"),
        (("record", "show"), "Missing argument 'RECORD'"),
        (("record", "show", "one", "two"), "unexpected extra argument"),
    ],
)
def test_wrong_usage_says_what_and_where_help_is(cli: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    told = cli.fault(2, *arguments)
    assert said in told
    assert "--help` says how" in told


@pytest.mark.parametrize("kind", SUBCLASSES, ids=lambda kind: str(kind.code))
def test_every_error_has_its_exit_code(kind: Any) -> None:
    wanted = {
        errors.InvalidValueError: 2,
        errors.ConfigurationError: 2,
        errors.NotFoundError: 3,
        errors.RuleError: 4,
        errors.PolicyError: 4,
        errors.DuplicateIdentifierError: 5,
        errors.DirectoryError: 2,
        errors.ConflictError: 5,
        errors.IntegrityError: 6,
        errors.FormatError: 6,
    }
    code = next((code for base, code in wanted.items() if issubclass(kind, base)), 7)
    error = kind.__new__(kind)
    assert exit_codes.exit_code(error) == code
    assert code in exit_codes.MEANINGS
    assert exit_codes.remedy(error) is None or "`" in f"{exit_codes.remedy(error)}`"


def test_errors_hold_no_clinical_text(cli: CommandLine, conversation: Conversation) -> None:
    cli.text("thread", "close", conversation.record, conversation.thread)
    for body in ("Secret diagnosis", "Secret\u202e diagnosis"):
        for arguments in (
            ("add", conversation.record, conversation.thread),
            ("correct", conversation.record, conversation.answer),
        ):
            result = cli.run("message", *arguments, "-", stdin=body)
            assert result.exit_code in (2, 4)
            assert "Secret" not in result.output


def test_an_interruption_is_one_line(cli: CommandLine, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: CoordinationService) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CoordinationService, "records", interrupt)
    result = cli.run("record", "list")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "carethread: interrupted; what was acknowledged is recorded\n"


def test_a_bug_is_not_hidden(cli: CommandLine, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: CoordinationService) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(CoordinationService, "records", fail)
    with pytest.raises(ZeroDivisionError):
        cli.run("record", "list")


def process(cli: CommandLine, *arguments: str) -> list[str]:
    return [sys.executable, "-c", "from carethread.cli import main; main()", *arguments, "--data", str(cli.data)]


def test_a_reader_that_goes_away_is_no_traceback(cli: CommandLine, conversation: Conversation) -> None:
    long = "line\n" * 19_000
    cli.text("message", "add", conversation.record, conversation.thread, "-", stdin=long)
    arguments = process(cli, "thread", "show", conversation.record, conversation.thread)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


def test_names_of_files_may_be_no_text(cli: CommandLine, conversation: Conversation, tmp_path: Path) -> None:
    absent = bytes(tmp_path) + b"/\xff.pdf"
    add = process(cli, "message", "add", conversation.record, conversation.thread, "--author-id", "x")
    rest = ["--author-name", "x", "--care-location", "x", "--json", "--attach", os.fsdecode(absent)]
    told = subprocess.run([*add, *rest], capture_output=True, check=False)
    assert told.returncode == 2
    assert msgspec.json.decode(told.stderr)["error"]["exit_code"] == 2
