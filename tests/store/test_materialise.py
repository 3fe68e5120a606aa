"""Flushing: rounds, faults, failures, and what a repository that was touched by others gets."""

import errno
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from carethread import AttachmentContent, CoordinationRecord, CoordinationService, MessageContent, errors
from carethread.git.repository import Prepared, Step, prepare
from carethread.ids import CoordinationId
from carethread.store import materialise, statements
from carethread.store.archive import Archive
from tests.people import CLINICAL_ID, JANE, PLACE, PLAIN, TOM


def head(record: CoordinationRecord) -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=record.path, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_background_thread_flushes(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        for _ in range(2_000):
            if service.backlog().commits == 0:
                break
            threading.Event().wait(0.01)
        assert (record.path / "COORDINATION_STATUS.yaml").exists()
        thread = record.communication_create(JANE, PLACE, PLAIN)
    # Closing does a last round.
    assert (record.path / "communications" / thread / "thread.md").exists()


def test_rounds_are_bounded(service: CoordinationService, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialise, "ROUND_RECORDS", 2)
    monkeypatch.setattr(materialise, "ROUND_STEPS", 3)
    monkeypatch.setattr(materialise, "ROUND_BYTES", 4_000)
    records = [service.initialise(JANE, PLACE, f"{number:08x}-3b2e-4c5f-9d7a-1e8b6c0a9f12") for number in range(5)]
    thread = records[0].communication_create(JANE, PLACE, PLAIN)
    large = AttachmentContent(bytes(10_000), "image/png", "large.png")
    for _ in range(3):
        records[0].add_message(TOM, PLACE, thread, MessageContent("x" * 1_000, attachments=(large,)))
    seen: list[tuple[int, int]] = []
    service.flush(lambda done, total: seen.append((done, total)))
    assert len(seen) > 3
    assert seen[-1] == (9, 9)
    assert service.backlog().commits == 0
    assert all((record.path / ".git").exists() for record in records)
    assert list(service.verify()) == []


def test_the_journal_is_pruned_and_kept_where_it_must(record: CoordinationRecord, archive: Archive) -> None:
    record.flush()
    with archive.database.read() as connection:
        assert connection.all(statements.size_journal, key=1, after=0, count=9) == []
    archive.materialiser._prunes = False
    record.communication_create(JANE, PLACE, PLAIN)
    record.flush()
    with archive.database.read() as connection:
        assert len(connection.all(statements.size_journal, key=1, after=0, count=9)) == 1


def test_a_repository_that_others_changed_is_left_alone(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    other = service.initialise(JANE, PLACE, "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    thread = record.communication_create(JANE, PLACE, PLAIN)
    service.flush()
    good = head(record)
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "stray"],
        cwd=record.path,
        check=True,
    )
    record.add_message(JANE, PLACE, thread, MessageContent("One"))
    other.communication_create(JANE, PLACE, PLAIN)
    with pytest.raises(errors.IntegrityError, match=record.coordination_id):
        service.flush()
    assert "stray" in subprocess.run(["git", "log"], cwd=record.path, check=True, capture_output=True, text=True).stdout
    assert service.backlog().commits == 1
    with pytest.raises(errors.IntegrityError, match=record.coordination_id):
        record.flush()
    codes = {finding.code for finding in service.verify()}
    assert "journal-flush" in codes
    subprocess.run(["git", "reset", "-q", "--hard", good], cwd=record.path, check=True)
    service.flush()
    assert list(service.verify()) == []


def test_a_disk_that_fails(
    service: CoordinationService, record: CoordinationRecord, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(materialise, "sync_filesystem", fail)
    with pytest.raises(errors.StorageError, match="No space left"):
        record.flush()
    with pytest.raises(errors.StorageError, match="No space left"):
        service.flush()
    assert not archive.materialiser._attempt()
    assert isinstance(archive.materialiser.failure, OSError)
    monkeypatch.undo()
    again: object = archive.materialiser._attempt() and archive.materialiser.failure
    assert again is None
    assert list(service.verify()) == []


def test_the_background_thread_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialise, "FAILURE_PAUSE_S", 0.01)
    failed = threading.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(materialise, "sync_filesystem", fail)
    with CoordinationService.open(tmp_path) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        assert failed.wait(20)
        monkeypatch.undo()
        record.flush()
        assert list(service.verify()) == []


def test_a_record_that_does_not_exist(archive: Archive) -> None:
    with pytest.raises(errors.UnknownRecordError):
        archive.materialiser.flush(CoordinationId("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"))


def test_a_repository_that_is_gone_is_an_error_and_is_not_begun_anew(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    record.flush()
    thread = record.communication_create(JANE, PLACE, PLAIN)
    shutil.rmtree(record.path)
    with pytest.raises(errors.IntegrityError):
        record.flush()
    assert not record.path.exists()
    assert record.read_communication(thread).messages == ()
    with pytest.raises(errors.IntegrityError):
        service.rebuild()


def test_the_limit_of_the_backlog(
    record: CoordinationRecord, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materialise, "BACKLOG_LIMIT", -1)
    archive.materialiser.round()
    with pytest.raises(errors.BacklogFullError):
        record.communication_create(JANE, PLACE, PLAIN)


def test_steps_of_a_round_are_bounded(
    service: CoordinationService, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materialise, "ROUND_STEPS", 2)
    for number in range(5):
        service.initialise(JANE, PLACE, f"{number:08x}-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    assert archive.materialiser._attempt()
    assert archive.materialiser._wake.is_set()
    assert service.backlog().commits == 3
    service.flush()
    assert service.backlog() == materialise.Backlog(0, 0)


def test_a_journal_that_lost_a_commit(record: CoordinationRecord, archive: Archive) -> None:
    with archive.database.write() as connection:
        connection.text("DELETE FROM journal")
    with pytest.raises(errors.IntegrityError, match="lacks"):
        record.flush()


def test_a_record_whose_files_are_refused_does_not_hold_up_the_others(
    service: CoordinationService, record: CoordinationRecord, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [service.initialise(JANE, PLACE, f"{number:08x}-3b2e-4c5f-9d7a-1e8b6c0a9f12") for number in range(2)]

    def refuse(path: Path, steps: Sequence[Step]) -> Prepared:
        if path == record.path:
            raise errors.StorageError("permission denied")
        return prepare(path, steps)

    monkeypatch.setattr(materialise, "prepare", refuse)
    assert not archive.materialiser._attempt()
    assert service.backlog().commits == 1
    assert all(other.path.exists() for other in others)
    with pytest.raises(errors.StorageError, match="permission denied"):
        service.flush()
    monkeypatch.undo()
    service.flush()
    assert list(service.verify()) == []
