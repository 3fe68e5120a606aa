"""What `--json` answers where a person asks: inboxes, searches, the access log."""

from typing import Self

from msgspec import Struct

from carethread.access_log import AccessEntry
from carethread.cli.documents import LedgerDocument, MessageDocument, PartyDocument
from carethread.clock import format_instant
from carethread.reads import Hit, Visible


class InboxLineDocument(Struct, frozen=True):
    """A thread of an inbox. `last_message` is `null` in a thread without one; system entries do not count."""

    coordination_id: str
    patients: tuple[PartyDocument, ...]
    unread: bool
    ledger: LedgerDocument
    last_message: MessageDocument | None


class InboxDocument(Struct, frozen=True):
    """An inbox, newest activity first; with `--counts`, `unread` alone; with `--unattended`, `groups` alone.

    `unread` counts up to 100. `after`, given as `--after`, asks for what follows.
    """

    threads: tuple[InboxLineDocument, ...] = ()
    unread: int | None = None
    groups: tuple[PartyDocument, ...] = ()
    after: str | None = None


class HitDocument(Struct, frozen=True):
    """A message that was found. `version` is the commit of its record."""

    coordination_id: str
    version: str
    communication_id: str
    message: MessageDocument

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Describe what was found."""
        return cls(hit.record, hit.version, hit.thread, MessageDocument.of(hit.message))


class SearchDocument(Struct, frozen=True):
    """What was found, newest first. `after`, given as `--after`, asks for what follows."""

    hits: tuple[HitDocument, ...]
    after: str | None


class SetAsideDocument(Struct, frozen=True):
    """A thread that was set aside for a group until its next message."""

    communication_id: str
    group: PartyDocument


class RefiledDocument(Struct, frozen=True):
    """The correction where the message stood, and the thread in the right record."""

    correction_id: str
    coordination_id: str
    communication_id: str


class ServedDocument(Struct, frozen=True):
    """A thread as it was served: at which commit, and how many entries of it; 0, if only the line of a list."""

    communication_id: str
    version: str
    entries: int


class ServedEntryDocument(Struct, frozen=True):
    """An entry of the directory as it was served or written: which version."""

    entry_id: str
    version: int


class AccessLineDocument(Struct, frozen=True):
    """A line of the access log, as in an export. What does not apply is `null` or empty."""

    number: int
    at: str
    actor_id: str
    actor_kind: str
    acting_for: str | None
    action: str
    outcome: str
    detail: str
    coordination_id: str | None
    communication_id: str | None
    message_id: str | None
    version: str
    served: tuple[ServedDocument, ...]
    entries: tuple[ServedEntryDocument, ...]
    query: str
    purpose: str
    client: str
    request_id: str

    @classmethod
    def of(cls, entry: AccessEntry) -> Self:
        """Describe a line."""
        return cls(
            entry.number,
            format_instant(entry.at),
            entry.actor,
            entry.actor_kind,
            entry.acting_for,
            entry.action.value,
            entry.outcome.value,
            entry.detail,
            entry.record,
            entry.thread,
            entry.message,
            entry.version,
            tuple(ServedDocument(each.thread, each.version, each.entries) for each in entry.served),
            tuple(ServedEntryDocument(each.entry, each.version) for each in entry.entries),
            entry.query,
            entry.purpose,
            entry.client,
            entry.request_id,
        )


class AccessLogDocument(Struct, frozen=True):
    """The newest lines of those asked for, oldest first, and how many of those there are before them."""

    earlier: int
    lines: tuple[AccessLineDocument, ...]


class ExportDocument(Struct, frozen=True):
    """How many lines were written, and to which file."""

    lines: int
    place: str


class VisibleDocument(Struct, frozen=True):
    """A thread that somebody could read at an instant: at which commit, and how many entries it had."""

    coordination_id: str
    version: str
    entries: int
    ledger: LedgerDocument

    @classmethod
    def of(cls, visible: Visible) -> Self:
        """Describe a thread as it was."""
        return cls(visible.record, visible.version, visible.entries, LedgerDocument.of(visible.ledger))


class ReconstructionDocument(Struct, frozen=True):
    """What somebody could see at an instant, and the lines of the access log about them until then, oldest first."""

    person: PartyDocument
    at: str
    visible: tuple[VisibleDocument, ...]
    served: tuple[AccessLineDocument, ...]
