"""`thread.md`: what is written is read back, and nothing else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread.clock import Instant, parse_instant
from carethread.errors import FormatError, InvalidValueError
from carethread.ids import MessageId, ParticipantId
from carethread.record.entry_check import author_role
from carethread.record.model import Attachment, Message, MessageType, Party, Role
from carethread.record.thread_md import (
    FILE_HEADER,
    SEPARATOR,
    appendix,
    parse_entry,
    parse_thread,
    render_entry,
    split_appendix,
    split_thread,
)
from tests.record.strategies import messages

JANE = Message(
    id=MessageId("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92"),
    type=MessageType.CLINICIAN,
    timestamp=parse_instant("2026-01-11T14:36:15.234Z"),
    author_id=ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"),
    author_name="Dr Jane Smith",
    body="Patient has reported increasing shortness of breath.\nPlease review chest X-ray and advise on next steps.",
)
TOM = Message(
    id=MessageId("8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d"),
    type=MessageType.CLINICIAN,
    timestamp=parse_instant("2026-01-11T15:42:30.567Z"),
    author_id=ParticipantId("a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3"),
    author_name="Dr Tom Patel",
    body="Reviewed X-ray. No acute changes. Continue current management\n"
    "and reassess in 48 hours. If symptoms worsen, arrange urgent review.",
)
OTHER = MessageId("00000000-0000-4000-8000-000000000000")
PHARMACY = Party(ParticipantId("0d4f0000-0000-0000-0000-000000000001"), "Riverside Pharmacy")
XRAY = Attachment("0123456789abcdef" * 4, "image/png", 48213, "chest [1].png")
EVERYTHING = replace(
    JANE,
    type=MessageType.CORRECTION,
    author_role=Role.CARE_ADMINISTRATOR,
    on_behalf_of=PHARMACY,
    to=(Party(ParticipantId("77ab0000-0000-0000-0000-000000000002"), "Hill Surgery"), PHARMACY),
    in_response_to=TOM.id,
    corrects=OTHER,
    sent=parse_instant("2026-01-11T14:00:00.000Z"),
    via=Party(ParticipantId("99990000-0000-0000-0000-000000000003"), "Pharmacy *System*"),
    attachments=(XRAY, Attachment("f" * 64, "application/x-unknown", 1, "b")),
    body="",
)
VECTORS = Path(__file__).parent.parent / "vectors" / "format"


def test_the_seeds_conversation_is_written_byte_for_byte() -> None:
    data = FILE_HEADER
    for count, message in enumerate((JANE, TOM)):
        data += appendix(count, render_entry(message))
    assert data == (VECTORS / "thread" / "seed.md").read_bytes()
    assert parse_thread(data) == (JANE, TOM)


def test_every_header_line_in_its_place() -> None:
    written = render_entry(EVERYTHING).decode()
    assert written == (
        "## Message\n\n"
        "**ID:** `3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92`  \n"
        "**Type:** correction  \n"
        "**Timestamp:** 2026-01-11T14:36:15.234Z  \n"
        "**Author ID:** `4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12`  \n"
        "**Author:** Dr Jane Smith  \n"
        "**Author role:** care_administrator  \n"
        "**On behalf of:** `0d4f0000-0000-0000-0000-000000000001` Riverside Pharmacy  \n"
        "**To:** `77ab0000-0000-0000-0000-000000000002` Hill Surgery  \n"
        "**To:** `0d4f0000-0000-0000-0000-000000000001` Riverside Pharmacy  \n"
        "**In response to:** `8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d`  \n"
        "**Corrects:** `00000000-0000-4000-8000-000000000000`  \n"
        "**Sent:** 2026-01-11T14:00:00.000Z  \n"
        "**Via:** `99990000-0000-0000-0000-000000000003` Pharmacy \\*System\\*  \n"
        f"**Attachment:** `{XRAY.sha256}` image/png, 48213 bytes, "
        f"[chest \\[1\\].png](attachments/{XRAY.sha256}.png)  \n"
        f"**Attachment:** `{'f' * 64}` application/x-unknown, 1 bytes, [b](attachments/{'f' * 64}.bin)\n"
    )
    assert parse_entry(written.encode()) == EVERYTHING


@given(messages())
def test_entries_round_trip(message: Message) -> None:
    """So no two messages are written alike."""
    data = render_entry(message)
    assert data.startswith(b"## Message\n\n")
    assert data.endswith(b"\n")
    assert not data.endswith(b"\n\n")
    assert SEPARATOR not in data
    assert parse_entry(data) == message
    assert render_entry(parse_entry(data)) == data


@given(st.lists(messages(), max_size=2), st.integers(0, 2))
def test_a_thread_only_grows(entries: list[Message], count_before: int) -> None:
    data = FILE_HEADER
    versions = [data]
    for count, message in enumerate(entries):
        data += appendix(count, render_entry(message))
        versions.append(data)
    written = [render_entry(message) for message in entries]
    assert parse_thread(data) == tuple(entries)
    assert split_thread(data) == written
    count_before = min(count_before, len(entries))
    appended = data[len(versions[count_before]) :]
    if appended:
        assert split_appendix(count_before, appended) == written[count_before:]


def faulty(edit: tuple[str, str], message: Message = EVERYTHING) -> bytes:
    before, after = edit
    text = render_entry(message).decode()
    assert before in text
    return text.replace(before, after, 1).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "before, after, line, fault",
    [
        ("## Message\n\n", "## Message\n", 7, "is not the line '## Message'"),
        ("## Message", "## Massage", 7, "is not the line '## Message'"),
        ("**ID:** `", "**Id:** `", 9, "is not the header line 'ID'"),
        ("`3f7a8d2c", "`3F7A8D2C", 9, "ID: is not a lower-case UUID v4"),
        ("`3f7a8d2c", "3f7a8d2c", 9, "ID: is not an identifier in backticks"),
        ("`  \n**Type", "` \n**Type", 9, "ID: is not an identifier in backticks"),
        ("`  \n**Type", "`\n**Type", 9, "ID: is not an identifier in backticks"),
        ("**Type:** correction", "**Type:** letter", 10, "Type: is none of clinician, patient, system, correction"),
        ("**Type:** correction  \n", "", 10, "is not the header line 'Type'"),
        ("14:36:15.234Z", "14:36:15Z", 11, "Timestamp: is not a UTC time"),
        ("2026-01-11T14:36", "2026-02-30T14:36", 11, "Timestamp: is not a time that exists"),
        ("Dr Jane Smith", "Dr *Jane* Smith", 13, "Author: is not escaped in the canonical way"),
        ("Dr Jane Smith", "Dr Jane\\ Smith\u202e", 13, "Author: a bidirectional control"),
        ("Dr Jane Smith", " Dr Jane Smith", 13, "Author: begins or ends with a space"),
        ("Dr Jane Smith", "", 13, "Author: is empty"),
        ("role:** care_administrator", "role:** boss", 14, "Author role: is none of"),
        (
            "role:** care_administrator",
            "role:** organisation",
            7,
            "author_role: does not fit an entry of type correction",
        ),
        (
            "` Riverside Pharmacy",
            "`Riverside Pharmacy",
            15,
            "On behalf of: is not an identifier in backticks and a name",
        ),
        (
            "`77ab0000-0000-0000-0000-000000000002` Hill",
            "`0d4f0000-0000-0000-0000-000000000001` Hill",
            7,
            "to: names somebody twice",
        ),
        ("**To:**", "**From:**", 16, "is not a header line, or not in its place"),
        ("**Corrects:** `00000000-0000-4000-8000-000000000000`  \n", "", 7, "corrects: is there if and only if"),
        (
            "00000000-0000-4000-8000-000000000000",
            "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92",
            7,
            "corrects: is the entry itself",
        ),
        (
            "8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d",
            "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92",
            7,
            "in_response_to: is the entry itself",
        ),
        ("14:00:00.000Z", "14:36:15.234Z", 7, "sent: is not earlier than the timestamp"),
        ("48213", "048213", 22, "Attachment: is not digest, media type, size and link"),
        ("48213", "4821.3", 22, "Attachment: has no size in bytes"),
        ("48213", "٤", 22, "Attachment: has no size in bytes"),
        ("48213", "1" * 16, 22, "Attachment: has no size in bytes"),
        ("48213", "0", 7, "size: is not from 1 byte"),
        ("image/png", "image/PNG", 22, "Attachment: is not digest, media type, size and link"),
        ("image/png, ", "image/png; q=1, ", 22, "Attachment: is not digest, media type, size and link"),
        ("application/x-unknown", "application", 7, "media_type: is not a lower-case media type"),
        (".png)", ".jpg)", 22, "Attachment: is not digest, media type, size and link"),
        ("\\[1\\]", "[1]", 22, "Attachment: is not escaped in the canonical way"),
        ("[b](", "[](", 7, "file_name: is empty"),
        (f"`{XRAY.sha256}`", f"`{XRAY.sha256[:-1]}`", 22, "Attachment: is not an identifier in backticks"),
        ("f" * 64, "F" * 64, 23, "Attachment: is not digest"),
        ("bin)\n", "bin)", 23, "does not end with a line feed"),
        ("bin)\n", "bin)\n\n", 25, "body: has no visible character"),
        ("bin)\n", "bin)  \n", 23, "Attachment: is not digest"),
        ("bin)\n", "bin)\n\n  \n", 25, "body: has no visible character"),
        ("bin)\n", "bin)\n\nx\n\n", 26, "body: has spaces that are not recorded"),
        ("bin)\n", "bin)\n\nx \n", 25, "body: has spaces that are not recorded"),
        ("bin)\n", "bin)\n\n\nx\n", 25, "body: has spaces that are not recorded"),
        ("bin)\n", "bin)\n\nx\r\n", 25, "body: a carriage return without a line feed"),
        ("bin)\n", "bin)\n\nx\r\ny\n", 25, "body: has spaces that are not recorded"),
        ("bin)\n", "bin)\n\nx\ny\n\u200b\n", 27, "body: an invisible character (U+200B)"),
        ("bin)\n", "bin)\n\nx\ny\n# z\n", 27, "body: is not escaped in the canonical way"),
        ("bin)\n", "bin)\n\nx\n\n---\n", 27, "body: is not escaped in the canonical way"),
        ("bin)\n", "bin)\n\nx\n\udc80\n", 26, "is not UTF-8"),
    ],
)
def test_anything_else_is_a_fault_of_a_line(before: str, after: str, line: int, fault: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_entry(faulty((before, after)), first_line=7)
    assert fault in str(caught.value)
    assert caught.value.line == line


def test_an_entry_that_is_only_a_heading() -> None:
    with pytest.raises(FormatError, match=r"thread\.md, line 3: is not the header line 'ID'"):
        parse_entry(b"## Message\n\n\n")


@pytest.mark.parametrize(
    "message, fault",
    [
        (replace(JANE, author_role=Role.CLINICIAN), "author_role"),
        (replace(JANE, author_role=Role.PATIENT), "author_role"),
        (replace(JANE, type=MessageType.PATIENT, author_role=Role.CARE_ADMINISTRATOR), "author_role"),
        (replace(JANE, type=MessageType.SYSTEM), "author_role"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.SYSTEM), "author_role"),
        (replace(JANE, type=MessageType.CORRECTION, author_role=Role.CLINICIAN), "corrects"),
        (replace(JANE, corrects=OTHER), "corrects"),
        (replace(JANE, type=MessageType.CORRECTION, author_role=Role.CLINICIAN, corrects=JANE.id), "corrects"),
        (replace(JANE, in_response_to=JANE.id), "in_response_to"),
        (replace(JANE, sent=JANE.timestamp), "sent"),
        (replace(JANE, sent=Instant(JANE.timestamp + 1)), "sent"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.PATIENT, sent=Instant(1)), "type"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.PATIENT, in_response_to=OTHER), "type"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.PATIENT, attachments=(XRAY,)), "type"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.PATIENT, to=(PHARMACY,)), "type"),
        (replace(JANE, type=MessageType.SYSTEM, author_role=Role.PATIENT, via=PHARMACY), "type"),
        (replace(JANE, to=(PHARMACY, PHARMACY)), "to"),
        (replace(JANE, attachments=(XRAY, XRAY)), "attachments"),
        (replace(JANE, attachments=(replace(XRAY, sha256="x"),)), "sha256"),
        (replace(JANE, attachments=(replace(XRAY, file_name="a\nb"),)), "file_name"),
        (replace(JANE, body=""), "body"),
    ],
)
def test_an_entry_that_contradicts_itself_is_not_written(message: Message, fault: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        render_entry(message)
    assert caught.value.field == fault


@pytest.mark.parametrize(
    "message_type, role, written",
    [
        (MessageType.CLINICIAN, Role.CLINICIAN, None),
        (MessageType.CLINICIAN, Role.CARE_ADMINISTRATOR, Role.CARE_ADMINISTRATOR),
        (MessageType.PATIENT, Role.PATIENT, None),
        (MessageType.PATIENT, Role.PATIENT_ASSOCIATE, Role.PATIENT_ASSOCIATE),
        (MessageType.SYSTEM, Role.CLINICIAN, Role.CLINICIAN),
        (MessageType.CORRECTION, Role.PATIENT, Role.PATIENT),
    ],
)
def test_a_role_is_written_where_the_type_does_not_say_it(
    message_type: MessageType, role: Role, written: Role | None
) -> None:
    assert author_role(message_type, role) is written


@pytest.mark.parametrize(
    "message_type, role",
    [
        (MessageType.CLINICIAN, Role.PATIENT),
        (MessageType.PATIENT, Role.CLINICIAN),
        (MessageType.SYSTEM, Role.SYSTEM),
        (MessageType.CORRECTION, Role.ORGANISATION),
    ],
)
def test_a_role_that_does_not_write_such_entries(message_type: MessageType, role: Role) -> None:
    with pytest.raises(InvalidValueError, match="author_role"):
        author_role(message_type, role)


def test_a_thread_without_messages() -> None:
    assert split_thread(b"# Messages\n") == []
    assert parse_thread(b"# Messages\n") == ()


@pytest.mark.parametrize(
    "data, line",
    [
        (b"", 1),
        (b"# Messages", 1),
        (b"\xef\xbb\xbf# Messages\n", 1),
        (b"# Messages\r\n", 1),
        (b"# Messages\n\n", 3),
        (b"# Messages\n## Message\n", 2),
        (b"# Messages\n\nx", 3),
        (b"# Messages\n" + appendix(1, render_entry(JANE)), 3),
        (b"# Messages\n" + appendix(0, render_entry(JANE)) + b"\n", 13),
        (b"# Messages\n" + appendix(0, render_entry(JANE)) + SEPARATOR, 16),
        (b"# Messages\n" + appendix(0, render_entry(JANE)) + SEPARATOR + b"x\n", 16),
        (b"# Messages\n" + appendix(0, render_entry(JANE)) + appendix(0, render_entry(TOM)), 14),
    ],
)
def test_a_thread_in_another_form(data: bytes, line: int) -> None:
    with pytest.raises(FormatError) as caught:
        parse_thread(data)
    assert caught.value.line == line


def test_lines_are_counted_through_a_thread() -> None:
    data = (
        FILE_HEADER + appendix(0, render_entry(JANE)) + appendix(1, render_entry(TOM).replace(b"Dr Tom", b"Dr \tTom"))
    )
    with pytest.raises(FormatError, match=r"thread\.md, line 22: Author: a tab"):
        parse_thread(data)
    assert data.split(b"\n")[21].startswith(b"**Author:**")


def test_an_appendix_must_follow_what_was_there() -> None:
    with pytest.raises(FormatError, match="line 40: an entry does not follow what was there"):
        split_appendix(1, appendix(0, render_entry(JANE)), first_line=40)
