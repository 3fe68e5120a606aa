"""The whole life of a thread, by those it is between, each before a browser of their own, and one who sees nothing."""

from playwright.sync_api import FilePayload, Page, expect

from tests.web.people import Town, send, write

QUESTION = "The list says metoprolol 50 mg, the label 100 mg. Which is right?"
ANSWER = "100 mg once a day, since the discharge."
CORRECTED = "50 mg once a day. The label is wrong."
FILE = FilePayload(name="label.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7 the label")


def _opened(page: Page) -> str:
    """Open a thread for the pharmacy, as its pharmacist; return its address."""
    page.get_by_role("link", name="New thread").click()
    page.get_by_label("Name").fill("john")
    page.get_by_label("Name").press("Enter")
    page.get_by_role("link", name="John Doe", exact=True).click()
    page.get_by_label("Name of a person").fill("hill")
    page.get_by_label("Name of a person").press("Enter")
    page.get_by_label("Hill Clinic").check()
    page.get_by_label("Files", exact=True).set_input_files(FILE)
    write(page, QUESTION)
    send(page)
    return page.url.partition("?")[0]


def _changed(page: Page, link: str, button: str) -> None:
    page.get_by_role("link", name=link).click()
    page.get_by_role("button", name=button).click()


def test_a_thread_from_its_first_message_to_its_correction(town: Town) -> None:
    anna, bell, novak = (town.person(each) for each in ("A1", "B1", "A2"))

    # A pharmacist asks for the pharmacy; the practice sees it arrive, and replies.
    _opened(anna)
    expect(anna.get_by_text("on behalf of Riverside Pharmacy").first).to_be_visible()
    expect(bell.get_by_role("link", name="John Doe", exact=True)).to_be_visible()
    bell.get_by_role("link", name="John Doe", exact=True).click()
    with bell.expect_download() as saved:
        bell.get_by_role("link", name="label.pdf").click()
    assert saved.value.path().read_bytes() == FILE["buffer"]
    write(bell, ANSWER)
    send(bell)

    # A colleague of hers finds it in the shared inbox, and follows up while she watches.
    novak.get_by_role("link", name="Riverside Pharmacy", exact=False).first.click()
    novak.get_by_role("link", name="John Doe", exact=True).click()
    expect(novak.get_by_text(ANSWER, exact=True)).to_be_visible()
    write(novak, "Thank you. I change the label.")
    send(novak)
    expect(anna.get_by_text("Thank you. I change the label.", exact=True)).to_be_visible()
    expect(anna.get_by_text("Adam Novak", exact=True)).to_be_visible()

    # He was mistaken: the correction stands beside what it corrects, for everybody.
    bell.get_by_role("link", name="Correct this").first.click()
    bell.get_by_label("What is right").fill(CORRECTED)
    bell.get_by_role("button", name="Record the correction").click()
    expect(anna.get_by_text(CORRECTED, exact=True)).to_be_visible()
    expect(anna.get_by_text(ANSWER, exact=True).first).to_be_visible()


def test_a_thread_from_the_patient_who_is_added_to_the_archive(town: Town) -> None:
    anna, bell, novak, mary = (town.person(each) for each in ("A1", "B1", "A2", "R1"))
    thread = _opened(anna)
    bell.get_by_role("link", name="John Doe", exact=True).click()

    # A relative sees none of it; the patient does, from the moment he is added.
    expect(mary.get_by_text("No thread is here.")).to_be_visible()
    assert mary.goto(thread).status == 404  # type: ignore[union-attr]
    anna.get_by_role("link", name="Add or remove people").click()
    anna.get_by_label("Name", exact=True).fill("john")
    anna.get_by_label("Name", exact=True).press("Enter")
    anna.get_by_label("John Doe", exact=True).check()
    anna.get_by_role("button", name="Go on").click()
    anna.get_by_role("button", name="Add them, and let them see all of it").click()
    expect(anna.get_by_text("The patient can see this.").first).to_be_visible()
    john = town.person("P1")
    john.locator("#threads").get_by_role("link", name="John Doe", exact=True).click()
    expect(john.get_by_text(QUESTION)).to_be_visible()
    write(john, "I take one a day.")
    send(john)
    expect(bell.get_by_text("I take one a day.", exact=True)).to_be_visible()
    assert mary.goto(thread).status == 404  # type: ignore[union-attr]

    # It is closed, while he still writes: what he wrote is not stored, and not lost.
    write(john, "And another thing")
    _changed(anna, "Close this thread", "Close this thread")
    expect(anna.get_by_text("This thread is closed: nothing can be added to it.")).to_be_visible()
    john.get_by_role("button", name="Send to the record").click()
    expect(john.get_by_role("heading", name="This thread is closed")).to_be_visible()
    expect(john.get_by_role("textbox", name="What you had written")).to_have_value("And another thing")

    # It is archived, and still found.
    _changed(anna, "Archive this thread", "Archive this thread")
    expect(anna.get_by_text("Archived", exact=True)).to_be_visible()
    novak.goto("/inbox")
    expect(novak.get_by_text("No thread is here.")).to_be_visible()
    novak.get_by_role("link", name="Search").click()
    novak.get_by_label("Words").fill("metoprolol")
    novak.get_by_label("Words").press("Enter")
    novak.get_by_role("link", name="Anna Visser").first.click()
    expect(novak.get_by_text(QUESTION)).to_be_visible()


def test_the_same_in_dutch(busy_town: Town) -> None:
    thread = busy_town.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    page = busy_town.person("B1")
    page.get_by_role("button", name="Nederlands").click()
    expect(page.get_by_role("heading", name="Postvak")).to_be_visible()
    page.goto(f"/threads/{thread}")
    page.get_by_label("Bericht", exact=True).fill("Eenmaal per dag 50 mg.")
    expect(page.get_by_text("Concept bewaard om")).to_be_visible()
    page.get_by_role("button", name="Opslaan in het dossier").click()
    expect(page.get_by_text("Opgeslagen om")).to_be_visible()
    page.get_by_role("button", name="Uitloggen").click()
    expect(page.get_by_role("heading", name="Inloggen")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
