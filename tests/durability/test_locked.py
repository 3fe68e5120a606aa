"""Somebody else holds a lock: whoever waits is told so in time, nothing is recorded, and afterwards all goes on."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from carethread import CoordinationService
from carethread.errors import LockedError
from carethread.store import archive, database, materialise, writer
from carethread.store.locks import FileLock
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.durability.scene import Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.2)
    with CoordinationService.open(tmp_path / "home", flushes=False) as service:
        scene = Scene(service)
        scene.write()
        yield scene
        scene.write()
        scene.promises.check_everything(service)


def hold(path: str, say: Say) -> None:
    """Hold a lock until killed."""
    with closing(FileLock(Path(path))) as lock, lock.hold():
        say(Said("held", 0, 0))
        signal.pause()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let another process hold a lock, which the kernel takes from it when it dies."""
    with forked(hold, str(path)) as process:
        process.wait_for(1)
        yield


def test_another_program_writes_to_the_database(scene: Scene, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "home/carethread.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError, match="locked by another program"):
            scene.write()
        scene.check_nothing_by_half()
        with pytest.raises(LockedError, match="locked by another program"):
            scene.service.flush()
        scene.check_nothing_by_half()
        other.execute("ROLLBACK")


def test_another_process_writes_for_longer_than_a_caller_waits(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 60.0)
    monkeypatch.setattr(writer, "TURN_TIMEOUT_S", 0.2)
    with _held(tmp_path / "home/locks/write.lock"):
        with pytest.raises(LockedError, match="nothing was recorded"):
            scene.write()
        scene.check_nothing_by_half()
    monkeypatch.undo()


def test_another_process_flushes(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing goes on; only flushing waits, and rebuilding, and backups."""
    monkeypatch.setattr(materialise, "FLUSH_LOCK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(archive, "FLUSH_LOCK_TIMEOUT_S", 0.2)
    with _held(tmp_path / "home/locks/flush.lock"):
        scene.write()
        with pytest.raises(LockedError, match=r"flush\.lock is held by another process"):
            scene.service.flush()
        with pytest.raises(LockedError, match=r"flush\.lock is held by another process"):
            scene.service.rebuild()
        with pytest.raises(LockedError, match=r"flush\.lock is held by another process"):
            scene.service.backup(tmp_path / "backup.tar")
        assert not (tmp_path / "backup.tar").exists()
        scene.check_nothing_by_half()
