"""Durable appends: on SQLite, on PostgreSQL, and with stock Git, in turns."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from bench import postgres
from bench.conversation import Filled, Where, open_filled, write
from bench.figures import Figures, Target
from bench.ground import Cell, Ground, hash_seconds, syncs_per_second
from bench.stock_git import GitThread, commits_per_second

SECTION = "append"
STORES = ("SQLite", "PostgreSQL")
MANY = 16

# Messages in a thread: threads of that length to write to, and by how much each may grow.
_SCALES = {10: (200, 100), 100: (40, 50), 1_000: (48, 200), 10_000: (4, 1_000)}
# This length is there for one comparison only.
_COMPARED = 100
_GIT = "stock git, 1 caller, {:,} messages"
_HASH = "one SHA-256 of a thread of 10,000 messages"


def _name(store: str, callers: int, spread: bool, messages: int) -> str:  # noqa: FBT001
    who = "1 caller" if callers == 1 else f"{callers} callers"
    threads = min(MANY, _SCALES[messages][0])
    where = f"over {threads} threads" if spread else "on one thread"
    return f"{store}, {who} {where}, {messages:,} messages"


_FAST = _name("SQLite", MANY, spread=True, messages=10)


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Prepare threads of all lengths in all stores, and offer what is measured of them."""
    with ExitStack() as stack:
        server = ""
        made: list[Cell] = [Cell("append 4 KiB and fdatasync", "/s", lambda: syncs_per_second(ground.folder))]
        for messages, (threads, growth) in _SCALES.items():
            for store in STORES:
                wanted = [
                    (callers, spread)
                    for callers in (1, MANY)
                    for spread in (False, True)
                    if ground.wants(_name(store, callers, spread, messages))
                    and (messages != _COMPARED or (store, callers, spread) == ("SQLite", 1, False))
                ]
                if not wanted:
                    continue
                if store == "PostgreSQL" and not server:
                    server = stack.enter_context(postgres.server(ground.folder))
                url = postgres.new_database(server) if store == "PostgreSQL" else None
                filled = open_filled(ground.new_folder(f"{store}-{messages}"), url, threads, messages)
                stack.enter_context(closing(filled))
                filled.warm_up()
                made += [
                    _cell(ground, filled, _name(store, callers, spread, messages), callers, spread, growth)
                    for callers, spread in wanted
                ]
            if messages != _COMPARED and ground.wants(_GIT.format(messages)):
                made.append(_git_cell(ground, messages))
        if ground.wants(f"stock git, {MANY} callers"):
            made.append(_git_cell(ground, 10, MANY))
        if ground.wants(_HASH):
            content = bytes(7_500_000)
            made.append(Cell(_HASH, "ms", lambda: hash_seconds(content, 3) * 1000))
        yield made


def _cell(ground: Ground, filled: Filled, name: str, callers: int, spread: bool, growth: int) -> Cell:  # noqa: FBT001
    def where() -> Where:
        if not spread:
            return filled.to_one(growth)
        return filled.to_all(MANY) if callers == 1 else filled.to_each_its_own(callers, growth)

    target = Target(2_500) if name == _FAST else None
    return Cell(name, "/s", lambda: write(callers, where(), seconds=ground.slice_s).rate, target)


def _git_cell(ground: Ground, messages: int, callers: int = 1) -> Cell:
    threads = [GitThread(ground.new_folder(f"git-{messages}"), messages) for _ in range(callers)]
    name = _GIT.format(messages) if callers == 1 else f"stock git, {callers} callers, a repository each"
    return Cell(name, "/s", lambda: commits_per_second(threads, ground.slice_s))


def conclude(figures: Figures) -> None:
    """Compare what was measured."""

    def ratio(name: str, over: str, under: str, target: Target) -> None:
        figures.add_ratio(SECTION, name, (SECTION, over), (SECTION, under), target)

    sqlite, postgresql = (
        {(callers, spread): _name(store, callers, spread, 10) for callers in (1, MANY) for spread in (False, True)}
        for store in STORES
    )
    git = _GIT.format(10)
    ratio("SQLite to stock git, 1 caller", sqlite[1, False], git, Target(8))
    ratio("PostgreSQL to stock git, 1 caller", postgresql[1, False], git, Target(4))
    ratio("SQLite, 16 callers to 1, short threads", sqlite[MANY, True], sqlite[1, True], Target(2))
    for store in STORES:
        for messages in (10, 1_000, 10_000):
            many, one = (_name(store, callers, spread=False, messages=messages) for callers in (MANY, 1))
            ratio(f"{store}, one thread of {messages:,}, 16 callers to 1", many, one, Target(1))
    short, long = (
        figures.value(SECTION, _name("SQLite", 1, spread=False, messages=messages)) for messages in (_COMPARED, 10_000)
    )
    hashing = figures.value(SECTION, _HASH)
    if short and long and hashing is not None:
        allowed = 1.5 * 1000 / short + hashing
        name = "SQLite, cost of an append at 10,000 messages"
        figures.add(SECTION, name, "ms", [1000 / long], Target(allowed, at_most=True))
