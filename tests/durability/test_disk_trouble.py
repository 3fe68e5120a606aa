"""The disk is full, or turns read-only under a running service: a clear error, nothing by half, and then on."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from carethread import CoordinationService
from carethread.errors import StorageError
from tests.durability.forked import PATIENCE_S
from tests.durability.loop_disk import LoopDisk, loop_disk, require_loop_disks
from tests.durability.scene import Scene


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    require_loop_disks()
    with loop_disk(tmp_path / "small", "ext4", "errors=remount-ro") as mounted:
        yield mounted


def _fill(folder: Path, leaving: int) -> Path:
    """Leave so many bytes of a file system free; removing the returned file makes room again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
        file.truncate(file.tell() - leaving)
    os.sync()
    return ballast


def _wait_until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_full_while_recording(disk: LoopDisk) -> None:
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene = Scene(service)
        ballast = _fill(disk.path, leaving=256 << 10)
        with pytest.raises(StorageError, match="disk of the database is full; nothing was recorded"):
            scene.write(5_000)
        assert scene.promises.acknowledged
        scene.check_nothing_by_half()
        ballast.unlink()
        scene.write()
        scene.promises.check_everything(service)


@pytest.mark.parametrize("leaving", [0, 8 << 10, 64 << 10])
def test_full_while_flushing(disk: LoopDisk, leaving: int) -> None:
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene = Scene(service)
        scene.write(5)
        service.flush()
        scene.write(200)
        ballast = _fill(disk.path, leaving)
        with pytest.raises(StorageError, match=r"No space left on device|disk of the database is full"):
            service.flush()
        scene.check_nothing_by_half()
        ballast.unlink()
        scene.write()
        scene.promises.check_everything(service)


def test_full_while_flushing_in_the_background(disk: LoopDisk) -> None:
    """It goes on by itself once there is room."""
    with CoordinationService.open(disk.path / "records") as service:
        scene = Scene(service)
        service.flush()
        with service._archive.materialiser.lock.hold():
            scene.write(100)
            ballast = _fill(disk.path, leaving=0)
        _wait_until(lambda: service._archive.materialiser.failure is not None)
        scene.check_nothing_by_half()
        ballast.unlink()
        _wait_until(lambda: service.backlog().commits == 0)
        # The failure is forgotten when the round that made up for it ends, a moment after its last mark.
        _wait_until(lambda: service._archive.materialiser.failure is None)
        scene.promises.check_everything(service)


def test_full_when_a_data_directory_is_made(disk: LoopDisk) -> None:
    ballast = _fill(disk.path, leaving=32 << 10)
    with pytest.raises(StorageError):
        CoordinationService.open(disk.path / "records", flushes=False)
    ballast.unlink()
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene = Scene(service)
        scene.write()
        scene.promises.check_everything(service)


def test_read_only_when_opened(disk: LoopDisk) -> None:
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene = Scene(service)
        scene.write()
    disk.unmount()
    disk.mount("ro")
    with pytest.raises(StorageError, match=r"[Rr]ead-only"):
        CoordinationService.open(disk.path / "records", flushes=False)
    disk.power_up()
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene.promises.check_everything(service)


def test_turned_read_only_under_a_running_service(disk: LoopDisk) -> None:
    """As ext4 does when it finds itself damaged."""
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene = Scene(service)
        scene.write(5)
        service.flush()
        scene.write(5)
        disk.fall_read_only()
        with pytest.raises(StorageError):
            scene.write()
        with pytest.raises(StorageError):
            service.flush()
    disk.power_up()
    with CoordinationService.open(disk.path / "records", flushes=False) as service:
        scene.promises.write_one_more(service, caller=2)
        scene.promises.check_everything(service)
