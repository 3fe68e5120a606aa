"""PURE: in what two patients are so alike that one could be taken for the other."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from carethread.directory.matching import plain_words
from carethread.directory.model import Patient

# Names of so many letters are a slip apart when two of them differ; shorter ones when one does.
_LONG = 8
_SHORTEST = 3
# Of a whole name.
_MOST_SLIPS = 2
_MOST_WORDS = 8
_DIGITS = "0123456789"
_DAY_PRECISION = len("1956-05-27")


class Alike(StrEnum):
    """In what two patients are alike."""

    SAME_NAME = "same_name"  # case, accents and the order of names aside
    SIMILAR_NAME = "similar_name"  # but for a letter or two, or a name that only one of them has
    SAME_BIRTH_DATE = "same_birth_date"
    SIMILAR_BIRTH_DATE = "similar_birth_date"  # but for a digit or a day, or with day and month the other way round


_WEIGHTS = {Alike.SAME_NAME: 4, Alike.SIMILAR_NAME: 3, Alike.SAME_BIRTH_DATE: 2, Alike.SIMILAR_BIRTH_DATE: 1}


def alike(one: Patient, other: Patient) -> frozenset[Alike]:
    """Return in what two patients are alike; nothing where they could not be taken for each other.

    A name that is the same or similar suffices, and so does the same date of birth; a similar date of birth together
    with a name in common.
    """
    names, others = plain_words(one.name)[:_MOST_WORDS], plain_words(other.name)[:_MOST_WORDS]
    found = set()
    if sorted(names) == sorted(others):
        found.add(Alike.SAME_NAME)
    elif _similar(names, others):
        found.add(Alike.SIMILAR_NAME)
    if one.birth_date is not None and one.birth_date == other.birth_date:
        found.add(Alike.SAME_BIRTH_DATE)
    elif one.birth_date is not None and other.birth_date in similar_dates(one.birth_date):
        found.add(Alike.SIMILAR_BIRTH_DATE)
    in_common = {each for each in names if len(each) >= _SHORTEST}.intersection(others)
    return frozenset() if found == {Alike.SIMILAR_BIRTH_DATE} and not in_common else frozenset(found)


def weight(found: frozenset[Alike]) -> int:
    """Return how much that is, to put the most alike first."""
    return sum(_WEIGHTS[each] for each in found)


def _similar(names: Sequence[str], others: Sequence[str]) -> bool:
    """Say whether each name of whoever has fewer is one of the other's, but for a slip or two."""
    fewer, more = sorted((names, others), key=len)
    # A single name in common is no similar name where the other has several.
    if len(fewer) < min(2, len(more)):
        return False
    return _slips(tuple(fewer), tuple(more), _MOST_SLIPS) is not None


def _slips(fewer: tuple[str, ...], more: tuple[str, ...], most: int) -> int | None:
    """Return how many slips lie between names, in whatever order; nothing if more than `most`."""
    if not fewer:
        return 0
    found: int | None = None
    for number, each in enumerate(more):
        own = _slip(fewer[0], each)
        limit = most if found is None else found - 1
        if own > limit:
            continue
        rest = _slips(fewer[1:], more[:number] + more[number + 1 :], limit - own)
        if rest is not None:
            found = own + rest
    return found


def _slip(one: str, other: str) -> int:
    """Return how many letters are added, left out, changed or exchanged; more than `_MOST_SLIPS` if too many."""
    shorter = min(len(one), len(other))
    allowed = 2 if shorter >= _LONG else 1 if shorter >= _SHORTEST else 0
    # In Dutch names the two are one letter: Meijer, Meyer.
    found = distance(one.replace("ij", "y"), other.replace("ij", "y"), allowed)
    return found if found <= allowed else _MOST_SLIPS + 1


def distance(one: str, other: str, most: int) -> int:
    """Return how many letters must be added, left out, changed, or exchanged with the next; `most` + 1 if more.

    >>> distance("jansen", "janssen", 2), distance("doe", "deo", 1), distance("meijer", "bakker", 2)
    (1, 1, 3)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, last, row = row, before, [number]
        for place, opposite in enumerate(other, 1):
            steps = min(row[-1] + 1, before[place] + 1, before[place - 1] + (letter != opposite))
            exchanged = number > 1 and place > 1 and letter == other[place - 2] and one[number - 2] == opposite
            row.append(min(steps, last[place - 2] + 1) if exchanged else steps)
        if min(*row, *before) > most:
            return most + 1
    return min(row[-1], most + 1)


@lru_cache(maxsize=64)  # one patient is compared with hundreds
def similar_dates(written: str) -> frozenset[str]:
    """Return the days that could be taken for one: a day off, a digit off, or day and month the other way round.

    Of a month or a year alone there are none.

    >>> sorted(similar_dates("1956-05-07"))[-1], "1956-07-05" in similar_dates("1956-05-07")
    ('9956-05-07', True)
    """
    if len(written) != _DAY_PRECISION:
        return frozenset()
    day = date.fromisoformat(written)
    found = {
        f"{written[:place]}{digit}{written[place + 1 :]}"
        for place in range(_DAY_PRECISION)
        for digit in _DIGITS
        if written[place] in _DIGITS
    }
    found.add(f"{written[:5]}{written[8:]}-{written[5:7]}")
    found |= {(day + timedelta(days)).isoformat() for days in (-1, 1) if date.min < day < date.max}
    return frozenset(each for each in found if _is_day(each)) - {written}


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
