"""Answers: whole, as a part, with line breaks, packed; and links that nobody makes up."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.fhir.answers import SMALLEST_PACKED, Answer, finished, of_resource, of_value
from carethread.fhir.outcome import RefusedError
from carethread.fhir.paging import Signer, link
from carethread.fhir.shape import Shape, shaped

MESSAGE = {
    "resourceType": "Communication",
    "id": "msg-1",
    "meta": {"versionId": "1", "tag": [{"code": "corrected"}]},
    "text": {"status": "generated"},
    "status": "completed",
    "sent": "2026-01-11T14:36:15.234Z",
    "_sent": {"extension": []},
    "sender": {"reference": "Practitioner/A1"},
    "payload": [{"contentString": "Yes"}],
}
ENCODED = msgspec.json.encode(MESSAGE)


def names(shape: Shape) -> set[str]:
    return set(msgspec.json.decode(shaped(ENCODED, shape)))


def test_a_whole_resource_stays_as_it_is() -> None:
    assert shaped(ENCODED, Shape()) is ENCODED
    assert shaped(ENCODED, Shape(summary="false")) is ENCODED


def test_a_part_has_what_was_asked_for_and_what_is_mandatory() -> None:
    always = {"resourceType", "id", "meta", "status"}
    assert names(Shape(elements=frozenset({"sent"}))) == always | {"sent", "_sent"}
    assert names(Shape(summary="true")) == always | {"sent", "_sent", "sender"}
    assert names(Shape(summary="text")) == always | {"text"}
    assert names(Shape(summary="data")) == set(MESSAGE) - {"text"}


def test_a_part_says_that_it_is_one() -> None:
    part = msgspec.json.decode(shaped(ENCODED, Shape(summary="data")))
    assert [each["code"] for each in part["meta"]["tag"]] == ["corrected", "SUBSETTED"]
    bare = msgspec.json.decode(shaped(b'{"resourceType":"Group","id":"1"}', Shape(summary="true")))
    assert bare["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_a_resource_says_its_version_and_when_it_became_so() -> None:
    answer = of_resource(
        ENCODED, status=201, version="3", updated=Instant(1768142175234), location="/x", shape=Shape(pretty=True)
    )
    assert answer.headers == {
        "ETag": 'W/"3"',
        "Last-Modified": "Sun, 11 Jan 2026 14:36:15 GMT",
        "Location": "/x",
    }
    _, body = finished(answer, "", "id")
    assert body.startswith(b'{\n  "resourceType"')


LONG = of_value({"resourceType": "Bundle", "x": "y" * SMALLEST_PACKED})


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True), ("deflate, gzip;q=0.5", True), ("*", True), ("gzip;q=1", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.0", False), ("br", False),
    ],
)  # fmt: skip
def test_what_is_long_is_packed_for_who_takes_it(accepted: str, packed: bool) -> None:
    headers, body = finished(LONG, accepted, "id")
    found = dict(headers)
    assert found[b"vary"] == b"Accept-Encoding"
    assert found[b"content-length"] == str(len(body)).encode()
    assert (found.get(b"content-encoding") == b"gzip") is packed
    assert (zlib.decompress(body, 31) if packed else body) == LONG.body


def test_no_answer_is_kept_or_guessed_at() -> None:
    headers, _ = finished(Answer(), "gzip", "request-1")
    found = dict(headers)
    assert found[b"cache-control"] == b"no-store"
    assert found[b"x-content-type-options"] == b"nosniff"
    assert found[b"x-request-id"] == b"request-1"
    assert b"content-type" not in found


SIGNER = Signer(b"k" * 32)
PAIRS = (("sent", "ge2026"), ("status", "completed"))


def test_a_place_comes_back_in_its_own_search_alone() -> None:
    cursor = SIGNER.sign("Communication", PAIRS, "place")
    assert SIGNER.open("Communication", PAIRS, cursor) == "place"
    assert SIGNER.open("Communication", PAIRS, "") == ""
    others = [
        (SIGNER, "CommunicationRequest", PAIRS, cursor),
        (SIGNER, "Communication", PAIRS[:1], cursor),
        (SIGNER, "Communication", PAIRS, cursor[:-2] + "AA"),
        (SIGNER, "Communication", PAIRS, "AAAA"),
        (SIGNER, "Communication", PAIRS, "é"),
        (SIGNER, "Communication", PAIRS, "_"),
        (Signer(b"o" * 32), "Communication", PAIRS, cursor),
    ]
    for signer, path, pairs, given_cursor in others:
        with pytest.raises(RefusedError) as refusal:
            signer.open(path, pairs, given_cursor)
        assert refusal.value.status == 400


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))), st.text(max_size=20))
def test_any_place_comes_back(pairs: list[tuple[str, str]], place: str) -> None:
    assert SIGNER.open("Communication", tuple(pairs), SIGNER.sign("Communication", tuple(pairs), place)) == place


def test_links_say_what_was_asked() -> None:
    base = "https://care.example/fhir"
    assert link(base, "Communication", ()) == f"{base}/Communication"
    assert link(base, "Communication", (("recipient", "Organization/A"), ("_content", "a b&c")), "x") == (
        f"{base}/Communication?recipient=Organization/A&_content=a%20b%26c&_cursor=x"
    )
