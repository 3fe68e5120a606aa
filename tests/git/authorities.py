"""Keys, certificates and authorities made for a test, and stock programs set up to trust them."""

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.git.histories import AUTHOR

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
AT = dt.datetime.fromtimestamp(AUTHOR.seconds, dt.UTC)
_YEAR = dt.timedelta(days=365)


class Identity:
    """A key and its certificate."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate

    def write(self, folder: Path, *chain: x509.Certificate) -> tuple[Path, Path]:
        """Write key and certificates as PEM files; return their paths."""
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *chain)))
        return key, certificate


def certify(
    name: str,
    issuer: Identity | None = None,
    *,
    key: PrivateKey | None = None,
    authority: bool = False,
    path_length: int | None = None,
    begins: dt.datetime = AT - _YEAR,
    ends: dt.datetime = AT + 20 * _YEAR,
    extensions: Sequence[x509.ExtensionType] | None = None,
) -> Identity:
    """Make an identity, its certificate issued by another one or by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if extensions is None:
        extensions = [x509.BasicConstraints(authority, path_length), usage(signs=not authority, certifies=authority)]
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    signing = key if issuer is None else issuer.key
    return Identity(key, builder.sign(signing, hashes.SHA256()))


def usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs, content_commitment=False, key_encipherment=not (signs or certifies),
        data_encipherment=False, key_agreement=False, key_cert_sign=certifies, crl_sign=certifies,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def openssh_public(key: PrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def gnupg_home(folder: Path, *trusted: x509.Certificate) -> dict[str, str]:
    """Set up a home in which `gpgsm` trusts these certificates; return the environment that names it."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    fingerprints = [each.fingerprint(hashes.SHA1()).hex().upper() for each in trusted]  # noqa: S303 - gpgsm's own
    (home / "trustlist.txt").write_text("".join(f"{each} S relax\n" for each in fingerprints))
    (home / "gpgsm.conf").write_text("disable-crl-checks\nno-secmem-warning\n")
    (home / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")
    return {**os.environ, "GNUPGHOME": str(home)}
