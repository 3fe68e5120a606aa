"""A document that another server publishes: fetched when it is needed, kept, and looked at again."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from carethread.errors import UnavailableError
from carethread.trust.fetching import PATIENCE_S

FRESH_S = 300.0  # after which it is fetched again
# How long it is used beyond that while fetching fails. Tokens seldom last longer: then nobody has one any more.
STALE_S = 3_600.0
RETRY_S = 10.0  # between two attempts, whoever asks for what

Content = TypeVar("Content")


class Published(Generic[Content]):
    """A document at a URL. Thread-safe; however many ask, there is one attempt at a time, and one in `RETRY_S`."""

    def __init__(
        self,
        fetch: Callable[[], bytes],
        read: Callable[[bytes], Content],
        *,
        same: Callable[[Content, Content], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep a document.

        Args:
            fetch: gets it, and raises `OSError` if it cannot be had.
            read: makes of it what it says, and raises `ValueError` if it says nothing of the kind.
            same: whether two say the same.
            monotonic: a clock that is never set back.
        """
        self._fetch = fetch
        self._read = read
        self._same = same
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._content: Content | None = None
        self._version = 0
        self._fetched = self._attempted = float("-inf")

    def version(self) -> int | None:
        """Return a number for what it says; none if it is time to fetch it, or it is too old. Does not wait."""
        return None if self._is_due() or self._is_over() else self._version

    def current(self) -> tuple[Content, int]:
        """Return what it says, and the number for that. May wait.

        Raises:
            UnavailableError: it cannot be had, and there is none, or none that is not too old.
        """
        if self._is_due():
            self._renew(wait=self._content is None or self._is_over())
        return self._kept()

    def again(self) -> tuple[Content, int]:
        """Return the same, looked at again if that was not just done. Waits.

        Raises:
            UnavailableError: likewise.
        """
        if self._may_try():
            self._renew(wait=True)
        return self._kept()

    def _kept(self) -> tuple[Content, int]:
        content, version = self._content, self._version
        if content is None or self._is_over():
            raise UnavailableError("what another server publishes cannot be had now")
        return content, version

    def _is_due(self) -> bool:
        return self._monotonic() - self._fetched >= FRESH_S and self._may_try()

    def _is_over(self) -> bool:
        return self._monotonic() - self._fetched >= FRESH_S + STALE_S

    def _may_try(self) -> bool:
        return self._monotonic() - self._attempted >= RETRY_S

    def _renew(self, *, wait: bool) -> None:
        """Fetch it, unless somebody just does; then wait for that, or go on with what there is."""
        if not self._lock.acquire(blocking=wait, timeout=2 * PATIENCE_S if wait else -1):
            return
        try:
            if not self._may_try():
                return
            found = self._look()
            # At the end of the attempt, so that a slow one is not followed by another at once.
            self._attempted = self._monotonic()
            if found is None:
                return
            if self._content is None or not self._same(found, self._content):
                self._version += 1
            self._content, self._fetched = found, self._attempted
        finally:
            self._lock.release()

    def _look(self) -> Content | None:
        try:
            return self._read(self._fetch())
        except (OSError, ValueError):
            return None
