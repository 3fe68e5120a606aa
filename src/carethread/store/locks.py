"""Kernel locks between the processes that use one data directory.

`flock` queues fairly and is let go by the kernel when its holder dies, whatever it died of.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carethread.errors import LockedError, StorageError

_RETRY_S = 0.001


class FileLock:
    """An exclusive lock on a file, between processes and between the threads of this one."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made when it is first locked."""
        self._path = path
        self._thread_lock = threading.Lock()
        self._descriptor: int | None = None

    @contextmanager
    def hold(self, timeout: float | None = None) -> Iterator[None]:
        """Hold the lock; wait for it, at most `timeout` seconds.

        Raises:
            LockedError: somebody else held it all that time.
        """
        if not self._thread_lock.acquire(timeout=-1 if timeout is None else timeout):
            raise LockedError(f"{self._path.name} is held by another thread")
        try:
            descriptor = self._open()
            self._wait(descriptor, timeout)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            self._thread_lock.release()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StorageError(f"cannot open the lock {self._path.name}: {error.strerror}") from error
        return self._descriptor

    def _wait(self, descriptor: int, timeout: float | None) -> None:
        if timeout is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockedError(f"{self._path.name} is held by another process") from None
                time.sleep(_RETRY_S)
            else:
                return
