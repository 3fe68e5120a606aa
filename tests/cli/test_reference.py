"""The reference in `docs/` is what the commands and settings say of themselves."""

import ast
import re
from pathlib import Path

import pytest

from carethread.cli import content, reference
from carethread.record.media_types import EXTENSIONS
from tests.cli.conftest import CommandLine

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [(name, command, context) for name, command, context in reference.commands()]


@pytest.mark.parametrize(
    "file, arguments", [("cli.md", []), ("settings.md", ["settings"])], ids=["commands", "settings"]
)
def test_the_reference_is_up_to_date(file: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    reference.main(arguments)
    wanted = (ROOT / "docs" / file).read_text(encoding="utf-8")
    assert capsys.readouterr().out == wanted, f"python -m carethread.cli.reference {' '.join(arguments)} > docs/{file}"


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
