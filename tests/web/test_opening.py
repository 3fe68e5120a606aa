"""Opening a thread: the right patient, the right people, once."""

import pytest
from playwright.sync_api import expect

from carethread.reads import CorrectionOf, DraftContent, ReplyIn, read_thread
from carethread.writes import keep_draft
from tests.region import ALIKE
from tests.web.people import Town, Visitor, Visitors


def _new(visitor: Visitor, visitors: Visitors, status: int = 303, **typed: str) -> str:
    patient = visitors.region.id("P1")
    path = f"/new/{patient}?meant=1"
    answer = visitor.send(path, f"/new/{patient}", status, **({"step": "send", "body": "Which dose?"} | typed))
    return answer.headers["location"] if status == 303 else answer.text


def test_a_thread_is_opened_for_an_organisation(town: Town) -> None:
    town.region.load(ALIKE)
    page = town.person("A1")
    page.get_by_role("link", name="New thread").click()
    page.get_by_label("Name").fill("doe j")
    page.get_by_label("Year").fill("1956")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="John Doe", exact=True).click()
    expect(page.get_by_role("heading", name="Which of them do you mean?")).to_be_visible()
    page.get_by_role("link", name="I mean John Doe").click()
    page.get_by_label("Name of a person").fill("hill")
    # Enter looks for people, and sends nothing.
    page.get_by_label("Message", exact=True).fill("Could you check the dose?")
    page.get_by_label("Name of a person").press("Enter")
    page.get_by_label("Hill Clinic").check()
    page.get_by_role("button", name="Find").locator("visible=true").first.click()
    expect(page.get_by_text("Every member of Hill Clinic").first).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Could you check the dose?")
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_text("Stored at")).to_be_visible()
    thread = page.url.split("/threads/")[1].split("?")[0]
    region = town.region
    view = read_thread(region.service, region.caller("B1"), thread)
    assert view.messages[0].on_behalf_of is not None
    assert view.messages[0].on_behalf_of.id == region.id("Pharmacy-A")
    assert view.ledger.addressing is not None
    assert view.ledger.addressing.recipients == region.ids("Clinic-B")


def test_a_draft_is_there_again(visitors: Visitors) -> None:
    visitor, patient = visitors.person("A1"), visitors.region.id("P1")
    clinic = visitors.region.id("Clinic-B")
    path = f"/new/{patient}?meant=1"
    assert "Draft kept" in visitor.send(path, f"/new/{patient}", 200, step="find", body="Half a", to=clinic).text
    fields = visitor.fields(path, f"/new/{patient}") | {"body": "Half a sentence", "to": clinic}
    kept = visitor.client.post(f"/new/{patient}/draft", data=fields)
    assert "Draft kept" in kept.text
    inbox = visitor.get("/inbox").text
    assert "1 unfinished draft" in inbox
    assert f'href="/new/{patient}?meant=1">A new thread about John Doe</a>' in inbox
    again = visitors.person("A1").get(path).text
    assert "Half a sentence" in again
    assert "Hill Clinic" in again
    thrown = visitor.client.post(f"/new/{patient}/draft/discard", data=visitor.fields(path, f"/new/{patient}"))
    assert thrown.headers["location"] == "/inbox"
    assert "Half a sentence" not in visitor.get(path).text


@pytest.mark.parametrize(
    "typed, told",
    [
        ({}, "Choose at least one recipient"),
        ({"to": "Empty-E"}, "Nobody could read it"),
        ({"to": "Clinic-B", "patient": "P2"}, "This is about another patient"),
        ({"to": "Clinic-B", "for": "Hospital-C"}, "no member of that organisation"),
        ({"to": "Clinic-B", "body": ""}, "Write a message"),
        ({"to": "Clinic-B", "sensitivity": "secret"}, "not in order"),
        ({"to": "no-id"}, "not in order"),
    ],
)
def test_what_is_not_in_order_records_nothing(visitors: Visitors, typed: dict[str, str], told: str) -> None:
    region = visitors.region
    known = {name: region.id(name) for name in ("Empty-E", "Clinic-B", "P2", "Hospital-C")}
    visitor = visitors.person("A1")
    assert told in _new(visitor, visitors, 422 if told != "no member of that organisation" else 403, **{
        name: known.get(value, value) for name, value in typed.items()
    })  # fmt: skip
    assert "No thread is here." in visitor.get("/inbox").text


def test_a_form_sent_twice_opens_one_thread(visitors: Visitors) -> None:
    visitor, patient = visitors.person("A1"), visitors.region.id("P1")
    fields = visitor.fields(f"/new/{patient}?meant=1", f"/new/{patient}")
    fields |= {
        "step": "send",
        "body": "Once",
        "to": visitors.region.id("Clinic-B"),
        "for": visitors.region.id("Pharmacy-A"),
    }
    answers = [visitor.client.post(f"/new/{patient}", data=fields) for _ in range(2)]
    assert len({each.headers["location"] for each in answers}) == 1


@pytest.mark.parametrize(
    "said, status, told",
    [
        ({"name": "doe"}, 200, "John Doe"),
        ({"birth-year": "1956", "birth-month": "5", "birth-day": "27"}, 200, "Jane Roe"),
        ({"birth-year": "1956"}, 200, "Jane Roe"),
        ({"name": "nobody such"}, 200, "No patient was found"),
        ({}, 422, "Say what to look for"),
        ({"birth-year": "1956", "birth-day": "27"}, 422, "Give a date of birth"),
        ({"birth-year": "1956", "birth-month": "13"}, 422, "Give a date of birth"),
        ({"birth-year": "x"}, 422, "Give a date of birth"),
    ],
)
def test_finding_a_patient(visitors: Visitors, said: dict[str, str], status: int, told: str) -> None:
    answer = visitors.person("A1").send("/new", "/new", status, **said)
    assert told in answer.text
    assert answer.url.query == b""


def test_a_patient_writes_of_themselves_alone(visitors: Visitors) -> None:
    region = visitors.region
    visitor = visitors.person("P1")
    assert visitor.get("/new", 303).headers["location"] == f"/new/{region.id('P1')}"
    visitor.get(f"/new/{region.id('P2')}", 404)
    assert "Clinician at" in visitor.get(f"/new/{region.id('P1')}").text


def test_a_patients_threads(visitors: Visitors) -> None:
    region = visitors.region
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="Of the patient")
    page = visitors.person("B1").get(f"/patients/{region.id('P1')}").text
    assert "Of the patient" in page
    assert "Of the patient" not in visitors.person("C1").get(f"/patients/{region.id('P1')}?archived=1").text
    visitors.person("P1").get(f"/patients/{region.id('P2')}", 404)
    visitors.person("A1").get("/patients/00000000-0000-4000-8000-000000000000", 404)


def test_searching_marks_words_and_shows_text(visitors: Visitors) -> None:
    region = visitors.region
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body=f"<i>{'x ' * 200}metoprolol & more")
    visitor = visitors.person("B1")
    found = visitor.send("/search", "/search", 200, words="Metoprolol").text
    assert "<mark>metoprolol</mark> &amp; more" in found
    assert "<i>" not in found
    assert "&lt;i&gt;" in visitor.send("/search", "/search", 200, author="anna", since="2020-01-01").text
    assert (
        "No message was found" in visitor.send("/search", "/search", 200, words="metoprolol", until="2020-01-01").text
    )
    assert "No message was found" in visitors.person("C1").send("/search", "/search", 200, words="metoprolol").text
    for typed in ({}, {"words": "x", "since": "yesterday"}, {"words": "x", "author": "nobody such"}):
        assert "error-summary" in visitor.send("/search", "/search", 422, **typed).text


def test_what_is_unfinished_is_found_again(visitors: Visitors) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    message = read_thread(region.service, region.caller("A1"), thread).messages[0].id
    reply, correction = ReplyIn(thread), CorrectionOf(message)
    for place in (reply, correction):
        keep_draft(region.service, region.caller("A1"), place, DraftContent("Half"), expected=0)
    page = visitors.person("A1").get("/inbox").text
    assert "2 unfinished drafts" in page
    assert f'href="/threads/{thread}#reply">A reply' in page
    assert f'href="/messages/{message}/correct">A correction' in page
