"""A provider that a test has lie: each of its answers can be another."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carethread.web.openid import OpenId, SignedIn
from tests.fhir.authorisation import EVERY, Server, Stopwatch, key_set, publish, serving, sign
from tests.sign_in.people import open_id

Answer = Callable[[BaseHTTPRequestHandler], None]
DESCRIPTION, KEYS, TOKENS, PERSON = "/.well-known/openid-configuration", "/jwks", "/token", "/me"


class Fake:
    """A provider that signs A1 in, as long as nothing is changed.

    Attributes:
        description: what it says of itself.
        tokens: what it gives for a code, beside an ID token.
        person: what it tells when asked.
        answers: what it answers instead, by path.
        id_token: makes the ID token of these claims.
        claims: what stands in it otherwise than it should; `None` leaves one out.
        watch: the clock by which its documents grow old.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.issuer = server.url.removesuffix("/jwks")
        algorithms = ["RS256", "ES256", "EdDSA", "Ed25519", "PS512"]
        self.description: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth?tenant=1",
            "token_endpoint": self.issuer + TOKENS,
            "jwks_uri": self.issuer + KEYS,
            "userinfo_endpoint": self.issuer + PERSON,
            "id_token_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.tokens: dict[str, Any] = {"token_type": "Bearer", "access_token": "given", "expires_in": 60}
        self.person: dict[str, Any] = {"sub": "A1"}
        self.answers: dict[str, Answer] = {}
        self.id_token: Callable[[dict[str, Any]], str] = lambda said: sign(said, typ="JWT")
        self.claims: dict[str, Any] = {}
        self.nonce = ""
        self.watch = Stopwatch()
        server.answer = self._answer

    def open_id(self, **other: Any) -> OpenId:
        """Return what signs in here."""
        return open_id(self.issuer, watch=self.watch, **other)

    def come_back(self, location: str, **said: str) -> str:
        """Be somebody who signs in there; return the query with which they come back."""
        asked = {name: each[0] for name, each in parse_qs(urlsplit(location).query).items()}
        assert (asked["response_type"], asked["code_challenge_method"], asked["tenant"]) == ("code", "S256", "1")
        self.nonce = asked["nonce"]
        whole = {"code": "c-1", "state": asked["state"], "iss": self.issuer, **said}
        return "&".join(f"{name}={value}" for name, value in whole.items() if value)

    def sign_in(self, **other: Any) -> SignedIn:
        """Sign somebody in, from beginning to end."""
        return self.sign_in_with(self.open_id(**other))

    def sign_in_with(self, signing: OpenId) -> SignedIn:
        """Do so with what was begun before."""
        begun = signing.begin("/")
        return signing.finish(self.come_back(begun.location), begun.cookie)

    def said(self) -> dict[str, Any]:
        """Return the claims of its ID token."""
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "aud": "basic",
            "sub": "A1",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "fhirUser": "Practitioner/A1",
            **self.claims,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        path = urlsplit(request.path).path
        if path in self.answers:
            self.answers[path](request)
            return
        documents: dict[str, Callable[[], dict[str, Any]]] = {
            DESCRIPTION: lambda: self.description,
            TOKENS: lambda: {"id_token": self.id_token(self.said()), **self.tokens},
            PERSON: lambda: self.person,
            KEYS: lambda: json.loads(key_set(*EVERY)),
        }
        publish(request, json.dumps(documents[path]()).encode())


@contextmanager
def lying() -> Iterator[Fake]:
    """Serve until the block ends."""
    with serving() as server:
        yield Fake(server)
