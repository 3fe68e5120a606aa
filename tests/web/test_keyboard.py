"""With the keyboard alone: everything can be reached, one sees where one is, and nothing is sent by accident."""

import pytest
from playwright.sync_api import Page, expect

from carethread.ids import CommunicationId
from carethread.reads import read_thread
from tests.web.people import Town, field

_MOST_KEYS = 80
_FOCUS = """
() => {
    const at = document.activeElement, how = getComputedStyle(at), box = at.getBoundingClientRect();
    return {
        name: (at.textContent || at.value || at.name || "").trim(),
        id: at.id,
        seen: how.outlineStyle !== "none" && parseFloat(how.outlineWidth) > 0 || how.boxShadow !== "none",
        inside: box.bottom > 0 && box.top < window.innerHeight,
    };
}
"""


@pytest.fixture
def thread(busy_town: Town) -> CommunicationId:
    return busy_town.region.open("A1", ("B1", "Clinic-B"), on_behalf_of="Pharmacy-A")


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go on with Tab until something is reached; wherever that leads by, one sees where one is."""
    for _ in range(_MOST_KEYS):
        page.keyboard.press(key)
        at = page.evaluate(_FOCUS)
        assert at["seen"], f"the focus is not to be seen at {at}"
        assert at["inside"], f"the focus is outside of the window at {at}"
        if at["name"] == name or at["id"] == name:
            return
    pytest.fail(f"{name} cannot be reached")


def bodies(town: Town, thread: CommunicationId) -> list[str]:
    return [each.body for each in read_thread(town.region.service, town.region.caller("A1"), thread).messages]


def test_from_signing_in_to_a_reply(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.visitor()
    page.goto("/sign-in")
    tab_to(page, "B1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    tab_to(page, "John Doe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    page.goto(f"/threads/{thread}")
    tab_to(page, "for-1")
    page.keyboard.press("Space")
    tab_to(page, "Send to somebody else in the thread")
    page.keyboard.press("Enter")
    tab_to(page, "to-1")
    page.keyboard.press("Space")
    expect(page.locator("#to-1")).to_be_checked()
    tab_to(page, "body")
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    page.keyboard.type("and on the next line")
    tab_to(page, "Send to the record")
    page.keyboard.press("Space")
    expect(page.get_by_text("Stored at")).to_be_visible()
    assert bodies(busy_town, thread) == ["Hello", "By hand\nand on the next line"]


def test_enter_alone_sends_nothing(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    field(page).fill("Not yet")
    page.get_by_text("Send to somebody else in the thread").click()
    for place in ("#for-1", "#to-1", "#files"):
        page.locator(place).focus()
        # A chooser of files opens by itself; what is asked here is whether the form is sent.
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        expect(field(page)).to_have_value("Not yet")
    assert bodies(busy_town, thread) == ["Hello"]


def test_the_skip_link_leads_past_what_stands_on_every_page(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    tab_to(page, "John Doe")


def test_what_went_wrong_is_said_first_and_leads_to_its_place(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    page.goto(f"/threads/{thread}")
    page.locator("#for-1").check()
    page.get_by_role("button", name="Send to the record").click()
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Write a message")
    tab_to(page, "Go to it")
    page.keyboard.press("Enter")
    expect(field(page)).to_be_focused()
    assert "Write a message" in page.locator("#body-error").inner_text()
    assert "body-error" in (field(page).get_attribute("aria-describedby") or "")


def test_backwards_nothing_hides_behind_the_patient(busy_town: Town, thread: CommunicationId) -> None:
    """The banner that stays in sight covers nothing that has the focus."""
    page = busy_town.person("B1", viewport={"width": 640, "height": 420})
    page.goto(f"/threads/{thread}")
    page.get_by_role("button", name="Send to the record").focus()
    for _ in range(_MOST_KEYS):
        page.keyboard.press("Shift+Tab")
        covered, name = page.evaluate("""() => {
            const at = document.activeElement, box = at.getBoundingClientRect();
            const banner = document.querySelector(".ct-patient--fixed");
            const on = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 20) / 2);
            return [banner.contains(on) && !banner.contains(at), at.textContent.trim() || at.name];
        }""")
        assert not covered, f"{name} is behind the banner"
        if name == "Skip to the content":
            break
