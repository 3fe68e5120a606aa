"""The file of issuers, and what a client is told of them."""

from pathlib import Path

import pytest

from carethread.errors import ConfigurationError
from carethread.fhir.issuers import Issuer, load_issuers, read_duration
from carethread.fhir.smart import smart_configuration
from carethread.fhir.tokens import Tokens
from carethread.trust.key_sources import FileKeys, PublishedKeys
from tests.fhir.authorisation import ALL, EC, EVERY, HERE, NAME, NOW, FixedKeys, key_set, sign

WHOLE = """
[[issuer]]
issuer = "https://login.example"
audience = "https://care.example/fhir"
algorithms = ["ES256", "RS256"]
keys_file = "jwks.json"

[[issuer]]
issuer = "https://national.example"
audience = ["https://care.example/fhir", "urn:care"]
algorithms = ["PS256"]
keys_url = "https://national.example/jwks"
longest = "10m"
fhir_base = "https://national.example/r4/"
authorization_endpoint = "https://national.example/authorize"
token_endpoint = "https://national.example/token"
capabilities = ["launch-standalone"]
"""
ONE = WHOLE.split("\n\n", maxsplit=1)[0]


def load(folder: Path, content: str) -> tuple[Issuer, ...]:
    (folder / "jwks.json").write_bytes(key_set(*EVERY))
    (folder / "empty.json").write_text('{"keys": []}')
    (folder / "broken.json").write_text("{")
    file = folder / "issuers.toml"
    file.write_text(content)
    return load_issuers(file)


def test_all_of_it(tmp_path: Path) -> None:
    first, second = load(tmp_path, WHOLE)
    assert isinstance(first.keys, FileKeys)
    assert isinstance(second.keys, PublishedKeys)
    assert first == Issuer(NAME, frozenset({HERE}), frozenset({"ES256", "RS256"}), first.keys)
    assert second == Issuer(
        "https://national.example",
        frozenset({HERE, "urn:care"}),
        frozenset({"PS256"}),
        second.keys,
        600,
        "https://national.example/r4",
        "https://national.example/authorize",
        "https://national.example/token",
        ("launch-standalone",),
    )
    tokens = Tokens((first, second), revoked=lambda _: False, clock=lambda: NOW)
    assert tokens.check(f"Bearer {sign()}").issuer == NAME


@pytest.mark.parametrize(
    "url", ["https://x.example/jwks", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"]
)
def test_keys_come_by_https_or_from_this_machine(tmp_path: Path, url: str) -> None:
    load(tmp_path, ONE.replace('keys_file = "jwks.json"', f'keys_url = "{url}"'))


@pytest.mark.parametrize(
    "before, after, said",
    [
        ('issuer = "https', 'issuer = "" #', "must say something"),
        ('audience = "https', 'audience = "" #', "must say something"),
        ('audience = "https', "audience = [] #", "must say something"),
        ('audience = "https', 'audience = ["x", ""] #', "must say something"),
        ('audience = "https', "audience = 1 #", "not in order"),
        ('audience = "https', "#", "not in order"),
        ('["ES256", "RS256"]', "[]", "algorithms must be some of"),
        ('["ES256", "RS256"]', '["HS256"]', "algorithms must be some of"),
        ('["ES256", "RS256"]', '["none", "ES256"]', "algorithms must be some of"),
        ('keys_file = "jwks.json"', "", "say where its keys are"),
        ('keys_file = "jwks.json"', 'keys_file = "x"\nkeys_url = "https://x.example"', "say where its keys are"),
        ('keys_file = "jwks.json"', 'keys_file = "absent.json"', "cannot read the keys"),
        ('keys_file = "jwks.json"', 'keys_file = "broken.json"', "is no JSON Web Key Set"),
        ('keys_file = "jwks.json"', 'keys_file = "empty.json"', "no key in"),
        ('keys_file = "jwks.json"', 'keys_url = "http://x.example/"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "http://localhost.evil.example/"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "file:///etc/passwd"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "https://"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "https://[::1"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "https://x.example:port/"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_url = "https://user:pass@x.example/"', "must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_file = "jwks.json"\nfhir_base = "x"', "fhir_base must be an https URL"),
        ('keys_file = "jwks.json"', 'keys_file = "jwks.json"\ntoken_endpoint = "x"', "token_endpoint must be"),
        ('keys_file = "jwks.json"', 'keys_file = "jwks.json"\nlongest = "soon"', "longest must be a time"),
        ('keys_file = "jwks.json"', 'keys_file = "jwks.json"\nlongest = "91d"', "longest must be a time"),
        ('keys_file = "jwks.json"', 'keys_file = "jwks.json"\nleeway = "1h"', "not in order"),
        ("[[issuer]]", "[[issuers]]", "not in order"),
        ("[[issuer]]", "[[issuer", "not in order"),
        ("[[issuer]]", ONE + "\n[[issuer]]", "stands there twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path, ONE.replace(before, after, 1))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the issuers"):
        load_issuers(tmp_path / "absent.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not in order"):
        load_issuers(tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    "text, seconds",
    [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800), ("0h", None), ("1", None), ("h", None), ("", None),
     ("1w", None), ("-1h", None), ("1.5h", None), ("1h ", None), ("1h30m", None), ("٣h", None), ("10000000s", None)],
)  # fmt: skip
def test_durations(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


# ── What a client is told ─────────────────────────────────────────────────────────────────────────────────────────────

DONE = {"Communication": ("read", "search-type", "create"), "AuditEvent": ("search-type",), "Binary": ()}


def issuer(**more: str) -> Issuer:
    return Issuer(NAME, frozenset({HERE}), ALL, FixedKeys(EC), **more)  # type: ignore[arg-type]


def test_where_nobody_gives_tokens_there_is_nothing_to_say() -> None:
    assert smart_configuration((), DONE) is None
    assert smart_configuration((issuer(),), DONE) is None


def test_the_smart_configuration() -> None:
    scopes = [
        "patient/AuditEvent.s", "user/AuditEvent.s", "system/AuditEvent.s",
        "patient/Communication.crs", "user/Communication.crs", "system/Communication.crs",
    ]  # fmt: skip
    told = issuer(
        token_endpoint="https://login.example/token", authorization_endpoint="https://login.example/authorize"
    )
    assert smart_configuration((issuer(), told), DONE) == {
        "token_endpoint": "https://login.example/token",
        "authorization_endpoint": "https://login.example/authorize",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": scopes,
        "capabilities": ["permission-patient", "permission-user", "permission-v1", "permission-v2"],
    }
    only = smart_configuration((issuer(token_endpoint="https://login.example/token"),), {})
    assert only is not None
    assert (only["grant_types_supported"], only["scopes_supported"]) == (["client_credentials"], [])
