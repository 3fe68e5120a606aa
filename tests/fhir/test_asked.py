"""Headers: what they ask for, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir.asked import (
    Asked,
    Preferences,
    check_accepts,
    check_is_json,
    read_headers,
    read_if_match,
    read_path,
    read_preferences,
    read_request_id,
)
from carethread.fhir.outcome import RefusedError


def test_a_header_that_comes_twice_is_put_together() -> None:
    pairs = [(b"prefer", b"return=minimal"), (b"x", b"\xe9"), (b"prefer", b"handling=lenient")]
    assert read_headers(pairs) == {"prefer": "return=minimal, handling=lenient", "x": "é"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", Preferences()),
        ("return=minimal", Preferences("minimal")),
        ("return=OperationOutcome; handling=lenient", Preferences("OperationOutcome", lenient=True)),
        ('return="representation", handling="strict"', Preferences()),
        ("respond-async, wait=10", Preferences()),
        ("return=minimal, return=representation", Preferences("minimal")),
        ("Handling=lenient", Preferences(lenient=True)),
    ],
)
def test_preferences(text: str, said: Preferences) -> None:
    assert read_preferences(text) == said


@pytest.mark.parametrize("text", ["return=nothing", "handling=somehow", "return", "return=Minimal"])
def test_preferences_that_cannot_be(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        read_preferences(text)
    assert refusal.value.status == 400


def test_if_match_names_a_version() -> None:
    assert read_if_match("") is None
    assert read_if_match('W/"3"') == 3
    assert read_if_match(' "12" ') == 12


@pytest.mark.parametrize("text", ["3", "*", 'W/"x"', 'W/"1", W/"2"', 'w/"1"', '""', 'W/"1234567890"'])
def test_if_match_that_names_none(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        read_if_match(text)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        "", "*/*", "application/fhir+json", "application/json", "application/fhir+json; fhirVersion=4.0", "text/json",
        "text/html, application/xhtml+xml, */*;q=0.8", "application/fhir+xml, application/fhir+json;q=0.5",
        "application/fhir+json;charset=UTF-8", "Application/JSON",
    ],
)  # fmt: skip
def test_who_takes_what_is_answered(text: str) -> None:
    check_accepts(text)


@pytest.mark.parametrize(
    "text",
    ["application/fhir+xml", "text/html", "application/fhir+json;fhirVersion=5.0", "application/json;q=0", "*/*;q=0.0"],
)
def test_who_does_not(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_accepts(text)
    assert refusal.value.status == 406


def _asked(content_type: str) -> Asked:
    return Asked(method="POST", path="Communication", headers={"content-type": content_type})


@pytest.mark.parametrize(
    "text", ["application/fhir+json", "application/json; charset=utf-8", 'APPLICATION/FHIR+JSON;charset="utf-8"']
)
def test_a_resource_is_json(text: str) -> None:
    check_is_json(_asked(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text/plain",
        "application/fhir+xml",
        "application/json;charset=latin-1",
        "application/fhir+json;fhirVersion=3.0",
    ],
)
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_is_json(_asked(text))
    assert refusal.value.status == 415


def test_a_request_id_can_stand_in_a_log() -> None:
    assert read_request_id("4a-B_c.9") == "4a-B_c.9"
    for each in ("", "a b", "x" * 65, "a\n", "é", 'a"'):
        assert read_request_id(each) is None


def test_a_path_is_text() -> None:
    assert read_path(b"Communication/a%2Db") == "Communication/a-b"
    for each in (b"a%00", b"a%0a", b"a%ff", b"a\xff", b"a%5Cb"):
        assert read_path(each) is None


@given(st.text(max_size=60))
def test_whatever_headers_say(text: str) -> None:
    for read in (read_preferences, read_if_match, check_accepts, lambda each: check_is_json(_asked(each))):
        status = 400
        try:
            read(text)
        except RefusedError as refusal:
            status = refusal.status
        assert status in {400, 406, 415}
