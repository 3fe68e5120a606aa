"""The tutorial does what it says: somebody follows it, from an empty folder, with a server that is really started."""

import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, Page
from tests.docs.terminal import Command, Terminal, commands, differences

TUTORIAL = Page(DOCS / "tutorial-fhir.md")
PORT = "8080"


def _free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    port = _free_port()
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "CARETHREAD_PORT": port}
    with Terminal(tmp_path, environment) as terminal:
        for command in commands(TUTORIAL.text):
            answered = terminal.run(command.typed.replace(PORT, port)).replace(port, PORT)
            assert differences(command, answered) is None, differences(command, answered)


def test_no_command_of_the_tutorial_is_passed_over() -> None:
    prompts = [line for line in TUTORIAL.text.split("\n") if line.startswith("$ ")]
    followed = [each for each in commands(TUTORIAL.text) if each.shown is not None]
    assert len(followed) == len(prompts) > 20


@pytest.mark.parametrize(
    ("shown", "answered", "differs"),
    [
        ("a\nb", "a\nb\n", False),
        ("a\nb", "a\n", True),
        ("a", "a\nb\n", True),
        ("b", "a\nb\n", True),
        ("…\nb", "a\nb\n", False),
        ("a\n…", "a\nb\nc\n", False),
        ("a\n…\nc", "a\nb\nc\n", False),
        ("a\n…\nd", "a\nb\nc\n", True),
        ("", "a\n", True),
        ('etag: W/"1"', 'etag: W/"2"', True),
        ("at 2026-01-11T14:36:15.234Z", "at 2027-02-12T15:37:16.345Z", False),
    ],
)
def test_what_is_shown_is_held_against_what_is_answered(shown: str, answered: str, differs: bool) -> None:
    assert (differences(Command("it", shown), answered) is not None) is differs


def test_commands_are_read_as_they_are_typed() -> None:
    text = "```sh\ncat > a <<'END'\n$ no\nEND\nb=1\n```\n\n```console\n$ one \\\n  two\nthree\n$ four\n```\n"
    assert list(commands(text)) == [
        Command("cat > a <<'END'\n$ no\nEND\nb=1", None),
        Command("one \\\n  two", "three"),
        Command("four", ""),
    ]
