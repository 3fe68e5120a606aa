"""Subscriptions served from a feed: in order, at least once, each receiver by itself."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import StorageError
from carethread.fhir import notifying
from carethread.fhir.notifying import GIVE_UP_MS, Due, Notifier, Standing
from carethread.fhir.webhooks import EndpointError, Notification

NOW = 1_768_142_175_234
PAGE = 3


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Instant:
        return Instant(self.now)


class Office:
    """Subscriptions and their feed in memory: a naive `Post`, its waker, and the receivers."""

    def __init__(self) -> None:
        self.guard = threading.Condition()
        self.feed: list[str] = []
        self.subscriptions: dict[str, Standing] = {}
        self.places: dict[str, int] = {}
        self.wanted: dict[str, str] = {}
        self.taken: defaultdict[str, list[str]] = defaultdict(list)
        self.failures: list[str] = []
        self.given_up: dict[str, str] = {}
        self.ended: list[str] = []
        self.broken: dict[str, int] = {}
        self.trouble = 0
        self.woken = 0

    # ── Post ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def active(self) -> Sequence[Standing]:
        with self.guard:
            self._may_fail()
            return tuple(self.subscriptions.values())

    def due(self, standing: Standing, place: str | None) -> Due:
        with self.guard:
            self._may_fail()
            first = self.places[standing.id] if place is None else int(place)
            seen = self.feed[first : first + PAGE]
            wanted = self.wanted[standing.id]
            places = tuple(str(at) for at, each in enumerate(seen, first + 1) if each.startswith(wanted))
            end = first + len(seen)
            return Due(places, str(end), end == len(self.feed))

    def told(self, standing: Standing, place: str) -> None:
        with self.guard:
            self.places[standing.id] = int(place)
            self.guard.notify_all()

    def failed(self, standing: Standing, at: Instant) -> None:
        with self.guard:
            self.failures.append(standing.id)
            known = self.subscriptions[standing.id]
            self.subscriptions[standing.id] = replace(known, failing_since=known.failing_since or at)
            self.guard.notify_all()

    def give_up(self, standing: Standing, reason: str) -> None:
        with self.guard:
            self.given_up[standing.id] = reason
            del self.subscriptions[standing.id]
            self.guard.notify_all()

    def end(self, standing: Standing) -> None:
        with self.guard:
            self.ended.append(standing.id)
            del self.subscriptions[standing.id]
            self.guard.notify_all()

    def _may_fail(self) -> None:
        if self.trouble:
            self.trouble -= 1
            raise StorageError("the disk is full")

    # ── Waits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, timeout: float | None = None) -> bool:
        with self.guard:
            self.guard.wait_for(lambda: self.woken, timeout)
            woken, self.woken = self.woken, 0
            return bool(woken)

    def close(self) -> None:
        """Nothing to let go of."""

    # ── Receivers ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def sender(self) -> "Receivers":
        return Receivers(self)

    # ── What tests do ─────────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, name: str, wanted: str = "", **more: Instant) -> None:
        with self.guard:
            self.subscriptions[name] = Standing(name, 1, Notification(f"https://{name}.example/"), **more)
            self.places[name] = len(self.feed)
            self.wanted[name] = wanted
        self.wake()

    def record(self, *said: str) -> None:
        with self.guard:
            self.feed += said
        self.wake()

    def wake(self) -> None:
        with self.guard:
            self.woken += 1
            self.guard.notify_all()

    def until(self, so: Callable[[], bool]) -> None:
        with self.guard:
            assert self.guard.wait_for(so, 10), (self.taken, self.failures, self.places)


class Receivers:
    """What each endpoint was sent."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def send(self, notification: Notification) -> None:
        name = notification.endpoint.removeprefix("https://").removesuffix(".example/")
        with self._office.guard:
            if self._office.broken.get(name):
                self._office.broken[name] -= 1
                raise EndpointError("the endpoint answered with status 503")
            self._office.taken[name].append(notification.endpoint)
            self._office.guard.notify_all()

    async def close(self) -> None:
        """Nothing to let go of."""


@contextmanager
def running(office: Office, clock: Clock | None = None) -> Iterator[Notifier]:
    notifier = Notifier(
        office, lambda: office, office.sender, clock=clock or Clock(), pause=lambda failures: failures * 0.001
    )  # fmt: skip
    notifier.start()
    try:
        yield notifier
    finally:
        notifier.stop()


def test_whoever_subscribed_is_told_of_what_matches() -> None:
    office = Office()
    office.record("a1")
    office.subscribe("pharmacy", "a")
    with running(office):
        office.record("a2", "b1", "a3")
        office.until(lambda: office.places["pharmacy"] == 4)
        office.record(*["b"] * 10, "a4")
        office.until(lambda: office.places["pharmacy"] == 15)
    assert len(office.taken["pharmacy"]) == 3


def test_it_is_told_at_once() -> None:
    office = Office()
    office.subscribe("pharmacy")
    with running(office):
        office.record("first")
        office.until(lambda: office.places["pharmacy"] == 1)
        began = time.monotonic()
        office.record("second")
        office.until(lambda: office.places["pharmacy"] == 2)
    # Whatever looks again and again would need its pause; this is no measurement.
    assert time.monotonic() - began < 5


def test_what_was_recorded_while_nobody_ran_is_told_then() -> None:
    office = Office()
    office.subscribe("pharmacy")
    office.record("a", "b", "c", "d")
    with running(office):
        office.until(lambda: office.places["pharmacy"] == 4)
    with running(office):
        office.record("e")
        office.until(lambda: office.places["pharmacy"] == 5)
    assert len(office.taken["pharmacy"]) == 5


def test_a_receiver_that_is_down_gets_everything_later_and_holds_nobody_up() -> None:
    office = Office()
    office.subscribe("down")
    office.subscribe("up")
    office.broken["down"] = 7
    with running(office):
        office.record("a", "b")
        office.until(lambda: office.places["up"] == 2)
        office.until(lambda: office.places["down"] == 2)
    assert office.failures == ["down"] * 7
    assert len(office.taken["down"]) == 2


def test_after_a_day_it_is_given_up_with_the_reason() -> None:
    office, clock = Office(), Clock()
    office.subscribe("down")
    office.subscribe("up")
    office.broken["down"] = 1_000_000
    with running(office, clock):
        office.record("a")
        office.until(lambda: len(office.failures) > 2)
        clock.now += GIVE_UP_MS
        office.until(lambda: bool(office.given_up))
        office.record("b")
        office.until(lambda: office.places["up"] == 2)
    assert office.given_up == {"down": "the endpoint answered with status 503"}
    assert office.taken["down"] == []


def test_failing_is_counted_from_before_a_restart() -> None:
    office = Office()
    office.subscribe("down", failing_since=Instant(NOW - GIVE_UP_MS))
    office.broken["down"] = 1_000_000
    # Where nothing is to tell, nothing fails.
    office.record("a")
    with running(office):
        office.until(lambda: bool(office.given_up))


def test_its_time_is_over() -> None:
    office = Office()
    office.subscribe("pharmacy", until=Instant(NOW))
    with running(office):
        office.until(lambda: office.ended == ["pharmacy"])
    assert not office.taken


def test_one_that_is_changed_is_served_anew_and_one_that_is_ended_no_more() -> None:
    office = Office()
    office.subscribe("pharmacy")
    office.subscribe("clinic")
    with running(office):
        office.record("a")
        office.until(lambda: office.places["pharmacy"] == office.places["clinic"] == 1)
        with office.guard:
            moved = Standing("pharmacy", 2, Notification("https://elsewhere.example/"))
            office.subscriptions = {"pharmacy": moved}
        office.record("b")
        office.until(lambda: office.places["pharmacy"] == 2)
        office.until(lambda: bool(office.taken["elsewhere"]) or office.places["pharmacy"] == 2)
        office.record("c")
        office.until(lambda: office.places["pharmacy"] == 3 and "elsewhere" in office.taken)
    assert office.places["clinic"] <= 2


def test_our_own_trouble_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "_TROUBLE_PAUSE_S", 0.01)
    office = Office()
    office.subscribe("pharmacy")
    with running(office):
        office.record("a")
        office.until(lambda: office.places["pharmacy"] == 1)
        with office.guard:
            office.trouble = 3
        office.record("b")
        office.record("c")
        office.until(lambda: not office.trouble)
        office.wake()
        office.until(lambda: office.places["pharmacy"] == 3)


def test_what_nobody_expected_ends_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Neither where subscriptions are looked for, nor where one is served, nor where something is waited for."""
    monkeypatch.setattr(notifying, "_TROUBLE_PAUSE_S", 0.01)

    class Faulty(Office):
        def __init__(self) -> None:
            super().__init__()
            self.faults = {"active": 2, "due": 2, "wait": 2}

        def fault(self, name: str) -> None:
            if self.faults[name]:
                self.faults[name] -= 1
                raise RuntimeError(name)

        def active(self) -> Sequence[Standing]:
            self.fault("active")
            return super().active()

        def due(self, standing: Standing, place: str | None) -> Due:
            self.fault("due")
            return super().due(standing, place)

        def wait(self, timeout: float | None = None) -> bool:
            self.fault("wait")
            return super().wait(timeout)

    office = Faulty()
    office.subscribe("pharmacy")
    with running(office):
        office.record("a")
        office.until(lambda: office.places["pharmacy"] == 1)
    assert office.faults == {"active": 0, "due": 0, "wait": 0}
    assert "RuntimeError: due" in caplog.text


def test_what_is_due_is_asked_again_before_each_attempt_that_is_not_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be read any more is not told of, and a failure before is over then."""
    office = Office()
    office.subscribe("pharmacy", "a")
    office.broken["pharmacy"] = 3
    with running(office):
        office.record("a1", "b1", "a2")
        office.until(lambda: len(office.failures) == 3)
        with office.guard:
            office.broken["pharmacy"] = 1_000_000
            office.wanted["pharmacy"] = "c"
        office.until(lambda: office.places["pharmacy"] == 3)
        with office.guard:
            office.broken["pharmacy"] = 0
        office.record("c1")
        office.until(lambda: office.places["pharmacy"] == 4)
    assert len(office.taken["pharmacy"]) <= 2
    monkeypatch.setattr(notifying, "_FRESH_S", 0.0)
    office.subscribe("clinic")
    with running(office):
        office.record("a")
        time.sleep(0.05)
    assert office.taken["clinic"] == []


def test_what_was_nothing_to_tell_is_kept_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "_KEPT_AFTER", 4)

    class Counting(Office):
        def due(self, standing: Standing, place: str | None) -> Due:
            found = super().due(standing, place)
            first = self.places[standing.id] if place is None else int(place)
            return Due(found.places, found.place, found.is_end, int(found.place) - first)

    office = Counting()
    office.subscribe("pharmacy", "a")
    with running(office):
        office.record(*["b"] * 5)
        office.until(lambda: office.places["pharmacy"] == 5)
        office.record("b")
        time.sleep(0.05)
        assert office.places["pharmacy"] == 5


def test_what_is_held_back_is_looked_for_without_being_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Holding(Office):
        def __init__(self) -> None:
            super().__init__()
            self.held_back = 5

        def due(self, standing: Standing, place: str | None) -> Due:
            if self.feed and self.held_back:
                self.held_back -= 1
                return Due((), "0", is_end=True, is_held_back=True)
            return super().due(standing, place)

    office = Holding()
    office.subscribe("pharmacy")
    with running(office):
        office.record("a")
        office.until(lambda: office.places["pharmacy"] == 1)
    assert office.held_back == 0


def test_its_time_is_over_while_nothing_happens() -> None:
    office, clock = Office(), Clock()
    office.subscribe("pharmacy", until=Instant(NOW + 100))
    with running(office, clock):
        time.sleep(0.02)
        clock.now += 100
        office.until(lambda: office.ended == ["pharmacy"])


def test_it_cannot_begin() -> None:
    def listen() -> Office:
        raise StorageError("the disk is full")

    notifier = Notifier(Office(), listen, Office().sender)
    notifier.start()
    notifier.stop()
    notifier.stop()


def test_waiting_fails_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "_TROUBLE_PAUSE_S", 0.01)

    class Deaf(Office):
        def __init__(self) -> None:
            super().__init__()
            self.deaf = 2

        def wait(self, timeout: float | None = None) -> bool:
            if self.deaf:
                self.deaf -= 1
                raise StorageError("the database was lost")
            return super().wait(timeout)

    office = Deaf()
    office.subscribe("pharmacy")
    with running(office):
        office.record("a")
        office.until(lambda: office.places["pharmacy"] == 1)


def test_pauses_grow_and_are_bounded() -> None:
    for failures in range(1, 60):
        longest = min(900.0, 2.0 ** (failures - 1))
        assert longest / 2 <= notifying._pause(failures) <= longest


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=12),
    st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.integers(0, 12),
)
def test_everyone_is_told_of_everything(said: list[str], wanted: list[str], broken: list[int], restart: int) -> None:
    office = Office()
    for number, each in enumerate(wanted):
        office.subscribe(f"r{number}", each)
        office.broken[f"r{number}"] = broken[number]
    for part in (said[:restart], said[restart:]):
        with running(office):
            for each in part:
                office.record(each)
            for number, prefix in enumerate(wanted):
                last = max((at for at, each in enumerate(office.feed, 1) if each.startswith(prefix)), default=0)
                office.until(lambda name=f"r{number}", last=last: office.places[name] >= last)  # type: ignore[misc]
    for number, prefix in enumerate(wanted):
        assert len(office.taken[f"r{number}"]) == sum(each.startswith(prefix) for each in said)
