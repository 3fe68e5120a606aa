"""Where an issuer's keys are: in a file, or published at a URL. Both are looked at again while the server runs."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from carethread.errors import UnavailableError
from carethread.trust.fetching import fetch_document
from carethread.trust.keys import MAX_KEY_SET, Key, Keys, KeySetError, read_key_set
from carethread.trust.published import Published


class KeySource(Protocol):
    """The keys of one issuer, now."""

    def version(self) -> int | None:
        """Return a number that is another when the keys are; none if they should be looked at again. Does not wait."""

    def find(self, key_id: str, kind: str) -> tuple[Key | None, int]:
        """Return a key, if there is such a one, and the version it is of. May wait.

        Raises:
            UnavailableError: there are no keys to look in.
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
            UnavailableError: the file cannot be read.
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
            raise UnavailableError("the file of an issuer's keys cannot be read now")
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
    """Keys that an issuer publishes. They are fetched when first needed, when they are old, and for an unknown key."""

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use a URL; `fetch` gets what is there, and raises `OSError` if it cannot be had."""
        get = fetch or fetch_keys
        self._published = Published(lambda: get(url), read_key_set, same=_same, monotonic=monotonic)

    def version(self) -> int | None:
        """Return a number for the keys; none if it is time to fetch them, or they are too old."""
        return self._published.version()

    def find(self, key_id: str, kind: str) -> tuple[Key | None, int]:
        """Return a key, if there is such a one, and the version it is of.

        Raises:
            UnavailableError: there are no keys, or they are too old, and they cannot be fetched.
        """
        keys, version = self._published.current()
        if (key_id, kind) not in keys:
            keys, version = self._published.again()
        return keys.get((key_id, kind)), version


def _same(one: Keys, other: Keys) -> bool:
    return one.keys() == other.keys() and all(
        (key.curve, key.algorithm, key.value.thumbprint())
        == (other[name].curve, other[name].algorithm, other[name].value.thumbprint())
        for name, key in one.items()
    )


def fetch_keys(url: str) -> bytes:
    """Get a key set.

    Raises:
        OSError: it cannot be had, within a few seconds.
    """
    return fetch_document(url, MAX_KEY_SET)
