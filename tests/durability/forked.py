"""Processes forked from a parent that has the library loaded already, and what they said when they died."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.durability.callers import Said, heard, say_into

# A server that has one thread only, and so may fork safely; nothing is opened in it.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["carethread", "tests.durability.callers"])
# No test waits this long; it ends one that would wait for ever.
PATIENCE_S = 60.0

Target = Callable[..., None]


class Forked:
    """A process that runs `target(*arguments, say)`, and everything it has said so far."""

    def __init__(self, target: Target, *arguments: Any) -> None:
        """Start it."""
        receiver, sender = _CONTEXT.Pipe(duplex=False)
        self._lines: list[bytes] = []
        self._news = threading.Condition()
        self._process = _CONTEXT.Process(target=_run, args=(target, arguments, sender))
        self._process.start()
        sender.close()
        self._listener = threading.Thread(target=self._listen, args=(receiver,))
        self._listener.start()

    def _listen(self, receiver: Connection) -> None:
        with receiver, open(receiver.fileno(), "rb", closefd=False) as pipe:
            for line in pipe:
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()

    def wait_for(self, lines: int) -> None:
        """Return once it has said so many things."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._lines) >= lines, PATIENCE_S)

    @property
    def said(self) -> list[Said]:
        """What it has said until now."""
        return heard(self._lines[:])

    def wait_a_while(self, seconds: float) -> None:
        """Let it go on; return earlier only if it ends."""
        self._process.join(seconds)

    def kill(self, after_s: float = 0.0) -> None:
        """Kill it, at once or a little later, and wait until it is gone."""
        self.wait_a_while(after_s)
        self._process.kill()
        self._end()

    def finish(self) -> list[Said]:
        """Wait for its own end, which must be a good one; return what it said."""
        self._process.join(PATIENCE_S)
        code = self._process.exitcode
        self.kill()
        assert code == 0
        return self.said

    def wait_until_gone(self) -> None:
        """Wait until it dies of what it does to itself."""
        self._process.join(PATIENCE_S)
        assert self._process.exitcode == -signal.SIGKILL

    def _end(self) -> None:
        self._process.join()
        self._listener.join()


@contextmanager
def forked(target: Target, *arguments: Any) -> Iterator[Forked]:
    """Run a process for the length of a block; what is left of it then is killed."""
    process = Forked(target, *arguments)
    try:
        yield process
    finally:
        process.kill()


def _run(target: Target, arguments: tuple[Any, ...], sender: Connection) -> None:
    with sender:
        target(*arguments, say_into(sender.fileno()))
