"""In what two patients are alike: told apart by hand."""

import pytest

from carethread.directory.likeness import Alike, alike, distance, similar_dates, weight
from carethread.directory.model import Patient
from carethread.ids import ClinicalId
from tests.people import person


def patient(name: str, born: str | None = None) -> Patient:
    return Patient(person(1), "x", name, ClinicalId(person(2)), birth_date=born)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("John Doe", "john  doe"),
        ("John Doe", "Doe, John"),
        ("Zoë de Vries-Jansen", "JANSEN de Vries Zoe"),
        ("Madonna", "madonna"),
    ],
)
def test_the_same_name(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        assert alike(patient(first), patient(second)) == {Alike.SAME_NAME}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jan Jansen", "Jan Janssen"),
        ("Jan Jansen", "Jan Jnasen"),
        ("Kees de Vries", "Cees de Vries"),
        ("Anna Meijer", "Anna Meyer"),
        ("Christina Doe", "Christine Doe"),
        ("John Doe", "John Albert Doe"),
        ("Meyer Anna", "Anne Meyer"),
        ("Jan Bos", "Jon Vos"),
        ("Madonna", "Madona"),
    ],
)
def test_a_similar_name(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        assert alike(patient(first), patient(second)) == {Alike.SIMILAR_NAME}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("John Doe", "Jane Roe"),
        ("John Doe", "John Smith"),
        ("John", "John Doe"),
        ("Wu Li", "Wu Lo"),
        ("Jan Bos Kat", "Jon Vos Kar"),
        ("Jansen", "Pietersen"),
        ("John Doe", ""),
    ],
)
def test_another_name(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        assert alike(patient(first), patient(second)) == frozenset()


def test_the_same_date_of_birth_suffices() -> None:
    assert alike(patient("John Doe", "1956-05-27"), patient("Ann Lee", "1956-05-27")) == {Alike.SAME_BIRTH_DATE}
    assert alike(patient("John Doe", "1956"), patient("Ann Lee", "1956")) == {Alike.SAME_BIRTH_DATE}


@pytest.mark.parametrize("born", ["1956-05-28", "1956-05-17", "1965-05-27", "1956-06-27", "1956-05-26"])
def test_a_similar_date_of_birth_with_a_name_in_common(born: str) -> None:
    expected = {Alike.SIMILAR_BIRTH_DATE} if born != "1965-05-27" else set()
    assert alike(patient("John Doe", "1956-05-27"), patient("Ann Doe", born)) == expected
    assert alike(patient("John Doe", "1956-05-27"), patient("Ann Lee", born)) == frozenset()
    # Too short to be one.
    assert alike(patient("John de", "1956-05-27"), patient("Ann de", born)) == frozenset()


def test_a_date_that_is_not_known_is_like_no_other() -> None:
    assert alike(patient("John Doe"), patient("Ann Doe")) == frozenset()
    assert alike(patient("John Doe", "1956-05-27"), patient("Ann Doe")) == frozenset()


def test_days_that_are_mistaken() -> None:
    found = similar_dates("1956-05-07")
    assert {"1956-07-05", "1956-05-06", "1956-05-08", "1946-05-07", "1956-05-17"} <= found
    assert "1956-05-07" not in found
    assert similar_dates("1956-05") == similar_dates("1956") == frozenset()
    # A day that does not exist, or none before it.
    assert "1956-27-05" not in similar_dates("1956-05-27")
    assert similar_dates("0001-01-01")
    assert similar_dates("9999-12-31")


def test_the_most_alike_come_first() -> None:
    same = frozenset({Alike.SAME_NAME, Alike.SAME_BIRTH_DATE})
    order = [
        same,
        frozenset({Alike.SAME_NAME, Alike.SIMILAR_BIRTH_DATE}),
        frozenset({Alike.SAME_NAME}),
        frozenset({Alike.SIMILAR_NAME}),
        frozenset({Alike.SAME_BIRTH_DATE}),
        frozenset({Alike.SIMILAR_BIRTH_DATE}),
    ]
    assert sorted(order, key=weight, reverse=True) == order


def _by_hand(one: str, other: str) -> int:
    """Return the same distance, by trying everything."""
    if not one or not other:
        return len(one) + len(other)
    found = min(
        _by_hand(one[1:], other) + 1, _by_hand(one, other[1:]) + 1, _by_hand(one[1:], other[1:]) + (one[0] != other[0])
    )
    if one[:2] == other[1::-1] and len(one) > 1 and len(other) > 1:
        found = min(found, _by_hand(one[2:], other[2:]) + 1)
    return found


@pytest.mark.parametrize("most", [0, 1, 2])
def test_the_distance_is_that_of_trying_everything(most: int) -> None:
    words = ("", "a", "ab", "ba", "abc", "acb", "bac", "abcd", "badc", "dcba", "xaby", "abab", "baba")
    for one in words:
        for other in words:
            assert distance(one, other, most) == min(_by_hand(one, other), most + 1), (one, other)
