"""Links to a next page: of one search, by nobody else, and telling nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir.outcome import RefusedError
from carethread.fhir.paging import Signer, link
from carethread.fhir.queries import Pairs

PAIRS: Pairs = (("recipient", "Organization/Pharmacy-A"), ("_count", "2"))
SIGNER = Signer(bytes(range(32)))
NOT_OURS = "is not a link of this search"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.tuples(st.text("ab"), st.text("ab"))))
def test_a_place_comes_back_and_is_not_to_be_read(place: str, pairs: list[tuple[str, str]]) -> None:
    sealed = SIGNER.sign("Communication", tuple(pairs), place)
    assert SIGNER.open("Communication", tuple(pairs), sealed) == place
    assert sealed == SIGNER.sign("Communication", tuple(pairs), place)
    assert not place or place not in sealed or len(place) < 4


def test_no_place_is_the_beginning() -> None:
    assert SIGNER.open("Communication", PAIRS, "") == ""


@pytest.mark.parametrize(
    ("path", "pairs", "signer"),
    [
        ("CommunicationRequest", PAIRS, SIGNER),
        ("Communication", PAIRS[:1], SIGNER),
        ("Communication", (("recipient", "Organization/Pharmacy-A\0_count"), ("2", "")), SIGNER),
        ("Communication", PAIRS, Signer(bytes(32))),
    ],
)
def test_a_link_of_another_search_or_installation(path: str, pairs: Pairs, signer: Signer) -> None:
    sealed = SIGNER.sign("Communication", PAIRS, "1234.5")
    with pytest.raises(RefusedError, match=NOT_OURS):
        signer.open(path, pairs, sealed)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda raw: raw.hex())))
def test_a_link_that_somebody_made_up(cursor: str) -> None:
    if cursor:
        with pytest.raises(RefusedError, match=NOT_OURS):
            SIGNER.open("Communication", PAIRS, cursor)


def test_one_changed_letter() -> None:
    sealed = SIGNER.sign("Communication", PAIRS, "1234.5")
    for at in range(len(sealed) - 1):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(RefusedError, match=NOT_OURS):
            SIGNER.open("Communication", PAIRS, sealed[:at] + other + sealed[at + 1 :])


def test_a_link_keeps_what_values_are_made_of() -> None:
    shown = link("https://care.example/fhir", "Communication", [*PAIRS, ("identifier", "urn:x|a b&c")], "abc")
    assert shown == (
        "https://care.example/fhir/Communication?recipient=Organization/Pharmacy-A&_count=2"
        "&identifier=urn:x|a%20b%26c&_cursor=abc"
    )
    assert link("b", "Communication", []) == "b/Communication"
