"""The installation's own key, and the tokens it signs."""

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from carethread.clock import Instant
from carethread.errors import ConfigurationError, StorageError
from carethread.fhir.issuers import LONGEST_S
from carethread.fhir.local_key import FILE_NAME, Granted, LocalKey, issuer_name, load_key, local_issuer, mint
from carethread.fhir.refusals import InvalidTokenError, IssuerUnavailableError
from carethread.fhir.scopes import Context, Reach
from carethread.fhir.tokens import Tokens
from carethread.ids import ParticipantId
from carethread.trust.keys import read_key_set
from tests.fhir.authorisation import NOW

ME = ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12")
OTHER = ParticipantId("a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3")
PERSON = Granted("user/Communication.crs", 3_600, "Practitioner/A1", "curl")


def tokens_of(folder: Path, custodian: ParticipantId = ME) -> Tokens:
    return Tokens((local_issuer(folder, custodian),), revoked=lambda _: False, clock=lambda: NOW)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    assert load_key(tmp_path).id == key.id
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_those_who_make_it_at_once_use_the_same(tmp_path: Path) -> None:
    found: list[LocalKey] = []
    threads = [threading.Thread(target=lambda: found.append(load_key(tmp_path))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.id for each in found}) == 1


def test_a_token_says_what_was_granted(tmp_path: Path) -> None:
    minted = mint(load_key(tmp_path), ME, PERSON, NOW)
    token = tokens_of(tmp_path).check(f"Bearer {minted.text}")
    assert (token.id, token.expires) == (minted.id, minted.expires)
    assert (token.person, token.client, token.subject) == (("Practitioner", "A1"), "curl", "Practitioner/A1")
    assert (token.issuer, token.patient) == (issuer_name(ME), None)
    assert token.scopes.check("Communication", "create") is Reach.ALL


def test_a_system_has_a_token_and_a_patient_bounds_one(tmp_path: Path) -> None:
    key, tokens = load_key(tmp_path), tokens_of(tmp_path)
    system = tokens.check(f"Bearer {mint(key, ME, Granted('system/*.rs', LONGEST_S, client='hub'), NOW).text}")
    assert (system.person, system.client, system.subject) == (None, "hub", "hub")
    assert set(system.scopes.grants) == {f"{Context.SYSTEM}/*"}
    bound = tokens.check(f"Bearer {mint(key, ME, Granted('patient/*.rs', 60, 'Patient/P1', patient='P1'), NOW).text}")
    assert (bound.patient, bound.scopes.check("Communication", "read")) == ("P1", Reach.PATIENT)


def test_it_lasts_no_longer_than_it_may(tmp_path: Path) -> None:
    long = mint(load_key(tmp_path), ME, Granted("", LONGEST_S + 120, "Practitioner/A1"), NOW)
    with pytest.raises(InvalidTokenError, match="lasts longer"):
        tokens_of(tmp_path).check(f"Bearer {long.text}")


def test_another_installation_takes_none_of_it(tmp_path: Path) -> None:
    minted = mint(load_key(tmp_path), OTHER, PERSON, NOW)
    with pytest.raises(InvalidTokenError, match="an issuer that is not trusted here"):
        tokens_of(tmp_path).check(f"Bearer {minted.text}")


def test_another_key_ends_the_tokens_of_the_old_one_at_once(tmp_path: Path) -> None:
    old = load_key(tmp_path)
    text, tokens = mint(old, ME, PERSON, NOW).text, tokens_of(tmp_path)
    tokens.check(f"Bearer {text}")
    new = load_key(tmp_path, replace=True)
    assert new.id != old.id
    assert tokens.known(f"Bearer {text}") is None
    with pytest.raises(InvalidTokenError, match="does not have"):
        tokens.check(f"Bearer {text}")
    assert tokens.check(f"Bearer {mint(new, ME, PERSON, NOW).text}").client == "curl"
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_a_server_may_begin_before_there_is_a_key(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(IssuerUnavailableError):
        tokens.check(f"Bearer {mint(load_key(elsewhere), ME, PERSON, NOW).text}")
    assert tokens.check(f"Bearer {mint(load_key(tmp_path), ME, PERSON, NOW).text}").client == "curl"


def test_the_public_set_has_no_private_part(tmp_path: Path) -> None:
    import json  # noqa: PLC0415 - only here

    key = load_key(tmp_path)
    told = key.public_set()
    assert set(told["keys"][0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert set(read_key_set(json.dumps(told).encode())) == {(key.id, "EC")}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    for ask in (lambda: load_key(tmp_path), lambda: local_issuer(tmp_path, ME)):
        with pytest.raises(ConfigurationError, match="chmod 600"):
            ask()


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"x", pem(ec.generate_private_key(ec.SECP384R1())), pem(rsa.generate_private_key(65_537, 2_048)),
     ec.generate_private_key(ec.SECP256R1()).private_bytes(
         serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))],
    ids=["nothing", "no key", "another curve", "RSA", "encrypted"],
)  # fmt: skip
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    load_key(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match="token key --replace"):
        load_key(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(IssuerUnavailableError):
        tokens_of(tmp_path).check(f"Bearer {mint(load_key(other), ME, PERSON, Instant(NOW)).text}")


def test_a_disk_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        load_key(tmp_path / "absent")
    load_key(tmp_path)

    def fail(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(StorageError, match=r"cannot read .*: Permission denied"):
        load_key(tmp_path)
