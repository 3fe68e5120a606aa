"""The payload of messages and threads: a text and files."""

import base64
import hashlib
import re
from collections.abc import Sequence

from carethread.clock import format_instant
from carethread.fhir import types
from carethread.fhir.mapping.drafts import AttachmentDraft
from carethread.fhir.mapping.reading import Reading
from carethread.ids import MessageId
from carethread.record.media_types import EXTENSIONS, check_media_type
from carethread.record.model import Attachment, Message
from carethread.record.rules import sent_time
from carethread.record.text import check_body, check_name

# https://hl7.org/fhir/R4/datatypes.html#unsignedInt
_MAX_UNSIGNED = 2_147_483_647

_BINARY = re.compile(r"Binary/(?P<id>[A-Za-z0-9.-]{1,64})", re.ASCII)
_OWN = re.compile(r"(?P<message>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?P<number>[1-9][0-9]?)", re.ASCII)

_UPLOAD = "Give the file as data, or upload it as a Binary first and refer to that."
_LATER = "Leave it out, or say in the text when the file was made."
_REASONS = {
    "language": ("the record does not keep the language of a file", "Leave it out, or say it in the text."),
    "creation": ("the record keeps when a message was sent, not when its files were made", _LATER),
}
_CONTENT = {
    "content_reference": (
        "the record keeps texts and files, and nothing that may change elsewhere",
        "Attach the content as a file, or write in the text what it says.",
    )
}


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def binary_id(message: MessageId, number: int) -> str:
    """Return the id of the Binary that is the `number`th file of a message, from 1 on."""
    return f"{message}.{number}"


def parse_binary_id(text: str) -> tuple[MessageId, int] | None:
    """Return the message and the number that a Binary's id says; nothing if it is no recorded file's."""
    found = _OWN.fullmatch(text)
    return None if found is None else (MessageId(found["message"]), int(found["number"]))


def default_name(media_type: str, number: int) -> str:
    """Return what the `number`th file of a message is called, from 1 on, if its author did not say."""
    return f"attachment-{number}.{EXTENSIONS.get(media_type, 'bin')}"


# ── Out ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_attachments(message: Message) -> tuple[types.Attachment, ...]:
    """Return the files of a message, each with the address of its content."""
    return tuple(_write_attachment(message, number, each) for number, each in enumerate(message.attachments, 1))


def _write_attachment(message: Message, number: int, attachment: Attachment) -> types.Attachment:
    # R4's hash is a SHA-1, and the record has none: to say it here, every file would have to be read.
    return types.Attachment(
        content_type=attachment.media_type,
        url=f"Binary/{binary_id(message.id, number)}",
        size=attachment.size if attachment.size <= _MAX_UNSIGNED else None,
        title=attachment.file_name,
        creation=format_instant(sent_time(message)),
    )


# ── In ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_payload(
    reading: Reading,
    payload: Sequence[types.CommunicationPayload | types.CommunicationRequestPayload],
    at: str,
) -> tuple[str, tuple[AttachmentDraft, ...]]:
    """Return the text, as the record takes it, and the files. The text stands first, wherever it stood."""
    texts: list[tuple[str, str]] = []
    attachments: list[AttachmentDraft] = []
    for number, each in enumerate(payload):
        place = f"{at}[{number}]"
        reading.only(each, place, ("content_string", "content_attachment"), _CONTENT)
        if each.content_string is not None:
            texts.append((f"{place}.content", each.content_string))
        if each.content_attachment is not None:
            attachments.append(
                _read_attachment(reading, each.content_attachment, f"{place}.content", len(attachments) + 1)
            )
    for place, _ in texts[1:]:
        reading.refuse(
            "business-rule", place, "a message has one text", "Put it into one contentString, or send two messages."
        )
    if not texts:
        return "", tuple(attachments)
    place, text = texts[0]
    text = reading.checked(place, text, lambda given: check_body(given, has_attachment=bool(attachments)))
    return text, tuple(attachments)


def _read_attachment(reading: Reading, found: types.Attachment, at: str, number: int) -> AttachmentDraft:
    binary = _binary(reading, found, at)
    own = parse_binary_id(binary) is not None
    kept = ("content_type", "data", "url", "size", "hash", "title")
    reading.only(found, at, (*kept, "creation") if own else kept, _REASONS)
    media_type = None
    if found.content_type is not None:
        media_type = reading.checked(f"{at}.contentType", found.content_type.lower(), check_media_type)
    name = found.title
    if name is not None:
        reading.checked(f"{at}.title", name, lambda given: check_name(given, "title"))
    elif found.data is not None:
        name = default_name(str(media_type), number)
    # That this is base64, and not empty, the type has seen to.
    data = None if found.data is None else base64.b64decode(found.data)
    sha1 = None if found.hash is None else base64.b64decode(found.hash)
    if data is not None:
        _compare(reading, found, at, data, sha1)
    return AttachmentDraft(at, data, binary, media_type, name, found.size, sha1)


def _binary(reading: Reading, found: types.Attachment, at: str) -> str:
    if found.url is None:
        if found.data is None:
            reading.refuse("required", at, "there is no content", _UPLOAD)
        return ""
    if found.data is not None:
        reading.refuse("business-rule", f"{at}.url", "a file is given as data or by address, not both", _UPLOAD)
    url = _BINARY.fullmatch(reading.relative(found.url))
    if url is None:
        reading.refuse("business-rule", f"{at}.url", "files are never fetched from elsewhere", _UPLOAD)
        return ""
    return url["id"]


def _compare(reading: Reading, found: types.Attachment, at: str, data: bytes, sha1: bytes | None) -> None:
    if found.size is not None and found.size != len(data):
        reading.refuse("business-rule", f"{at}.size", "it is not the size of the data", "Send the whole file again.")
    # R4 has SHA-1 here; it finds what was damaged on the way and proves nothing else.
    if sha1 is not None and sha1 != hashlib.sha1(data, usedforsecurity=False).digest():
        reading.refuse("business-rule", f"{at}.hash", "it is not the hash of the data", "Send the whole file again.")
