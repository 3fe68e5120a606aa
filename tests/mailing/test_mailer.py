"""Letters about what is new: at least once, to whom they are for, with nothing in them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from carethread import CoordinationService, MessageContent
from carethread.clock import system_clock
from carethread.ids import CommunicationId
from carethread.policy.mailing import HowOften, Mailing, MailStatus, MailWish
from carethread.reads import Preferences, mail_wish, news, read_thread
from carethread.record.model import Visibility
from carethread.web import Letters, Mailer, MailLinks
from carethread.web import mailing as module
from carethread.web.mail_links import Purpose
from carethread.writes import (
    ThreadChange,
    change_thread,
    confirm_mail,
    end_mail,
    keep_mail_wish,
    keep_preferences,
    post_message,
)
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.mailing.servers import SENDER, PostOffice, open_at, server_at, text_of, until
from tests.region import Region

BASE = "https://care.example"
LINKS = MailLinks(bytes(range(32)), BASE)
Place = tuple[str, str | None]


def mailer_of(service: CoordinationService, port: int) -> Mailer:
    letters = Letters(SENDER, LINKS)
    return Mailer(
        service, server_at(port), letters, zone="Europe/London", languages=("en", "nl"), pause=lambda _: 0.05
    )  # fmt: skip


@contextmanager
def mailing(service: CoordinationService, port: int) -> Iterator[Mailer]:
    made = mailer_of(service, port)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def on(region: Region, *everybody: str, often: HowOften = HowOften.AT_ONCE) -> None:
    """Have people confirm an address: their name at care.example."""
    for who in everybody:
        asked = keep_mail_wish(region.service, region.caller(who), MailWish(address(who), often))
        assert confirm_mail(region.service, asked.person, asked.id)


def address(who: str) -> str:
    return f"{who.lower()}@care.example"


def thread_of(region: Region, **more: str) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), body="Morphine for John Doe", on_behalf_of="Pharmacy-A", **more)


def kept(region: Region, who: str = "B1") -> Mailing:
    return mail_wish(region.service, region.caller(who))


def test_a_letter_says_that_there_is_something_new_and_nothing_else(
    region: Region, port: int, office: PostOffice
) -> None:  # fmt: skip
    on(region, "B1", "A1", "C1")
    with mailing(region.service, port):
        thread = thread_of(region)
        office.until_taken(1)
        until(lambda: kept(region).mailed_at is not None)
        # Neither whoever wrote it nor whoever may not read it gets one.
        post_message(region.service, region.caller("B1"), thread, MessageContent("50 mg"))
        office.until_taken(2)
    assert office.addresses() == [address("B1"), address("A1")]
    letter = office.letters[0][1]
    assert letter["Subject"] == "You have a new message"
    assert letter["From"] == SENDER
    assert letter["Auto-Submitted"] == "auto-generated"
    whole = letter.as_string() + text_of(letter)
    assert f"{BASE}/inbox" in whole
    for word in ("Morphine", "John", "Doe", "Anna", "Visser", "Pharmacy", "Clinic", "Linde", thread, region.id("B1")):
        assert word not in whole
    end = letter["List-Unsubscribe"].strip("<>")
    assert end in text_of(letter)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert LINKS.read(Purpose.END, end.partition("code=")[2]) is not None


def test_an_address_is_asked_in_the_language_of_its_owner(region: Region, port: int, office: PostOffice) -> None:
    keep_preferences(region.service, region.caller("B1"), Preferences("nl", "Mars/Olympus"))
    with mailing(region.service, port):
        keep_mail_wish(region.service, region.caller("B1"), MailWish(address("B1")))
        office.until_taken(1)
        until(lambda: kept(region).asked_at is not None)
        letter = office.letters[0][1]
        assert letter["Subject"] == "Bevestig uw e-mailadres"
        code = text_of(letter).partition("/e-mail/confirm?code=")[2].split()[0]
        meant = LINKS.read(Purpose.CONFIRM, code)
        assert meant is not None
        assert confirm_mail(region.service, meant.person, meant.mailing)
        thread_of(region)
        office.until_taken(2)
    assert office.letters[1][1]["Subject"] == "U hebt een nieuw bericht"
    assert "List-Unsubscribe" not in letter


def test_what_comes_soon_after_is_told_of_together(
    region: Region, port: int, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(region, "B1")
    with mailing(region.service, port):
        thread = thread_of(region)
        office.until_taken(1)
        for number in range(5):
            post_message(region.service, region.caller("A1"), thread, MessageContent(f"{number}"))
        on(region, "B2")
        thread_of(region)
        office.until_taken(2)
        # A minute later.
        monkeypatch.setattr(region.service.archive, "clock", lambda: system_clock() + 61_000)
        keep_preferences(region.service, region.caller("A1"), Preferences("en"))
        thread_of(region)
        office.until_taken(4)
    assert office.addresses()[:2] == [address("B1"), address("B2")]
    assert sorted(office.addresses()[2:]) == [address("B1"), address("B2")]


def test_once_a_day_is_once_a_day(region: Region, port: int, office: PostOffice) -> None:
    on(region, "B1", often=HowOften.DAILY)
    on(region, "B2")
    with mailing(region.service, port):
        thread_of(region)
        office.until_taken(1)
    assert office.addresses() == [address("B2")]
    assert kept(region).mailed_at is None


def test_nothing_is_sent_of_what_was_read_or_may_not_be_read_any_more(
    region: Region, port: int, office: PostOffice
) -> None:
    on(region, "B1", "B2")
    read = thread_of(region)
    closed = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B2"))
    read_thread(region.service, region.caller("B1"), read)
    read_thread(region.service, region.caller("B2"), read)
    change_thread(region.service, region.caller("A1"), closed, ThreadChange(visibility=Visibility(restricted=True)))
    with mailing(region.service, port):
        office.until_taken(1)
        until(lambda: kept(region, "B2").mailed_at is not None)
    assert office.addresses() == [address("B2")]


def test_who_wants_no_more_gets_no_more(region: Region, port: int, office: PostOffice) -> None:
    on(region, "B1", "B2")
    with mailing(region.service, port):
        thread = thread_of(region)
        office.until_taken(2)
        end_mail(region.service, region.caller("B1"))
        end_mail(region.service, region.caller("B2"))
        on(region, "B2")
        post_message(region.service, region.caller("A1"), thread, MessageContent("More"))
        office.until_taken(3)
    assert office.addresses()[-1] == address("B2")


def test_a_server_that_is_away_gets_it_later(region: Region, port: int) -> None:
    on(region, "B1", "B2")
    office = PostOffice()
    with mailing(region.service, port):
        thread_of(region)
        until(lambda: kept(region).failing_since is not None)
        with open_at(port, office):
            office.until_taken(2)
            until(lambda: kept(region).failing_since is None)
    assert sorted(office.addresses()) == [address("B1"), address("B2")]


def test_whoever_reads_it_while_nothing_can_be_sent_begins_anew(region: Region, port: int) -> None:
    on(region, "B1")
    office = PostOffice()
    with mailing(region.service, port):
        thread = thread_of(region)
        until(lambda: kept(region).failing_since is not None)
        read_thread(region.service, region.caller("B1"), thread)
        until(lambda: kept(region).failing_since is None)
        with open_at(port, office):
            post_message(region.service, region.caller("A1"), thread, MessageContent("More"))
            office.until_taken(1)
            until(lambda: kept(region).mailed_at is not None)
    assert office.addresses() == [address("B1")]


def test_what_is_said_of_a_failure_names_no_address_and_nothing_of_what_is_new(
    region: Region, port: int, office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    on(region, "B1", "B2")
    office.refuses[address("B1")] = f"452 {address('B1')} is full"
    office.refuses[address("B2")] = f"550 5.1.1 {address('B2')} is not here"
    with caplog.at_level("INFO", "carethread.web"), mailing(region.service, port):
        thread_of(region)
        until(lambda: kept(region).failing_since is not None)
        until(lambda: kept(region, "B2").status is MailStatus.REFUSED)
    assert "the server did not take a letter: 452" in caplog.text
    for word in ("care.example", "Morphine", "Doe", "is full", "not here"):
        assert word not in caplog.text


def test_a_letter_that_is_not_taken_holds_up_nobody_else(region: Region, port: int, office: PostOffice) -> None:
    on(region, "B1", "B2")
    office.refuses[address("B1")] = "452 Mailbox full"
    with mailing(region.service, port):
        thread_of(region)
        office.until_taken(1)
        until(lambda: kept(region).failing_since is not None)
        del office.refuses[address("B1")]
        office.until_taken(2)
        until(lambda: kept(region).failing_since is None)
    assert office.addresses() == [address("B2"), address("B1")]


def test_an_address_that_is_none_is_given_up(region: Region, port: int, office: PostOffice) -> None:
    on(region, "B1")
    office.refuses[address("B1")] = "550 No such mailbox"
    with mailing(region.service, port):
        thread_of(region)
        until(lambda: kept(region).status is MailStatus.REFUSED)
        thread_of(region)
        on(region, "B2")
        thread_of(region)
        office.until_taken(1)
    assert office.addresses() == [address("B2")]


def test_after_a_day_a_letter_is_given_up_and_the_next_one_tried(
    region: Region, port: int, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(region, "B1")
    keep_mail_wish(region.service, region.caller("C1"), MailWish(address("C1")))
    office.refuses_all = "451 Not now"
    with mailing(region.service, port):
        thread = thread_of(region)
        until(lambda: kept(region).failing_since is not None)
        until(lambda: kept(region, "C1").failing_since is not None)
        place = kept(region).place
        monkeypatch.setattr(module, "GIVE_UP_MS", 0)
        until(lambda: kept(region).place != place)
        until(lambda: kept(region, "C1").status is MailStatus.REFUSED)
        tried = office.tried
        office.refuses_all = ""
        post_message(region.service, region.caller("A1"), thread, MessageContent("More"))
        office.until_taken(1)
    assert office.tried == tried + 1
    assert kept(region).failing_since is None


def test_where_those_stand_who_are_told_nothing_is_kept_from_time_to_time(
    region: Region, port: int, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT_AFTER", 1)
    on(region, "C1", "B1")
    place = kept(region, "C1").place
    with mailing(region.service, port):
        thread_of(region)
        until(lambda: kept(region, "C1").place != place)
        office.until_taken(1)


def test_whatever_fails_is_tried_again(
    region: Region, port: int, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TROUBLE_PAUSE_S", 0.01)
    failures = iter([ValueError("unexpected"), OSError("a disk")])
    real = news

    def failing(*given: object) -> object:
        for each in failures:
            raise each
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "news", failing)
    on(region, "B1")
    with mailing(region.service, port):
        thread_of(region)
        office.until_taken(1)


def test_one_process_sends_at_a_time(region: Region, port: int, office: PostOffice) -> None:
    on(region, "B1")
    with mailing(region.service, port), mailing(region.service, port):
        thread = thread_of(region)
        office.until_taken(1)
        on(region, "B2")
        post_message(region.service, region.caller("A1"), thread, MessageContent("More"))
        office.until_taken(2)
    assert office.addresses() == [address("B1"), address("B2")]


def _send_until_killed(place: Place, port: int, say: Say) -> None:
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        mailer_of(service, port).start()
        say(Said("started", 1, 1))
        threading.Event().wait()


def test_what_is_due_survives_a_kill(region: Region, place: Place, port: int) -> None:
    on(region, "B1")
    with forked(_send_until_killed, place, port) as process:
        process.wait_for(1)
        thread_of(region)
        # No server is there yet.
        until(lambda: kept(region).failing_since is not None)
        process.kill()
    office = PostOffice()
    with open_at(port, office), mailing(region.service, port):
        office.until_taken(1)
        until(lambda: kept(region).mailed_at is not None)
    assert office.addresses() == [address("B1")]
