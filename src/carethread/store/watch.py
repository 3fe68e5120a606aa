"""What one process of an installation does for all of them: it has the watch, and no other, until it leaves or dies.

With SQLite, all processes share a data directory, and the watch is a lock on a file in it. With PostgreSQL, which may
serve several machines, it is an advisory lock of its database. Either is let go by the kernel, or by the server, when
its holder dies, and whoever waits has it at once. Nobody asks again and again. A machine that vanishes from the network
is gone for PostgreSQL when its `tcp_keepalives_idle` says so.

Whoever is to wait no longer is told through a descriptor: when that can be read, it gives up.
"""

import fcntl
import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg

from carethread.errors import StorageError
from carethread.store.database import Database, translated

# What there is a watch for. Any number will do, as long as nobody else in the database uses it.
_ADVISORY_LOCKS = {"watch": 0x6361726574687266, "mailing": 0x6361726574687267}
# How long one statement waits in line, so that it holds back no clean-up of the database and can be told to stop.
_IN_LINE_MS = 500


class Watch(Protocol):
    """The watch. For one thread."""

    def take(self, over: int) -> bool:
        """Wait until it is ours; say whether it is: it is not if `over` could be read first.

        Raises:
            StorageError: the disk or the database cannot be used.
        """

    def fileno(self) -> int | None:
        """Return what can be read once the watch may be lost; nothing, where it cannot be."""

    def is_kept(self) -> bool:
        """Say whether it is still ours."""

    def leave(self) -> None:
        """Let another have it."""


def watch_of(database: Database, name: str = "watch") -> Watch:
    """Return the watch of an installation that has this name, not taken yet."""
    if database.is_sqlite:
        return _FileWatch(database.locks / f"{name}.lock")
    return _DatabaseWatch(database.url, _ADVISORY_LOCKS[name])


class _FileWatch:
    """A lock on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, over: int) -> bool:
        """Wait in a thread, for nothing but the lock wakes whoever waits for one."""
        try:
            waiting = _Waiting(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StorageError(f"cannot open the lock {self._path.name}: {error.strerror}") from error
        self._descriptor = waiting.descriptor_unless(over)
        return self._descriptor is not None

    def fileno(self) -> int | None:
        """Nothing takes it away."""
        return None

    def is_kept(self) -> bool:
        """It is, until it is left."""
        return self._descriptor is not None

    def leave(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Waiting:
    """A thread that waits for a file's lock. It cannot be called back: who waits no longer leaves it the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._guard = threading.Lock()
        self._is_left = False
        self._told, self._tells = os.pipe()
        self._thread = threading.Thread(target=self._wait, name="carethread-watch", daemon=True)

    def descriptor_unless(self, over: int) -> int | None:
        """Return the file once it is locked; nothing if `over` can be read first."""
        self._thread.start()
        try:
            select.select([self._told, over], [], [])
            with self._guard:
                ready = bool(select.select([self._told], [], [], 0)[0])
                self._is_left = not ready
            if ready and not os.read(self._told, 1):
                raise StorageError("the lock of the watch cannot be waited for")
        finally:
            os.close(self._told)
        return self._descriptor if ready else None

    def _wait(self) -> None:
        is_locked = False
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            is_locked = True
        with self._guard:
            if is_locked and not self._is_left:
                os.write(self._tells, b".")
            else:
                os.close(self._descriptor)
            os.close(self._tells)


class _DatabaseWatch:
    """A connection that has an advisory lock, or waits for it."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._number = number
        self._connection: psycopg.Connection | None = None

    def take(self, over: int) -> bool:
        """Stand in line, a while at a time."""
        is_taken = False
        try:
            with translated():
                self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute(f"SET lock_timeout = {_IN_LINE_MS}")
                while not is_taken and not select.select([over], [], [], 0)[0]:
                    with suppress(psycopg.errors.LockNotAvailable):
                        self._connection.execute("SELECT pg_advisory_lock(%s)", (self._number,))
                        is_taken = True
        finally:
            if not is_taken:
                self.leave()
        return is_taken

    def fileno(self) -> int | None:
        """Return the connection: it says when it ends."""
        return None if self._connection is None else self._connection.fileno()

    def is_kept(self) -> bool:
        """Ask the server: what the connection has, it has while it lasts."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def leave(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
