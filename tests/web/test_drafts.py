"""What somebody types is not lost: in two tabs, after a crash, without a server, when the session ends."""

import pytest
from playwright.sync_api import Page, expect

from carethread.ids import CommunicationId
from carethread.policy.drafts import DraftContent, ReplyIn
from carethread.reads import read_draft, read_thread
from carethread.writes import end_session, keep_draft
from tests.web.people import Town


@pytest.fixture
def thread(town: Town) -> CommunicationId:
    return town.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def kept(town: Town, thread: CommunicationId, who: str = "B1") -> str | None:
    draft = read_draft(town.region.service, town.region.caller(who), ReplyIn(thread))
    return None if draft is None else draft.content.body


def bodies(town: Town, thread: CommunicationId) -> list[str]:
    found = read_thread(town.region.service, town.region.caller("A1"), thread)
    return [each.body for each in found.messages]


def message(page: Page) -> object:
    return page.get_by_label("Message", exact=True)


def expire(town: Town, page: Page) -> None:
    secret = next(each["value"] for each in page.context.cookies() if each["name"] == "carethread")
    end_session(town.region.service, secret, client="tests", request_id="expired")


def writes(page: Page, thread: CommunicationId, text: str) -> None:
    page.goto(f"/threads/{thread}")
    page.get_by_label("Message", exact=True).fill(text)
    expect(page.get_by_text("Draft kept at")).to_be_visible()


def test_two_tabs_do_not_overwrite_each_other(town: Town, thread: CommunicationId) -> None:
    first = town.person("B1")
    writes(first, thread, "Since Monday")
    second = first.context.new_page()
    second.goto(f"/threads/{thread}")
    expect(second.get_by_label("Message", exact=True)).to_have_value("Since Monday")
    second.get_by_label("Message", exact=True).fill("Since Tuesday, I think")
    expect(second.get_by_text("Draft kept at")).to_be_visible()
    second.wait_for_timeout(1_200)
    assert kept(town, thread) == "Since Tuesday, I think"
    first.get_by_label("Message", exact=True).fill("Since Monday evening")
    expect(first.get_by_text("This draft was changed in another tab or browser")).to_be_visible()
    first.get_by_text("What was kept there", exact=True).click()
    expect(first.get_by_text("Since Tuesday, I think")).to_be_visible()
    first.screenshot(path="/tmp/conflict.png", full_page=True)
    assert kept(town, thread) == "Since Tuesday, I think"
    first.get_by_role("button", name="Keep what is here").click()
    expect(first.get_by_text("Draft kept at")).to_be_visible()
    expect(first.get_by_label("Message", exact=True)).to_be_focused()
    assert kept(town, thread) == "Since Monday evening"
    second.get_by_label("Message", exact=True).fill("Since Wednesday")
    second.get_by_role("button", name="Take what was kept there").click()
    expect(second.get_by_label("Message", exact=True)).to_have_value("Since Monday evening")
    second.get_by_label("Message", exact=True).press_sequentially("!")
    expect(second.get_by_text("Draft kept at")).to_be_visible()


def test_what_goes_on_from_what_was_kept_elsewhere_takes_its_place(town: Town, thread: CommunicationId) -> None:
    """As after an answer that was lost on its way: nothing of what is kept would be lost."""
    page = town.person("B1")
    writes(page, thread, "Since")
    service, caller, place = town.region.service, town.region.caller("B1"), ReplyIn(thread)
    before = read_draft(service, caller, place)
    assert before is not None
    keep_draft(service, caller, place, DraftContent("Since Mon", before.content.on_behalf_of), expected=before.version)
    page.get_by_label("Message", exact=True).fill("Since Monday")
    page.wait_for_timeout(1_500)
    page.screenshot(path="/tmp/kept.png", full_page=True)
    assert kept(town, thread) == "Since Monday"
    expect(page.get_by_text("was changed in another tab")).to_have_count(0)


def test_a_draft_outlives_the_browser_and_the_session(town: Town, thread: CommunicationId) -> None:
    first = town.person("B1")
    writes(first, thread, "Half a sen")
    first.context.close()
    second = town.person("B1")
    second.goto(f"/threads/{thread}")
    expect(second.get_by_label("Message", exact=True)).to_have_value("Half a sen")
    second.get_by_role("button", name="Sign out").click()
    second.get_by_role("button", name="B2", exact=True).click()
    second.goto(f"/threads/{thread}")
    expect(second.get_by_label("Message", exact=True)).to_have_value("")
    assert kept(town, thread) == "Half a sen"


def test_whoever_is_signed_out_while_writing_signs_in_and_goes_on(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    writes(page, thread, "Before")
    expire(town, page)
    page.get_by_label("Message", exact=True).fill("Before and after")
    expect(page.get_by_text("You have been signed out.")).to_be_visible()
    page.screenshot(path="/tmp/out.png", full_page=True)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in again in a new tab").click()
    other = opened.value
    other.get_by_role("button", name="B1", exact=True).click()
    expect(other.get_by_role("heading", name="You are signed in again")).to_be_visible()
    other.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    assert kept(town, thread) == "Before and after"
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_text("Stored at")).to_be_visible()
    assert bodies(town, thread) == ["Hello", "Before and after"]


def test_sending_after_signing_in_again_loses_neither_text_nor_files(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    writes(page, thread, "With a picture")
    page.get_by_label("Files", exact=True).set_input_files(
        {"name": "list.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    expire(town, page)
    other = page.context.new_page()
    other.goto("/sign-in")
    other.get_by_role("button", name="B1", exact=True).click()
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="You signed in again after you opened this page")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_have_value("With a picture")
    expect(page.get_by_label("list.pdf")).to_be_checked()
    page.screenshot(path="/tmp/again.png", full_page=True)
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_text("Stored at")).to_be_visible()
    expect(page.get_by_role("link", name="list.pdf")).to_be_visible()
    assert bodies(town, thread) == ["Hello", "With a picture"]


def test_somebody_else_at_the_same_browser_does_not_go_on_unasked(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    writes(page, thread, "Mine")
    expire(town, page)
    other = page.context.new_page()
    other.goto("/sign-in")
    other.get_by_role("button", name="B2", exact=True).click()
    page.get_by_label("Message", exact=True).fill("Mine still")
    expect(page.get_by_text("You are signed in as Dr Bea Boot now.")).to_be_visible()
    assert kept(town, thread, "B2") is None
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="You are signed in as Dr Bea Boot now")).to_be_visible()
    expect(page.get_by_text("You write as Dr Bea Boot")).to_be_visible()
    assert bodies(town, thread) == ["Hello"]


def test_a_server_that_is_away_is_tried_again(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    page.context.set_offline(True)
    page.get_by_label("Message", exact=True).fill("No network")
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    page.screenshot(path="/tmp/away.png", full_page=True)
    page.context.set_offline(False)
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    expect(page.get_by_text("The server does not answer")).to_have_count(0)
    assert kept(town, thread) == "No network"


def test_what_is_too_long_is_told_and_stays(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    page.get_by_label("Message", exact=True).fill("long " * 30_000)
    expect(page.get_by_text("Not kept as a draft.")).to_be_visible()
    page.screenshot(path="/tmp/long.png", full_page=True)
    page.get_by_role("button", name="Send to the record").click()
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    page.screenshot(path="/tmp/long2.png", full_page=True)
    assert len(page.get_by_label("Message", exact=True).input_value()) == 150_000


def test_a_draft_is_discarded_after_a_second_word(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    writes(page, thread, "Not this")
    page.get_by_text("Discard this draft", exact=True).click()
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    assert kept(town, thread) is None
