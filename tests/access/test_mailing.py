"""Who wants e-mail: their own choice, kept beside the record; and for whom something is new."""

from pathlib import Path

import pytest

from carethread import CoordinationService, MessageContent, errors
from carethread.ids import ParticipantId
from carethread.policy.mailing import HowOften, Mailing, MailStatus, MailWish, Quiet
from carethread.reads import (
    Filter,
    Preferences,
    access_log,
    is_still_new,
    last_cursor,
    mail_wish,
    mail_wishes,
    news,
    read_thread,
)
from carethread.record.model import Visibility
from carethread.writes import (
    ThreadChange,
    change_thread,
    confirm_mail,
    end_mail,
    end_mail_to,
    keep_mail_wish,
    keep_preferences,
    note_asked,
    note_mailed,
    note_not_mailed,
    note_passed,
    note_refused,
    post_message,
)
from tests.region import Region

WISH = MailWish("anna@care.example", HowOften.DAILY, 9 * 60, Quiet(22 * 60, 7 * 60))


def on(region: Region, who: str) -> Mailing:
    """Have somebody confirm an address; return what is kept."""
    asked = keep_mail_wish(region.service, region.caller(who), MailWish(f"{who}@care.example"))
    assert confirm_mail(region.service, asked.person, asked.id)
    return kept(region, who)


def kept(region: Region, who: str) -> Mailing:
    return mail_wish(region.service, region.caller(who))


def new(region: Region, *who: str, since: str) -> dict[str, list[str]]:
    """Return for whom of these something is new, and in which threads."""
    found = news(region.service, {region.id(each): since for each in who})
    return {region.name(person): [each.thread for each in several] for person, several in found.of.items()}


def test_a_wish_is_kept_confirmed_and_ended(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    assert kept(region, "A1") == Mailing(region.id("A1"), "")
    asked = keep_mail_wish(service, a1, WISH)
    assert mail_wishes(service) == (asked,)
    note_asked(service, asked)
    assert kept(region, "A1").asked_at is not None
    region.open("A2", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert confirm_mail(service, asked.person, asked.id, client="tests")
    assert confirm_mail(service, asked.person, asked.id)
    keep_preferences(service, a1, Preferences("nl", "Europe/Amsterdam"))
    now = kept(region, "A1")
    assert (now.status, now.wish, now.place) == (MailStatus.ON, WISH, last_cursor(service))
    assert now.preferences == Preferences("nl", "Europe/Amsterdam")
    assert not confirm_mail(service, asked.person, "00000000-0000-4000-8000-000000000000")
    end_mail(service, a1)
    assert kept(region, "A1").wish.address == ""
    assert mail_wishes(service) == ()
    lines = access_log(service, region.auditor, Filter(actor=region.id("A1")))
    said = [each.detail for each in lines if each.detail.startswith("e-mail") and each.action == "written"]
    assert sorted(said) == ["e-mail", "e-mail confirmed", "e-mail ended"]


def test_whoever_has_a_link_ends_it_and_only_for_that_address(region: Region) -> None:
    service = region.service
    first = on(region, "A1")
    second = keep_mail_wish(service, region.caller("A1"), MailWish("elsewhere@care.example"))
    end_mail_to(service, first.person, first.id)
    assert kept(region, "A1").status is MailStatus.ASKED
    end_mail_to(service, second.person, second.id)
    assert kept(region, "A1").status is MailStatus.OFF


def test_who_chooses_nothing(region: Region) -> None:
    service = region.service
    with pytest.raises(errors.InvalidValueError):
        keep_mail_wish(service, region.caller("A1"), MailWish("nobody"))
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    with pytest.raises(errors.InactiveError):
        keep_mail_wish(service, region.caller("A1"), WISH)


def test_what_is_noted_of_an_address_that_was_replaced_counts_for_nothing(region: Region) -> None:
    service = region.service
    before = on(region, "A1")
    note_not_mailed(service, [before])
    failing = kept(region, "A1")
    assert failing.failing_since is not None
    note_not_mailed(service, [before])
    assert kept(region, "A1") == failing
    note_passed(service, {before: "1.0"})
    assert (kept(region, "A1").place, kept(region, "A1").failing_since) == ("1.0", None)
    note_mailed(service, before, "2.0")
    assert kept(region, "A1").place == "2.0"
    assert kept(region, "A1").mailed_at is not None
    note_not_mailed(service, [])
    after = keep_mail_wish(service, region.caller("A1"), MailWish("elsewhere@care.example"))
    note_refused(service, before)
    note_mailed(service, before, "3.0")
    assert kept(region, "A1") == after
    note_refused(service, after)
    assert kept(region, "A1").status is MailStatus.REFUSED


def test_what_others_write_is_new_for_whoever_may_read_it(region: Region) -> None:
    service = region.service
    since = last_cursor(service)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    everybody = ("A1", "A2", "B1", "C1", "P1")
    assert new(region, *everybody, since=since) == {"A2": [thread], "B1": [thread]}
    # What is recorded by the system itself is nothing new.
    since = last_cursor(service)
    change_thread(service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    assert new(region, *everybody, since=since) == {}
    post_message(service, region.caller("B1"), thread, MessageContent("50 mg"))
    assert new(region, *everybody, since=since) == {each: [thread] for each in ("A1", "A2", "C1")}


def test_each_has_a_place_of_their_own(region: Region) -> None:
    start = last_cursor(region.service)
    first = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    later = last_cursor(region.service)
    second = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    found = news(region.service, {region.id("B1"): start, region.id("B2"): later})
    assert [each.thread for each in found.of[region.id("B1")]] == [first, second]
    assert [each.thread for each in found.of[region.id("B2")]] == [second]
    end = last_cursor(region.service)
    assert found.places == {region.id("B1"): end, region.id("B2"): end}
    assert (found.is_end, found.is_held_back, found.looked_at) == (True, False, 2)
    assert news(region.service, {region.id("B1"): end}).of == {}


def test_rights_and_marks_count_at_that_moment(region: Region) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    assert is_still_new(service, region.id("B1"), [thread])
    assert is_still_new(service, region.id("B2"), [thread])
    read_thread(service, region.caller("B1"), thread)
    assert not is_still_new(service, region.id("B1"), [thread])
    change_thread(service, region.caller("A1"), thread, ThreadChange(visibility=Visibility(restricted=True)))
    assert not is_still_new(service, region.id("B2"), [thread])
    nobody = ParticipantId("00000000-0000-4000-8000-000000000000")
    assert not is_still_new(service, nobody, [thread])
    assert news(service, {nobody: ""}).of == {}


def test_it_goes_with_a_backup(region: Region, tmp_path: Path) -> None:
    before = on(region, "A1")
    region.service.backup(tmp_path / "backup.tar")
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again") as restored:
        assert mail_wishes(restored) == (before,)
