"""The inbox: of one patient alone, what would stand where nothing does, drafts that are thrown away there."""

import pytest

from carethread.ids import CommunicationId
from carethread.policy.drafts import CorrectionOf, ThreadAbout
from carethread.reads import DraftContent, ReplyIn, drafts, read_thread
from carethread.record.model import ThreadStatus
from carethread.web.pages import patients
from carethread.writes import ThreadChange, change_thread, keep_draft
from tests.web.people import Visitors


@pytest.fixture
def threads(visitors: Visitors) -> tuple[CommunicationId, CommunicationId]:
    region = visitors.region
    return (
        region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="About John"),
        region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="About Jane", patient="P2"),
    )


def test_of_one_patient_alone(visitors: Visitors, threads: tuple[CommunicationId, CommunicationId]) -> None:
    region, visitor = visitors.region, visitors.person("B1")
    clinic = region.id("Clinic-B")
    sent = visitor.send(f"/inbox?of={clinic}&show=waiting", "/inbox", name="John")
    assert sent.headers["location"] == f"/inbox?of={clinic}&show=waiting&patient={region.id('P1')}"
    page = visitor.get(sent.headers["location"]).text
    assert "Only threads about" in page
    assert "About John" in page
    assert "About Jane" not in page
    assert f"/inbox?of={clinic}&amp;show=archived&amp;patient={region.id('P1')}" in page
    part = visitor.get(sent.headers["location"] + "&part=1").text
    assert "About John" in part
    assert "About Jane" not in part
    assert "John" not in sent.headers["location"]
    every = visitor.get("/inbox").text
    assert "About Jane" in every


def test_of_several_of_a_name_one_is_chosen(visitors: Visitors) -> None:
    visitor = visitors.person("B1")
    page = visitor.send("/inbox", "/inbox", 200, name="J").text
    assert "Which of them?" in page
    assert f"/inbox?patient={visitors.region.id('P2')}" in page
    assert "No patient was found" in visitor.send("/inbox", "/inbox", 200, name="Nobody such").text
    empty = visitor.send("/inbox", "/inbox", 422, name="").text
    assert 'href="#name"' in empty
    visitor.send("/inbox", "/inbox", 422, name="J", of="x")
    visitor.send("/inbox", "/inbox", 422, name="J", after="x")
    visitor.get("/inbox?patient=x", 422)
    assert visitor.client.post("/inbox", data={"name": "John"}).status_code == 403


def test_a_patient_of_whom_one_does_not_know_is_nobody(visitors: Visitors) -> None:
    visitor = visitors.person("P1")
    page = visitor.get(f"/inbox?patient={visitors.region.id('P2')}").text
    assert "a patient whom you do not know of" in page
    assert "Jane Roe" not in page
    assert "No thread about this patient stands here." in page
    assert "No patient was found" in visitor.send("/inbox", "/inbox", 200, name="Jane").text


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("", "No thread is here."),
        ("waiting", "Nothing waits on your side."),
        ("unread", "You have had every message before you."),
        ("archived", "No thread is archived."),
    ],
)
def test_what_would_stand_where_nothing_does(visitors: Visitors, show: str, said: str) -> None:
    assert said in visitors.person("C1").get(f"/inbox?show={show}").text


def test_drafts_are_thrown_away_in_the_inbox(
    visitors: Visitors, threads: tuple[CommunicationId, CommunicationId]
) -> None:
    region, visitor = visitors.region, visitors.person("A1")
    service, caller = region.service, region.caller("A1")
    message = read_thread(service, caller, threads[0]).messages[0].id
    places = (ReplyIn(threads[0]), CorrectionOf(message), ThreadAbout(region.id("P2")))
    for place in places:
        keep_draft(service, caller, place, DraftContent("Half a sentence"), expected=0)
    assert "3 unfinished drafts" in visitor.get("/inbox").text
    csrf = visitor.fields("/inbox", "/inbox/drafts/discard")["csrf"]
    for field, value in (("thread", threads[0]), ("message", message), ("patient", region.id("P2"))):
        sent = visitor.client.post("/inbox/drafts/discard", data={"csrf": csrf, field: value})
        assert (sent.status_code, sent.headers["location"]) == (303, "/inbox")
    assert drafts(service, caller) == ()
    for typed in ({}, {"thread": "x"}, {"message": "x"}, {"patient": "x"}):
        assert visitor.client.post("/inbox/drafts/discard", data={"csrf": csrf} | typed).status_code == 422
    assert visitor.client.post("/inbox/drafts/discard", data={"thread": threads[0]}).status_code == 403


def test_nobody_throws_away_what_another_wrote(
    visitors: Visitors, threads: tuple[CommunicationId, CommunicationId]
) -> None:
    region = visitors.region
    keep_draft(region.service, region.caller("A1"), ReplyIn(threads[0]), DraftContent("Mine"), expected=0)
    other = visitors.person("A2")
    csrf = other.fields("/inbox", "/language")["csrf"]
    other.client.post("/inbox/drafts/discard", data={"csrf": csrf, "thread": threads[0]})
    assert len(drafts(region.service, region.caller("A1"))) == 1


def test_many_threads_of_a_patient_come_in_parts(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patients, "_COUNT", 2)
    region, visitor = visitors.region, visitors.person("A1")
    made = [region.open("A1", ("B1",), body=f"Number {number}") for number in range(3)]
    change_thread(region.service, region.caller("A1"), made[0], ThreadChange(status=ThreadStatus.CLOSED))
    path = f"/patients/{region.id('P1')}"
    first = visitor.get(path + "?archived=1").text
    assert first.count("ct-threads__line") == 2
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert older.startswith(f"{path}?archived=1&before=")
    rest = visitor.get(older).text
    assert "Number 1" in rest
    assert rest.count("ct-threads__line") == 1
    visitor.get(path + "?before=x", 422)
    assert "There is no thread about this patient" in visitor.get(f"/patients/{region.id('P2')}").text
