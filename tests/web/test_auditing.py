"""The access log as auditors see it: in words, by name; emergencies; and what somebody could see at an instant."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from carethread import CoordinationService
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.errors import NotFoundError
from carethread.ids import CommunicationId, ParticipantId
from carethread.reads import open_in_emergency, read_message, read_thread
from carethread.record.model import Visibility
from carethread.web.log_words import told, why
from carethread.web.words import Words
from tests.region import ALIKE, Region
from tests.web.looks import NARROW, WIDE, faults, need_axe, picture
from tests.web.people import Town, Visitor, Visitors
from tests.web.sites import site

SOMEBODY = ParticipantId("00000000-0000-4000-8000-000000000001")


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitors]:
    region = Region(CoordinationService.open(tmp_path_factory.mktemp("audit") / "data", name="De Linde"))
    region.load(ALIKE)
    with site(region.service, region, ("A1", "N1")) as base:
        made = Visitors(region, base)
        yield made
        made.close()


@pytest.fixture(scope="module")
def auditor(offices: Visitors) -> Visitor:
    visitor = offices.person("N1")
    visitor.send("/duties", "/duties", kind="auditor", purpose="Complaint 17")
    return visitor


@pytest.fixture(scope="module")
def thread(offices: Visitors) -> CommunicationId:
    region = offices.region
    made = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="Clinical text")
    view = read_thread(region.service, region.caller("B1"), made)
    read_message(region.service, region.caller("B1"), view.messages[0].id)
    with pytest.raises(NotFoundError):
        read_thread(region.service, region.caller("C1"), made)
    return made


def _lines(page: str) -> str:
    return page.split("</form>", 2)[-1]


def test_lines_are_in_words_and_lead_to_what_was_served(
    offices: Visitors, auditor: Visitor, thread: CommunicationId
) -> None:
    page = auditor.send("/audit", "/audit", 200, thread=thread).text
    message = read_thread(offices.region.service, offices.region.caller("A1"), thread).messages[0].id
    for said in ("Was shown a thread", "Was shown a message", "Opened a thread", "(professional)", "About John Doe"):
        assert said in page
    assert f'href="/threads/{thread}"' in page
    assert f'href="/messages/{message}"' in page
    assert f"/threads/{thread}/history#c-" in page
    assert "Clinical text" not in page
    assert "Nothing there, or not for them to see" in page
    auditor.get(f"/threads/{thread}/history")


def test_lines_are_selected_by_names(offices: Visitors, auditor: Visitor, thread: CommunicationId) -> None:
    region = offices.region
    found = auditor.send("/audit", "/audit", 200, step="find-actor", **{"actor-words": "Bo"}).text
    assert region.id("B1") in found
    assert "Clinician at Hill Clinic" in found
    page = auditor.send("/audit", "/audit", 200, actor=region.id("B1"), action="served", thread=thread).text
    assert "Dr Bo Bell" in _lines(page)
    assert "Anna Visser" not in _lines(page)
    assert "No line of the log is so." in auditor.send("/audit", "/audit", 200, thread=thread, action="emergency").text
    one = auditor.send("/audit", "/audit", 200, thread=thread, **{"actor-words": "Bell"}).text
    assert "Anna Visser" not in _lines(one)
    group = auditor.send("/audit", "/audit", 200, thread=thread, **{"group-words": "Riverside"}).text
    assert "on behalf of Riverside Pharmacy" in _lines(group)
    assert "Dr Bo Bell" not in _lines(group)
    team = auditor.send("/audit", "/audit", 200, step="find-group", **{"group-words": "Wound"}).text
    assert f'value="{region.id("Wounds")}" checked' in team
    patient = auditor.send("/audit", "/audit", 200, **{"patient-words": "John"}).text
    assert "About John Doe" in patient
    assert "About John Doe" not in auditor.send("/audit", "/audit", 200, patient=region.id("P2")).text


def test_of_several_of_a_name_one_is_chosen(offices: Visitors, auditor: Visitor) -> None:
    several = auditor.send("/audit", "/audit", 422, **{"patient-words": "Jo"}).text
    assert "Choose the patient, or write more of the name" in several
    assert 'href="#patient-words"' in several
    assert "born 27 May 1956" in several
    assert "born 28 May 1956" in several
    chosen = offices.region.id("P1")
    looking = {"patient": chosen, "patient-words": "Jane", "step": "find-patient"}
    page = auditor.send("/audit", "/audit", 200, **looking).text
    assert f'value="{chosen}" checked' in page
    assert offices.region.id("P2") in page
    related = auditor.send("/audit", "/audit", 200, step="find-actor", **{"actor-words": "Doe"}).text
    assert "Relative or carer of John Doe" in related


def test_those_who_left_and_those_whom_nobody_knows(offices: Visitors, auditor: Visitor) -> None:
    offices.region.load({"resourceType": "Practitioner", "id": "Z9", "active": False, "name": [{"text": "Zoe Gone"}]})
    page = auditor.send("/audit", "/audit", 200, step="find-actor", **{"actor-words": "Zoe"}).text
    assert "Not active any more" in page
    assert SOMEBODY in auditor.send("/audit", "/audit", 200, actor=SOMEBODY).text
    nobody = auditor.send("/audit", "/audit", 200, step="find-actor", **{"actor-words": "Quxly"}).text
    assert "Nobody was found." in nobody


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thread", "x"),
        ("actor", "x"),
        ("actor-words", "nobody such"),
        ("actor-words", "?!"),
        ("group", "x"),
        ("patient", "x"),
        ("action", "x"),
        ("outcome", "x"),
        ("since", "x"),
        ("until", "2026-13-01"),
    ],
)
def test_what_is_not_in_order_is_told_of_its_own_field(auditor: Visitor, field: str, value: str) -> None:
    for more in ({}, {"as": "csv"}):
        page = auditor.send("/audit", "/audit", 422, **{field: value}, **more).text
        name = field.removesuffix("-words")
        place = field if name in ("thread", "action", "outcome", "since", "until") else f"{name}-words"
        assert f'href="#{place}"' in page
        assert f'id="{place}"' in page
        assert f'id="{name}-error"' in page


def test_lines_are_exported(offices: Visitors, auditor: Visitor, thread: CommunicationId) -> None:
    selected = {"thread": thread, "outcome": "done"}
    exported = auditor.send("/audit", "/audit", 200, **selected, **{"as": "csv"})
    assert exported.headers["content-disposition"] == 'attachment; filename="access-log.csv"'
    head, *rows = exported.text.splitlines()
    assert head.startswith("number,at,actor")
    lines = [
        json.loads(each)
        for each in auditor.send("/audit", "/audit", 200, **selected, **{"as": "json"}).text.splitlines()
    ]
    assert len(lines) >= len(rows) >= 3
    assert {"written", "served"} <= {each["action"] for each in lines}
    group = offices.region.id("Pharmacy-A")
    of_group = auditor.send("/audit", "/audit", 200, group=group, **{"as": "json"}).text.splitlines()
    assert {json.loads(each)["acting_for"] for each in of_group} == {group}


def test_older_lines_keep_what_was_selected(offices: Visitors, auditor: Visitor) -> None:
    for _ in range(60):
        read_thread(offices.region.service, offices.region.caller("A1"), _any(offices))
    page = auditor.send("/audit", "/audit", 200, **{"actor-words": "Anna"}).text
    fields = page.split("Older lines")[0].rpartition("<form")[2]
    assert f'name="actor" value="{offices.region.id("A1")}"' in fields
    after = fields.rpartition('value="')[2].partition('"')[0]
    older = auditor.send("/audit", "/audit", 200, actor=offices.region.id("A1"), after=after).text
    shown = [int(each) for each in re.findall(r"Line (\d+)", older)]
    assert shown
    assert max(shown) < int(after)
    auditor.send("/audit", "/audit", 200, after="9" * 40)


def _any(offices: Visitors) -> CommunicationId:
    return offices.region.open("A1", ("B1",))


def test_emergencies_are_by_themselves(offices: Visitors, auditor: Visitor) -> None:
    region = offices.region
    assert "Nobody has opened" in auditor.get("/audit/emergencies").text
    thread = region.open("A1", ("B1", "Clinic-B"), others=("A2",), visibility=Visibility(restricted=True))
    open_in_emergency(region.service, region.caller("B2"), thread, "Unconscious, no list of medicines")
    page = auditor.get("/audit/emergencies").text
    assert "Unconscious, no list of medicines" in page
    assert "Dr Bea Boot" in page
    assert "Opened a restricted thread in an emergency" in page
    assert "Was shown a thread" not in page


def test_what_somebody_could_see_at_an_instant(offices: Visitors, auditor: Visitor, thread: CommunicationId) -> None:
    region = offices.region
    now = datetime.fromtimestamp(region.service.archive.clock() / 1000, UTC)
    asked = {"person": region.id("B1"), "day": f"{now:%Y-%m-%d}", "time": f"{now:%H:%M:%S}", "step": "show"}
    assert "Europe/London" in auditor.get("/audit/hindsight").text
    page = auditor.send("/audit/hindsight", "/audit/hindsight", 200, **asked).text
    assert "Dr Bo Bell at" in page
    assert f'href="/threads/{thread}"' in page
    assert "John Doe" in page
    assert "1 entry" in page
    assert "Was shown a message" in page
    assert "Clinical text" not in page
    narrowed = auditor.send("/audit/hindsight", "/audit/hindsight", 200, **asked, patient=region.id("P2")).text
    assert "They could read no thread." in narrowed
    same = auditor.send("/audit/hindsight", "/audit/hindsight", 200, **asked, **{"patient-words": "John"}).text
    assert f'href="/threads/{thread}"' in same
    other = auditor.send("/audit/hindsight", "/audit/hindsight", 200, **asked | {"person": region.id("D1")}).text
    assert f'href="/threads/{thread}"' not in other
    assert "Nothing had been served to them." in other


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"person": ""}, "person-words"),
        ({"person": "", "person-words": "Nobody such"}, "person-words"),
        ({"person": "x"}, "person-words"),
        ({"day": "x"}, "day"),
        ({"time": ""}, "day"),
        ({"day": "2999-01-01"}, "day"),
        ({"day": "2001-01-01"}, "day"),
        ({"day": "1960-01-01"}, "day"),
        ({"patient": "x"}, "patient-words"),
    ],
)
def test_what_is_not_in_order_of_an_instant(
    offices: Visitors, auditor: Visitor, typed: dict[str, str], place: str
) -> None:
    asked = {"person": offices.region.id("B1"), "day": "2026-01-01", "time": "10:00", "step": "show"}
    page = auditor.send("/audit/hindsight", "/audit/hindsight", 422, **asked | typed).text
    assert f'href="#{place}"' in page


def test_only_an_auditor_sees_any_of_it(offices: Visitors) -> None:
    somebody = offices.person("A1")
    csrf = somebody.fields("/inbox", "/language")["csrf"]
    for path in ("/audit", "/audit/emergencies"):
        somebody.get(path, 403)
        assert somebody.client.post(path, data={"csrf": csrf}).status_code == 403
    asked = {"csrf": csrf, "step": "show", "person": offices.region.id("B1"), "day": "2026-01-01", "time": "10:00"}
    refused = somebody.client.post("/audit/hindsight", data=asked)
    assert refused.status_code == 403
    somebody.get("/audit/hindsight", 403)


def test_an_auditor_looks_back_in_a_browser(offices: Visitors, thread: CommunicationId, browser: Browser) -> None:
    need_axe()
    town = Town(offices.region, offices.base, browser)
    page = town.person("N1")
    page.goto("/duties")
    page.get_by_label("For which purpose").fill("Complaint 18")
    page.get_by_role("button", name="Act as an auditor").click()
    page.get_by_text("Select lines").click()
    _look(page, "audit-selecting")
    page.get_by_role("link", name="What somebody could see").click()
    page.get_by_label("Who", exact=True).fill("Bo")
    page.get_by_role("button", name="Find Who").click()
    page.get_by_label("Dr Bo Bell").check()
    now = datetime.fromtimestamp(offices.region.service.archive.clock() / 1000, ZoneInfo("Europe/London"))
    page.get_by_label("Day").fill(f"{now:%Y-%m-%d}")
    page.get_by_label("Time").fill(f"{now:%H:%M:%S}")
    page.get_by_role("button", name="Show", exact=True).last.click()
    expect(page.get_by_role("heading", name="Could read")).to_be_visible()
    _look(page, "hindsight-found")
    page.get_by_role("link", name="Was shown a message").first.click()
    expect(page.get_by_text("Clinical text")).to_be_visible()
    assert thread in page.url
    town.close()


def _look(page: Page, name: str) -> None:
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            picture(page, f"{name}-{size['width']}-{theme}")
            assert faults(page) == []


def _entry(action: Action, detail: str = "", outcome: Outcome = Outcome.DONE) -> AccessEntry:
    thread = CommunicationId("x")
    return AccessEntry(
        actor=SOMEBODY, actor_kind="x", action=action, detail=detail, outcome=outcome, thread=thread
    )  # fmt: skip


def test_codes_in_words() -> None:
    words = Words("en", "UTC")
    assert told(_entry(Action.SERVED, "entries after 3"), words) == "Was shown what was new in a thread"
    assert told(_entry(Action.SERVED, "attachment 1"), words) == "Was sent a file"
    assert told(_entry(Action.LISTED, "inbox waiting"), words) == "Was shown an inbox"
    assert told(_entry(Action.WRITTEN, "status add"), words) == "Changed a thread: whether it is open, who takes part"
    assert told(_entry(Action.WRITTEN, "whatever"), words) == "Recorded or changed something"
    assert told(_entry(Action.EMERGENCY, "attachment 1"), words) == "Opened a restricted thread in an emergency"
    refused = _entry(Action.WRITTEN, "thread-not-open", Outcome.REFUSED)
    assert told(refused, words) == "Tried to record or change something"
    assert why(refused, words) == "the thread was not open"
    assert why(_entry(Action.WRITTEN, "whatever", Outcome.REFUSED), words) == ""
    assert why(_entry(Action.WRITTEN, "message"), words) == ""
