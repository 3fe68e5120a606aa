"""Who one is; acting as an auditor or a steward; the access log and the history of a thread."""

import pytest

from carethread.reads import preferences
from carethread.record.model import Visibility
from tests.web.people import Visitor, Visitors


@pytest.fixture
def auditor(visitors: Visitors) -> Visitor:
    visitor = visitors.person("N1")
    before = visitor.client.cookies["carethread"]
    sent = visitor.send("/duties", "/duties", kind="auditor", purpose="Complaint 17")
    assert sent.headers["location"] == "/audit"
    assert visitor.client.cookies["carethread"] != before
    return visitor


def test_language_and_zone_are_kept_for_later(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    assert "Riverside Pharmacy" in visitor.get("/me").text
    visitor.send("/me", "/me", language="nl", zone="Europe/Amsterdam")
    assert "Opgeslagen." in visitor.get("/me?kept=1").text
    assert '<html lang="nl"' in visitors.person("A1").get("/inbox").text
    region = visitors.region
    assert preferences(region.service, region.caller("A1")).zone == "Europe/Amsterdam"
    for typed in ({"language": "xx", "zone": "UTC"}, {"language": "en", "zone": "Mars/Olympus"}):
        assert "error-summary" in visitor.send("/me", "/me", 422, **typed).text


def test_signing_out_everywhere(visitors: Visitors) -> None:
    here, there, other = visitors.person("A1"), visitors.person("A1"), visitors.person("B1")
    here.send("/me", "/me/sign-out-everywhere")
    here.get("/inbox", 303)
    there.get("/inbox", 303)
    other.get("/inbox")


def test_nobody_takes_up_a_duty_they_have_not(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    assert "You are appointed to nothing" in visitor.get("/duties").text
    csrf = visitor.fields("/inbox", "/language")["csrf"]
    for kind in ("auditor", "steward"):
        answer = visitor.client.post("/duties", data={"csrf": csrf, "kind": kind, "purpose": "Curious"})
        assert answer.status_code == 403
    assert visitor.client.post("/duties", data={"csrf": csrf, "kind": "king"}).status_code == 422
    visitor.get("/audit", 403)
    visitor.get("/steward", 403)


def test_an_auditor_says_why(visitors: Visitors) -> None:
    visitor = visitors.person("N1")
    page = visitor.send("/duties", "/duties", 422, kind="auditor", purpose="").text
    assert "Say why" in page
    assert 'href="#purpose"' in page


def test_an_auditor_reads_everything_and_writes_nothing(visitors: Visitors, auditor: Visitor) -> None:
    region = visitors.region
    thread = region.open("A1", ("B1",), body="Restricted", others=("A2",), visibility=Visibility(restricted=True))
    page = auditor.get(f"/threads/{thread}").text
    assert "Restricted" in page
    assert "You act as an auditor" in page
    assert 'id="body"' not in page
    auditor.get("/inbox")
    auditor.get("/me")
    auditor.get(f"/threads/{thread}/history")
    found = auditor.get("/audit").text
    assert "Complaint 17" in found
    assert thread in found


def test_acting_as_oneself_again(auditor: Visitor) -> None:
    assert "Complaint 17" in auditor.get("/duties").text
    assert auditor.send("/duties", "/duties").headers["location"] == "/inbox"
    auditor.get("/audit", 403)


def test_a_steward_looks_after_inboxes(visitors: Visitors) -> None:
    from tests.region import _duty  # noqa: PLC0415

    visitors.region.service.directory.appoint("Practitioner/N1", _duty("steward"), by="tests")
    visitor = visitors.person("N1")
    assert visitor.send("/duties", "/duties", kind="steward").headers["location"] == "/steward"
    assert "Every inbox has somebody." in visitor.get("/steward").text
    assert "You act as a steward" in visitor.get("/duties").text
    visitor.get("/steward?after=x", 422)


def test_a_steward_finds_the_threads_of_which_nobody_is_left(visitors: Visitors) -> None:
    from tests.region import _duty, role  # noqa: PLC0415

    region = visitors.region
    region.service.directory.appoint("Practitioner/N1", _duty("steward"), by="tests")
    thread = region.open("C1", ("HomeCare-D",), on_behalf_of="Hospital-C")
    kept = region.open("A1", ("Hospital-C",), on_behalf_of="Pharmacy-A")
    region.load(role("C1", "Hospital-C", "doctor", active=False))
    visitor = visitors.person("N1")
    visitor.send("/duties", "/duties", kind="steward")
    hospital = region.id("Hospital-C")
    assert f'href="/steward/{hospital}"' in visitor.get("/steward").text
    page = visitor.get(f"/steward/{hospital}").text
    assert "Stadsziekenhuis" in page
    assert f'href="/threads/{thread}"' in page
    assert kept not in page
    actions = visitor.get(f"/threads/{thread}").text
    assert f"/threads/{thread}/participants" in actions
    visitor.get(f"/threads/{kept}", 404)
    assert "No thread of theirs" in visitor.get(f"/steward/{region.id('Clinic-B')}").text
    visitor.get("/steward/x", 422)
    visitor.get(f"/steward/{hospital}?after=x", 422)
    visitors.person("A1").get(f"/steward/{hospital}", 403)


def test_the_history_of_a_thread(visitors: Visitors) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="Clinical text")
    page = visitors.person("B1").get(f"/threads/{thread}/history").text
    assert "opened the thread" in page
    assert "Checked just now" in page
    assert "The commits are not signed" in page
    assert "Clinical text" not in page
    visitors.person("C1").get(f"/threads/{thread}/history", 404)
