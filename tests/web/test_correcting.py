"""Correcting a message where it stands, and after its thread was closed in one that continues it."""

import re

import pytest

from carethread import MessageContent
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import ActorKind
from carethread.policy.drafts import CorrectionOf, DraftContent, ThreadAbout
from carethread.reads import Acting, ThreadView, read_draft, read_thread
from carethread.record.model import (
    AttachmentContent,
    Author,
    Message,
    MessageType,
    Policies,
    ThreadStatus,
    Visibility,
)
from carethread.writes import ThreadChange, change_session, change_thread, discard_draft, keep_draft, post_message
from tests.region import Region
from tests.web.people import Visitors, hidden

WRONG, RIGHT = "Metoprolol 100 mg.", "Metoprolol <b>50 mg</b>."


@pytest.fixture
def region(crowd: Visitors) -> Region:
    return crowd.region


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), WRONG, on_behalf_of="Pharmacy-A")


def view(region: Region, thread: CommunicationId) -> ThreadView:
    return read_thread(region.service, region.auditor, thread)


def first(region: Region, thread: CommunicationId) -> MessageId:
    return view(region, thread).messages[0].id


def last(region: Region, thread: CommunicationId) -> Message:
    return view(region, thread).messages[-1]


def close(region: Region, thread: CommunicationId, who: str = "A1") -> None:
    change_thread(region.service, region.caller(who), thread, ThreadChange(ThreadStatus.CLOSED))


def continuing(region: Region, thread: CommunicationId, who: str = "A1") -> list[CommunicationId]:
    return list(read_thread(region.service, region.caller(who), thread).continued_by)


# ── In its own thread ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_original_stands_beside_the_form(crowd: Visitors, region: Region) -> None:
    file = AttachmentContent(b"%PDF-1.7", "application/pdf", "list.pdf")
    content = MessageContent(WRONG, attachments=(file,))
    thread = region.open("A1", ("Clinic-B",), message=content, on_behalf_of="Pharmacy-A")
    message = first(region, thread)
    path = f"/messages/{message}/correct"
    a1 = crowd.person("A1")
    assert f'href="{path}"' in a1.get(f"/threads/{thread}").text
    page = a1.get(path).text
    for said in (WRONG, "list.pdf, 8 bytes", "It goes to those to whom the message went: Hill Clinic.", "Anna Visser"):
        assert said in page
    assert "Every member of Hill Clinic" in page
    sent = a1.send(path, path, body=RIGHT, files=[("files", ("new.pdf", b"%PDF-1.7", "application/pdf"))])
    made = last(region, thread)
    assert sent.headers["location"] == f"/threads/{thread}?stored={made.id}#m-{made.id}"
    assert (made.type, made.corrects, made.body) == (MessageType.CORRECTION, message, RIGHT)
    assert [each.file_name for each in made.attachments] == ["new.pdf"]
    assert "Metoprolol &lt;b&gt;50 mg&lt;/b&gt;." in a1.get(f"/threads/{thread}").text


def test_a_correction_that_comes_twice_counts_once(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    path = f"/messages/{first(region, thread)}/correct"
    a2 = crowd.person("A2")
    fields = a2.fields(path, path) | {"body": RIGHT}
    answers = {a2.client.post(path, data=fields).headers["location"] for _ in range(2)}
    assert len(answers) == 1
    assert len(view(region, thread).messages) == 2
    # With something else in it, it is another one.
    assert a2.client.post(path, data=fields | {"body": "25 mg"}).status_code == 409


def test_what_is_typed_is_kept_until_it_is_sent_or_thrown_away(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    message = first(region, thread)
    path, a1 = f"/messages/{message}/correct", crowd.person("A1")

    def kept() -> str | None:
        draft = read_draft(region.service, region.caller("A1"), CorrectionOf(message))
        return None if draft is None else draft.content.body

    fields = a1.fields(path, path)
    part = a1.client.post(f"{path}/draft", data=fields | {"body": "50"})
    assert "Draft kept at" in part.text
    version = re.search(r'name="draft" value="(\d+)"', part.text)
    assert version is not None
    a1.client.post(f"{path}/draft", data=fields | {"body": "50 mg", "draft": version[1]})
    assert kept() == "50 mg"
    assert "\n50 mg</textarea>" in a1.get(path).text
    # Another tab does not overwrite it.
    assert a1.client.post(f"{path}/draft", data=fields | {"body": "5"}).status_code == 409
    thrown = a1.client.post(f"{path}/draft/discard", data=fields)
    assert (thrown.status_code, thrown.headers["location"]) == (303, path)
    assert kept() is None
    a1.client.post(f"{path}/draft", data=fields | {"body": "50 mg"})
    a1.send(path, path, body="50 mg")
    assert kept() is None


def test_a_correction_that_is_not_in_order_comes_back_as_typed(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    path, a1 = f"/messages/{first(region, thread)}/correct", crowd.person("A1")
    assert "Write a message" in a1.send(path, path, 422, body="").text
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    for wrong in ({"thread": other}, {"patient": region.id("P2")}, {"once": ""}):
        answer = a1.send(path, path, 422, body=RIGHT, **wrong)
        assert "Metoprolol &lt;b&gt;50 mg&lt;/b&gt;.</textarea>" in answer.text
    refused = a1.send(path, path, 422, body=RIGHT, files=[("files", ("x", b"MZ", "none"))])
    assert "A file cannot be stored" in refused.text
    assert len(view(region, thread).messages) == 1


def test_who_may_not_correct_it(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    message = first(region, thread)
    crowd.person("B1").get(f"/messages/{message}/correct", 403)
    crowd.person("C1").get(f"/messages/{message}/correct", 404)
    crowd.person("A1").get("/messages/00000000-0000-4000-8000-000000000000/correct", 404)


def test_a_member_of_two_groups_says_for_which(crowd: Visitors, region: Region) -> None:
    thread = region.open("X1", ("Clinic-B",), WRONG, on_behalf_of="Pharmacy-A")
    reply = post_message(
        region.service, region.caller("X1"), thread, MessageContent("Yes", on_behalf_of=region.id("Clinic-B"))
    )
    path, x1 = f"/messages/{reply}/correct", crowd.person("X1")
    assert "For whom do you write?" in x1.get(path).text
    x1.send(path, path, body="No", **{"for": region.id("Clinic-B")})
    made = last(region, thread).on_behalf_of
    assert made is not None
    assert made.id == region.id("Clinic-B")


# ── After it was closed ───────────────────────────────────────────────────────────────────────────────────────────────


def test_after_closing_a_correction_opens_a_thread_that_continues(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    message = first(region, thread)
    close(region, thread)
    a1 = crowd.person("A1")
    assert f'href="/messages/{message}/correct"' in a1.get(f"/threads/{thread}").text
    path = f"/threads/{thread}/continue"
    assert a1.get(f"/messages/{message}/correct", 303).headers["location"] == f"{path}?corrects={message}"
    page = a1.get(f"{path}?corrects={message}")
    assert WRONG in page.text
    fields = hidden(page, path)
    assert a1.client.post(f"{path}/draft", data=fields | {"body": "50"}).status_code == 200
    assert "\n50</textarea>" in a1.get(f"{path}?corrects={message}").text
    fields = hidden(a1.get(f"{path}?corrects={message}"), path) | {"body": RIGHT, "to": region.id("Clinic-B")}
    answers = {a1.client.post(path, data=fields).headers["location"] for _ in range(2)}
    (new,) = continuing(region, thread)
    assert answers == {f"/threads/{new}?stored=first"}
    assert read_draft(region.service, region.caller("A1"), CorrectionOf(message)) is None
    made = last(region, new)
    assert (made.corrects, made.body) == (message, RIGHT)
    assert [each.name for each in made.to] == ["Hill Clinic"]
    # Each points to the other.
    assert f'href="/threads/{thread}"' in a1.get(f"/threads/{new}").text
    old = a1.get(f"/threads/{thread}").text
    assert f'href="/threads/{new}"' in old
    assert f'href="/threads/{new}#m-{made.id}"' in old


def test_a_thread_that_continues_takes_the_next_correction(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    message = first(region, thread)
    close(region, thread)
    new = region.open("B1", ("Pharmacy-A",), "Going on", on_behalf_of="Clinic-B", continues=thread)
    path, a1 = f"/messages/{message}/correct", crowd.person("A1")
    page = a1.get(path).text
    assert "Your correction goes into the thread that continues it" in page
    assert f'href="/threads/{thread}/continue?corrects={message}"' in page
    a1.send(path, path, body=RIGHT)
    assert last(region, new).corrects == message
    # That one is closed as well: then there is none that takes it.
    fields = a1.fields(path, path) | {"body": "Again"}
    close(region, new, "B1")
    answer = a1.client.post(path, data=fields)
    assert answer.headers["location"] == f"/threads/{thread}/continue?corrects={message}"


def test_going_on_without_a_correction(crowd: Visitors, region: Region) -> None:
    """The recipient side goes on: it asks whom its replies went to, and everybody else who reads it takes part."""
    thread = region.open("A1", ("Clinic-B",), WRONG, on_behalf_of="Pharmacy-A", others=("C1", "HomeCare-D"))
    close(region, thread)
    path, b1 = f"/threads/{thread}/continue", crowd.person("B1")
    page = b1.get(path).text
    assert ticked(page, "to") == ["Riverside Pharmacy"]
    # Who opened it for the pharmacy read it as its member.
    assert ticked(page, "others") == ["Dr Cas Citroen", "Thuiszorg De Brug"]
    assert "You write as Dr Bo Bell on behalf of Hill Clinic." in page
    both = list(region.ids("Pharmacy-A", "C1"))
    b1.send(path, path, body="One more", to=region.id("Pharmacy-A"), others=both)
    (new,) = continuing(region, thread)
    ledger = view(region, new).ledger
    assert [region.name(each.id) for each in ledger.participants] == ["B1", "Clinic-B", "Pharmacy-A", "C1"]
    assert ledger.addressing is not None
    assert ledger.addressing.recipients == region.ids("Pharmacy-A")
    assert ledger.addressing.reply_to == region.id("Clinic-B")
    assert "The closed thread is continued in this one already." in b1.get(path).text


def ticked(page: str, field: str) -> list[str]:
    """Return the names of the boxes of a field that are ticked."""
    ids = re.findall(rf'id="([^"]+)" name="{field}" type="checkbox" value="[^"]+" checked', page)
    return [re.findall(rf'for="{each}">([^<]+)<', page)[0] for each in ids]


def test_what_is_typed_for_a_thread_that_continues_is_kept(
    crowd: Visitors, region: Region, thread: CommunicationId
) -> None:
    close(region, thread)
    path, a2, caller = f"/threads/{thread}/continue", crowd.person("A2"), region.caller("A2")
    place = ThreadAbout(region.id("P1"))
    fields = a2.fields(path, path)
    a2.client.post(f"{path}/draft", data=fields | {"body": "One more", "to": region.id("Clinic-B")})
    draft = read_draft(region.service, caller, place)
    assert draft is not None
    assert draft.content == DraftContent(
        "One more", region.id("Pharmacy-A"), region.ids("Clinic-B"), continues=thread
    )  # fmt: skip
    # The page of new threads leaves it alone, and so does a thread that is opened there.
    new = f"/new/{region.id('P1')}"
    page = a2.get(f"{new}?meant=1").text
    assert "One more" not in page
    assert f'href="{path}"' in page
    opened = hidden(a2.get(f"{new}?meant=1"), new) | {"for": region.id("Pharmacy-A"), "to": region.id("Clinic-B")}
    assert a2.client.post(new, data=opened | {"body": "Else", "step": "find"}).status_code == 409
    assert a2.client.post(new, data=opened | {"body": "Else", "step": "send"}).status_code == 303
    assert "\nOne more</textarea>" in a2.get(path).text
    thrown = a2.client.post(f"{path}/draft/discard", data=fields)
    assert thrown.headers["location"] == path
    assert read_draft(region.service, caller, place) is None
    # The other way round, too.
    keep_draft(region.service, caller, place, DraftContent("Something else"), expected=0)
    page = a2.get(path).text
    assert "What you type here is not kept until you send it." in page
    assert "Something else" not in page
    assert a2.client.post(f"{path}/draft", data=fields | {"body": "x"}).status_code == 409
    a2.send(path, path, body="One more", to=region.id("Clinic-B"))
    assert read_draft(region.service, caller, place) is not None
    discard_draft(region.service, caller, place)


def test_a_thread_that_continues_has_the_rules_of_the_closed_one(crowd: Visitors, region: Region) -> None:
    inside = Policies(allow_patient_participation=False, allow_external_organisations=False)
    thread = region.open("A1", ("A2",), WRONG, on_behalf_of="Pharmacy-A", policies=inside)
    close(region, thread)
    path = f"/threads/{thread}/continue"
    crowd.person("A1").send(path, path, body="One more", to=region.id("A2"))
    # Whoever goes on for themselves has no group that the others would be kept out of.
    crowd.person("A2").send(path, path, body="And more", to=region.id("Pharmacy-A"), **{"for": "me"})
    found = {view(region, each).messages[0].body: view(region, each).ledger for each in continuing(region, thread)}
    assert found["One more"].policies == inside
    assert found["And more"].policies == Policies(allow_patient_participation=False)


def test_a_restricted_thread_is_continued_by_a_person(crowd: Visitors, region: Region) -> None:
    restricted = Visibility(restricted=True)
    thread = region.open("A1", ("B1",), WRONG, others=("Clinic-B", "Pharmacy-A"), visibility=restricted)
    close(region, thread)
    path, b1 = f"/threads/{thread}/continue", crowd.person("B1")
    assert "You write as Dr Bo Bell." in b1.get(path).text
    b1.send(path, path, body="One more", to=region.id("A1"))
    (new,) = continuing(region, thread)
    assert view(region, new).ledger.visibility == restricted


def test_a_plain_thread_is_continued_for_everyone(crowd: Visitors, region: Region) -> None:
    opened = region.open("A1", ("A2",))
    record = region.service.record(view(region, opened).record)
    listed = view(region, opened).ledger.participants
    plain = record.communication_create(Author(region.id("A1"), "Anna Visser"), "Here", listed, MessageContent("All"))
    close(region, plain)
    assert ticked(crowd.person("A1").get(f"/threads/{plain}/continue").text, "to") == ["Adam Novak"]


def test_for_whom_and_to_whom_must_be_said(crowd: Visitors, region: Region) -> None:
    thread = region.open("X1", ("Clinic-B",), WRONG, on_behalf_of="Pharmacy-A")
    post_message(region.service, region.caller("X1"), thread, MessageContent("y", on_behalf_of=region.id("Clinic-B")))
    close(region, thread, "B1")
    x1, a1 = crowd.person("X1"), crowd.person("A1")
    path = f"/threads/{thread}/continue"
    assert "For whom do you write?" in x1.get(path).text
    refused = x1.send(path, path, 422, body="One <more>", to=region.id("Clinic-B"), **{"for": ""})
    assert "Say for whom you write" in refused.text
    assert "One &lt;more&gt;</textarea>" in refused.text
    refused = a1.send(path, path, 422, body="One more")
    assert "Choose at least one recipient" in refused.text
    refused = a1.send(path, path, 422, body="One more", to="nobody")
    assert "\nOne more</textarea>" in refused.text
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    for wrong in ({"thread": other}, {"patient": region.id("P2")}, {"once": ""}):
        a1.send(path, path, 422, body="One more", to=region.id("Clinic-B"), **wrong)
    assert continuing(region, thread) == []


def test_what_is_not_to_be_continued(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    a1, path = crowd.person("A1"), f"/threads/{thread}/continue"
    # Open threads go on where they are.
    assert a1.get(path, 303).headers["location"] == f"/threads/{thread}"
    csrf = a1.fields(f"/threads/{thread}/close", f"/threads/{thread}/close")["csrf"]
    assert a1.client.post(path, data={"csrf": csrf}).headers["location"] == f"/threads/{thread}"
    close(region, thread)
    a1.get(f"{path}?corrects={last(region, thread).id}", 404)
    a1.get(f"{path}?corrects=00000000-0000-4000-8000-000000000000", 404)
    a1.get(f"{path}?corrects=x", 422)
    crowd.person("B1").get(f"{path}?corrects={first(region, thread)}", 404)


def test_an_auditor_continues_nothing(crowd: Visitors, region: Region, thread: CommunicationId) -> None:
    close(region, thread)
    auditor = crowd.person("N1")
    secret = auditor.client.cookies["carethread"]
    acting = Acting(kind=ActorKind.AUDITOR, purpose="complaint 17")
    change_session(region.service, secret, acting=acting, client="tests")
    assert "This thread is closed" in auditor.get(f"/threads/{thread}/continue", 409).text
