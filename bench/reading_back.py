"""Making the index anew, and verifying whole histories, beside what hashing the same bytes takes at least."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from bench.conversation import Spot, fill, make_spots
from bench.figures import Figures, Target
from bench.ground import Cell, Ground
from carethread import CoordinationService

SECTION = "read back"
_ENTRY = re.compile(rb"^## Message$", re.MULTILINE)


class _Shape(Struct, frozen=True):
    """So many records of so many threads of so many messages."""

    records: int
    threads: int
    messages: int

    @property
    def name(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.records} × {threads} of {self.messages:,}"

    @property
    def rebuild(self) -> str:
        return f"rebuild, {self.name}"

    @property
    def verify(self) -> str:
        return f"verify, {self.name}"

    @property
    def floor(self) -> str:
        return f"SHA-256 of every version of thread.md, {self.name}"

    @property
    def commits(self) -> int:
        return self.records * (1 + self.threads * (1 + self.messages))


# The hash of the thread decides from about a thousand messages on; the last takes minutes, and runs if it is named.
_SHAPES = (
    _Shape(200, 1, 10),
    _Shape(20, 10, 10),
    _Shape(4, 5, 100),
    _Shape(1, 2, 1_000),
    _Shape(1, 1, 3_000),
    _Shape(1, 1, 10_000),
)
_LONG = 10_000
_SHORT = 100
_QUICK = 1_000


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Write and flush threads of each shape; offer what is measured of each."""
    with ExitStack() as stack:
        made: list[Cell] = []
        for shape in _SHAPES:
            names = (shape.rebuild, shape.verify, shape.floor)
            if ground.quick and shape.messages > _QUICK:
                continue
            if not any(ground.wants(name, long=shape.messages == _LONG) for name in names):
                continue
            service = stack.enter_context(CoordinationService.open(ground.new_folder("read-back"), flushes=False))
            spots = make_spots(service, shape.records, shape.threads)
            fill(spots, shape.messages)
            service.flush()
            made += _offer(service, spots, shape)
        yield made


def _offer(service: CoordinationService, spots: list[Spot], shape: _Shape) -> list[Cell]:
    def rebuild() -> float:
        began = time.perf_counter()
        service.rebuild()
        return shape.messages * len(spots) / (time.perf_counter() - began)

    def verify() -> float:
        began = time.perf_counter()
        found = list(service.verify())
        took = time.perf_counter() - began
        if found:
            raise RuntimeError(f"a record does not verify: {found[0]}")
        return shape.commits / took

    def hash_everything() -> float:
        return shape.commits / sum(_seconds_to_hash(spot) for spot in spots)

    verified = Target(5_000) if shape.messages <= _SHORT else None
    return [
        Cell(shape.rebuild, "messages/s", rebuild, Target(10_000)),
        Cell(shape.verify, "commits/s", verify, verified),
        Cell(shape.floor, "commits/s", hash_everything),
    ]


def _seconds_to_hash(spot: Spot) -> float:
    content = (spot.record.path / "communications" / spot.thread / "thread.md").read_bytes()
    view = memoryview(content)
    began = time.perf_counter()
    for match in _ENTRY.finditer(content):
        hashlib.sha256(view[: match.start()]).digest()
    hashlib.sha256(view).digest()
    return time.perf_counter() - began


def conclude(figures: Figures) -> None:
    """Compare long threads with the floor."""
    for shape in _SHAPES:
        if shape.messages > _SHORT:
            name = f"{shape.verify}: times the hash floor"
            figures.add_ratio(SECTION, name, (SECTION, shape.floor), (SECTION, shape.verify), Target(4, at_most=True))
