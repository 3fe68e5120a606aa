"""Commit signatures that stock `git verify-commit` accepts in SHA-256 repositories.

Two kinds. With a certificate: CMS, which Git verifies through `gpgsm` (`gpg.format x509`), and which says by whom a
public authority stands for the signer. Without: SSH (`gpg.format ssh`, `gpg.ssh.allowedSignersFile`).
"""

import binascii
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key
from msgspec import Struct

from carethread.errors import ConfigurationError, IntegrityError
from carethread.git import cms, sshsig

_CMS = (b"-----BEGIN SIGNED MESSAGE-----\n", b"-----END SIGNED MESSAGE-----\n", 64)
_SSH = (b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n", 70)
_COMMITTED = re.compile(rb"(?:[^\n]+\n)*?committer [^\n]*> ([0-9]{1,12}) [+-][0-9]{4}\n")


class SignatureKind(StrEnum):
    """How a commit is signed. That says nothing of whether anybody trusts who signed."""

    NONE = "none"
    SSH = "ssh"
    CMS = "cms"
    UNKNOWN = "unknown"


class SignatureError(IntegrityError):
    """A commit's signature is malformed, is not of this commit, or is nobody's who is trusted."""

    code = "signature"


class Signer(Protocol):
    """Signs commits."""

    def sign(self, payload: bytes) -> bytes:
        """Return the armored signature of an unsigned commit's bytes, with a final newline."""


class CmsSigner(Struct, frozen=True):
    """Signs with a certificate; the first is the signer's own, the others lead to its authority."""

    key: cms.PrivateKey
    certificates: tuple[x509.Certificate, ...]

    def sign(self, payload: bytes) -> bytes:
        """Return the armored signature."""
        return _armor(_CMS, cms.sign(payload, self.key, self.certificates))


class SshSigner(Struct, frozen=True):
    """Signs with a bare key."""

    key: sshsig.PrivateKey

    def sign(self, payload: bytes) -> bytes:
        """Return the armored signature."""
        return _armor(_SSH, sshsig.sign(payload, self.key))


class Trust(Struct, frozen=True):
    """Whose signatures count: those under these certificates, and those by these keys."""

    certificates: tuple[x509.Certificate, ...] = ()
    allowed_signers: tuple[sshsig.AllowedSigner, ...] = ()


class SignedBy(Struct, frozen=True):
    """Whose signature it is: the certificate's subject or the key's principals, and the fingerprint."""

    format: str
    name: str
    fingerprint: str


def load_signer(key: Path, certificate: Path | None = None) -> CmsSigner | SshSigner:
    """Load a private key from a PEM file, and the certificate to sign with, if any, from another.

    The certificate's file may hold further ones that lead to its authority. Without a certificate the key signs as an
    SSH key does; it may then be in OpenSSH's own format too.

    Raises:
        ConfigurationError: a file is missing or malformed, has a passphrase, or they do not belong together.
    """
    content = _read(key)
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        private = load(content, password=None)
    except TypeError:
        raise ConfigurationError(f"{key}: has a passphrase; store it without one, for the service alone") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{key}: is not a private key in PEM form ({error})") from None
    if certificate is None:
        if not isinstance(private, sshsig.PrivateKey):
            raise ConfigurationError(f"{key}: is not an Ed25519, ECDSA or RSA key")
        return SshSigner(private)
    if not isinstance(private, cms.PrivateKey):
        raise ConfigurationError(f"{key}: is not an RSA or ECDSA key, which signing with a certificate needs")
    certificates = _load_certificates(certificate)
    if certificates[0].public_key() != private.public_key():
        raise ConfigurationError(f"{certificate}: first certificate is not that of the key {key}")
    return CmsSigner(private, certificates)


def load_trust(certificates: Path | None = None, allowed_signers: Path | None = None) -> Trust:
    """Load who is trusted: authorities from a PEM file, SSH keys from a file of allowed signers.

    Raises:
        ConfigurationError: a file is missing or malformed.
    """
    signers: list[sshsig.AllowedSigner] = []
    if allowed_signers is not None:
        try:
            signers = sshsig.parse_allowed_signers(_read(allowed_signers).decode())
        except ValueError as error:
            raise ConfigurationError(f"{allowed_signers}: {error}") from None
    return Trust(() if certificates is None else _load_certificates(certificates), tuple(signers))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from None


def _load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path)))
    except ValueError as error:
        raise ConfigurationError(f"{path}: holds no certificate in PEM form ({error})") from None


def kind_of_signature(armor: bytes | None) -> SignatureKind:
    """Return of which kind a commit's signature says it is. Whether it verifies is another question."""
    if armor is None:
        return SignatureKind.NONE
    return {_CMS[0]: SignatureKind.CMS, _SSH[0]: SignatureKind.SSH}.get(
        armor[: armor.find(b"\n") + 1], SignatureKind.UNKNOWN
    )


def check_signature(payload: bytes, armor: bytes, trust: Trust) -> SignedBy:
    """Return whose signature of a commit it is; `split_signature` gives payload and armor.

    Certificates and keys must have been valid at the commit's own time.

    Raises:
        SignatureError: malformed, not a signature of this commit, or by nobody who is trusted.
    """
    committed = _COMMITTED.match(payload)
    if committed is None:
        raise SignatureError("commit has no time")
    seconds = int(committed[1])
    try:
        if armor.startswith(_CMS[0]):
            at = datetime.fromtimestamp(seconds, UTC)
            certificate = cms.verify(payload, _unarmor(_CMS, armor), trust.certificates, at)
            return SignedBy("cms", certificate.subject.rfc4514_string(), certificate.fingerprint(SHA256()).hex())
        signer = sshsig.verify(payload, _unarmor(_SSH, armor), trust.allowed_signers, seconds)
        return SignedBy("ssh", signer.principals, sshsig.fingerprint(signer.key))
    except (ValueError, OverflowError) as error:
        raise SignatureError(f"signature: {error}") from None


def _armor(form: tuple[bytes, bytes, int], content: bytes) -> bytes:
    begin, end, width = form
    text = b64encode(content)
    lines = [text[at : at + width] + b"\n" for at in range(0, len(text), width)]
    return b"".join((begin, *lines, end))


def _unarmor(form: tuple[bytes, bytes, int], armor: bytes) -> bytes:
    begin, end, _ = form
    if not armor.startswith(begin) or not armor.endswith(end):
        raise ValueError("not a CMS or SSH signature")
    try:
        return b64decode(armor[len(begin) : -len(end)].replace(b"\n", b""), validate=True)
    except binascii.Error:
        raise ValueError("not a CMS or SSH signature in base64") from None
