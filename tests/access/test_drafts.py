"""Drafts: what is kept for whom, which page's words count, and when they go."""

from collections.abc import Callable
from functools import partial

import pytest

from carethread import MessageContent, Sensitivity, Visibility, errors
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads import (
    CorrectionOf,
    Draft,
    DraftContent,
    DraftPlace,
    ReplyIn,
    ThreadAbout,
    drafts,
    read_draft,
    read_thread,
)
from carethread.store import access
from carethread.store import drafts as store
from carethread.store.drafts import KEPT_MS
from carethread.store.writer import Job
from carethread.writes import Opening, discard_draft, keep_draft, open_thread, post_message
from tests.access.racing import Services, together
from tests.people import Ticking
from tests.region import Region, role, team

TYPED = DraftContent("Could you look at the")


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def places(region: Region, thread: CommunicationId) -> list[DraftPlace]:
    """Return one of each kind, for the pharmacy's A1 and the clinic's B1."""
    message = read_thread(region.service, region.auditor, thread).messages[0].id
    return [ReplyIn(thread), CorrectionOf(message), ThreadAbout(region.id("P1"))]


def later(region: Region, milliseconds: int) -> None:
    clock = region.service.archive.clock
    assert isinstance(clock, Ticking)
    clock.now += milliseconds


def logged(region: Region, who: str) -> list[AccessEntry]:
    with region.service.archive.database.read() as connection:
        found = list(access.lines(connection, access.Filter(actor=region.id(who))))
    return [each for each in found if "draft" in each.detail or each.outcome is not Outcome.DONE]


def count(region: Region) -> int:
    with region.service.archive.database.read() as connection:
        return len(connection._cursor.execute("SELECT place FROM draft").fetchall())


# ── Keeping ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_typed_is_there_again(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    content = DraftContent(
        "Could you look at the",
        on_behalf_of=region.id("Pharmacy-A"),
        recipients=region.ids("Clinic-B"),
        in_response_to=read_thread(service, a1, thread).messages[0].id,
        others=region.ids("P1"),
        visibility=Visibility(Sensitivity.CONFIDENTIAL),
    )
    for place in places(region, thread):
        assert read_draft(service, a1, place) is None
        first = keep_draft(service, a1, place, TYPED, expected=0)
        second = keep_draft(service, a1, place, content, expected=first.version)
        assert second.version > first.version > 0
        assert read_draft(service, a1, place) == Draft(place, content, second.version, second.kept_at)
    assert [each.place for each in drafts(service, a1)] == list(reversed(places(region, thread)))
    assert drafts(service, region.caller("A2")) == ()


def test_one_page_does_not_overwrite_another(region: Region, thread: CommunicationId) -> None:
    service, a1, place = region.service, region.caller("A1"), ReplyIn(thread)
    mine = keep_draft(service, a1, place, TYPED, expected=0)
    theirs = keep_draft(service, a1, place, DraftContent("Newer"), expected=mine.version)
    for stale in (0, mine.version, theirs.version + 1):
        with pytest.raises(errors.VersionConflictError) as raised:
            keep_draft(service, a1, place, DraftContent("Stale"), expected=stale)
        assert raised.value.current == theirs.version
    assert read_draft(service, a1, place) == theirs
    discard_draft(service, a1, place)
    with pytest.raises(errors.VersionConflictError) as raised:
        keep_draft(service, a1, place, DraftContent("Stale"), expected=theirs.version)
    assert raised.value.current == 0
    assert read_draft(service, a1, place) is None


def test_an_old_page_does_not_know_what_was_begun_anew(region: Region, thread: CommunicationId) -> None:
    service, a1, place = region.service, region.caller("A1"), ReplyIn(thread)
    old = keep_draft(service, a1, place, TYPED, expected=0)
    post_message(service, a1, thread, MessageContent("Sent"), draft=place)
    new = keep_draft(service, a1, place, DraftContent("Another"), expected=0)
    with pytest.raises(errors.VersionConflictError):
        keep_draft(service, a1, place, DraftContent("Stale"), expected=old.version)
    assert read_draft(service, a1, place) == new


def test_versions_grow_when_the_clock_goes_back(region: Region, thread: CommunicationId) -> None:
    service, a1, place = region.service, region.caller("A1"), ReplyIn(thread)
    first = keep_draft(service, a1, place, TYPED, expected=0)
    later(region, -60_000)
    second = keep_draft(service, a1, place, TYPED, expected=first.version)
    assert second.version == first.version + 1
    assert second.kept_at < first.kept_at


def test_what_is_too_large_is_not_kept(region: Region, thread: CommunicationId) -> None:
    with pytest.raises(errors.InvalidValueError):
        keep_draft(region.service, region.caller("A1"), ReplyIn(thread), DraftContent("x" * 100_001), expected=0)
    assert count(region) == 0


def test_as_many_as_anybody_may(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_DRAFTS", 2)
    service, a1 = region.service, region.caller("A1")
    threads = [region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A") for _ in range(3)]
    kept = [keep_draft(service, a1, ReplyIn(each), TYPED, expected=0) for each in threads[:2]]
    with pytest.raises(errors.TooMuchError):
        keep_draft(service, a1, ReplyIn(threads[2]), TYPED, expected=0)
    keep_draft(service, a1, kept[0].place, TYPED, expected=kept[0].version)
    with pytest.raises(errors.VersionConflictError):
        keep_draft(service, a1, kept[1].place, TYPED, expected=0)
    keep_draft(service, region.caller("A2"), ReplyIn(threads[2]), TYPED, expected=0)
    discard_draft(service, a1, kept[0].place)
    keep_draft(service, a1, ReplyIn(threads[2]), TYPED, expected=0)


# ── For whom ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_else_finds_it(region: Region, thread: CommunicationId) -> None:
    service = region.service
    for place in places(region, thread):
        mine = keep_draft(service, region.caller("A1"), place, TYPED, expected=0)
        for other in ("A2", "B1"):
            assert read_draft(service, region.caller(other), place) is None
            discard_draft(service, region.caller(other), place)
        assert read_draft(service, region.caller("A1"), place) == mine


def test_who_may_not_read_there(region: Region, thread: CommunicationId) -> None:
    service, stranger = region.service, region.caller("D1")
    nowhere: list[DraftPlace] = [
        *places(region, thread)[:2],
        ReplyIn(CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")),
        CorrectionOf(MessageId("550e8400-e29b-41d4-a716-446655440000")),
        ThreadAbout(ParticipantId("550e8400-e29b-41d4-a716-446655440000")),
        ThreadAbout(region.id("A1")),
    ]
    for place in nowhere:
        with pytest.raises(errors.NotFoundError):
            keep_draft(service, stranger, place, TYPED, expected=0)
        with pytest.raises(errors.NotFoundError):
            read_draft(service, stranger, place)
    assert count(region) == 0
    # Patients and their relatives are told of no other patient.
    for who, patient in (("P1", "P2"), ("R1", "P2"), ("R2", "P1")):
        with pytest.raises(errors.UnknownPersonError):
            keep_draft(service, region.caller(who), ThreadAbout(region.id(patient)), TYPED, expected=0)
    for who, patient in (("P1", "P1"), ("R1", "P1"), ("C1", "P2")):
        keep_draft(service, region.caller(who), ThreadAbout(region.id(patient)), TYPED, expected=0)


def test_access_that_ends_and_comes_back(region: Region, thread: CommunicationId) -> None:
    """While they may not read there, it is as if nothing were there; their words wait."""
    service, b1 = region.service, region.caller("B1")
    here = places(region, thread)
    kept = [keep_draft(service, b1, each, TYPED, expected=0) for each in here]
    region.load(role("B1", "Clinic-B", "doctor", active=False), {**team("Pain"), "participant": []})
    for each in kept[:2]:
        with pytest.raises(errors.NotFoundError):
            read_draft(service, b1, each.place)
        with pytest.raises(errors.NotFoundError):
            keep_draft(service, b1, each.place, TYPED, expected=each.version)
    assert [each.place for each in drafts(service, b1)] == [ThreadAbout(region.id("P1"))]
    region.load(role("B1", "Clinic-B", "doctor"))
    assert [read_draft(service, b1, each) for each in here] == kept
    region.load(role("B1", "Clinic-B", "doctor", active=False))
    for each in kept:
        discard_draft(service, b1, each.place)
    assert count(region) == 0


def test_who_has_no_drafts(region: Region, thread: CommunicationId) -> None:
    service, place = region.service, ReplyIn(thread)
    deeds: list[Callable[[], object]] = [
        lambda: keep_draft(service, region.auditor, place, TYPED, expected=0),
        lambda: read_draft(service, region.auditor, place),
        lambda: drafts(service, region.auditor),
        lambda: discard_draft(service, region.auditor, place),
    ]
    for deed in deeds:
        with pytest.raises(errors.NotAllowedError):
            deed()
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    with pytest.raises(errors.InactiveError):
        keep_draft(service, region.caller("A1"), place, TYPED, expected=0)
    with pytest.raises(errors.InactiveError):
        drafts(service, region.caller("A1"))


def test_the_log_tells_where_and_nothing_of_what(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    reply, correction, new = places(region, thread)
    for place in (reply, correction, new):
        first = keep_draft(service, a1, place, TYPED, expected=0)
        keep_draft(service, a1, place, DraftContent("Could you look at the list?"), expected=first.version)
        read_draft(service, a1, place)
    drafts(service, a1)
    discard_draft(service, a1, new)
    found = logged(region, "A1")
    assert [(each.action, each.detail) for each in found] == [
        *[(Action.WRITTEN, "draft"), (Action.SERVED, "draft")] * 3,
        (Action.LISTED, "drafts"),
        (Action.WRITTEN, "draft discarded"),
    ]
    assert [(each.thread, each.message, each.query) for each in found[::2][:3]] == [
        (thread, None, ""),
        (None, correction.message, ""),  # type: ignore[union-attr]
        (None, None, f'{{"patient":"{region.id("P1")}"}}'),
    ]
    assert "look" not in repr(found)


# ── When they go ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_goes_with_the_message(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    reply, correction, new = places(region, thread)
    for place in (reply, correction, new):
        keep_draft(service, a1, place, TYPED, expected=0)
    b1 = keep_draft(service, region.caller("B1"), reply, TYPED, expected=0)
    post_message(service, a1, thread, MessageContent("Sent"), draft=reply)
    assert [each.place for each in drafts(service, a1)] == [new, correction]
    corrects = read_thread(service, a1, thread).messages[0].id
    post_message(service, a1, thread, MessageContent("Better", corrects=corrects), draft=correction)
    assert [each.place for each in drafts(service, a1)] == [new]
    opening = Opening(region.id("P1"), region.ids("Clinic-B"), region.id("Pharmacy-A"), message=MessageContent("Hello"))
    open_thread(service, a1, opening, draft=new)
    assert drafts(service, a1) == ()
    assert read_draft(service, region.caller("B1"), reply) == b1


def test_it_stays_where_nothing_is_recorded(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    reply, _, new = places(region, thread)
    kept = [keep_draft(service, a1, each, TYPED, expected=0) for each in (reply, new)]
    content = MessageContent("No", in_response_to=MessageId("550e8400-e29b-41d4-a716-446655440000"))
    with pytest.raises(errors.UnknownMessageError):
        post_message(service, a1, thread, content, draft=reply)
    opening = Opening(region.id("P1"), region.ids("Clinic-B"), region.id("Pharmacy-A"), message=content)
    with pytest.raises(errors.InvalidValueError):
        open_thread(service, a1, opening, draft=new)
    assert [read_draft(service, a1, each.place) for each in kept] == kept


def test_after_ninety_days(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_SWEPT", 2)
    service, a1 = region.service, region.caller("A1")
    threads = [region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A") for _ in range(5)]
    kept = [keep_draft(service, a1, ReplyIn(each), TYPED, expected=0) for each in threads]
    later(region, KEPT_MS - 20_000)
    again = keep_draft(service, a1, kept[4].place, TYPED, expected=kept[4].version)
    later(region, 20_000)
    assert read_draft(service, a1, kept[0].place) is None
    assert [each.place for each in drafts(service, a1)] == [again.place]
    with pytest.raises(errors.VersionConflictError) as raised:
        keep_draft(service, a1, kept[0].place, TYPED, expected=kept[0].version)
    assert raised.value.current == 0
    assert count(region) == 5
    # One that is too old is begun anew, though it has not been removed yet.
    new = keep_draft(service, a1, kept[3].place, DraftContent("New"), expected=0)
    assert count(region) == 3
    assert read_draft(service, a1, new.place) == new
    keep_draft(service, a1, kept[0].place, TYPED, expected=0)
    assert count(region) == 3


# ── Several at once, here and in another process ──────────────────────────────────────────────────────────────────────


def test_of_sixteen_pages_one_keeps_its_words(region: Region, thread: CommunicationId, services: Services) -> None:
    a1, place, expected = region.caller("A1"), ReplyIn(thread), 0
    for _ in range(4):
        deeds = [
            partial(keep_draft, service, a1, place, DraftContent(f"{number}"), expected=expected)
            for number, service in enumerate(services * 8)
        ]
        results = together(deeds)
        (kept,) = [each for each in results if isinstance(each, Draft)]
        refused = [each for each in results if isinstance(each, errors.VersionConflictError)]
        assert [each.current for each in refused] == [kept.version] * 15
        assert read_draft(region.service, a1, place) == kept
        expected = kept.version


def test_a_page_that_sends_while_another_types(region: Region, thread: CommunicationId, services: Services) -> None:
    """One after the other, whichever is first: what is typed later is told that it was posted, or goes with it."""
    here, there = services
    a1, place = region.caller("A1"), ReplyIn(thread)
    for _ in range(6):
        kept = keep_draft(here, a1, place, TYPED, expected=0)
        posting = partial(post_message, here, a1, thread, MessageContent("Sent"), draft=place)
        typing = partial(keep_draft, there, a1, place, DraftContent("More"), expected=kept.version)
        posted, typed = together([posting, typing])
        assert isinstance(posted, str)
        assert isinstance(typed, Draft | errors.VersionConflictError)
        assert read_draft(here, a1, place) is None


def test_a_right_that_ends_in_between(
    region: Region, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    service, b2, place = region.service, region.caller("B2"), ReplyIn(thread)
    submit = service.archive.submit

    def late(job: Job) -> str:
        monkeypatch.undo()
        region.load(role("B2", "Clinic-B", "doctor", active=False))
        return submit(job)

    monkeypatch.setattr(service.archive, "submit", late)
    with pytest.raises(errors.UnknownThreadError):
        keep_draft(service, b2, place, TYPED, expected=0)
    assert count(region) == 0
    assert logged(region, "B2")[-1].outcome is Outcome.UNKNOWN
