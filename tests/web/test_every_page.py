"""Every page in every state, in both themes and widths: nothing that axe finds, no scrolling sideways."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from carethread import CoordinationService, MessageContent
from carethread.app.link_key import load_link_key
from carethread.policy.mailing import HowOften, MailWish, Quiet
from carethread.reads import read_message, read_thread
from carethread.record.model import AttachmentContent, ThreadStatus, Visibility
from carethread.settings import Settings
from carethread.web.mail_links import MailLinks, Meant, Purpose
from carethread.writes import ThreadChange, change_thread, keep_mail_wish, post_message
from tests.region import ALIKE, Region, _duty, role
from tests.web.looks import NARROW, WIDE, faults, need_axe, picture
from tests.web.people import Town
from tests.web.sites import site

PEOPLE = ("A1", "A2", "B1", "B2", "C1", "N1", "P1", "R1")
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 4


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Town]:
    need_axe()
    region = Region(CoordinationService.open(tmp_path_factory.mktemp("pages") / "data", name="De Linde"))
    region.load(ALIKE)
    region.service.directory.appoint("Practitioner/N1", _duty("steward"), by="tests")
    # Nobody listens there: what is sent waits.
    settings = Settings(smtp_url="smtp://127.0.0.1:9", mail_from="no-reply@care.example")
    with site(region.service, region, PEOPLE, settings) as base:
        made = Town(region, base, browser)
        yield made
        made.close()


def _a_thread(region: Region) -> str:
    """Open a thread with all that a thread may show."""
    service, a1, b1 = region.service, region.caller("A1"), region.caller("B1")
    thread = region.open(
        "A1", ("Clinic-B",), body=f"Which dose is right?\n\n# Not a title\n{LONG}", on_behalf_of="Pharmacy-A"
    )
    files = (AttachmentContent(b"x" * 2_000, "application/pdf", f"list {LONG[:90]}.pdf"),)
    answer = post_message(service, b1, thread, MessageContent("50 mg", attachments=files))
    post_message(service, b1, thread, MessageContent("100 mg, I am sorry.", corrects=answer))
    change_thread(service, a1, thread, ThreadChange(add=region.ids("C1")))
    return f"/threads/{thread}"


def _correct(region: Region) -> str:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    message = post_message(region.service, region.caller("B1"), thread, MessageContent("50 mg"))
    return f"/messages/{message}/correct"


def _closed(region: Region) -> str:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(status=ThreadStatus.CLOSED))
    return f"/threads/{thread}"


def _restricted(region: Region) -> str:
    visibility = Visibility(restricted=True)
    thread = region.open("A1", ("B1",), others=("A2",), visibility=visibility)
    return f"/threads/{thread}"


def _with_e_mail(region: Region) -> str:
    wish = MailWish("bo@care.example", HowOften.DAILY, quiet=Quiet(22 * 60, 7 * 60))
    keep_mail_wish(region.service, region.caller("B2"), wish)
    return "/me"


def _from_a_letter(purpose: Purpose) -> Callable[[Region], str]:
    def path(region: Region) -> str:
        links = MailLinks(load_link_key(region.service.archive.data_dir), "")
        return links.url(purpose, Meant(region.id("B1"), region.id("B1")))

    return path


_CHANGES = ("participants", "visibility", "close", "archive", "set-aside", "history")


def _below(name: str) -> Callable[[Region], str]:
    return lambda region: f"{_a_thread(region)}/{name}"


def _first(region: Region) -> str:
    thread = region.open("A1", ("Clinic-B",), "She stopped it", on_behalf_of="Pharmacy-A")
    return read_thread(region.service, region.auditor, thread).messages[0].id


def _deserted(region: Region) -> str:
    """Leave a thread of which nobody is left at its home side."""
    region.load(role("D1", "Empty-E", "nurse"))
    region.open("D1", ("Clinic-B",), "Who takes this up?", on_behalf_of="Empty-E")
    region.load(role("D1", "Empty-E", "nurse", active=False))
    return f"/steward/{region.id('Empty-E')}"


Address = str | Callable[[Region], str]
PAGES: dict[str, tuple[str, Address]] = {
    "sign-in": ("", "/sign-in"),
    "inbox": ("A1", "/inbox"),
    "inbox waiting": ("B1", "/inbox?show=waiting"),
    "inbox archived and empty": ("A1", "/inbox?show=archived"),
    "thread": ("A1", _a_thread),
    "thread that is closed": ("B1", _closed),
    "thread that is restricted": ("A1", _restricted),
    "thread of a carer": ("P1", "/inbox"),
    "thread printed": ("A1", lambda region: f"{_a_thread(region)}/print"),
    "new thread, the patient": ("A1", "/new"),
    "new thread, who is alike": ("A1", lambda region: f"/new/{region.id('P1')}"),
    "new thread": ("A1", lambda region: f"/new/{region.id('P1')}?meant=1"),
    "new thread of a patient": ("P1", "/new"),
    "patient": ("A1", lambda region: f"/patients/{region.id('P1')}"),
    "search": ("A1", "/search"),
    **{f"thread, {name}": ("A1", _below(name)) for name in _CHANGES},
    "correction": ("B1", _correct),
    "thread that continues": ("A1", lambda region: f"{_closed(region)}/continue"),
    "wrong patient": ("A1", lambda region: f"/messages/{_first(region)}/wrong-patient"),
    "emergency": ("B2", "/emergency"),
    "about you": ("A1", "/me"),
    "about you, with e-mail": ("B2", _with_e_mail),
    "e-mail to confirm": ("", _from_a_letter(Purpose.CONFIRM)),
    "e-mail to end": ("", _from_a_letter(Purpose.END)),
    "e-mail, an old link": ("", lambda region: f"{_from_a_letter(Purpose.END)(region)}x"),
    "duties": ("N1", "/duties"),
    "access log": ("N1 as auditor", "/audit"),
    "emergencies": ("N1 as auditor", "/audit/emergencies"),
    "hindsight": ("N1 as auditor", "/audit/hindsight"),
    "inbox of one patient": ("B1", lambda region: f"/inbox?patient={region.id('P1')}"),
    "steward, a group": ("N1 as steward", _deserted),
    "steward": ("N1 as steward", "/steward"),
    "nothing here": ("A1", "/threads/20260101T000000.000Z-00000000-0000-4000-8000-000000000000"),
}


def _page_of(town: Town, who: str) -> Page:
    """Return a page of somebody, perhaps as what they are appointed to: `N1 as auditor`."""
    name, _, duty = who.partition(" as ")
    page = town.person(name) if name else town.visitor()
    if duty:
        page.goto("/duties")
        if duty == "auditor":
            page.get_by_label("For which purpose").fill("Complaint 17")
        page.get_by_role("button", name=f"Act as {'an' if duty == 'auditor' else 'a'} {duty}").click()
        page.get_by_text(f"You act as {'an' if duty == 'auditor' else 'a'} {duty}").wait_for()
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_both_themes_and_widths(town: Town, name: str) -> None:
    who, address = PAGES[name]
    path = address if isinstance(address, str) else address(town.region)
    page = _page_of(town, who)
    page.goto(path)
    found = _looked_at(page, name)
    page.context.close()
    assert found == {}


def _looked_at(page: Page, name: str) -> dict[tuple[str, int, str], list[str]]:
    """Return what is wrong with a page, in each width and theme."""
    found = {}
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            picture(page, f"{name.replace(' ', '-')}-{size['width']}-{theme}")
            if wrong := faults(page):
                found[name, size["width"], theme] = wrong
    return found


def _added(page: Page, region: Region) -> Iterator[str]:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2",))
    page.goto(f"/threads/{thread}/participants")
    page.get_by_label("Name", exact=True).fill("d")
    page.get_by_role("button", name="Find").click()
    yield "people found"
    page.get_by_label("Dina Dijk").check()
    page.get_by_role("button", name="Go on").click()
    yield "people to be added"
    page.goto(f"/threads/{thread}/participants")
    page.get_by_role("button", name="Remove Adam Novak").click()
    yield "somebody to be removed"


def _narrowed(page: Page, region: Region) -> Iterator[str]:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1", "Network-P1"))
    page.goto(f"/threads/{thread}/visibility")
    page.get_by_label("Restricted").check()
    page.get_by_role("button", name="Go on").click()
    yield "who would see it no longer"
    page.get_by_role("button", name="Change it").click()
    yield "seen no longer"


def _corrected(page: Page, region: Region) -> Iterator[str]:
    message = _first(region)
    page.goto(f"/messages/{message}/correct")
    page.get_by_role("button", name="Record the correction").click()
    yield "correction without a text"
    view, _ = read_message(region.service, region.auditor, message)
    closed = ThreadChange(status=ThreadStatus.CLOSED)
    change_thread(region.service, region.caller("A1"), view.ledger.communication_id, closed)
    page.goto(f"/messages/{message}/correct")
    yield "correction of what is closed"


def _set_right(page: Page, region: Region) -> Iterator[str]:
    page.goto(f"/messages/{_first(region)}/wrong-patient")
    page.get_by_label("Name", exact=True).fill("jane")
    page.get_by_role("button", name="Find").click()
    yield "patients found"
    page.get_by_role("button", name="Choose Jane Roe").click()
    yield "the right patient"
    page.get_by_role("button", name="Yes, the message is about them").click()
    yield "whom it goes to"
    page.get_by_role("button", name="Go on").click()
    for words, name in (("bell", "Dr Bo Bell"), ("adam", "Adam Novak")):
        page.get_by_label("Name", exact=True).fill(words)
        page.get_by_role("button", name="Find").click()
        page.get_by_label(name).check()
    yield "who keeps reading it"
    page.get_by_role("button", name="Go on").click()
    yield "what will be recorded"
    page.get_by_role("button", name="Record all of this").click()
    yield "set right"


def _in_an_emergency(page: Page, region: Region) -> Iterator[str]:
    thread = region.open("A1", ("Hospital-C",), on_behalf_of="Pharmacy-A", others=("A2", "C1"))
    change_thread(
        region.service, region.caller("A2"), thread, ThreadChange(visibility=Visibility(restricted=True))
    )  # fmt: skip
    page.goto(f"/emergency?thread={thread}")
    page.get_by_role("button", name="Open it").click()
    yield "emergency without a reason"
    page.get_by_label("Why, in one line").fill("Before an operation")
    page.get_by_role("button", name="Open it").click()
    yield "thread in an emergency"


@pytest.mark.parametrize("walk", [_added, _narrowed, _corrected, _set_right, _in_an_emergency])
def test_a_page_that_answers_a_form(town: Town, walk: Callable[[Page, Region], Iterator[str]]) -> None:
    page = town.person("A1")
    found: dict[tuple[str, int, str], list[str]] = {}
    for name in walk(page, town.region):
        found |= _looked_at(page, name)
    page.context.close()
    assert found == {}
