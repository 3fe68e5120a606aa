"""The installation's own key: it signs tokens for small installations and for tests, and is an issuer like others.

A P-256 key in the data directory, which only its owner can read. It is no part of a backup: a token lives for a
while, and whoever restores a backup makes another key. Replacing the key ends every token that was signed with it.
"""

import os
import stat
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey
from msgspec import Struct

from carethread.clock import Instant
from carethread.errors import ConfigurationError, StorageError
from carethread.fhir.issuers import LONGEST_S, Issuer
from carethread.ids import IdSource, ParticipantId, random_uuid
from carethread.trust.key_sources import FileKeys
from carethread.trust.keys import Key, Keys, KeySetError

FILE_NAME = "token.key"
ALGORITHM = "ES256"
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_FILE = 10_000


class LocalKey(Struct, frozen=True):
    """The key, to sign with."""

    id: str
    private: ECKey

    def public_set(self) -> dict[str, Any]:
        """Return the JSON Web Key Set that others check its tokens with."""
        return _public_set(self.private)


class Granted(Struct, frozen=True):
    """What a token is to say.

    Attributes:
        scope: SMART scopes, separated by spaces.
        lasts: seconds.
        person: such as `Practitioner/A1`; left out, the token is a system's.
        client: the program it is for.
        patient: the FHIR id of the patient that `patient/` scopes are bound to.
    """

    scope: str
    lasts: int
    person: str = ""
    client: str = ""
    patient: str = ""


class Minted(Struct, frozen=True):
    """A token, what it is revoked by, and when it ends."""

    text: str
    id: str
    expires: Instant


def local_issuer(data_dir: Path, custodian: ParticipantId) -> Issuer:
    """Return the installation as an issuer of tokens. There may be no key yet, or another later.

    Raises:
        ConfigurationError: others than its owner can read the key.
    """
    _check_kept(data_dir / FILE_NAME)
    name = issuer_name(custodian)
    keys = FileKeys(data_dir / FILE_NAME, _read_public)
    return Issuer(name, frozenset({name}), frozenset({ALGORITHM}), keys, LONGEST_S)


def issuer_name(custodian: ParticipantId) -> str:
    """Return what an installation is called in its own tokens, as their issuer and as whom they are for."""
    return f"urn:uuid:{custodian}"


def load_key(data_dir: Path, *, replace: bool = False) -> LocalKey:
    """Return the key; make it where there is none, or anew.

    Raises:
        ConfigurationError: the file holds no such key, or others can read it.
        StorageError: the file cannot be read or written.
    """
    path = data_dir / FILE_NAME
    if replace or not path.exists():
        _make(path, replace=replace)
    _check_kept(path)
    try:
        private = _read_private(path.read_bytes())
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except KeySetError as error:
        raise ConfigurationError(f"{path} {error}: `carethread token key --replace` makes another") from error
    return LocalKey(private.thumbprint(), private)


def mint(
    key: LocalKey, custodian: ParticipantId, granted: Granted, now: Instant, source: IdSource = random_uuid
) -> Minted:
    """Sign a token.

    Args:
        key: with which.
        custodian: the installation, which is issuer and audience.
        granted: what it is to say.
        now: when.
        source: where its id comes from.
    """
    name, made, token_id = issuer_name(custodian), now // 1000, str(source())
    claims: dict[str, Any] = {
        "iss": name,
        "aud": name,
        "sub": granted.person or granted.client,
        "iat": made,
        "exp": made + granted.lasts,
        "jti": token_id,
        "scope": granted.scope,
    }
    said = {"client_id": granted.client, "fhirUser": granted.person, "patient": granted.patient}
    claims |= {name: value for name, value in said.items() if value}
    text = jwt.encode({"alg": ALGORITHM, "kid": key.id, "typ": "at+jwt"}, claims, key.private, [ALGORITHM])
    return Minted(text, token_id, Instant(claims["exp"] * 1000))


def _make(path: Path, *, replace: bool) -> None:
    content = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f".{path.name}.{random_uuid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor, so that the mode is right from the start
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            # Of two processes that begin at once, one makes the key, and both use it.
            _link(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_kept(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & _FOR_OTHERS:
        raise ConfigurationError(f"{path} signs tokens and can be read by others than its owner: chmod 600 it")


def _read_private(content: bytes) -> ECKey:
    try:
        found = serialization.load_pem_private_key(content[:_MAX_FILE], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeySetError("holds no private key") from None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise KeySetError("holds no key of the curve P-256")
    return ECKey.import_key(found)


def _read_public(content: bytes) -> Keys:
    private = _read_private(content)
    return {(private.thumbprint(), "EC"): Key("EC", "P-256", ALGORITHM, ECKey.import_key(private.public_key))}


def _public_set(private: ECKey) -> dict[str, Any]:
    public = private.as_dict(private=False)
    return {"keys": [{**public, "kid": private.thumbprint(), "use": "sig", "alg": ALGORITHM}]}
