"""Reads `table.txt`: columns, names for several values, rows."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

from msgspec import Struct

COLUMNS = ("roles", "relations", "visibilities", "statuses", "operations")
IMPOSSIBLE = "impossible"

Case = tuple[str, ...]


class Row(Struct, frozen=True):
    """One row: for each column the values it covers, and the answer. `line` is where it stands."""

    line: int
    covers: tuple[tuple[str, ...], ...]
    answer: str

    def cases(self) -> Iterator[Case]:
        """Yield what the row covers."""
        yield from product(*self.covers)


class Table(Struct, frozen=True):
    """All values of each column, the rows, and the rows of the list of what cannot exist."""

    columns: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    impossible: tuple[Row, ...]

    def cases(self) -> Iterator[Case]:
        """Yield the full cross product."""
        yield from product(*self.columns)


@cache
def read_table() -> Table:
    """Read the file. A word that is neither a value of its column nor a name is an error, and so is a value twice."""
    names: dict[str, str] = {}
    written: list[tuple[int, list[str]]] = []
    for number, line in enumerate(Path(__file__).with_name("table.txt").read_text(encoding="utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) == 3 and words[1] == "=":
            assert words[0] not in names, f"line {number}: {words[0]} is defined twice"
            names[words[0]] = words[2]
        elif words:
            assert len(words) == len(COLUMNS) + 1, f"line {number}: {len(words)} columns"
            written.append((number, words))
    columns = tuple(tuple(names[column].split("|")) for column in COLUMNS[:-1])
    columns += (_values(names["operations"], names, None),)
    rows = [
        Row(
            number, tuple(_values(word, names, column) for word, column in zip(words, columns, strict=False)), words[-1]
        )
        for number, words in written
    ]
    return Table(
        columns,
        tuple(row for row in rows if row.answer != IMPOSSIBLE),
        tuple(row for row in rows if row.answer == IMPOSSIBLE),
    )


def _values(word: str, names: dict[str, str], column: tuple[str, ...] | None) -> tuple[str, ...]:
    if word == "*":
        assert column is not None
        return column
    found: list[str] = []
    for each in word.split("|"):
        found.extend(_values(names[each], names, column) if each in names else (each,))
    assert len(set(found)) == len(found), f"{word} names something twice"
    assert column is None or set(found) <= set(column), f"{word} names {set(found) - set(column or ())}"
    return tuple(found)
