"""A sign-in that was begun: what has to be known when somebody comes back, sealed in a cookie of their browser.

Nothing is kept here meanwhile. Whoever comes back with the state of one browser and the cookie of another is refused.
"""

import re
import secrets
import zlib
from hmac import compare_digest
from urllib.parse import urlsplit

from msgspec import MsgspecError, Struct, json

from carethread.clock import Instant
from carethread.errors import InvalidValueError, SignInExpiredError
from carethread.trust.sealing import Seal, SealError

LASTS_S = 600
MAX_RETURN = 1_000  # characters, so that the cookie is taken by every browser
# Browsers take a backslash for a slash, and leave out tabs and line ends.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*", re.ASCII)
_BYTES = 32
# Of several tabs that sign in at once, each has a cookie; and nobody can fill a browser with them.
_SLOTS = 8


class Pending(Struct, frozen=True):
    """One sign-in.

    Attributes:
        state: comes back with the answer.
        nonce: comes back within the ID token.
        verifier: proves to the provider that who began also ends it (RFC 7636).
        return_to: the local path to go on to.
        expires: until when it may end.
    """

    state: str
    nonce: str
    verifier: str
    return_to: str
    expires: Instant


def new_pending(return_to: str, now: Instant) -> Pending:
    """Return a sign-in that nobody can guess.

    Raises:
        InvalidValueError: `return_to` is not a path of this application.
    """
    state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
    return Pending(state, nonce, verifier, check_local(return_to), Instant(now + LASTS_S * 1000))


def check_local(path: str) -> str:
    """Return a path, with its query, if it leads nowhere but to this application.

    Raises:
        InvalidValueError: it may lead elsewhere, or is too long.
    """
    if len(path) > MAX_RETURN:
        raise InvalidValueError("return_to", f"is longer than {MAX_RETURN:,} characters")
    # What begins with one slash has neither scheme nor host, and this can be taken apart.
    segments = urlsplit(path).path.split("/")[1:] if _LOCAL.fullmatch(path) else [".."]
    if ".." in segments or "" in segments[:-1]:
        raise InvalidValueError("return_to", "is no path of this application")
    return path


def cookie_name(state: str) -> str:
    """Return what the cookie of a sign-in with this state is called."""
    return f"sign-in-{zlib.crc32(state.encode()) % _SLOTS}"


def seal_pending(seal: Seal, pending: Pending, about: bytes) -> str:
    """Return the cookie's value. `about` says for which provider and client it is."""
    return seal.seal(json.encode(pending), b"sign-in", about)


def open_pending(seal: Seal, cookie: str, about: bytes, *, state: str, now: Instant) -> Pending:
    """Return the sign-in that was begun with this cookie and comes back with this state.

    Raises:
        SignInExpiredError: there is none, it is another, or it was begun too long ago.
    """
    try:
        pending = json.decode(seal.open(cookie, b"sign-in", about), type=Pending)
    except (SealError, MsgspecError):
        raise SignInExpiredError("the sign-in was not begun in this browser") from None
    if not compare_digest(pending.state.encode(), state.encode("utf-8", "surrogatepass")):
        raise SignInExpiredError("the sign-in was not begun in this browser")
    if now >= pending.expires:
        raise SignInExpiredError("the sign-in was begun too long ago")
    return pending
