"""A disk whose syncs take 2 ms longer, as many in the cloud do: callers who share a sync gain by it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.conversation import open_filled
from bench.figures import Figures, Target
from bench.ground import Cell, Ground
from bench.worker import Worker

SECTION = "slow disk"
_SOURCE = Path(__file__).with_name("slow_sync.c")
_NAMES = {1: "SQLite, 1 caller, short threads", 16: "SQLite, 16 callers, short threads"}


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Compile what slows syncs down; without a C compiler there is nothing to measure."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("slow disk: left out, because there is no C compiler (cc)")
        yield []
        return
    folder = ground.new_folder("slow-disk")
    library = folder / "slow_sync.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, _SOURCE, "-ldl"], check=True)
    open_filled(folder / "data", None, 100, 10).close()
    environment = {**os.environ, "LD_PRELOAD": str(library)}

    def measure(callers: int) -> float:
        with Worker(folder / "data", callers, 2 * ground.slice_s, environment=environment) as worker:
            worker.begin()
            return worker.result().rate

    yield [
        Cell(_NAMES[1], "/s", lambda: measure(1)),
        Cell(_NAMES[16], "/s", lambda: measure(16)),
    ]


def conclude(figures: Figures) -> None:
    """Compare many callers with one."""
    figures.add_ratio(SECTION, "SQLite, 16 callers to 1", (SECTION, _NAMES[16]), (SECTION, _NAMES[1]), Target(4))
