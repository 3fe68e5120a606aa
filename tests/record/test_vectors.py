"""The vectors for other implementations hold for this one."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from carethread.clock import format_instant
from carethread.errors import FormatError, InvalidTextError, InvalidValueError
from carethread.record.commit_message import parse_commit_message, render_commit_message
from carethread.record.escape import (
    escape_body,
    escape_inline,
    escape_label,
    unescape_body,
    unescape_inline,
    unescape_label,
)
from carethread.record.ledger_yaml import parse_ledger, render_ledger
from carethread.record.model import Message
from carethread.record.status_yaml import parse_status, render_status
from carethread.record.system_text import ledger_sentences, ledger_summary
from carethread.record.text import check_body, check_name
from carethread.record.thread_md import FILE_HEADER, appendix, parse_thread, render_entry

FOLDER = Path(__file__).parent.parent / "vectors" / "format"


def render_thread(messages: tuple[Message, ...]) -> bytes:
    data = FILE_HEADER
    for count, message in enumerate(messages):
        data += appendix(count, render_entry(message))
    return data


CODECS: dict[str, tuple[Any, Any]] = {
    "thread": (parse_thread, render_thread),
    "ledger": (parse_ledger, render_ledger),
    "status": (parse_status, render_status),
    "commit": (parse_commit_message, render_commit_message),
}
_INSTANTS = ("timestamp", "sent", "created_at", "last_updated_at")


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return vectors


def in_json(value: object) -> object:
    if isinstance(value, Struct):
        return {name: in_field(name, getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [in_json(each) for each in value]
    return value


def in_field(name: str, value: Any) -> object:
    return format_instant(value) if name in _INSTANTS and value is not None else in_json(value)


@pytest.mark.parametrize("vector", load("index.json"), ids=lambda vector: vector["file"])
def test_file(vector: dict[str, Any]) -> None:
    data = (FOLDER / vector["file"]).read_bytes()
    parse, render = CODECS[vector["kind"]]
    if vector["accept"]:
        value = parse(data)
        assert in_json(value) == vector["value"]
        assert render(value) == data
        return
    with pytest.raises(FormatError) as caught:
        parse(data)
    assert caught.value.line == vector["line"]


def test_every_file_is_in_the_index() -> None:
    files = {path.relative_to(FOLDER).as_posix() for kind in CODECS for path in (FOLDER / kind).iterdir()}
    assert files == {vector["file"] for vector in load("index.json")}


def test_escapes() -> None:
    for vector in load("escapes.json"):
        text, written = vector["text"], vector["written"]
        match vector["kind"]:
            case "body":
                assert (escape_body(text), unescape_body(written)) == (written, text)
            case "name":
                assert (escape_inline(text), unescape_inline(written, "name")) == (written, text)
            case _:
                assert (escape_label(text), unescape_label(written, "name")) == (written, text)


def test_texts() -> None:
    for vector in load("texts.json"):
        try:
            recorded = check_body(vector["text"]) if vector["kind"] == "body" else check_name(vector["text"], "name")
            outcome: dict[str, Any] = {"recorded": recorded}
        except InvalidTextError as error:
            outcome = {"refused_at": error.position}
        except InvalidValueError:
            outcome = {"refused": True}
        assert {"kind": vector["kind"], "text": vector["text"], **outcome} == vector


def test_changes() -> None:
    for vector in load("changes.json"):
        before, after = parse_ledger(vector["before"].encode()), parse_ledger(vector["after"].encode())
        if "refused" in vector:
            with pytest.raises(InvalidValueError) as caught:
                ledger_sentences(before, after)
            assert caught.value.field == vector["refused"]
            continue
        assert list(ledger_sentences(before, after)) == vector["sentences"]
        assert ledger_summary(before, after) == vector["summary"]
