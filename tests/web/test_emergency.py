"""A restricted thread in an emergency: what is asked, what is shown, and what the log says of it."""

import re

import pytest

from carethread import MessageContent
from carethread.access_log import Action, Outcome
from carethread.ids import CommunicationId
from carethread.policy.actor import ActorKind
from carethread.reads import Acting, Filter, access_log, read_thread
from carethread.record.model import AttachmentContent, ThreadStatus, Visibility
from carethread.writes import ThreadChange, change_session, change_thread
from tests.region import Region
from tests.web.people import Visitors, hidden

MISSING = "20260101T000000.000Z-00000000-0000-4000-8000-000000000000"
WHY = "Unconscious, before an operation"


@pytest.fixture
def region(crowd: Visitors) -> Region:
    return crowd.region


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    file = AttachmentContent(b"x,y\n", "text/csv", "valeurs é.csv")
    content = MessageContent("Allergic to <b>penicillin</b>", attachments=(file,))
    made = region.open("A1", ("Clinic-B",), message=content, on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    restricted = ThreadChange(visibility=Visibility(restricted=True))
    change_thread(region.service, region.caller("A1"), made, restricted)
    return made


def emergencies(region: Region, thread: CommunicationId) -> list[tuple[str, Outcome]]:
    wanted = Filter(action=Action.EMERGENCY, thread=thread)
    return [(each.purpose, each.outcome) for each in access_log(region.service, region.auditor, wanted)]


def test_a_reason_and_the_thread_is_shown_to_be_read(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    b2 = crowd.person("B2")
    nothing = b2.get(f"/threads/{thread}", 404).text
    assert f'href="/emergency?thread={thread}"' in nothing
    form = b2.get(f"/emergency?thread={thread}").text
    assert f'value="{thread}"' in form
    assert "auditors look at those" in form
    opened = b2.send("/emergency", "/emergency", 200, thread=f"https://care.example/threads/{thread}#m", reason=WHY)
    for said in ("Allergic to &lt;b&gt;penicillin&lt;/b&gt;", "Opened in an emergency at", WHY, "John Doe"):
        assert said in opened.text
    # To be read, and nothing else.
    for offered in ("/messages/", "<textarea", "Correct this", "hx-get"):
        assert offered not in opened.text.replace('action="/emergency/file"', "")
    assert emergencies(region, thread) == [(WHY, Outcome.DONE)]
    file = b2.client.post("/emergency/file", data=hidden(opened, "/emergency/file") | {"number": "1"})
    assert (file.status_code, file.content) == (200, b"x,y\n")
    assert file.headers["content-disposition"].startswith('attachment; filename="valeurs _.csv"')
    assert emergencies(region, thread) == [(WHY, Outcome.DONE)] * 2
    assert (
        b2.client.post("/emergency/file", data=hidden(opened, "/emergency/file") | {"number": "x"}).status_code == 422
    )
    b2.get(f"/threads/{thread}", 404)


def test_hidden_and_missing_are_answered_alike(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    c1 = crowd.person("C1")
    pages = []
    for each in (thread, MISSING):
        refused = c1.send("/emergency", "/emergency", 404, thread=each, reason=WHY).text
        unsaid = c1.send("/emergency", "/emergency", 422, thread=each, reason=" ").text
        nothing = c1.get(f"/threads/{each}", 404).text
        pages.append(
            [re.sub(r'name="csrf" value="[^"]*"', "", page.replace(each, "?")) for page in (refused, unsaid, nothing)]
        )
    assert pages[0] == pages[1]
    assert "Say why, in one line" in pages[0][1]


def test_what_is_not_in_order(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    b2 = crowd.person("B2")
    assert (
        "Give the address or the id of a thread"
        in b2.send("/emergency", "/emergency", 422, thread="?", reason=WHY).text
    )
    answer = b2.send("/emergency", "/emergency", 422, thread=thread, reason="x" * 1_000)
    assert "Say why, in one line" in answer.text
    assert b2.client.post("/emergency", data={"thread": thread, "reason": WHY}).status_code == 403
    assert emergencies(region, thread) == []


def test_whoever_may_read_it_is_sent_there(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    b1 = crowd.person("B1")
    sent = b1.send("/emergency", "/emergency", thread=region.open("B1", ("A1",)), reason=WHY)
    assert b1.get(sent.headers["location"]).status_code == 200
    # A closed one is opened likewise.
    change_thread(region.service, region.caller("A2"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert ">Closed</span>" in crowd.person("B2").send("/emergency", "/emergency", 200, thread=thread, reason=WHY).text


@pytest.mark.parametrize("who", ["B9", "P1", "N1"])
def test_for_whom_it_is_not(crowd: Visitors, region: Region, thread: CommunicationId, who: str) -> None:
    visitor = crowd.person(who)
    visitor.get("/emergency", 403)
    assert "/emergency" not in visitor.get(f"/threads/{thread}", 404).text
    csrf = visitor.fields("/inbox", "/sign-out")["csrf"]
    sent = visitor.client.post("/emergency", data={"csrf": csrf, "thread": thread, "reason": WHY})
    assert sent.status_code == 404


def test_an_auditor_reads_everything_anyway(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    auditor = crowd.person("N1")
    acting = Acting(kind=ActorKind.AUDITOR, purpose="complaint 17")
    change_session(region.service, auditor.client.cookies["carethread"], acting=acting, client="tests")
    auditor.get("/emergency", 403)
    assert len(read_thread(region.service, region.auditor, thread).messages) == 2
