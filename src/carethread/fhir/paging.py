"""PURE: links to the next page: signed, so that nobody makes up a place, or takes one to another search."""

import base64
import hmac
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import quote, urlencode

from carethread.fhir.queries import CURSOR, Pairs, bad

# 128 bits: enough against guessing, and short in a link.
_SIGNATURE = 16
LONGEST = 2000


class Signer:
    """Signs places in searches with the installation's key."""

    def __init__(self, key: bytes) -> None:
        """Sign with a key that nobody else knows."""
        self._key = key

    def sign(self, path: str, pairs: Pairs, place: str) -> str:
        """Return a place as it stands in a link, of this search alone."""
        signature = self._signature(path, pairs, place)
        return base64.urlsafe_b64encode(signature + place.encode()).rstrip(b"=").decode()

    def open(self, path: str, pairs: Pairs, cursor: str) -> str:
        """Return the place that was signed.

        Raises:
            RefusedError: it is not one of ours, or of another search.
        """
        if not cursor:
            return ""
        try:
            content = base64.b64decode(
                cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
            place = content[_SIGNATURE:].decode()
        except ValueError:
            place, content = "", b""
        if not hmac.compare_digest(content[:_SIGNATURE], self._signature(path, pairs, place)):
            raise bad("value", "is not a link of this search", CURSOR, instead="Follow links as they are.")
        return place

    def _signature(self, path: str, pairs: Pairs, place: str) -> bytes:
        said = "\0".join((path, place, *(f"{name}\0{value}" for name, value in pairs)))
        return hmac.digest(self._key, said.encode(), sha256)[:_SIGNATURE]


def link(base: str, path: str, pairs: Iterable[tuple[str, str]], cursor: str = "") -> str:
    """Return the address of a search, or of a page of it."""
    listed = [*pairs, (CURSOR, cursor)] if cursor else list(pairs)
    # What FHIR's values are made of may stay as it is.
    query = urlencode(listed, quote_via=quote, safe="/:,.|$")
    return f"{base}/{path}?{query}" if query else f"{base}/{path}"
