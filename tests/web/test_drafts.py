"""What somebody types is not lost: in two tabs, after a crash, without a server, when the session ends."""

import time

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from carethread.ids import CommunicationId
from carethread.policy.drafts import DraftContent, ReplyIn
from carethread.reads import read_draft, read_thread
from carethread.record.model import ThreadStatus
from carethread.writes import ThreadChange, change_thread, discard_draft, keep_draft
from tests.web.people import PATIENCE_MS, Town, Visitors, field, send, write

LIST = FilePayload(name="list.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7")


@pytest.fixture
def town(busy_town: Town) -> Town:
    return busy_town


@pytest.fixture
def thread(crowd: Visitors) -> CommunicationId:
    return crowd.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def kept(town: Town | Visitors, thread: CommunicationId, who: str = "B1") -> str | None:
    draft = read_draft(town.region.service, town.region.caller(who), ReplyIn(thread))
    return None if draft is None else draft.content.body


def await_kept(town: Town, thread: CommunicationId, text: str) -> None:
    """Wait until it is what is kept: what was on its way before it may come first."""
    patience = time.monotonic() + PATIENCE_MS / 1_000
    while kept(town, thread) != text:
        assert time.monotonic() < patience, kept(town, thread)
        time.sleep(0.05)


def bodies(town: Town | Visitors, thread: CommunicationId) -> list[str]:
    found = read_thread(town.region.service, town.region.caller("A1"), thread)
    return [each.body for each in found.messages]


def writing(town: Town, thread: CommunicationId, text: str = "Since Monday") -> Page:
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    write(page, text)
    return page


# ── Several tabs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_tabs_do_not_overwrite_each_other(town: Town, thread: CommunicationId) -> None:
    first = writing(town, thread, "Since Monday")
    second = first.context.new_page()
    second.goto(f"/threads/{thread}")
    expect(field(second)).to_have_value("Since Monday")
    write(second, "Since Tuesday, I think")
    field(first).fill("Since Monday evening")
    expect(first.get_by_text("This draft was changed in another tab or browser")).to_be_visible()
    first.get_by_text("What was kept there", exact=True).click()
    expect(first.get_by_text("Since Tuesday, I think")).to_be_visible()
    assert kept(town, thread) == "Since Tuesday, I think"
    first.get_by_role("button", name="Keep what is here").click()
    expect(first.get_by_text("Draft kept at")).to_be_visible()
    expect(field(first)).to_be_focused()
    assert kept(town, thread) == "Since Monday evening"
    field(second).fill("Since Wednesday")
    second.get_by_role("button", name="Take what was kept there").click()
    expect(field(second)).to_have_value("Since Monday evening")
    write(second, "Since Monday evening, he says")


def test_what_was_sent_elsewhere_does_not_come_back_unasked(town: Town, thread: CommunicationId) -> None:
    first = writing(town, thread, "Since Monday")
    second = first.context.new_page()
    second.goto(f"/threads/{thread}")
    send(second)
    field(first).fill("Since Monday evening")
    expect(first.get_by_text("This draft was sent or discarded in another tab or browser.")).to_be_visible()
    assert kept(town, thread) is None
    first.get_by_role("button", name="Keep what is here").click()
    expect(first.get_by_text("Draft kept at")).to_be_visible()
    assert kept(town, thread) == "Since Monday evening"


def test_sending_leaves_alone_what_was_kept_elsewhere_meanwhile(town: Town, thread: CommunicationId) -> None:
    first = writing(town, thread, "Since Monday")
    second = first.context.new_page()
    second.goto(f"/threads/{thread}")
    write(second, "Another matter")
    send(first)
    expect(field(first)).to_have_value("Another matter")
    assert bodies(town, thread) == ["Hello", "Since Monday"]


def test_what_goes_on_from_what_was_kept_takes_its_place(town: Town, thread: CommunicationId) -> None:
    """As after an answer that was lost on its way: nothing of what is kept is lost."""
    page = writing(town, thread, "Since")
    service, caller, place = town.region.service, town.region.caller("B1"), ReplyIn(thread)
    before = read_draft(service, caller, place)
    assert before is not None
    keep_draft(service, caller, place, DraftContent("Since Mon", before.content.on_behalf_of), expected=before.version)
    write(page, "Since Monday")
    assert kept(town, thread) == "Since Monday"


def test_keys_that_come_while_a_draft_is_kept_are_kept_after_it(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "One")

    def slowly(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/draft", slowly)
    for text in ("One two", "One two three", "One two three four"):
        field(page).fill(text)
        page.wait_for_timeout(800)
    page.unroute_all(behavior="wait")
    field(page).fill("One two three four five")
    await_kept(town, thread, "One two three four five")
    expect(page.get_by_text("was changed in another tab")).to_have_count(0)


# ── Crashes, sessions, networks ───────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_outlives_the_browser_and_the_session(town: Town, thread: CommunicationId) -> None:
    writing(town, thread, "Half a sen").context.close()
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    expect(field(page)).to_have_value("Half a sen")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="B2", exact=True).click()
    page.goto(f"/threads/{thread}")
    expect(field(page)).to_have_value("")
    assert kept(town, thread) == "Half a sen"


def test_whoever_is_signed_out_while_writing_signs_in_and_goes_on(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "Before")
    town.expire(page)
    field(page).fill("Before and after")
    expect(page.get_by_text("You have been signed out.")).to_be_visible()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in again in a new tab").click()
    opened.value.get_by_role("button", name="B1", exact=True).click()
    expect(opened.value.get_by_role("heading", name="You are signed in again")).to_be_visible()
    opened.value.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    assert kept(town, thread) == "Before and after"
    send(page)
    assert bodies(town, thread) == ["Hello", "Before and after"]


def test_sending_after_signing_in_again_loses_neither_text_nor_files(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "With a list")
    page.get_by_label("Files", exact=True).set_input_files(LIST)
    town.expire(page)
    other = page.context.new_page()
    other.goto("/sign-in")
    other.get_by_role("button", name="B1", exact=True).click()
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="You signed in again after you opened this page")).to_be_visible()
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(field(page)).to_have_value("With a list")
    expect(page.get_by_label("list.pdf")).to_be_checked()
    send(page)
    expect(page.get_by_role("link", name="list.pdf")).to_be_visible()
    assert bodies(town, thread) == ["Hello", "With a list"]


def test_sending_after_the_session_ended_goes_on_from_there(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "Two\n\nlines")
    town.expire(page)
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="You have been signed out")).to_be_visible()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in, in a new tab").click()
    opened.value.get_by_role("button", name="B1", exact=True).click()
    expect(opened.value.get_by_role("heading", name="You are signed in again")).to_be_visible()
    page.get_by_role("button", name="I have signed in: go on").click()
    expect(field(page)).to_have_value("Two\n\nlines")
    send(page)
    assert bodies(town, thread) == ["Hello", "Two\n\nlines"]


def test_somebody_else_at_the_same_browser_does_not_go_on_unasked(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "Mine")
    town.expire(page)
    other = page.context.new_page()
    other.goto("/sign-in")
    other.get_by_role("button", name="B2", exact=True).click()
    field(page).fill("Mine still")
    expect(page.get_by_text("You are signed in as Dr Bea Boot now.")).to_be_visible()
    assert kept(town, thread, "B2") is None
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="You are signed in as Dr Bea Boot now")).to_be_visible()
    expect(page.get_by_text("You write as Dr Bea Boot")).to_be_visible()
    assert bodies(town, thread) == ["Hello"]


def test_a_server_that_is_away_is_tried_again(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "A network")
    page.context.set_offline(True)
    field(page).fill("No network")
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The server does not answer")).to_have_count(0, timeout=PATIENCE_MS)
    await_kept(town, thread, "No network")


def test_what_is_too_long_is_told_and_stays(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    field(page).fill("long " * 30_000)
    expect(page.get_by_text("Not kept as a draft.")).to_be_visible()
    page.get_by_role("button", name="Send to the record").click()
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    assert len(field(page).input_value()) == 150_000


def test_a_draft_is_discarded_after_a_second_word(town: Town, thread: CommunicationId) -> None:
    page = writing(town, thread, "Not this")
    page.get_by_text("Discard this draft", exact=True).click()
    page.get_by_role("button", name="Discard it").click()
    expect(field(page)).to_have_value("")
    assert kept(town, thread) is None


def test_that_it_is_kept_is_said_once_a_minute_and_not_at_every_key(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1")
    page.clock.install()
    page.goto(f"/threads/{thread}")
    page.evaluate("""() => {
        window.said = 0;
        new MutationObserver(() => { window.said += 1; }).observe(document.getElementById("draft-said"),
            {childList: true, subtree: true, characterData: true});
    }""")
    for text in ("One", "One two", "One two three"):
        field(page).fill(text)
        with page.expect_response("**/draft"):
            page.clock.run_for(1_000)
        expect(page.get_by_text("Draft kept at")).to_be_visible()
    # The minute may have turned meanwhile.
    assert page.evaluate("window.said") <= 2


def test_for_whom_one_writes_is_kept_too(town: Town) -> None:
    thread = town.region.open("A1", ("B1", "Clinic-B"), on_behalf_of="Pharmacy-A")
    page = town.person("B1")
    page.goto(f"/threads/{thread}")
    radios = page.get_by_role("group", name="For whom do you write?").get_by_role("radio")
    group = page.get_by_label("on behalf of Hill Clinic")
    expect(group).not_to_be_checked()
    with page.expect_response("**/draft"):
        group.check()
    page.reload()
    expect(group).to_be_checked()
    expect(radios).to_have_count(2)


# ── Without scripts, and what is not in order ─────────────────────────────────────────────────────────────────────────


def test_without_scripts_a_draft_is_kept_with_a_button(town: Town, thread: CommunicationId) -> None:
    page = town.person("B1", java_script_enabled=False)
    page.goto(f"/threads/{thread}")
    field(page).fill("Half")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"/threads/{thread}")
    field(page).fill("Whole")
    page.get_by_role("button", name="Keep as a draft").click()
    field(other).fill("Other")
    other.get_by_role("button", name="Keep as a draft").click()
    expect(other.get_by_text("This draft was changed in another tab or browser")).to_be_visible()
    expect(field(other)).to_have_value("Other")
    other.get_by_role("button", name="Keep what is here").click()
    assert kept(town, thread) == "Other"
    field(page).fill("Lost")
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("button", name="Take what was kept there").click()
    expect(field(page)).to_have_value("Other")


def test_files_of_a_form_that_is_shown_again_are_kept(crowd: Visitors, thread: CommunicationId) -> None:
    visitor = crowd.person("B1")
    path, action = f"/threads/{thread}", f"/threads/{thread}/messages"
    files = [
        ("files", ("list.pdf", b"%PDF-1.7", "application/pdf")),
        ("files", ("nothing.pdf", b"", "application/pdf")),
    ]
    again = visitor.send(path, action, 422, body="x" * 100_001, files=files).text
    kept_id = again.partition('name="kept-file" type="checkbox" value="')[2].partition('"')[0]
    assert "list.pdf" in again
    assert "cannot be stored: it is empty or too large, or its name or type is not allowed" in again
    more = visitor.send(path, action, 422, body="", patient="", **{"kept-file": kept_id}).text
    assert kept_id in more
    visitor.send(path, action, body="", **{"kept-file": kept_id})
    sent = read_thread(crowd.region.service, crowd.region.caller("A1"), thread).messages[-1]
    assert [(each.file_name, each.size) for each in sent.attachments] == [("list.pdf", 8)]
    gone = visitor.send(path, action, 422, body="More", **{"kept-file": "00000000-0000-4000-8000-000000000000"}).text
    assert "A file is not kept any more" in gone
    assert "More" in gone


def test_what_was_sent_under_the_same_name_is_another_message_then(crowd: Visitors, thread: CommunicationId) -> None:
    visitor = crowd.person("B1")
    path, action = f"/threads/{thread}", f"/threads/{thread}/messages"
    fields = visitor.fields(path, action)
    assert visitor.client.post(action, data=fields | {"body": "One"}).status_code == 303
    refused = visitor.client.post(action, data=fields | {"body": "Two"})
    assert refused.status_code == 409
    assert fields["once"] not in refused.text
    assert bodies(crowd, thread) == ["Hello", "One"]


def test_what_was_written_is_given_back_where_a_thread_takes_nothing_more(
    crowd: Visitors, thread: CommunicationId
) -> None:
    region, visitor = crowd.region, crowd.person("B1")
    path, action = f"/threads/{thread}", f"/threads/{thread}/messages"
    fields = visitor.fields(path, action) | {"body": "Too late"}
    keep_draft(region.service, region.caller("B1"), ReplyIn(thread), DraftContent("Kept before"), expected=0)
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(status=ThreadStatus.CLOSED))
    assert "Too late" in visitor.client.post(action, data=fields).text
    assert "Kept before" in visitor.get(path).text
    visitor.send(path, f"{path}/draft/discard")
    assert "What you had written" not in visitor.get(path).text


def test_what_was_written_is_given_back_after_access_was_withdrawn(crowd: Visitors, thread: CommunicationId) -> None:
    region, visitor = crowd.region, crowd.person("C1")
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    path, action = f"/threads/{thread}", f"/threads/{thread}/messages"
    fields = visitor.fields(path, action) | {"body": "Too late"}
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(remove=region.ids("C1")))
    refused = visitor.client.post(action, data=fields)
    assert refused.status_code == 404
    assert "Too late" in refused.text
    assert "Hello" not in refused.text
    part = visitor.client.post(f"{path}/draft", data=fields, headers={"hx-request": "true"})
    assert part.status_code == 404
    assert "There is nothing here" in part.text
    entries = visitor.client.get(f"{path}/entries?after=0", headers={"hx-request": "true"})
    assert (entries.status_code, entries.headers["hx-retarget"]) == (404, "#amiss")


def test_versions_that_are_none_keep_nothing_instead_of_something(crowd: Visitors, thread: CommunicationId) -> None:
    visitor = crowd.person("B1")
    path, action = f"/threads/{thread}", f"/threads/{thread}/draft"
    fields = visitor.fields(path, f"/threads/{thread}/messages") | {"body": "First"}
    headers = {"hx-request": "true"}
    assert visitor.client.post(action, data=fields, headers=headers).status_code == 200
    for version in ("0", "", "-1", "9" * 40, "²", "x"):
        answer = visitor.client.post(action, data=fields | {"body": "Second", "draft": version}, headers=headers)
        assert answer.status_code == 409
        assert "This draft was changed in another tab" in answer.text
    assert kept(crowd, thread) == "First"
    discard_draft(crowd.region.service, crowd.region.caller("B1"), ReplyIn(thread))


def test_a_form_of_another_session_is_not_kept(crowd: Visitors, thread: CommunicationId) -> None:
    visitor = crowd.person("B1")
    path = f"/threads/{thread}"
    fields = visitor.fields(path, f"{path}/messages") | {"body": "Stale", "csrf": "of-before"}
    part = visitor.client.post(f"{path}/draft", data=fields, headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-trigger"]) == (403, "again")
    page = visitor.client.post(f"{path}/draft", data=fields)
    assert page.status_code == 403
    assert "Stale" in page.text
    assert kept(crowd, thread) is None
    forged = visitor.client.post(f"{path}/messages", data=fields, headers={"origin": "https://evil.example"})
    assert forged.status_code == 403
    assert "Stale" not in forged.text
