"""Which record, thread or message the beginning of an id names."""

import re

import pytest

from carethread.ids import random_uuid
from tests.cli.conftest import CommandLine, Conversation


def other(identifier: str) -> str:
    """Return an id that begins differently."""
    return ("1" if identifier[0] == "0" else "0") + identifier[1:]


def test_records_are_named_by_four_digits_or_more(cli: CommandLine, record: str) -> None:
    hyphenated = re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", record)
    for named in (record, record[:4], record[:4].upper(), record[:31], hyphenated, hyphenated[:10]):
        assert cli.document("record", "show", named).coordination_id == record
    assert "at least 4 characters" in cli.fault(2, "record", "show", record[:3])
    for named in (other(record), other(record)[:4]):
        assert "carethread record list" in cli.fault(3, "record", "show", named)


def test_a_beginning_of_several_ids_names_none(cli: CommandLine, conversation: Conversation) -> None:
    second = cli.document("thread", "new", conversation.record)
    said = cli.fault(2, "thread", "show", conversation.record, conversation.thread[:4])
    assert "thread: may be any of 2" in said
    assert conversation.thread in said
    assert second.communication_id in said


def test_threads_are_named_by_the_time_or_by_the_uuid(cli: CommandLine, conversation: Conversation) -> None:
    thread = conversation.thread
    for named in (thread, thread[:20], thread[:20].lower(), thread[-36:], thread[-36:-28].upper()):
        assert cli.document("thread", "show", conversation.record, named).ledger.communication_id == thread
    assert "at least 4 characters" in cli.fault(2, "thread", "show", conversation.record, "202")
    absent = f"20260111T143522.045Z-{random_uuid()}"
    for named in (absent, "1999"):
        assert "no thread" in cli.fault(3, "thread", "show", conversation.record, named)


def test_messages_are_named_by_four_digits_or_more(cli: CommandLine, conversation: Conversation) -> None:
    answer = conversation.answer
    for named in (answer, answer[:8], answer.upper()):
        assert cli.document("message", "show", conversation.record, named).message.message_id == answer
    assert "at least 4 characters" in cli.fault(2, "message", "show", conversation.record, answer[:3])
    for named in (str(random_uuid()), "zzzz"):
        assert "no message" in cli.fault(3, "message", "show", conversation.record, named)


@pytest.mark.parametrize("named", ["", "💊💊💊💊", "../..", "%s%s", "{0}{1}"])
def test_what_is_no_id_names_nothing(cli: CommandLine, conversation: Conversation, named: str) -> None:
    code = 3 if len(named.replace("-", "")) >= 4 else 2
    cli.fault(code, "record", "show", named)
    cli.fault(code, "thread", "show", conversation.record, named)
    cli.fault(code, "message", "show", conversation.record, named)
