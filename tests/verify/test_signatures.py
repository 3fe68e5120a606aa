"""With somebody to trust, every commit must be signed by them."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from carethread import MessageContent
from carethread.git.signatures import Trust, load_trust
from carethread.verify import verify_record
from tests.people import JANE, listed
from tests.verify.everything import Scribe
from tests.verify.stock_git import git, run
from tests.verify.test_storage import commit_object, copy


def _key(place: Path, name: str) -> Path:
    path = place / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def _trust(key: Path) -> Trust:
    allowed = key.with_suffix(".allowed")
    allowed.write_text("carethread " + key.with_suffix(".pub").read_text())
    return load_trust(allowed_signers=allowed)


def _certificate(place: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Carethread test")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    key_path, certificate_path = place / "key.pem", place / "certificate.pem"
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_path, certificate_path


def _write(scribe: Scribe) -> Path:
    thread = scribe.open(JANE, listed(JANE), MessageContent("One."))
    scribe.say(JANE, thread, MessageContent("Two."))
    scribe.say(JANE, thread, MessageContent("Three."))
    return scribe.finish()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _key(tmp_path_factory.mktemp("key"), "key")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    return _write(Scribe(tmp_path_factory.mktemp("signed"), signing_key=key))


def _strip(repository: Path, count: int) -> None:
    """Make the last commits anew without their signatures."""
    raws = [run(repository, "cat-file", "commit", f"HEAD~{back}") for back in reversed(range(count))]
    parent = git(repository, "rev-parse", f"HEAD~{count}")
    for raw in raws:
        head, _, message = raw.partition(b"\n\n")
        lines = [line for line in head.split(b"\n") if not line.startswith((b"gpgsig", b" "))]
        lines[1] = b"parent " + parent.encode()
        commit_object(repository, b"\n".join(lines) + b"\n\n" + message)
        parent = git(repository, "rev-parse", "HEAD")


def test_signatures_of_a_trusted_key_count(signed: Path, key: Path) -> None:
    assert list(verify_record(signed, trust=_trust(key))) == []
    assert list(verify_record(signed)) == []


def test_signatures_under_a_trusted_certificate_count(tmp_path: Path) -> None:
    signing_key, certificate = _certificate(tmp_path)
    record = _write(Scribe(tmp_path / "data", signing_key=signing_key, signing_certificate=certificate))
    assert list(verify_record(record, trust=load_trust(certificate))) == []
    assert list(verify_record(record)) == []


def test_a_strange_key_is_one_finding_for_all(signed: Path, tmp_path: Path) -> None:
    findings = list(verify_record(signed, trust=_trust(_key(tmp_path, "other"))))
    assert [finding.code for finding in findings] == ["signature-invalid"]


def test_commits_that_are_not_signed_any_more(signed: Path, key: Path, tmp_path: Path) -> None:
    record = copy(signed, tmp_path)
    _strip(record, 2)
    assert list(verify_record(record)) == []
    findings = list(verify_record(record, trust=_trust(key)))
    assert [(finding.code, finding.commit) for finding in findings] == [
        ("signature-missing", git(record, "rev-parse", "HEAD~1"))
    ]


def test_a_signature_of_another_commit(signed: Path, key: Path, tmp_path: Path) -> None:
    record = copy(signed, tmp_path)
    raw = run(record, "cat-file", "commit", "HEAD")
    commit_object(record, raw.replace(b"Oxford", b"Exeter"))
    assert list(verify_record(record)) == []
    assert [finding.code for finding in verify_record(record, trust=_trust(key))] == ["signature-invalid"]


def test_a_signature_that_is_none(signed: Path, key: Path, tmp_path: Path) -> None:
    record = copy(signed, tmp_path)
    raw = run(record, "cat-file", "commit", "HEAD")
    head, _, message = raw.partition(b"\n\n")
    start = head.index(b"gpgsig-sha256")
    commit_object(record, head[:start] + b"gpgsig-sha256 nothing\n\n" + message)
    assert [finding.code for finding in verify_record(record, trust=_trust(key))] == ["signature-invalid"]


def test_a_signature_in_another_place_is_not_canonical(signed: Path, tmp_path: Path) -> None:
    record = copy(signed, tmp_path)
    raw = run(record, "cat-file", "commit", "HEAD")
    head, _, message = raw.partition(b"\n\n")
    start = head.index(b"gpgsig-sha256")
    before, committer = head[: start - 1].rsplit(b"\n", 1)
    commit_object(record, b"\n".join((before, head[start:], committer)) + b"\n\n" + message)
    assert [finding.code for finding in verify_record(record)] == ["commit-malformed"]
