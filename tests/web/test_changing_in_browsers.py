"""What people do on the pages that change a thread: with the keyboard, with scripts and without."""

from playwright.sync_api import expect

from carethread.reads import read_thread
from carethread.record.model import ThreadStatus
from carethread.writes import ThreadChange, change_thread
from tests.web.people import Town


def test_what_is_corrected_is_kept_as_one_types_and_shown_to_the_other(town: Town) -> None:
    region = town.region
    thread = region.open("A1", ("Clinic-B",), body="100 mg", on_behalf_of="Pharmacy-A")
    writing, reading = town.person("A1"), town.person("B1")
    reading.goto(f"/threads/{thread}")
    writing.goto(f"/threads/{thread}")
    writing.get_by_role("link", name="Correct this").click()
    expect(writing.get_by_text("100 mg", exact=True)).to_be_visible()
    writing.get_by_label("What is right").fill("50 mg")
    expect(writing.get_by_text("Draft kept at")).to_be_visible()
    writing.reload()
    expect(writing.get_by_label("What is right")).to_have_value("50 mg")
    writing.get_by_role("button", name="Record the correction").click()
    expect(writing.get_by_text("Stored at")).to_be_visible()
    expect(reading.get_by_text("50 mg", exact=True)).to_be_visible()
    writing.goto(f"/threads/{thread}")
    writing.get_by_role("link", name="Correct this").first.click()
    expect(writing.get_by_label("What is right")).to_have_value("")


def test_people_are_added_with_the_keyboard_and_without_scripts(town: Town) -> None:
    region = town.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    page = town.person("A1", java_script_enabled=False)
    page.goto(f"/threads/{thread}")
    page.get_by_role("link", name="Add or remove people").click()
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("citroen")
    page.keyboard.press("Enter")
    page.get_by_label("Dr Cas Citroen").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    # Enter looks for more people: it adds nobody.
    expect(page.get_by_role("group", name="Chosen")).to_contain_text("Dr Cas Citroen")
    page.get_by_role("button", name="Go on").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("They will see the whole thread")
    page.get_by_role("button", name="Add them, and let them see all of it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Dr Cas Citroen (clinician) was added to the thread.")).to_be_visible()


def test_a_closed_thread_is_gone_on_with_in_another(town: Town) -> None:
    region = town.region
    thread = region.open("A1", ("Clinic-B",), body="100 mg", on_behalf_of="Pharmacy-A")
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    page = town.person("A1")
    page.goto(f"/threads/{thread}")
    page.get_by_role("link", name="Correct this").click()
    page.get_by_label("What is right").fill("50 mg")
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    page.get_by_role("button", name="Open the new thread").click()
    expect(page.get_by_text("Stored at")).to_be_visible()
    page.get_by_role("link", name="This thread continues a closed one.").click()
    page.get_by_role("link", name="See the correction").click()
    expect(page.get_by_text("50 mg", exact=True)).to_be_visible()


def test_a_wrong_record_is_set_right_without_scripts(town: Town) -> None:
    region = town.region
    thread = region.open("A1", ("Clinic-B",), body="She stopped it", on_behalf_of="Pharmacy-A")
    page = town.person("A2", java_script_enabled=False)
    page.goto(f"/threads/{thread}")
    page.get_by_role("link", name="This is about another patient").click()
    page.get_by_label("Name", exact=True).fill("roe")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Choose Jane Roe").click()
    page.get_by_role("button", name="Yes, the message is about them").click()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name", exact=True).fill("bell")
    page.keyboard.press("Enter")
    page.get_by_label("Dr Bo Bell").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Record all of this").click()
    page.get_by_role("link", name="Go to the new thread").click()
    expect(page.get_by_text("She stopped it")).to_be_visible()
    expect(page.get_by_role("group", name="Patient").first).to_contain_text("Jane Roe")
    assert read_thread(region.service, region.auditor, thread).ledger.status is ThreadStatus.ARCHIVED


def test_colleagues_see_who_set_a_thread_aside(town: Town) -> None:
    region = town.region
    region.open("A1", ("Clinic-B",), body="Can it wait?", on_behalf_of="Pharmacy-A")
    page = town.person("B1")
    page.get_by_role("link", name="Waiting on us").click()
    page.get_by_role("link", name="John Doe", exact=True).click()
    page.get_by_role("link", name="Set aside until the next message").click()
    page.get_by_role("button", name="Set it aside").click()
    page.goto("/inbox?show=waiting")
    expect(page.get_by_text("Nothing waits on your side.")).to_be_visible()
    colleague = town.person("B2")
    colleague.get_by_role("link", name="John Doe", exact=True).click()
    expect(colleague.get_by_text("Set aside for Hill Clinic until the next message: by Dr Bo Bell")).to_be_visible()
