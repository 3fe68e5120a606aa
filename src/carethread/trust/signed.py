"""PURE: a JSON Web Token taken apart (RFC 7515, 7519): strictly, for until its signature is checked anybody wrote it.

One form is taken: three parts of canonical base64url, a header of known members that names an algorithm and a key
by its id, and claims without a key twice. Whatever would have a reader look for a key where the token says is refused.
"""

import base64
import binascii
import json
import re
from typing import Any, NoReturn

from msgspec import Struct

MAX_KEY_ID = 256
_MAX_BRACKETS = 256  # so that nothing nests deeper; tokens have a handful
_MAX_HEADER = 4_096
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
# `x5t` names a certificate by its hash: harmless, and not looked at. Not here, and so refused: jwk, jku, x5u and x5c,
# which bring or name a key; crit and b64, which change what is signed; zip, enc and cty, which hide another token.
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})


class SignedError(ValueError):
    """A token is not in the one form; the text says in which way, and repeats nothing of it."""


class Signed(Struct, frozen=True):
    """A token as it came: nothing of it is proven.

    Attributes:
        algorithm: as the header names it.
        key_id: likewise.
        content: the bytes that are signed.
        signature: over them.
        claims: what it says.
    """

    algorithm: str
    key_id: str
    content: bytes
    signature: bytes
    claims: dict[str, Any]


def take_apart(token: str, types: frozenset[str]) -> Signed:
    """Return the parts of a token that says it is of one of these types, or of none.

    Raises:
        SignedError: it is not in the one form, or of another type.
    """
    found = COMPACT.fullmatch(token)
    if found is None or len(found[1]) > _MAX_HEADER:
        raise _malformed()
    header = _object(_bytes(found[1]))
    if not header.keys() <= _HEADER:
        raise SignedError("the header of the token holds what is not taken")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(kind, str):
        raise _malformed()
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID:
        raise SignedError("the header of the token names no key")
    if kind.lower() not in types:
        raise SignedError("the token is of another type")
    content = token.rpartition(".")[0].encode("ascii")
    return Signed(algorithm, key_id, content, _bytes(found[3]), _object(_bytes(found[2])))


def _bytes(part: str) -> bytes:
    """Return what base64url stands for, if it is the one way to write it: else one token would have many texts."""
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise _malformed() from None
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode("ascii") != part:
        raise _malformed()
    return found


def _object(content: bytes) -> dict[str, Any]:
    if content.count(b"[") + content.count(b"{") > _MAX_BRACKETS:
        raise _malformed()
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(found, dict):
        raise _malformed()
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError


def _malformed() -> SignedError:
    return SignedError("the token is malformed")
