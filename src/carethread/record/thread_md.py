"""`thread.md`: the conversation, one entry after the other.

    # Messages

    ## Message

    **ID:** `3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92`␣␣
    **Type:** clinician␣␣
    **Timestamp:** 2026-01-11T14:36:15.234Z␣␣
    **Author ID:** `4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12`␣␣
    **Author:** Dr Jane Smith

    Patient has reported increasing shortness of breath.

    ---

    ## Message
    …

The file is `FILE_HEADER`; a first entry follows a line feed, every further one `SEPARATOR`. An entry is its heading,
an empty line, the header lines, and, unless it is nothing but attachments, an empty line and the body. Every header
line but the last ends in two spaces. A line stands there only when it says something; `To` and `Attachment` may
stand there more than once. Their order and values:

| line | value |
|---|---|
| ID | `` `id` `` |
| Type | clinician, patient, system, correction |
| Timestamp | instant |
| Author ID | `` `id` `` |
| Author | name |
| Author role | role; always for system and correction, else only when it is not the type's own |
| On behalf of | `` `id` `` name |
| To | `` `id` `` name |
| In response to | `` `id` `` |
| Corrects | `` `id` `` |
| Sent | instant |
| Via | `` `id` `` name |
| Attachment | `` `sha256` `` media type, size in decimal ` bytes, [`file name`](attachments/…)` |

Names and media types are escaped inline, file names as labels, bodies as bodies (`carethread.record.escape`).
"""

from collections.abc import Callable
from typing import TypeVar

from carethread.clock import format_instant, parse_instant
from carethread.errors import FormatError, InvalidTextError, InvalidValueError
from carethread.ids import MessageId, ParticipantId, parse_message_id, parse_participant_id
from carethread.record.entry_check import check_message
from carethread.record.escape import (
    InvalidBodyError,
    escape_body,
    escape_inline,
    escape_label,
    unescape_body,
    unescape_inline,
    unescape_label,
)
from carethread.record.media_types import MAX_SIZE, attachment_path
from carethread.record.model import Attachment, Message, MessageType, Party, Role
from carethread.record.text import check_body, check_name
from carethread.record.words import read_word

FILE = "thread.md"
FILE_HEADER = b"# Messages\n"
SEPARATOR = b"\n---\n\n"

_HEADING = "## Message\n\n"
_SEPARATOR_LINES = 3
_GUID = 36
_SHA256 = 64

_Value = TypeVar("_Value")


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def render_entry(message: Message) -> bytes:
    """Write one entry, from its heading to the line feed that ends it.

    The body has passed `check_body`, every name `check_name`, every identifier its parser; this checks only what the
    parts say of each other.

    Raises:
        InvalidValueError: they contradict each other, see `check_message`.
    """
    check_message(message)
    lines = [
        f"**ID:** `{message.id}`",
        f"**Type:** {message.type.value}",
        f"**Timestamp:** {format_instant(message.timestamp)}",
        f"**Author ID:** `{message.author_id}`",
        f"**Author:** {escape_inline(message.author_name)}",
    ]
    if message.author_role is not None:
        lines.append(f"**Author role:** {message.author_role.value}")
    if message.on_behalf_of is not None:
        lines.append(f"**On behalf of:** {_party_text(message.on_behalf_of)}")
    lines += [f"**To:** {_party_text(party)}" for party in message.to]
    if message.in_response_to is not None:
        lines.append(f"**In response to:** `{message.in_response_to}`")
    if message.corrects is not None:
        lines.append(f"**Corrects:** `{message.corrects}`")
    if message.sent is not None:
        lines.append(f"**Sent:** {format_instant(message.sent)}")
    if message.via is not None:
        lines.append(f"**Via:** {_party_text(message.via)}")
    lines += [f"**Attachment:** {_attachment_text(attachment)}" for attachment in message.attachments]
    body = f"\n\n{escape_body(message.body)}\n" if message.body else "\n"
    return (_HEADING + "  \n".join(lines) + body).encode()


def appendix(count_before: int, entry: bytes) -> bytes:
    """Return what to append to a `thread.md` of so many entries, for one more."""
    return (SEPARATOR if count_before else b"\n") + entry


def _party_text(party: Party) -> str:
    return f"`{party.id}` {escape_inline(party.name)}"


def _attachment_text(attachment: Attachment) -> str:
    return (
        f"`{attachment.sha256}` {escape_inline(attachment.media_type)}, {attachment.size} bytes, "
        f"[{escape_label(attachment.file_name)}]({attachment_path(attachment)})"
    )


# ── Taking apart ──────────────────────────────────────────────────────────────────────────────────────────────────────


def split_thread(data: bytes) -> list[bytes]:
    """Cut a whole `thread.md` into the bytes of its entries, without looking into them.

    Raises:
        FormatError: it does not begin with the file's header.
    """
    if not data.startswith(FILE_HEADER):
        raise FormatError(FILE, 1, "does not begin with the line '# Messages'")
    if len(data) == len(FILE_HEADER):
        return []
    return split_appendix(0, data[len(FILE_HEADER) :], first_line=2)


def split_appendix(count_before: int, data: bytes, first_line: int = 1) -> list[bytes]:
    """Cut what was appended to a `thread.md` of so many entries into the bytes of the new ones.

    Exact for canonical entries, none of which holds the separator; in others a fault shows when they are parsed.
    `first_line` is the number of the first appended line, for errors.

    Raises:
        FormatError: what stands before the first new entry is not what `appendix` writes there.
    """
    before = appendix(count_before, b"")
    if not data.startswith(before):
        raise FormatError(FILE, first_line, "an entry does not follow what was there")
    *entries, last = data[len(before) :].split(b"\n" + SEPARATOR)
    return [*[entry + b"\n" for entry in entries], last]


def parse_thread(data: bytes) -> tuple[Message, ...]:
    """Read a whole `thread.md`. What entries say of each other is not this function's concern.

    Raises:
        FormatError: the bytes are not exactly what would be written for what they say.
    """
    messages = []
    line = 3
    for entry in split_thread(data):
        messages.append(parse_entry(entry, line))
        line += entry.count(b"\n") + _SEPARATOR_LINES
    return tuple(messages)


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_entry(data: bytes, first_line: int = 1) -> Message:
    """Read one entry; `first_line` is the number of its heading's line, for errors.

    Raises:
        FormatError: the bytes are not exactly what `render_entry` writes for what they say.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise FormatError(FILE, line, "is not UTF-8") from None
    if not text.startswith(_HEADING):
        raise FormatError(FILE, first_line, "is not the line '## Message' and an empty one")
    if not text.endswith("\n"):
        raise FormatError(FILE, first_line + text.count("\n"), "does not end with a line feed")
    end = text.find("\n\n", len(_HEADING))
    if end < 0:
        head, body, body_line = _Head(text[len(_HEADING) : -1], first_line + 2), "", 0
    else:
        head = _Head(text[len(_HEADING) : end], first_line + 2)
        body_line = first_line + text.count("\n", 0, end) + 2
        body = _read_body(text[end + 2 : -1], body_line)
    message = Message(
        id=head.value("ID", _read_message_id),
        type=head.value("Type", _read_type),
        timestamp=head.value("Timestamp", parse_instant),
        author_id=head.value("Author ID", _read_participant_id),
        author_name=head.value("Author", _read_name),
        author_role=head.optional("Author role", _read_role),
        on_behalf_of=head.optional("On behalf of", _read_party),
        to=head.repeated("To", _read_party),
        in_response_to=head.optional("In response to", _read_message_id),
        corrects=head.optional("Corrects", _read_message_id),
        sent=head.optional("Sent", parse_instant),
        via=head.optional("Via", _read_party),
        attachments=head.repeated("Attachment", _read_attachment),
        body=body,
    )
    head.finish()
    try:
        check_message(message)
    except InvalidValueError as error:
        raise FormatError(FILE, first_line, str(error)) from None
    return message


class _Head:
    """The header lines of one entry, read from top to bottom."""

    __slots__ = ("first_line", "index", "lines")

    def __init__(self, text: str, first_line: int) -> None:
        self.lines = text.split("  \n")
        self.first_line = first_line
        self.index = 0

    def value(self, label: str, read: Callable[[str, str], _Value]) -> _Value:
        """Read the next line, which must have this label."""
        value = self.optional(label, read)
        if value is None:
            raise self.fault(f"is not the header line '{label}'")
        return value

    def optional(self, label: str, read: Callable[[str, str], _Value]) -> _Value | None:
        """Read the next line if it has this label."""
        if self.index == len(self.lines):
            return None
        line = self.lines[self.index]
        start = f"**{label}:** "
        if not line.startswith(start):
            return None
        try:
            value = read(line[len(start) :], label)
        except InvalidValueError as error:
            raise self.fault(str(error)) from None
        self.index += 1
        return value

    def repeated(self, label: str, read: Callable[[str, str], _Value]) -> tuple[_Value, ...]:
        """Read as many lines as have this label."""
        values = []
        while (value := self.optional(label, read)) is not None:
            values.append(value)
        return tuple(values)

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self.index != len(self.lines):
            raise self.fault("is not a header line, or not in its place")

    def fault(self, fault: str) -> FormatError:
        return FormatError(FILE, self.first_line + self.index, fault)


def _read_body(text: str, line: int) -> str:
    try:
        body = unescape_body(text)
    except InvalidBodyError as error:
        raise FormatError(FILE, line + error.line - 1, str(error)) from None
    try:
        checked = check_body(body)
    except InvalidTextError as error:
        raise FormatError(FILE, line + body.count("\n", 0, error.position), str(error)) from None
    except InvalidValueError as error:
        raise FormatError(FILE, line, str(error)) from None
    if checked != body:
        raise FormatError(FILE, line + _spare_space(body.split("\n")), "body: has spaces that are not recorded")
    return body


def _spare_space(lines: list[str]) -> int:
    """Return the index of the first line that is empty at an end of the body, or ends in what is not recorded."""
    if not lines[0]:
        return 0
    return next((at for at, line in enumerate(lines) if line.endswith((" ", "\t", "\r"))), len(lines) - 1)


def _in_backticks(text: str, length: int, field: str) -> str:
    if len(text) != length + 2 or text[0] != "`" or text[-1] != "`":
        raise InvalidValueError(field, "is not an identifier in backticks")
    return text[1:-1]


def _read_message_id(text: str, field: str) -> MessageId:
    return parse_message_id(_in_backticks(text, _GUID, field), field)


def _read_participant_id(text: str, field: str) -> ParticipantId:
    return parse_participant_id(_in_backticks(text, _GUID, field), field)


def _read_name(text: str, field: str) -> str:
    return check_name(unescape_inline(text, field), field)


def _read_party(text: str, field: str) -> Party:
    cut = _GUID + 2
    if text[cut : cut + 1] != " ":
        raise InvalidValueError(field, "is not an identifier in backticks and a name")
    return Party(id=_read_participant_id(text[:cut], field), name=_read_name(text[cut + 1 :], field))


def _read_type(text: str, field: str) -> MessageType:
    return read_word(MessageType, text, field)


def _read_role(text: str, field: str) -> Role:
    return read_word(Role, text, field)


def _read_attachment(text: str, field: str) -> Attachment:
    digest, _, rest = text.partition(" ")
    media_type, _, rest = rest.partition(", ")
    size, _, rest = rest.partition(" bytes, [")
    file_name, _, _ = rest.rpartition("](")
    if not size.isascii() or not size.isdecimal() or len(size) >= len(str(MAX_SIZE)):
        raise InvalidValueError(field, "has no size in bytes")
    attachment = Attachment(
        sha256=_in_backticks(digest, _SHA256, field),
        media_type=unescape_inline(media_type, field),
        size=int(size),
        file_name=unescape_label(file_name, field),
    )
    if _attachment_text(attachment) != text:
        raise InvalidValueError(field, "is not digest, media type, size and link")
    return attachment
