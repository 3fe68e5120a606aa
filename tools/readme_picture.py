"""Draw `docs/images/record.svg`: a terminal in which the demonstration's record is looked at.

What it shows is what the commands said when it was drawn; a test draws it again and compares.

    .venv/bin/python tools/readme_picture.py
"""

import html
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "record.svg"

_RECORD = "coordination/7f/4c/7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"
_COMMANDS = (
    "head -n 25 communications/20260111*/thread.md",
    "git log --reverse --format='%h  %as  %<(13)%an  %s'",
    "git fsck --full --strict && git status --short",
    "carethread verify",
)
_CHARACTER, _LINE, _EDGE, _BAR = 8.4, 19, 20, 30


def look(directory: Path) -> list[tuple[str, str]]:
    """Record the demonstration in a new directory, look at it, and return each command with what it said."""
    program = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
        "CARETHREAD_DATA": str(directory),
        "COLUMNS": "200",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PAGER": "cat",
        "LC_ALL": "C.UTF-8",
    }
    said = []
    subprocess.run(
        [program / "carethread", "demo", "--text", "--json", "--keep", directory],
        env=environment,
        check=True,
        capture_output=True,
    )
    for command in _COMMANDS:
        done = subprocess.run(
            ["sh", "-c", command], cwd=directory / _RECORD, env=environment, check=True, capture_output=True, text=True
        )
        said.append((command, done.stdout))
    return said


def draw(said: Sequence[tuple[str, str]]) -> str:
    """Return the picture. It brings its own background, so that it looks the same on a light and on a dark page."""
    lines = [line for command, output in said for line in _lines(command, output)][:-1]
    columns = max(len(text) for _, text in lines)
    width = round(2 * _EDGE + columns * _CHARACTER)
    height = _BAR + 2 * _EDGE + len(lines) * _LINE - 8
    dots = "".join(
        f'<circle cx="{_EDGE + 6 + 20 * number}" cy="18" r="6" fill="{colour}"/>'
        for number, colour in enumerate(("#ec6a5e", "#f4bf4f", "#61c554"))
    )
    rows = "\n".join(
        f'  <text x="{_EDGE}" y="{_BAR + _EDGE + 8 + number * _LINE}" class="{kind}">{html.escape(text)}</text>'
        for number, (kind, text) in enumerate(lines)
        if text
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"
     aria-labelledby="title description" xml:space="preserve"
     font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
  <title id="title">A record, looked at with head, git and the checker</title>
  <desc id="description">The first two messages of a thread as plain Markdown, the record's history as git log shows
    it, and the checker that found nothing.</desc>
  <style>
    text {{ fill: #d5dbe3; }}
    .command {{ fill: #7ee0b5; font-weight: 600; }}
    .heading {{ fill: #ffffff; font-weight: 600; }}
    .quiet {{ fill: #98a2b0; }}
  </style>
  <rect width="{width}" height="{height}" rx="10" fill="#12181f"/>
  {dots}
{rows}
</svg>
"""


def _lines(command: str, output: str) -> Iterator[tuple[str, str]]:
    yield "command", f"$ {command}"
    for line in output.splitlines():
        kind = "heading" if line.startswith("#") else "quiet" if line.startswith("**") else "said"
        # Two spaces at a line's end are Markdown's line break; nobody would see them.
        yield kind, line.rstrip()
    yield "said", ""


def main() -> None:
    """Draw the picture into its place."""
    with tempfile.TemporaryDirectory() as directory:
        said = look(Path(directory) / "demo")
    PICTURE.write_text(draw(said), encoding="utf-8")
    print(f"drawn: {shlex.quote(str(PICTURE))}")


if __name__ == "__main__":
    main()
