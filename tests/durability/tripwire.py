"""Every call by which a flush changes something, counted, so that the n-th can go wrong."""

import errno
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from carethread.git import layout
from carethread.store.database import Connection

_CALLS = (
    "fdatasync",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "pwrite",
    "rename",
    "replace",
    "rmdir",
    "unlink",
    "write",
)
_SQLITE_NAMES = {errno.ENOSPC: "SQLITE_FULL", errno.EIO: "SQLITE_IOERR_FSYNC"}

# Called instead of the n-th call, with what kind of call it would have been.
Spring = Callable[[str], None]


def fail(number: int) -> Spring:
    """Return what raises the error that the machine would: `errno.ENOSPC` or `errno.EIO`."""

    def spring(kind: str) -> None:
        if kind == "sql":
            error = sqlite3.OperationalError("injected")
            error.sqlite_errorname = _SQLITE_NAMES[number]
            raise error
        raise OSError(number, os.strerror(number))

    return spring


def die(kind: str) -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


class Tripwire:
    """Counts calls of one thread; lets the one numbered `at` go wrong, and no other."""

    def __init__(self, at: int | None, spring: Spring, watched: int) -> None:
        """Without `at`, only count. `watched` identifies the thread."""
        self.calls = 0
        self.sprung: str | None = None
        self._at = at
        self._spring = spring
        self._watched = watched

    def step(self, kind: str, torn: Callable[[], object] | None = None) -> None:
        """Count a call; if it is the one, do what `torn` says of it, then let it go wrong."""
        if threading.get_ident() != self._watched:
            return
        self.calls += 1
        if self.calls == self._at:
            self.sprung = kind
            if torn is not None:
                torn()
            self._spring(kind)


@contextmanager
def tripwire(at: int | None, spring: Spring, watched: int | None = None) -> Iterator[Tripwire]:
    """Let the n-th call by which something changes on disk or in the database go wrong within a block.

    Only calls of the thread `watched` count; left out, those of this one.
    """
    wire = Tripwire(at, spring, watched or threading.get_ident())
    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, _counted(wire, name, getattr(os, name)))
        patch.setattr(os, "open", _counted_open(wire, os.open))
        patch.setattr(layout, "_syncfs", _counted(wire, "syncfs", layout._syncfs))
        patch.setattr(Connection, "text", _counted_text(wire, Connection.text))
        patch.setattr(Connection, "many", _counted(wire, "sql", Connection.many))
        yield wire


def _counted(wire: Tripwire, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        torn = None
        if kind in {"write", "pwrite"}:
            descriptor, content, *rest = arguments

            def torn() -> object:
                return real(descriptor, bytes(content)[: len(content) // 2], *rest)

        wire.step(kind, torn)
        return real(*arguments, **named)

    return call


def _counted_open(wire: Tripwire, real: Callable[..., int]) -> Callable[..., int]:
    def call(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            wire.step("open")
        return real(path, flags, *arguments, **named)

    return call


def _counted_text(wire: Tripwire, real: Callable[[Connection, str], None]) -> Callable[[Connection, str], None]:
    def call(connection: Connection, statement: str) -> None:
        if statement == "COMMIT":
            wire.step("sql")
        real(connection, statement)

    return call
