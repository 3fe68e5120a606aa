"""Waking: whoever waits learns of every commit, of any process, and nobody else pays for it."""

import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from carethread import CoordinationRecord, CoordinationService, MessageContent, errors
from carethread.ids import CommunicationId, CoordinationId
from carethread.store import waking
from carethread.store.archive import Archive
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.together import Joined, together
from carethread.store.waking import Listener
from carethread.store.writer import Job
from tests.durability.callers import Said, Say
from tests.durability.forked import forked
from tests.people import JANE, PLACE, PLAIN

PATIENCE_S = 30.0


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> tuple[str, str | None]:
    # Longer than the name of a socket may be.
    home = tmp_path / ("a very long name " * 8) / "home"
    return str(home), fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def service(place: tuple[str, str | None]) -> Iterator[CoordinationService]:
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as opened:
        yield opened


@pytest.fixture
def thread(record: CoordinationRecord) -> CommunicationId:
    return record.communication_create(JANE, PLACE, PLAIN)


@pytest.fixture
def listener(archive: Archive, thread: CommunicationId) -> Iterator[Listener]:
    with closing(archive.waking.listen()) as opened:
        yield opened


def count(archive: Archive, record: CoordinationRecord) -> int:
    return sum(len(record.read_communication(each.communication_id).messages) for each in record.communications())


def post(
    place: tuple[str, str | None], record: CoordinationId, thread: CommunicationId, messages: int, say: Say
) -> None:
    """Post from a process of its own."""
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        for number in range(messages):
            service.record(record).add_message(JANE, PLACE, thread, MessageContent(f"{number}"))
            say(Said("post", number, 1))


def die_after_a_commit(
    place: tuple[str, str | None], record: CoordinationId, thread: CommunicationId, say: Say
) -> None:
    """Commit, and be killed before anybody is told."""
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:

        def die() -> None:
            say(Said("dead", 1, 1))
            threading.Event().wait()

        service.archive.waking.wake = die  # type: ignore[method-assign]
        service.record(record).add_message(JANE, PLACE, thread, MessageContent("Last words"))


def test_woken_by_what_is_recorded(record: CoordinationRecord, thread: CommunicationId, listener: Listener) -> None:
    assert not listener.wait(0.05)
    record.add_message(JANE, PLACE, thread, MessageContent("One"))
    assert select.select([listener], [], [], PATIENCE_S)[0]
    assert listener.wait(PATIENCE_S)
    while listener.wait(0.05):
        pass
    assert not select.select([listener], [], [], 0)[0]


def test_not_woken_by_what_is_only_read(service: CoordinationService, listener: Listener) -> None:
    list(service.records())
    assert not listener.wait(0.05)


def test_woken_by_what_is_to_be_told_and_not_by_the_access_log(archive: Archive, listener: Listener) -> None:
    """A subscription that changes wakes, alone or in a piece of work; a line of the log does not."""

    def row(*, wakes: bool) -> Job:
        # Any statement will do.
        return Job(None, apart=lambda _: (Effect(text("DELETE FROM listener WHERE pid = 0"), {}, wakes=wakes),))

    def several(*wakes: bool) -> None:
        def work(joined: Joined) -> None:
            for each in wakes:
                joined.submit(row(wakes=each))

        together(archive, work)

    archive.submit(row(wakes=False))
    several(False, False)
    several()
    assert not listener.wait(0.05)
    for deed in (lambda: archive.submit(row(wakes=True)), lambda: several(False, True, False)):
        deed()
        assert listener.wait(PATIENCE_S)
        while listener.wait(0.05):
            pass


def test_many_commits_wake_a_slow_one_a_few_times(
    archive: Archive, record: CoordinationRecord, thread: CommunicationId, listener: Listener, soaking: bool
) -> None:
    for number in range(5_000 if soaking else 300):
        record.add_message(JANE, PLACE, thread, MessageContent(f"{number}"))
    times = 0
    while listener.wait(0.05):
        times += 1
    assert 1 <= times <= 3


def test_one_who_never_looks_holds_nobody_up(
    archive: Archive, record: CoordinationRecord, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where its connection is full, nor where its door is."""
    monkeypatch.setattr(waking, "_BACKLOG", 0)
    with closing(archive.waking.listen()) as listener:
        kept: list[socket.socket] = []
        for _ in range(3):
            archive.waking.prepare()
            kept += archive.waking._connected.values()
            archive.waking._connected.clear()
        record.add_message(JANE, PLACE, thread, MessageContent("Full door"))
        # Its author is answered before whoever waits is woken, and the next in line after it.
        archive.submit(Job(None, apart=lambda _: ()))
        assert listener.wait(PATIENCE_S)
        for each in kept:
            each.close()
        record.add_message(JANE, PLACE, thread, MessageContent("Full line"))
        for _ in range(2_000):
            archive.waking.wake()
        record.add_message(JANE, PLACE, thread, MessageContent("Fuller line"))
        assert listener.wait(PATIENCE_S)


def test_other_processes_wake(
    place: tuple[str, str | None], archive: Archive, record: CoordinationRecord, thread: CommunicationId
) -> None:
    """Several wait, several write; whoever reads after each call misses nothing."""
    wanted = 3 * 40
    seen: list[int] = []

    def follow() -> None:
        with closing(archive.waking.listen()) as listener:
            ready.release()
            known = count(archive, record)
            while known < wanted:
                assert listener.wait(PATIENCE_S), f"{known} seen"
                known = count(archive, record)
        seen.append(known)

    ready = threading.Semaphore(0)
    followers = [threading.Thread(target=follow) for _ in range(3)]
    for each in followers:
        each.start()
    for _ in followers:
        assert ready.acquire(timeout=PATIENCE_S)
    with (
        forked(post, place, record.coordination_id, thread, 40) as one,
        forked(post, place, record.coordination_id, thread, 40) as two,
        forked(post, place, record.coordination_id, thread, 40) as three,
    ):
        for process in (one, two, three):
            process.finish()
    for follower in followers:
        follower.join(PATIENCE_S)
    assert seen == [wanted] * 3


def test_one_who_is_killed_after_its_commit_wakes_all_the_same(
    place: tuple[str, str | None],
    archive: Archive,
    record: CoordinationRecord,
    thread: CommunicationId,
    listener: Listener,
) -> None:
    with forked(die_after_a_commit, place, record.coordination_id, thread) as dying:
        dying.wait_for(1)
        # Connections may have woken already; the message is there, and nobody need have been told.
        while listener.wait(0.2):
            pass
        woken: list[bool] = []
        waiting = threading.Thread(target=lambda: woken.append(listener.wait(PATIENCE_S)))
        if place[1] is None:
            waiting.start()
        dying.kill()
    if place[1] is None:
        waiting.join()
        assert woken == [True]
    assert count(archive, record) == 1


def test_whoever_begins_to_wait_between_is_told(
    archive: Archive, record: CoordinationRecord, thread: CommunicationId
) -> None:
    """While messages come in, again and again: what is not there when one begins to wait wakes them."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            record.add_message(JANE, PLACE, thread, MessageContent("More"))

    going = threading.Thread(target=go_on)
    going.start()
    try:
        for _ in range(20):
            with closing(archive.waking.listen()) as listener:
                before = count(archive, record)
                assert listener.wait(PATIENCE_S)
                while count(archive, record) == before:
                    assert listener.wait(PATIENCE_S)
    finally:
        stop.set()
        going.join()


class TestSockets:
    """What is left behind in the data directory."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> tuple[str, str | None]:
        return str(tmp_path / "home"), None

    def test_what_the_dead_leave_is_removed(
        self, archive: Archive, record: CoordinationRecord, thread: CommunicationId, listener: Listener
    ) -> None:
        folder = archive.data_dir / "waking"
        left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        left.bind(str(folder / "1-dead"))
        left.close()
        (folder / "no-socket").write_text("x")
        record.add_message(JANE, PLACE, thread, MessageContent("One"))
        assert not (folder / "1-dead").exists()
        assert listener.wait(PATIENCE_S)
        listener.close()
        record.add_message(JANE, PLACE, thread, MessageContent("Two"))
        # Whoever waits is woken after the author has been answered, and before the next in line.
        archive.submit(Job(None, apart=lambda _: ()))
        assert archive.waking._connected == {}
        assert [each.name for each in folder.iterdir() if each.is_socket()] == []

    @pytest.mark.usefixtures("listener")
    def test_a_socket_that_goes_while_it_is_looked_for(self, archive: Archive) -> None:
        archive.waking._connect("gone")
        assert archive.waking._connected == {}

    def test_a_line_that_breaks(self, archive: Archive, listener: Listener) -> None:
        archive.waking.prepare()
        (connected,) = archive.waking._connected.values()
        connected.close()
        archive.waking.wake()
        assert archive.waking._connected == {}
        assert listener.wait(PATIENCE_S)

    def test_a_line_that_is_reset(self, archive: Archive, listener: Listener) -> None:
        class Broken:
            def recv(self, _: int) -> bytes:
                raise ConnectionResetError

            def close(self) -> None:
                pass

        archive.waking.prepare()
        assert listener.wait(PATIENCE_S)
        assert isinstance(listener, waking._SocketListener)
        (descriptor,) = listener._writers
        real = listener._writers[descriptor]
        with closing(real):
            listener._writers[descriptor] = Broken()  # type: ignore[assignment]
            listener._hear(descriptor)
        assert listener._writers == {}

    def test_a_folder_that_cannot_be_made(self, archive: Archive) -> None:
        (archive.data_dir / "waking").write_text("in the way")
        with pytest.raises(errors.StorageError, match="cannot wait"):
            archive.waking.listen()

    def test_a_socket_that_cannot_be_made(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(secrets, "token_hex", lambda _: "x/y")
        with pytest.raises(errors.StorageError, match="cannot wait"):
            archive.waking.listen()

    def test_nobody_who_waits_costs_little(self, archive: Archive, listener: Listener) -> None:
        listener.close()
        began = time.perf_counter()
        for _ in range(1_000):
            archive.waking.prepare()
            archive.waking.wake()
        assert (time.perf_counter() - began) / 1_000 < 0.001


class TestNotifications:
    """What the database must bear."""

    @pytest.fixture
    def place(self, tmp_path: Path, fresh_postgres: Callable[[], str]) -> tuple[str, str | None]:
        return str(tmp_path / "home"), fresh_postgres()

    def rows(self, archive: Archive) -> list[int]:
        with archive.database.read() as connection:
            return [row[0] for row in connection._cursor.execute("SELECT pid FROM listener").fetchall()]

    def end(self, url: str | None, pids: list[int]) -> None:
        assert url is not None
        with psycopg.connect(url, autocommit=True) as connection:
            for pid in pids:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def test_nothing_is_sent_where_nobody_waits(self, archive: Archive, listener: Listener) -> None:
        assert len(self.rows(archive)) == 1
        listener.close()
        listener.close()
        assert self.rows(archive) == []

    def test_a_connection_that_is_lost_is_made_again(
        self,
        place: tuple[str, str | None],
        archive: Archive,
        record: CoordinationRecord,
        thread: CommunicationId,
        listener: Listener,
    ) -> None:
        before = self.rows(archive)
        self.end(place[1], before)
        # What was recorded meanwhile may have been told to nobody.
        assert listener.wait(PATIENCE_S)
        assert len(self.rows(archive)) == 1
        assert self.rows(archive) != before
        record.add_message(JANE, PLACE, thread, MessageContent("One"))
        assert listener.wait(PATIENCE_S)

    def test_a_database_that_is_lost_for_longer(
        self,
        place: tuple[str, str | None],
        archive: Archive,
        listener: Listener,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.end(place[1], self.rows(archive))

        def lost(*_: object, **__: object) -> None:
            raise psycopg.OperationalError("gone")

        monkeypatch.setattr(psycopg, "connect", lost)
        for _ in range(2):
            with pytest.raises(errors.StorageError):
                listener.wait(PATIENCE_S)
        with pytest.raises(errors.StorageError, match="wait first"):
            listener.fileno()
        monkeypatch.undo()
        assert listener.wait(0)
        assert listener.fileno() > 0

    def test_a_table_that_is_not_there(self, archive: Archive) -> None:
        with archive.database.write() as connection:
            drop(connection)
        with pytest.raises(errors.SchemaError):
            archive.waking.listen()


def drop(connection: Connection) -> None:
    connection.text("DROP TABLE listener")
