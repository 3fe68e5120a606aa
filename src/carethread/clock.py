"""UTC instants in milliseconds, and where they come from.

An `Instant` is an integer: milliseconds since 1970-01-01T00:00:00Z. Its text is ISO 8601 with exactly three
decimals and a `Z`, for example `2026-01-11T14:36:15.234Z`.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

from carethread.errors import InvalidValueError

Instant = NewType("Instant", int)
Clock = Callable[[], Instant]

_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
# The last instant with a four-digit year. Earlier than 1970 nothing was recorded.
_LAST = 253_402_300_799_999


def system_clock() -> Instant:
    """Return the time now."""
    return Instant(time.time_ns() // 1_000_000)


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def format_instant(instant: Instant) -> str:
    """Write an instant as `2026-01-11T14:36:15.234Z`."""
    second, millisecond = divmod(instant, 1000)
    return f"{_second_text(second)}.{millisecond:03d}Z"


def parse_instant(text: str, field: str = "timestamp") -> Instant:
    """Read the one canonical form back.

    Raises:
        InvalidValueError: the text is anything else, a date that does not exist, or before 1970.
    """
    if _TEXT.fullmatch(text) is None:
        raise InvalidValueError(field, "is not a UTC time such as 2026-01-11T14:36:15.234Z")
    try:
        moment = datetime(
            int(text[0:4]), int(text[5:7]), int(text[8:10]),
            int(text[11:13]), int(text[14:16]), int(text[17:19]), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        raise InvalidValueError(field, "is not a time that exists") from None
    instant = int(moment.timestamp()) * 1000 + int(text[20:23])
    if not 0 <= instant <= _LAST:
        raise InvalidValueError(field, "is before 1970")
    return Instant(instant)
