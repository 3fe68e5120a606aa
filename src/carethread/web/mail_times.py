"""When a letter may go: as often as somebody wants, and never in their quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from carethread.clock import Instant
from carethread.policy.mailing import HowOften, MailWish, Quiet

_MINUTE_MS = 60_000
# What is written within a minute is told of together, also to whoever wants to know at once.
_APART_MS = {HowOften.AT_ONCE: _MINUTE_MS, HowOften.HOURLY: 60 * _MINUTE_MS, HowOften.DAILY: 0}


def due_at(wish: MailWish, zone: ZoneInfo, first: Instant, last: Instant | None) -> Instant:
    """Return when somebody is to be told of what is new since `first`; `last` is when they were told before."""
    at = first if last is None else Instant(max(first, last + _APART_MS[wish.how_often]))
    if wish.how_often is HowOften.DAILY:
        at = _next(at, wish.daily_at, zone)
    return at if wish.quiet is None or not _is_within(wish.quiet, at, zone) else _next(at, wish.quiet.ends, zone)


def _is_within(quiet: Quiet, at: Instant, zone: ZoneInfo) -> bool:
    local = _local(at, zone)
    minute = local.hour * 60 + local.minute
    if quiet.begins < quiet.ends:
        return quiet.begins <= minute < quiet.ends
    return minute >= quiet.begins or minute < quiet.ends


def _next(at: Instant, minute: int, zone: ZoneInfo) -> Instant:
    """Return the first instant, not before `at`, at which clocks in a zone show a time of day."""
    local = _local(at, zone)
    wanted = time(*divmod(minute, 60), tzinfo=zone)
    days = (datetime.combine(local.date() + timedelta(days=each), wanted) for each in range(3))
    return next(found for each in days if (found := Instant(int(each.timestamp() * 1000))) >= at)


def _local(at: Instant, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
