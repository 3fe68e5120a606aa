"""Print one table of what everything costs on this machine.

python -m bench [--quick] [--only SECTION[/PART OF A NAME]] [--json FILE] [--folder FOLDER]
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType

import msgspec

from bench import appending, finding, flushing, processes, reading_back, repository_size, serving, slow_disk
from bench.figures import Figures, table
from bench.ground import Cell, Ground, hash_seconds, syncs_per_second

_SECTIONS: Sequence[ModuleType] = (
    appending,
    slow_disk,
    processes,
    flushing,
    repository_size,
    reading_back,
    finding,
    serving,
)
_MACHINE = "machine"


def main(arguments: Sequence[str]) -> None:
    """Measure what was asked for, and print it."""
    options = _options(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=options.folder))
    # A PostgreSQL that root starts runs as somebody else, who must get to its files.
    folder.chmod(0o755)
    ground = Ground(folder, options.quick, options.only)
    figures = Figures()
    syncs: list[float] = []
    try:
        for section in _SECTIONS:
            if ground.wants_section(section.SECTION):
                syncs.append(syncs_per_second(folder))
                _measure(ground, figures, section.SECTION, section.cells, section.conclude)
        syncs.append(syncs_per_second(folder))
    finally:
        shutil.rmtree(folder)
    figures.add(_MACHINE, "append 4 KiB and fdatasync", "/s", syncs)
    figures.add(_MACHINE, "SHA-256", "MB/s", [1 / hash_seconds(bytes(1_000_000)) for _ in range(3)])
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(table(figures.all))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures.all), indent=1))


def _measure(
    ground: Ground,
    figures: Figures,
    section: str,
    cells: Callable[[Ground], AbstractContextManager[list[Cell]]],
    conclude: Callable[[Figures], None],
) -> None:
    """Measure all cells of a section in turns, so that whatever else the machine does meets them alike."""
    began = time.perf_counter()
    _say(f"{section}: preparing")
    with cells(ground) as offered:
        wanted = [cell for cell in offered if ground.part in cell.name]
        samples: dict[str, list[float]] = {cell.name: [] for cell in wanted}
        for repetition in range(ground.repetitions):
            _say(f"{section}: {repetition + 1} of {ground.repetitions}")
            for cell in wanted:
                measured = cell.measure()
                samples[cell.name] += measured if isinstance(measured, Sequence) else [measured]
        for cell in wanted:
            figures.add(section, cell.name, cell.unit, samples[cell.name], cell.target)
    conclude(figures)
    _say(f"{section}: done in {time.perf_counter() - began:.0f} s\n")


def _say(text: str) -> None:
    """Say how far it is, where somebody may be waiting."""
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text.rstrip(), end="", file=sys.stderr, flush=True)
    if not sys.stderr.isatty():
        print(file=sys.stderr)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure less often and for a shorter time")
    sections = ", ".join(each.SECTION for each in _SECTIONS)
    parser.add_argument(
        "--only",
        default="",
        metavar="SECTION[/PART]",
        help=f"measure one section ({sections}; * and ? stand for others), or what has PART in its name",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to a file too")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench"), help="where to measure: a folder on the disk in question"
    )
    return parser.parse_args(arguments)


main(sys.argv[1:])
