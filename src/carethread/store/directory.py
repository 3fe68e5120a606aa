"""The directory of people and organisations, as the layers above the store see it."""

from collections.abc import Callable

from carethread.clock import Clock, Instant
from carethread.directory.fhir import read_bundle
from carethread.directory.fhir_write import write_bundle
from carethread.directory.memberships import members, memberships
from carethread.directory.model import Duty, Entry, EntryKind
from carethread.directory.relations import relations
from carethread.directory.versions import Details, Loaded, Version
from carethread.errors import UnknownPersonError
from carethread.ids import IdSource, ParticipantId
from carethread.store import directory_load, directory_search, people
from carethread.store.database import Database
from carethread.store.directory_entries import Look, entries_around
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
        with self._database.read() as connection:
            return directory_search.find(connection, reference)

    def details(self, reference: str, at: Instant | None = None) -> Details:
        """Return an entry with what surrounds it now, or as the directory stood at an instant.

        Raises:
            UnknownPersonError: there is none, or more than one, or it was not there at that instant.
        """
        now = self._clock() if at is None else at
        with self._database.snapshot() as connection:
            found = directory_search.find(connection, reference)
            around = entries_around(connection, (found.id,), at)
            if found.id not in around:
                raise UnknownPersonError(f"the directory had no {reference} at that time")
            named = entries_around(connection, (target for _, target in relations(around[found.id])), at, Look.ALONE)
            return Details(
                around[found.id],
                memberships(found.id, around, now),
                tuple(sorted(members(found.id, around, now), key=lambda each: (each[0], each[1].standing))),
                people.appointments(connection, found.id),
                {**around, **named},
            )

    def search(
        self,
        words: str,
        *,
        kind: EntryKind | None = None,
        after: ParticipantId | None = None,
        count: int = PAGE,
        active_only: bool = False,
    ) -> tuple[Entry, ...]:
        """Return entries by the words of their names; see `directory_search.search`.

        Raises:
            InvalidValueError: `count` is out of bounds.
            UnknownPersonError: there is no entry `after`.
        """
        with self._database.read() as connection:
            return directory_search.search(
                connection,
                words,
                kinds=() if kind is None else (kind,),
                after=after,
                count=count,
                active_only=active_only,
            )

    def history(self, reference: str) -> tuple[Version, ...]:
        """Return all versions of an entry, oldest first.

        Raises:
            UnknownPersonError: there is no such entry, or more than one.
        """
        with self._database.snapshot() as connection:
            return directory_search.versions(connection, directory_search.find(connection, reference).id)

    def load(self, bundle: bytes, *, by: str, progress: Progress | None = None) -> Loaded:
        """Take over a FHIR Bundle, all of it or nothing.

        Raises:
            DirectoryError: something in it is not in order; its path says where. Nothing was recorded.
        """
        read = read_bundle(bundle)
        with self._database.write() as connection:
            return directory_load.load(connection, read, self._clock(), self._mint, by=by, progress=progress)

    def export(self) -> bytes:
        """Return all entries, as they stand, as a FHIR Bundle that `load` takes."""
        with self._database.read() as connection:
            return write_bundle(directory_search.every_entry(connection))

    def appoint(self, reference: str, duty: Duty, *, by: str) -> bool:
        """Appoint a practitioner to a duty. Return whether that is new.

        Raises:
            UnknownPersonError: the directory has no such practitioner.
            InactiveError: they are not active.
        """
        with self._database.write() as connection:
            person = directory_search.find(connection, reference)
            return people.appoint(connection, person.id, duty, self._clock(), by=by)

    def dismiss(self, reference: str, duty: Duty, *, by: str) -> bool:
        """End somebody's appointment. Return whether there was one.

        Raises:
            UnknownPersonError: the directory has nobody of that name.
        """
        with self._database.write() as connection:
            person = directory_search.find(connection, reference)
            return people.dismiss(connection, person.id, duty, self._clock(), by=by)
