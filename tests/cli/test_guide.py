"""The guide for people does what it says: its commands are run, in order, and answer what it shows.

Ids and times differ each time. Those of the guide stand for those that were answered in their place.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.conftest import PeopleAtWork, short
from tests.region import reference, resources, role

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = DOCS / "guide-people.md"
EXAMPLES = DOCS / "examples"

_BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"(?:\d{{8}}T\d{{6}}\.\d{{3}}Z-)?{_UUID}|\b[0-9a-f]{{32}}\b|\b(?=[a-f]*[0-9])[0-9a-f]{{8}}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d\.\d{3})? UTC")
_SPACE = re.compile(r"\s+")
_ELSEWHERE = "…"


def patient(identifier: str, name: str, **more: object) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": identifier, "active": True, "name": [{"text": name}], **more}


# What the files hold that the guide loads into the directory.
LOADED: dict[str, list[dict[str, Any]]] = {
    "region.json": resources(),
    "double.json": [patient("P7", "Jon Doe")],
    "merge.json": [patient("P7", "Jon Doe", link=[{"other": reference("P1"), "type": "replaced-by"}])],
    "left.json": [role("D1", "HomeCare-D", "nurse", active=False)],
    "gone.json": [role("A1", "Pharmacy-A", "pharmacist", active=False)],
}


def lines_of(text: str) -> list[str]:
    """Return what an answer says, without ids, times and how wide its columns are."""
    plain = (_SPACE.sub(" ", _TIME.sub("TIME", _ID.sub("ID", line))).strip() for line in text.split("\n"))
    return [line.replace("─", "") for line in plain if line.replace("─", "").strip()]


class Reader:
    """Follows the guide, and knows which ids stand for which."""

    def __init__(self, people: PeopleAtWork, files: Path) -> None:
        self.people = people
        self.files = files
        self.known: dict[str, str] = {}

    def follow(self, command: str, shown: str) -> None:
        arguments = shlex.split(_ID.sub(lambda found: self.known.get(found[0], found[0]), command))
        if arguments[0] == "export":
            return
        assert arguments.pop(0) == "carethread", command
        if arguments[0] == "directory":
            self.people.text(
                *(str(self.files / Path(each).name) if Path(each).name in LOADED else each for each in arguments)
            )
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


def test_the_examples_are_the_region_of_the_tests() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(LOADED)
    for name, held in LOADED.items():
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in held]}
        assert json.loads((EXAMPLES / name).read_text(encoding="utf-8")) == bundle


def test_the_guide_does_what_it_says(tmp_path: Path) -> None:
    people = PeopleAtWork(tmp_path / "data")
    reader = Reader(people, EXAMPLES)
    for kind, block in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        shown = commands(block) if kind == "console" else [(line, "") for line in block.strip().split("\n")]
        for command, answer in shown:
            reader.follow(command, answer)
    assert people.document("verify").findings == ()
