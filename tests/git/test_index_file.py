"""Git's index file, held to stock Git."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import RepositoryError
from carethread.git.index_file import UNKNOWN_STATE, IndexedFile, decode_index, encode_index, file_state, updated_index
from tests.git.histories import git

_FILES = {
    name: IndexedFile(bytes(range(40)), bytes(range(32)))
    for name in (b"a", b"b/c", b"a.b", "ä".encode(), b"long/" * 900 + b"name", *(b"x" * size for size in range(2, 20)))
}


names = st.text("ab/", min_size=1, max_size=4).map(str.encode)
files = st.builds(IndexedFile, st.binary(min_size=40, max_size=40), st.binary(min_size=32, max_size=32))


def test_an_index_comes_back() -> None:
    assert decode_index(encode_index(_FILES)) == _FILES
    assert decode_index(encode_index({})) == {}


@given(
    old=st.dictionaries(names, files, max_size=6),
    new=st.dictionaries(names, files, max_size=6),
)
def test_updating_an_index_is_setting_its_files(old: dict[bytes, IndexedFile], new: dict[bytes, IndexedFile]) -> None:
    assert updated_index(encode_index(old), new) == encode_index(old | new)


def test_updating_an_index_drops_its_extensions() -> None:
    raw = encode_index(_FILES)
    extended = raw[:-32] + b"TREE\0\0\0\4none"
    assert updated_index(extended + sha256(extended).digest(), {}) == raw


def test_stock_git_reads_our_index_and_we_read_its(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    for name in ("a", "b/c", "long" * 20 + "/name"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    git(tmp_path, "add", "--all")
    theirs = decode_index((tmp_path / ".git/index").read_bytes())
    listed = git(tmp_path, "ls-files", "--stage").decode()
    assert [line.split()[1] for line in listed.splitlines()] == [file.blob.hex() for file in theirs.values()]
    for path, file in theirs.items():
        assert file.state == file_state((tmp_path / os.fsdecode(path)).stat())
    (tmp_path / ".git/index").write_bytes(encode_index(theirs))
    assert git(tmp_path, "ls-files", "--stage").decode() == listed
    assert git(tmp_path, "fsck", "--cache") == b""
    assert git(tmp_path, "diff-files") == b""
    unknown = {name: IndexedFile(UNKNOWN_STATE, file.blob) for name, file in theirs.items()}
    (tmp_path / ".git/index").write_bytes(encode_index(unknown))
    assert git(tmp_path, "diff", "--name-only") == b""


def _signed(body: bytes) -> bytes:
    return body + sha256(body).digest()


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "checksum"),
        (bytes(100), "checksum"),
        (_signed(b"CRID\0\0\0\2\0\0\0\0"), "not read"),
        (_signed(b"DIRC\0\0\0\4\0\0\0\0"), "version 4"),
        (_signed(b"DIRC\0\0\0\2\0\0\0\1" + b"\1" * 90), "truncated"),
    ],
)
def test_other_indexes_are_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(RepositoryError, match=fault):
        decode_index(raw)
    with pytest.raises(RepositoryError, match=fault):
        updated_index(raw, _FILES)
