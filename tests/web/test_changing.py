"""The pages that change a thread: what they say before anything is recorded, and what becomes of their forms."""

import re

import pytest

from carethread import MessageContent
from carethread.directory.model import Duty
from carethread.ids import CommunicationId
from carethread.policy.actor import ActorKind
from carethread.reads import Acting, read_thread
from carethread.record.model import Ledger, Policies, Sensitivity, ThreadStatus, Visibility
from carethread.writes import ThreadChange, change_session, change_thread, post_message
from tests.region import Region
from tests.web.people import Visitors, hidden


@pytest.fixture
def visitors(crowd: Visitors) -> Visitors:
    return crowd


@pytest.fixture
def region(crowd: Visitors) -> Region:
    return crowd.region


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def ledger(region: Region, thread: CommunicationId) -> Ledger:
    return read_thread(region.service, region.auditor, thread).ledger


def entries(region: Region, thread: CommunicationId) -> list[str]:
    return [each.body for each in read_thread(region.service, region.auditor, thread).messages]


def listed(region: Region, thread: CommunicationId) -> list[str]:
    return [region.name(each.id) for each in ledger(region, thread).participants]


# ── Closing and archiving ─────────────────────────────────────────────────────────────────────────────────────────────


def test_closing_says_what_it_does_not_mean(visitors: Visitors, thread: CommunicationId) -> None:
    b1 = visitors.person("B1")
    path = f"/threads/{thread}/close"
    page = b1.get(path).text
    assert "Closing does not mean that anything was done, agreed or answered." in page
    assert "The thread was closed." in page
    assert "Dr Bo Bell on behalf of Hill Clinic" in page
    assert "This thread still waits on you." in page
    done = b1.send(path, path).headers["location"]
    assert done.startswith(f"/threads/{thread}?stored=")
    assert "Stored at" in b1.get(done).text
    assert ledger(visitors.region, thread).status is ThreadStatus.CLOSED
    assert "This thread is closed" in b1.get(path, 409).text


def test_a_form_that_comes_twice_closes_once(visitors: Visitors, thread: CommunicationId) -> None:
    b1 = visitors.person("B1")
    path = f"/threads/{thread}/close"
    fields = b1.fields(path, path)
    answers = [b1.client.post(path, data=fields) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[1].headers["location"] == f"/threads/{thread}"
    assert entries(visitors.region, thread) == ["Hello", "The thread was closed."]


def test_whoever_is_behind_looks_again_first(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    for name, status in (("close", ThreadStatus.CLOSED), ("archive", ThreadStatus.ARCHIVED)):
        path = f"/threads/{thread}/{name}"
        fields = a1.fields(path, path)
        change_thread(
            region.service, region.caller("A2"), thread, ThreadChange(add=region.ids("C1" if name == "close" else "D1"))
        )
        answer = a1.client.post(path, data=fields)
        assert answer.status_code == 409
        assert "Somebody changed this meanwhile" in answer.text
        assert ledger(region, thread).status is not status
        # The page is as things stand now: sent again, it is taken.
        assert hidden(answer, path)["version"] == str(int(fields["version"]) + 1)
        assert a1.client.post(path, data=hidden(answer, path)).status_code == 303
        assert ledger(region, thread).status is status


def test_archiving_what_is_closed(visitors: Visitors, thread: CommunicationId) -> None:
    region, a9 = visitors.region, visitors.person("A9")
    path = f"/threads/{thread}/archive"
    assert "it is never opened again" in a9.get(path).text
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert "it is never opened again" not in a9.get(path).text
    a9.send(path, path)
    assert ledger(region, thread).status is ThreadStatus.ARCHIVED


def test_a_form_for_another_thread_or_patient_is_refused(visitors: Visitors, thread: CommunicationId) -> None:
    region, b1 = visitors.region, visitors.person("B1")
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    path = f"/threads/{thread}/close"
    fields = b1.fields(path, path)
    for wrong in ({"thread": other}, {"patient": region.id("P2")}):
        answer = b1.client.post(path, data=fields | wrong)
        assert answer.status_code == 422
        assert "This is about another patient" in answer.text
    for version in ("", "x", "²"):
        assert b1.client.post(path, data=fields | {"version": version}).status_code == 422
    assert b1.client.post(path, data=fields | {"csrf": "x"}).status_code == 403
    assert ledger(region, thread).status is ThreadStatus.OPEN


@pytest.mark.parametrize("name", ["close", "archive", "participants", "visibility", "set-aside", "continue"])
def test_what_may_not_be_read_is_what_is_not_there(visitors: Visitors, thread: CommunicationId, name: str) -> None:
    c1 = visitors.person("C1")
    missing = "20260101T000000.000Z-00000000-0000-4000-8000-000000000000"
    answers = [c1.get(f"/threads/{each}/{name}", 404).text.replace(each, "?") for each in (thread, missing)]
    assert re.sub(r'value="[^"]*"', "", answers[0]) == re.sub(r'value="[^"]*"', "", answers[1])


@pytest.mark.parametrize(
    ("who", "name"),
    [("B9", "close"), ("B1", "archive"), ("B9", "participants"), ("B1", "visibility"), ("A1", "set-aside")],
)
def test_whoever_may_not_is_told_so(visitors: Visitors, thread: CommunicationId, who: str, name: str) -> None:
    visitor = visitors.person(who)
    path = f"/threads/{thread}/{name}"
    page = visitor.get(path, 403).text
    assert "You may not do this" in page
    assert f'href="/threads/{thread}"' in page
    assert f'href="{path}"' not in visitor.get(f"/threads/{thread}").text


def test_a_steward_closes_what_nobody_is_left_for(visitors: Visitors) -> None:
    region = visitors.region
    region.service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    steward = visitors.person("N1")
    secret = steward.client.cookies["carethread"]
    change_session(region.service, secret, acting=Acting(kind=ActorKind.STEWARD), client="tests")
    thread = region.open("X1", ("Clinic-B",))
    region.load({"resourceType": "Practitioner", "id": "X1", "active": False, "name": [{"text": "Xander Both"}]})
    path = f"/threads/{thread}/close"
    assert "Nobody Now" in steward.get(path).text
    narrow = {"visibility": "confidential", "patients": "yes", "others": "yes", "step": "check"}
    checked = steward.send(f"/threads/{thread}/visibility", f"/threads/{thread}/visibility", 200, **narrow)
    assert "yourself" not in checked.text
    steward.send(path, path)
    assert ledger(region, thread).status is ThreadStatus.CLOSED
    region.load({"resourceType": "Practitioner", "id": "X1", "active": True, "name": [{"text": "Xander Both"}]})


# ── Setting aside ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_colleagues_see_who_set_a_thread_aside_until_the_next_message(
    visitors: Visitors, thread: CommunicationId
) -> None:
    region, b1, b2 = visitors.region, visitors.person("B1"), visitors.person("B2")
    path = f"/threads/{thread}/set-aside"
    assert "You set it aside for Hill Clinic." in b1.get(path).text
    assert b1.send(path, path).headers["location"] == f"/threads/{thread}"
    said = "Set aside for Hill Clinic until the next message: by Dr Bo Bell"
    assert said in b2.get(f"/threads/{thread}").text
    assert "Set aside" not in visitors.person("A1").get(f"/threads/{thread}").text
    # A change of the ledger is no message.
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    assert said in b2.get(f"/threads/{thread}").text
    post_message(region.service, region.caller("A1"), thread, MessageContent("Still there?"))
    assert "Set aside" not in b2.get(f"/threads/{thread}").text.replace("Set aside until the next message</a>", "")
    b2.send(path, path)
    assert "by Dr Bea Boot" in b2.get(f"/threads/{thread}").text
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert "by Dr Bea Boot" not in b2.get(f"/threads/{thread}").text


def test_what_came_meanwhile_is_not_set_aside(visitors: Visitors, thread: CommunicationId) -> None:
    region, b1, b2 = visitors.region, visitors.person("B1"), visitors.person("B2")
    path = f"/threads/{thread}/set-aside"
    fields = b1.fields(path, path)
    post_message(region.service, region.caller("A1"), thread, MessageContent("It cannot wait"))
    answer = b1.client.post(path, data=fields)
    assert answer.status_code == 409
    assert "by Dr Bo Bell" not in b2.get(f"/threads/{thread}").text
    # Or somebody answered: then there is nothing to set aside.
    post_message(region.service, region.caller("B2"), thread, MessageContent("Today"))
    answer = b1.client.post(path, data=fields)
    assert answer.status_code == 409
    assert "It waits on you no longer." in answer.text


def test_for_which_of_two_groups(visitors: Visitors) -> None:
    region, x1 = visitors.region, visitors.person("X1")
    thread = region.open("C1", ("Clinic-B", "Pharmacy-A"), on_behalf_of="Hospital-C")
    path = f"/threads/{thread}/set-aside"
    page = x1.get(path).text
    assert "For whom?" in page
    answer = x1.send(path, path, 422)
    assert "Choose for whom" in answer.text
    x1.send(path, path, group=region.id("Clinic-B"))
    page = x1.get(f"/threads/{thread}").text
    assert "Set aside for Hill Clinic" in page
    assert "Set aside for Riverside Pharmacy" not in page


# ── Participants ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_adds_somebody_is_told_that_they_see_all_of_it(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    path = f"/threads/{thread}/participants"
    found = a1.send(path, path, 200, **{"add-words": "bru", "step": "find"})
    assert "Thuiszorg De Brug" in found.text
    assert "Organisation: 1 clinician" in found.text
    both = list(region.ids("HomeCare-D", "C1"))
    checked = a1.send(path, path, 200, add=both, step="check")
    assert "They will see the whole thread" in checked.text
    assert "Every member of Thuiszorg De Brug" in checked.text
    assert "Clinician at Stadsziekenhuis" in checked.text
    assert "Dr Cas Citroen (clinician) was added to the thread." in checked.text
    assert listed(region, thread) == ["A1", "Pharmacy-A", "Clinic-B"]
    fields = hidden(checked, path) | {"add": both, "step": "record"}
    answers = [a1.client.post(path, data=fields) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert listed(region, thread) == ["A1", "Pharmacy-A", "Clinic-B", "HomeCare-D", "C1"]
    assert len(entries(region, thread)) == 2


def test_whoever_is_ticked_stays_so_while_one_looks_on(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    path = f"/threads/{thread}/participants"
    page = a1.get(path).text
    assert "Around the patient" in page
    assert "Relative or carer of John Doe" in page
    assert "Team of John Doe: 4 clinicians, 3 other members" in page
    found = a1.send(path, path, 200, add=[region.id("C1"), region.id("A1")], **{"add-words": "nobody there"})
    boxes = re.findall(r'name="add" type="checkbox" value="([^"]+)"( checked)?', found.text)
    assert boxes == [(region.id("C1"), " checked")]
    assert "Nobody else was found." in found.text
    found = a1.send(path, path, 200, **{"add-words": "nobody now"})
    assert "Works nowhere that the directory knows of" in found.text
    found = a1.send(path, path, 200, **{"add-words": "pain"})
    assert "Team of Hill Clinic" in found.text
    found = a1.send(path, path, 200, **{"add-words": "closed"})
    assert "nobody belongs to it now" in found.text


def test_part_by_part(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    region.load(
        *(
            {"resourceType": "Organization", "id": f"Ward-{each}", "active": True, "name": f"Ward {each:02}"}
            for each in range(25)
        )
    )
    path = f"/threads/{thread}/participants"
    found = a1.send(path, path, 200, **{"add-words": "ward"})
    assert "Ward 00" in found.text
    assert "Ward 24" not in found.text
    more = re.search(r'name="add-after" value="([^"]+)"', found.text)
    assert more is not None
    found = a1.send(path, path, 200, **{"add-words": "ward", "add-after": more[1]})
    assert "Ward 24" in found.text
    assert "Show more" not in found.text
    assert "Show more" not in a1.send(path, path, 422, **{"add-words": "ward", "add-after": "x"}).text


def test_who_is_asked_adds_colleagues_only(visitors: Visitors, thread: CommunicationId) -> None:
    region, b1 = visitors.region, visitors.person("B1")
    path = f"/threads/{thread}/participants"
    assert "Around the patient" not in b1.get(path).text
    assert "Riverside" not in b1.send(path, path, 200, **{"add-words": "river"}).text.split("Add somebody")[1]
    refused = b1.send(path, path, 403, add=region.id("A2"), step="record")
    assert "You can add colleagues only." in refused.text
    b1.send(path, path, add=region.id("B2"), step="record")
    assert listed(region, thread)[-1] == "B2"


def test_nobody_is_added_without_being_chosen(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    path = f"/threads/{thread}/participants"
    assert "Choose somebody to add" in a1.send(path, path, 422, step="check").text
    assert "Choose somebody to add" in a1.send(path, path, 422, step="check", add="nobody").text
    assert "Choose somebody to add" in a1.send(path, path, 422, step="record").text
    # Of another patient, and nobody at all.
    for each in (region.id("R2"), "00000000-0000-0000-0000-00000000dead"):
        assert a1.client.post(path, data=a1.fields(path, path) | {"add": each, "step": "record"}).status_code in (
            404,
            422,
        )
    assert len(entries(region, thread)) == 1


def test_removing_somebody_says_what_stays(visitors: Visitors) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("C1", "HomeCare-D"))
    path = f"/threads/{thread}/participants"
    page = a1.send(path, path, 200, remove=region.id("C1"))
    assert "unless an organisation or team of theirs takes part" in page.text
    assert "<title>Remove from the thread" in page.text
    assert (
        "Its members will not see the thread any more" in a1.send(path, path, 200, remove=region.id("HomeCare-D")).text
    )
    assert a1.client.post(path, data=hidden(page, path)).status_code == 303
    assert "C1" not in listed(region, thread)
    # Whoever is addressed stays.
    refused = a1.send(path, path, 422, remove=region.id("Clinic-B"), step="record")
    assert "stays in the thread" in refused.text


def test_a_page_of_people_that_is_behind(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    path = f"/threads/{thread}/participants"
    fields = a1.fields(path, path)
    change_thread(region.service, region.caller("A2"), thread, ThreadChange(add=region.ids("C1")))
    for step in ("check", "record"):
        answer = a1.client.post(path, data=fields | {"add": region.id("B2"), "step": step})
        assert answer.status_code == 409
        # What was chosen is still ticked.
        assert f'value="{region.id("B2")}" checked' in answer.text


# ── Visibility and rules ──────────────────────────────────────────────────────────────────────────────────────────────


def test_who_would_see_it_no_longer(visitors: Visitors) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("Network-P1",))
    path = f"/threads/{thread}/visibility"
    checked = a1.send(path, path, 200, visibility="confidential", patients="yes", others="yes", step="check")
    for each in ("The patient", "Relatives or carers of the patient", "Members of Hill Clinic who are not clinicians"):
        assert f"<li>{each}</li>" in checked.text
    assert "You will not see this thread any more yourself." not in checked.text
    assert "The sensitivity was changed from standard to confidential." in checked.text
    assert ledger(region, thread).visibility == Visibility()
    fields = hidden(checked, path)
    assert [a1.client.post(path, data=fields).status_code for _ in range(2)] == [303, 303]
    assert ledger(region, thread).visibility == Visibility(Sensitivity.CONFIDENTIAL)
    assert len(entries(region, thread)) == 2
    widened = a1.send(path, path, 200, visibility="standard", patients="yes", others="yes", step="check")
    assert "Can see the whole thread from now on, from its beginning" in widened.text
    assert "<li>Members of Hill Clinic who are not clinicians</li>" in widened.text
    shut = a1.send(path, path, 200, visibility="confidential", others="yes", step="check")
    assert "Participation of patients and their associates was disallowed." in shut.text
    assert "Who can see the thread now stays the same." in shut.text


def test_without_the_patients_side(visitors: Visitors) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("Network-P1",))
    path = f"/threads/{thread}/visibility"
    shut = a1.send(path, path, 200, visibility="standard", others="yes", step="check")
    assert "<li>Patients, relatives and carers in Network of John Doe</li>" in shut.text
    a1.client.post(path, data=hidden(shut, path))
    assert ledger(region, thread).policies == Policies(allow_patient_participation=False)
    narrow = a1.send(path, path, 200, visibility="confidential", others="yes", step="check")
    assert "<li>Members of Network of John Doe who are not clinicians</li>" in narrow.text


def test_of_whom_nobody_could_read_it(visitors: Visitors, thread: CommunicationId) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    path = f"/threads/{thread}/visibility"
    page = a1.get(path).text
    assert "nobody of Riverside Pharmacy and Hill Clinic could read it" in page
    assert "Add somebody by name" in page
    assert "This stays as long as anybody takes part who does not belong to Riverside Pharmacy." in page
    # Whoever asks all the same is told the same.
    checked = a1.send(path, path, 200, visibility="restricted", patients="yes", others="yes", step="check")
    refused = a1.client.post(path, data=hidden(checked, path))
    assert refused.status_code == 422
    assert "Nobody of Riverside Pharmacy and Hill Clinic could read it." in refused.text
    assert ledger(region, thread).visibility == Visibility()


def test_whoever_shuts_themselves_out_is_told_before_and_after(visitors: Visitors) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    path = f"/threads/{thread}/visibility"
    checked = a1.send(path, path, 200, visibility="restricted", patients="yes", others="yes", step="check")
    assert "You will not see this thread any more yourself." in checked.text
    assert "<li>Members of Riverside Pharmacy who do not take part by name</li>" in checked.text
    done = a1.client.post(path, data=hidden(checked, path))
    assert done.headers["location"] == f"/threads/{thread}/left"
    assert "You cannot see that thread any more." in a1.get(done.headers["location"]).text
    a1.get(f"/threads/{thread}", 404)
    # A2 widens it again: every way of restricting is one to people.
    a2 = visitors.person("A2")
    checked = a2.send(path, path, 200, visibility="confidential", patients="yes", others="yes", step="check")
    assert "<li>Clinicians of Hill Clinic who do not take part by name</li>" in checked.text
    assert "yourself" not in checked.text
    wide = a2.send(path, path, 200, visibility="standard", patients="yes", others="yes", step="check")
    assert "<li>Members of Hill Clinic who do not take part by name</li>" in wide.text
    shut = a2.send(path, path, 200, visibility="standard", others="yes", step="check")
    assert "<li>Everyone who works for Hill Clinic and does not take part by name</li>" in shut.text


def test_what_is_no_choice(visitors: Visitors) -> None:
    region, a1 = visitors.region, visitors.person("A1")
    thread = region.open("A1", ("B1",), others=("P1",))
    path = f"/threads/{thread}/visibility"
    page = a1.get(path).text
    assert "This stays as long as they take part: John Doe." in page
    assert "This stays: the thread was not opened for an organisation or team." in page
    same = a1.send(path, path, 422, visibility="standard", patients="yes", others="yes", step="check")
    assert "That is how it is already" in same.text
    assert "Choose who can see it" in a1.send(path, path, 422, visibility="wide", step="check").text
    refused = a1.send(path, path, 422, visibility="standard", patients="", others="yes", step="record")
    assert "Somebody takes part whom that rule would not allow" in refused.text
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert "In a thread that is not open, this stays." in a1.get(path).text


def test_nobody_knows_of_a_rule_that_cannot_be_changed(visitors: Visitors) -> None:
    """Only relatives stand for the clinic's side: without them nobody of it would read."""
    region, a1 = visitors.region, visitors.person("A1")
    region.load({
        "resourceType": "CareTeam",
        "id": "Family",
        "status": "active",
        "name": "Family",
        "subject": {"reference": "Patient/P1"},
        "participant": [{"member": {"reference": "RelatedPerson/R1"}}],
    })  # fmt: skip
    family = region.service.directory.find("CareTeam/Family").id
    region._ids["Family"] = family
    thread = region.open("A1", ("Family",), on_behalf_of="Pharmacy-A")
    page = a1.get(f"/threads/{thread}/visibility").text
    assert "You cannot change this as the thread is." in page
    assert "nobody of Family could read it" in page


def test_an_administrator_makes_it_confidential(visitors: Visitors, thread: CommunicationId) -> None:
    a9 = visitors.person("A9")
    path = f"/threads/{thread}/visibility"
    checked = a9.send(path, path, 200, visibility="confidential", patients="yes", others="yes", step="check")
    assert "You will not see this thread any more yourself." in checked.text
