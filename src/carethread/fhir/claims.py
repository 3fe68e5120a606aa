"""PURE: from the claims of a token whose signature is good to what it says, as far as an issuer may say it."""

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Any

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.fhir.issuers import Issuer
from carethread.fhir.refusals import InvalidTokenError
from carethread.fhir.scopes import Context, Scopes
from carethread.fhir.token import Token
from carethread.record.text import check_name
from carethread.trust.signed import Signed

SKEW_MS = 60_000  # how far other clocks may be off
_MAX_TEXT = 255
# The access log keeps it in one line with the id of the system client.
MAX_CLIENT = 150
# What the registry of revoked tokens takes.
_TOKEN_ID = re.compile(r"[!-~]{1,200}", re.ASCII)
_LAST_S = 253_402_300_799
_ID = r"[A-Za-z0-9\-.]{1,64}"
_PERSON = re.compile(rf"(Practitioner|RelatedPerson|Patient)/({_ID})", re.ASCII)
_PATIENT = re.compile(rf"(?:Patient/)?({_ID})", re.ASCII)
# Whoever is signed in is a user; a system has a token of its own. So nobody's token grants by two measures.
_OF_PEOPLE = frozenset({Context.USER, Context.PATIENT})
_OF_SYSTEMS = frozenset({Context.SYSTEM})


def read_claims(signed: Signed, issuer: Issuer, bases: frozenset[str], now: Instant) -> Token:
    """Return what a token says.

    Args:
        signed: its parts; the signature was checked.
        issuer: who made it.
        bases: under which URLs people of this server are named, beside the issuer's own.
        now: what time it is.

    Raises:
        InvalidTokenError: it is for somebody else, not for now, or says what cannot be understood.
    """
    claims = signed.claims
    _check_audience(claims.get("aud"), issuer)
    expires = _check_times(claims, issuer, now)
    if "cnf" in claims:
        # RFC 7800: it only counts together with a proof of its holder's key, and a bearer gives none.
        raise InvalidTokenError("the token is bound to a key, and came without a proof of it")
    person = _person(claims, bases | {issuer.fhir_base})
    patient = _patient(claims)
    contexts = _OF_SYSTEMS if person is None else _OF_PEOPLE
    if patient is None:
        contexts -= {Context.PATIENT}
    return Token(
        issuer=issuer.name,
        id=_token_id(claims) or f"sha256-{hashlib.sha256(signed.content).hexdigest()}",
        subject=_text(claims, "sub"),
        client=_client(claims),
        scopes=Scopes.parse(_scope(claims), contexts),
        person=person,
        patient=patient,
        expires=expires,
    )


def check_not_over(expires: Instant, now: Instant) -> None:
    """Check that a token has not ended.

    Raises:
        InvalidTokenError: it has.
    """
    if now >= expires + SKEW_MS:
        raise InvalidTokenError("the token has expired")


def _check_audience(said: Any, issuer: Issuer) -> None:
    given = [said] if isinstance(said, str) else said
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise InvalidTokenError("the token does not say for whom it is")
    if issuer.audiences.isdisjoint(given):
        raise InvalidTokenError("the token is for another server")


def _check_times(claims: Mapping[str, Any], issuer: Issuer, now: Instant) -> Instant:
    expires, begins, made = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise InvalidTokenError("the token does not say when it ends")
    check_not_over(expires, now)
    if any(each is not None and each > now + SKEW_MS for each in (begins, made)):
        raise InvalidTokenError("the token is not valid yet")
    if expires > now + issuer.longest * 1000 + SKEW_MS:
        raise InvalidTokenError("the token lasts longer than is taken from its issuer")
    return expires


def _time(claims: Mapping[str, Any], name: str) -> Instant | None:
    if name not in claims:
        return None
    said = claims[name]
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        raise InvalidTokenError("the token gives a time that is none")
    if not 0 <= said <= _LAST_S:
        raise InvalidTokenError("the token gives a time that is none")
    return Instant(int(said * 1000))


def _text(claims: Mapping[str, Any], name: str) -> str:
    said = claims.get(name, "")
    if not isinstance(said, str) or len(said) > _MAX_TEXT or not said.isprintable():
        raise InvalidTokenError(f"the token's {name} is not one line of text")
    return said


def _token_id(claims: Mapping[str, Any]) -> str | None:
    said = claims.get("jti")
    if said is not None and (not isinstance(said, str) or _TOKEN_ID.fullmatch(said) is None):
        raise InvalidTokenError("the token's jti is not one by which it could be revoked")
    return said


def _client(claims: Mapping[str, Any]) -> str:
    """Return the client: RFC 9068's claim, or OpenID's."""
    name = "client_id" if "client_id" in claims else "azp"
    said = _text(claims, name)
    if len(said) > MAX_CLIENT:
        raise InvalidTokenError(f"the token's {name} is too long")
    try:
        return check_name(said, name) if said else ""
    except InvalidValueError:
        raise InvalidTokenError(f"the token's {name} is not one line of text") from None


def _scope(claims: Mapping[str, Any]) -> str:
    """Return the scopes: RFC 8693's claim, or what other servers call it."""
    said = claims["scope"] if "scope" in claims else claims.get("scp", "")
    if isinstance(said, list) and all(isinstance(each, str) for each in said):
        return " ".join(said)
    if not isinstance(said, str):
        raise InvalidTokenError("the token's scope is not text")
    return said


def _person(claims: Mapping[str, Any], bases: frozenset[str]) -> tuple[str, str] | None:
    said = _text(claims, "fhirUser")
    if "fhirUser" not in claims:
        return None
    # The same words under another server's URL are somebody else.
    for base in bases:
        if base and said.startswith(f"{base}/"):
            said = said.removeprefix(f"{base}/")
            break
    found = _PERSON.fullmatch(said)
    if found is None:
        raise InvalidTokenError("the token's fhirUser is no person of this server")
    return found[1], found[2]


def _patient(claims: Mapping[str, Any]) -> str | None:
    said = _text(claims, "patient")
    if "patient" not in claims:
        return None
    found = _PATIENT.fullmatch(said)
    if found is None:
        raise InvalidTokenError("the token's patient is no patient's id")
    return found[1]
