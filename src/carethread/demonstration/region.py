"""The region once it is recorded: who and what is in it, and the mark by which its data directory is known."""

from pathlib import Path

import msgspec
from msgspec import Struct

from carethread.errors import ConfigurationError
from carethread.ids import CommunicationId, MessageId, ParticipantId

# Beside the installation's own files. Nothing else makes a data directory one whose people may be played.
_MARK = "demonstration.json"


class Region(Struct, frozen=True, forbid_unknown_fields=True):
    """The ids of everybody and everything that has a short name in the region.

    Attributes:
        people: patients, professionals and carers; their short name is their FHIR id.
        groups: organisations and teams, likewise.
        threads: all of them.
        messages: those that something refers to.
    """

    people: dict[str, ParticipantId]
    groups: dict[str, ParticipantId]
    threads: dict[str, CommunicationId]
    messages: dict[str, MessageId]


def keep(region: Region, directory: Path) -> None:
    """Mark a data directory as holding the region, and nothing but the region."""
    (directory / _MARK).write_bytes(msgspec.json.format(msgspec.json.encode(region)) + b"\n")


def kept(directory: Path) -> Region | None:
    """Return the region that a data directory holds; `None` if it is none, or holds anything else.

    Raises:
        ConfigurationError: it holds one that this version does not know.
    """
    mark = directory / _MARK
    if not mark.is_file():
        return None
    try:
        return msgspec.json.decode(mark.read_bytes(), type=Region)
    except (msgspec.DecodeError, OSError) as error:
        raise ConfigurationError(
            f"{mark} is not what this version makes: keep the demonstration in a new directory"
        ) from error
