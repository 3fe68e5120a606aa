"""A disk in a file, whose power can be cut."""

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# linux/fs.h calls it EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN; both take the same number and argument.
_FS_IOC_SHUTDOWN = 0x8004587D
_WITHOUT_FLUSHING_THE_LOG = 2

_MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-m", "0"],
    "xfs": ["mkfs.xfs", "-q"],
}
# XFS takes nothing smaller.
_MEGABYTES = {"ext4": 64, "xfs": 320}
# An ordinary user's PATH often lacks the place where mkfs lives.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def require_loop_disks() -> None:
    """Skip the test where loop disks cannot be: for root in CI they can."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk image takes root")
    missing = [command[0] for command in _MAKE.values() if shutil.which(command[0], path=_PATH) is None]
    reason = f"not installed: {', '.join(missing)}" if missing else _refusal()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"root in CI must be able to mount disk images: {reason}")
        pytest.skip(reason)


def _refusal() -> str | None:
    return None if Path("/dev/loop-control").exists() else "this machine has no loop devices"


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, env={"PATH": _PATH}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}"


class LoopDisk:
    """A file system of its own, mounted at `path`."""

    def __init__(self, folder: Path, kind: str, options: str = "") -> None:
        """Make it in a folder; it is not mounted yet."""
        self.path = folder / "disk"
        self._image = folder / f"{kind}.img"
        self._options = ",".join(filter(None, ("loop", options)))
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(_MEGABYTES[kind] << 20)
        _run(*_MAKE[kind], self._image)

    def mount(self, *options: str) -> None:
        """Mount it."""
        _run("mount", "-o", ",".join((self._options, *options)), self._image, self.path)

    def unmount(self) -> None:
        """Unmount it; whoever still uses it keeps it from going."""
        _run("umount", self.path)

    def cut_power(self) -> None:
        """Keep anything more from reaching the disk: not even the log of what is under way."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_SHUTDOWN, struct.pack("I", _WITHOUT_FLUSHING_THE_LOG))
        finally:
            os.close(descriptor)

    def fall_read_only(self) -> None:
        """Let the file system (ext4, mounted with `errors=remount-ro`) believe that it is damaged."""
        device = self.path.stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("made for a test", encoding="utf-8")

    def power_up(self) -> None:
        """Mount it again, as the machine does when it starts."""
        self.unmount()
        self.mount()

    def discard(self) -> None:
        """Let go of mount and loop device, whatever happened."""
        # `ismount` would ask the file system itself, which has had its power cut.
        while f" {self.path} " in Path("/proc/self/mounts").read_text(encoding="utf-8"):
            _run("umount", "--lazy", self.path)


@contextmanager
def loop_disk(folder: Path, kind: str, options: str = "") -> Iterator[LoopDisk]:
    """Have a mounted disk for the length of a block: `ext4` or `xfs`."""
    folder.mkdir(exist_ok=True)
    disk = LoopDisk(folder, kind, options)
    try:
        disk.mount()
        yield disk
    finally:
        disk.discard()
        shutil.rmtree(folder)
