"""What time it is while the region is played, and which ids are minted."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from carethread.clock import Instant
from carethread.errors import InvalidValueError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AT = re.compile(
    rf"(?:(?P<weeks>-[0-9]{{1,2}}) (?P<day>{'|'.join(_DAYS)}) )?(?P<hour>[0-9]{{2}}):(?P<minute>[0-9]{{2}})"
    r"|-(?P<ago>[0-9]{1,3})m",
    re.ASCII,
)
_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE


class Stage:
    """The clock and the ids of an installation while the region is played in it: the same each time."""

    def __init__(self, now: Instant) -> None:
        """Begin long before `now`, with whatever is made first."""
        self.now = now
        self.enter("-30 mon 06:00", "installation")

    def enter(self, at: str, scene: str) -> None:
        """Go to a time, as `time_of` reads it, and to a scene; the ids that are minted in it are its own."""
        self.enter_at(time_of(at, self.now), scene)

    def enter_at(self, instant: Instant, scene: str) -> None:
        """Likewise, to an instant."""
        self._instant, self._scene, self._minted = instant, scene, 0

    def clock(self) -> Instant:
        """Return the time, which stands still in a scene."""
        return self._instant

    def mint(self) -> UUID:
        """Return the next id of the scene."""
        self._minted += 1
        return UUID(bytes=_digest(f"{self._scene} {self._minted}")[:16], version=4)


def time_of(at: str, now: Instant, before: Instant | None = None) -> Instant:
    """Return when something happens, to the minute, in UTC.

    | text | time |
    |---|---|
    | `-3 tue 14:05` | on Tuesday three weeks before the week of `now` |
    | `14:05` | on the day of `before` |
    | `-25m` | twenty-five minutes before `now` |

    So a Tuesday is a Tuesday whenever the region is made, and nobody works at night.

    Raises:
        InvalidValueError: the text is none of these.
    """
    found = _AT.fullmatch(at)
    if found is None:
        raise InvalidValueError("at", f"{at!r} is none of `-3 tue 14:05`, `14:05` and `-25m`")
    if found["ago"] is not None:
        return Instant(now // _MINUTE * _MINUTE - int(found["ago"]) * _MINUTE)
    if found["weeks"] is not None:
        today = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        back = timedelta(days=_DAYS.index(found["day"]) - today.weekday(), weeks=int(found["weeks"]))
        midnight = int((today + back).timestamp()) * 1000
    elif before is not None:
        midnight = before // _DAY * _DAY
    else:
        raise InvalidValueError("at", f"{at!r} names no day, and nothing came before it")
    return Instant(midnight + (int(found["hour"]) * 60 + int(found["minute"])) * _MINUTE)


def within_minute(scene: str) -> int:
    """Return at which millisecond of its minute something happens: people do not write at full minutes."""
    return int.from_bytes(_digest(scene)[:4]) % _MINUTE


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
