"""The reference in `docs/` is what the commands and settings say of themselves."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from carethread.cli import content, reference
from carethread.record.media_types import EXTENSIONS
from tests.cli.conftest import CommandLine

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [(name, command, context) for name, command, context in reference.commands()]


def test_the_reference_of_the_commands_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    reference.main([])
    wanted = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == wanted, "python -m carethread.cli.reference > docs/cli.md"


def test_the_reference_of_the_settings_is_up_to_date() -> None:
    command = (sys.executable, "-m", "carethread.cli.reference", "settings")
    made = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    wanted = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert made == wanted, "python -m carethread.cli.reference settings > docs/settings.md"


def test_every_command_answers_in_json_and_gives_an_example() -> None:
    for name, command, context in COMMANDS:
        if not hasattr(command, "commands"):
            assert name in reference.ANSWERS
            told = command.get_help(context)
            assert re.search(f"Examples?:\n +(echo .*)?carethread {name}", told), name
            assert "--json" in told


def test_examples_use_options_that_exist() -> None:
    for name, command, context in COMMANDS:
        told = command.get_help(context)
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        examples = told.partition("Example")[2].partition("\n\n")[0]
        assert set(re.findall(r"--[a-z-]+", examples)) - {"--help"} <= known, name


def test_the_root_lists_every_command(cli: CommandLine) -> None:
    told = cli.text("--help")
    for name, _, _ in COMMANDS:
        assert name.split()[0] in told if name else True


def test_media_types_are_those_the_format_names() -> None:
    assert set(content.MEDIA_TYPES.values()) <= set(EXTENSIONS)
    for ending, media_type in content.MEDIA_TYPES.items():
        assert ending in (EXTENSIONS[media_type], "htm", "jpeg", "tif")


def test_no_noun_loads_the_library_before_it_is_used() -> None:
    tree = ast.parse((ROOT / "src/carethread/cli/application.py").read_text(encoding="utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [each for each in imported if each is not None and each.startswith("carethread")] == [
        "carethread.cli",
        "carethread.errors",
    ]
