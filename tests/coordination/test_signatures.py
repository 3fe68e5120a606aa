"""Signed commits: made before they are acknowledged, accepted by stock git, and checked by us."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from carethread import CoordinationRecord, CoordinationService, MessageContent, errors
from tests.people import CLINICAL_ID, JANE, PLACE, PLAIN, Ticking


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture
def signed(tmp_path: Path, key: Path) -> Iterator[tuple[CoordinationService, CoordinationRecord]]:
    home = tmp_path / "home"
    with CoordinationService.open(home, signing_key=key, clock=Ticking(), flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
        record.add_message(JANE, PLACE, thread, MessageContent("Two"))
        record.flush()
        yield service, record


def allowed(key: Path) -> Path:
    path = key.with_suffix(".allowed")
    path.write_text(f"carethread {key.with_suffix('.pub').read_text()}")
    return path


def test_stock_git_accepts_every_commit(signed: tuple[CoordinationService, CoordinationRecord], key: Path) -> None:
    _, record = signed
    git = ["git", "-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed(key)}"]
    for revision in ("HEAD", "HEAD~1", "HEAD~2"):
        done = subprocess.run(
            [*git, "verify-commit", revision], cwd=record.path, check=True, capture_output=True, text=True
        )
        assert "Good" in done.stderr
    assert all(entry.signed for entry in record.history())


def test_the_checker_accepts_them_and_notices_others(
    signed: tuple[CoordinationService, CoordinationRecord], key: Path, tmp_path: Path
) -> None:
    service, record = signed
    assert list(service.verify(allowed_signers=allowed(key))) == []
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    codes = {finding.code for finding in service.verify(allowed_signers=allowed(other))}
    assert codes
    assert all(code.startswith("signature") for code in codes)
    assert list(service.verify([record.coordination_id])) == []


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError):
        CoordinationService.open(tmp_path, signing_key=tmp_path / "none")


def test_a_signer_that_fails_records_nothing(
    signed: tuple[CoordinationService, CoordinationRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, record = signed
    thread = record.communications()[0].communication_id

    def fail(_: bytes) -> bytes:
        raise errors.ConfigurationError("the key is gone")

    signer = service._archive.installation.signer
    monkeypatch.setattr(type(signer), "sign", lambda _self, payload: fail(payload))
    with pytest.raises(errors.ConfigurationError):
        record.add_message(JANE, PLACE, thread, MessageContent("Three"))
    monkeypatch.undo()
    record.add_message(JANE, PLACE, thread, MessageContent("Three"))
    assert [each.body for each in record.read_communication(thread).messages] == ["One", "Two", "Three"]
