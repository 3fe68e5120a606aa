"""Where an issuer's keys are: in a file, or published at a URL. Both are looked at again while the server runs."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx

from carethread.fhir.keys import MAX_KEY_SET, Key, Keys, KeySetError, read_key_set
from carethread.fhir.refusals import IssuerUnavailableError

FRESH_S = 300.0  # after which published keys are fetched again
# How long they are used beyond that while fetching fails. Tokens seldom last longer: then nobody has one any more.
STALE_S = 3_600.0
RETRY_S = 10.0  # between two attempts, whatever tokens name
_TIMEOUT_S = 5.0
_OK = 200


class KeySource(Protocol):
    """The keys of one issuer, now."""

    def version(self) -> int | None:
        """Return a number that is another when the keys are; none if they should be looked at again. Does not wait."""

    def find(self, key_id: str, kind: str) -> tuple[Key | None, int]:
        """Return a key, if there is such a one, and the version it is of. May wait.

        Raises:
            IssuerUnavailableError: there are no keys to look in.
        """


class FileKeys:
    """Keys in a file. A file that changes counts at once, and one that cannot be read has no keys."""

    def __init__(self, path: Path, read: Callable[[bytes], Keys] = read_key_set) -> None:
        """Use a file; `read` makes keys of its content."""
        self._path = path
        self._read = read
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: Keys | None = None
        self._version = 0

    def version(self) -> int | None:
        """Return a number for the content of the file; none if it has changed."""
        return self._version if self._stamp() == self._seen else None

    def find(self, key_id: str, kind: str) -> tuple[Key | None, int]:
        """Return a key, and the version it is of.

        Raises:
            IssuerUnavailableError: the file cannot be read.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp != self._seen or stamp is None:
                self._keys = self._load()
                self._version += 1
                # As it was before reading: what changed since is seen the next time.
                self._seen = stamp
            keys, version = self._keys, self._version
        if keys is None:
            raise IssuerUnavailableError("the keys of the token's issuer cannot be read now")
        return keys.get((key_id, kind)), version

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _load(self) -> Keys | None:
        try:
            return self._read(self._path.read_bytes())
        except (OSError, KeySetError):
            return None


class PublishedKeys:
    """Keys that an issuer publishes. They are fetched when first needed, when they are old, and for an unknown key.

    However many tokens name unknown keys, there is one attempt at a time, and one in `RETRY_S` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use a URL; `fetch` gets what is there, and raises `OSError` if it cannot be had."""
        self._url = url
        self._fetch = fetch or fetch_keys
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._version = 0
        self._fetched = self._attempted = float("-inf")

    def version(self) -> int | None:
        """Return a number for the keys; none if it is time to fetch them, or they are too old."""
        return None if self._is_due() or self._is_over() else self._version

    def find(self, key_id: str, kind: str) -> tuple[Key | None, int]:
        """Return a key, and the version it is of.

        Raises:
            IssuerUnavailableError: there are no keys, or they are too old, and they cannot be fetched.
        """
        if self._is_due():
            self._renew(wait=self._keys is None or self._is_over())
        keys, version = self._keys, self._version
        if keys is not None and (key_id, kind) not in keys and self._may_try():
            self._renew(wait=True)
            keys, version = self._keys, self._version
        if keys is None or self._is_over():
            raise IssuerUnavailableError("the keys of the token's issuer cannot be fetched now")
        return keys.get((key_id, kind)), version

    def _is_due(self) -> bool:
        return self._monotonic() - self._fetched >= FRESH_S and self._may_try()

    def _is_over(self) -> bool:
        return self._monotonic() - self._fetched >= FRESH_S + STALE_S

    def _may_try(self) -> bool:
        return self._monotonic() - self._attempted >= RETRY_S

    def _renew(self, *, wait: bool) -> None:
        """Fetch the keys, unless somebody just does; then wait for that, or go on with those there are."""
        if not self._lock.acquire(blocking=wait, timeout=2 * _TIMEOUT_S if wait else -1):
            return
        try:
            if not self._may_try():
                return
            found = self._published()
            # At the end of the attempt, so that a slow one is not followed by another at once.
            self._attempted = self._monotonic()
            if found is None:
                return
            if self._keys is None or found.keys() != self._keys.keys() or not _same(found, self._keys):
                self._version += 1
            self._keys, self._fetched = found, self._attempted
        finally:
            self._lock.release()

    def _published(self) -> Keys | None:
        try:
            return read_key_set(self._fetch(self._url))
        except (OSError, KeySetError):
            return None


def _same(one: Keys, other: Keys) -> bool:
    return all(
        (key.curve, key.algorithm, key.value.thumbprint())
        == (other[name].curve, other[name].algorithm, other[name].value.thumbprint())
        for name, key in one.items()
    )


def fetch_keys(url: str) -> bytes:
    """Get a key set. No redirect is followed, no proxy of the environment used, and no more read than one may have.

    Raises:
        OSError: it cannot be had, within a few seconds.
    """
    return asyncio.run(_fetch(url))


async def _fetch(url: str) -> bytes:
    content = b""
    try:
        # The limit is for all of it: a server that sends byte after byte keeps within any limit for each.
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            # Compressed, a little could become a lot before it is counted.
            client.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status_code != _OK:
                raise OSError("the keys are not there")
            async for part in answer.aiter_raw():
                content += part
                if len(content) > MAX_KEY_SET:
                    raise OSError("the keys are too long")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError("the keys cannot be fetched") from error
    return content
