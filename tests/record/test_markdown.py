"""Any CommonMark renderer shows what was typed, all of it, and nothing else."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import MessageId, ParticipantId
from carethread.record.model import Attachment, Message, MessageType
from carethread.record.text import check_body, check_name
from carethread.record.thread_md import FILE_HEADER, appendix, parse_thread, render_entry
from tests.record.markdown_oracle import COMMONMARK, EXTENDED, ORACLES, assert_shows
from tests.record.strategies import bodies, messages, names

ALPHABET = "a1 \t\n*_`~\\<>&;!?[]():|#-+=./@^é\u00a0"
LENGTH = 3 if os.environ.get("CARETHREAD_FUZZ") == "1" else 2


def message(body: str, name: str = "Dr Jane Smith", file_name: str = "x.png") -> Message:
    return Message(
        id=MessageId("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92"),
        type=MessageType.CLINICIAN,
        timestamp=Instant(1_768_142_175_234),
        author_id=ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"),
        author_name=name,
        body=body,
        attachments=(Attachment("0" * 64, "image/png", 1, file_name),),
    )


def document(entries: list[Message]) -> bytes:
    data = FILE_HEADER
    for count, entry in enumerate(entries):
        data += appendix(count, render_entry(entry))
    return data


@given(st.lists(messages(), max_size=2))
def test_every_thread_shows_what_it_says(entries: list[Message]) -> None:
    data = document(entries)
    assert parse_thread(data) == tuple(entries)
    for oracle in ORACLES:
        assert_shows(oracle, data.decode(), entries)


@given(bodies, bodies)
def test_every_body_shows_as_typed(first: str, second: str) -> None:
    entries = [message(first), message(second)]
    for oracle in ORACLES:
        assert_shows(oracle, document(entries).decode(), entries)


@given(names, names)
def test_every_name_shows_as_it_is(name: str, file_name: str) -> None:
    entries = [message("x", name, file_name), message("y", file_name, name)]
    for oracle in ORACLES:
        assert_shows(oracle, document(entries).decode(), entries)


@pytest.mark.parametrize("oracle", [COMMONMARK, EXTENDED], ids=["commonmark", "extended"])
@pytest.mark.parametrize("start", ALPHABET)
def test_every_short_text_shows_as_typed(oracle: MarkdownIt, start: str) -> None:
    entries: list[Message] = []
    for length in range(LENGTH):
        for rest in itertools.product(ALPHABET, repeat=length):
            text = start + "".join(rest)
            for typed in (text, f"a{text}b", f"a\n{text}", f"{text}{text}"):
                try:
                    entries.append(message(check_body(typed)))
                except InvalidValueError:
                    continue
            try:
                entries.append(message("x", check_name(text, "name"), text))
            except InvalidValueError:
                continue
            if len(entries) > 1_000:
                assert_shows(oracle, document(entries).decode(), entries)
                entries.clear()
    assert_shows(oracle, document(entries).decode(), entries)


@pytest.mark.parametrize(
    "typed",
    [
        "2*500*3 mg", ">6.0", "1. first\n3. third", "[dose]: 50mg", "5~10 mg, ~20 mg~", "a\n===",
        "x | y\n--- | ---\n1 | 2",
        "    code\n    *more*\n\n    ---\n\ntext", "text\n    ## not code", "\tcode\n\ttwo", "&lt;5", "`x`", "a\\",
        "<!-- gone -->", "<+a@b.c>", "![x](y)", "***\n\n* * *\n\n_ _ _", "\u00a0# x", "**ID:** `x`",
    ],
)  # fmt: skip
def test_examples_show_as_typed(typed: str) -> None:
    body = check_body(typed)
    for oracle in ORACLES:
        assert_shows(oracle, document([message(body)]).decode(), [message(body)])
