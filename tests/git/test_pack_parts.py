"""Pack entries and pack indexes, byte by byte."""

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import RepositoryError
from carethread.git.pack_entry import (
    BLOB,
    COMMIT,
    OFS_DELTA,
    REF_DELTA,
    deflate,
    encode_full,
    encode_header,
    encode_reference,
    inflate,
    parse_header,
    store,
)
from carethread.git.pack_index import PackIndex, encode_index

_ID = bytes(range(32))


@given(number=st.sampled_from([1, 2, 3, 4]), size=st.integers(0, 1 << 50))
def test_headers_come_back(number: int, size: int) -> None:
    header = parse_header(b"xx" + encode_header(number, size), 2)
    assert (header.type, header.size, header.base_id) == (number, size, None)
    assert header.start == 2 + len(encode_header(number, size))


@given(content=st.binary(max_size=300) | st.integers(0, 9000).map(lambda size: b"ab" * size))
def test_entries_come_back(content: bytes) -> None:
    for raw in (encode_full(BLOB, content), encode_reference(_ID, content)):
        header = parse_header(raw, 0)
        found, end = inflate(raw + b"next entry", header.start, header.size)
        assert (found, end) == (content, len(raw))
        assert zlib.decompress(raw[header.start :]) == content
    assert parse_header(encode_reference(_ID, content), 0).base_id == _ID


def test_stored_content_is_ordinary_zlib() -> None:
    assert zlib.decompress(store(b"delta")) == b"delta"
    noise = os.urandom(300_000)
    for content in (b"x" * 9000, b"x" * 300_000, noise):
        assert zlib.decompress(deflate(content)) == content
    assert len(deflate(b"x" * 300_000)) < 3000
    assert len(deflate(noise)) < len(noise) + 100


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "truncated"),
        (b"\x80", "truncated"),
        (b"\xb0" + b"\xff" * 12, "absurd"),
        (b"\x00", "unknown entry type 0"),
        (b"\x50", "unknown entry type 5"),
        (b"\x70" + _ID[:-1], "truncated"),
        (b"\x60", "truncated"),
        (b"\x60\x80", "truncated"),
        (b"\x60" + b"\xff" * 20, "absurd"),
    ],
)
def test_malformed_headers_are_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(RepositoryError, match=fault):
        parse_header(raw, 0)


def test_distances_are_read_as_git_writes_them() -> None:
    for raw, distance in ((b"\x05", 5), (b"\x80\x00", 128), (b"\x80\x7f", 255), (b"\x81\x00", 256)):
        header = parse_header(bytes((OFS_DELTA << 4,)) + raw, 0)
        assert (header.base_distance, header.start) == (distance, 1 + len(raw))


@pytest.mark.parametrize(
    ("raw", "size", "fault"),
    [
        (b"no zlib", 7, "damaged"),
        (zlib.compress(b"content")[:-1], 7, "not the 7 bytes"),
        (zlib.compress(b"content")[:-1] + b"x", 7, "damaged"),
        (zlib.compress(b"content"), 6, "not the 6 bytes"),
        (zlib.compress(b"content"), 8, "not the 8 bytes"),
        (zlib.compress(bytes(50_000_000), 9), 100, "not the 100 bytes"),
        (store(b"content")[:-1] + b"x", 7, "damaged"),
        (store(b"content")[:-5], 7, "not the 7 bytes"),
        (store(b"content"), 6, "not the 6 bytes"),
        (REF_DELTA.to_bytes(1, "big"), 0, "not the 0 bytes"),
    ],
)
def test_damaged_content_is_refused_and_bombs_do_not_go_off(raw: bytes, size: int, fault: str) -> None:
    with pytest.raises(RepositoryError, match=fault):
        inflate(raw, 0, size)


ids = st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=60)


@given(ids=ids, missing=st.binary(min_size=32, max_size=32))
def test_an_index_finds_what_is_there_by_search_and_by_table(ids: list[bytes], missing: bytes) -> None:
    offsets = [12 + 7 * number for number in range(len(ids))]
    index = PackIndex(encode_index(ids, [5] * len(ids), offsets, _ID), "place")
    index.check()
    assert index.ids() == sorted(ids)
    assert (index.count, index.pack_checksum, set(index.crcs())) == (len(ids), _ID, {5} if ids else set())
    for _ in range(3):
        for identifier, offset in zip(ids, offsets, strict=True):
            assert index.offset_of(identifier) == offset
        if missing not in ids:
            assert index.offset_of(missing) is None


def test_a_pack_of_2_gib_is_refused() -> None:
    with pytest.raises(RepositoryError, match="2 GiB"):
        encode_index([_ID], [0], [1 << 31], _ID)


def _damaged(at: int, byte: int) -> bytes:
    raw = bytearray(encode_index([_ID, b"\xff" * 32], [0, 0], [12, 90], _ID))
    raw[at] = byte
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "not a pack index"),
        (_damaged(0, 0), "not a pack index"),
        (_damaged(7, 3), "not a pack index"),
        (_damaged(8 + 4 * 3, 9), "not rising"),
        (_damaged(0, 0xFF)[:-1], "wrong length"),
        (_damaged(8 + 4 * 255 + 3, 3), "wrong length"),
    ],
)
def test_malformed_indexes_are_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(RepositoryError, match=f"place: .*{fault}"):
        PackIndex(raw, "place")


def test_offsets_beyond_2_gib_and_wrong_checksums_are_refused() -> None:
    index = PackIndex(_damaged(-64 - 8, 0x80), "place")
    with pytest.raises(RepositoryError, match="2 GiB"):
        index.offset_of(_ID)
    with pytest.raises(RepositoryError, match="2 GiB"):
        index.offsets()
    with pytest.raises(RepositoryError, match="checksum"):
        index.check()
    assert parse_header(encode_full(COMMIT, b""), 0).type == COMMIT
