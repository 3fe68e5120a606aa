"""Signatures that stock Git verifies, and what is not taken for one.

Long because both kinds of signature, and every fault of each, are tried on the same commits.
"""

import datetime as dt
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from carethread.errors import ConfigurationError, IntegrityError
from carethread.git import cms, der, sshsig
from carethread.git.objects import split_signature
from carethread.git.signatures import (
    CmsSigner,
    SignatureError,
    SshSigner,
    Trust,
    check_signature,
    load_signer,
    load_trust,
)
from tests.git.authorities import AT, Identity, certify, gnupg_home, openssh_public, usage
from tests.git.histories import AUTHOR, Journal, flush, git

PAYLOAD = b"tree 0\nauthor A <a@b> 1 +0000\ncommitter C <c@d> %d +0000\n\nmessage\n" % AUTHOR.seconds
_DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> Identity:
    return certify("Test Authority", authority=True)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def gnupg(tmp_path_factory: pytest.TempPathFactory, authority: Identity) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("gpg")
    environment = gnupg_home(folder, authority.certificate)
    pem = folder / "authority.pem"
    pem.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    subprocess.run(["gpgsm", "--batch", "--import", str(pem)], env=environment, check=True, capture_output=True)
    yield environment
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True)


def _signed_record(path: Path, signer: CmsSigner | SshSigner) -> Journal:
    journal = Journal(signer=signer)
    journal.initialise()
    folder = journal.thread()
    for _ in range(4):
        journal.message(folder)
    flush(path, journal.steps)
    return journal


# ── As stock programs see it ──────────────────────────────────────────────────────────────────────────────────────────


needs_gpgsm = pytest.mark.skipif(shutil.which("gpgsm") is None, reason="gpgsm is not installed")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@needs_gpgsm
@pytest.mark.parametrize("kind", ["ecdsa", "rsa", "intermediate"])
def test_stock_git_verifies_a_signature_with_a_certificate(
    tmp_path: Path, authority: Identity, gnupg: dict[str, str], rsa_key: rsa.RSAPrivateKey, kind: str
) -> None:
    chain: list[x509.Certificate] = []
    issuer = authority
    if kind == "intermediate":
        issuer = certify("Intermediate", authority, authority=True, path_length=0)
        chain = [issuer.certificate]
    identity = certify("Carethread at Oxford", issuer, key=rsa_key if kind == "rsa" else None)
    signer = load_signer(*identity.write(tmp_path, *chain))
    journal = _signed_record(tmp_path / "record", signer)
    assert git(tmp_path / "record", "fsck", "--full", "--strict") == b""
    ran = subprocess.run(
        ["git", "-C", str(tmp_path / "record"), "-c", "gpg.format=x509", "verify-commit", "--verbose", "HEAD"],
        env=gnupg, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"Good signature" in ran.stderr
    payload, armor = split_signature(journal.steps[-1].commit)
    assert armor is not None
    signed_by = check_signature(payload, armor, Trust((authority.certificate,)))
    assert (signed_by.format, signed_by.name) == ("cms", "CN=Carethread at Oxford")
    assert signed_by.fingerprint == identity.certificate.fingerprint(hashes.SHA256()).hex()


def _openssl_sign(folder: Path, identity: Identity, *options: str, payload: bytes = PAYLOAD) -> bytes:
    key, certificate = identity.write(folder)
    made = subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", str(certificate), "-inkey", str(key),
         *options],
        input=payload, capture_output=True, check=True,
    )  # fmt: skip
    return made.stdout


def _armor(content: bytes) -> bytes:
    return b"-----BEGIN SIGNED MESSAGE-----\n" + b64encode(content) + b"\n-----END SIGNED MESSAGE-----\n"


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_what_openssl_signs_is_verified(
    tmp_path: Path, authority: Identity, rsa_key: rsa.RSAPrivateKey, digest: str, kind: str
) -> None:
    identity = certify("Somebody", authority, key=rsa_key if kind == "rsa" else None)
    signature = _openssl_sign(tmp_path, identity, "-md", digest)
    assert check_signature(PAYLOAD, _armor(signature), Trust((authority.certificate,))).name == "CN=Somebody"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["-noattr"], "nothing is attributed"),
        (["-nodetach"], "detached"),
        (["-nocerts"], "certificate of the signer is missing"),
        (["-keyid"], "not named by certificate"),
        (["-md", "sha1"], "digest is none of"),
        (["-econtent_type", "1.2.3.4"], "detached signature of plain data"),
    ],
)
def test_other_forms_of_openssl_are_refused(
    tmp_path: Path, authority: Identity, options: list[str], fault: str
) -> None:
    extensions = [
        usage(signs=True, certifies=False),
        x509.SubjectKeyIdentifier(b"identifier"),
    ]
    identity = certify("Somebody", authority, extensions=extensions)
    signature = _openssl_sign(tmp_path, identity, *options)
    with pytest.raises(SignatureError, match=fault):
        check_signature(PAYLOAD, _armor(signature), Trust((authority.certificate,)))


def test_rsa_with_another_padding_is_refused(tmp_path: Path, authority: Identity, rsa_key: rsa.RSAPrivateKey) -> None:
    identity = certify("Somebody", authority, key=rsa_key)
    signature = _openssl_sign(tmp_path, identity, "-keyopt", "rsa_padding_mode:pss")
    with pytest.raises(SignatureError, match="not RSA"):
        check_signature(PAYLOAD, _armor(signature), Trust((authority.certificate,)))


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-256", "ecdsa-521", "rsa"])
def test_stock_git_verifies_a_signature_with_an_ssh_key(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, kind: str) -> None:
    keys: dict[str, sshsig.PrivateKey] = {
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ecdsa-256": ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-521": ec.generate_private_key(ec.SECP521R1()),
        "rsa": rsa_key,
    }
    key = keys[kind]
    fingerprints = set()
    file = tmp_path / "key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    journal = _signed_record(tmp_path / "record", load_signer(file))
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"# who may sign\n\ncarethread@records.example {openssh_public(key)} the service\n")
    for step in journal.steps:
        git(
            tmp_path / "record", "-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}",
            "verify-commit", step.commit_id.hex(),
        )  # fmt: skip
        payload, armor = split_signature(step.commit)
        assert armor is not None
        signed_by = check_signature(payload, armor, load_trust(allowed_signers=allowed))
        assert (signed_by.format, signed_by.name) == ("ssh", "carethread@records.example")
        fingerprints.add(signed_by.fingerprint)
    file.with_suffix(".pub").write_text(openssh_public(key))
    shown = subprocess.run(["ssh-keygen", "-lf", f"{file}.pub"], capture_output=True, check=True).stdout.decode()
    assert fingerprints == {shown.split()[1]}


@needs_ssh
@pytest.mark.parametrize("arguments", [["-t", "ed25519"], ["-t", "ecdsa"], ["-t", "rsa", "-b", "2048"]])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_verified(tmp_path: Path, arguments: list[str], digest: str) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(key), *arguments], check=True, capture_output=True)
    made = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(key), "-O", f"hashalg={digest}"],
        input=PAYLOAD, check=True, capture_output=True,
    )  # fmt: skip
    allowed = tmp_path / "allowed"
    allowed.write_text(f'who,else namespaces="file,git" {(tmp_path / "key.pub").read_text()}')
    assert check_signature(PAYLOAD, made.stdout, load_trust(allowed_signers=allowed)).name == "who,else"
    assert load_signer(key).sign(PAYLOAD).startswith(b"-----BEGIN SSH SIGNATURE-----\n")


# ── Whose signatures count ────────────────────────────────────────────────────────────────────────────────────────────


def _check_cms(signer: Identity, *chain: Identity, trusted: Identity, payload: bytes = PAYLOAD) -> None:
    certificates = tuple(each.certificate for each in (signer, *chain))
    armor = CmsSigner(signer.key, certificates).sign(PAYLOAD)
    check_signature(payload, armor, Trust((trusted.certificate,)))


def test_chains_lead_to_an_authority(authority: Identity) -> None:
    middle = certify("Middle", authority, authority=True, path_length=1)
    lower = certify("Lower", middle, authority=True, path_length=0)
    signer = certify("Signer", lower)
    stranger = certify("Stranger", authority=True)
    _check_cms(signer, stranger, lower, middle, trusted=authority)
    _check_cms(signer, lower, trusted=middle)
    _check_cms(signer, trusted=signer)
    alone = certify("Alone")
    _check_cms(alone, trusted=alone)
    # Without any statement about what a key is for, everything is allowed but issuing.
    plain_root = certify("Plain root", extensions=[x509.BasicConstraints(ca=True, path_length=None)])
    _check_cms(certify("Plain", plain_root, extensions=[]), trusted=plain_root)


def test_chains_that_lead_nowhere_are_refused(authority: Identity) -> None:
    not_trusted = "does not lead to a trusted one"
    stranger = certify("Test Authority", authority=True)
    lower = certify("Lower", authority, authority=True, path_length=0)
    too_deep = certify("Too deep", lower, authority=True)
    no_authority = certify("No authority", authority)
    no_issuer = certify(
        "No issuer", authority,
        extensions=[x509.BasicConstraints(ca=True, path_length=None), usage(signs=True, certifies=False)],
    )  # fmt: skip
    bare = certify("Bare", authority, extensions=[])
    with pytest.raises(SignatureError, match=not_trusted):
        _check_cms(certify("Signer", stranger), stranger, trusted=authority)
    for issuers in ([too_deep, lower], [no_authority], [no_issuer], [bare], []):
        signer = certify("Signer", issuers[0] if issuers else stranger)
        with pytest.raises(SignatureError, match=not_trusted):
            _check_cms(signer, *issuers, trusted=authority)
    one = certify("One", authority=True)
    two = certify("Two", one, authority=True)
    circle = certify("One", two, key=one.key, authority=True)
    with pytest.raises(SignatureError, match=not_trusted):
        _check_cms(certify("Signer", two), two, circle, trusted=authority)
    with pytest.raises(SignatureError, match="not for signatures"):
        _check_cms(certify("Signer", authority, extensions=[usage(signs=False, certifies=False)]), trusted=authority)


def test_certificates_must_have_been_valid_at_the_commit(authority: Identity) -> None:
    past = certify("Past", authority, ends=AT - _DAY)
    future = certify("Future", authority, begins=AT + _DAY)
    expired = certify("Expired", authority=True, ends=AT - _DAY)
    for signer, trusted in ((past, authority), (future, authority), (certify("Signer", expired), expired)):
        with pytest.raises(SignatureError, match="not valid at the time"):
            _check_cms(signer, trusted=trusted)


def test_a_signature_is_of_one_commit_and_by_one_key(authority: Identity, rsa_key: rsa.RSAPrivateKey) -> None:
    signer = certify("Signer", authority)
    with pytest.raises(SignatureError, match="not this commit"):
        _check_cms(signer, trusted=authority, payload=PAYLOAD + b"x")
    signature = cms.sign(PAYLOAD, signer.key, [signer.certificate])
    trust = Trust((authority.certificate,))
    # The same issuer and serial number, another key.
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa_key):
        forged = _same_number(signer, key, authority)
        replaced = _with_certificate(signature, forged)
        with pytest.raises(SignatureError, match=r"does not fit|not RSA"):
            check_signature(PAYLOAD, _armor(replaced), trust)


def _same_number(identity: Identity, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, issuer: Identity) -> bytes:
    certificate = identity.certificate
    builder = (
        x509.CertificateBuilder(certificate.issuer, certificate.subject, key.public_key(), certificate.serial_number)
        .not_valid_before(AT - _DAY)
        .not_valid_after(AT + _DAY)
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _encode(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    number = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(number))) + number + body


def _rebuild(signature: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    """Take signed data apart, change its fields, and put it together again."""
    content_type, content = der.parse(signature).children()
    fields = [each.encoded for each in der.parse(content.content).children()]
    change(fields)
    return _encode(0x30, content_type.encoded, _encode(0xA0, _encode(0x30, *fields)))


def _with_certificate(signature: bytes, certificate: bytes) -> bytes:
    return _rebuild(signature, lambda fields: fields.__setitem__(3, _encode(0xA0, certificate)))


def _rebuild_signer(signature: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    def apply(fields: list[bytes]) -> None:
        (signer,) = der.parse(fields[-1]).children()
        parts = [each.encoded for each in signer.children()]
        change(parts)
        fields[-1] = _encode(0x31, _encode(0x30, *parts))

    return _rebuild(signature, apply)


def test_hostile_signed_data_is_refused(authority: Identity) -> None:
    signer = certify("Signer", authority)
    signature = cms.sign(PAYLOAD, signer.key, [signer.certificate])
    trust = Trust((authority.certificate,))
    check_signature(PAYLOAD, _armor(_rebuild(signature, lambda _: None)), trust)
    check_signature(PAYLOAD, _armor(_rebuild_signer(signature, lambda parts: parts.append(_encode(0xA1)))), trust)

    def two_signers(fields: list[bytes]) -> None:
        fields[-1] = _encode(0x31, der.parse(fields[-1]).content * 2)

    def no_attributes(parts: list[bytes]) -> None:
        del parts[3]

    def repeated(parts: list[bytes]) -> None:
        parts[3] = _encode(0xA0, der.parse(parts[3]).content, der.parse(parts[3]).children()[0].encoded)

    def no_digest(parts: list[bytes]) -> None:
        digest = der.encode_oid("1.2.840.113549.1.9.4")
        parts[3] = _encode(0xA0, *[a.encoded for a in der.parse(parts[3]).children() if digest not in a.encoded])

    def other_content(parts: list[bytes]) -> None:
        parts[3] = parts[3].replace(der.encode_oid("1.2.840.113549.1.7.1"), der.encode_oid("1.2.840.113549.1.7.5"))

    def extra_attribute(parts: list[bytes]) -> None:
        extra = _encode(0x30, _encode(0x06, der.encode_oid("1.2.3")), _encode(0x31, _encode(0x04, b"x")))
        parts[3] = _encode(0xA0, der.parse(parts[3]).content, extra)

    number = der.parse(signer.certificate.tbs_certificate_bytes).children()[1].encoded
    numberless = signer.certificate.public_bytes(Encoding.DER).replace(number, _encode(0x02, bytes(len(number) - 2)), 1)

    hostile = {
        "no proper number": _with_certificate(signature, numberless),
        "one signer": _rebuild(signature, two_signers),
        "nothing is attributed": _rebuild_signer(signature, no_attributes),
        "repeated": _rebuild_signer(signature, repeated),
        "not this commit": _rebuild_signer(signature, no_digest),
        "not this  *commit": _rebuild_signer(signature, other_content),
        "does not fit": _rebuild_signer(signature, extra_attribute),
        "not signed data": signature.replace(
            der.encode_oid("1.2.840.113549.1.7.2"), der.encode_oid("1.2.840.113549.1.7.3"), 1
        ),
        "truncated": signature[:-1],
        "not one element": signature + b"\x30\x00",
        "not a signature this can verify": _rebuild(signature, lambda fields: fields.__setitem__(slice(1, None), [])),
    }
    for fault, content in hostile.items():
        with pytest.raises(SignatureError, match=fault.replace("  *", " ")):
            check_signature(PAYLOAD, _armor(content), trust)


def test_no_damaged_byte_makes_another_valid_signature(authority: Identity) -> None:
    signer = certify("Signer", authority)
    signature = cms.sign(PAYLOAD, signer.key, [signer.certificate])
    trust = Trust((authority.certificate,))
    accepted = 0
    for at in range(len(signature)):
        damaged = signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :]
        try:
            assert check_signature(PAYLOAD, _armor(damaged), trust).name == "CN=Signer"
            accepted += 1
        except SignatureError:
            pass
    # What is left is not part of what says who signed what: version numbers and lists of algorithms.
    assert accepted < 40


def _allowed(key: sshsig.PrivateKey, **times: int) -> Trust:
    return Trust(allowed_signers=(sshsig.AllowedSigner("who", sshsig.public_blob(key), **times),))


def test_ssh_keys_count_while_they_are_allowed() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    armor = SshSigner(key).sign(PAYLOAD)
    now = AUTHOR.seconds
    for times in ({}, {"valid_from": now}, {"valid_until": now + 1}, {"valid_from": now - 9, "valid_until": now + 9}):
        assert check_signature(PAYLOAD, armor, _allowed(key, **times)).name == "who"
    for times in ({"valid_from": now + 1}, {"valid_until": now}):
        with pytest.raises(SignatureError, match="may not sign"):
            check_signature(PAYLOAD, armor, _allowed(key, **times))
    with pytest.raises(SignatureError, match="may not sign"):
        check_signature(PAYLOAD, armor, _allowed(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(SignatureError, match="does not fit"):
        check_signature(PAYLOAD + b"x", armor, _allowed(key))


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _ssh_armor(*fields: bytes, start: bytes = b"SSHSIG\0\0\0\1", end: bytes = b"") -> bytes:
    content = start + b"".join(map(_string, fields)) + end
    return b"-----BEGIN SSH SIGNATURE-----\n" + b64encode(content) + b"\n-----END SSH SIGNATURE-----\n"


def test_hostile_ssh_signatures_are_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    blob = sshsig.public_blob(key)
    good = _string(b"ssh-ed25519") + _string(key.sign(sshsig._signed(PAYLOAD, b"sha512")))
    trust = _allowed(key)
    assert check_signature(PAYLOAD, _ssh_armor(blob, b"git", b"", b"sha512", good), trust).name == "who"
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be refused
    weak_blob = sshsig.public_blob(weak)
    unknown = _string(b"ssh-unknown") + _string(b"key")
    hostile = {
        "version 1": _ssh_armor(blob, start=b"SSHSIG\0\0\0\2"),
        "SSH signature of": _ssh_armor(blob, start=b"SSHSIX\0\0\0\1"),
        "truncated": _ssh_armor(blob, b"git"),
        "after its end": _ssh_armor(blob, b"git", b"", b"sha512", good, end=b"x"),
        "not a signature for Git": _ssh_armor(blob, b"file", b"", b"sha512", good),
        "for Git": _ssh_armor(blob, b"git", b"reserved", b"sha512", good),
        "a signature for Git": _ssh_armor(blob, b"git", b"", b"md5", good),
        "do not fit": _ssh_armor(blob, b"git", b"", b"sha512", _string(b"rsa-sha2-512") + _string(b"x")),
        "does not fit": _ssh_armor(blob, b"git", b"", b"sha512", _string(b"ssh-ed25519") + _string(b"x")),
        "after its": _ssh_armor(blob, b"git", b"", b"sha512", good + b"x"),
        "fewer than 2048 bits": _ssh_armor(weak_blob, b"git", b"", b"sha512", _string(b"rsa-sha2-512") + _string(b"x")),
        "unknown type": _ssh_armor(unknown, b"git", b"", b"sha512", _string(b"ssh-unknown") + _string(b"x")),
        "not a CMS or SSH signature": b"-----BEGIN PGP SIGNATURE-----\n",
        "in base64": b"-----BEGIN SSH SIGNATURE-----\n*\n-----END SSH SIGNATURE-----\n",
    }
    trust = Trust(
        allowed_signers=(
            *trust.allowed_signers,
            sshsig.AllowedSigner("weak", weak_blob),
            sshsig.AllowedSigner("unknown", unknown),
        )
    )
    for fault, armor in hostile.items():
        with pytest.raises(SignatureError, match=fault):
            check_signature(PAYLOAD, armor, trust)


def test_a_commit_without_a_time_or_beyond_all_time_is_refused() -> None:
    for payload in (b"", b"tree 0\n\ncommitter C <c@d> 1 +0000\n", PAYLOAD.replace(b"+0000", b"later")):
        with pytest.raises(SignatureError, match="no time"):
            check_signature(payload, b"", Trust())
    armor = _armor(b"")
    with pytest.raises(SignatureError):
        check_signature(PAYLOAD.replace(b"%d" % AUTHOR.seconds, b"9" * 12), armor, Trust())
    assert issubclass(SignatureError, IntegrityError)


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_and_certificates_that_do_not_fit_are_refused(tmp_path: Path, authority: Identity) -> None:
    key, certificate = certify("Signer", authority).write(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = certify("Other", authority).write(tmp_path / "other")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\n")
    locked = tmp_path / "locked.pem"
    unlocked = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(unlocked.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    bare = tmp_path / "ed25519.pem"
    bare.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    unusual = tmp_path / "dsa.pem"
    unusual.write_bytes(dsa.generate_private_key(1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))  # noqa: S505
    cases: list[tuple[Path, Path | None, str]] = [
        (tmp_path / "missing", None, "cannot be read"),
        (nonsense, None, "not a private key"),
        (locked, None, "passphrase"),
        (unusual, None, "not an Ed25519, ECDSA or RSA key"),
        (bare, certificate, "not an RSA or ECDSA key"),
        (other, certificate, "not that of the key"),
        (key, nonsense, "no certificate"),
        (key, tmp_path / "missing", "cannot be read"),
    ]
    for key_path, certificate_path, fault in cases:
        with pytest.raises(ConfigurationError, match=fault):
            load_signer(key_path, certificate_path)
    assert isinstance(load_signer(key, certificate), CmsSigner)
    assert isinstance(load_signer(bare), SshSigner)
    assert load_trust(certificate).certificates[0].subject.rfc4514_string() == "CN=Signer"
    assert load_trust() == Trust()


def test_allowed_signers_are_read_with_their_options(tmp_path: Path) -> None:
    key = openssh_public(ed25519.Ed25519PrivateKey.generate())
    file = tmp_path / "allowed"
    file.write_text(
        f'a@b,c@d valid-after="20260101",valid-before="20270101120000Z" {key}\n'
        f'e@f namespaces="g*" {key} comment\n'
        f'g@h namespaces="file" {key}\n'
        f'i@j valid-after="202601010930" {key}\n'
    )
    found = load_trust(allowed_signers=file).allowed_signers
    assert [each.principals for each in found] == ["a@b,c@d", "e@f", "i@j"]
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert (found[0].valid_from, found[2].valid_from) == (day.timestamp(), day.timestamp() + 9.5 * 3600)
    assert found[0].valid_until == dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC).timestamp()
    for line, fault in (
        ("nobody", "line 1 is not"),
        (f"a cert-authority {key}", "option cert-authority"),
        (f'a valid-after="soon" {key}', "malformed time"),
        (f'a valid-after="20261301" {key}', "month"),
        ("a ssh-ed25519 AAA", "allowed"),
    ):
        file.write_text(line)
        with pytest.raises(ConfigurationError, match=fault):
            load_trust(allowed_signers=file)
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="allowed"):
        load_trust(allowed_signers=file)


# ── DER ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05abc",
        b"\x1f\x00",
        b"\x30\x80",
        b"\x30\x85\1\1\1\1\1",
        b"\x30\x81\x05abcde",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x82\x01",
    ],
)
def test_malformed_der_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.parse(data)


def test_object_identifiers_are_encoded() -> None:
    assert der.encode_oid("1.2.840.113549.1.7.2").hex() == "2a864886f70d010702"
