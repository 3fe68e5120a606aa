"""The power goes at random instants; what was acknowledged is on the disk when it comes back.

The file system that the records lie on is shut down without flushing its log: from then on nothing reaches the disk,
and mounting it again finds what a machine finds after its power was cut.
"""

import os
import random
from pathlib import Path

import pytest

from carethread import CoordinationService
from tests.durability.backlog import make_backlog
from tests.durability.callers import Task, make_places, write
from tests.durability.deeds import begin, flush
from tests.durability.forked import Forked, forked
from tests.durability.loop_disk import LoopDisk, loop_disk, require_loop_disks
from tests.durability.promises import Promises

FILE_SYSTEMS = ["ext4", "xfs"]


@pytest.fixture(autouse=True)
def _disks() -> None:
    require_loop_disks()


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_a_cut_takes_what_was_not_synced_and_leaves_what_was(tmp_path: Path, kind: str) -> None:
    """Else the other tests here would show nothing."""
    with loop_disk(tmp_path / kind, kind) as disk:
        for name, synced in (("kept", True), ("lost", False)):
            with (disk.path / name).open("wb") as file:
                file.write(b"content")
                file.flush()
                if synced:
                    os.fsync(file.fileno())
        disk.cut_power()
        disk.power_up()
        assert (disk.path / "kept").read_bytes() == b"content"
        assert not (disk.path / "lost").exists()


@pytest.mark.soak
@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_writers(tmp_path: Path, kind: str, soaking: bool) -> None:
    for series in range(5 if soaking else 1):
        dice = random.Random(f"power {kind} {series}")
        with loop_disk(tmp_path / kind, kind) as disk:
            data_dir = disk.path / "records"
            with CoordinationService.open(data_dir, flushes=False) as service:
                places = make_places(service, records=2, threads=2)
            promises = Promises(places)
            for cut in range(5 if soaking else 3):
                task = Task(str(data_dir), places, first_caller=1 + 10 * cut, seed=series)
                with forked(write, task) as writer:
                    writer.wait_for(1)
                    counts = _cut_power(disk, writer, dice.uniform(0, 0.8))
                    promises.hear(writer.said, counts)
                with CoordinationService.open(data_dir, flushes=False) as service:
                    promises.check_everything(service)
                    promises.try_again(service)
            assert promises.acknowledged


@pytest.mark.soak
@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_flushing(tmp_path: Path, kind: str, soaking: bool) -> None:
    """The cut comes while many repositories are made and written on."""
    dice = random.Random(f"power while flushing {kind}")
    for _ in range(20 if soaking else 1):
        with loop_disk(tmp_path / kind, kind) as disk:
            promises = make_backlog(disk.path / "records", records=10)
            with forked(flush, str(disk.path / "records")) as process:
                process.wait_for(1)
                _cut_power(disk, process, dice.uniform(0, 0.1))
            with CoordinationService.open(disk.path / "records", flushes=False) as service:
                promises.check_everything(service)


@pytest.mark.soak
@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_the_first_moments_of_a_data_directory(tmp_path: Path, kind: str, soaking: bool) -> None:
    dice = random.Random(f"power at first {kind}")
    for _ in range(20 if soaking else 2):
        with loop_disk(tmp_path / kind, kind) as disk:
            promises = Promises(())
            with forked(begin, str(disk.path / "records")) as process:
                counts = _cut_power(disk, process, dice.uniform(0.05, 0.9))
                promises.hear(process.said, counts)
            with CoordinationService.open(disk.path / "records", flushes=False) as service:
                promises.check_everything(service)


def _cut_power(disk: LoopDisk, process: Forked, after_s: float) -> int:
    """Cut the power under a running process, let it find out, and start the machine again.

    Returns how much it had said when the power went. What it says later would have got to nobody: and an ext4 that is
    shut down in the middle of an `fdatasync` lets that call return as if the disk had what it has not.
    """
    process.wait_a_while(after_s)
    counts = len(process.said)
    disk.cut_power()
    process.wait_a_while(0.02)
    process.kill()
    disk.power_up()
    return counts
