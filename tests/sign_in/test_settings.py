"""From the settings to what signs people in: whatever is wrong names its remedy, and no secret."""

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from carethread.app.sign_in import sign_in_of
from carethread.clock import Instant, system_clock
from carethread.errors import ConfigurationError
from carethread.settings import Settings
from carethread.web.authentication import Authentication, Method
from carethread.web.openid import OpenId
from tests.sign_in.people import ADDRESS, SECRET, Browser, RealProvider

KEY = bytes(range(32))


def of(folder: Path, **said: str) -> OpenId | None:
    """Return what signs in with these settings; a value that is a file's is its content."""
    environ = {}
    for name, value in {"issuer": "https://login.example", "client_id": "basic", **said}.items():
        given = value
        if name in ("client_secret", "client_key"):
            file = folder / name
            file.write_bytes(value.encode())
            given = str(file)
        environ[f"CARETHREAD_SIGN_IN_{name.upper()}"] = given
    return sign_in_of(Settings.load(environ), f"{ADDRESS}/", KEY, system_clock, bases=(f"{ADDRESS}/fhir/",))


def test_whoever_names_no_provider_signs_nobody_in() -> None:
    assert sign_in_of(Settings(), ADDRESS, KEY, lambda: Instant(0)) is None


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nand a remark\n"])
def test_somebody_signs_in_as_the_settings_say(
    real: RealProvider, browser: Browser, tmp_path: Path, ending: str
) -> None:  # fmt: skip
    settings = {"client_secret": SECRET + ending, "client_authentication": "client_secret_basic"}
    signing = of(tmp_path, issuer=real.issuer, scope="openid", **settings)
    assert signing is not None
    begun = signing.begin("/")
    assert signing.finish(browser.sign_in(begun.location), begun.cookie).meant == "Practitioner/A1"


@pytest.mark.parametrize(
    "said, scope",
    [({}, "openid+fhirUser"), ({"claim": "Practitioner/{sub}"}, "openid"), ({"scope": "openid x"}, "openid+x")],
)
def test_what_is_asked_for(real: RealProvider, tmp_path: Path, said: dict[str, str], scope: str) -> None:
    signing = of(tmp_path, issuer=real.issuer, **said)
    assert signing is not None
    assert f"&scope={scope}&" in signing.begin("/").location


@pytest.mark.parametrize(
    "said, remedy",
    [
        ({"issuer": ""}, "set CARETHREAD_SIGN_IN_ISSUER as well"),
        ({"client_id": ""}, "set CARETHREAD_SIGN_IN_CLIENT_ID as well"),
        ({"client_secret": "x", "client_key": "x"}, "leave one of them out"),
        ({"client_authentication": "client_secret_post"}, "set CARETHREAD_SIGN_IN_CLIENT_SECRET, or leave it out"),
        ({"client_secret": "x", "client_authentication": "tls"}, "say client_secret_basic or client_secret_post"),
        ({"client_secret": ""}, "write there what the provider gave"),
        ({"client_secret": "\nhidden"}, "write there what the provider gave"),
        ({"client_secret": "hidden\x00"}, "write there what the provider gave"),
        ({"client_secret": "hiddén"}, "write there what the provider gave"),
        ({"client_secret": "hidden" * 1_000}, "write there what the provider gave"),
        ({"client_key": "hidden"}, "name a PEM file without a password"),
        ({"issuer": "http://login.example"}, "such as https://login.example"),
        ({"issuer": "https://login.example?tenant=1"}, "such as https://login.example"),
        ({"issuer": "https://[login.example"}, "such as https://login.example"),
        ({"scope": "profile"}, "lacks openid: add it"),
        ({"claim": "fhirUser"}, "such as {fhirUser}"),
        ({"claim": "{a}{b}"}, "such as {fhirUser}"),
    ],
)
def test_a_wrong_setting_names_its_remedy_and_no_secret(tmp_path: Path, said: dict[str, str], remedy: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        of(tmp_path, **said)
    assert remedy in str(raised.value)
    assert "hidd" not in str(raised.value)


def test_a_file_that_went_away(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(ConfigurationError, match="let the server read it"):
        sign_in_of(
            Settings(sign_in_issuer="https://x.example", sign_in_client_id="x", sign_in_client_key=absent),
            ADDRESS,
            KEY,
            system_clock,
        )


@pytest.mark.parametrize(
    "key, algorithm",
    [
        (RSAKey.generate_key(2048), "RS256"),
        (ECKey.generate_key("P-256"), "ES256"),
        (ECKey.generate_key("P-384"), "ES384"),
        (ECKey.generate_key("P-521"), "ES512"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
)
def test_keys_that_can_be_used(key: Any, algorithm: str) -> None:
    authentication = Authentication(private=key.as_pem(private=True))
    shown = authentication.public_key()
    assert (shown["alg"], shown["kid"], "d" in shown) == (algorithm, key.thumbprint(), False)
    assert authentication.method(()) is Method.PRIVATE_KEY


@pytest.mark.parametrize("key", [ECKey.generate_key("secp256k1"), OKPKey.generate_key("X25519")])
def test_keys_that_cannot(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="a key of another kind"):
        Authentication(private=key.as_pem(private=True))


def test_a_key_with_a_password_cannot() -> None:
    with pytest.raises(ConfigurationError, match="without a password"):
        Authentication(private=ECKey.generate_key("P-256").as_pem(private=True, password="secret"))


@pytest.mark.parametrize(
    "supported, method",
    [
        (("client_secret_post", "client_secret_basic"), Method.SECRET_BASIC),
        (("private_key_jwt", "client_secret_post"), Method.SECRET_POST),
        ((), Method.SECRET_BASIC),
    ],
)
def test_a_secret_is_shown_as_the_provider_takes_it(supported: tuple[str, ...], method: Method) -> None:
    assert Authentication("secret").method(supported) is method
    assert Authentication("secret", method=Method.SECRET_POST).method(supported) is Method.SECRET_POST
    assert Authentication().method(supported) is Method.NONE


def test_what_is_shown_is_never_put_into_words() -> None:
    assert Authentication().public_key() == {}
    assert SECRET not in repr(Authentication(SECRET)) + str(Authentication(SECRET))
