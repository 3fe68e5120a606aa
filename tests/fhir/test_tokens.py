"""Bearer tokens: good ones of every kind are taken, and everything else is refused, without a word of it repeated."""

import base64
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey

from carethread.clock import Instant
from carethread.errors import ConfigurationError
from carethread.fhir.refusals import InvalidTokenError, IssuerUnavailableError
from carethread.fhir.scopes import Reach
from carethread.fhir.tokens import Tokens
from carethread.trust.key_sources import PublishedKeys
from tests.fhir.authorisation import (
    ALL,
    EC,
    HERE,
    NAME,
    NOW,
    RSA,
    SECOND,
    FixedKeys,
    Scene,
    b64,
    claims,
    refused,
    sign,
)

SCENE = Scene(remembers=20)


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
        ({"jti": 1}, "jti is not one by which"),
        ({"jti": "x" * 201}, "jti is not one by which"),
        ({"jti": ""}, "jti is not one by which"),
        ({"jti": "a b"}, "jti is not one by which"),
        ({"jti": "a\nb"}, "jti is not one by which"),
        ({"jti": "\ud800"}, "jti is not one by which"),
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
        ({"patient": None, "jti": []}, "jti is not one by which"),
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
