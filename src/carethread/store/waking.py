"""Who waits for something to be recorded is woken, in every process, without asking again and again."""

from typing import Protocol


class Listener(Protocol):
    """Somebody who waits. For one thread at a time."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until something was recorded since the last call, or since `listen`; say whether that may be so.

        A call may return `True` for nothing. Whatever was recorded before it returns can be read after it.
        """

    def fileno(self) -> int:
        """Return what can be waited for with `select`, `poll` or an event loop: readable if `wait` would not wait.

        Ask again after each `wait`.
        """

    def close(self) -> None:
        """Wait no more."""
