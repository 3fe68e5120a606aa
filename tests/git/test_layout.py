"""Where things lie in a repository, and making them durable."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from carethread.errors import RepositoryError, StorageError
from carethread.git import layout
from carethread.git.disk import directory, faults_of, read_range, write_all
from carethread.git.layout import make_repository, open_objects, read_head, sync_filesystem
from tests.git.histories import conversation, flush, git


def test_stock_git_takes_an_empty_repository_for_one(tmp_path: Path) -> None:
    with directory(tmp_path) as root:
        make_repository(root)
    assert git(tmp_path, "status", "--porcelain") == b""
    assert git(tmp_path, "rev-parse", "--show-object-format").strip() == b"sha256"
    assert git(tmp_path, "symbolic-ref", "HEAD").strip() == b"refs/heads/main"
    assert git(tmp_path, "config", "gc.auto").strip() == b"0"
    assert read_head(tmp_path) is None


def test_a_head_is_read_wherever_it_stands(tmp_path: Path) -> None:
    journal = conversation(1)
    path = tmp_path / "record"
    assert read_head(path) is None
    path.mkdir()
    assert read_head(path) is None
    flush(path, journal.steps)
    assert read_head(path) == journal.head
    git(path, "tag", "--annotate", "--message", "a tag", "release")
    git(path, "pack-refs", "--all", "--prune")
    assert not (path / ".git/refs/heads/main").exists()
    assert read_head(path) == journal.head
    (path / ".git/HEAD").write_bytes(b"")
    with pytest.raises(RepositoryError, match="HEAD"):
        read_head(path)


def test_what_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / "file", tmp_path / "link"):
        with pytest.raises(RepositoryError):
            read_head(path)
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    with pytest.raises(RepositoryError):
        read_head(tmp_path)
    with pytest.raises(RepositoryError), open_objects(tmp_path):
        pass


def test_absurdly_large_text_files_are_refused(tmp_path: Path) -> None:
    journal = conversation(0)
    flush(tmp_path / "record", journal.steps)
    with (tmp_path / "record/.git/refs/heads/main").open("r+b") as file:
        file.truncate(layout.LARGEST_TEXT + 1)
    with pytest.raises(RepositoryError, match="more than the limit"):
        read_head(tmp_path / "record")


def test_syncing_falls_back_to_every_file_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    sync_filesystem(tmp_path)
    synced = []
    real = os.fsync

    def record(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(layout, "_syncfs", lambda _: False)
    sync_filesystem(tmp_path)
    assert {tmp_path, tmp_path / "folder", tmp_path / "folder/file"} == set(synced)


class _Library:
    def __init__(self, number: int) -> None:
        self._number = number

    def syncfs(self, _: int) -> int:
        ctypes.set_errno(self._number)
        return -1


def test_a_disk_that_fails_to_sync_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RepositoryError):
        sync_filesystem(tmp_path / "missing")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _Library(errno.EIO))
    with pytest.raises(StorageError, match="Input/output error"):
        sync_filesystem(tmp_path)
    for library in (_Library(errno.ENOSYS), object()):
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, library=library, **__: library)
        sync_filesystem(tmp_path)


def test_short_reads_and_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(10_000)
    read, write = os.pread, os.pwrite
    monkeypatch.setattr(os, "pread", lambda descriptor, size, offset: read(descriptor, min(size, 999), offset))
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, offset: write(descriptor, data[:777], offset))
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        write_all(descriptor, [content[:5000], b"", content[5000:]], 3)
        assert read_range(descriptor, 0, 20_000) == bytes(3) + content
        assert read_range(descriptor, 1003, 999) == content[1000:1999]
        assert read_range(descriptor, 1003, 1000) == content[1000:2000]
        assert read_range(descriptor, 20_000, 10) == b""
    finally:
        os.close(descriptor)


def test_faults_without_a_number_keep_their_text() -> None:
    with pytest.raises(StorageError, match="place: something"), faults_of("place"):
        raise OSError("something")
