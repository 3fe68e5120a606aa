"""Sending: once, whatever the browser does; and without scripts."""

import pytest
from playwright.sync_api import FilePayload, expect

from carethread.ids import CommunicationId
from carethread.reads import read_thread
from tests.web.people import Town, field, send, write

NAME = "röntgen & hip.png"
PICTURE = FilePayload(name=NAME, mimeType="image/png", buffer=b"\x89PNG\r\n\x1a\n not really")


@pytest.fixture
def thread(busy_town: Town) -> CommunicationId:
    return busy_town.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def bodies(town: Town, thread: CommunicationId) -> list[str]:
    return [each.body for each in read_thread(town.region.service, town.region.caller("A1"), thread).messages]


def test_a_double_click_sends_once(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    field(page).fill("Once")
    page.get_by_role("button", name="Send to the record").dblclick()
    expect(page.get_by_text("Stored at")).to_be_visible()
    assert bodies(busy_town, thread) == ["Hello", "Once"]


def test_a_double_click_without_scripts_sends_once(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1", java_script_enabled=False)
    page.goto(f"/threads/{thread}")
    field(page).fill("Once")
    page.get_by_role("button", name="Send to the record").dblclick()
    expect(page.get_by_text("Stored at")).to_be_visible()
    assert bodies(busy_town, thread) == ["Hello", "Once"]


def test_reloading_and_going_back_send_nothing_again(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    write(page, "Once")
    send(page)
    page.reload()
    expect(page.get_by_text("Once", exact=True)).to_have_count(1)
    page.go_back()
    expect(page.get_by_text("Once", exact=True).first).to_be_visible()
    page.go_forward()
    page.go_back()
    # Whether the browser shows the page as it was, or asks for it anew: to send what it holds adds nothing.
    if field(page).input_value() == "Once":
        send(page)
    assert bodies(busy_town, thread) == ["Hello", "Once"]


def test_a_form_that_was_refused_is_reloaded_and_sent_once(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_role("heading", name="Write a message")).to_be_visible()
    page.reload()
    field(page).fill("Now")
    send(page)
    assert bodies(busy_town, thread) == ["Hello", "Now"]


def test_everything_is_there_without_scripts(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1", java_script_enabled=False)
    page.goto(f"/threads/{thread}")
    expect(page.get_by_text("Hello", exact=True)).to_be_visible()
    field(page).fill("Without <i>scripts</i>")
    page.get_by_label("Files", exact=True).set_input_files(PICTURE)
    page.get_by_text("Send to somebody else in the thread").click()
    page.get_by_label("Anna Visser").check()
    send(page)
    expect(page.get_by_text("Without <i>scripts</i>", exact=True)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name=NAME).click()
    assert saved.value.path().read_bytes() == PICTURE["buffer"]
    page.get_by_role("button", name="Nederlands").click()
    expect(page.get_by_role("heading", name="Antwoorden")).to_be_visible()
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_signing_out_leaves_nothing_behind(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    expect(page.get_by_text("Hello", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Hello", exact=True)).to_have_count(0)
    assert page.context.cookies() == [] or all(each["name"] != "carethread" for each in page.context.cookies())
