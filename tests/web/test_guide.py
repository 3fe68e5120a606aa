"""The guide for the people in front of the pages, walked through in a real browser; its pictures are made on the way.

The pictures in docs/images are made anew with `make pictures`. Each heading of the guide is a step here, in its order.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from carethread import CoordinationService
from carethread.clock import system_clock
from carethread.demonstration import cast, make
from tests.web.looks import PICTURES
from tests.web.people import Town
from tests.web.sites import serving

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide-web.md"
IMAGES = ROOT / "docs" / "images" / "web"
SIZE = {"width": 1100, "height": 760}


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("guide") / "region"
    region = make(folder, system_clock())
    people = [
        (heading, [(region.people[each.short], each.name, each.about) for each in group if each.short in region.people])
        for heading, group in cast()
    ]
    with serving(
        CoordinationService.open(folder), people, not_for_emergencies="Not for emergencies: call 999."
    ) as base:
        made = Town(None, base, browser)
        yield made
        made.close()


def _picture(page: Page, name: str) -> None:
    folder = IMAGES if os.environ.get("CARETHREAD_PICTURES") == "1" else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def test_the_guide(demonstration: Town) -> None:
    page = demonstration.visitor(viewport=SIZE)

    # Signing in
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    _picture(page, "sign-in")
    page.get_by_role("button", name="Anna Visser").click()

    # The inbox
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.get_by_role("link", name="Waiting on us").click()
    expect(page.get_by_text("Nobody has to tick anything off")).to_be_visible()
    _picture(page, "inbox")

    # Reading a thread
    page.get_by_role("link", name="Active").click()
    page.get_by_role("link", name="Margaret Ellison").first.click()
    expect(page.get_by_role("heading", name="Who can see this")).to_be_visible()
    _picture(page, "thread")

    # Replying
    page.get_by_label("Message", exact=True).fill("Thank you. We have put the new label on the box.")
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    page.get_by_role("heading", name="Reply").scroll_into_view_if_needed()
    _picture(page, "reply")
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_text("Stored at")).to_be_visible()

    # Correcting what one wrote
    page.get_by_role("link", name="Correct this").last.click()
    expect(page.get_by_role("heading", name="Correct a message")).to_be_visible()
    _picture(page, "correct")

    # Opening a thread
    page.get_by_role("link", name="New thread").click()
    page.get_by_label("Name").fill("maria jans")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Maria Janssen").click()
    expect(page.get_by_role("heading", name="Which of them do you mean?")).to_be_visible()
    _picture(page, "alike")
    page.get_by_role("link", name="I mean Maria Janssen").first.click()
    expect(page.get_by_role("heading", name="To whom?")).to_be_visible()
    _picture(page, "new-thread")

    # Who can see a thread
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("link", name="Margaret Ellison").first.click()
    page.get_by_role("link", name="Change who can see it").click()
    expect(page.get_by_role("heading", name="Change who can see it")).to_be_visible()
    _picture(page, "visibility")

    # Closing and archiving
    page.go_back()
    page.get_by_role("link", name="Close this thread").click()
    expect(page.get_by_text("Closing does not mean that anything was done")).to_be_visible()
    _picture(page, "close")

    # Searching
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words").fill("dizziness")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_be_visible()
    _picture(page, "search")


def test_the_guide_tells_of_each_step_and_shows_what_there_is() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    steps = re.findall(r"^    # (.+)$", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[: len(steps)] == steps
    shown = re.findall(r"\]\(images/web/([a-z-]+)\.png\)", text)
    assert sorted(shown) == sorted(each.stem for each in IMAGES.glob("*.png"))
    assert set(shown) == set(re.findall(r'_picture\(page, "([a-z-]+)"\)', Path(__file__).read_text(encoding="utf-8")))
