"""The message of every commit.

    coordination:update: Added message to thread

    Care-Location: Oxford University Hospitals
    Communication-ID: 20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000
    Message-ID: 3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92

The subject is one of `Summary`, an empty line follows, then the trailers: `Care-Location` always, the others of
`TRAILERS` when they say something, each at most once, in that order. One line feed ends each line and the message.

A care location follows the rules of names and stands as it is; identifiers of threads and messages stand as they are
too. What clients call themselves and their messages is percent-encoded: every byte of its UTF-8 form but U+0021…007E
without `%`, in upper-case hex. `Client-Digest` is the SHA-256 of what a client asked, in lower-case hex. `Resource-ID`
is an id that a client chose, as FHIR has ids; `Identifiers` are what a thread or message is called elsewhere: systems
and values, percent-encoded alike with `|` as well, one `|` between the two, a space between identifiers. So no value
holds a line feed, and none can pass for another trailer.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Literal
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from carethread.errors import FormatError, InvalidTextError, InvalidValueError
from carethread.ids import parse_communication_id, parse_message_id
from carethread.record.model import BusinessIdentifier, Naming
from carethread.record.text import check_name
from carethread.record.words import read_word

FILE = "commit message"
MAX_IDENTIFIER = 1_000
# Of one thread or message, in one commit.
MAX_IDENTIFIERS = 20
# Of a system, and of a value: together they are a key in the index of a database.
MAX_IDENTIFIER_PART = 255

_CARE_LOCATION = "Care-Location: "

Action = Literal["create", "update"]


class Summary(StrEnum):
    """What a commit does."""

    RECORD_CREATED = "Created coordination record"
    RECORD_STATUS_UPDATED = "Updated coordination record status"
    THREAD_CREATED = "Created messaging thread"
    MESSAGE_ADDED = "Added message to thread"
    PARTICIPANTS_UPDATED = "Updated thread participant list"
    STATUS_UPDATED = "Updated thread status"
    VISIBILITY_UPDATED = "Updated thread visibility"
    POLICIES_UPDATED = "Updated thread policies"
    ADDRESSING_UPDATED = "Updated thread addressing"
    LEDGER_UPDATED = "Updated thread ledger"
    MESSAGE_NAMED = "Named message in thread"


_CREATES = frozenset({Summary.RECORD_CREATED, Summary.THREAD_CREATED})

COMMUNICATION_ID = "Communication-ID"
MESSAGE_ID = "Message-ID"
CLIENT = "Client"
CLIENT_IDENTIFIER = "Client-Identifier"
CLIENT_DIGEST = "Client-Digest"
RESOURCE_ID = "Resource-ID"
IDENTIFIERS = "Identifiers"


class CommitMessage(Struct, frozen=True):
    """A commit message's parts. `trailers` are those after `Care-Location`, their values as they were given."""

    summary: Summary
    care_location: str
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def action(self) -> Action:
        """`create` for what creates a record or a thread, else `update`."""
        return "create" if self.summary in _CREATES else "update"

    @property
    def subject(self) -> str:
        """The first line."""
        return f"coordination:{self.action}: {self.summary.value}"


_SUBJECT = re.compile(r"coordination:(create|update): (.*)")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TO_ENCODE = re.compile(r"[^!-$&-~]+")
# http://hl7.org/fhir/R4/datatypes.html#id
_RESOURCE_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_BAR = "|"
_ENCODED_BAR = "%7C"


def encode_identifier(text: str, field: str) -> str:
    """Write any text of 1 to 1,000 characters in printable ASCII without spaces.

    Raises:
        InvalidValueError: empty or too long.
        InvalidTextError: a lone surrogate.
    """
    if not text:
        raise InvalidValueError(field, "is empty")
    if len(text) > MAX_IDENTIFIER:
        raise InvalidValueError(field, f"is longer than {MAX_IDENTIFIER:,} characters")
    try:
        return _TO_ENCODE.sub(_percent, text)
    except UnicodeEncodeError:
        position = next(at for at, character in enumerate(text) if "\ud800" <= character <= "\udfff")
        raise InvalidTextError(field, "a lone surrogate", position) from None


def decode_identifier(text: str, field: str) -> str:
    """Read what `encode_identifier` wrote.

    Raises:
        InvalidValueError: it would have written something else.
    """
    try:
        value = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise InvalidValueError(field, "is not UTF-8") from None
    if encode_identifier(value, field) != text:
        raise InvalidValueError(field, "is not encoded in the canonical way")
    return value


def _percent(found: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in found[0].encode()])


def check_resource_id(text: str, field: str) -> str:
    """Return an id that FHIR allows for a resource.

    Raises:
        InvalidValueError: it is not one.
    """
    if _RESOURCE_ID.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 1 to 64 ASCII letters, digits, hyphens and full stops")
    return text


def encode_identifiers(identifiers: tuple[BusinessIdentifier, ...], field: str) -> str:
    """Write what something is called elsewhere; a system may be empty.

    Raises:
        InvalidValueError: none or too many, one twice, or a part that is too long, or a value that is empty.
        InvalidTextError: a lone surrogate.
    """
    if not identifiers:
        raise InvalidValueError(field, "are none")
    if len(identifiers) > MAX_IDENTIFIERS:
        raise InvalidValueError(field, f"are more than {MAX_IDENTIFIERS}")
    if len(set(identifiers)) != len(identifiers):
        raise InvalidValueError(field, "hold one twice")
    return " ".join(
        f"{_encode_part(each.system, field) if each.system else ''}{_BAR}{_encode_part(each.value, field)}"
        for each in identifiers
    )


def decode_identifiers(text: str, field: str) -> tuple[BusinessIdentifier, ...]:
    """Read what `encode_identifiers` wrote.

    Raises:
        InvalidValueError: it would have written something else.
    """
    identifiers = []
    for each in text.split(" "):
        system, _, value = each.partition(_BAR)
        identifiers.append(
            BusinessIdentifier(_decode_part(system, field) if system else "", _decode_part(value, field))
        )
    found = tuple(identifiers)
    if encode_identifiers(found, field) != text:
        raise InvalidValueError(field, "are not encoded in the canonical way")
    return found


def _encode_part(text: str, field: str) -> str:
    if len(text) > MAX_IDENTIFIER_PART:
        raise InvalidValueError(field, f"hold a part that is longer than {MAX_IDENTIFIER_PART} characters")
    return encode_identifier(text, field).replace(_BAR, _ENCODED_BAR)


def _decode_part(text: str, field: str) -> str:
    return decode_identifier(text.replace(_ENCODED_BAR, _BAR), field)


def _check_identifiers(text: str, field: str) -> str:
    decode_identifiers(text, field)
    return text


def naming_trailers(naming: Naming | None) -> tuple[tuple[str, str], ...]:
    """Return the trailers by which a repository keeps what something is called."""
    trailers: tuple[tuple[str, str], ...] = ()
    if naming is not None and naming.resource_id is not None:
        trailers += ((RESOURCE_ID, naming.resource_id),)
    if naming is not None and naming.identifiers:
        trailers += ((IDENTIFIERS, encode_identifiers(naming.identifiers, "identifiers")),)
    return trailers


def naming_in(trailers: Mapping[str, str]) -> Naming | None:
    """Return what a commit's trailers say that something is called, if they do."""
    identifiers = trailers.get(IDENTIFIERS)
    if identifiers is None and RESOURCE_ID not in trailers:
        return None
    return Naming(
        trailers.get(RESOURCE_ID), () if identifiers is None else decode_identifiers(identifiers, IDENTIFIERS)
    )


def _check_digest(text: str, field: str) -> str:
    if _DIGEST.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 64 lower-case hex digits")
    return text


_Codec = Callable[[str, str], str]

# Every trailer after Care-Location, in their order: how to write it, how to read it.
TRAILERS: dict[str, tuple[_Codec, _Codec]] = {
    COMMUNICATION_ID: (parse_communication_id, parse_communication_id),
    MESSAGE_ID: (parse_message_id, parse_message_id),
    CLIENT: (encode_identifier, decode_identifier),
    CLIENT_IDENTIFIER: (encode_identifier, decode_identifier),
    CLIENT_DIGEST: (_check_digest, _check_digest),
    RESOURCE_ID: (check_resource_id, check_resource_id),
    IDENTIFIERS: (_check_identifiers, _check_identifiers),
}
_ORDER = {name: place for place, name in enumerate(TRAILERS)}


def render_commit_message(message: CommitMessage) -> bytes:
    """Write a commit message.

    Raises:
        InvalidValueError: the care location or a trailer's value is not one, a trailer is unknown, or not in its place.
    """
    lines = [message.subject, "", f"{_CARE_LOCATION}{check_name(message.care_location, 'care_location')}"]
    place = -1
    for name, value in message.trailers:
        if _ORDER.get(name, -1) <= place:
            raise InvalidValueError("trailers", "hold one that is unknown, there twice, or not in its place")
        place = _ORDER[name]
        lines.append(f"{name}: {TRAILERS[name][0](value, name)}")
    lines.append("")
    return "\n".join(lines).encode()


def parse_commit_message(data: bytes) -> CommitMessage:
    """Read a commit message.

    Raises:
        FormatError: the bytes are not exactly what `render_commit_message` writes for what they say.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(FILE, 1 + data.count(b"\n", 0, error.start), "is not UTF-8") from None
    if not text.endswith("\n"):
        raise FormatError(FILE, 1 + text.count("\n"), "does not end with a line feed")
    lines = enumerate(text[:-1].split("\n"), 1)
    number, line = next(lines)
    try:
        summary = _read_subject(line)
        number, line = next(lines, (2, "nothing"))
        if line:
            raise FormatError(FILE, number, "is not the empty line after the subject")
        number, line = next(lines, (3, ""))
        if not line.startswith(_CARE_LOCATION):
            raise FormatError(FILE, number, "is not Care-Location")
        care_location = check_name(line.removeprefix(_CARE_LOCATION), "care_location")
        trailers = []
        place = -1
        for number, line in lines:
            name, _, value = line.partition(": ")
            if _ORDER.get(name, -1) <= place:
                raise FormatError(FILE, number, "is no trailer, or is there twice, or not in its place")
            place = _ORDER[name]
            trailers.append((name, TRAILERS[name][1](value, name)))
    except InvalidValueError as error:
        raise FormatError(FILE, number, str(error)) from None
    return CommitMessage(summary=summary, care_location=care_location, trailers=tuple(trailers))


def _read_subject(line: str) -> Summary:
    found = _SUBJECT.fullmatch(line)
    if found is None:
        raise InvalidValueError("subject", "is not coordination:create: or coordination:update: and a summary")
    summary = read_word(Summary, found[2], "subject")
    if (found[1] == "create") is not (summary in _CREATES):
        raise InvalidValueError("subject", f"does not say {found[1]} for this summary")
    return summary
