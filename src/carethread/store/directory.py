"""The directory of people and organisations, as the layers above the store see it."""

from collections.abc import Callable

from carethread.clock import Clock
from carethread.directory.model import Duty, Entry, EntryKind
from carethread.ids import IdSource, ParticipantId
from carethread.store.database import Database
from carethread.store.directory_search import PAGE

Progress = Callable[[int, int], None]


class Directory:
    """The directory of one installation. Each call is a transaction of its own.

    Inside a transaction, use the functions of `people`, `directory_entries`, `directory_search`, `directory_load`.
    """

    def __init__(self, database: Database, clock: Clock, mint: IdSource) -> None:
        """Use `CoordinationService.directory`."""
        self._database = database
        self._clock = clock
        self._mint = mint

    def find(self, reference: str) -> Entry:
        """Return the one entry that is meant by a UUID, `Type/fhir-id`, `Type:fhir-id` or a FHIR id only one has.

        Raises:
            UnknownPersonError: there is none, or more than one.
        """
        raise NotImplementedError

    def search(
        self, words: str, *, kind: EntryKind | None = None, after: ParticipantId | None = None, count: int = PAGE
    ) -> tuple[Entry, ...]:
        """Return entries by the words of their names."""
        raise NotImplementedError

    def load(self, bundle: bytes, *, by: str, progress: Progress | None = None) -> None:
        """Take over a FHIR Bundle, all of it or nothing.

        Raises:
            DirectoryError: something in it is not in order; its path says where. Nothing was recorded.
        """
        raise NotImplementedError

    def export(self) -> bytes:
        """Return all entries as a FHIR Bundle that `load` takes."""
        raise NotImplementedError

    def appoint(self, reference: str, duty: Duty, *, by: str) -> bool:
        """Appoint a practitioner to a duty. Return whether that is new."""
        raise NotImplementedError

    def dismiss(self, reference: str, duty: Duty) -> bool:
        """End somebody's appointment. Return whether there was one."""
        raise NotImplementedError
