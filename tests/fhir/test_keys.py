"""Key sets: which keys count, and where they come from while a server runs."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from carethread.fhir.refusals import InvalidTokenError, IssuerUnavailableError
from carethread.trust.key_sources import FileKeys, PublishedKeys, fetch_keys
from carethread.trust.keys import MAX_KEY_SET, KeySetError, read_key_set
from carethread.trust.published import FRESH_S, RETRY_S, STALE_S
from tests.fhir.authorisation import (
    EC,
    EVERY,
    OKP,
    RSA,
    Scene,
    Server,
    Stopwatch,
    claims,
    drip,
    key_set,
    publish,
    serving,
    sign,
)

# ── What counts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sound_keys_count() -> None:
    assert set(read_key_set(key_set(*EVERY))) == {
        ("rsa", "RSA"), ("ec", "EC"), ("ec384", "EC"), ("ec521", "EC"), ("okp", "OKP"),
    }  # fmt: skip


def test_a_key_may_say_what_it_is_for() -> None:
    for more in ({"use": "sig"}, {"key_ops": ["verify"]}, {"alg": "ES256", "x5t": "x", "x5c": ["x"], "n": 1}):
        assert set(read_key_set(key_set(EC, **more))) == {("ec", "EC")}


def public(key: Any, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in {**key.as_dict(private=False), **more}.items() if value is not None}


UNSOUND = {
    "a secret": {"kty": "oct", "k": "A" * 43, "kid": "k"},
    "private": EC.as_dict(private=True),
    "for encryption": public(EC, use="enc"),
    "to sign": public(EC, key_ops=["sign"]),
    "operations that are none": public(EC, key_ops="verify"),
    "without an id": public(EC, kid=None),
    "an id that is none": public(EC, kid=1),
    "no kind": public(EC, kty=None),
    "a kind that is none": public(EC, kty=["EC"]),
    "another kind": public(EC, kty="XX"),
    "without a value": public(EC, y=None),
    "a value that is none": public(EC, y=1),
    "a value that is not base64url": public(EC, y="+/="),
    "not on its curve": public(EC, y=public(ECKey.generate_key("P-256"))["y"]),
    "a curve that is none": public(EC, crv="P-999"),
    "secp256k1": {**public(ECKey.generate_key("secp256k1")), "kid": "k"},
    "Ed448": {**public(OKPKey.generate_key("Ed448")), "kid": "k"},
    "X25519": {**public(OKPKey.generate_key("X25519")), "kid": "k"},
    "an Edwards key cut short": public(OKP, x="AAAA"),
    "an even exponent": public(RSA, e="Ag"),
    "an exponent of one": public(RSA, e="AQ"),
    "a huge exponent": public(RSA, e=public(RSA)["n"]),
    "an even modulus": public(RSA, n="gAAA" + "AAAA" * 84 + "AAAA"),
    "too many bits": {"kty": "RSA", "kid": "k", "e": "AQAB", "n": "_" * 2_000},
    "too few bits": {"kty": "RSA", "kid": "k", "e": "AQAB", "n": "_" * 170},
    "nothing": {},
}


@pytest.mark.parametrize("what", UNSOUND)
def test_others_are_as_if_they_were_not_there(what: str) -> None:
    content = json.dumps({"keys": [UNSOUND[what], public(OKP, kid="good")]}).encode()
    assert set(read_key_set(content)) == {("good", "OKP")}


def test_a_thousand_bits_are_too_few() -> None:
    with pytest.warns(UserWarning, match="2048"):
        small = RSAKey.generate_key(1024, {"kid": "small"})
    assert read_key_set(key_set(small)) == {}


def test_two_keys_of_one_name_cannot_be_told_apart() -> None:
    other = ECKey.generate_key("P-384", {"kid": "ec"})
    assert set(read_key_set(key_set(EC, other, OKP))) == {("okp", "OKP")}
    # Of two kinds, they can.
    assert len(read_key_set(key_set(EC, RSAKey.import_key(RSA.as_dict(private=False), {"kid": "ec"})))) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"keys":{}}', b'{"keys":null}', b'{"keys":', b"[" * 100_000,
     b'{"keys":[' + b"1," * 100 + b"1]}", b'{"keys":[]}' + b" " * MAX_KEY_SET, b"<html>"],
)  # fmt: skip
def test_what_is_no_key_set_is_refused(content: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(content)


VALUES = st.none() | st.text(max_size=50) | st.integers() | st.lists(st.text(max_size=5), max_size=3)
NAMES = st.sampled_from(["kty", "kid", "crv", "x", "y", "n", "e", "d", "use", "key_ops", "alg"])


@given(st.sampled_from([EC, RSA, OKP]), st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_stands_in_a_key_set_is_no_error(key: Any, other: dict[str, Any]) -> None:
    for found in read_key_set(json.dumps({"keys": [{**public(key), **other}, 1, None, []]}).encode()).values():
        assert found.signed("ES256", b"content", b"signature") is False


# ── In a file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def test_a_file_that_changes_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(EC))
    scene = Scene(FileKeys(path))
    ec, rsa = sign(), sign(algorithm="RS256")
    assert scene.check(ec) is scene.check(ec)
    with pytest.raises(InvalidTokenError):
        scene.check(rsa)
    replace(path, key_set(RSA))
    assert scene.tokens.known(f"Bearer {ec}") is None
    assert scene.check(rsa).id == "t-1"
    with pytest.raises(InvalidTokenError):
        scene.check(ec)


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_a_file_that_cannot_be_read_has_no_keys(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(EC))
    scene, text = Scene(FileKeys(path)), sign()
    scene.check(text)
    if content is None:
        path.unlink()
    else:
        replace(path, content)
    for _ in range(2):
        with pytest.raises(IssuerUnavailableError):
            scene.check(text)
    replace(path, key_set(EC))
    assert scene.check(text).id == "t-1"


def test_a_change_while_the_file_is_read_is_seen_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(EC))

    def read(content: bytes) -> Any:
        os.utime(path, ns=(1, time.time_ns()))
        return read_key_set(content)

    keys = FileKeys(path, read)
    keys.find("ec", "EC")
    assert keys.version() is None


# ── Published ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def published(server: Server) -> tuple[Scene, Stopwatch]:
    watch = Stopwatch()
    return Scene(PublishedKeys(server.url, monotonic=watch)), watch


def test_keys_are_fetched_once_and_kept_fresh() -> None:
    with serving() as server:
        scene, watch = published(server)
        text = sign()
        assert scene.tokens.known(f"Bearer {text}") is None
        first = scene.check(text)
        assert scene.check(sign(claims(jti="t-2"))).id == "t-2"
        assert server.asked == ["/jwks"]
        watch.seconds += FRESH_S
        # It is time to look again; as the keys are the same, the token needs checking once and no more.
        assert scene.tokens.known(f"Bearer {text}") is None
        assert scene.check(text) == first
        assert scene.tokens.known(f"Bearer {text}") is not None
        assert server.asked == ["/jwks"] * 2


def test_a_new_key_is_found_while_running_and_an_old_one_ends() -> None:
    new = ECKey.generate_key("P-256", {"kid": "new"})
    with serving() as server:
        scene, watch = published(server)
        old_text, new_text = sign(), sign(key=new)
        scene.check(old_text)
        watch.seconds += RETRY_S
        server.answer = lambda request: publish(request, key_set(new, EC))
        assert scene.check(new_text).id == scene.check(old_text).id == "t-1"
        assert len(server.asked) == 2
        server.answer = lambda request: publish(request, key_set(new))
        watch.seconds += FRESH_S
        assert scene.check(new_text).id == "t-1"
        assert scene.tokens.known(f"Bearer {old_text}") is None
        watch.seconds += RETRY_S
        with pytest.raises(InvalidTokenError, match="does not have"):
            scene.check(old_text)


def test_another_key_under_an_old_name_replaces_it() -> None:
    other = ECKey.generate_key("P-256", {"kid": "ec"})
    with serving() as server:
        scene, watch = published(server)
        scene.check(sign())
        server.answer = lambda request: publish(request, key_set(other))
        watch.seconds += FRESH_S
        assert scene.check(sign(key=other)).id == "t-1"
        with pytest.raises(InvalidTokenError, match="signature"):
            scene.check(sign())


def test_unknown_keys_make_few_requests() -> None:
    with serving() as server:
        scene, watch = published(server)
        scene.check(sign())
        for _ in range(3):
            watch.seconds += RETRY_S
            for number in range(20):
                with pytest.raises(InvalidTokenError, match="does not have"):
                    scene.check(sign(kid=f"guess-{number}"))
        assert len(server.asked) == 4


def endless(request: Any) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(400):
        request.wfile.write(b" " * 65_536)


ANSWERS: dict[str, Any] = {
    "down": lambda request: publish(request, b"", 503),
    "not there": lambda request: publish(request, key_set(EC), 404),
    "no content": lambda request: publish(request, key_set(EC), 203),
    "redirecting": lambda request: publish(request, b"", 302, Location="/elsewhere"),
    "redirecting with keys": lambda request: publish(request, key_set(EC), 301, Location="https://evil.example/"),
    "huge": lambda request: publish(request, b'{"keys":[]}' + b" " * MAX_KEY_SET),
    "endless": endless,
    "compressed": lambda request: publish(request, b"\x1f\x8b", ContentEncoding="gzip"),
    "no key set": lambda request: publish(request, b"<html>"),
    "silent": lambda request: request.connection.shutdown(2),
    "no http": lambda request: request.wfile.write(b"SSH-2.0-x\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
def test_keys_that_cannot_be_had_are_no_fault_of_the_token(what: str) -> None:
    with serving() as server:
        server.answer = ANSWERS[what]
        scene, watch = published(server)
        for _ in range(3):
            with pytest.raises(IssuerUnavailableError):
                scene.check(sign())
        assert server.asked == ["/jwks"]
        server.answer = lambda request: publish(request, key_set(EC))
        watch.seconds += RETRY_S
        assert scene.check(sign()).id == "t-1"


@pytest.mark.parametrize("what", ["down", "huge", "no key set"])
def test_known_keys_are_used_while_others_cannot_be_had_but_not_for_ever(what: str) -> None:
    with serving() as server:
        scene, watch = published(server)
        text = sign()
        scene.check(text)
        server.answer = ANSWERS[what]
        watch.seconds += FRESH_S
        assert scene.check(text).id == "t-1"
        # Between two attempts, what is remembered is answered without one.
        assert scene.tokens.known(f"Bearer {text}") is not None
        watch.seconds += STALE_S
        assert scene.tokens.known(f"Bearer {text}") is None
        with pytest.raises(IssuerUnavailableError):
            scene.check(text)


def test_a_slow_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.trust.fetching.PATIENCE_S", 0.3)
    with serving() as server:
        server.answer = drip(server)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            fetch_keys(server.url)
        assert time.monotonic() - begun < 5


def test_nobody_listening_is_an_answer_too() -> None:
    with serving() as server:
        url = server.url
    for each in (url, "http://no-such-host.invalid/", "https://[::1", "http://\u2603.\u2603\u2603" + "a" * 80 + "/"):
        with pytest.raises(OSError, match="cannot be fetched"):
            fetch_keys(each)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9/")
        assert fetch_keys(server.url) == key_set(*EVERY)


def test_while_one_fetches_others_go_on_with_the_keys_there_are() -> None:
    begun, go_on, calls = threading.Event(), threading.Event(), []
    watch = Stopwatch()

    def fetch(_url: str) -> bytes:
        calls.append(1)
        if len(calls) > 1:
            begun.set()
            assert go_on.wait(10)
        return key_set(*EVERY)

    scene = Scene(PublishedKeys("https://login.example/jwks", fetch=fetch, monotonic=watch))
    scene.check(sign())
    watch.seconds += FRESH_S
    slow = threading.Thread(target=scene.check, args=(sign(),))
    slow.start()
    assert begun.wait(10)
    assert scene.check(sign()).id == "t-1"
    go_on.set()
    slow.join()
    assert len(calls) == 2


def test_those_who_need_a_new_key_wait_for_the_one_who_fetches() -> None:
    new = ECKey.generate_key("P-256", {"kid": "new"})
    begun, go_on, calls, found = threading.Event(), threading.Event(), [], []
    watch = Stopwatch()

    def fetch(_url: str) -> bytes:
        calls.append(1)
        if len(calls) == 1:
            return key_set(EC)
        begun.set()
        assert go_on.wait(10)
        return key_set(EC, new)

    scene = Scene(PublishedKeys("https://login.example/jwks", fetch=fetch, monotonic=watch))
    scene.check(sign())
    watch.seconds += RETRY_S
    text = sign(key=new)
    threads = [threading.Thread(target=lambda: found.append(scene.check(text).id)) for _ in range(8)]
    for each in threads:
        each.start()
    assert begun.wait(10)
    go_on.set()
    for each in threads:
        each.join()
    assert (found, len(calls)) == (["t-1"] * 8, 2)
