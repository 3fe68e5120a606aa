"""Whatever a provider, or somebody who plays one, answers: nobody is signed in who should not be, and nothing hangs."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carethread.errors import SignInAnswerError, SignInError, SignInRefusedError, UnavailableError
from carethread.trust.published import FRESH_S, RETRY_S
from carethread.web import provider as providers
from tests.fhir.authorisation import EC, RSA, b64, drip, forged_mac, key_set, publish, sign
from tests.sign_in.fake import DESCRIPTION, KEYS, PERSON, TOKENS, Fake, lying

NOW = int(time.time())
# Longer than any run of the tests: what is not yet true when it begins is not at its end.
DAY = 86_400


@pytest.fixture
def fake() -> Iterator[Fake]:
    with lying() as made:
        yield made


def test_it_signs_somebody_in_while_it_does_not_lie(fake: Fake) -> None:
    found = fake.sign_in()
    assert (found.meant, found.return_to, found.id_token_hint) == ("Practitioner/A1", "/", "")
    assert fake.open_id().sign_out("hint") is None
    fake.description["end_session_endpoint"] = f"{fake.issuer}/end?tenant=1"
    location = fake.open_id().sign_out("hint") or ""
    assert location.startswith(f"{fake.issuer}/end?tenant=1&post_logout_redirect_uri=https%3A%2F%2F")


# ── ID tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CLAIMS: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "of no issuer": {"iss": None},
    "of a list of issuers": {"iss": ["https://evil.example"]},
    "for another client": {"aud": "other"},
    "for another client, authorised to this": {"aud": "other", "azp": "basic"},
    "for several, and nobody says which": {"aud": ["basic", "other"]},
    "for several, authorised to another": {"aud": ["basic", "other"], "azp": "other"},
    "for this one, authorised to another": {"azp": "other"},
    "for this one, authorised to several": {"azp": ["basic"]},
    "for nobody": {"aud": None},
    "for an empty list": {"aud": []},
    "for what is no client": {"aud": {"basic": 1}},
    "over": {"exp": NOW - 120},
    "without an end": {"exp": None},
    "ending at no time": {"exp": "tomorrow"},
    "ending at true": {"exp": True},
    "ending never": {"exp": float("inf")},
    "from the future": {"iat": NOW + DAY},
    "of no time": {"iat": None},
    "not valid yet": {"nbf": NOW + DAY},
    "of another sign-in": {"nonce": "other"},
    "of no sign-in": {"nonce": None},
    "of a list of sign-ins": {"nonce": ["x"]},
    "about nobody": {"sub": None},
    "about nothing": {"sub": ""},
    "about a number": {"sub": 1},
    "about too long a name": {"sub": "x" * 256},
    "with another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "with a strange access token": {"at_hash": 1},
    "with a list of access tokens": {"at_hash": [300]},
    "with what is no access token": {"at_hash": [{}]},
    "signed in at no time": {"auth_time": "x"},
    "by no list of ways": {"amr": "pwd"},
    "too long": {"x": "x" * 20_000},
}


@pytest.mark.parametrize("what", CLAIMS)
def test_a_token_that_says_something_else(fake: Fake, what: str) -> None:
    fake.claims = CLAIMS[what]
    with pytest.raises(SignInAnswerError):
        fake.sign_in()


def tampered(said: dict[str, Any]) -> str:
    head, _, signature = sign(said, typ="JWT").split(".")
    return f"{head}.{b64(json.dumps({**said, 'fhirUser': 'Practitioner/B1'}).encode())}.{signature}"


def unsigned(said: dict[str, Any], algorithm: str = "none") -> str:
    return f"{b64(json.dumps({'alg': algorithm, 'kid': 'ec'}).encode())}.{b64(json.dumps(said).encode())}."


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "tampered with": tampered,
    "unsigned": unsigned,
    "unsigned, in capitals": lambda said: unsigned(said, "None"),
    "unsigned, as if it were not": lambda said: unsigned(said, "ES256"),
    "by a public key as a secret": lambda said: forged_mac(RSA.as_pem(private=False), said, "rsa"),
    "by the client's secret": lambda said: forged_mac(b"a b+c%20/=:&~", said, "ec"),
    "by another key of the same name": lambda said: sign(said, key=type(EC).generate_key("P-256", {"kid": "ec"})),
    "by a key that is not published": lambda said: sign(said, key=type(EC).generate_key("P-256", {"kid": "own"})),
    "by an algorithm that is not announced": lambda said: sign(said, algorithm="RS512"),
    "by a key of another kind": lambda said: sign(said, kid="rsa"),
    "by a key it brings": lambda said: sign(said, jwk=EC.as_dict(private=False)),
    "by a key it points to": lambda said: sign(said, jku="https://evil.example/jwks"),
    "by a key it does not name": lambda said: sign(said, kid=None),
    "critical": lambda said: sign(said, crit=["x"], x=1),
    "an access token": lambda said: sign(said, typ="at+jwt"),
    "a logout token": lambda said: sign(said, typ="logout+jwt"),
    "no token": lambda _: "hello",
    "five parts": lambda _: "a.b.c.d.e",
    "empty": lambda _: "",
    "not ASCII": lambda said: sign(said, typ="JWT") + "é",
}


@pytest.mark.parametrize("what", FORGED)
def test_a_token_that_is_forged(fake: Fake, what: str) -> None:
    fake.id_token = FORGED[what]
    with pytest.raises(SignInAnswerError):
        fake.sign_in()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "Ed25519", "PS512"])
def test_a_token_of_any_algorithm_that_is_announced(fake: Fake, algorithm: str) -> None:
    fake.id_token = lambda said: sign(said, algorithm=algorithm, typ="JWT")
    if algorithm == "Ed25519":
        # Nobody has settled which hash that is.
        fake.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"
    assert fake.sign_in().claims["sub"] == "A1"


def test_a_token_for_several_that_is_authorised_to_this_one(fake: Fake) -> None:
    fake.claims = {"aud": ["other", "basic"], "azp": "basic"}
    assert fake.sign_in().meant == "Practitioner/A1"


# ── What it says of itself ────────────────────────────────────────────────────────────────────────────────────────────

DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "another's": {"issuer": "https://evil.example"},
    "nobody's": {"issuer": None},
    "of an authorisation on plain http": {"authorization_endpoint": "http://care.example/auth"},
    "of a script": {"authorization_endpoint": "javascript:alert(1)"},
    "of tokens on plain http": {"token_endpoint": "http://10.0.0.1/token"},
    "of keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "of people nowhere": {"userinfo_endpoint": "https://"},
    "of an end with a user": {"end_session_endpoint": "https://care@evil.example/"},
    "of an end that is no URL": {"end_session_endpoint": "https://[care"},
    "without tokens": {"token_endpoint": None},
    "of one algorithm": {"id_token_signing_alg_values_supported": "RS256"},
}


@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_a_description_that_is_not_in_order(fake: Fake, what: str, caplog: pytest.LogCaptureFixture) -> None:
    fake.description |= DESCRIPTIONS[what]
    with pytest.raises(UnavailableError, match="cannot be asked now"):
        fake.open_id().begin("/")
    assert "configuration is not in order" in caplog.text
    assert fake.open_id().sign_out("hint") is None


def endless(request: Any) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(400):
        request.wfile.write(b" " * 65_536)


ANSWERS: dict[str, Callable[[Any], None]] = {
    "down": lambda request: publish(request, b"", 503),
    "busy": lambda request: publish(request, b"{}", 429),
    "endless": endless,
    "silent": lambda request: request.connection.shutdown(2),
    "no http": lambda request: request.wfile.write(b"SSH-2.0-x\r\n\r\n"),
}


@pytest.mark.parametrize("path", [DESCRIPTION, KEYS, TOKENS, PERSON])
@pytest.mark.parametrize("what", ANSWERS)
def test_a_provider_that_fails_signs_in_again_later(fake: Fake, what: str, path: str) -> None:
    signing = fake.open_id()
    fake.claims = {"fhirUser": None}
    fake.answers[path] = ANSWERS[what]
    with pytest.raises(UnavailableError):
        fake.sign_in_with(signing)
    del fake.answers[path]
    fake.person["fhirUser"] = "Practitioner/A1"
    fake.watch.seconds += RETRY_S
    assert fake.sign_in_with(signing).meant == "Practitioner/A1"


def test_a_provider_that_fails_is_not_asked_again_at_once(fake: Fake) -> None:
    fake.answers[DESCRIPTION] = ANSWERS["down"]
    signing = fake.open_id()
    for _ in range(5):
        with pytest.raises(UnavailableError):
            signing.begin("/")
    assert fake.server.asked == [DESCRIPTION]


def test_a_description_is_asked_for_now_and_then(fake: Fake) -> None:
    signing = fake.open_id()
    for _ in range(3):
        signing.begin("/")
    assert fake.server.asked == [DESCRIPTION]
    fake.description["authorization_endpoint"] = f"{fake.issuer}/elsewhere"
    fake.watch.seconds += FRESH_S
    assert signing.begin("/").location.startswith(f"{fake.issuer}/elsewhere?")
    # Keys that stand elsewhere from now on are looked for there.
    fake.description["jwks_uri"] = f"{fake.issuer}/keys"
    fake.answers["/keys"] = lambda request: publish(request, key_set(EC))
    fake.watch.seconds += FRESH_S
    fake.description["authorization_endpoint"] = f"{fake.issuer}/auth?tenant=1"
    begun = signing.begin("/")
    assert signing.finish(fake.come_back(begun.location), begun.cookie).claims["sub"] == "A1"
    assert "/keys" in fake.server.asked
    assert KEYS not in fake.server.asked


@pytest.mark.parametrize("path", [DESCRIPTION, KEYS, TOKENS, PERSON])
def test_a_slow_provider_is_not_waited_for(fake: Fake, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.trust.fetching.PATIENCE_S", 0.3)
    fake.claims = {"fhirUser": None}
    fake.answers[path] = drip(fake.server)
    begun = time.monotonic()
    with pytest.raises(UnavailableError):
        fake.sign_in()
    assert time.monotonic() - begun < 5


def test_a_slow_provider_does_not_hold_up_everybody(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_TURN_S", 0.1)
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def answer(request: Any) -> None:
        waiting.release()
        assert go_on.wait(10)
        publish(request, b"{}", 400)

    fake.answers[TOKENS] = answer
    signing = fake.open_id()
    begun = signing.begin("/")
    query = fake.come_back(begun.location)

    def finish() -> None:
        with pytest.raises(SignInAnswerError):
            signing.finish(query, begun.cookie)

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for each in threads:
        each.start()
    for _ in threads:
        assert waiting.acquire(timeout=10)
    with pytest.raises(UnavailableError, match="too many"):
        signing.finish(query, begun.cookie)
    go_on.set()
    for each in threads:
        each.join()


# ── What it gives for a code ──────────────────────────────────────────────────────────────────────────────────────────

TOKEN_ANSWERS: dict[str, tuple[int, bytes]] = {
    "a page": (200, b"<html>"),
    "a page about an error": (400, b"<html>"),
    "an error without a word": (400, b"{}"),
    "a list": (200, b"[]"),
    "nesting": (200, b"[" * 100_000),
    "no ID token": (200, b'{"access_token":"x","token_type":"Bearer"}'),
    "an ID token that is none": (200, b'{"id_token":1}'),
    "an access token that is none": (200, b'{"id_token":"x","access_token":{}}'),
    "no length of time": (200, b'{"id_token":"x","expires_in":"soon"}'),
    "a list as a length of time": (200, b'{"id_token":"x","expires_in":[1]}'),
    "an endless time": (200, b'{"id_token":"x","expires_in":1e999}'),
    "nowhere": (302, b""),
}


@pytest.mark.parametrize("what", TOKEN_ANSWERS)
def test_tokens_that_are_none(fake: Fake, what: str) -> None:
    status, content = TOKEN_ANSWERS[what]
    fake.answers[TOKENS] = lambda request: publish(request, content, status, Location="/jwks")
    with pytest.raises(SignInAnswerError):
        fake.sign_in()


WORDS: dict[str, tuple[Any, type[Exception]]] = {
    "invalid_grant": ("invalid_grant", SignInRefusedError),
    "invalid_client": ("invalid_client", SignInRefusedError),
    "server_error": ("server_error", UnavailableError),
    "temporarily_unavailable": ("temporarily_unavailable", UnavailableError),
    "its own": ("SECRET-7", SignInRefusedError),
    "a list": (["SECRET-7"], SignInRefusedError),
}


@pytest.mark.parametrize("where", ["front", "back"])
@pytest.mark.parametrize("what", WORDS)
def test_an_error_is_told_in_our_words(
    fake: Fake, what: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    word, kind = WORDS[what]
    content = json.dumps({"error": word, "error_description": "SECRET-7"}).encode()
    fake.answers[TOKENS] = lambda request: publish(request, content, 400)
    signing = fake.open_id()
    begun = signing.begin("/")
    front = {"error": str(word), "error_description": "SECRET-7"} if where == "front" else {}
    with pytest.raises(kind) as raised:
        signing.finish(fake.come_back(begun.location, **front), begun.cookie)
    assert "SECRET-7" not in str(raised.value) + caplog.text
    assert ("refuses this client: invalid_client" in caplog.text) is (what == "invalid_client")
    if isinstance(raised.value, SignInRefusedError):
        assert raised.value.reason in (word, "for a reason of its own")


def test_nothing_of_a_sign_in_is_logged(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.tokens["access_token"] = "SECRET-ACCESS"
    signing = fake.open_id()
    begun = signing.begin("/")
    signing.finish(fake.come_back(begun.location, code="SECRET-CODE"), begun.cookie)
    fake.id_token = tampered
    with pytest.raises(SignInError) as raised:
        signing.finish(fake.come_back(begun.location, code="SECRET-CODE"), begun.cookie)
    told = caplog.text + str(raised.value)
    for each in ("SECRET", "Practitioner", fake.nonce, begun.cookie, "a+b%2Bc"):
        assert each not in told


# ── What it tells when asked ──────────────────────────────────────────────────────────────────────────────────────────

PEOPLE: dict[str, tuple[int, bytes]] = {
    "about somebody else": (200, b'{"sub":"B1","fhirUser":"Practitioner/B1"}'),
    "about nobody": (200, b'{"fhirUser":"Practitioner/B1"}'),
    "to nobody": (401, b"{}"),
    "a page": (200, b"<html>"),
    "a token": (200, b"a.b.c"),
    "elsewhere": (302, b""),
}


@pytest.mark.parametrize("what", PEOPLE)
def test_what_is_told_about_somebody_else(fake: Fake, what: str) -> None:
    status, content = PEOPLE[what]
    fake.claims = {"fhirUser": None}
    fake.answers[PERSON] = lambda request: publish(request, content, status, Location="https://evil.example/")
    with pytest.raises(SignInAnswerError):
        fake.sign_in()


def test_what_is_signed_counts_more_than_what_is_told(fake: Fake) -> None:
    fake.claims = {"fhirUser": None, "name": "Anna"}
    fake.person |= {"fhirUser": "Practitioner/A1", "name": "Other", "nonce": "other"}
    found = fake.sign_in()
    assert (found.claims["name"], found.claims["nonce"], found.meant) == ("Anna", fake.nonce, "Practitioner/A1")


@pytest.mark.parametrize("leave_out", ["endpoint", "access token"])
def test_nobody_is_meant_where_nothing_is_told(fake: Fake, leave_out: str) -> None:
    fake.claims = {"fhirUser": None}
    if leave_out == "endpoint":
        fake.description["userinfo_endpoint"] = None
    else:
        fake.tokens.clear()
    assert fake.sign_in().meant == ""
