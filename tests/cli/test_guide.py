"""The guide for people does what it says: its commands are run, in order, and answer what it shows.

Ids and times differ each time. Those of the guide stand for those that were answered in their place.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cli.conftest import PeopleAtWork, short
from tests.region import Region, reference, role

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide-people.md"

_BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"(?:\d{{8}}T\d{{6}}\.\d{{3}}Z-)?{_UUID}|\b[0-9a-f]{{32}}\b|\b(?=[a-f]*[0-9])[0-9a-f]{{8}}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d\.\d{3})? UTC")
_SPACE = re.compile(r"\s+")
_ELSEWHERE = "…"


def patient(identifier: str, name: str, **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": identifier, "active": True, "name": [{"text": name}], **more}


# What the files hold that the guide loads into the directory.
LOADED: dict[str, Callable[[Region], None]] = {
    "region.json": lambda _: None,
    "double.json": lambda region: region.load(patient("P7", "Jon Doe")),
    "merge.json": lambda region: region.load(
        patient("P7", "Jon Doe", link=[{"other": reference("P1"), "type": "replaced-by"}])
    ),
    "left.json": lambda region: region.load(role("D1", "HomeCare-D", "nurse", active=False)),
    "gone.json": lambda region: region.load(role("A1", "Pharmacy-A", "pharmacist", active=False)),
}


def lines_of(text: str) -> list[str]:
    """Return what an answer says, without ids, times and how wide its columns are."""
    plain = (_SPACE.sub(" ", _TIME.sub("TIME", _ID.sub("ID", line))).strip() for line in text.split("\n"))
    return [line.replace("─", "") for line in plain if line.replace("─", "").strip()]


class Reader:
    """Follows the guide, and knows which ids stand for which."""

    def __init__(self, people: PeopleAtWork) -> None:
        self.people = people
        self.known: dict[str, str] = {}

    def follow(self, command: str, shown: str) -> None:
        arguments = shlex.split(_ID.sub(lambda found: self.known.get(found[0], found[0]), command))
        if arguments[0] == "export":
            return
        assert arguments.pop(0) == "carethread", command
        if arguments[0] == "directory":
            if arguments[1] == "load":
                with self.people.region() as region:
                    LOADED[arguments[2]](region)
            return
        result = self.people.run(*arguments)
        answered = result.stderr + result.stdout
        rest = iter(line for line in answered.split("\n") if lines_of(line))
        skips = False
        for line in shown.split("\n"):
            if line.strip() == _ELSEWHERE:
                skips = True
            elif lines_of(line):
                self._find(line, rest, command, answered, skips=skips)
                skips = False
        assert skips or not list(rest), f"{command}\n{answered}"

    def _find(self, line: str, rest: Iterator[str], command: str, answered: str, *, skips: bool) -> None:
        for actual in rest:
            if lines_of(actual) == lines_of(line):
                for ours, theirs in zip(_ID.findall(line), _ID.findall(actual), strict=True):
                    self.known[ours] = theirs
                    self.known[short(ours)] = short(theirs)
                return
            assert skips, f"{command}\nshows {line!r}, and answered\n{answered}"
        raise AssertionError(f"{command}\nshows {line!r}, and answered\n{answered}")


def commands(block: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what it answers."""
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        command = " ".join(line.removesuffix("\\").strip() for line in lines[: last + 1])
        found.append((command, "\n".join(lines[last + 1 :])))
    return found


def test_the_guide_does_what_it_says(people: PeopleAtWork) -> None:
    reader = Reader(people)
    for kind, block in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        shown = commands(block) if kind == "console" else [(line, "") for line in block.strip().split("\n")]
        for command, answer in shown:
            reader.follow(command, answer)
    assert people.document("verify").findings == ()
