"""What is not in order is said at the top of the page, with a link to its field, and at the field."""

import pytest

from carethread.record.model import Visibility
from tests.web.people import Visitor, Visitors


@pytest.fixture
def visitor(crowd: Visitors) -> Visitor:
    return crowd.person("A1")


def _leads_to(page: str, place: str) -> bool:
    return f'href="#{place}"' in page and f'id="{place}"' in page and "nhsuk-error-message" in page


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({}, "name"),
        ({"birth-day": "31", "birth-month": "2", "birth-year": "1956"}, "birth-day"),
        ({"birth-year": "x"}, "birth-day"),
        ({"birth-day": "3", "birth-year": "1956"}, "birth-day"),
        ({"identifier": "urn:x|"}, "identifier"),
    ],
)
def test_looking_for_a_patient(visitor: Visitor, typed: dict[str, str], place: str) -> None:
    assert _leads_to(visitor.send("/new", "/new", 422, **typed).text, place)


def test_a_new_thread(crowd: Visitors, visitor: Visitor) -> None:
    path = f"/new/{crowd.region.id('P2')}?meant=1"
    action = f"/new/{crowd.region.id('P2')}"
    assert _leads_to(visitor.send(path, action, 422, step="send", body="Hello").text, "to-words")
    to = crowd.region.id("Clinic-B")
    assert _leads_to(visitor.send(path, action, 422, step="send", to=to, body="").text, "body")
    nobody = crowd.region.id("Empty-E")
    assert _leads_to(visitor.send(path, action, 422, step="send", to=nobody, body="Hello").text, "to-words")


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({}, "words"),
        ({"words": "x", "author": "nobody such"}, "author"),
        ({"words": "x", "organisation": "nobody such"}, "organisation"),
        ({"words": "x", "since": "x"}, "since"),
        ({"words": "x", "until": "x"}, "until"),
    ],
)
def test_searching(visitor: Visitor, typed: dict[str, str], place: str) -> None:
    assert _leads_to(visitor.send("/search", "/search", 422, **typed).text, place)


def test_an_emergency(crowd: Visitors) -> None:
    visitor = crowd.person("B2")
    thread = crowd.region.open("A1", ("B1", "Clinic-B"), others=("A2",), visibility=Visibility(restricted=True))
    assert _leads_to(visitor.send("/emergency", "/emergency", 422, thread=thread, reason="").text, "reason")
    assert _leads_to(visitor.send("/emergency", "/emergency", 422, thread="x", reason="y").text, "thread")


def test_adding_nobody(crowd: Visitors, visitor: Visitor) -> None:
    thread = crowd.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    path = f"/threads/{thread}/participants"
    page = visitor.client.post(path, data=visitor.fields(path, path) | {"step": "check"})
    assert page.status_code in (200, 422)
    if page.status_code == 422:
        assert _leads_to(page.text, "add-words")


def test_who_is_alike_stands_side_by_side(visitors: Visitors) -> None:
    from tests.region import ALIKE  # noqa: PLC0415

    visitors.region.load(ALIKE)
    page = visitors.person("A1").get(f"/new/{visitors.region.id('P1')}").text
    assert page.count("ct-alike__one") == 2
    assert '28 May 1956 <span class="ct-same ct-same--not">different</span>' in page


def test_any_kind_of_file_is_taken(crowd: Visitors, visitor: Visitor) -> None:
    thread = crowd.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert "Any kind of file" in visitor.get(f"/threads/{thread}").text
    files = [("files", ("odd.xyz", b"odd", "application/x-odd"))]
    visitor.send(f"/threads/{thread}", f"/threads/{thread}/messages", body="Odd", files=files)
