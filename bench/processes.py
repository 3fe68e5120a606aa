"""Several processes append to one SQLite file."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import quantiles

from bench.conversation import Run, open_filled
from bench.figures import Figures
from bench.ground import Cell, Ground
from bench.worker import Worker

SECTION = "processes"
_PROCESSES = 4
_CALLERS = 8
_THREADS = 128
_MESSAGES = 10


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Prepare one data directory; the first cell measures, the others tell more of the same run."""
    data_dir = ground.new_folder("processes")
    open_filled(data_dir, None, _THREADS, _MESSAGES).close()
    runs: list[Run] = []

    def measure() -> float:
        seconds = 3 * ground.slice_s
        with ExitStack() as stack:
            workers = [
                stack.enter_context(Worker(data_dir, _CALLERS, seconds, number * _CALLERS * 4))
                for number in range(_PROCESSES)
            ]
            for worker in workers:
                worker.begin()
            runs[:] = [worker.result() for worker in workers]
        return sum(run.messages for run in runs) / max(run.seconds for run in runs)

    def percentile(wanted: int) -> float:
        return quantiles([one for run in runs for one in run.latencies_ms], n=100)[wanted - 1]

    who = f"SQLite, {_PROCESSES} processes of {_CALLERS} callers"
    yield [
        Cell(who, "/s", measure),
        Cell(f"{who}, least busy process", "/s", lambda: min(run.rate for run in runs)),
        Cell(f"{who}, p50", "ms", lambda: percentile(50)),
        Cell(f"{who}, p99", "ms", lambda: percentile(99)),
    ]


def conclude(figures: Figures) -> None:
    """Nothing is to be compared."""
