"""Dates in searches, by a table and against a naive reading of R4."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.fhir.dates import PREFIXES, Span, read_date


def at(*parts: int, ms: int = 0) -> Instant:
    return Instant(int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000 + ms)  # type: ignore[arg-type, misc]


DAY = (at(2026, 1, 11), at(2026, 1, 12))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("2026-01-11", [DAY]),
        ("eq2026-01-11", [DAY]),
        ("ne2026-01-11", [(None, DAY[0]), (DAY[1], None)]),
        ("gt2026-01-11", [(DAY[1], None)]),
        ("sa2026-01-11", [(DAY[1], None)]),
        ("lt2026-01-11", [(None, DAY[0])]),
        ("eb2026-01-11", [(None, DAY[0])]),
        ("ge2026-01-11", [(DAY[0], None)]),
        ("le2026-01-11", [(None, DAY[1])]),
        ("2026", [(at(2026, 1, 1), at(2027, 1, 1))]),
        ("9999", [(at(9999, 1, 1), at(9999, 12, 31) + 86_400_000)]),
        ("2026-02", [(at(2026, 2, 1), at(2026, 3, 1))]),
        ("2026-12", [(at(2026, 12, 1), at(2027, 1, 1))]),
        ("2024-02-29", [(at(2024, 2, 29), at(2024, 3, 1))]),
        ("2026-01-11T14:36Z", [(at(2026, 1, 11, 14, 36), at(2026, 1, 11, 14, 37))]),
        ("2026-01-11T14:36", [(at(2026, 1, 11, 14, 36), at(2026, 1, 11, 14, 37))]),
        ("2026-01-11T14:36:15Z", [(at(2026, 1, 11, 14, 36, 15), at(2026, 1, 11, 14, 36, 16))]),
        ("2026-01-11T14:36:15+01:00", [(at(2026, 1, 11, 13, 36, 15), at(2026, 1, 11, 13, 36, 16))]),
        ("2026-01-11T14:36:15-05:30", [(at(2026, 1, 11, 20, 6, 15), at(2026, 1, 11, 20, 6, 16))]),
        ("2026-01-11T14:36:15.2Z", [(at(2026, 1, 11, 14, 36, 15, ms=200), at(2026, 1, 11, 14, 36, 15, ms=300))]),
        ("2026-01-11T14:36:15.234Z", [(at(2026, 1, 11, 14, 36, 15, ms=234), at(2026, 1, 11, 14, 36, 15, ms=235))]),
        ("2026-01-11T14:36:15.234567Z", [(at(2026, 1, 11, 14, 36, 15, ms=234), at(2026, 1, 11, 14, 36, 15, ms=235))]),
    ],
)
def test_a_date_is_as_long_as_it_is_exact(text: str, spans: list[tuple[int | None, int | None]]) -> None:
    assert read_date(text) == tuple(Span(*each) for each in spans)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "", "eq", "ap2026", "xx2026", "26", "2026-1", "2026-13", "2026-02-30", "0000", "2026-01-11T14",
        "2026-01-11T24:00Z", "2026-01-11T14:36:15.Z", "2026-01-11 14:36", "2026-01-11T14:36:15 01:00",
        "2026-01-11T14:36+99:00", "2026-01-11T14:36+01:60", "２０２６", "2026Z", "2026-01-11Z", "2026-01-11T14:36:61Z",
        "GE2026",
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


@given(
    st.sampled_from(PREFIXES),
    st.integers(at(2025, 12, 30), at(2026, 2, 2)),
    st.integers(1, 31),
)
def test_prefixes_mean_what_r4_says(prefix: str, moment: int, day: int) -> None:
    first, after = at(2026, 1, day), at(2026, 1, day) + 86_400_000
    spans = read_date(f"{prefix}2026-01-{day:02}")
    assert spans is not None
    found = any((s.since is None or s.since <= moment) and (s.until is None or moment < s.until) for s in spans)
    expected = {
        "eq": first <= moment < after,
        "ne": not first <= moment < after,
        "gt": moment >= after,
        "sa": moment >= after,
        "lt": moment < first,
        "eb": moment < first,
        "ge": moment >= first,
        "le": moment < after,
    }[prefix]
    assert found is expected


@given(st.text(max_size=40))
def test_nothing_breaks_it(text: str) -> None:
    read_date(text)
