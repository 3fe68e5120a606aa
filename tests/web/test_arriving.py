"""What arrives while a page is open: moves nothing, is announced, comes from any server, and stops with access."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from carethread import CoordinationService, MessageContent
from carethread.app import bind
from carethread.ids import CommunicationId, ParticipantId
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.region import Region
from tests.web.people import PATIENCE_MS, Town, field, send, write
from tests.web.sites import serving, site

LONG = "\n".join(f"Line {number} of what was said on the telephone." for number in range(40))
_TOP = "() => document.activeElement.getBoundingClientRect().top"


@pytest.fixture
def thread(busy_town: Town) -> CommunicationId:
    return busy_town.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def say(town: Town, thread: CommunicationId, body: str, who: str = "A1") -> None:
    post_message(town.region.service, town.region.caller(who), thread, MessageContent(body))


def listens(page: Page, path: str) -> None:
    """Open a page, and wait until it hears of what happens."""
    with page.expect_response("**/live?*"):
        page.goto(path)


@pytest.mark.parametrize("width", [320, 1280])
def test_what_arrives_while_one_types_moves_nothing(busy_town: Town, thread: CommunicationId, width: int) -> None:
    page = busy_town.person("B1", viewport={"width": width, "height": 700})
    listens(page, f"/threads/{thread}")
    field(page).focus()
    page.keyboard.type("I was just")
    page.evaluate("() => document.activeElement.setSelectionRange(2, 5)")
    top = page.evaluate(_TOP)
    say(busy_town, thread, LONG)
    expect(page.get_by_text("Line 39 of")).to_be_attached()
    expect(field(page)).to_be_focused()
    assert page.evaluate(_TOP) == pytest.approx(top, abs=2)
    page.wait_for_timeout(300)
    assert page.evaluate(_TOP) == pytest.approx(top, abs=2)
    assert page.evaluate("() => [document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [2, 5]
    page.keyboard.press("End")
    page.keyboard.type(" writing")
    expect(field(page)).to_have_value("I was just writing")


def test_what_arrives_is_announced_and_what_was_there_is_not(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    listens(page, f"/threads/{thread}")
    live = page.locator("#messages")
    expect(live).to_have_attribute("aria-live", "polite")
    page.evaluate("""() => {
        window.added = [];
        window.removed = [];
        new MutationObserver((all) => all.forEach((each) => {
            each.addedNodes.forEach((one) => window.added.push(one.textContent));
            each.removedNodes.forEach((one) => window.removed.push(one.textContent));
        })).observe(document.getElementById("messages"), {childList: true});
    }""")
    say(busy_town, thread, "Announced")
    expect(page.get_by_text("Announced", exact=True)).to_be_visible()
    say(busy_town, thread, "This too")
    expect(page.get_by_text("This too", exact=True)).to_be_visible()
    added = " ".join(page.evaluate("window.added"))
    assert added.count("Announced") == added.count("This too") == 1
    assert "Hello" not in added
    assert "".join(page.evaluate("window.removed")).strip() == ""


def test_after_access_was_withdrawn_nothing_more_is_shown(busy_town: Town, thread: CommunicationId) -> None:
    region = busy_town.region
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    inside, outside = busy_town.person("B1"), busy_town.person("C1")
    listens(inside, f"/threads/{thread}")
    listens(outside, f"/threads/{thread}")
    say(busy_town, thread, "For all three")
    expect(outside.get_by_text("For all three")).to_be_visible()
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(remove=region.ids("C1")))
    say(busy_town, thread, "For two")
    expect(inside.get_by_text("For two")).to_be_visible()
    outside.evaluate("window.htmx.trigger(document.body, 'happened')")
    expect(outside.locator("#amiss")).to_contain_text("There is nothing here")
    expect(outside.get_by_text("For two")).to_have_count(0)
    outside.goto("/inbox")
    expect(outside.locator(f"a[href='/threads/{thread}']")).to_have_count(0)


# ── Several servers, and none ─────────────────────────────────────────────────────────────────────────────────────────


def serve(place: Path, people: list[tuple[ParticipantId, str, str]], port: int, said: Say) -> None:
    """Serve an installation from a process of its own."""
    with serving(CoordinationService.open(place), [("People", people)], listening=bind("127.0.0.1", port)):
        said(Said("served", 1, 1))
        time.sleep(120)


@pytest.fixture
def two_servers(tmp_path: Path, browser: Browser) -> Iterator[tuple[Town, Town]]:
    """Serve one folder by two processes; return how people reach each."""
    region = Region(CoordinationService.open(tmp_path / "data", name="De Linde"))
    people = [(region.id(each), each, "") for each in ("A1", "B1")]
    port = _free_port()
    with (
        site(region.service, region, ("A1", "B1")) as base,
        forked(serve, tmp_path / "data", people, port) as other,
    ):
        other.wait_for(1)
        here, there = Town(region, base, browser), Town(region, f"http://127.0.0.1:{port}", browser)
        yield here, there
        here.close()
        there.close()
        other.kill()


def _free_port() -> int:
    with bind("127.0.0.1", 0) as found:
        port: int = found.getsockname()[1]
        return port


def test_what_one_server_records_another_shows_at_once(two_servers: tuple[Town, Town]) -> None:
    here, there = two_servers
    thread = here.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    asking, answering = here.person("A1"), there.person("B1")
    listens(asking, f"/threads/{thread}")
    listens(answering, f"/threads/{thread}")
    write(answering, "From the other server")
    send(answering)
    expect(asking.get_by_text("From the other server", exact=True)).to_be_visible()
    write(asking, "And back")
    send(asking)
    expect(answering.get_by_text("And back", exact=True)).to_be_visible()


def test_a_page_whose_first_connection_fails_connects_again(busy_town: Town, thread: CommunicationId) -> None:
    page = busy_town.person("B1")
    asked: list[int] = []

    def fail_twice(route: Route) -> None:
        asked.append(1)
        if len(asked) == 1:
            route.abort()
        elif len(asked) == 2:
            route.fulfill(status=503, body="too many")
        else:
            route.continue_()

    page.route("**/live?*", fail_twice)
    page.goto(f"/threads/{thread}")
    say(busy_town, thread, "Meanwhile")
    # It waits one second, then two, before it asks again.
    expect(page.get_by_text("Meanwhile", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    assert len(asked) == 3


def test_that_it_is_set_aside_goes_with_the_next_message(busy_town: Town, thread: CommunicationId) -> None:
    region = busy_town.region
    set_aside(region.service, region.caller("B1"), thread, region.id("Clinic-B"))
    page = busy_town.person("B2")
    listens(page, f"/threads/{thread}")
    said = page.get_by_text("Set aside for Hill Clinic until the next message")
    expect(said).to_be_visible()
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    expect(page.locator(".ct-message--system")).to_have_count(1)
    expect(said).to_be_visible()
    say(busy_town, thread, "What now?")
    expect(page.get_by_text("What now?", exact=True)).to_be_visible()
    expect(said).to_have_count(0)


def test_pages_go_on_after_the_server_was_away(tmp_path: Path, browser: Browser) -> None:
    place, port = tmp_path / "data", _free_port()
    region = Region(CoordinationService.open(place, name="De Linde"))
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    town = Town(region, f"http://127.0.0.1:{port}", browser)
    with ExitStack() as first:
        first.enter_context(site(region.service, region, ("A1", "B1"), listening=bind("127.0.0.1", port)))
        page = town.person("B1")
        listens(page, f"/threads/{thread}")
        write(page, "Before it went")
    field(page).fill("Before it went, and while")
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    region.service = CoordinationService.open(place, name="De Linde")
    with site(region.service, region, ("A1", "B1"), listening=bind("127.0.0.1", port)):
        say(town, thread, "You were away")
        expect(page.get_by_text("You were away", exact=True)).to_be_visible()
        expect(page.get_by_text("The server does not answer")).to_have_count(0)
        expect(field(page)).to_have_value("Before it went, and while")
        send(page)
        town.close()
