"""An installation as it is served: durable messages, inboxes and pages, beside an empty answer and the library.

The server has one core, and whoever asks another. The library is measured on the server's core as well.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path

from msgspec import Struct

from bench import library, visited
from bench.figures import Figures, Target
from bench.finding import LARGE, SMALL, Region, region_of
from bench.ground import Cell, Ground
from bench.library import Spot
from bench.served import Answered, Served, create_requests, empty_requests, inbox_requests, tokens
from carethread.store.threads import find_thread

SECTION = "serve"
_MANY = 16
_CONNECTIONS = (1, _MANY)
# As many people are at work in either region.
_AT_WORK = 100
# In place of the large region, where there is little time.
_MEDIUM = "100,000 messages"
_THREADS = 400
_LONGER = 3

_CREATE, _INBOX, _EMPTY = "POST Communication", "inbox of 50 with threads", "GET /healthz"
_TARGETS = {_CREATE: Target(1000), _INBOX: Target(600)}
_SHARE = Target(0.4)
_MOST_GROWTH = Target(1.5, at_most=True)


class Asked(Struct, frozen=True):
    """A region that is asked: how to serve it, what is asked over HTTP, and where the library writes."""

    data_dir: Path
    requests: dict[str, list[bytes]]
    spots: list[Spot]


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Fill both regions, serve them, and offer what is asked of them."""
    places = {SMALL: 100, **({_MEDIUM: 1_000} if ground.quick else {LARGE: 10_000})}
    found: list[Cell] = []
    with ExitStack() as stack:
        for size, count in places.items():
            with region_of(ground.new_folder(f"serve-{count}"), count, visited.LENGTHS) as region:
                asked = asked_of(region)
            found.extend(_library_cells(asked, size, ground))
            core, other = cores()
            server = stack.enter_context(Served(asked.data_dir, core=core, asking_core=other))
            for what, requests in asked.requests.items():
                # Everything once: a server runs for weeks.
                server.ask(requests, _MANY, 2 * ground.slice_s)
                for connections in _CONNECTIONS:
                    found.extend(_cells(server, what, requests, connections, size, ground))
        yield found


def asked_of(region: Region) -> Asked:
    """Choose who is at work, where they write, and what they ask."""
    dice = random.Random(len(region.people))
    chosen = _spots(region, 2 * _THREADS, dice)
    ours, others = chosen[:_THREADS], chosen[_THREADS:]
    at_work = dice.sample(range(len(region.people)), min(_AT_WORK, len(region.people)))
    allowed = tokens(region.service, sorted({*at_work, *(each.number for each in ours)}))
    requests = {
        _EMPTY: empty_requests(),
        _INBOX: inbox_requests({number: allowed[number] for number in at_work}),
        _CREATE: create_requests(ours, allowed),
        **visited.page_requests(region, [region.people[number].id for number in at_work]),
    }
    return Asked(region.service.archive.data_dir, requests, others)


def _spots(region: Region, count: int, dice: random.Random) -> list[Spot]:
    numbers = {each.id: number for number, each in enumerate(region.people)}
    found = []
    with region.service.archive.database.snapshot() as connection:
        for person, thread in dice.sample(region.threads, min(count, len(region.threads))):
            stored = find_thread(connection, thread)
            assert stored is not None
            number = numbers[person]
            found.append(Spot(number, person, region.people[number].name, stored.record, thread))
    return found


def cores() -> tuple[int, int]:
    """Return the core of the server, and that of whoever asks."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def _name(what: str, connections: int, size: str) -> str:
    return f"{what}, {connections} connection{'s' if connections > 1 else ''}, {size}"


def _cells(
    server: Served, what: str, requests: list[bytes], connections: int, size: str, ground: Ground
) -> Iterator[Cell]:
    """Offer one measurement: the first cell makes it, the others tell more of the same."""
    last: list[Answered] = []

    def measure() -> float:
        last[:] = [server.ask(requests, connections, _LONGER * ground.slice_s)]
        return last[0].load.rate

    def told(read: Callable[[Answered], float]) -> float:
        if not last:
            measure()
        return read(last[0])

    name = _name(what, connections, size)
    yield Cell(name, "/s", measure, _TARGETS.get(what) if connections == _MANY else None)
    yield Cell(f"{name}, p50", "ms", partial(told, lambda each: each.load.p50_ms))
    yield Cell(f"{name}, p99", "ms", partial(told, lambda each: each.load.p99_ms))
    yield Cell(f"{name}, processor's time", "ms", partial(told, lambda each: each.cpu_ms))


def _library_cells(asked: Asked, size: str, ground: Ground) -> Iterator[Cell]:
    for how in (library.RECORDED, library.POSTED):
        seconds = _LONGER * ground.slice_s
        measure = partial(library.rate, asked.data_dir, asked.spots, how, _MANY, seconds, core=cores()[0])
        yield Cell(_library(how, size), "/s", measure)


def _library(how: str, size: str) -> str:
    return f"{how}, {_MANY} callers, {size}"


def conclude(figures: Figures) -> None:
    """Say how much of the library's rate is left, and how much a hundred times the messages cost."""
    for size in (SMALL, _MEDIUM, LARGE):
        created = SECTION, _name(_CREATE, _MANY, size)
        for how, target in ((library.RECORDED, _SHARE), (library.POSTED, None)):
            under = SECTION, _library(how, size)
            figures.add_ratio(SECTION, f"{_CREATE} to {how}, {size}", created, under, target)
    for what, connections, size in product((_CREATE, _INBOX, *visited.PAGES), _CONNECTIONS, (_MEDIUM, LARGE)):
        large, small = (f"{_name(what, connections, each)}, p99" for each in (size, SMALL))
        name = f"{_name(what, connections, 'p99')}, {size} to {SMALL}"
        figures.add_ratio(SECTION, name, (SECTION, large), (SECTION, small), _MOST_GROWTH)
