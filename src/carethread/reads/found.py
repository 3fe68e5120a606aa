"""What searches and reads by resource id answer."""

from collections.abc import Mapping

from msgspec import Struct

from carethread.directory.versions import EntryProjection
from carethread.ids import ParticipantId
from carethread.record.projection import MessageProjection, ThreadProjection

# Everybody who is named somewhere in an answer, as `Type/id` in FHIR.
Names = Mapping[ParticipantId, str]


class MessagePage(Struct, frozen=True):
    """Messages that were found, in order; what comes with them; `after` asks for the next page, empty at the end.

    A page may be shorter than asked for, even empty, with more to come: one answer looks at so much and no more.
    `corrections` are messages. `total` is there where it was asked for, and could be counted.
    """

    messages: tuple[MessageProjection, ...]
    threads: tuple[ThreadProjection, ...]
    corrections: tuple[MessageProjection, ...]
    entries: tuple[EntryProjection, ...]
    names: Names
    total: int | None = None
    after: str = ""


class ThreadPage(Struct, frozen=True):
    """Threads that were found; likewise."""

    threads: tuple[ThreadProjection, ...]
    messages: tuple[MessageProjection, ...]
    entries: tuple[EntryProjection, ...]
    names: Names
    total: int | None = None
    after: str = ""


class ThreadHistory(Struct, frozen=True):
    """The versions of a thread, newest first."""

    versions: tuple[ThreadProjection, ...]
    names: Names


class FeedPage(Struct, frozen=True):
    """Threads or messages in the order in which they were committed; `after` may be kept, and asked with again."""

    messages: tuple[MessageProjection, ...]
    threads: tuple[ThreadProjection, ...]
    names: Names
    after: str
    is_end: bool
