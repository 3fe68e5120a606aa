"""The sign-in provider: what it says of itself (OpenID Connect Discovery 1.0), its keys, and what it is asked.

Whatever it answers is read within bounds, and nothing of it is believed before it is checked.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import eq
from typing import Any
from urllib.parse import urlsplit

from msgspec import DecodeError, Struct, ValidationError, json

from carethread.errors import SignInAnswerError, UnavailableError
from carethread.trust.fetching import Answer, fetch, fetch_document, is_safe
from carethread.trust.key_sources import PublishedKeys
from carethread.trust.keys import Key
from carethread.trust.published import Published

_WELL_KNOWN = "/.well-known/openid-configuration"
_MAX_DESCRIPTION = 256 * 1024  # bytes
_MAX_ANSWER = 128 * 1024  # bytes: more than all tokens together
_AT_ONCE = 4  # calls for somebody who signs in, so that a slow provider does not hold up all other pages
_TURN_S = 2.0
_OK = 200
_BUSY = 429
_FAILING = 500

_log = logging.getLogger("carethread.web.provider")


class Description(Struct, frozen=True):
    """What a provider says of itself, as far as it is used here; the names are the standard's.

    What is left out has the value that the standard gives it.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """One provider. Thread-safe. It is first asked when it is first needed."""

    def __init__(self, issuer: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Name it as it names itself, to the letter: an https URL, or one on this machine."""
        self.issuer = issuer
        self._monotonic = monotonic
        self._described = Published(self._get, self._read, same=eq, monotonic=monotonic)
        self._keys: tuple[str, PublishedKeys] | None = None
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def description(self) -> Description:
        """Return what it says of itself. May wait.

        Raises:
            UnavailableError: it cannot be asked now, or says what cannot be.
        """
        try:
            return self._described.current()[0]
        except UnavailableError:
            raise UnavailableError("the sign-in provider cannot be asked now") from None

    def key(self, key_id: str, kind: str) -> Key | None:
        """Return one of its keys, if it has such a one now. May wait.

        Raises:
            UnavailableError: its keys cannot be had now.
        """
        uri = self.description().jwks_uri
        held = self._keys
        if held is None or held[0] != uri:
            held = self._keys = (uri, PublishedKeys(uri, monotonic=self._monotonic))
        try:
            return held[1].find(key_id, kind)[0]
        except UnavailableError:
            raise UnavailableError("the keys of the sign-in provider cannot be had now") from None

    def ask(self, url: str, *, form: bytes | None = None, headers: Mapping[str, str]) -> Answer:
        """Ask it something, with POST where there is a form to send. Waits.

        Raises:
            UnavailableError: it does not answer, or that it cannot now.
        """
        with self._turn():
            try:
                answer = fetch(url, _MAX_ANSWER, form=form, headers=headers)
            except OSError as error:
                _log.warning("the sign-in provider does not answer: %s", error)
                raise UnavailableError("the sign-in provider does not answer now") from None
        if answer.status >= _FAILING or answer.status == _BUSY:
            _log.warning("the sign-in provider answers with status %s", answer.status)
            raise UnavailableError("the sign-in provider does not answer now")
        return answer

    def userinfo(self, url: str, access_token: str) -> dict[str, Any]:
        """Return what it says of whom an access token was given for (OpenID Connect Core 1.0, 5.3).

        Raises:
            SignInAnswerError: it does not say it in a form that is known here.
            UnavailableError: it does not answer, or that it cannot now.
        """
        answer = self.ask(url, headers={"Authorization": f"Bearer {access_token}"})
        if answer.status != _OK:
            raise SignInAnswerError("the sign-in provider says nothing about who signed in")
        return read_object(answer.content)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_TURN_S):
            raise UnavailableError("too many wait for the sign-in provider")
        try:
            yield
        finally:
            self._turns.release()

    def _get(self) -> bytes:
        try:
            return fetch_document(self.issuer.rstrip("/") + _WELL_KNOWN, _MAX_DESCRIPTION)
        except OSError as error:
            _log.warning("the sign-in provider's configuration cannot be had: %s", error)
            raise

    def _read(self, content: bytes) -> Description:
        try:
            found = json.decode(content, type=Description)
            self._check(found)
        except (DecodeError, ValidationError, RecursionError, ValueError) as error:
            # What was wrong is nothing secret, and the operator's to know.
            _log.warning("the sign-in provider's configuration is not in order: %s", error)
            raise ValueError("is not in order") from None
        return found

    def _check(self, found: Description) -> None:
        if found.issuer != self.issuer:
            raise ValueError("it is of another issuer than sign_in_issuer names")
        for name in (
            "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"
        ):  # fmt: skip
            url = getattr(found, name)
            if url is not None and not self._may_be(url):
                raise ValueError(f"{name} is no https URL")

    def _may_be(self, url: str) -> bool:
        """Say whether a URL can be one of the provider's: whoever is elsewhere does not have this machine called."""
        return is_safe(url) and urlsplit(url).scheme in ("https", urlsplit(self.issuer).scheme)


def read_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        SignInAnswerError: it is none.
    """
    try:
        return json.decode(content, type=dict[str, Any])
    except (DecodeError, RecursionError, ValueError):
        raise SignInAnswerError("the sign-in provider answers in another form than JSON") from None
