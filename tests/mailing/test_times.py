"""When letters go: by the clock of whoever gets them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.policy.mailing import MINUTES_A_DAY, HowOften, MailWish, Quiet
from carethread.web.mail_times import due_at

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHT = Quiet(22 * 60, 7 * 60)
NOON = Quiet(12 * 60, 13 * 60)


def at(text: str) -> Instant:
    """Return an instant from what clocks in Amsterdam show."""
    return Instant(int(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).timestamp() * 1000))


@pytest.mark.parametrize(
    "often, quiet, first, last, due",
    [
        ("at_once", None, "2026-03-02 10:00", None, "2026-03-02 10:00"),
        ("at_once", None, "2026-03-02 10:00", "2026-03-02 09:00", "2026-03-02 10:00"),
        ("at_once", None, "2026-03-02 10:00:10", "2026-03-02 10:00", "2026-03-02 10:01"),
        ("hourly", None, "2026-03-02 10:10", None, "2026-03-02 10:10"),
        ("hourly", None, "2026-03-02 10:10", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("daily", None, "2026-03-02 07:59", "2026-03-01 08:00", "2026-03-02 08:00"),
        ("daily", None, "2026-03-02 08:00", None, "2026-03-02 08:00"),
        ("daily", None, "2026-03-02 08:01", "2026-03-02 08:00", "2026-03-03 08:00"),
        ("daily", Quiet(420, 540), "2026-03-02 07:59", None, "2026-03-02 09:00"),
        ("at_once", NIGHT, "2026-03-02 21:59", None, "2026-03-02 21:59"),
        ("at_once", NIGHT, "2026-03-02 22:00", None, "2026-03-03 07:00"),
        ("at_once", NIGHT, "2026-03-03 06:59", None, "2026-03-03 07:00"),
        ("at_once", NIGHT, "2026-03-03 07:00", None, "2026-03-03 07:00"),
        ("at_once", NOON, "2026-03-03 12:30", None, "2026-03-03 13:00"),
        ("at_once", NOON, "2026-03-03 13:00", None, "2026-03-03 13:00"),
        # The night in which clocks go forward, and the one in which they go back.
        ("at_once", NIGHT, "2026-03-28 23:00", None, "2026-03-29 07:00"),
        ("at_once", NIGHT, "2026-10-24 23:00", None, "2026-10-25 07:00"),
    ],
)
def test_by_the_clock(often: str, quiet: Quiet | None, first: str, last: str | None, due: str) -> None:
    wish = MailWish("a@b.example", HowOften(often), quiet=quiet)
    assert due_at(wish, AMSTERDAM, at(first), None if last is None else at(last)) == at(due)


@given(
    st.sampled_from(HowOften),
    st.integers(0, MINUTES_A_DAY - 1),
    st.tuples(st.integers(0, MINUTES_A_DAY - 1), st.integers(0, MINUTES_A_DAY - 1)).filter(lambda x: x[0] != x[1]),
    st.sampled_from(["Europe/Amsterdam", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"]),
    st.integers(1_200_000_000_000, 1_900_000_000_000),
)
def test_never_before_it_happened_and_within_two_days(
    often: HowOften, daily: int, quiet: tuple[int, int], zone: str, first: int
) -> None:
    wish = MailWish("a@b.example", often, daily, Quiet(*quiet))
    due = due_at(wish, ZoneInfo(zone), Instant(first), None)
    assert first <= due <= first + 3 * 86_400_000
