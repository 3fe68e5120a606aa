"""The project's own promises: what may stand in its files, and how they are named and sized."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.coverage_floor import COMPLETE, gaps

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NODE_LOCKS = [ROOT / folder / "package-lock.json" for folder in ("assets", "tools", "tests/clients")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VAGUE_NAMES = {"common", "core", "data", "handler", "helper", "info", "manager", "misc", "util"}
MAX_LINES = 500


def _committed() -> list[Path]:
    """List the files that are, or are about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def _python_files() -> list[Path]:
    return [path for path in _committed() if path.suffix == ".py"]


def _normalised(requirement: str) -> str:
    """Reduce `psycopg[binary]>=3.3` to the name under which it is locked."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def _locked(lock: Path) -> list[str]:
    """Return each requirement of a lock file as one line, with its hashes."""
    return lock.read_text(encoding="utf-8").replace("\\\n", "").splitlines()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_and_hashes_everything_and_names_no_address(lock: Path) -> None:
    for line in _locked(lock):
        assert re.match(r"[a-z0-9.-]+==[0-9a-z.+!]+ ( *; .*?)? +--hash=sha256:[0-9a-f]{64}\b", line), line
        outside_hashes = re.sub(r"--hash=sha256:[0-9a-f]{64}", "", line)
        assert "--" not in outside_hashes, line
        assert not re.search(r"://|\b[a-z][a-z0-9-]*\.(org|com|net|io|dev)\b", outside_hashes), line


@pytest.mark.parametrize("name", ["Makefile", "docs/operations.md"])
def test_a_lock_is_installed_as_it_is(name: str) -> None:
    """Left to resolve, pip takes a release newer than the locked one for a name with an extra, and then refuses it."""
    installs = re.findall(r".*--require-hashes.*", (ROOT / name).read_text(encoding="utf-8"))
    assert installs
    for line in installs:
        assert "--require-hashes --no-deps -r" in line, line


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_for_node_pins_and_hashes_everything_and_names_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    own, *packages = json.loads(text)["packages"].values()
    assert own["dependencies"] == json.loads(lock.with_name("package.json").read_text(encoding="utf-8"))["dependencies"]
    for each in packages:
        assert each["version"]
        # What comes inside of another package is under that one's hash.
        assert each.get("inBundle") or each["integrity"].startswith("sha512-")


def test_everything_asked_for_is_locked() -> None:
    runtime = {_normalised(each) for each in PROJECT["project"]["dependencies"]}
    development = {_normalised(each) for each in PROJECT["dependency-groups"]["dev"]}
    locked = {lock.name: {_normalised(line) for line in _locked(lock)} for lock in LOCKS}
    assert runtime <= locked["runtime.txt"]
    assert runtime | development <= locked["dev.txt"]


def test_developing_uses_the_versions_that_are_run() -> None:
    runtime, development = (set(_locked(ROOT / "requirements" / name)) for name in ("runtime.txt", "dev.txt"))
    assert runtime <= development


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    machine_path = re.compile(r"(?<![\w.*])/(?:work|root)/")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _committed()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if machine_path.search(line)
    ]
    assert found == []


def test_source_files_stay_small_or_say_why_not() -> None:
    found = []
    for path in _python_files():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MAX_LINES:
            reason = ast.get_docstring(ast.parse(text)) or ""
            if "long because" not in " ".join(reason.lower().split()):
                found.append(str(path.relative_to(ROOT)))
    assert found == [], 'split it, or write "Long because …" in its top docstring'


def test_modules_are_named_after_what_they_hold() -> None:
    names = {part for path in _python_files() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert {name for name in names if name.removesuffix("s") in VAGUE_NAMES} == set()


def test_code_left_out_of_coverage_says_why() -> None:
    unreasoned = re.compile(r"#\s*pragma: no (?:cover|branch)(?! - \w)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if unreasoned.search(line)
    ]
    assert found == []


def test_git_never_touches_a_byte_of_the_vectors() -> None:
    shown = subprocess.run(
        ["git", "check-attr", "text", "tests/vectors/any/thread.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert shown.strip().endswith("text: unset")


def _report(**missing: list[Any]) -> dict[str, Any]:
    complete: dict[str, list[Any]] = {"missing_lines": [], "missing_branches": []}
    files = {f"src/carethread/{part}.py": dict(complete) for part in COMPLETE}
    files["src/carethread/git/packs.py"] = complete | missing
    return {"files": files}


def test_the_coverage_floor_is_met_by_complete_parts() -> None:
    assert not any(gaps(_report()).values())


def test_the_coverage_floor_shows_lines_and_branches_that_no_test_ran() -> None:
    report = _report(missing_lines=[3], missing_branches=[[3, 4], [7, 9], [8, -1]])
    assert gaps(report)["git"] == ["src/carethread/git/packs.py: lines 3; branches 7→9, 8→exit"]


def test_the_coverage_floor_misses_a_part_without_measurement() -> None:
    report = _report()
    del report["files"]["src/carethread/store.py"]
    assert gaps(report)["store"] == ["store: was not measured at all"]
