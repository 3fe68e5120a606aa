"""Streams that are continued are the streams of the whole content."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.git.stream import begin_stream, continue_stream, is_growing

_parts = st.lists(st.binary(max_size=200) | st.integers(0, 50_000).map(lambda size: b"All is well. " * (size // 13)))


@given(parts=_parts)
def test_a_continued_stream_inflates_to_everything(parts: list[bytes]) -> None:
    content = b"# Messages\n"
    stream = begin_stream(content)
    for part in parts:
        continued = continue_stream(stream, content, part)
        assert continued is not None
        content, stream = content + part, continued
    assert zlib.decompress(stream) == content
    assert is_growing(stream)


def test_what_was_deflated_before_is_not_deflated_again() -> None:
    content = bytes(range(256)) * 1000
    stream = begin_stream(content)
    continued = continue_stream(stream, content, b"more")
    assert continued is not None
    assert continued.startswith(stream[:-6])
    assert len(continued) < len(stream) + 20


def test_earlier_content_serves_as_dictionary() -> None:
    entry = bytes(range(200))
    continued = continue_stream(begin_stream(entry), entry, entry)
    assert continued is not None
    assert len(continued) < len(begin_stream(entry)) + 20


@pytest.mark.parametrize(
    "stream",
    [b"", zlib.compress(b"old"), b"\x78\x9c" + begin_stream(b"old")[2:], begin_stream(b"another")],
    ids=["empty", "ordinary", "other level", "other content"],
)
def test_streams_of_another_form_or_content_are_not_continued(stream: bytes) -> None:
    assert continue_stream(stream, b"old", b"new") is None
