"""Identifiers as they stand in tables: sixteen bytes for what is written as a hyphenated UUID."""

from uuid import UUID

from carethread.ids import ParticipantId


def key_of(identifier: str) -> bytes:
    """Return the bytes of an identifier that was checked before: several times faster than `uuid.UUID`."""
    return bytes.fromhex(identifier.replace("-", ""))


def text_of(key: bytes) -> str:
    """Return the identifier that stands in a table."""
    return str(UUID(bytes=bytes(key)))


def id_of(key: bytes) -> ParticipantId:
    """Return the id of a person, organisation or team that stands in a table."""
    return ParticipantId(text_of(key))
