"""From the journal to the repositories: how fast, how far behind, and what it costs those who write."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.conversation import JANE, PLACE, Filled, Spot, fill, make_spots, write
from bench.figures import Figures
from bench.ground import Cell, Ground
from bench.prose import bodies
from carethread import CoordinationService, MessageContent

SECTION = "flush"


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Prepare nothing but the steady load: each measurement makes the backlog it flushes."""
    records, per_second = (200, 100) if ground.quick else (1_000, 250)
    busy, commits = (5, 100) if ground.quick else (10, 500)

    def new_records() -> float:
        with CoordinationService.open(ground.new_folder("flush-new"), flushes=False) as service:
            make_spots(service, records)
            return records / _seconds_to_flush(service)

    def one_more_each() -> float:
        with CoordinationService.open(ground.new_folder("flush-more"), flushes=False) as service:
            spots = make_spots(service, records)
            service.flush()
            fill(spots, 1)
            return records / _seconds_to_flush(service)

    def long_backlogs() -> float:
        with CoordinationService.open(ground.new_folder("flush-long"), flushes=False) as service:
            spots = make_spots(service, busy)
            service.flush()
            fill(spots, commits)
            return busy * commits / _seconds_to_flush(service)

    with ExitStack() as stack:
        offered = [
            Cell(f"{records:,} new records of two commits each", "records/s", new_records),
            Cell(f"{records:,} records, one commit each", "records/s", one_more_each),
            Cell(f"{busy} records, {commits} commits each", "commits/s", long_backlogs),
            Cell(
                f"lag at {per_second} messages/s over {records:,} records",
                "ms",
                lambda: _lag(ground, records, per_second),
            ),
        ]
        made = [cell for cell in offered if ground.wants(cell.name)]
        for flushes, how in ((False, "without flushing"), (True, "while flushing in the background")):
            name = f"SQLite, 16 callers over 16 threads, {how}"
            if ground.wants(name):
                filled = _open(ground, stack, flushes=flushes)
                made.append(Cell(name, "/s", lambda filled=filled: _rate(ground, filled)))  # type: ignore[misc]
        yield made


def _seconds_to_flush(service: CoordinationService) -> float:
    began = time.perf_counter()
    service.flush()
    return time.perf_counter() - began


def _open(ground: Ground, stack: ExitStack, *, flushes: bool) -> Filled:
    data_dir = ground.new_folder("flush-beside")
    with CoordinationService.open(data_dir, flushes=False) as service:
        spots = make_spots(service, 16)
    service = stack.enter_context(CoordinationService.open(data_dir, flushes=flushes))
    return Filled(service, [Spot(service.record(each.record.coordination_id), each.thread) for each in spots])


def _rate(ground: Ground, filled: Filled) -> float:
    return write(16, filled.to_each_its_own(16, 1_000), seconds=3 * ground.slice_s).rate


def _lag(ground: Ground, records: int, per_second: int) -> list[float]:
    """Write at a steady rate; return how long the oldest unflushed commit had waited, sample after sample."""
    seconds = 2.0 if ground.quick else 5.0
    lags: list[float] = []
    with CoordinationService.open(ground.new_folder("flush-lag")) as service:
        spots, texts = make_spots(service, records), bodies(4, 100)
        service.flush()
        began = time.perf_counter()

        def call(caller: int) -> None:
            for turn in range(int(seconds * per_second / 4)):
                number = 4 * turn + caller
                time.sleep(max(0.0, began + number / per_second - time.perf_counter()))
                spot = spots[number % len(spots)]
                spot.record.add_message(JANE, PLACE, spot.thread, MessageContent(texts[number % len(texts)]))

        threads = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
        for each in threads:
            each.start()
        while any(each.is_alive() for each in threads):
            lags.append(service.backlog().lag_ms)
            time.sleep(0.02)
    return lags


def conclude(figures: Figures) -> None:
    """Nothing is to be compared."""
