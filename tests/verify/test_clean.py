"""A good record has no finding, however it is stored, and while it is being written."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from carethread import CoordinationService, MessageContent
from carethread.clock import Instant
from carethread.ids import CoordinationId
from carethread.verify import Counts, checker, history, verify_record
from carethread.verify.worktree import differences
from tests.people import CLINICAL_ID, JANE, PLACE, listed
from tests.verify.forger import Forger
from tests.verify.histories import Step, build, dump, load
from tests.verify.stock_git import git
from tests.verify.test_storage import copy


def test_everything_a_record_can_hold_is_in_order(everything: Path) -> None:
    counts = Counts()
    done: list[tuple[int, int]] = []
    findings = list(verify_record(everything, counts=counts, progress=lambda *each: done.append(each)))
    assert findings == []
    assert counts.commits == int(git(everything, "rev-list", "--count", "HEAD"))
    assert counts.messages == sum(
        int(line.rpartition(":")[2]) for line in git(everything, "grep", "-c", "^## Message", "HEAD").split("\n")
    )
    assert done == [(number, counts.commits) for number in range(1, counts.commits + 1)]


def test_it_stays_in_order_when_git_stores_it_otherwise(everything: Path, tmp_path: Path) -> None:
    repacked = copy(everything, tmp_path)
    git(repacked, "repack", "-adfq", "--depth=50", "--window=50")
    git(repacked, "pack-refs", "--all")
    assert list(verify_record(repacked)) == []
    git(repacked, "gc", "--quiet", "--prune=now")
    assert list(verify_record(repacked)) == []
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repacked), str(clone))
    assert list(verify_record(clone)) == []
    bundle = tmp_path / "record.bundle"
    git(repacked, "bundle", "create", "--quiet", str(bundle), "main")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--branch=main", str(bundle), "from-bundle")
    assert list(verify_record(tmp_path / "from-bundle")) == []


def test_taking_it_apart_and_building_it_anew_changes_no_id(everything: Path, tmp_path: Path) -> None:
    built = build(dump(load(everything)), tmp_path / everything.name)
    assert git(built, "rev-parse", "HEAD") == git(everything, "rev-parse", "HEAD")
    assert list(verify_record(built)) == []


def test_what_a_forger_adds_is_right_but_for_what_is_asked(steps: list[Step], small: Path, tmp_path: Path) -> None:
    forger = Forger(steps)
    message = forger.entry(JANE, "A thread of my own.")
    thread = forger.open(JANE, listed(JANE), message)
    forger.say(JANE, thread)
    forger.open(JANE, listed(JANE))
    forger.set_status(JANE, record_queryable=False)
    assert list(verify_record(build(dump(forger.steps), tmp_path / small.name))) == []


def test_the_record_it_must_be_can_be_said(small: Path) -> None:
    other = CoordinationId("0" * 32)
    assert [finding.code for finding in verify_record(small, coordination_id=other)] == ["status-identity"]
    assert list(verify_record(small, coordination_id=CoordinationId(small.name))) == []


def test_a_clock_that_is_behind_the_record_notices(small: Path) -> None:
    findings = list(verify_record(small, clock=lambda: Instant(1_700_000_000_000)))
    assert [finding.code for finding in findings] == ["history-future"]
    assert findings[0].commit == git(small, "rev-list", "--max-parents=0", "HEAD")


def test_a_long_history_is_not_kept_in_memory(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_KEPT_BYTES", 1_000)
    assert list(verify_record(small)) == []


# ── What nobody can tell from within ──────────────────────────────────────────────────────────────────────────────────


def test_a_history_made_anew_is_known_by_what_it_had(steps: list[Step], small: Path, tmp_path: Path) -> None:
    forger = Forger(steps)
    seen = git(small, "rev-list", "HEAD").split("\n")
    forger.edit(f"communications/{forger.threads[2]}/thread.md", b"Monday", b"Sunday")
    forged = build(dump(forger.steps), tmp_path / small.name)
    assert list(verify_record(forged)) == []
    assert [finding.code for finding in verify_record(forged, known=seen[:1])] == ["history-known"]
    assert list(verify_record(forged, known=seen[-1:])) == []
    assert list(verify_record(small, known=seen)) == []


def test_a_history_cut_short_is_known_by_what_it_had(small: Path, tmp_path: Path) -> None:
    cut = copy(small, tmp_path)
    head = git(cut, "rev-parse", "HEAD")
    git(cut, "reset", "--quiet", "--hard", "HEAD~1")
    assert list(verify_record(cut)) == []
    assert [finding.code for finding in verify_record(cut, known=[head])] == ["history-known"]


# ── The files that lie open ───────────────────────────────────────────────────────────────────────────────────────────


def test_files_beside_the_history_are_compared_with_its_end(small: Path, tmp_path: Path) -> None:
    record = copy(small, tmp_path)
    thread = min(record.glob("communications/*/thread.md"))
    thread.write_text(thread.read_text().replace("Shortness", "Sharpness"))
    (record / "notes.txt").write_text("not in the record\n")
    (record / "COORDINATION_STATUS.yaml").unlink()
    (record / ".gitattributes").unlink()
    (record / ".gitattributes").symlink_to("/etc/hostname")
    (record / "communications/more").symlink_to("/etc")
    findings = list(verify_record(record))
    assert {finding.code for finding in findings} == {"worktree-file"}
    assert {finding.path for finding in findings} == {
        str(thread.relative_to(record)),
        "notes.txt",
        "COORDINATION_STATUS.yaml",
        ".gitattributes",
        "communications/more",
    }


def test_a_file_that_is_neither_file_nor_directory(small: Path, tmp_path: Path) -> None:
    record = copy(small, tmp_path)
    (record / ".gitattributes").unlink()
    (record / ".gitattributes").symlink_to("nowhere", target_is_directory=True)
    assert [finding.path for finding in verify_record(record)] == [".gitattributes"]


def test_a_pipe_is_not_waited_for(small: Path, tmp_path: Path) -> None:
    record = copy(small, tmp_path)
    (record / ".gitattributes").unlink()
    os.mkfifo(record / ".gitattributes")
    assert [finding.path for finding in verify_record(record)] == [".gitattributes"]


def test_many_wrong_files_are_one_list_that_ends(small: Path, tmp_path: Path) -> None:
    record = copy(small, tmp_path)
    for number in range(100):
        (record / f"{number:03d}.txt").write_text("?")
    findings = list(verify_record(record))
    assert len(findings) == 21
    assert "80 more" in findings[-1].sentence


def test_a_record_that_is_not_checked_out_has_no_files(small: Path, tmp_path: Path) -> None:
    bare = tmp_path / small.name
    bare.mkdir()
    shutil.copytree(small / ".git", bare / ".git")
    assert list(verify_record(bare)) == []


# ── While it is being written ─────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_found_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "PATIENCE_S", 0.5)
    monkeypatch.setattr(checker, "PAUSE_S", 0.02)
    with CoordinationService.open(tmp_path / "data") as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, listed(JANE), MessageContent("First."))
        record.flush()
        stop = threading.Event()

        def write() -> None:
            while not stop.wait(0.005):
                record.add_message(JANE, PLACE, thread, MessageContent("And on."))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen = []
            for _ in range(4):
                counts = Counts()
                assert list(verify_record(record.path, counts=counts)) == []
                seen.append(counts.commits)
                time.sleep(0.1)
                record.flush()
        finally:
            stop.set()
            writer.join()
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_files_may_be_ahead_of_the_branch_for_a_moment(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = copy(small, tmp_path)
    head = git(record, "rev-parse", "HEAD")
    git(record, "update-ref", "refs/heads/main", "HEAD~1")
    pauses: list[float] = []

    def publish(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 2:
            (record / ".git/refs/heads/main").write_text(f"{head}\n")

    monkeypatch.setattr(checker, "PATIENCE_S", 30.0)
    monkeypatch.setattr(time, "sleep", publish)
    counts = Counts()
    assert list(verify_record(record, counts=counts)) == []
    assert counts.commits == int(git(record, "rev-list", "--count", head))
    assert len(pauses) >= 2


def test_a_branch_that_is_moved_elsewhere_meanwhile(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = copy(small, tmp_path)
    (record / "notes.txt").write_text("?")

    def rewrite(_: float) -> None:
        (record / ".git/refs/heads/main").write_text(git(record, "rev-parse", "HEAD~3") + "\n")

    monkeypatch.setattr(checker, "PATIENCE_S", 30.0)
    monkeypatch.setattr(time, "sleep", rewrite)
    assert [finding.code for finding in verify_record(record)] == ["history-known"]


def test_a_branch_that_goes_away_meanwhile(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = copy(small, tmp_path)
    (record / "notes.txt").write_text("?")
    monkeypatch.setattr(checker, "PATIENCE_S", 30.0)

    def remove(_: float) -> None:
        shutil.rmtree(record / ".git", ignore_errors=True)

    monkeypatch.setattr(time, "sleep", remove)
    assert [finding.code for finding in verify_record(record)] == ["git-unreadable"]


def test_a_record_that_never_stands_still_is_not_compared_with_its_files(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = copy(small, tmp_path)
    git(record, "update-ref", "refs/heads/main", "HEAD~1")

    def goes_on(*_: object) -> dict[str, str]:
        git(record, "update-ref", "refs/heads/main", "ORIG_HEAD")
        return {"notes.txt": "?"}

    git(record, "update-ref", "ORIG_HEAD", git(small, "rev-parse", "HEAD"))
    monkeypatch.setattr(checker, "differences", goes_on)
    assert list(verify_record(record)) == []


def test_a_repository_that_goes_away_with_its_files(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = copy(small, tmp_path)

    def vanish(*_: object) -> dict[str, str]:
        shutil.rmtree(record)
        return differences(record, {}, ())

    monkeypatch.setattr(checker, "differences", vanish)
    assert [finding.code for finding in verify_record(record)] == ["worktree-file"]


def test_a_directory_that_is_not_named_like_a_record(small: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "copy"
    shutil.copytree(small, renamed)
    assert list(verify_record(renamed)) == []
