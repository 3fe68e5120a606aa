"""The watch: one process has it, and the next one at once when that one dies."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from carethread import CoordinationService, errors
from carethread.store import watch as watch_module
from carethread.store.archive import Archive
from carethread.store.watch import Watch
from tests.durability.callers import Said, Say
from tests.durability.forked import forked

Place = tuple[str, str | None]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> Place:
    return str(tmp_path / "home"), fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def archive(place: Place) -> Iterator[Archive]:
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        yield service.archive


class Over:
    """What says that it is over."""

    def __init__(self) -> None:
        self.readable, self._writable = os.pipe()

    def end(self) -> None:
        os.write(self._writable, b".")

    def close(self) -> None:
        os.close(self.readable)
        os.close(self._writable)


@pytest.fixture
def over() -> Iterator[Over]:
    made = Over()
    yield made
    made.close()


@contextmanager
def waiting(watch: Watch, over: Over) -> Iterator[list[bool]]:
    """Wait for the watch in a thread for the length of a block; yield what became of it."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(watch.take(over.readable)))
    thread.start()
    try:
        yield found
    finally:
        thread.join(30)
        assert not thread.is_alive()


def stand(place: Place, say: Say) -> None:
    """Have the watch until killed."""
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        readable, _ = os.pipe()
        watch = service.archive.watch()
        watch.take(readable)
        assert watch.is_kept()
        say(Said("watch", 1, 1))
        threading.Event().wait()


def test_one_has_it_at_a_time(archive: Archive, over: Over) -> None:
    first, second = archive.watch(), archive.watch()
    assert not first.is_kept()
    assert first.fileno() is None
    assert first.take(over.readable)
    assert first.is_kept()
    with waiting(second, over) as found:
        time.sleep(0.05)
        assert not found
        first.leave()
    assert found == [True]
    assert not first.is_kept()
    assert second.is_kept()
    second.leave()
    second.leave()


def test_who_waits_can_be_told_to_stop(archive: Archive, over: Over) -> None:
    first, second, third = archive.watch(), archive.watch(), archive.watch()
    later = Over()
    assert first.take(later.readable)
    with waiting(second, over) as found:
        time.sleep(0.05)
        over.end()
    assert found == [False]
    assert not second.is_kept()
    # Its turn goes to the next one.
    with waiting(third, later) as found:
        first.leave()
    assert found == [True]
    third.leave()
    later.close()


def test_it_is_taken_over_when_its_holder_dies(place: Place, archive: Archive, over: Over) -> None:
    watch = archive.watch()
    with forked(stand, place) as process:
        process.wait_for(1)
        with waiting(watch, over) as found:
            time.sleep(0.05)
            assert not found
            process.kill()
        assert found == [True]
    watch.leave()


def test_no_lock_can_be_had(tmp_path: Path, over: Over, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    with CoordinationService.open(tmp_path / "home", flushes=False) as service:
        (tmp_path / "home" / "locks" / "watch.lock").mkdir()
        with pytest.raises(errors.StorageError):
            service.archive.watch().take(over.readable)
        (tmp_path / "home" / "locks" / "watch.lock").rmdir()
        monkeypatch.setattr(fcntl, "flock", refuse)
        with pytest.raises(errors.StorageError):
            service.archive.watch().take(over.readable)


def test_a_server_that_goes_takes_it_along(
    tmp_path: Path, over: Over, fresh_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_IN_LINE_MS", 10)
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        watch, other = service.archive.watch(), service.archive.watch()
        assert watch.take(over.readable)
        assert watch.fileno() is not None
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        with waiting(other, over) as found:
            pass
        assert found == [True]
        assert not watch.is_kept()
        watch.leave()
        # Whoever stands in line for longer than one statement may goes on standing.
        with waiting(watch, over) as found:
            time.sleep(0.1)
            other.leave()
        assert found == [True]
        watch.leave()


def test_no_server(tmp_path: Path, over: Over, fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        service.archive.database.url = url.replace("/test_", "/gone_")
        with pytest.raises(errors.StorageError):
            service.archive.watch().take(over.readable)
