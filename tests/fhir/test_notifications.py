"""Notifications of a whole installation: after the commit, in order, at least once, to whoever may read then."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carethread import CoordinationService, MessageContent, errors
from carethread.clock import Instant, system_clock
from carethread.fhir import notifications as module
from carethread.fhir.notifications import Notifications, StoredPost
from carethread.fhir.notifying import GIVE_UP_MS, Standing
from carethread.fhir.webhooks import Notification, Reach
from carethread.ids import CommunicationId
from carethread.policy.subscriptions import Headers, Status, Subscription, Wish
from carethread.reads import read_subscription
from carethread.writes import change_subscription, post_message, subscribe, together
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.fhir.receiving import Receiver, receiving
from tests.region import Region, role

BASE = "https://care.example/fhir"
SECRET = Headers((("Authorization", "Bearer s3cret"),))
Place = tuple[str, str | None]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> Place:
    return str(tmp_path / "home"), fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def region(place: Place) -> Iterator[Region]:
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        yield Region(service)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@contextmanager
def notifying(service: CoordinationService) -> Iterator[Notifications]:
    made = Notifications(
        service, frozenset({Reach.LOOPBACK}), base=BASE, pause=lambda failures: min(failures * 0.01, 0.1)
    )  # fmt: skip
    made.start()
    try:
        yield made
    finally:
        made.stop()


def wish(receiver: Receiver, path: str = "b1", status: str = "requested", **more: Any) -> Wish:
    fields: dict[str, Any] = {"criteria": "Communication?", "headers": SECRET, **more}
    return Wish(status=Status(status), endpoint=receiver.url + path, **fields)


def thread_of(region: Region) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def post(region: Region, thread: CommunicationId, text: str = "Again", who: str = "A1") -> None:
    post_message(region.service, region.caller(who), thread, MessageContent(text))


def standing_of(region: Region, of: Subscription, who: str = "B1") -> Subscription:
    """Return a subscription as it stands now."""
    return read_subscription(region.service, region.caller(who), of.id)


def until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_is_an_empty_post_after_the_commit(region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    of = subscribe(region.service, region.caller("B1"), wish(receiver))
    with notifying(region.service):
        post(region, thread)
        receiver.until_taken(1)
        until(lambda: standing_of(region, of).place != of.place)
    path, headers, body = receiver.taken[0]
    assert (path, body, headers["authorization"], headers["content-length"]) == ("/b1", b"", "Bearer s3cret", "0")
    assert "content-type" not in headers
    assert len(receiver.taken) == 1


def test_whoever_subscribes_later_is_served_at_once(region: Region, receiver: Receiver) -> None:
    with notifying(region.service):
        thread = thread_of(region)
        subscribe(region.service, region.caller("B1"), wish(receiver, criteria="CommunicationRequest?status=active"))
        subscribe(region.service, region.caller("B2"), wish(receiver, "b2", criteria="Communication?sender=A1"))
        post(region, thread)
        receiver.until_taken(2)
        post(region, thread, who="B1")
        receiver.until_taken(3)
    assert sorted(receiver.paths()) == ["/b1", "/b1", "/b2"]


def test_nothing_is_sent_for_what_was_rolled_back(region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    subscribe(region.service, region.caller("B1"), wish(receiver))

    def work(inside: CoordinationService) -> None:
        post_message(inside, region.caller("A1"), thread, MessageContent("Never said"))
        raise errors.NotAllowedError("on second thought")

    with notifying(region.service):
        with pytest.raises(errors.NotAllowedError):
            together(region.service, region.caller("A1"), work)
        post(region, thread)
        receiver.until_taken(1)
        post(region, thread)
        receiver.until_taken(2)
    assert len(receiver.taken) == 2


def test_a_receiver_that_was_down_gets_everything_later(region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    of = subscribe(region.service, region.caller("B1"), wish(receiver))
    receiver.fail()
    with notifying(region.service):
        for number in range(5):
            post(region, thread, f"{number}")
        receiver.until(lambda: receiver.refused >= 3)
        assert standing_of(region, of).failing_since is not None
        assert receiver.taken == []
        receiver.recover()
        receiver.until_taken(5)
        until(lambda: standing_of(region, of).failing_since is None)
    assert len(receiver.taken) == 5


def test_given_up_after_a_day_and_resent_on_request(
    region: Region, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = thread_of(region)
    of = subscribe(region.service, region.caller("B1"), wish(receiver))
    receiver.fail()
    with notifying(region.service):
        for number in range(3):
            post(region, thread, f"{number}")
        receiver.until(lambda: receiver.refused >= 2)
        monkeypatch.setattr(region.service.archive, "clock", lambda: Instant(system_clock() + GIVE_UP_MS))
        monkeypatch.setattr("carethread.fhir.notifying.GIVE_UP_MS", 0)
        until(lambda: standing_of(region, of).status is Status.ERROR)
        assert standing_of(region, of).error == "the endpoint answered with status 503"
        receiver.recover()
        post(region, thread)
        change_subscription(region.service, region.caller("B1"), of.id, wish(receiver))
        receiver.until_taken(4)
    assert len(receiver.taken) == 4


def test_rights_are_those_at_the_moment_of_each_attempt(region: Region, receiver: Receiver) -> None:
    """Also of what could be read when it was recorded, and could not be delivered then."""
    thread = thread_of(region)
    of = subscribe(region.service, region.caller("B2"), wish(receiver, "b2"))
    subscribe(region.service, region.caller("B1"), wish(receiver))
    receiver.fail()
    with notifying(region.service):
        post(region, thread)
        receiver.until(lambda: receiver.refused >= 2)
        region.load(role("B2", "Clinic-B", "doctor", active=False))
        until(lambda: standing_of(region, of, "B2").place != of.place)
        receiver.recover()
        receiver.until_taken(1)
        region.load(role("B2", "Clinic-B", "doctor"))
        post(region, thread)
        receiver.until_taken(3)
    assert sorted(receiver.paths()) == ["/b1", "/b1", "/b2"]


def test_off_ends_it_and_time_does(region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    b1 = region.caller("B1")
    of = subscribe(region.service, b1, wish(receiver))
    short = subscribe(region.service, b1, wish(receiver, "short", end=Instant(system_clock() + 300)))
    subscribe(region.service, b1, wish(receiver, "other"))
    with notifying(region.service):
        until(lambda: standing_of(region, short).status is Status.OFF)
        change_subscription(region.service, b1, of.id, wish(receiver, status="off"))
        post(region, thread)
        receiver.until_taken(1)
    assert receiver.paths() == ["/other"]


def test_criteria_that_are_not_understood_any_more(region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    of = subscribe(region.service, region.caller("B1"), wish(receiver, criteria="Communication?colour=red"))
    with notifying(region.service):
        post(region, thread)
        until(lambda: standing_of(region, of).status is Status.ERROR)
    assert "colour" in standing_of(region, of).error
    assert receiver.taken == []


def test_a_version_that_is_over_is_not_served(region: Region, receiver: Receiver) -> None:
    post_ = StoredPost(region.service, BASE)
    gone = Standing("7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88", 1, Notification(receiver.url))
    with pytest.raises(errors.UnknownSubscriptionError):
        post_.due(gone, None)


# ── Several processes ─────────────────────────────────────────────────────────────────────────────────────────────────


def serve(place: Place, say: Say) -> None:
    """Send the notifications of an installation until killed."""
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service, notifying(service):
        say(Said("serving", 1, 1))
        time.sleep(600)


def test_what_another_process_changes_is_served(place: Place, region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    with forked(serve, place) as process:
        process.wait_for(1)
        of = subscribe(region.service, region.caller("B1"), wish(receiver))
        post(region, thread)
        receiver.until_taken(1)
        change_subscription(region.service, region.caller("B1"), of.id, wish(receiver, "moved"))
        post(region, thread)
        receiver.until(lambda: any(path == "/moved" for path, _, _ in receiver.taken))


def test_one_serves_and_the_next_when_it_dies(place: Place, region: Region, receiver: Receiver) -> None:
    thread = thread_of(region)
    subscribe(region.service, region.caller("B1"), wish(receiver))
    with forked(serve, place) as first:
        first.wait_for(1)
        post(region, thread)
        receiver.until_taken(1)
        with forked(serve, place) as second, notifying(region.service):
            second.wait_for(1)
            for number in range(5):
                post(region, thread, f"{number}")
            receiver.until_taken(6)
            # Nobody else told of it as well.
            assert len(receiver.taken) == 6
            first.kill()
            second.kill()
            post(region, thread)
            receiver.until_taken(7)


@pytest.mark.soak
def test_nothing_is_lost_when_whoever_serves_is_killed(
    place: Place, region: Region, receiver: Receiver, soaking: bool
) -> None:
    """Each message has a subscription of its own, so that it shows which were told of."""
    thread = thread_of(region)
    b1 = region.caller("B1")
    dice = random.Random(f"killed {place[1] is None}")
    for series in range(25 if soaking else 1):
        wanted = [f"word{series}x{number}" for number in range(20)]
        made = [
            subscribe(region.service, b1, wish(receiver, each, criteria=f"Communication?_content={each}"))
            for each in wanted
        ]
        waiting = list(wanted)
        while waiting:
            with forked(serve, place) as process:
                process.wait_for(1)
                for _ in range(dice.randrange(1, 8)):
                    if waiting:
                        post(region, thread, waiting.pop())
                process.kill(dice.uniform(0, 0.05))
        with notifying(region.service):
            receiver.until(lambda wanted=wanted: {f"/{each}" for each in wanted} <= _paths(receiver))  # type: ignore[misc]
        for each in made:
            change_subscription(region.service, b1, each.id, wish(receiver, status="off"))


def _paths(receiver: Receiver) -> set[str]:
    return {path for path, _, _ in receiver.taken}


# ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_that_ends_without_a_word_holds_nothing_back_for_ever(
    tmp_path: Path, receiver: Receiver, fresh_postgres: Callable[[], str]
) -> None:
    """On PostgreSQL, what was recorded while it ran is shown after its end, and nobody is woken by that."""
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        region = Region(service)
        thread = thread_of(region)
        subscribe(service, region.caller("B1"), wish(receiver))
        with notifying(service), psycopg.connect(url) as early:
            early.execute("SELECT pg_current_xact_id()")
            post(region, thread)
            time.sleep(0.3)
            assert receiver.taken == []
            early.rollback()
            receiver.until_taken(1)


def test_a_server_that_was_gone_is_no_end(
    tmp_path: Path, receiver: Receiver, fresh_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TROUBLE_PAUSE_S", 0.05)
    monkeypatch.setattr("carethread.fhir.notifying._TROUBLE_PAUSE_S", 0.05)
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        region = Region(service)
        thread = thread_of(region)
        subscribe(service, region.caller("B1"), wish(receiver))
        with notifying(service):
            post(region, thread)
            receiver.until_taken(1)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            post(region, thread)
            receiver.until_taken(2)


def test_trouble_at_the_beginning_passes(
    region: Region, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_TROUBLE_PAUSE_S", 0.02)
    listen, watch = region.service.archive.waking.listen, region.service.archive.watch
    fails = {"listen": 2, "watch": 2}

    def once(name: str, really: Callable[[], Any]) -> Callable[[], Any]:
        def do() -> Any:
            if fails[name]:
                fails[name] -= 1
                raise errors.StorageError("the disk is full")
            return really()

        return do

    monkeypatch.setattr(region.service.archive.waking, "listen", once("listen", listen))
    monkeypatch.setattr(region.service.archive, "watch", once("watch", watch))
    thread = thread_of(region)
    subscribe(region.service, region.caller("B1"), wish(receiver))
    with notifying(region.service):
        post(region, thread)
        receiver.until_taken(1)
    assert "notifications wait: the disk is full" in caplog.text


def test_never_started(region: Region) -> None:
    Notifications(region.service, frozenset(), base=BASE).stop()


def test_how_soon(region: Region, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    """No pause is waited for: the median of many says so, on a machine that has other things to do as well."""
    thread = thread_of(region)
    subscribe(region.service, region.caller("B1"), wish(receiver))
    taken: list[float] = []
    with notifying(region.service):
        post(region, thread)
        receiver.until_taken(1)
        for number in range(20):
            post(region, thread, f"{number}")
            recorded = time.monotonic()
            receiver.until_taken(number + 2)
            taken.append(receiver.at[-1] - recorded)
    with capsys.disabled():
        print(f" {statistics.median(taken) * 1000:.1f} ms, at most {max(taken) * 1000:.1f} ms ", end="")  # noqa: T201
    assert statistics.median(taken) < 1
