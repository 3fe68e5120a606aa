"""`carethread demo --text`: a record as it lies on disk, explained."""

import re
from pathlib import Path

import pytest

from carethread import CoordinationService, Finding
from carethread.cli import stock_git
from carethread.cli.conversations import Stage
from tests.cli.conftest import CommandLine

X_RAY = "20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_the_demonstration_shows_everything_and_leaves_nothing(cli: CommandLine, tmp_path: Path) -> None:
    said = cli.text("demo", "--text")
    sections = re.findall(r"^── (\d)\. ", said, re.MULTILINE)
    assert sections == ["1", "2", "3", "4", "5", "6"]
    assert max(len(line) for line in said.split("\n")) <= 100
    assert "Patient has reported increasing shortness of breath." in said
    assert "**Corrects:** `8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d`" in said
    assert "Priya Shah (care administrator) was added to the thread." in said
    assert "status: closed" in said
    assert "Can you review the patient's medication list?" in said
    assert "reply_to: " in said
    assert "For her there is none" in said
    assert re.search(r"2026-01-13 09:02  Anna Visser +written thread +done", said)
    assert re.search(r"2026-01-13 10:20  Dr Jane Smith +served unknown-thread +unknown", said)
    assert "$ git log" in said
    assert said.count("coordination:update: Added message to thread") >= 5
    assert "Checked 1 record with 11 commits: nothing found." in said
    assert re.search(r"Checked 1 record with 12 commits: \d+ finding", said)
    assert not list(tmp_path.iterdir())


def test_it_is_the_same_record_each_time(cli: CommandLine) -> None:
    assert cli.text("demo", "--text") == cli.text("demo", "--text")


def test_it_is_kept_if_asked(cli: CommandLine, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    said = cli.text("demo", "--text", "--keep", str(kept))
    assert f"carethread thread list 7f4c --data {kept}" in said
    assert len(cli.document("thread", "list", "7f4c", "--data", str(kept)).threads) == 2
    assert "is there already" in cli.fault(2, "demo", "--text", "--keep", str(kept))
    assert "is there already" in cli.fault(2, "demo", "--text", "--keep", __file__)


def test_the_first_messages_are_those_of_the_specification(cli: CommandLine, tmp_path: Path) -> None:
    told = cli.document("demo", "--text", "--keep", str(tmp_path / "kept"))
    assert (told.communication_ids[0], told.commits, told.findings) == (X_RAY, 11, ())
    (file,) = (tmp_path / "kept").glob(f"coordination/7f/4c/*/communications/{X_RAY}/thread.md")
    assert file.read_text(encoding="utf-8").startswith(
        """# Messages

## Message

**ID:** `3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92`\x20\x20
**Type:** clinician\x20\x20
**Timestamp:** 2026-01-11T14:36:15.234Z\x20\x20
**Author ID:** `4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12`\x20\x20
**Author:** Dr Jane Smith

Patient has reported increasing shortness of breath.
Please review chest X-ray and advise on next steps.

---

## Message

**ID:** `8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d`\x20\x20
**Type:** clinician\x20\x20
**Timestamp:** 2026-01-11T15:42:30.567Z\x20\x20
**Author ID:** `a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3`\x20\x20
**Author:** Dr Tom Patel

Reviewed X-ray. No acute changes. Continue current management
and reassess in 48 hours. If symptoms worsen, arrange urgent review.
"""
    )


def test_without_git_our_own_log_is_shown(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said = cli.text("demo", "--text")
    assert "$ carethread log" in said
    assert "Created coordination record" in said
    assert "Without Git, nothing is forged here." in said


def test_a_failing_check_would_be_seen(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding("7f4c", "test", "Something is wrong.", path="thread.md", line=3)
    monkeypatch.setattr(CoordinationService, "verify", lambda *_, **__: iter([found]))
    result = cli.run("demo", "--text")
    assert result.exit_code == 6
    assert "thread.md:3: test: Something is wrong." in result.stdout
    assert "1 finding." in result.stdout


def test_git_reads_nobodys_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert stock_git.log(tmp_path) is None


def test_ids_that_were_not_set_are_random() -> None:
    stage = Stage()
    assert stage.mint() != stage.mint() != stage.mint()
