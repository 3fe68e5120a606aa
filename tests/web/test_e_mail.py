"""Choosing e-mail on the page about oneself, and the pages to which letters lead."""

from collections.abc import Iterator

import pytest

from carethread import MessageContent
from carethread.policy.mailing import MailStatus
from carethread.reads import mail_wish
from carethread.settings import Settings
from carethread.writes import post_message
from tests.mailing.servers import PostOffice, free_port, open_at, text_of, until
from tests.region import Region
from tests.web.people import Visitor, Visitors
from tests.web.sites import serving

CHOSEN = {"address": "bo@care.example", "how_often": "at_once", "daily_at": "08:00"}


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def mailed(region: Region, office: PostOffice) -> Iterator[Visitors]:
    """Serve the region with a mail server."""
    port = free_port()
    people = [("People", [(region.id(each), each, "") for each in ("A1", "B1")])]
    settings = Settings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="no-reply@care.example")
    with open_at(port, office), serving(region.service, people, settings) as base:
        made = Visitors(region, base)
        yield made
        made.close()


def link_in(office: PostOffice, number: int, path: str) -> str:
    """Return the path and code of the link in a letter."""
    text = text_of(office.letters[number][1])
    return f"{path}?code={text.partition(f'{path}?code=')[2].split()[0]}"


def standing(visitors: Visitors, who: str = "B1") -> MailStatus:
    return mail_wish(visitors.region.service, visitors.region.caller(who)).status


def confirmed(visitors: Visitors, office: PostOffice) -> Visitor:
    visitor = visitors.person("B1")
    visitor.send("/me", "/me/e-mail", **CHOSEN)
    office.until_taken(1)
    link = link_in(office, 0, "/e-mail/confirm")
    assert "is confirmed" in visitors.visitor().send(link, link, 200, sent="1").text
    return visitor


def test_where_no_e_mail_is_sent_it_says_so(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    assert "This installation sends no e-mail." in visitor.get("/me").text
    visitor.get("/e-mail/end?code=x", 404)


def test_an_address_is_confirmed_and_told(mailed: Visitors, office: PostOffice) -> None:
    visitor = mailed.person("B1")
    visitor.send("/me", "/me/e-mail", **CHOSEN)
    assert "Open the link that is sent to bo@care.example " in visitor.get("/me").text
    office.until_taken(1)
    link = link_in(office, 0, "/e-mail/confirm")
    # To look at it is not to use it: programs that look for harm open every link.
    assert "Confirm your e-mail address" in mailed.visitor().get(link).text
    assert standing(mailed) is MailStatus.ASKED
    assert "is confirmed" in visitor.send(link, link, 200).text
    assert "E-mail goes to bo@care.example." in visitor.get("/me").text
    thread = mailed.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    office.until_taken(2)
    end = link_in(office, 1, "/e-mail/end")
    assert "No more e-mail?" in mailed.visitor().get(end).text
    assert standing(mailed) is MailStatus.ON
    # As a program that reads e-mail does it (RFC 8058).
    asked = mailed.visitor().client.post(end, data={"List-Unsubscribe": "One-Click"})
    assert asked.status_code == 200
    assert standing(mailed) is MailStatus.OFF
    assert "You get no more e-mail" in mailed.visitor().send(end, end, 200, sent="1").text
    post_message(mailed.region.service, mailed.region.caller("A1"), thread, MessageContent("More"))
    assert len(office.letters) == 2


def test_times_are_chosen(mailed: Visitors, office: PostOffice) -> None:
    visitor = confirmed(mailed, office)
    times = {"how_often": "daily", "daily_at": "16:30", "quiet_begins": "22:00", "quiet_ends": "07:15"}
    visitor.send("/me", "/me/e-mail", **CHOSEN | times)
    wish = mail_wish(mailed.region.service, mailed.region.caller("B1")).wish
    assert wish.quiet is not None
    assert (wish.daily_at, wish.quiet.begins, wish.quiet.ends) == (990, 1320, 435)
    page = visitor.get("/me").text
    for value in ("16:30", "22:00", "07:15"):
        assert f'value="{value}"' in page
    visitor.send("/me", "/me/e-mail/end")
    assert standing(mailed) is MailStatus.OFF
    assert 'action="/me/e-mail/end"' not in visitor.get("/me").text


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"address": "bo"}, "Write an e-mail address"),
        ({"how_often": "daily", "daily_at": "25:00"}, "Write a time of day"),
        ({"quiet_begins": "22:00"}, "Write from when until when"),
        ({"how_often": "never"}, "Something in the form is not in order"),
    ],
)
def test_what_is_wrong_is_shown_with_what_was_typed(mailed: Visitors, wrong: dict[str, str], said: str) -> None:
    visitor = mailed.person("B1")
    page = visitor.send("/me", "/me/e-mail", 422, **CHOSEN | wrong).text
    assert page.count(said) >= 1
    assert f'value="{(CHOSEN | wrong)["address"]}"' in page
    assert standing(mailed) is MailStatus.OFF


def test_links_that_do_not_hold(mailed: Visitors, office: PostOffice) -> None:
    visitor = mailed.person("B1")
    visitor.send("/me", "/me/e-mail", **CHOSEN)
    office.until_taken(1)
    old = link_in(office, 0, "/e-mail/confirm")
    visitor.send("/me", "/me/e-mail", **CHOSEN | {"address": "other@care.example"})
    office.until_taken(2)
    assert "no longer works" in mailed.visitor().send(old, old, 404, sent="1").text
    # A link for the one is none for the other, and nobody makes one up.
    code = old.partition("?")[2]
    for path in (f"/e-mail/end?{code}", "/e-mail/end", "/e-mail/confirm?code=x", "/e-mail/confirm"):
        mailed.visitor().get(path, 404)
        assert mailed.visitor().client.post(path, data={"x": "y"}).status_code == 404
    assert standing(mailed) is MailStatus.ASKED


def test_a_refused_address_is_said(mailed: Visitors, office: PostOffice) -> None:
    office.refuses["bo@care.example"] = "550 No such mailbox"
    visitor = mailed.person("B1")
    visitor.send("/me", "/me/e-mail", **CHOSEN)
    until(lambda: standing(mailed) is MailStatus.REFUSED)
    assert "No e-mail reaches bo@care.example" in visitor.get("/me").text


def test_nobody_chooses_for_another(mailed: Visitors) -> None:
    visitor = mailed.person("A1")
    assert visitor.client.post("/me/e-mail", data={**CHOSEN, "csrf": "x"}).status_code == 403
    assert mailed.visitor().client.post("/me/e-mail", data=CHOSEN).status_code == 401
    assert standing(mailed, "A1") is MailStatus.OFF
