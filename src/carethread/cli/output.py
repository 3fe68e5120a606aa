"""Answers on standard output: for people, or as one JSON document.

For people, nothing is cut or hidden, and no line folded but by the terminal itself; elsewhere than on a terminal,
nothing is coloured. What somebody wrote is printed as it was typed, indented, so that no body can look like one of
our lines.
"""

import os
import sys
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

# Wider than any table: names have at most 200 characters.
_UNLIMITED = 10_000
# After each column on a terminal; and what a column that is cut keeps at least.
_GAP = 3
_LEAST = 12


def answer(document: Struct) -> None:
    """Print a JSON document."""
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def say(*lines: str) -> None:
    """Print lines as they are."""
    for line in lines:
        print(line)


def heading(text: str) -> None:
    """Print a heading, bold on a terminal."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    print(text if plain else f"\x1b[1m{text}\x1b[0m")


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print what something is, line by line: a name, and its value. Those without a value are left out."""
    known = [(name, value) for name, value in rows if value]
    width = max(len(name) for name, _ in known)
    for name, value in known:
        print(f"{name:<{width}}  {value}")


def body(text: str) -> None:
    """Print what somebody wrote, every line of it behind four spaces."""
    for line in text.split("\n"):
        print(f"    {line}" if line else "")


def fitted(headers: Sequence[str], rows: Iterable[Sequence[str]], cut: Sequence[int]) -> None:
    """Print a table of which some columns are cut to what a terminal leaves them; elsewhere, nothing is cut.

    Where the terminal is too narrow even so, nothing is cut either, and each row is printed line by line.
    """
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 - few commands print tables
    from rich.console import Console  # noqa: PLC0415

    kept = [tuple(row) for row in rows]
    if not sys.stdout.isatty():
        table(headers, kept)
        return
    widths = [max(cell_len(cell) for cell in column) for column in zip(headers, *kept, strict=True)]
    left = Console(file=sys.stdout).width - _GAP * len(widths)
    left -= sum(width for number, width in enumerate(widths) if number not in cut)
    for done, number in enumerate(cut):
        widths[number] = min(widths[number], max(left // (len(cut) - done), _LEAST))
        left -= widths[number]
    if left < 0:
        table(headers, kept)
        return

    def fit(cell: str, width: int) -> str:
        return cell if cell_len(cell) <= width else f"{set_cell_size(cell, width - 1)}…"

    table(headers, [[fit(cell, width) for cell, width in zip(row, widths, strict=True)] for row in kept])


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; on a terminal that is too narrow for it, line by line what each row holds."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - few commands print tables
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    on_terminal = sys.stdout.isatty()
    made = Table(box=SIMPLE_HEAD if on_terminal else None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for header in headers:
        made.add_column(header, no_wrap=True)
    kept = [tuple(row) for row in rows]
    for row in kept:
        made.add_row(*(Text(cell) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=_UNLIMITED)
    if on_terminal and console.measure(made).maximum > Console(file=sys.stdout).width:
        for number, row in enumerate(kept):
            if number:
                print()
            pairs((header.capitalize(), cell) for header, cell in zip(headers, row, strict=True))
        return
    with console.capture() as captured:
        console.print(made)
    for line in captured.get().rstrip("\n").split("\n"):
        print(line.rstrip())
