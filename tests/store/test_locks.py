"""Locks between threads and processes."""

import os
import threading
from pathlib import Path

import pytest

from carethread import errors
from carethread.store.locks import FileLock


def test_held_by_another_thread(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.lock")
    with lock.hold():
        caught: list[BaseException] = []

        def attempt() -> None:
            try:
                with lock.hold(0.01):
                    pass
            except errors.LockedError as error:
                caught.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        assert len(caught) == 1
    with lock.hold(0.01):
        pass
    lock.close()
    lock.close()


def test_held_by_another_opener(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    with first.hold(), pytest.raises(errors.LockedError, match=r"a.lock"), second.hold(0.05):
        pass
    with second.hold():
        pass
    first.close()
    second.close()


def test_waits_its_turn(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    inside = threading.Event()

    def briefly() -> None:
        with first.hold():
            inside.set()
            threading.Event().wait(0.1)

    thread = threading.Thread(target=briefly)
    thread.start()
    inside.wait()
    with second.hold(10):
        pass
    thread.join()
    first.close()
    second.close()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.StorageError, match=r"a.lock"), FileLock(tmp_path / "file" / "a.lock").hold():
        pass


def test_let_go_when_the_holder_dies(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        lock = FileLock(tmp_path / "a.lock")
        lock._thread_lock.acquire()
        lock._wait(lock._open(), None)
        os._exit(0)
    os.waitpid(child, 0)
    with FileLock(tmp_path / "a.lock").hold(1):
        pass
