"""A thread on paper: what a court would be given."""

import re
import subprocess
from pathlib import Path

from carethread import MessageContent
from carethread.reads import read_thread
from carethread.writes import post_message
from tests.web.people import Town


def test_a_printed_thread_says_everything_on_numbered_pages(town: Town, tmp_path: Path) -> None:
    region = town.region
    thread = region.open("A1", ("Clinic-B",), body="Which dose?", on_behalf_of="Pharmacy-A")
    wrong = post_message(region.service, region.caller("B1"), thread, MessageContent("50 mg\n" + "more " * 3_000))
    post_message(region.service, region.caller("B1"), thread, MessageContent("I meant 100 mg.", corrects=wrong))
    view = read_thread(region.service, region.caller("A1"), thread, opens=False)
    page = town.person("A1", color_scheme="dark")
    page.goto(f"/threads/{thread}")
    page.get_by_role("link", name="Print").click()
    file = tmp_path / "thread.pdf"
    page.pdf(path=file, prefer_css_page_size=True)
    text = subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True).stdout
    pages = text.removesuffix("\f").split("\f")
    assert len(pages) > 2
    for number, printed in enumerate(pages, 1):
        assert re.search(rf"{number}\s*/\s*{len(pages)}\s*$", printed), printed[-200:]
        assert "De Linde" in printed
        assert "John Doe" in printed
        assert view.record in printed
        assert view.version in printed
    assert text.count("I meant 100 mg.") == 2
    assert "Dr Bo Bell, on behalf of Hill Clinic" in text
    for message in view.messages:
        assert message.id in text
