"""Bearer tokens as they came in a request (RFC 6750), taken apart: until the signature is checked, anybody's words."""

import re

from carethread.fhir.refusals import InvalidTokenError, MissingTokenError
from carethread.trust.signed import COMPACT, Signed, SignedError
from carethread.trust.signed import take_apart as take_signed_apart

MAX_TOKEN = 8_192  # characters: as much as servers take of all headers together
_BEARER = re.compile(r"bearer(?: +(?P<token>.*))?", re.ASCII | re.IGNORECASE | re.DOTALL)
# RFC 9068 calls them at+jwt; many issuers say JWT, or nothing. Those of other kinds (logout, proof) say so.
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


def bearer(authorization: str | None) -> str:
    """Return the token of an `Authorization` header.

    Raises:
        MissingTokenError: there is no such header, or it is for another scheme.
        InvalidTokenError: what follows `Bearer` is no token, or too long.
    """
    found = None if authorization is None else _BEARER.fullmatch(authorization)
    if found is None:
        raise MissingTokenError("a bearer token is needed: send Authorization: Bearer and the token")
    token: str = found["token"] or ""
    if len(token) > MAX_TOKEN:
        raise InvalidTokenError("the token is too long")
    if COMPACT.fullmatch(token) is None:
        raise InvalidTokenError("the token is malformed")
    return token


def take_apart(token: str) -> Signed:
    """Return the parts of a token.

    Raises:
        InvalidTokenError: it is not in the one form.
    """
    try:
        return take_signed_apart(token, _TYPES)
    except SignedError as error:
        raise InvalidTokenError(str(error)) from None
