"""Links to the next page: sealed, so that nobody makes up a place, takes one to another search, or reads it.

A place may hold what whoever asks is not shown, such as when somebody else's message was recorded.
"""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, urlencode

from carethread.fhir.queries import CURSOR, Pairs, bad
from carethread.trust.sealing import Seal, SealError


class Signer:
    """Seals places in searches with the installation's key. The same place is sealed the same."""

    def __init__(self, key: bytes) -> None:
        """Seal with a key that nobody else knows: 32 bytes."""
        self._seal = Seal(key)

    def sign(self, path: str, pairs: Pairs, place: str) -> str:
        """Return a place as it stands in a link, of this search alone."""
        return self._seal.seal(place.encode(), _search(path, pairs))

    def open(self, path: str, pairs: Pairs, cursor: str) -> str:
        """Return the place that was sealed.

        Raises:
            RefusedError: it is not one of ours, or of another search.
        """
        if not cursor:
            return ""
        try:
            return self._seal.open(cursor, _search(path, pairs)).decode()
        except SealError:
            fault = "is not a link of this search"
            raise bad("value", fault, CURSOR, instead="Follow links as they are.") from None


def _search(path: str, pairs: Pairs) -> bytes:
    return "\0".join((path, *(f"{name}\0{value}" for name, value in pairs))).encode()


def link(base: str, path: str, pairs: Iterable[tuple[str, str]], cursor: str = "") -> str:
    """Return the address of a search, or of a page of it."""
    query = _encoded(tuple(pairs))
    if cursor:
        query = f"{query}{'&' if query else ''}{_encoded(((CURSOR, cursor),))}"
    return f"{base}/{path}?{query}" if query else f"{base}/{path}"


@lru_cache(maxsize=1024)
def _encoded(pairs: Pairs) -> str:
    # What FHIR's values are made of may stay as it is.
    return urlencode(pairs, quote_via=quote, safe="/:,.|$")
