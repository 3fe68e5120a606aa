"""Tokens that would have their reader confuse keys or algorithms, fetch something, or stumble: all are refused."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from carethread.fhir.refusals import InvalidTokenError, MissingTokenError
from carethread.fhir.signed import MAX_TOKEN, take_apart
from carethread.trust.keys import read_key_set
from tests.fhir.authorisation import (
    ALL,
    BY_ALGORITHM,
    EC,
    EVERY,
    NAME,
    NOW,
    RSA,
    FixedKeys,
    Scene,
    b64,
    claims,
    forged_mac,
    refused,
    sign,
    sign_bytes,
    sign_parts,
)

SCENE = Scene(remembers=20)


# ── Confusion of algorithms and keys ──────────────────────────────────────────────────────────────────────────────────

PUBLIC = {
    "pem": RSA.as_pem(private=False),
    "pem, stripped": RSA.as_pem(private=False).strip(),
    "der": RSA.as_der(private=False),
    "modulus": base64.urlsafe_b64decode(str(RSA.as_dict(private=False)["n"]) + "=="),
    "jwk": json.dumps(RSA.as_dict(private=False)).encode(),
    "ec point": EC.public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", PUBLIC)
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(form: str, algorithm: str) -> None:
    for key_id in ("rsa", "ec"):
        refused(forged_mac(PUBLIC[form], claims(), key_id, algorithm), "an algorithm that is not taken")


@pytest.mark.parametrize(
    "name", ["none", "None", "NONE", "nOnE", "", "ES256K", "RS1", "A128KW", "dir", "es256", "ES256 "]
)
def test_algorithms_that_nobody_trusts_are_refused(name: str) -> None:
    refused(sign(alg=name), "an algorithm that is not taken")


@pytest.mark.parametrize("name", [None, 1, True, ["ES256"], {"ES256": 1}])
def test_an_algorithm_is_a_name(name: object) -> None:
    header = {"kid": "ec"} if name is None else {"alg": name, "kid": "ec"}
    refused(sign_parts(json.dumps(header).encode(), json.dumps(claims()).encode()), "is malformed")


def test_without_a_signature_there_is_no_token() -> None:
    whole = sign()
    header = b64(b'{"alg":"none","kid":"ec"}')
    unsigned = f"{header}.{whole.split('.')[1]}."
    refused(unsigned, "is malformed")
    refused(whole.rpartition(".")[0] + ".", "is malformed")
    refused(whole.rpartition(".")[0], "is malformed")


def test_an_algorithm_is_only_taken_from_an_issuer_that_uses_it() -> None:
    scene = Scene(algorithms=frozenset({"ES256"}))
    refused(sign(algorithm="RS256"), "an algorithm that is not taken", scene)
    assert scene.check(sign()).id == "t-1"


@pytest.mark.parametrize("claimed", sorted(ALL))
@pytest.mark.parametrize("used", ["ES256", "ES384", "RS256", "PS256", "Ed25519"])
def test_a_signature_of_one_algorithm_is_none_of_another(claimed: str, used: str) -> None:
    same = claimed == used or {claimed, used} == {"Ed25519", "EdDSA"}
    for key in EVERY:
        text = sign(algorithm=used, alg=claimed, kid=key.kid)
        if same and key is BY_ALGORITHM[used]:
            assert Scene().check(text).id == "t-1"
        else:
            with pytest.raises(InvalidTokenError):
                SCENE.check(text)


def test_a_key_for_one_algorithm_makes_no_other_signature() -> None:
    keys = FixedKeys()
    scene = Scene(keys)
    for named in ("RS256", "PS256", "ES256", 1):
        keys.keys = {("rsa", "RSA"): _read(RSA, alg=named)}
        keys.number += 1
        if named in ("RS256", 1):
            assert scene.check(sign(algorithm="RS256")).id == "t-1"
        else:
            refused(sign(algorithm="RS256"), "signature of the token is wrong", scene)


def _read(key: Any, **more: Any) -> Any:
    return read_key_set(json.dumps({"keys": [{**key.as_dict(private=False), **more}]}).encode())["rsa", "RSA"]


def test_another_key_of_the_same_name_signs_nothing() -> None:
    for mine in (
        ECKey.generate_key("P-256", {"kid": "ec"}),
        RSAKey.generate_key(2048, {"kid": "rsa"}),
        OKPKey.generate_key("Ed25519", {"kid": "okp"}),
    ):
        algorithm = {"ec": "ES256", "rsa": "RS256", "okp": "Ed25519"}[str(mine.kid)]
        refused(sign(algorithm=algorithm, key=mine), "signature of the token is wrong")


MINE = ECKey.generate_key("P-256", {"kid": "mine"})


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": MINE.as_dict(private=False)},
        {"jku": "http://127.0.0.1:1/jwks"},
        {"x5u": "file:///etc/passwd"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False},
        {"b64": False, "crit": ["b64"]},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"iss": NAME},
        {"": ""},
    ],
)
def test_a_header_brings_no_key_and_changes_no_meaning(header: dict[str, Any]) -> None:
    for key in (EC, MINE):
        refused(sign(key=key, kid="ec", **header), "header of the token holds what is not taken")


@pytest.mark.parametrize(
    "key_id",
    [
        "../../../../etc/passwd", "/dev/null", "file:///dev/null", "http://127.0.0.1:1/", "ec\0", "EC", "ec ",
        "' OR '1'='1", "ec' UNION SELECT 'key", "$(id)", "{{7*7}}", "\ud800", "e\u0441", "x" * 256,
    ],
)  # fmt: skip
def test_a_key_id_is_only_compared(key_id: str) -> None:
    refused(sign(kid=key_id), "a key that its issuer does not have")


@pytest.mark.parametrize("key_id", [None, "", 1, True, ["ec"], {"ec": 1}, "x" * 257])
def test_a_key_is_named(key_id: object) -> None:
    header = {"alg": "ES256", "kid": key_id} if key_id is not None else {"alg": "ES256"}
    refused(sign_parts(json.dumps(header).encode(), json.dumps(claims()).encode()), "names no key")


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", "id+jwt"])
def test_tokens_of_another_type_are_refused(kind: str) -> None:
    refused(sign(typ=kind), "of another type")


def test_a_type_is_a_name() -> None:
    refused(sign(typ=1), "is malformed")


# ── Form ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given", [None, "", "Basic dXNlcjpwYXNz", "Bearertoken", "DPoP x.y.z", " Bearer x", "Bearer\tx.y.z"]
)
def test_another_scheme_is_no_token(given: str | None) -> None:
    with pytest.raises(MissingTokenError):
        SCENE.tokens.check(given)
    with pytest.raises(MissingTokenError):
        SCENE.tokens.known(given)


@pytest.mark.parametrize(
    "given",
    [
        "Bearer", "Bearer ", "Bearer x", "Bearer x.y", "Bearer ..", "Bearer x.y.z.w", "Bearer a.b.c.d.e",
        "Bearer x.y.z x.y.z", "Bearer x.y.z,Bearer x.y.z", "Bearer x.y.z\n", "Bearer x.y.z\r\nX: y", "Bearer x.\0.z",
        "Bearer x.y.zé", "Bearer A.AA.AA", "Bearer x=.y.z", "Bearer x/.y+.z", "Bearer ①.②.③",
    ],
)  # fmt: skip
def test_what_is_no_token_is_malformed(given: str) -> None:
    with pytest.raises(InvalidTokenError, match=r"^the token is malformed$"):
        SCENE.tokens.check(given)


@pytest.mark.parametrize("size", [MAX_TOKEN + 1, 1_000_000, 20_000_000])
def test_huge_tokens_are_not_looked_at(size: int) -> None:
    for text in ("x" * size, "." * size, "x." * size, sign() + "A" * size):
        with pytest.raises(InvalidTokenError, match="too long"):
            SCENE.check(text)


def test_a_token_may_be_as_long_as_headers_may_be() -> None:
    scene = Scene()
    spare = MAX_TOKEN - len(sign())
    text = sign(claims(more="x" * (spare * 3 // 4 - 20)))
    assert MAX_TOKEN - 20 < len(text) <= MAX_TOKEN
    assert scene.check(text).id == "t-1"


def test_a_long_header_is_refused() -> None:
    refused(sign_parts(json.dumps({"alg": "ES256", "kid": "ec", "x5t": "x" * 4_000}).encode(), b"{}"), "is malformed")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"1", b'"text"', b"[]", b"{", b"{}{}", b'{"a":1,}', b"{'a':1}", b'{"exp":NaN}',
        b'{"exp":Infinity}', b"\xff{}", b"\xef\xbb\xbf{}", b'{"a":"\x01"}',
        b'{"exp":' + b"9" * 5_000 + b"}",
        b"[" * 3_000, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 257 + b"]" * 257,
    ],
)  # fmt: skip
def test_what_is_signed_is_one_json_object(content: bytes) -> None:
    refused(sign_bytes(content or b" "), "is malformed")
    refused(sign_parts(content or b" ", json.dumps(claims()).encode()), "is malformed")


def test_infinity_by_another_name_is_no_time() -> None:
    whole = json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e999')
    refused(sign_bytes(whole.encode()), "a time that is none")


@pytest.mark.parametrize(
    "twice", ['"exp": 9999999999', '"iss": "https://login.example"', '"fhirUser": "Practitioner/B1"']
)
def test_no_claim_stands_there_twice(twice: str) -> None:
    for whole in (f"{{{twice}, {json.dumps(claims())[1:]}", f"{json.dumps(claims())[:-1]}, {twice}}}"):
        refused(sign_bytes(whole.encode()), "is malformed")
    nested = json.dumps(claims())[:-1] + ', "x": {"y": 1, "y": 2}}'
    refused(sign_bytes(nested.encode()), "is malformed")


def test_no_member_of_the_header_stands_there_twice() -> None:
    for header in (b'{"alg":"none","alg":"ES256","kid":"ec"}', b'{"alg":"ES256","kid":"x","kid":"ec"}'):
        refused(sign_parts(header, json.dumps(claims()).encode()), "is malformed")


def test_a_token_has_one_text() -> None:
    # Two last characters of base64 that stand for the same bytes; and padding.
    head, _, signature = sign().rpartition(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = signature[:-1] + last[last.index(signature[-1]) + 1]
    refused(f"{head}.{other}", "is malformed")
    refused(f"{head}.{signature}==", "is malformed")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_whatever_is_changed_is_noticed(part: int) -> None:
    parts = sign().split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    for place in range(0, len(raw), 7):
        changed = raw.copy()
        changed[place] ^= 1
        with pytest.raises(InvalidTokenError):
            SCENE.check(".".join([*parts[:part], b64(bytes(changed)), *parts[part + 1 :]]))


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_comes_is_refused_and_nothing_else_happens(text: str) -> None:
    for given_text in (text, f"Bearer {text}"):
        with pytest.raises((InvalidTokenError, MissingTokenError)):
            SCENE.tokens.check(given_text)


@given(st.sampled_from(sorted(ALL)), st.binary(min_size=1, max_size=600))
def test_whatever_stands_for_a_signature_is_none(algorithm: str, signature: bytes) -> None:
    refused(f"{sign(algorithm=algorithm).rpartition('.')[0]}.{b64(signature)}", "signature of the token is wrong")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(claims(nbf=1, patient="P1", azp="x", scp=[]))), JSON_VALUES, max_size=5))
def test_whatever_an_issuer_signs_is_taken_or_refused(other: dict[str, Any]) -> None:
    try:
        token = SCENE.check(sign_bytes(json.dumps({**claims(), **other}).encode()))
    except InvalidTokenError:
        return
    assert (token.issuer, other.get("iss", NAME)) == (NAME, NAME)
    assert token.expires > NOW - 60_000


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "x5t", "jwk", "crit"]), JSON_VALUES, max_size=6))
def test_whatever_a_header_says_is_taken_or_refused(other: dict[str, Any]) -> None:
    text = sign_parts(json.dumps({"alg": "ES256", "kid": "ec", **other}).encode(), json.dumps(claims()).encode())
    try:
        SCENE.check(text)
    except InvalidTokenError:
        return
    assert (take_apart(text).algorithm, take_apart(text).key_id) == ("ES256", "ec")
