"""An inbox with what its page says around it: one answer, and one line of the log."""

import pytest

from carethread import errors
from carethread.access_log import Action
from carethread.policy.drafts import ThreadAbout
from carethread.reads import Banner, DraftContent, Overview, Wanted, banners, drafts, inbox, overview, unread_count
from carethread.writes import keep_draft
from tests.access.logged import newly
from tests.region import Region


def test_it_says_what_its_parts_say(region: Region) -> None:
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    region.open("B1", ("Pharmacy-A",), on_behalf_of="Clinic-B")
    service, caller, clinic = region.service, region.caller("B1"), region.id("Clinic-B")
    counted = (None, region.id("B1"), clinic)
    for of in counted:
        for wanted in (None, Wanted(unread=True), Wanted(waiting=True)):
            found = overview(service, caller, of=of, wanted=wanted, count=1, counted=counted)
            assert found.page == inbox(service, caller, of=of, wanted=wanted, count=1)
            assert found.unread == {each: unread_count(service, caller, of=each) for each in counted}
            patients = {each for line in found.page.lines for each in line.patients}
            assert found.patients == banners(service, caller, patients)
            rest = overview(service, caller, of=of, wanted=wanted, after=found.page.after, count=1)
            assert rest.page == inbox(service, caller, of=of, wanted=wanted, after=found.page.after, count=1)
            assert (rest.unread, rest.unfinished) == ({}, ())


def test_it_says_where_somebody_has_begun_to_write(region: Region) -> None:
    service, caller, patient = region.service, region.caller("B1"), region.id("P2")
    keep_draft(service, caller, ThreadAbout(patient), DraftContent("Could"), expected=0)
    assert overview(service, caller).unfinished == ()
    found = overview(service, caller, with_drafts=True)
    assert found.unfinished == drafts(service, caller)
    assert [each.place for each in found.unfinished] == [ThreadAbout(patient)]
    assert isinstance(found.patients[patient], Banner)


def test_one_line_of_the_log_says_what_was_shown(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    found: list[Overview] = []

    def look() -> None:
        caller = region.caller("B1")
        found.append(overview(region.service, caller, wanted=Wanted(waiting=True), counted=(None,), with_drafts=True))

    (line,) = newly(region, look)
    assert (line.action, line.detail) == (Action.LISTED, "inbox waiting, unread counts, drafts")
    assert [each.thread for each in line.served] == [thread]
    assert [each.entry for each in line.entries] == list(found[0].patients) == [region.id("P1")]


def test_who_may_not_ask_is_told_nothing_at_all(region: Region) -> None:
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")

    def ask() -> None:
        with pytest.raises(errors.NotMemberError):
            overview(region.service, region.caller("B1"), counted=(None, region.id("Pharmacy-A")))
        with pytest.raises(errors.NotAllowedError):
            overview(region.service, region.auditor, with_drafts=True)

    first, second = newly(region, ask)
    assert (first.served, second.served) == ((), ())
    assert (first.detail, second.detail) == (errors.NotMemberError.code, errors.NotAllowedError.code)
