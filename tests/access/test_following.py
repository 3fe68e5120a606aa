"""What happens while a page is open: told as it happens, in whatever process, to whom it may concern."""

import logging
import queue
import threading
from collections.abc import Iterator

import psycopg
import pytest

from carethread import CoordinationService, MessageContent, ThreadStatus, errors
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import (
    Following,
    Happening,
    HappeningKind,
    following,
    happened_since,
    last_cursor,
    may_see,
    read_thread,
)
from carethread.store import changes
from carethread.store.waking import Waking
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.access.logged import newly
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.region import Region

PATIENCE_S = 30.0
NOBODY = ParticipantId("00000000-0000-0000-0000-00000000dead")
MISSING = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[Happening, ...]] = queue.Queue()
        self.all: list[Happening] = []

    def __call__(self, happenings: tuple[Happening, ...]) -> None:
        assert happenings
        self._told.put(happenings)

    def next(self, count: int) -> list[tuple[CommunicationId, HappeningKind]]:
        """Return the next so many."""
        before = len(self.all)
        while len(self.all) < before + count:
            self.all.extend(self._told.get(timeout=PATIENCE_S))
        return [(each.thread, each.kind) for each in self.all[before:]]

    @property
    def is_silent(self) -> bool:
        """Whether nothing more was told."""
        return self._told.empty()


@pytest.fixture
def live(service: CoordinationService) -> Iterator[Following]:
    begun = Following(service)
    begun.start()
    try:
        yield begun
    finally:
        begun.stop()


def say(region: Region, who: str, thread: CommunicationId, body: str = "Text", **more: object) -> str:
    return post_message(region.service, region.caller(who), thread, MessageContent(body, **more))  # type: ignore[arg-type]


def test_everything_that_happens_to_a_thread_is_told(region: Region, live: Following) -> None:
    heard = Heard()
    live.register(heard)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    reply = say(region, "B1", thread)
    say(region, "B1", thread, corrects=reply)
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    later = region.open("B1", ("Pharmacy-A",), "", on_behalf_of="Clinic-B", continues=thread)
    say(region, "B1", later, corrects=reply)
    assert heard.next(8) == [
        (thread, HappeningKind.OPENED),
        (thread, HappeningKind.MESSAGE),
        (thread, HappeningKind.CORRECTION),
        (thread, HappeningKind.LEDGER),
        (later, HappeningKind.OPENED),
        (thread, HappeningKind.CONTINUED),
        (later, HappeningKind.CORRECTION),
        (thread, HappeningKind.CORRECTED_ELSEWHERE),
    ]
    assert heard.all[1].message == reply
    assert [each.message for each in heard.all if each.kind is HappeningKind.OPENED][1] is None


def test_what_happened_since_is_the_same_again(region: Region, live: Following) -> None:
    heard = Heard()
    live.register(heard)
    begin = last_cursor(region.service)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    say(region, "B1", thread)
    heard.next(2)
    since = happened_since(region.service, begin)
    assert list(since.happenings) == heard.all
    assert since.cursor == heard.all[-1].cursor == last_cursor(region.service)
    assert not since.is_too_far
    # From any of them one goes on.
    assert happened_since(region.service, heard.all[0].cursor).happenings == since.happenings[1:]
    assert happened_since(region.service, since.cursor).happenings == ()


def test_whoever_is_too_far_behind_begins_anew(region: Region) -> None:
    begin = last_cursor(region.service)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    say(region, "B1", thread)
    assert len(happened_since(region.service, begin, 2).happenings) == 2
    behind = happened_since(region.service, begin, 1)
    assert (behind.happenings, behind.cursor, behind.is_too_far) == ((), last_cursor(region.service), True)
    for most in (0, 10_001):
        with pytest.raises(errors.InvalidValueError, match="most"):
            happened_since(region.service, begin, most)
    with pytest.raises(errors.InvalidValueError, match="cursor"):
        happened_since(region.service, "yesterday")


def test_nothing_that_is_only_read_or_set_aside_is_told(region: Region, live: Following) -> None:
    heard = Heard()
    live.register(heard)
    begin = last_cursor(region.service)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert newly(region, lambda: happened_since(region.service, begin)) == []
    read_thread(region.service, region.caller("B1"), thread)
    set_aside(region.service, region.caller("B1"), thread, region.id("Clinic-B"))
    say(region, "B1", thread)
    assert [kind for _, kind in heard.next(2)] == [HappeningKind.OPENED, HappeningKind.MESSAGE]
    assert heard.is_silent


def test_whoever_no_longer_wants_to_be_told_is_not(region: Region, live: Following) -> None:
    first, second = Heard(), Heard()
    end = live.register(first)
    live.register(second)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert first.next(1) == second.next(1)
    end()
    end()
    say(region, "B1", thread)
    second.next(1)
    assert first.is_silent


def test_one_who_fails_keeps_nobody_else_from_being_told(
    region: Region, live: Following, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: tuple[Happening, ...]) -> None:
        raise ValueError("the page has gone")

    heard = Heard()
    live.register(fails)
    live.register(heard)
    with caplog.at_level(logging.WARNING):
        thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
        heard.next(1)
        say(region, "B1", thread, "No word of this is in a log")
        heard.next(1)
    assert "somebody could not be told" in caplog.text
    assert "No word" not in caplog.text


def test_what_went_wrong_is_tried_again(
    region: Region, live: Following, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "_TROUBLE_PAUSE_S", 0.01)
    real = changes.changes_after
    failures = [errors.StorageError("the disk is away for a moment")]

    def once(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return real(*arguments)  # type: ignore[arg-type]

    heard = Heard()
    live.register(heard)
    monkeypatch.setattr(following, "changes_after", once)
    with caplog.at_level(logging.WARNING):
        thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
        assert heard.next(1) == [(thread, HappeningKind.OPENED)]
    assert "the disk is away" in caplog.text


def test_a_great_deal_is_told_in_parts(region: Region, live: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_BATCH", 2)
    monkeypatch.setattr(following, "_GATHER_S", 0.3)
    heard = Heard()
    live.register(heard)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    for _ in range(5):
        say(region, "B1", thread)
    assert [each for _, each in heard.next(6)] == [HappeningKind.OPENED] + [HappeningKind.MESSAGE] * 5


def test_what_a_transaction_holds_back_is_told_once_that_ends(region: Region, live: Following) -> None:
    """On PostgreSQL: nobody is woken when it ends. Before it began to follow, or after."""
    database = region.service.archive.database
    if database.is_sqlite:
        pytest.skip("there is one transaction at a time")
    heard, late = Heard(), Heard()
    live.register(heard)
    with psycopg.connect(database.url) as other:
        other.execute("SELECT pg_current_xact_id()")
        thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
        say(region, "B1", thread)
        begun_late = Following(region.service)
        begun_late.start()
        begun_late.register(late)
        with pytest.raises(queue.Empty):
            heard._told.get(timeout=0.3)
        assert happened_since(region.service, "").happenings == ()
    try:
        assert heard.next(2) == late.next(2)
    finally:
        begun_late.stop()


def test_what_a_restored_backup_does_not_have_is_passed_over(region: Region) -> None:
    begin = last_cursor(region.service)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    say(region, "B1", thread)
    with region.service.archive.database.write() as connection:
        connection.text("DELETE FROM message WHERE position = 2")
    assert [each.kind for each in happened_since(region.service, begin).happenings] == [HappeningKind.OPENED]


# ── Beginning and ending ──────────────────────────────────────────────────────────────────────────────────────────────


def test_it_ends_whether_or_not_it_began(service: CoordinationService) -> None:
    never = Following(service)
    never.stop()
    begun = Following(service)
    assert begun.start() == last_cursor(service)
    begun.stop()
    begun.stop()
    assert not [each for each in threading.enumerate() if each.name == "carethread-following"]


def test_it_leaves_nothing_behind_where_it_cannot_begin(
    service: CoordinationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    listen = Waking.listen

    def watched(self: Waking) -> object:
        opened.append(listen(self))
        return opened[-1]

    def fails(_: object) -> str:
        raise errors.StorageError("no")

    monkeypatch.setattr(Waking, "listen", watched)
    monkeypatch.setattr(changes, "last_cursor", fails)
    live = Following(service)
    with pytest.raises(errors.StorageError):
        live.start()
    live.stop()
    (listener,) = opened
    with pytest.raises((ValueError, errors.StorageError)):
        listener.fileno() == -1 or listener.wait(0)


# ── Two processes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def post_elsewhere(home: str, url: str | None, person: ParticipantId, thread: CommunicationId, say: Say) -> None:
    """Post from a process of its own."""
    with CoordinationService.open(home, database_url=url, flushes=False) as service:
        for number in range(3):
            post_message(service, Caller(person), thread, MessageContent(f"{number}"))
            say(Said("post", number, 1))


def follow_elsewhere(home: str, url: str | None, say: Say) -> None:
    """Follow from a process of its own."""
    with CoordinationService.open(home, database_url=url, flushes=False) as service:
        live = Following(service)
        heard = Heard()
        live.register(heard)
        live.start()
        say(Said("following", 0, 1))
        for number in range(3):
            heard.next(1)
            say(Said("heard", number, 1))
        live.stop()


def _place(region: Region) -> tuple[str, str | None]:
    archive = region.service.archive
    return str(archive.data_dir), None if archive.database.is_sqlite else archive.database.url


def test_what_another_process_records_is_told(region: Region, live: Following) -> None:
    heard = Heard()
    live.register(heard)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    heard.next(1)
    with forked(post_elsewhere, *_place(region), region.id("B1"), thread) as other:
        assert heard.next(3) == [(thread, HappeningKind.MESSAGE)] * 3
        other.finish()


def test_another_process_is_told_of_what_is_recorded_here(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    with forked(follow_elsewhere, *_place(region)) as other:
        other.wait_for(1)
        for number in range(3):
            say(region, "B1", thread)
            other.wait_for(2 + number)
        other.finish()


# ── Who may see it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_which_threads_somebody_may_read_now(region: Region) -> None:
    mine = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    other = region.open("B1", ("Hospital-C",), patient="P2")
    both = (mine, other, MISSING)

    def seen(caller: Caller) -> frozenset[CommunicationId]:
        return may_see(region.service, caller, both)

    assert seen(region.caller("A2")) == {mine}
    assert seen(region.caller("C1")) == {other}
    assert seen(region.caller("P1")) == frozenset()
    assert seen(region.auditor) == {mine, other}
    assert seen(Caller(NOBODY)) == frozenset()
    assert seen(Caller(region.id("A1"), ActorKind.STEWARD)) == frozenset()
    assert may_see(region.service, region.caller("A1"), ()) == frozenset()
    assert newly(region, lambda: seen(region.caller("A2"))) == []
    # From moment to moment.
    region.load({"resourceType": "Practitioner", "id": "A2", "active": False, "name": [{"text": "Adam Novak"}]})
    assert seen(region.caller("A2")) == frozenset()
