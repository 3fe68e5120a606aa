"""An authorisation server for tests: it has keys, publishes them on this machine, and signs what it is told to."""

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from carethread.clock import Instant
from carethread.fhir.issuers import Issuer
from carethread.fhir.refusals import InvalidTokenError
from carethread.fhir.token import Token
from carethread.fhir.tokens import Tokens
from carethread.trust.key_sources import KeySource
from carethread.trust.keys import ALGORITHMS, Keys, read_key_set

NAME = "https://login.example"
HERE = "https://care.example/fhir"
NOW = Instant(1_768_142_175_234)
SECOND = NOW // 1000
ALL = frozenset(ALGORITHMS)

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
EC384 = ECKey.generate_key("P-384", {"kid": "ec384"})
EC521 = ECKey.generate_key("P-521", {"kid": "ec521"})
OKP = OKPKey.generate_key("Ed25519", {"kid": "okp"})
EVERY: tuple[Key, ...] = (RSA, EC, EC384, EC521, OKP)
BY_ALGORITHM: dict[str, Key] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
    "ES256": EC,
    "ES384": EC384,
    "ES512": EC521,
    "EdDSA": OKP,
    "Ed25519": OKP,
}


class FixedKeys:
    """Keys that a test changes by hand."""

    def __init__(self, *keys: Key) -> None:
        self.looked = 0
        self.number = 0
        self.keys: Keys = {}
        self.set(*keys)

    def set(self, *keys: Key) -> None:
        self.keys = read_key_set(key_set(*keys))
        self.number += 1

    def version(self) -> int | None:
        return self.number

    def find(self, key_id: str, kind: str) -> tuple[Any, int]:
        self.looked += 1
        return self.keys.get((key_id, kind)), self.number


class Scene:
    """One trusted issuer, a clock, and what was revoked."""

    def __init__(self, keys: KeySource | None = None, **about: Any) -> None:
        self.keys = keys or FixedKeys(*EVERY)
        self.now = NOW
        self.revoked: set[str] = set()
        remembers = about.pop("remembers", 100)
        self.issuer = Issuer(NAME, frozenset({HERE}), about.pop("algorithms", ALL), self.keys, **about)
        self.tokens = Tokens(
            (self.issuer,),
            revoked=lambda token: not self.revoked.isdisjoint({token.id, token.client}),
            bases=(f"{HERE}/",),
            clock=lambda: self.now,
            remembers=remembers,
        )

    def check(self, text: str) -> Token:
        return self.tokens.check(f"Bearer {text}")


def refused(text: str, said: str, scene: Scene | None = None) -> None:
    """Check that a token is refused in these words, and that none of it stands in them."""
    with pytest.raises(InvalidTokenError) as raised:
        (scene or Scene()).check(text)
    assert said in str(raised.value)
    assert raised.value.__cause__ is None
    assert not any(part in str(raised.value) for part in text.split(".") if len(part) > 8)


def key_set(*keys: Key, **more: Any) -> bytes:
    """Return a key set of the public halves."""
    return json.dumps({"keys": [{**each.as_dict(private=False), **more} for each in keys]}).encode()


def claims(**other: Any) -> dict[str, Any]:
    """Return claims that are in order; `None` leaves one out."""
    whole = {
        "iss": NAME,
        "aud": HERE,
        "sub": "u-1",
        "exp": SECOND + 3_600,
        "iat": SECOND,
        "jti": "t-1",
        "client_id": "app",
        "fhirUser": "Practitioner/A1",
        "scope": "user/Communication.crs",
        **other,
    }
    return {name: value for name, value in whole.items() if value is not None}


def sign(said: dict[str, Any] | None = None, *, algorithm: str = "ES256", key: Key | None = None, **header: Any) -> str:
    """Sign claims."""
    return sign_bytes(json.dumps(claims() if said is None else said).encode(), algorithm=algorithm, key=key, **header)


def sign_bytes(content: bytes, *, algorithm: str = "ES256", key: Key | None = None, **header: Any) -> str:
    """Sign what may be no claims."""
    used = key or BY_ALGORITHM[algorithm]
    whole = {"alg": algorithm, "kid": used.kid, "typ": "at+jwt", **header}
    return sign_parts(json.dumps({k: v for k, v in whole.items() if v is not None}).encode(), content, algorithm, used)


def sign_parts(header: bytes, content: bytes, algorithm: str = "ES256", key: Key = EC) -> str:
    """Sign a header and a payload to the byte, without any library's opinion about them."""
    signing = f"{b64(header)}.{b64(content)}"
    model = jws.JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]
    return f"{signing}.{b64(model.sign(signing.encode(), key))}"


def forged_mac(key: bytes, said: dict[str, Any], key_id: str, algorithm: str = "HS256") -> str:
    """Sign as if the bytes of a public key were a shared secret."""
    head = b64(json.dumps({"alg": algorithm, "kid": key_id}).encode())
    signing = f"{head}.{b64(json.dumps(said).encode())}"
    return f"{signing}.{b64(hmac.new(key, signing.encode(), f'sha{algorithm[2:]}').digest())}"


def b64(content: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Server:
    """A real HTTP server on this machine. `answer` says what it does with a request."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda request: publish(request, key_set(*EVERY))
        self.stopped = threading.Event()


def publish(request: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    """Answer with some bytes."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("ContentE", "Content-E"), value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def drip(server: Server) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return what sends a header byte after byte, and never ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not server.stopped.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    return answer


@contextmanager
def serving() -> Iterator[Server]:
    """Serve until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            try:
                server.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/jwks"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        http.shutdown()
        thread.join()
        http.server_close()


class Stopwatch:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds
