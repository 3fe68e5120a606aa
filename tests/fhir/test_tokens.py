"""Bearer tokens: good ones of every kind are taken, and everything else is refused, without a word of it repeated."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from carethread.clock import Instant
from carethread.errors import ConfigurationError
from carethread.fhir.key_sources import PublishedKeys
from carethread.fhir.keys import read_key_set
from carethread.fhir.refusals import InvalidTokenError, IssuerUnavailableError, MissingTokenError
from carethread.fhir.scopes import Reach
from carethread.fhir.signed import MAX_TOKEN, take_apart
from carethread.fhir.tokens import Tokens
from tests.fhir.authorisation import (
    ALL,
    BY_ALGORITHM,
    EC,
    EVERY,
    HERE,
    NAME,
    NOW,
    RSA,
    SECOND,
    FixedKeys,
    Scene,
    b64,
    claims,
    forged_mac,
    sign,
    sign_bytes,
    sign_parts,
)

SCENE = Scene(remembers=20)


def refused(text: str, said: str, scene: Scene | None = None) -> None:
    """Check that a token is refused in these words, and that none of it stands in them."""
    with pytest.raises(InvalidTokenError) as raised:
        (scene or SCENE).check(text)
    assert said in str(raised.value)
    assert raised.value.__cause__ is None
    assert not any(part in str(raised.value) for part in text.split(".") if len(part) > 8)


# ── What is taken ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("algorithm", sorted(ALL))
def test_every_algorithm_is_taken_with_a_key_for_it(algorithm: str) -> None:
    token = Scene().check(sign(algorithm=algorithm))
    assert (token.issuer, token.id, token.subject, token.client) == (NAME, "t-1", "u-1", "app")
    assert (token.person, token.patient, token.expires) == (("Practitioner", "A1"), None, (SECOND + 3_600) * 1000)
    assert token.scopes.check("Communication", "create") is Reach.ALL


@pytest.mark.parametrize(
    "other",
    [
        {"aud": ["https://another.example", HERE]},
        {"iat": None, "nbf": None, "sub": None, "client_id": None},
        {"exp": SECOND + 0.5},
        {"nbf": SECOND + 59, "iat": SECOND + 59},
        {"exp": SECOND - 59},
        {"exp": SECOND + 24 * 3_600},
        {"fhirUser": f"{HERE}/Practitioner/A1"},
        {"unknown": {"nested": [1, {"x": None}]}},
    ],
)
def test_claims_that_are_in_order_are_taken(other: dict[str, Any]) -> None:
    assert SCENE.check(sign(claims(**other))).person == ("Practitioner", "A1")


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_types_of_access_tokens_are_taken(kind: str | None) -> None:
    assert SCENE.check(sign(typ=kind)).id == "t-1"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_is_read_as_http_reads_it(scheme: str) -> None:
    assert SCENE.tokens.check(scheme + sign()).id == "t-1"


def test_without_an_id_a_token_is_named_by_what_is_signed() -> None:
    text = sign(claims(jti=None))
    expected = hashlib.sha256(text.rpartition(".")[0].encode()).hexdigest()
    assert SCENE.check(text).id == f"sha256-{expected}"


def test_two_signatures_of_one_token_have_one_id() -> None:
    # Of an ECDSA signature (r, s) anybody can make (r, n - s): what was revoked must not come back by that.
    text = sign(claims(jti=None))
    raw = base64.urlsafe_b64decode(text.rpartition(".")[2] + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    twin = f"{text.rpartition('.')[0]}.{b64(other)}"
    scene = Scene()
    scene.revoked.add(scene.check(text).id)
    assert twin != text
    refused(twin, "was revoked", scene)


@pytest.mark.parametrize(
    "said, client",
    [
        ({"client_id": "app", "azp": "other"}, "app"),
        ({"client_id": None, "azp": "other"}, "other"),
        ({"client_id": None}, ""),
    ],
)
def test_the_client_is_what_either_standard_calls_it(said: dict[str, Any], client: str) -> None:
    assert SCENE.check(sign(claims(**said))).client == client


@pytest.mark.parametrize("said", [{"scope": "user/Patient.r"}, {"scope": None, "scp": ["openid", "user/Patient.r"]}])
def test_scopes_are_text_or_a_list(said: dict[str, Any]) -> None:
    assert SCENE.check(sign(claims(**said))).scopes.allows("Patient", "r")


SCOPE = "user/Patient.r system/Organization.r patient/CareTeam.r"


@pytest.mark.parametrize(
    "said, granted",
    [
        # What each token is good for, of the three.
        ({}, {"Patient"}),
        ({"patient": "P1"}, {"Patient", "CareTeam"}),
        ({"fhirUser": None}, {"Organization"}),
        ({"fhirUser": None, "patient": "P1"}, {"Organization"}),
    ],
)
def test_people_have_their_scopes_and_systems_theirs(said: dict[str, Any], granted: set[str]) -> None:
    token = SCENE.check(sign(claims(scope=SCOPE, **said)))
    assert {each for each in ("Patient", "Organization", "CareTeam") if token.scopes.allows(each, "r")} == granted


@pytest.mark.parametrize("said", ["P1", "Patient/P1"])
def test_the_patient_is_named_by_id_or_reference(said: str) -> None:
    assert SCENE.check(sign(claims(patient=said))).patient == "P1"


# ── Claims that are refused ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "other, said",
    [
        ({"iss": "https://evil.example"}, "an issuer that is not trusted here"),
        ({"iss": None}, "an issuer that is not trusted here"),
        ({"iss": [NAME]}, "an issuer that is not trusted here"),
        ({"iss": NAME + "/"}, "an issuer that is not trusted here"),
        ({"aud": "https://another.example"}, "for another server"),
        ({"aud": []}, "for another server"),
        ({"aud": HERE + "/"}, "for another server"),
        ({"aud": None}, "does not say for whom"),
        ({"aud": {HERE: 1}}, "does not say for whom"),
        ({"aud": [HERE, 1]}, "does not say for whom"),
        ({"exp": None}, "does not say when it ends"),
        ({"exp": SECOND - 60}, "has expired"),
        ({"exp": 0}, "has expired"),
        ({"exp": -1}, "a time that is none"),
        ({"exp": str(SECOND + 60)}, "a time that is none"),
        ({"exp": True}, "a time that is none"),
        ({"exp": [SECOND]}, "a time that is none"),
        ({"exp": 10**30}, "a time that is none"),
        ({"exp": SECOND + 24 * 3_600 + 62}, "lasts longer"),
        ({"exp": 253_402_300_799}, "lasts longer"),
        ({"nbf": SECOND + 62}, "not valid yet"),
        ({"iat": SECOND + 62}, "not valid yet"),
        ({"nbf": "soon"}, "a time that is none"),
        ({"iat": {}}, "a time that is none"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
        ({"jti": 1}, "jti is not one line"),
        ({"jti": "x" * 256}, "jti is not one line"),
        ({"jti": "a\nb"}, "jti is not one line"),
        ({"jti": "\ud800"}, "jti is not one line"),
        ({"sub": {}}, "sub is not one line"),
        ({"client_id": "x" * 151}, "client_id is too long"),
        ({"client_id": "<script>"}, "client_id is not one line"),
        ({"client_id": ["app"]}, "client_id is not one line"),
        ({"client_id": None, "azp": " padded "}, "azp is not one line"),
        ({"scope": 1}, "scope is not text"),
        ({"scope": ["user/Patient.r", 1]}, "scope is not text"),
        ({"scope": {"user/Patient.r": True}}, "scope is not text"),
        ({"fhirUser": ""}, "no person of this server"),
        ({"fhirUser": 1}, "fhirUser is not one line"),
        ({"fhirUser": "Organization/Pharmacy-A"}, "no person of this server"),
        ({"fhirUser": "Practitioner/A1/_history/1"}, "no person of this server"),
        ({"fhirUser": "Practitioner/../A1"}, "no person of this server"),
        ({"fhirUser": "Practitioner/A1\n"}, "fhirUser is not one line"),
        ({"fhirUser": "https://another.example/fhir/Practitioner/A1"}, "no person of this server"),
        ({"fhirUser": HERE + ".evil.example/Practitioner/A1"}, "no person of this server"),
        ({"fhirUser": f"{HERE}/{HERE}/Practitioner/A1"}, "no person of this server"),
        ({"fhirUser": "/Practitioner/A1"}, "no person of this server"),
        ({"patient": ""}, "no patient's id"),
        ({"patient": "Practitioner/A1"}, "no patient's id"),
        ({"patient": "P1?x=y"}, "no patient's id"),
        ({"patient": None, "jti": []}, "jti is not one line"),
    ],
)  # fmt: skip
def test_claims_that_are_not_in_order_are_refused(other: dict[str, Any], said: str) -> None:
    refused(sign(claims(**other)), said)


def test_an_issuer_may_name_people_under_its_own_base() -> None:
    scene = Scene(fhir_base="https://people.example/r4")
    assert scene.check(sign(claims(fhirUser="https://people.example/r4/Patient/P1"))).person == ("Patient", "P1")
    refused(sign(claims(fhirUser="https://people.example/r5/Patient/P1")), "no person of this server", scene)


def test_issuers_differ_in_how_long_their_tokens_may_last() -> None:
    scene = Scene(longest=600)
    refused(sign(claims(exp=SECOND + 662)), "lasts longer", scene)
    assert scene.check(sign(claims(exp=SECOND + 600))).id == "t-1"


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


# ── Remembering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def looked(scene: Scene) -> int:
    keys = scene.keys
    assert isinstance(keys, FixedKeys)
    return keys.looked


def test_a_token_is_checked_once() -> None:
    scene, text = Scene(), sign()
    assert scene.tokens.known(f"Bearer {text}") is None
    first = scene.check(text)
    assert scene.check(text) is first
    assert scene.tokens.known(f"bearer {text}") is first
    assert looked(scene) == 1


def test_what_was_refused_is_not_remembered() -> None:
    scene = Scene(FixedKeys())
    text = sign()
    for _ in range(3):
        refused(text, "a key that its issuer does not have", scene)
    assert looked(scene) == 3
    assert scene.tokens.known(f"Bearer {text}") is None
    assert isinstance(scene.keys, FixedKeys)
    scene.keys.set(EC)
    assert scene.check(text).id == "t-1"


def test_a_token_with_the_parts_of_another_is_not_the_other() -> None:
    scene = Scene()
    good, other = sign(), sign(claims(jti="t-2", fhirUser="Practitioner/B1"))
    scene.check(good)
    scene.check(other)
    mixed = ".".join([*other.split(".")[:2], good.split(".")[2]])
    refused(mixed, "signature of the token is wrong", scene)
    assert scene.check(good).person == ("Practitioner", "A1")


def test_only_so_many_are_remembered_and_bad_ones_push_none_out() -> None:
    scene = Scene(remembers=3)
    texts = [sign(claims(jti=f"t-{number}")) for number in range(4)]
    for each in texts[:3]:
        scene.check(each)
    for each in texts[:3]:
        refused(each[:-4] + ("AAAA" if each[-4:] != "AAAA" else "BBBB"), "", scene)
    assert all(scene.tokens.known(f"Bearer {each}") for each in texts[:3])
    scene.check(texts[3])
    assert [scene.tokens.known(f"Bearer {each}") is not None for each in texts] == [False, True, True, True]


def test_a_remembered_token_ends_when_it_ends() -> None:
    scene, text = Scene(), sign()
    scene.check(text)
    scene.now = Instant((SECOND + 3_600 + 60) * 1000 - 1)
    assert scene.check(text).id == "t-1"
    scene.now = Instant(scene.now + 1)
    refused(text, "has expired", scene)
    with pytest.raises(InvalidTokenError, match="has expired"):
        scene.tokens.known(f"Bearer {text}")


@pytest.mark.parametrize("named", ["t-1", "app"])
def test_a_revoked_token_or_client_counts_no_more_at_once(named: str) -> None:
    scene, text = Scene(), sign()
    scene.check(text)
    scene.revoked.add(named)
    refused(text, "was revoked", scene)
    with pytest.raises(InvalidTokenError, match="was revoked"):
        scene.tokens.known(f"Bearer {text}")
    scene.revoked.clear()
    assert scene.check(text).id == "t-1"


def test_a_key_that_is_withdrawn_ends_the_tokens_signed_with_it_at_once() -> None:
    scene, text = Scene(), sign()
    other = sign(algorithm="RS256")
    scene.check(text)
    scene.check(other)
    assert isinstance(scene.keys, FixedKeys)
    scene.keys.set(RSA)
    assert scene.tokens.known(f"Bearer {text}") is None
    refused(text, "a key that its issuer does not have", scene)
    assert scene.check(other).id == "t-1"


def test_an_issuer_signs_only_in_its_own_name() -> None:
    mine = ECKey.generate_key("P-256", {"kid": "ec"})
    scene, other = Scene(), Scene(FixedKeys(mine))
    both = Tokens(
        (scene.issuer, type(other.issuer)("https://other.example", frozenset({HERE}), ALL, other.keys)),
        revoked=lambda _: False,
        clock=lambda: NOW,
    )
    assert both.check(f"Bearer {sign()}").issuer == NAME
    assert both.check(f"Bearer {sign(claims(iss='https://other.example'), key=mine)}").issuer == "https://other.example"
    for text in (sign(key=mine), sign(claims(iss="https://other.example"))):
        with pytest.raises(InvalidTokenError, match="signature of the token is wrong"):
            both.check(f"Bearer {text}")


def test_no_two_issuers_have_one_name() -> None:
    issuer = Scene().issuer
    with pytest.raises(ConfigurationError, match="two issuers"):
        Tokens((issuer, issuer), revoked=lambda _: False)


def test_an_issuer_without_keys_is_no_fault_of_the_token() -> None:
    def nothing(_url: str) -> bytes:
        raise OSError

    with pytest.raises(IssuerUnavailableError):
        Scene(PublishedKeys("https://login.example/jwks", fetch=nothing)).check(sign())


def test_many_threads_get_the_same_answers() -> None:
    scene = Scene(remembers=5)
    texts = [sign(claims(jti=f"t-{number}")) for number in range(12)]
    wrong: list[object] = []

    def ask(start: int) -> None:
        for turn in range(60):
            number = (start + turn) % 12
            if scene.check(texts[number]).id != f"t-{number}":
                wrong.append(number)

    _together([lambda start=start: ask(start) for start in range(4)])  # type: ignore[misc]
    assert wrong == []


def _together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=each) for each in work]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
