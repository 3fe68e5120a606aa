"""ID tokens: what a provider says of who signed in (OpenID Connect Core 1.0, 2 and 3.1.3.7).

A token counts if this provider signed it, with an algorithm it announces, for this client, for this sign-in, and now.
Shared secrets and `none` are no signatures.
"""

from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from msgspec import Struct

from carethread.clock import Instant
from carethread.errors import SignInAnswerError
from carethread.trust.keys import ALGORITHMS
from carethread.trust.signed import Signed, SignedError, take_apart
from carethread.web.provider import Provider

MAX_ID_TOKEN = 16 * 1024  # characters
_MAX_SUBJECT = 255  # OpenID Connect Core 1.0, 2
_SKEW_S = 60
_TYPES = frozenset({"jwt", "application/jwt"})
# With these, Authlib does not know which hash an access token is tied by.
_UNTIED = frozenset({"Ed25519"})


class Expected(Struct, frozen=True):
    """What an ID token must agree with: the client it is for, the sign-in's nonce, and what came with it, if it did."""

    client_id: str
    nonce: str
    access_token: str | None
    now: Instant


def read_id_token(text: str, provider: Provider, expected: Expected) -> dict[str, Any]:
    """Return the claims of an ID token that counts. May wait for the provider's keys.

    Raises:
        SignInAnswerError: it does not count.
        UnavailableError: the provider's keys cannot be had now.
    """
    if len(text) > MAX_ID_TOKEN:
        raise SignInAnswerError("the ID token is too long")
    try:
        signed = take_apart(text, _TYPES)
    except SignedError as error:
        raise SignInAnswerError(f"the ID token is not taken: {error}") from None
    _check_signature(signed, provider)
    _check_claims(signed, provider.issuer, expected)
    return signed.claims


def _check_signature(signed: Signed, provider: Provider) -> None:
    announced = provider.description().id_token_signing_alg_values_supported
    if signed.algorithm not in ALGORITHMS or signed.algorithm not in announced:
        raise SignInAnswerError("the ID token is signed by an algorithm that is not taken from its provider")
    key = provider.key(signed.key_id, ALGORITHMS[signed.algorithm].kind)
    if key is None:
        raise SignInAnswerError("the ID token is signed with a key that its provider does not have")
    if not key.signed(signed.algorithm, signed.content, signed.signature):
        raise SignInAnswerError("the signature of the ID token is wrong")


def _check_claims(signed: Signed, issuer: str, expected: Expected) -> None:
    tied = None if signed.algorithm in _UNTIED else expected.access_token
    checked = CodeIDToken(
        signed.claims,
        {"alg": signed.algorithm},
        {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": expected.client_id},
            "sub": {"essential": True},
        },
        {"client_id": expected.client_id, "nonce": expected.nonce, "access_token": tied},
    )
    try:
        checked.validate(now=expected.now // 1000, leeway=_SKEW_S)
    except JoseError as error:
        raise SignInAnswerError(f"the ID token does not count: {error.error}") from None
    except (TypeError, ValueError):
        # What Authlib takes for text, as long as nobody lies.
        raise SignInAnswerError("the ID token holds what cannot be understood") from None
    if len(signed.claims["sub"]) > _MAX_SUBJECT:
        raise SignInAnswerError("the ID token's subject is too long")
