"""Whatever bytes a parser is given, it raises a fault with a line, or reads exactly what would be written."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import FormatError
from carethread.record.commit_message import parse_commit_message, render_commit_message
from carethread.record.ledger_yaml import parse_ledger, render_ledger
from carethread.record.model import Message
from carethread.record.status_yaml import parse_status, render_status
from carethread.record.thread_md import FILE_HEADER, appendix, parse_entry, parse_thread, render_entry
from tests.record.strategies import FRAGMENTS, ledgers, messages, statuses
from tests.record.test_commit_message import commit_messages

_PIECES = (
    *(each.encode() for each in FRAGMENTS),
    b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"\x00", b"**To:** ", b"  \n", b": ", b"- ", b"&a ", b"*a",
    b"!!str ", b"'", b"null", b"\xc2\x85",
)  # fmt: skip


def _render_thread(entries: tuple[Message, ...]) -> bytes:
    data = FILE_HEADER
    for count, message in enumerate(entries):
        data += appendix(count, render_entry(message))
    return data


@st.composite
def _mutated(draw: st.DrawFn, good: st.SearchStrategy[bytes]) -> bytes:
    """Draw good bytes with a few places cut, doubled, moved, replaced or inserted."""
    data = draw(good)
    for _ in range(draw(st.integers(0, 3))):
        at, until, to = sorted(draw(st.lists(st.integers(0, len(data)), min_size=3, max_size=3)))
        lines = data.split(b"\n")
        line = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 6)):
            case 0:
                data = data[:at] + data[until:]
            case 1:
                data = data[:until] + data[at:]
            case 2:
                data = data[:at] + data[until:to] + data[at:until] + data[to:]
            case 3:
                data = data[:at] + draw(st.sampled_from(_PIECES)) + data[at:]
            case 4:
                data = data[:at] + draw(st.binary(max_size=3)) + data[at + 1 :]
            case 5:
                data = b"\n".join(lines[:line] + lines[line + 1 :])
            case _:
                data = b"\n".join([*lines[: line + 1], *lines[line:]])
    return data


_messages = messages().map(render_entry)
_threads = st.lists(messages(), max_size=3).map(lambda entries: _render_thread(tuple(entries)))
_ledgers = ledgers().map(render_ledger)
_statuses = statuses.map(render_status)
_commits = commit_messages().map(render_commit_message)


def check(data: bytes, parse: Callable[[bytes], Any], render: Callable[[Any], bytes]) -> None:
    try:
        value = parse(data)
    except FormatError as error:
        fault = error
    else:
        assert render(value) == data
        return
    assert 1 <= fault.line <= data.count(b"\n") + 1


@given(_mutated(_messages))
def test_entries(data: bytes) -> None:
    check(data, parse_entry, render_entry)


@given(_mutated(_threads))
def test_threads(data: bytes) -> None:
    check(data, parse_thread, _render_thread)


@given(_mutated(_ledgers))
def test_ledgers(data: bytes) -> None:
    check(data, parse_ledger, render_ledger)


@given(_mutated(_statuses))
def test_statuses(data: bytes) -> None:
    check(data, parse_status, render_status)


@given(_mutated(_commits))
def test_commit_messages(data: bytes) -> None:
    check(data, parse_commit_message, render_commit_message)


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    check(data, parse_entry, render_entry)
    check(FILE_HEADER + data, parse_thread, _render_thread)
    check(data, parse_ledger, render_ledger)
    check(data, parse_status, render_status)
    check(data, parse_commit_message, render_commit_message)


@pytest.mark.parametrize(
    "piece", [b"`", b"*", b"<", b"\\", b"&a", b"[", b"a_", b"\n", b" ", b"    x\n\n", b"~", b"]:", b"1. x\n"]
)
def test_no_body_takes_long(piece: bytes) -> None:
    """Time grows with the text, not with its square: otherwise this would take minutes."""
    entry = (
        b"## Message\n\n**ID:** `3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92`  \n**Type:** clinician  \n"
        b"**Timestamp:** 2026-01-11T14:36:15.234Z  \n**Author ID:** `4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12`  \n"
        b"**Author:** Dr Jane Smith\n\n" + piece * 250_000 + b"\n"
    )
    with pytest.raises(FormatError):
        parse_entry(entry)
