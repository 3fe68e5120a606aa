"""The steps of work that is all or nothing: done one by one in one transaction, and bounded, for all others wait."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from carethread.errors import StorageError, TooMuchError
from carethread.store.database import LOCK_TIMEOUT_S, Connection, translated

# Whoever writes beside the writer, such as a load of the directory, waits twice as long for its lock.
LONGEST_S = LOCK_TIMEOUT_S / 2
MOST_STEPS = 2_000
MOST_BYTES = 64 * 1024 * 1024


class Step(Protocol):
    """What is handed over: its result is there once it is done, or the error with which it was refused."""

    result: str
    error: BaseException | None


Handed = TypeVar("Handed", bound=Step)


class Steps(Generic[Handed]):
    """One piece of work under way, in the writer's thread: its transaction, and what is left of its bounds.

    A step that is refused leaves no trace, and the work may go on. Whatever else goes wrong fails the whole, even
    where the work goes on as if nothing had happened.
    """

    def __init__(self, connection: Connection, take: Callable[[Handed], int]) -> None:
        """Begin. `take` decides and writes a step, and returns how many bytes it recorded."""
        self._connection = connection
        self._take = take
        self._thread = threading.get_ident()
        self._until = time.monotonic() + LONGEST_S
        self._steps = 0
        self._bytes = 0
        self._failure: BaseException | None = None
        self._is_over = False

    def submit(self, step: Handed) -> str:
        """Do a step at once; return its result.

        Raises:
            CarethreadError: the step was refused.
            TooMuchError: the work has no steps or bytes left.
        """
        with self.all_or_nothing():
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise TooMuchError(f"more than {MOST_STEPS:,} steps are too much to be done as one")
            self._bytes += self._take(step)
            if self._bytes > MOST_BYTES:
                raise TooMuchError(f"more than {MOST_BYTES:,} bytes are too much to be recorded as one")
        if step.error is not None:
            raise step.error
        return step.result

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend the transaction's connection, which sees what the steps before have written."""
        self.check()
        try:
            with translated():
                yield self._connection
        except StorageError as error:
            self._fail(error)
            raise

    @contextmanager
    def all_or_nothing(self) -> Iterator[Connection]:
        """Lend the transaction's connection for writing; any error in it fails the whole work."""
        self.check()
        try:
            with translated():
                yield self._connection
        except BaseException as error:
            self._fail(error)
            raise

    def check(self) -> None:
        """The work may go on.

        Raises:
            StorageError: it is over, or this is another thread.
            TooMuchError: it has taken too long.
            BaseException: what failed it before.
        """
        if self._is_over or threading.get_ident() != self._thread:
            raise StorageError("work that is done as one is done in its own thread, and not after its end")
        if self._failure is not None:
            raise self._failure
        if time.monotonic() > self._until:
            self._fail(TooMuchError(f"longer than {LONGEST_S:g} seconds is too much to be done as one"))
            self.check()

    def close(self) -> None:
        """Say that the work is over."""
        self._is_over = True

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
