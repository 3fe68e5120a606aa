"""One entry of the directory by a reference to it, and many by the words of their names."""

from carethread.directory.model import Entry, EntryKind
from carethread.ids import ParticipantId
from carethread.store.database import Connection

PAGE = 50


def find(connection: Connection, reference: str) -> Entry:
    """Return the one entry that is meant by a UUID, `Type/fhir-id`, `Type:fhir-id` or a FHIR id that only one has.

    Raises:
        UnknownPersonError: there is none, or more than one.
    """
    raise NotImplementedError


def search(
    connection: Connection,
    words: str,
    *,
    kind: EntryKind | None = None,
    after: ParticipantId | None = None,
    count: int = PAGE,
    active_only: bool = False,
) -> tuple[Entry, ...]:
    """Return entries in whose names each of these words begins a word, whatever the case and accents, by name.

    The next page is `after` the last entry of this one. Without words, everything of the kind.
    """
    raise NotImplementedError
