"""Backups and the way back, when something is wrong."""

import tarfile
from pathlib import Path

import pytest

from carethread import CoordinationRecord, CoordinationService, MessageContent, errors
from carethread.store import backup as backup_module
from tests.people import JANE, PLACE, PLAIN


@pytest.fixture
def taken(service: CoordinationService, record: CoordinationRecord, tmp_path: Path) -> Path:
    record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    service.backup(tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def repacked(source: Path, target: Path, **replaced: bytes | None) -> Path:
    """Copy a backup with some members replaced or left out."""
    folder = source.with_suffix(".dir")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    for name, content in replaced.items():
        path = folder / name.replace("__", ".")
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    with tarfile.open(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return target


def test_never_over_another_file(service: CoordinationService, taken: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="exists"):
        service.backup(taken)


def test_a_target_that_cannot_be_written(service: CoordinationService, tmp_path: Path) -> None:
    with pytest.raises(errors.StorageError):
        service.backup(tmp_path / "missing" / "backup.tar")


def test_nothing_is_left_of_a_backup_that_failed(
    service: CoordinationService, record: CoordinationRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "read_head", lambda _path: None)
    with pytest.raises(errors.IntegrityError, match=record.coordination_id):
        service.backup(tmp_path / "backup.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_only_into_a_new_directory(taken: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="not empty"):
        CoordinationService.restore(taken, tmp_path)


def test_files_that_are_no_backups(taken: Path, tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("no tar at all")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(taken.read_bytes()[:3_000])
    for number, source in enumerate(
        (
            tmp_path / "text.tar",
            cut,
            repacked(taken, tmp_path / "a.tar", heads__json=None),
            repacked(taken, tmp_path / "b.tar", heads__json=b"{"),
            repacked(taken, tmp_path / "c.tar", installation__yaml=None, heads__json=b"{}"),
            repacked(taken, tmp_path / "d.tar", heads__json=b'{"7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88": "00"}'),
        )
    ):
        with pytest.raises(errors.IntegrityError):
            CoordinationService.restore(source, tmp_path / f"restored-{number}")


def test_a_backup_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.StorageError):
        CoordinationService.restore(tmp_path / "none.tar", tmp_path / "restored")


def test_a_restored_index_that_cannot_be_made(taken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise errors.IntegrityError("broken")

    monkeypatch.setattr(CoordinationService, "rebuild", fail)
    with pytest.raises(errors.IntegrityError, match="broken"):
        CoordinationService.restore(taken, tmp_path / "restored")
