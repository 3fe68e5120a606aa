"""`carethread message`: adding, correcting and showing, and where bodies come from."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import AS_JOHN, AS_TOM, JANE, JOHN, TOM, CommandLine, Conversation

# What hypothesis tries, it tries on one thread.
_ON_ONE_THREAD = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


def add(cli: CommandLine, conversation: Conversation, *arguments: str, stdin: str | bytes | None = None) -> str:
    """Add a message; return the body that was recorded."""
    made = cli.document("message", "add", conversation.record, conversation.thread, *arguments, stdin=stdin)
    body: str = cli.document("message", "show", conversation.record, made.message_id).message.body
    return body


def test_a_message_is_in_the_repository_once_its_id_is_printed(cli: CommandLine, conversation: Conversation) -> None:
    said = cli.text("message", "add", conversation.record, conversation.thread, "--body", "One more thing.")
    thread = Path(cli.document("record", "show", conversation.record).path) / "communications" / conversation.thread
    assert said.split()[-1] in (thread / "thread.md").read_text(encoding="utf-8")


def test_bodies_come_from_an_option_a_file_and_standard_input(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    file = tmp_path / "body.txt"
    file.write_bytes("\ufeffFrom a file,\r\nwith two lines.\n".encode())
    assert add(cli, conversation, "--body", "From an option.") == "From an option."
    assert add(cli, conversation, str(file)) == "From a file,\nwith two lines."
    assert add(cli, conversation, "-", stdin="From standard input. ❤\n") == "From standard input. ❤"


@pytest.mark.parametrize(
    "arguments, stdin, said",
    [
        ((), None, "body: is missing: give --body TEXT, a file, or - for standard input"),
        (("--body", "x", "-"), "y", "body: is given twice"),
        (("--body", ""), None, "body: has no visible character"),
        (("-",), "", "body: has no visible character"),
        (("-",), b"caf\xe9", "body: is not UTF-8 at byte 3"),
        (("no-such-file",), None, "body: cannot read no-such-file: No such file or directory"),
        (("-",), "x" * 100_001, "body: is longer than 100,000 characters"),
        (("--body", "a\x00b"), None, "U+0000"),
        (("--body", "x", "--sent", "yesterday"), None, "sent: is not a UTC time"),
        (("--body", "x", "--sent", "2999-01-01T00:00:00.000Z"), None, "sent: is later"),
        (("--body", "x", "--in-response-to", "8b2"), None, "in-response-to: give at least 4 characters"),
        (("--body", "x", "--author-role", "patient-associate"), None, "author-role: is none of"),
    ],
)
def test_bad_messages_are_refused_and_nothing_is_recorded(
    cli: CommandLine,
    conversation: Conversation,
    arguments: tuple[str, ...],
    stdin: str | bytes | None,
    said: str,
) -> None:
    told = cli.fault(2, "message", "add", conversation.record, conversation.thread, *arguments, stdin=stdin)
    assert said in told
    assert len(cli.document("thread", "show", conversation.record, conversation.thread).messages) == 2


@_ON_ONE_THREAD
@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40))
def test_what_is_typed_is_recorded_and_shown(cli: CommandLine, conversation: Conversation, typed: str) -> None:
    result = cli.run("message", "add", conversation.record, conversation.thread, "-", "--json", stdin=typed)
    if result.exit_code == 2:
        assert "body:" in result.stderr
        return
    message_id = cli.document("thread", "show", conversation.record, conversation.thread).messages[-1].message_id
    shown = cli.text("message", "show", conversation.record, message_id)
    assert shown.endswith(f"\n\n    {typed}\n")


def test_an_answer_names_what_it_answers(cli: CommandLine, conversation: Conversation) -> None:
    answer = ("--in-response-to", conversation.answer[:8], "--sent", "2026-01-11T14:36:15.234Z")
    said = cli.fault(4, "message", "add", conversation.record, conversation.thread, "--body", "Yes", *answer, *AS_JOHN)
    assert "earlier than the message it answers" in said
    made = cli.text(
        "message",
        "add",
        conversation.record,
        conversation.thread,
        "--body",
        "Yes, I will do that",
        *answer[:2],
        *AS_JOHN,
    )
    shown = cli.text("message", "show", conversation.record, made.split()[-1])
    assert f"In response to  {conversation.answer}" in shown
    assert f"Author          John Doe (patient, {JOHN})" in shown


def test_when_it_was_sent_is_recorded(cli: CommandLine, conversation: Conversation) -> None:
    sent = ("--sent", "2026-01-11T14:36:15.234Z")
    made = cli.text("message", "add", conversation.record, conversation.thread, "--body", "Hello", *sent)
    assert "Sent     2026-01-11 14:36:15.234 UTC" in cli.text("message", "show", conversation.record, made.split()[-1])


def test_recipients_may_be_named(cli: CommandLine, conversation: Conversation) -> None:
    made = cli.document(
        "message",
        "add",
        conversation.record,
        conversation.thread,
        "--body",
        "Hello",
        "--to",
        "Dr Tom Patel",
        "--to",
        JOHN,
    )
    shown = cli.document("message", "show", conversation.record, made.message_id)
    assert [each.id for each in shown.message.to] == [TOM, JOHN]
    assert shown.communication_id == conversation.thread


def test_a_message_may_be_written_for_an_organisation(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    asked = ("message", "add", record, thread, "--body", "Hello", "--on-behalf-of", "Clinic B")
    assert "nobody who takes part" in cli.fault(4, *asked)
    cli.text("thread", "participants", record, thread, "--add", f"organisation:{'0' * 8}{TOM[8:]}:Clinic B")
    made = cli.document(*asked, "--author-id", f"{1:08x}{JOHN[8:]}", "--author-name", "Adam Novak")
    assert cli.document("message", "show", record, made.message_id).message.on_behalf_of.name == "Clinic B"
    by_id = (*asked[:-1], f"{'0' * 8}{TOM[8:]}", "--author-id", JANE)
    assert cli.document(*by_id).message_id != made.message_id
    unknown = (asked[0], asked[1], record, f"{thread[:-4]}0000", *asked[4:])
    assert "no thread" in cli.fault(3, *unknown)


def test_attachments_go_with_a_message_and_may_say_it_all(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    picture = tmp_path / "Chest X-ray.PNG"
    picture.write_bytes(b"\x89PNG")
    other = tmp_path / "notes.unknown"
    other.write_bytes(b"?")
    record, thread = conversation.record, conversation.thread
    made = cli.document("message", "add", record, thread, "--attach", str(picture), "--attach", str(other))
    shown = cli.document("message", "show", record, made.message_id).message
    assert [(each.file_name, each.media_type, each.size) for each in shown.attachments] == [
        ("Chest X-ray.PNG", "image/png", 4),
        ("notes.unknown", "application/octet-stream", 1),
    ]
    said = cli.text("message", "show", record, made.message_id)
    assert f"Attachment  Chest X-ray.PNG (image/png, 4 bytes, {shown.attachments[0].sha256})" in said
    assert said.endswith(f"{shown.attachments[1].sha256})\n")
    kept = Path(cli.document("record", "show", record).path) / "communications" / thread / "attachments"
    assert (kept / f"{shown.attachments[0].sha256}.png").read_bytes() == b"\x89PNG"


@pytest.mark.parametrize("name, said", [("absent.pdf", "No such file"), ("empty.pdf", "is empty")])
def test_bad_attachments_are_refused(
    cli: CommandLine, conversation: Conversation, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "empty.pdf").touch()
    asked = ("message", "add", conversation.record, conversation.thread, "--attach", str(tmp_path / name))
    assert said in cli.fault(2, *asked)


def test_a_correction_names_the_original_which_stays(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    made = cli.document("message", "correct", record, conversation.answer[:6], "--body", "Some changes.", *AS_TOM)
    assert made.communication_id == thread
    original, correction = cli.document("thread", "show", record, thread).messages[1:]
    assert (original.message_id, original.body) == (conversation.answer, "No acute changes.")
    assert (correction.type, correction.corrects) == ("correction", conversation.answer)
    assert f"Corrects  {conversation.answer}" in cli.text("message", "show", record, made.message_id)
    system = cli.document("ledger", "update", record, thread, "--restricted").message_id
    assert "system entry" in cli.fault(4, "message", "correct", record, system, "--body", "x", "--thread", thread)


def test_the_same_identifier_records_one_message(cli: CommandLine, conversation: Conversation) -> None:
    asked = ("message", "add", conversation.record, conversation.thread, "--identifier", "7", "--body")
    assert cli.document(*asked, "Hello") == cli.document(*asked, "Hello")
    said = cli.fault(5, *asked, "Something else")
    assert "stands for" in said
    assert "Something else" not in said
    other = (*asked[:4], "--client", "another", *asked[4:])
    assert cli.document(*other, "Hello") != cli.document(*asked, "Hello")
    correction = ("message", "correct", conversation.record, conversation.question, "--identifier", "8", "--body", "x")
    assert cli.document(*correction) == cli.document(*correction)
