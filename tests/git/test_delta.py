"""Deltas: what we encode comes back, what stock tools encode is understood, nothing hostile gets through."""

from collections.abc import Iterable

import pytest
from dulwich.pack import apply_delta as dulwich_apply
from dulwich.pack import create_delta as dulwich_create
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import RepositoryError
from carethread.git.delta import (
    apply_delta,
    decode_size,
    difference,
    encode_copy,
    encode_insert,
    encode_size,
    prefix_delta,
    rebase_delta,
)

_LIMIT = 1 << 20
text = st.lists(st.sampled_from([b"status: open\n", b"x", b"2026-01-11T14:36:15.234Z", bytes(30), b"\xff" * 9])).map(
    b"".join
)


@given(base=text | st.binary(max_size=300), content=text | st.binary(max_size=300))
def test_a_difference_makes_the_content(base: bytes, content: bytes) -> None:
    delta = difference(base, content)
    assert bytes(apply_delta(base, delta, _LIMIT)) == content
    assert b"".join(dulwich_apply(base, delta)) == content


@given(old=st.binary(max_size=40), new=st.binary(max_size=40))
def test_a_change_in_one_place_takes_little(old: bytes, new: bytes) -> None:
    head, tail = bytes(range(100)), bytes(range(255, 100, -1))
    delta = difference(head + old + tail, head + new + tail)
    assert len(delta) <= len(new) + 30


@given(base=st.binary(max_size=300), content=st.binary(max_size=300))
def test_deltas_of_another_encoder_are_understood(base: bytes, content: bytes) -> None:
    delta = b"".join(dulwich_create(base, content))
    assert bytes(apply_delta(memoryview(base), memoryview(delta), _LIMIT)) == content


@given(base=st.binary(max_size=100), size=st.integers(0, 100), more=st.binary(max_size=100))
def test_a_beginning_is_one_copy_and_can_be_rebased(base: bytes, size: int, more: bytes) -> None:
    size = min(size, len(base))
    delta = prefix_delta(len(base), size)
    assert bytes(apply_delta(base, delta, _LIMIT)) == base[:size]
    assert bytes(apply_delta(base + more, rebase_delta(delta, len(base + more)), _LIMIT)) == base[:size]


def test_a_beginning_of_a_large_base_is_a_view_of_it() -> None:
    base = bytes(range(256)) * (1 << 17)
    for size in (1 << 16, 0xFFFFFF, 0x1000000, len(base)):
        made = apply_delta(base, prefix_delta(len(base), size), len(base))
        assert isinstance(made, memoryview)
        assert made.obj is base
        assert made == base[:size]
        assert b"".join(dulwich_apply(base, prefix_delta(len(base), size))) == base[:size]


def test_long_copies_that_were_split_are_joined() -> None:
    base = bytes(range(256)) * 4096
    copies = b"".join(encode_copy(at, 0x10000) for at in range(0, 0x80000, 0x10000))
    delta = encode_size(len(base)) + encode_size(0x80000) + copies
    made = apply_delta(base, delta, len(base))
    assert isinstance(made, memoryview)
    assert made == base[:0x80000]


def test_an_insertion_between_copies_is_not_joined_over() -> None:
    parts: Iterable[bytes] = (
        encode_copy(0, 4),
        encode_insert(b"-"),
        encode_copy(4, 4),
        encode_copy(2, 2),
        encode_copy(0, 2),
    )
    assert apply_delta(b"abcdefgh", encode_size(8) + encode_size(13) + b"".join(parts), _LIMIT) == b"abcd-efghcdab"


def test_long_insertions_are_split() -> None:
    content = bytes(range(256)) * 2
    assert apply_delta(b"", encode_size(0) + encode_size(512) + encode_insert(content), _LIMIT) == content
    assert encode_insert(b"") == b""


@given(size=st.integers(0, 1 << 40))
def test_sizes_come_back(size: int) -> None:
    encoded = encode_size(size)
    assert decode_size(encoded + b"x", 0) == (size, len(encoded))


@pytest.mark.parametrize(
    ("delta", "fault"),
    [
        (b"", "size"),
        (b"\x80", "size"),
        (b"\xff" * 12 + b"\1", "size"),
        (b"\4", "size"),
        (b"\5\1\1a", "base of 5 bytes, not 4"),
        (b"\4" + encode_size(_LIMIT + 1), "limit"),
        (b"\4\1\0", "unknown"),
        (b"\4\5\5abc", "incomplete"),
        (b"\4\2\x91", "within an instruction"),
        (b"\4\5\x90\5", "beyond"),
        (b"\4\1\x91\4\1", "beyond"),
        (b"\4\1\x80", "beyond"),
        (b"\4\1", "another size"),
        (b"\4\1\2ab", "another size"),
        (b"\4\1\x90\4\x90\4\x90\4", "another size"),
    ],
)
def test_malformed_deltas_are_refused(delta: bytes, fault: str) -> None:
    with pytest.raises(RepositoryError, match=fault):
        apply_delta(b"abcd", delta, _LIMIT)


@given(base=st.binary(max_size=8), delta=st.binary(max_size=40))
def test_any_bytes_give_content_of_the_stated_size_or_are_refused(base: bytes, delta: bytes) -> None:
    try:
        made = apply_delta(base, encode_size(len(base)) + delta, _LIMIT)
    except RepositoryError:
        return
    assert len(made) == decode_size(delta, 0)[0]
