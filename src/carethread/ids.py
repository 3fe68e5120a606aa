"""Typed identifiers: parse, format, mint.

| identifier | form |
|---|---|
| coordination id | 32 lower-case hex digits of a UUID, no hyphens |
| communication id | `YYYYMMDDTHHMMSS.sssZ-` and a hyphenated lower-case UUID v4 |
| message id | hyphenated lower-case UUID v4 |
| participant id, clinical id | any 8-4-4-4-12 lower-case hex: those come from other systems |
"""

import os
import re
import uuid
from collections.abc import Callable
from typing import NewType

from carethread.clock import Instant, format_instant, parse_instant
from carethread.errors import InvalidValueError

CoordinationId = NewType("CoordinationId", str)
CommunicationId = NewType("CommunicationId", str)
MessageId = NewType("MessageId", str)
ParticipantId = NewType("ParticipantId", str)
ClinicalId = NewType("ClinicalId", str)

IdSource = Callable[[], uuid.UUID]

_HEX32 = re.compile(r"[0-9a-f]{32}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_COMMUNICATION = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2}\.[0-9]{3})Z-(" + _UUID4.pattern + ")", re.ASCII
)


def random_uuid() -> uuid.UUID:
    """Mint a random UUID (v4) from the operating system's source."""
    return uuid.UUID(bytes=os.urandom(16), version=4)


def mint_coordination_id(source: IdSource) -> CoordinationId:
    """Mint the id of a new record."""
    return CoordinationId(source().hex)


def mint_message_id(source: IdSource) -> MessageId:
    """Mint the id of a new message."""
    return MessageId(str(source()))


def mint_communication_id(now: Instant, source: IdSource) -> CommunicationId:
    """Mint the id of a new thread: when it was made, then a random UUID."""
    stamp = format_instant(now).replace("-", "").replace(":", "")
    return CommunicationId(f"{stamp}-{source()}")


def parse_coordination_id(text: str, field: str = "coordination_id") -> CoordinationId:
    """Check the id of a record.

    Raises:
        InvalidValueError: not 32 lower-case hex digits.
    """
    if _HEX32.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 32 lower-case hex digits")
    return CoordinationId(text)


def parse_communication_id(text: str, field: str = "communication_id") -> CommunicationId:
    """Check the id of a thread.

    Raises:
        InvalidValueError: not a UTC time to the millisecond, a hyphen and a lower-case UUID v4.
    """
    match = _COMMUNICATION.fullmatch(text)
    if match is None:
        raise InvalidValueError(field, "is not a time and a UUID v4 such as 20260111T143522.045Z-550e8400-e29b-…")
    year, month, day, hour, minute, second, _ = match.groups()
    parse_instant(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z", field)
    return CommunicationId(text)


def parse_message_id(text: str, field: str = "message_id") -> MessageId:
    """Check the id of a message.

    Raises:
        InvalidValueError: not a hyphenated lower-case UUID v4.
    """
    if _UUID4.fullmatch(text) is None:
        raise InvalidValueError(field, "is not a lower-case UUID v4")
    return MessageId(text)


def parse_participant_id(text: str, field: str = "participant_id") -> ParticipantId:
    """Check the id of a person, organisation or team.

    Raises:
        InvalidValueError: not 8-4-4-4-12 lower-case hex digits.
    """
    if _GUID.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 8-4-4-4-12 lower-case hex digits")
    return ParticipantId(text)


def parse_clinical_id(text: str, field: str = "clinical_id") -> ClinicalId:
    """Check the id of the clinical record a coordination record belongs to.

    Raises:
        InvalidValueError: not 8-4-4-4-12 lower-case hex digits.
    """
    if _GUID.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 8-4-4-4-12 lower-case hex digits")
    return ClinicalId(text)
