"""Who waits for something to be recorded is woken, in every process, without asking again and again.

With SQLite, all processes share a data directory, and each that waits has a socket in it. Each that writes stays
connected to those sockets: a byte says that something was recorded, and should the process be killed between its commit
and that byte, the kernel hangs up for it. Whoever begins to wait lets the transaction under way end first; any later
one looks for sockets before it commits. So nobody misses anything, and where nobody waits, looking is all it costs.

With PostgreSQL, which may serve several machines, `NOTIFY` is part of the transaction. As it makes all commits of a
database wait for each other, it is sent only where a row says that somebody waits.
"""

import os
import secrets
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import text

from carethread.errors import StorageError
from carethread.store.database import Database, translated
from carethread.store.journal import Effect

# Connections that wait to be taken by one who waits. Where there are more, it is awake in any case.
_BACKLOG = 64
_CHUNK = 4096
_notify = text("SELECT pg_notify('carethread', '') FROM listener LIMIT 1")


class Listener(Protocol):
    """Somebody who waits. For one thread at a time."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until something was recorded since the last call, or since `listen`; say whether that may be so.

        A call may return `True` for nothing. Whatever it tells of can be read after it.

        Raises:
            StorageError: the database cannot be reached; what is recorded meanwhile is told of later.
        """

    def fileno(self) -> int:
        """Return what can be waited for with `select`, `poll` or an event loop: readable if `wait` would not wait.

        Ask again after each `wait`.
        """

    def close(self) -> None:
        """Wait no more."""


class Waking:
    """Wakes whoever waits for one data directory or database."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        """Say where; nothing is opened yet."""
        self._database = database
        self._folder = data_dir / "waking"
        self._connected: dict[str, socket.socket] = {}
        self._crowded: set[str] = set()
        self.effects = () if database.is_sqlite else (Effect(_notify, {}),)

    def listen(self) -> Listener:
        """Begin to wait: whatever is committed after this returns is told of.

        Raises:
            StorageError: the disk or the database cannot be used.
        """
        self._database.check_outside()
        if not self._database.is_sqlite:
            return _DatabaseListener(self._database.url)
        # Whoever is about to commit may have looked already: no socket comes in between.
        with self._database.exclusive(in_line=True):
            try:
                return _SocketListener(self._folder)
            except OSError as error:
                raise StorageError(f"cannot wait in {self._folder}: {error.strerror}") from error

    # ── For the writer's thread ───────────────────────────────────────────────────────────────────────────────────────

    def prepare(self) -> None:
        """Connect to whoever waits, under the lock and before the commit."""
        if not self._database.is_sqlite:
            return
        try:
            # At every commit: no paths are made of it.
            names = os.listdir(self._folder)  # noqa: PTH208
        except OSError:
            # Nobody has ever waited here.
            return
        for name in names:
            if name not in self._connected and not name.startswith("."):
                self._connect(name)

    def wake(self) -> None:
        """Tell all who wait, after the commit."""
        # To connect is to wake. Where there is still no room, it has not waited since it was full.
        while self._crowded:
            self._connect(self._crowded.pop(), is_last=True)
        for name, connected in list(self._connected.items()):
            try:
                connected.send(b".")
            except BlockingIOError:
                # It has not read what it was sent before.
                continue
            except OSError:
                connected.close()
                del self._connected[name]

    def _connect(self, name: str, *, is_last: bool = False) -> None:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.settimeout(0)
        try:
            with _address(self._folder, name) as address:
                connected.connect(address)
        except BlockingIOError:
            connected.close()
            if not is_last:
                self._crowded.add(name)
        except ConnectionRefusedError:
            # Its process is gone.
            connected.close()
            with suppress(OSError):
                (self._folder / name).unlink()
        except OSError:
            connected.close()
        else:
            self._connected[name] = connected

    def close(self) -> None:
        """Let go of whoever waits."""
        for connected in self._connected.values():
            connected.close()
        self._connected.clear()


@contextmanager
def _address(folder: Path, name: str) -> Iterator[str]:
    """Name a socket in a few bytes, however long the path of its folder is: the kernel takes no more than 107."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


class _SocketListener:
    """A socket in the data directory, and the connections of those who write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._path = folder / name
        self._writers: dict[int, socket.socket] = {}
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._door.settimeout(0)
            # Nobody connects to a socket whose name begins so, until it can be connected to.
            with _address(folder, f".{name}") as address:
                self._door.bind(address)
            self._door.listen(_BACKLOG)
            (folder / f".{name}").rename(self._path)
        except BaseException:
            self._door.close()
            raise
        self._poll = select.epoll()
        self._poll.register(self._door, select.EPOLLIN)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a byte, a new connection, or the end of one."""
        ready = self._poll.poll(timeout)
        for descriptor, _ in ready:
            if descriptor == self._door.fileno():
                self._let_in()
            else:
                self._hear(descriptor)
        return bool(ready)

    def _let_in(self) -> None:
        with suppress(BlockingIOError):
            while True:
                writer, _ = self._door.accept()
                writer.settimeout(0)
                self._writers[writer.fileno()] = writer
                self._poll.register(writer, select.EPOLLIN)

    def _hear(self, descriptor: int) -> None:
        writer = self._writers[descriptor]
        try:
            while writer.recv(_CHUNK):
                pass
        except BlockingIOError:
            return
        except OSError:
            # Reset: as good as gone.
            pass
        self._poll.unregister(descriptor)
        del self._writers[descriptor]
        writer.close()

    def fileno(self) -> int:
        """Return what becomes readable."""
        return self._poll.fileno()

    def close(self) -> None:
        """Remove the socket, and hang up."""
        self._path.unlink(missing_ok=True)
        self._poll.close()
        self._door.close()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


class _DatabaseListener:
    """A connection that listens, and the row that says so."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = self._open()

    def _open(self) -> psycopg.Connection:
        with translated():
            connection = psycopg.connect(self._url, autocommit=True)
            try:
                connection.execute("LISTEN carethread")
                with connection.transaction():
                    # Lets every transaction end that has seen no row, and none look before there is one.
                    connection.execute("LOCK TABLE listener IN ACCESS EXCLUSIVE MODE")
                    connection.execute("DELETE FROM listener WHERE pid NOT IN (SELECT pid FROM pg_stat_activity)")
                    connection.execute("INSERT INTO listener VALUES (pg_backend_pid()) ON CONFLICT DO NOTHING")
            except BaseException:
                connection.close()
                raise
            return connection

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a notification; after the connection was lost, make a new one."""
        if self._connection is not None:
            try:
                woken = list(self._connection.notifies(timeout=timeout, stop_after=1))
                while woken and list(self._connection.notifies(timeout=0)):
                    pass
            except psycopg.Error:
                self._connection.close()
                self._connection = None
            else:
                return bool(woken)
        # Whatever was recorded meanwhile was told to nobody.
        self._connection = self._open()
        return True

    def fileno(self) -> int:
        """Return what becomes readable."""
        if self._connection is None:
            raise StorageError("the database was lost: wait first, to reach it again")
        return self._connection.fileno()

    def close(self) -> None:
        """Remove the row, and hang up."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.execute("DELETE FROM listener WHERE pid = pg_backend_pid()")
            self._connection.close()
            self._connection = None
