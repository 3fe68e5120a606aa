"""What happens reaches whoever has a page open, and nobody who may not read it, also from another process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import httpx
import pytest

from carethread import CoordinationService, MessageContent
from carethread.ids import CommunicationId
from carethread.policy.actor import Caller
from carethread.reads import happened_since, last_cursor
from carethread.web import live
from carethread.writes import ThreadChange, change_thread, post_message
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.region import Region
from tests.web.people import Visitor, Visitors

PATIENCE_S = 15.0
# Long enough for what must not come to have come.
QUIET_S = 0.7


class Stream:
    """An open page: the events that come, with their ids."""

    def __init__(self) -> None:
        self.events: Queue[str] = Queue()
        self.ended = threading.Event()

    def hears(self) -> str:
        """Wait for an event; return its id."""
        return self.events.get(timeout=PATIENCE_S)

    def is_quiet(self) -> bool:
        """Say whether nothing comes for a while."""
        try:
            self.events.get(timeout=QUIET_S)
        except Empty:
            return True
        return False


@contextmanager
def listening(visitor: Visitor, path: str, **headers: str) -> Iterator[Stream]:
    """Open a stream, until it is left."""
    stream = Stream()
    began = threading.Event()

    def listen() -> None:
        found: dict[str, str] = {}
        try:
            with visitor.client.stream("GET", path, headers=headers, timeout=60) as answer:
                assert answer.status_code == 200
                assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
                leave.append(answer)
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if name:
                        found[name] = value
                    elif "event" in found:
                        stream.events.put(found.pop("id"))
                        del found["event"]
                    began.set()
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
            pass
        stream.ended.set()

    leave: list[httpx.Response] = []
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert began.wait(PATIENCE_S)
    yield stream
    leave[0].extensions["network_stream"].get_extra_info("socket").shutdown(2)
    thread.join(PATIENCE_S)


@pytest.fixture
def thread(visitors: Visitors) -> CommunicationId:
    return visitors.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def say(region: Region, thread: CommunicationId, body: str = "More") -> None:
    post_message(region.service, region.caller("A1"), thread, MessageContent(body))


def test_a_thread_tells_of_itself_alone(visitors: Visitors, thread: CommunicationId) -> None:
    region = visitors.region
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    with listening(visitors.person("B1"), f"/live?thread={thread}&after={last_cursor(region.service)}") as stream:
        say(region, other)
        assert stream.is_quiet()
        say(region, thread)
        assert stream.hears() == last_cursor(region.service)


def test_whoever_lost_the_stream_hears_what_they_missed(visitors: Visitors, thread: CommunicationId) -> None:
    region = visitors.region
    before = last_cursor(region.service)
    say(region, thread)
    with listening(visitors.person("B1"), f"/live?thread={thread}", **{"last-event-id": before}) as stream:
        stream.hears()
        assert stream.is_quiet()
    with listening(visitors.person("B1"), f"/live?after={before}") as stream:
        stream.hears()


def test_whoever_was_away_for_long_is_told_that_anything_may_have_happened(
    visitors: Visitors, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "happened_since", lambda service, cursor: happened_since(service, cursor, 1))
    before = last_cursor(visitors.region.service)
    for _ in range(3):
        say(visitors.region, thread)
    with listening(visitors.person("C1"), f"/live?after={before}") as stream:
        stream.hears()


def test_nobody_hears_of_what_they_may_not_read(visitors: Visitors, thread: CommunicationId) -> None:
    region = visitors.region
    cursor = last_cursor(region.service)
    with listening(visitors.person("C1"), f"/live?after={cursor}") as hidden:
        say(region, thread)
        assert hidden.is_quiet()


def test_after_access_was_withdrawn_nothing_is_heard(visitors: Visitors, thread: CommunicationId) -> None:
    region = visitors.region
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(add=region.ids("C1")))
    person = visitors.person("C1")
    with listening(person, f"/live?thread={thread}&after={last_cursor(region.service)}") as stream:
        say(region, thread)
        stream.hears()
        change_thread(region.service, region.caller("A1"), thread, ThreadChange(remove=region.ids("C1")))
        say(region, thread, "Not for them")
        assert stream.is_quiet()
        person.get(f"/threads/{thread}/entries?after=1", 404)


def test_a_session_that_ended_hears_nothing(
    visitors: Visitors, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_BEAT_S", 0.05)
    person = visitors.person("B1")
    with listening(person, f"/live?after={last_cursor(visitors.region.service)}") as stream:
        time.sleep(0.2)
        assert not stream.ended.is_set()
        person.send("/inbox", "/sign-out")
        assert stream.ended.wait(PATIENCE_S)


def test_a_session_has_so_many_streams(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST_OF_A_SESSION", 1)
    person = visitors.person("B1")
    with listening(person, f"/live?after={last_cursor(visitors.region.service)}"):
        assert person.get(f"/live?after={last_cursor(visitors.region.service)}", 503).headers["retry-after"] == "5"
    person.get("/live?after=nonsense", 422)
    person.get("/live?thread=nonsense&after=x", 422)


def post(place: Path, thread: CommunicationId, who: str, said: Say) -> None:
    """Post from a process of its own."""
    with CoordinationService.open(place, flushes=False) as service:
        person = service.directory.find(f"Practitioner/{who}").id
        post_message(service, Caller(person), thread, MessageContent("From elsewhere"))
        said(Said("post", 1, 1))


def test_what_another_process_records_is_heard(visitors: Visitors, thread: CommunicationId) -> None:
    region = visitors.region
    with (
        listening(visitors.person("B1"), f"/live?thread={thread}&after={last_cursor(region.service)}") as stream,
        forked(post, region.service.archive.data_dir, thread, "A1") as other,
    ):
        other.finish()
        stream.hears()
