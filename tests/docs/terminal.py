"""A page that somebody follows at a terminal: its commands, run by a shell in their order, and what they answer.

One bash runs them all, so that what one command sets, starts or writes is there for the next. Ids, times, links and the
like differ each time: in answers and in the page they count as equal.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

_BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE = re.compile(r"<<'?(\w+)'?")
_ELSEWHERE = "…"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# What must vary, each with what stands for it. Versions, statuses and everything else must be as shown.
_VARIES = tuple(
    (re.compile(pattern), stands)
    for pattern, stands in (
        (rf"(?:\d{{8}}T\d{{6}}\.\d{{3}}Z-)?{_UUID}", "ID"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\b(?=[a-f]*[0-9])[0-9a-f]{8}\b", "ID"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d\.\d{3})?(?:Z| UTC)", "TIME"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "DATE"),
        (r"_cursor=[\w-]+", "_cursor=LINK"),
        (r"(?i)(content-length: )\d+", r"\1LENGTH"),
    )
)


class Command(Struct, frozen=True):
    """A command as it is typed, perhaps over several lines, and what the page shows of its answer; `None`: nothing."""

    typed: str
    shown: str | None


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of a page, in their order."""
    for kind, block in _BLOCK.findall(text):
        if kind == "sh":
            yield Command(block.rstrip("\n"), None)
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.rstrip("\n").split("\n")
            last = next(at for at, line in enumerate(lines) if not line.endswith("\\"))
            here = _HERE.search(lines[last])
            if here is not None:
                last = lines.index(here[1], last)
            yield Command("\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :]))


def differences(command: Command, answered: str) -> str | None:
    """Return in words where an answer is not what is shown; `None` if it is."""
    if command.shown is None:
        return None
    rest = iter(_plain(answered))
    skips = False
    for line in _plain(command.shown):
        if line.strip() == _ELSEWHERE:
            skips = True
            continue
        found = next((each for each in rest if each == line or not skips), None)
        if found != line:
            return f"$ {command.typed}\nshows    {line!r}\nanswered\n{answered}"
        skips = False
    more = [] if skips else list(rest)
    return f"$ {command.typed}\ndoes not show {more}" if more else None


def _plain(text: str) -> list[str]:
    return [_masked(line.rstrip()) for line in text.split("\n") if line.strip()]


def _masked(line: str) -> str:
    for pattern, stands in _VARIES:
        line = pattern.sub(stands, line)
    return line


class Terminal:
    """A bash in a folder of its own. Whatever it started has ended when it is left."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CARETHREAD_")}
        self._folder = folder
        self._answer = folder / ".answer"
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**kept, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> str:
        """Run a command; return what it says, on both channels."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        # Not a subshell: what it sets stays. What it starts in the background keeps its own standard output.
        self._bash.stdin.write(f"{{\n{command}\n}} > '{self._answer}' 2>&1\necho done\n")
        self._bash.stdin.flush()
        assert self._bash.stdout.readline() == "done\n", f"the shell ended at\n{command}"
        return self._answer.read_text(encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGTERM)
        self._bash.communicate()
