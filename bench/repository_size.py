"""How much room a long thread takes in its repository, flushed as it grew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.conversation import fill, make_spots
from bench.figures import Figures, Target
from bench.ground import Cell, Ground
from carethread import CoordinationService

SECTION = "size"
MESSAGES = 3_000
# How many messages a flush finds waiting: few, as at an ordinary clinic's pace it is one or two.
_ROUND = 50
_GIT = f".git, per message of 400 bytes, {MESSAGES:,} in one thread"
_WHOLE = f".git and files, per message of 400 bytes, {MESSAGES:,} in one thread"


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Write one thread, and weigh it once: its size does not depend on the time of day."""
    with CoordinationService.open(ground.new_folder("size"), flushes=False) as service:
        spots = make_spots(service, 1)
        for _ in range(MESSAGES // _ROUND):
            fill(spots, _ROUND)
            service.flush()
        path = spots[0].record.path
        bare, whole = _weigh(path / ".git") / MESSAGES, _weigh(path) / MESSAGES
        packs = len(list((path / ".git/objects/pack").glob("*.pack")))
    yield [
        Cell(_GIT, "bytes", lambda: bare, Target(1_500, at_most=True)),
        Cell(_WHOLE, "bytes", lambda: whole),
        Cell("packs then", "packs", lambda: packs),
    ]


def _weigh(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def conclude(figures: Figures) -> None:
    """Nothing is to be compared."""
