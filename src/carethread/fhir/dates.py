"""PURE: dates in searches: a prefix and as much of a date as is known, as intervals of instants.

A date is as long as it is exact: `2026-01` is all of January. What is compared here are instants, so that `eq` asks
whether one is within, and each prefix comes to one interval, `ne` to two.
https://hl7.org/fhir/R4/search.html#date
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from msgspec import Struct

from carethread.clock import Instant

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d\d:[0-5]\d)?)?)?)?",
    re.ASCII,
)
_LAST = Instant(253_402_300_800_000)  # where the year 10000 begins


class Span(Struct, frozen=True):
    """From `since` until before `until`; left out, from or for ever."""

    since: Instant | None = None
    until: Instant | None = None


def read_date(text: str) -> tuple[Span, ...] | None:
    """Return the intervals a value asks for; `None` if it is no date, or its prefix is none we know."""
    found = _DATE.fullmatch(text)
    prefix = "eq" if found is None else found["prefix"] or "eq"
    if found is None or prefix not in PREFIXES:
        return None
    bounds = _bounds(found)
    if bounds is None:
        return None
    first, after = bounds
    return {
        "eq": (Span(first, after),),
        "ne": (Span(None, first), Span(after, None)),
        "gt": (Span(after, None),),
        "sa": (Span(after, None),),
        "lt": (Span(None, first),),
        "eb": (Span(None, first),),
        "ge": (Span(first, None),),
        "le": (Span(None, after),),
    }[prefix]


def _bounds(found: re.Match[str]) -> tuple[Instant, Instant] | None:
    """Return the first instant, and the first one after."""
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    try:
        start = datetime(
            year, month, day, int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0),
            tzinfo=_zone(found["zone"]),
        )  # fmt: skip
    except ValueError:
        return None
    first = int(start.timestamp()) * 1000
    if found["fraction"] is not None:
        # What is recorded is exact to the millisecond.
        first += int(found["fraction"].ljust(3, "0")[:3])
        length = 10 ** max(0, 3 - len(found["fraction"]))
        return Instant(first), Instant(first + length)
    if found["second"] is not None:
        return Instant(first), Instant(first + 1000)
    if found["minute"] is not None:
        return Instant(first), Instant(first + 60_000)
    return Instant(first), _after(found, start)


def _after(found: re.Match[str], start: datetime) -> Instant:
    if found["day"] is not None:
        return Instant(int(start.timestamp()) * 1000 + 86_400_000)
    if found["month"] is not None and start.month < 12:  # noqa: PLR2004 - December
        return Instant(int(start.replace(month=start.month + 1).timestamp()) * 1000)
    last_year = 9999
    return (
        _LAST
        if start.year == last_year
        else Instant(int(datetime(start.year + 1, 1, 1, tzinfo=UTC).timestamp()) * 1000)
    )


def _zone(text: str | None) -> timezone:
    """Return a time zone. Where none is given, it is UTC, as in everything recorded."""
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))
