"""Figures and what they were to reach, as one table."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

_THOUSANDS = 1000
_PRECISE = 10


class Target(Struct, frozen=True):
    """What a figure is to reach: at least so much, or at most."""

    bound: float
    at_most: bool = False

    def verdict(self, value: float, unit: str) -> str:
        """Say whether it was reached, or by how much it was missed."""
        wanted = f"{'≤' if self.at_most else '≥'} {number(self.bound)} {unit}".rstrip()
        if value <= self.bound if self.at_most else value >= self.bound:
            return f"{wanted}: reached"
        return f"{wanted}: missed by {abs(value / self.bound - 1):.0%}"


class Figure(Struct, frozen=True):
    """One row: what was measured, how often, and what it was to reach."""

    section: str
    name: str
    unit: str
    samples: tuple[float, ...]
    target: Target | None = None

    @property
    def value(self) -> float:
        """The median."""
        return median(self.samples)

    @property
    def verdict(self) -> str:
        """What to say beside it."""
        return "" if self.target is None else self.target.verdict(self.value, self.unit)


class Figures:
    """All figures of a run, in order."""

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Figure] = []

    def add(self, section: str, name: str, unit: str, samples: Sequence[float], target: Target | None = None) -> None:
        """Add a figure, unless there was nothing to measure."""
        if samples:
            self.all.append(Figure(section, name, unit, tuple(samples), target))

    def value(self, section: str, name: str) -> float | None:
        """Return the median of a figure that was measured."""
        return next((each.value for each in self.all if (each.section, each.name) == (section, name)), None)

    def add_ratio(
        self,
        section: str,
        name: str,
        over: tuple[str, str],
        under: tuple[str, str],
        target: Target | None = None,
    ) -> None:
        """Add how many times one figure is another, both given as section and name, if both were measured."""
        above, below = self.value(*over), self.value(*under)
        if above is not None and below:
            self.add(section, name, "×", [above / below], target)


def number(value: float) -> str:
    """Write a number with three digits or so."""
    if abs(value) >= _THOUSANDS:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 10 * _PRECISE else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """Return all figures as one Markdown table."""
    head = ("what", "median", "min – max", "target")
    rows = [
        (
            f"{each.section}: {each.name}",
            f"{number(each.value)} {each.unit}",
            f"{number(min(each.samples))} – {number(max(each.samples))}" if len(each.samples) > 1 else "",
            each.verdict,
        )
        for each in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        " | ".join(cell.rjust(width) if column in {1, 2} else cell.ljust(width)
                   for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in (head, *rows)
    ]  # fmt: skip
    rule = ["-" * width if column in {0, 3} else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    lines.insert(1, " | ".join(rule))
    return "\n".join(f"| {line} |" for line in lines)
