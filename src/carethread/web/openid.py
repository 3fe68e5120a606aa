"""Signing in by OpenID Connect: the authorization code flow with PKCE, as a client of one provider.

A page sends somebody to `Begun.location` and keeps `Begun.cookie` in their browser; when they come back to `RETURN`, it
hands over the query and the cookie. Nothing is stored in between, and no page and no session is made here.
"""

import logging
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.oauth2.base import OAuth2Error
from msgspec import Struct

from carethread.clock import Clock, system_clock
from carethread.errors import SignInAnswerError, SignInRefusedError, UnavailableError
from carethread.trust.sealing import Seal
from carethread.web import pending as pendings
from carethread.web.authentication import Authentication
from carethread.web.claims import ClaimOf
from carethread.web.id_tokens import Expected, read_id_token
from carethread.web.pending import Pending, new_pending, open_pending, seal_pending
from carethread.web.provider import Description, Provider, read_object

RETURN = "/sign-in/return"
SIGNED_OUT = "/signed-out"
_MAX_QUERY = 8_192  # characters
_MAX_FIELDS = 50
_FAILED = 400
_READ = ("code", "state", "iss", "error")
# The words of RFC 6749, 4.1.2.1 and 5.2, and of OpenID Connect Core 1.0, 3.1.2.6. Others may be anybody's text.
_REASONS = frozenset(
    {
        "access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client",
        "invalid_grant", "invalid_request", "invalid_scope", "login_required", "unauthorized_client",
        "unsupported_grant_type", "unsupported_response_type",
    }
)  # fmt: skip
_LATER = frozenset({"server_error", "temporarily_unavailable"})
# What is wrong with these is the operator's to put right.
_OURS = frozenset({"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client"})
_CODE = re.compile(r"[ -~]{1,4096}", re.ASCII)

_log = logging.getLogger("carethread.web.openid")


class Client(Struct, frozen=True):
    """This installation as the provider knows it.

    Attributes:
        id: its client id.
        address: of the web application, such as `https://care.example`; its two return addresses lie below.
        claim: which claim says who somebody is.
        scope: what is asked for, separated by spaces.
        bases: under which URLs a claim may name people of this server.
    """

    id: str
    address: str
    claim: ClaimOf
    scope: str = "openid"
    bases: tuple[str, ...] = ()

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to who signed in."""
        return f"{self.address}{RETURN}"

    @property
    def signed_out_uri(self) -> str:
        """Where it sends people back to who signed out."""
        return f"{self.address}{SIGNED_OUT}"


class Begun(Struct, frozen=True):
    """A sign-in that was begun.

    Attributes:
        location: where to send the browser.
        cookie: what to keep in it, for ten minutes: `HttpOnly`, `Secure`, `SameSite=Lax`, and gone once used.
        name: what to call the cookie; several tabs may sign in at once.
    """

    location: str
    cookie: str
    name: str


class SignedIn(Struct, frozen=True):
    """Somebody whom the provider knows. Whether the directory does, `reads.person_of_claim` says.

    Attributes:
        claims: what the provider says of them.
        meant: who that may be here: `Type/id` or `system|value`; empty where the claims do not say it.
        return_to: the local path to go on to.
        id_token_hint: what to sign out with, at the provider; empty where it offers no such thing.
    """

    claims: dict[str, Any]
    meant: str
    return_to: str
    id_token_hint: str


class OpenId:
    """Signs people in at one provider. Thread-safe; whatever may wait says so."""

    def __init__(
        self,
        client: Client,
        provider: Provider,
        authentication: Authentication,
        seal: Seal,
        clock: Clock = system_clock,
    ) -> None:
        """Sign in as a client of a provider."""
        self._client = client
        self._provider = provider
        self._authentication = authentication
        self._seal = seal
        self._clock = clock
        self._about = f"{provider.issuer}\0{client.id}\0{client.redirect_uri}".encode()

    def begin(self, return_to: str) -> Begun:
        """Begin a sign-in. May wait for the provider.

        Raises:
            InvalidValueError: `return_to` is not a path of this application.
            UnavailableError: the provider cannot be asked now.
        """
        pending = new_pending(return_to, self._clock())
        described = self._provider.description()
        location, _ = self._asking(described).create_authorization_url(
            described.authorization_endpoint,
            state=pending.state,
            code_verifier=pending.verifier,
            nonce=pending.nonce,
            scope=self._client.scope,
            redirect_uri=self._client.redirect_uri,
        )
        return Begun(location, seal_pending(self._seal, pending, self._about), pendings.cookie_name(pending.state))

    def cookie_name(self, query: str) -> str:
        """Return what the cookie is called that belongs to a query with which somebody comes back.

        Raises:
            SignInAnswerError: no provider writes such a query.
        """
        return pendings.cookie_name(_read(query).get("state", ""))

    def finish(self, query: str, cookie: str) -> SignedIn:
        """End a sign-in, with the query that came back and the cookie's value. Waits for the provider.

        Raises:
            SignInExpiredError: it was not begun in this browser, or too long ago.
            SignInRefusedError: the provider signed nobody in.
            SignInAnswerError: what came back is not what was asked for.
            UnavailableError: the provider cannot be asked now.
        """
        given = _read(query)
        now = self._clock()
        pending = open_pending(self._seal, cookie, self._about, state=given.get("state", ""), now=now)
        described = self._provider.description()
        # RFC 9207: an answer of one provider is not taken to another.
        issuer = given.get("iss")
        if issuer != described.issuer and (
            issuer is not None or described.authorization_response_iss_parameter_supported
        ):
            raise SignInAnswerError("the answer comes from another provider")
        if "error" in given:
            raise _refusal(given["error"])
        code = given.get("code", "")
        if _CODE.fullmatch(code) is None:
            raise SignInAnswerError("the answer brings no code")
        return self._signed_in(described, pending, self._redeemed(described, pending, code))

    def sign_out(self, id_token_hint: str) -> str | None:
        """Return where to send the browser of somebody who signed out here, so that they are at the provider too.

        Nothing where the provider offers no such thing, or cannot be asked now. May wait.
        """
        try:
            endpoint = self._provider.description().end_session_endpoint
        except UnavailableError:
            return None
        if not endpoint:
            return None
        said = {"post_logout_redirect_uri": self._client.signed_out_uri, "client_id": self._client.id}
        if id_token_hint:
            said["id_token_hint"] = id_token_hint
        parts = urlsplit(endpoint)
        return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *said.items()])))

    def _asking(self, described: Description) -> Any:
        supported = described.token_endpoint_auth_methods_supported
        return self._authentication.client(_Session(self._provider), self._client.id, supported)

    def _redeemed(self, described: Description, pending: Pending, code: str) -> dict[str, Any]:
        """Return the tokens that the provider gives for a code."""
        try:
            found: dict[str, Any] = self._asking(described).fetch_token(
                described.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=pending.verifier,
                redirect_uri=self._client.redirect_uri,
            )
        except OAuth2Error as error:
            raise _refusal(error.error) from None
        except (ValueError, TypeError, OverflowError):
            # A number that is none, for example.
            raise SignInAnswerError("the sign-in provider gives tokens that cannot be understood") from None
        return found

    def _signed_in(self, described: Description, pending: Pending, tokens: dict[str, Any]) -> SignedIn:
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str | None):
            raise SignInAnswerError("the sign-in provider gives no ID token")
        expected = Expected(self._client.id, pending.nonce, access_token, self._clock())
        claims = read_id_token(id_token, self._provider, expected)
        if self._client.claim.name not in claims and access_token and described.userinfo_endpoint:
            more = self._provider.userinfo(described.userinfo_endpoint, access_token)
            if more.get("sub") != claims["sub"]:
                raise SignInAnswerError("the sign-in provider speaks of somebody else than who signed in")
            claims = {**more, **claims}
        meant = self._client.claim.meant(claims, self._client.bases)
        return SignedIn(claims, meant, pending.return_to, id_token if described.end_session_endpoint else "")


class _Session:
    """What Authlib asks the provider through."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> "_Response":
        """Send a form, with what shows who asks."""
        url, headers, form = auth.prepare("POST", url, dict(headers), urlencode(data))
        answer = self._provider.ask(url, form=form.encode(), headers=headers)
        return _Response(answer.status, answer.content)


class _Response(Struct, frozen=True):
    """What Authlib looks at."""

    status_code: int
    content: bytes

    def json(self) -> dict[str, Any]:
        """Return the object that was answered."""
        found = read_object(self.content)
        if self.status_code >= _FAILED and "error" not in found:
            raise SignInAnswerError("the sign-in provider refused and does not say why")
        return found


def _read(query: str) -> dict[str, str]:
    """Return what comes back in a query, each once.

    Raises:
        SignInAnswerError: no provider writes such a query.
    """
    if len(query) > _MAX_QUERY:
        raise SignInAnswerError("the answer is too long")
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise SignInAnswerError("the answer is malformed") from None
    found = [(name, value) for name, value in fields if name in _READ]
    if len(dict(found)) != len(found):
        raise SignInAnswerError("the answer says something twice")
    return dict(found)


def _refusal(word: object) -> SignInRefusedError | UnavailableError:
    """Return what a provider's word for an error comes to."""
    if not isinstance(word, str) or word not in _REASONS | _LATER:
        return SignInRefusedError("for a reason of its own")
    if word in _LATER:
        return UnavailableError("the sign-in provider cannot sign in anybody now")
    if word in _OURS:
        _log.warning("the sign-in provider refuses this client: %s", word)
    return SignInRefusedError(word)
