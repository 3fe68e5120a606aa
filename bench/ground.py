"""Where a run takes place, how much it does, and what the machine gives at best."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from msgspec import Struct

from bench.figures import Target

_PAGE = bytes(4096)

# Measures once: returns one sample, or several that one run gives.
Measure = Callable[[], float | Sequence[float]]


class Cell(Struct, frozen=True):
    """Something that is measured again and again, in turns with its neighbours."""

    name: str
    unit: str
    measure: Measure
    target: Target | None = None


class Ground(Struct, frozen=True):
    """What all sections share.

    `folder` lies on the disk that is measured. `only` selects: `section`, or `section/part of a name`.
    """

    folder: Path
    quick: bool = False
    only: str = ""

    @property
    def repetitions(self) -> int:
        """How often each cell is measured."""
        return 2 if self.quick else 3

    @property
    def slice_s(self) -> float:
        """How long one measurement of a rate takes."""
        return 0.25 if self.quick else 0.6

    @property
    def part(self) -> str:
        """What a name must have in it."""
        return self.only.partition("/")[2]

    def wants_section(self, section: str) -> bool:
        """Say whether anything of a section is to be measured."""
        return fnmatch(section, self.only.partition("/")[0] or "*")

    def wants(self, name: str, *, long: bool = False) -> bool:
        """Say whether something of a wanted section is to be measured; what takes long only if it is named."""
        return self.part in name and not (long and not self.part)

    def new_folder(self, name: str) -> Path:
        """Return an empty folder of this name."""
        folder = self.folder / name
        number = 0
        while folder.exists():
            number += 1
            folder = self.folder / f"{name}-{number}"
        folder.mkdir(parents=True)
        return folder


def syncs_per_second(folder: Path, seconds: float = 0.3) -> float:
    """Append pages to a file, each made durable; return how many a second."""
    path = folder / "fdatasync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            os.write(descriptor, _PAGE)
            os.fdatasync(descriptor)
            done += 1
        return done / (time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()


def hash_seconds(content: bytes, repetitions: int = 20) -> float:
    """Return how long one SHA-256 of some bytes takes."""
    began = time.perf_counter()
    for _ in range(repetitions):
        hashlib.sha256(content).digest()
    return (time.perf_counter() - began) / repetitions
