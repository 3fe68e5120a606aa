"""Ledgers as the index has them: read once, although each message changes the time in them."""

from functools import lru_cache

from msgspec.structs import replace

from carethread.record.ledger_yaml import parse_ledger, split_last_updated
from carethread.record.model import Ledger

# Lists show the same threads again and again; a ledger is about a kilobyte.
_KEPT = 8_192
_parsed = lru_cache(maxsize=_KEPT)(parse_ledger)


def stored_ledger(data: bytes) -> Ledger:
    """Return a ledger from its bytes, which this program wrote.

    Raises:
        FormatError: the bytes are no ledger.
    """
    rest, updated = split_last_updated(data)
    found = _parsed(rest)
    return replace(found, last_updated_at=updated)
