"""A thread between people before real browsers."""

from playwright.sync_api import expect

from tests.web.people import Town

QUESTION = "The list says 50 mg once a day, the label <b>100 mg</b>. Which is right?"


def test_a_reply_appears_by_itself(town: Town) -> None:
    thread = town.region.open("A1", ("Clinic-B",), body=QUESTION, on_behalf_of="Pharmacy-A")
    asking, answering = town.person("A1"), town.person("B1")
    asking.goto(f"/threads/{thread}")
    answering.get_by_role("link", name="John Doe", exact=True).click()
    expect(answering.get_by_text(QUESTION)).to_be_visible()
    answering.get_by_label("Message", exact=True).fill("50 mg once a day.")
    expect(answering.get_by_text("Draft kept at")).to_be_visible()
    answering.get_by_role("button", name="Send to the record").click()
    expect(answering.get_by_text("Stored at")).to_be_visible()
    expect(asking.get_by_text("50 mg once a day.", exact=True)).to_be_visible()
    expect(answering.get_by_label("Message", exact=True)).to_have_value("")


def test_an_inbox_fills_by_itself(town: Town) -> None:
    waiting = town.person("B2")
    expect(waiting.get_by_text("No thread is here.")).to_be_visible()
    town.region.open("A1", ("Clinic-B",), body=QUESTION, on_behalf_of="Pharmacy-A")
    expect(waiting.get_by_role("link", name="John Doe", exact=True)).to_be_visible()
