"""FHIR's dates and times, and the half-open periods of the directory.

FHIR's `end` is inclusive, to its precision: a period that ends on a date includes that day, one that ends in a second
includes that second (https://hl7.org/fhir/R4/datatypes.html#Period). Dates are in UTC. A start before
the year 1 and an end after 9999 are open.
"""

import re
from datetime import MAXYEAR, UTC, datetime, timedelta

from carethread.clock import Instant
from carethread.directory.model import Period
from carethread.errors import DirectoryError

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all arithmetic here is in UTC
_FIRST, _LAST = datetime(1, 1, 1) - _EPOCH, datetime(9999, 12, 31, 23, 59, 59, 999000) - _EPOCH  # noqa: DTZ001
_MONTHS = 12
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_OFFSET = timedelta(hours=14)


def read_date(text: str, path: str) -> str:
    """Return a date, perhaps only of a year or month, as it is written.

    Raises:
        DirectoryError: it is not one, or does not exist.
    """
    if _DATE.fullmatch(text) is None:
        raise DirectoryError(path, "is not a date such as 1956-05-27")
    _span(text, path)
    return text


def read_period(start: str | None, end: str | None, path: str) -> Period:
    """Return a period.

    Raises:
        DirectoryError: a date or time is malformed or does not exist, or the end lies before the start.
    """
    first = None if start is None else _span(start, f"{path}.start")[0]
    after = None if end is None else _span(end, f"{path}.end")[1]
    if (first is not None and first > _LAST) or (after is not None and after <= _FIRST):
        raise DirectoryError(path, "lies outside the years 1 to 9999")
    period = Period(
        None if first is None or first < _FIRST else Instant(first // _MILLISECOND),
        None if after is None or after > _LAST else Instant(after // _MILLISECOND),
    )
    if period.start is not None and period.end is not None and period.end <= period.start:
        raise DirectoryError(path, "ends before it begins")
    return period


def write_start(instant: Instant) -> str:
    """Return the start of a period as FHIR has it."""
    moment = datetime.fromtimestamp(0, UTC) + instant * _MILLISECOND
    # strftime leaves out the zeros of early years.
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_end(instant: Instant) -> str:
    """Return the end of a half-open period as FHIR has it: its last millisecond."""
    return write_start(Instant(instant - 1))


def _span(text: str, path: str) -> tuple[timedelta, timedelta]:
    """Return the first instant of a date or time, and the first one after it."""
    date, time = _DATE.fullmatch(text), _TIME.fullmatch(text)
    try:
        if date is not None:
            month, day = (None if each is None else int(each) for each in date.groups()[1:])
            return _days(int(date[1]), month, day)
        if time is not None:
            return _second(time)
    except ValueError:
        raise DirectoryError(path, "is not a date or time that exists") from None
    raise DirectoryError(path, "is not a date or time such as 2026-01-11 or 2026-01-11T14:36:15Z")


def _days(year: int, month: int | None, day: int | None) -> tuple[timedelta, timedelta]:
    first = datetime(year, month or 1, day or 1) - _EPOCH  # noqa: DTZ001
    if day is not None:
        return first, first + timedelta(days=1)
    if month is None or month == _MONTHS:
        return first, _LAST + _MILLISECOND if year == MAXYEAR else datetime(year + 1, 1, 1) - _EPOCH  # noqa: DTZ001
    return first, datetime(year, month + 1, 1) - _EPOCH  # noqa: DTZ001


def _second(found: re.Match[str]) -> tuple[timedelta, timedelta]:
    year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    local = datetime(year, month, day, hour, minute, second) - _EPOCH  # noqa: DTZ001
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset > _LONGEST_OFFSET:
            raise ValueError
        local -= offset if sign == "+" else -offset
    if fraction is None:
        return local, local + timedelta(seconds=1)
    local += int(fraction[:3].ljust(3, "0")) * _MILLISECOND
    return local, local + _MILLISECOND
