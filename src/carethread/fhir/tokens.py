"""OAuth bearer tokens: JSON Web Tokens of the issuers that this installation trusts.

A token is checked once and remembered by its hash until it ends, its issuer's keys change or it is pushed out by
others. Whether it was revoked is asked each time.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable

from msgspec import Struct

from carethread.clock import Clock, system_clock
from carethread.errors import ConfigurationError, UnavailableError
from carethread.fhir.claims import check_not_over, read_claims
from carethread.fhir.issuers import Issuer
from carethread.fhir.refusals import InvalidTokenError, IssuerUnavailableError
from carethread.fhir.signed import bearer, take_apart
from carethread.fhir.token import Token
from carethread.trust.key_sources import KeySource
from carethread.trust.keys import ALGORITHMS
from carethread.trust.signed import Signed

REMEMBERED = 10_000  # a few kilobytes each at most


class _Checked(Struct, frozen=True):
    """A token whose signature was good with the keys of this version."""

    token: Token
    keys: KeySource
    version: int


class Tokens:
    """Checks tokens. Thread-safe."""

    def __init__(
        self,
        issuers: Iterable[Issuer],
        *,
        revoked: Callable[[Token], bool],
        bases: Iterable[str] = (),
        clock: Clock = system_clock,
        remembers: int = REMEMBERED,
    ) -> None:
        """Trust some issuers.

        Args:
            issuers: each with another name.
            revoked: whether a token, or the client it was given to, counts no more. It is asked for each request.
            bases: the URLs of this server's FHIR base, for a `fhirUser` that is written out.
            clock: what time it is.
            remembers: how many tokens at most.

        Raises:
            ConfigurationError: two issuers have one name.
        """
        listed = tuple(issuers)
        self._issuers = {each.name: each for each in listed}
        if len(self._issuers) != len(listed):
            raise ConfigurationError("two issuers of tokens have the same name")
        self._revoked = revoked
        self._bases = frozenset(each.rstrip("/") for each in bases)
        self._clock = clock
        self._remembers = remembers
        # By the hash of the token: finding one tells by its time nothing about the text of another. Only what was
        # found good is kept, so nobody without a good token pushes others out.
        self._checked: dict[bytes, _Checked] = {}
        self._lock = threading.Lock()

    def check(self, authorization: str | None) -> Token:
        """Return what the token of an `Authorization` header says. May wait for an issuer's keys.

        Raises:
            MissingTokenError: there is none.
            InvalidTokenError: it is not good.
            IssuerUnavailableError: its issuer's keys cannot be had now.
        """
        text = bearer(authorization)
        place = _place(text)
        found = self._find(place)
        if found is None:
            found = self._verify(take_apart(text))
            self._remember(place, found)
        return self._as_of_now(found.token)

    def known(self, authorization: str | None) -> Token | None:
        """Return the same if that needs no waiting, else nothing: for an event loop, before it asks a thread.

        Raises:
            MissingTokenError, InvalidTokenError: as `check`.
        """
        found = self._find(_place(bearer(authorization)))
        return None if found is None else self._as_of_now(found.token)

    def _find(self, place: bytes) -> _Checked | None:
        found = self._checked.get(place)
        return found if found is not None and found.keys.version() == found.version else None

    def _as_of_now(self, token: Token) -> Token:
        check_not_over(token.expires, self._clock())
        if self._revoked(token):
            raise InvalidTokenError("the token was revoked")
        return token

    def _verify(self, signed: Signed) -> _Checked:
        name = signed.claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise InvalidTokenError("the token is of an issuer that is not trusted here")
        if signed.algorithm not in issuer.algorithms:
            raise InvalidTokenError("the token is signed by an algorithm that is not taken from its issuer")
        try:
            key, version = issuer.keys.find(signed.key_id, ALGORITHMS[signed.algorithm].kind)
        except UnavailableError:
            raise IssuerUnavailableError("the keys of the token's issuer cannot be had now") from None
        if key is None:
            raise InvalidTokenError("the token is signed with a key that its issuer does not have")
        if not key.signed(signed.algorithm, signed.content, signed.signature):
            raise InvalidTokenError("the signature of the token is wrong")
        return _Checked(read_claims(signed, issuer, self._bases, self._clock()), issuer.keys, version)

    def _remember(self, place: bytes, found: _Checked) -> None:
        with self._lock:
            self._checked.pop(place, None)
            while len(self._checked) >= self._remembers:
                del self._checked[next(iter(self._checked))]
            self._checked[place] = found


def _place(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()
