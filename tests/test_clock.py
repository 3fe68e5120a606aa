"""Instants and their text."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread import errors
from carethread.clock import Instant, format_instant, parse_instant, system_clock

LAST = 253_402_300_799_999


@given(st.integers(0, LAST))
def test_round_trip_and_against_the_standard_library(instant: int) -> None:
    text = format_instant(Instant(instant))
    assert parse_instant(text) == instant
    moment = datetime.fromisoformat(text)
    assert moment == datetime.fromtimestamp(instant // 1000, UTC).replace(microsecond=instant % 1000 * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-11T14:36:15Z",
        "2026-01-11T14:36:15.23Z",
        "2026-01-11T14:36:15.2345Z",
        "2026-01-11T14:36:15.234+00:00",
        "2026-01-11 14:36:15.234Z",
        "2026-02-30T14:36:15.234Z",
        "2026-01-11T24:00:00.000Z",
        "2026-01-11T23:59:60.000Z",
        "1969-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00.000Z",
        "2026-01-11T14:36:15.234Z\n",
        "٢٠٢٦-01-11T14:36:15.234Z",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="sent"):
        parse_instant(text, "sent")


def test_the_system_clock_tells_the_time() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= system_clock() <= time.time_ns() // 1_000_000
