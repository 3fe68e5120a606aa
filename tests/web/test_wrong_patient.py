"""A message in the wrong patient's record, set right step by step."""

import re
from typing import Any

import httpx
import pytest

from carethread import MessageContent
from carethread.ids import CommunicationId, MessageId
from carethread.reads import ThreadView, read_thread
from carethread.record.model import Sensitivity, ThreadStatus, Visibility
from carethread.writes import ThreadChange, change_thread, post_message
from tests.region import Region
from tests.web.people import Visitor, Visitors, hidden

BODY = "She stopped the <b>metoprolol</b>."


@pytest.fixture
def region(crowd: Visitors) -> Region:
    return crowd.region


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    """Return a thread about P1, written by A1, that concerns P2."""
    return region.open("A1", ("Clinic-B",), BODY, on_behalf_of="Pharmacy-A")


def view(region: Region, thread: CommunicationId) -> ThreadView:
    return read_thread(region.service, region.auditor, thread)


def first(region: Region, thread: CommunicationId) -> MessageId:
    return view(region, thread).messages[0].id


class Guided:
    """Somebody who goes through the steps."""

    def __init__(self, visitor: Visitor, message: MessageId) -> None:
        self.visitor, self.path = visitor, f"/messages/{message}/wrong-patient"
        self.fields = visitor.fields(self.path, self.path)

    def step(self, step: str, status: int = 200, /, **typed: Any) -> httpx.Response:
        answer = self.visitor.client.post(self.path, data=self.fields | {"step": step} | typed)
        assert answer.status_code == status, (answer.status_code, answer.text[:3_000])
        return answer


def test_step_by_step(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    message = first(region, thread)
    a2 = crowd.person("A2")
    assert f'href="/messages/{message}/wrong-patient"' in a2.get(f"/threads/{thread}").text
    guided = Guided(a2, message)
    page = a2.get(guided.path).text
    assert "She stopped the &lt;b&gt;metoprolol&lt;/b&gt;." in page
    assert "Neither record will say anything of the other patient." in page
    found = guided.step("find", name="ro").text
    assert "Jane Roe" in found
    assert "John Doe" not in found.split("Patients found")[1]
    right = {"right": region.id("P2")}
    assert "Is this the right patient?" in guided.step("patient", **right).text
    to = guided.step("to", **right).text
    assert f'value="{region.id("Clinic-B")}" checked' in to
    assert "Network of Jane Roe" in to
    chosen: dict[str, Any] = right | {"to": list(region.ids("Clinic-B", "P2")), "to-chosen": "1"}
    readers = guided.step("readers", **chosen).text
    assert "Somebody of Riverside Pharmacy and Hill Clinic is needed." in readers
    assert f'value="{region.id("A2")}" checked' in readers
    assert f'value="{region.id("A1")}"' not in readers
    chosen |= {"readers": list(region.ids("A2", "B1")), "readers-chosen": "1"}
    checked = guided.step("check", **chosen)
    for said in (
        "This message was written in the wrong record. It does not concern this patient.",
        "Dr Bo Bell (clinician) was added to the thread.",
        "The thread was archived.",
        "The thread was restricted to named individuals.",
        "After that, it can be read by: Adam Novak, Dr Bo Bell.",
        "A new thread, on behalf of Riverside Pharmacy, to: Hill Clinic, Jane Roe.",
        "The message, in your name, with who wrote it and when above it, and its files:",
    ):
        assert said in checked.text, said
    assert len(view(region, thread).messages) == 1
    done = guided.step("record", 303, **chosen).headers["location"]
    new = CommunicationId(done.partition("?thread=")[2])
    result = a2.get(done).text
    assert f'href="/threads/{new}"' in result
    assert "See it there" in result
    wrong, filed = view(region, thread), view(region, new)
    assert (wrong.ledger.status, wrong.ledger.visibility) == (ThreadStatus.ARCHIVED, Visibility(restricted=True))
    assert [each.corrects for each in wrong.messages] == [None, message, None]
    assert region.id("P2") in filed.patients
    assert filed.messages[0].body.endswith(BODY)
    # The form comes a second time.
    again = guided.step("record", 303, **chosen).headers["location"]
    assert again == f"/messages/{message}/wrong-patient/done"
    assert "The new thread is in your inbox." in a2.get(again).text
    assert len(view(region, thread).messages) == 3
    assert "This thread is closed" in a2.get(guided.path, 409).text


def test_whoever_wrote_it_and_does_not_see_it_any_more(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    post_message(region.service, region.caller("B1"), thread, MessageContent("Really?"))
    guided = Guided(crowd.person("A1"), first(region, thread))
    right: dict[str, Any] = {"right": region.id("P2")}
    page = guided.step("readers", **right).text
    # Who wrote in it is ticked; A1 takes part as a member of the pharmacy, for which the thread was opened.
    assert f'value="{region.id("B1")}" checked' in page
    assert "You opened it for others than yourself" in page
    chosen: dict[str, Any] = right | {"readers": list(region.ids("A2", "B1", "A1")), "readers-chosen": "1"}
    checked = guided.step("check", **chosen).text
    assert "You will not see this thread any more yourself." in checked
    assert "The message, with the time at which you wrote it, and its files:" in checked
    done = guided.step("record", 303, **(chosen | {"readers": list(region.ids("A2", "B1"))})).headers["location"]
    assert "You cannot see it any more." in guided.visitor.get(done).text


def test_of_whom_nobody_could_answer_for_it(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    guided = Guided(crowd.person("A2"), first(region, thread))
    chosen: dict[str, Any] = {"right": region.id("P2"), "to": region.id("Clinic-B"), "readers": region.id("A2")}
    refused = guided.step("record", 422, **chosen)
    assert "Nobody of Hill Clinic could read it." in refused.text
    assert "What will be recorded" in refused.text
    nobody = guided.step("check", **(chosen | {"readers": "", "readers-chosen": "1"})).text
    assert "After that, nobody can read it." in nobody
    # Whom the new thread is to go to, and nobody there reads it: that group does not stand in this thread.
    chosen |= {"to": region.id("Empty-E"), "readers": list(region.ids("A2", "B1"))}
    assert "Choose recipients of whom somebody is active now" in guided.step("record", 422, **chosen).text
    assert len(view(region, thread).messages) == 1


def test_who_is_named_already(crowd: Visitors, region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), BODY, on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    guided = Guided(crowd.person("A2"), first(region, thread))
    page = guided.step("readers", right=region.id("P2")).text
    assert "Already named: Adam Novak, Dr Bo Bell." in page
    assert "is needed" not in page
    assert "You opened it for others" not in page
    guided.step("record", 303, right=region.id("P2"), to=region.id("Clinic-B"))
    assert view(region, thread).ledger.status is ThreadStatus.ARCHIVED


def test_people_are_looked_for_within_a_step(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    guided = Guided(crowd.person("A2"), first(region, thread))
    right: dict[str, Any] = {"right": region.id("P2")}
    page = guided.step("to", **right, **{"to-words": "brug"}).text
    assert "Thuiszorg De Brug" in page
    # What was unticked is not ticked again.
    assert "checked" not in page
    assert "Choose at least one recipient" in guided.step("readers", 422, **right, **{"to-words": ""}).text
    region.load(
        *(
            {"resourceType": "Practitioner", "id": f"Zz-{each}", "active": True, "name": [{"text": f"Zz {each:02}"}]}
            for each in range(25)
        )
    )
    page = guided.step("readers", **right, **{"readers-words": "zz"}).text
    assert "Zz 00" in page
    more = page.partition('name="readers-after" value="')[2].partition('"')[0]
    page = guided.step("", **right, **{"readers-words": "zz", "readers-after": more}).text
    assert "Who keeps reading the wrong thread?" in page
    assert "Zz 24" in page
    more = (
        guided.step("to", **right, **{"to-words": "zz"}).text.partition('name="to-after" value="')[2].partition('"')[0]
    )
    page = guided.step("", **right, **{"to-words": "zz", "to-after": more}).text
    assert "Whom does the new thread go to?" in page


def test_patients_who_could_be_taken_for_each_other(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    region.load(
        {
            "resourceType": "Patient",
            "id": "P8",
            "active": True,
            "name": [{"text": "Jane Rowe"}],
            "birthDate": "1956-05-28",
        },
        {
            "resourceType": "Patient",
            "id": "P9",
            "active": False,
            "name": [{"text": "Jane Roë"}],
            "birthDate": "1956-05-27",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999 123"}],
            "link": [{"other": {"reference": "Patient/P2"}, "type": "replaced-by"}],
        },
    )
    guided = Guided(crowd.person("A2"), first(region, thread))
    page = guided.step("find", name="jane", **{"birth-year": "1956", "birth-month": "5"}).text
    assert "Jane Rowe" in page
    assert "Not active" in page
    assert "NHS number" in page
    page = guided.step("patient", right=region.id("P2")).text
    assert "Could be taken for them" in page
    assert "Jane Rowe" in page
    assert "a similar name" in page
    # John Doe is born on the same day, but stands in no doubt: the message is in his record.
    assert "John Doe" not in page
    merged = region.service.directory.find("Patient/P9").id
    assert f'name="right" value="{region.id("P2")}"' in guided.step("patient", right=merged).text


def test_looking_for_patients(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    region.load(
        *(
            {"resourceType": "Patient", "id": f"Q{each}", "active": True, "name": [{"text": f"Quentin {each:02}"}]}
            for each in range(25)
        )
    )
    guided = Guided(crowd.person("A2"), first(region, thread))
    assert "No other patient was found" in guided.step("find", name="john").text
    assert "Say what to look for" in guided.step("find", 422).text
    guided.step("find", 422, **{"birth-day": "99"})
    page = guided.step("find", name="quentin")
    found = set(re.findall(r"<b>(Quentin \d\d)</b>", page.text))
    assert len(found) == 20
    more = page.text.partition('name="after" value="')[2].partition('"')[0]
    fields = hidden(page, guided.path)
    assert fields["name"] == "quentin"
    found.update(re.findall(r"<b>(Quentin \d\d)</b>", guided.step("find", **(fields | {"after": more})).text))
    assert len(found) == 25


def test_what_is_not_in_order_begins_again(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    guided = Guided(crowd.person("A2"), first(region, thread))
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    right = region.id("P2")
    assert "This is about another patient" in guided.step("to", 422, right=region.id("P1")).text
    guided.step("to", 422, right="nobody")
    guided.step("to", 404, right="00000000-0000-0000-0000-00000000dead")
    guided.step("to", 404, right=region.id("A1"))
    guided.step("to", 422, right=right, patient=right)
    guided.step("record", 422, right=right, thread=other, to=region.id("Clinic-B"))
    guided.step("to", 403, right=right, csrf="x")
    assert len(view(region, thread).messages) == 1


def test_for_whom_it_is_not(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    path = f"/messages/{first(region, thread)}/wrong-patient"
    crowd.person("B1").get(path, 403)
    crowd.person("C1").get(path, 404)
    # Archived and restricted by somebody else, it was not set right.
    a1 = crowd.person("A1")
    guided = Guided(a1, first(region, thread))
    change = ThreadChange(
        ThreadStatus.ARCHIVED,
        add=region.ids("A2", "B1"),
        visibility=Visibility(Sensitivity.STANDARD, restricted=True),
    )
    change_thread(region.service, region.caller("A1"), thread, change)
    guided.visitor = crowd.person("A2")
    guided.fields |= {"csrf": guided.visitor.fields("/inbox", "/sign-out")["csrf"]}
    guided.step("record", 409, right=region.id("P2"))
    assert len(view(region, thread).messages) == 2


def test_a_message_to_everyone_of_the_patients_own_side(crowd: Visitors, region: Region) -> None:
    """Whoever belongs to the wrong patient is not ticked for the right one, and neither are they to keep reading."""
    thread = region.open("A1", ("Network-P1", "Clinic-B"), BODY, on_behalf_of="Pharmacy-A", others=("P1",))
    post_message(region.service, region.caller("P1"), thread, MessageContent("That is not me"))
    guided = Guided(crowd.person("A2"), first(region, thread))
    page = guided.step("to", right=region.id("P2")).text
    assert f'value="{region.id("Clinic-B")}" checked' in page
    assert region.id("Network-P1") not in page
    page = guided.step("readers", right=region.id("P2")).text
    assert f'value="{region.id("P1")}" checked' not in page


def test_by_oneself_for_nobody(crowd: Visitors, region: Region) -> None:
    thread = region.open("A1", ("B1",), BODY)
    guided = Guided(crowd.person("A1"), first(region, thread))
    checked = guided.step("check", right=region.id("P2")).text
    assert "A new thread to: Dr Bo Bell." in checked
    guided.step("record", 303, right=region.id("P2"), to=region.id("B1"))
