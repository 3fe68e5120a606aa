"""Entries of the directory with their versions: one by its name, as it stands or as it stood."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import and_, bindparam, or_, select

from carethread.clock import Instant
from carethread.directory.fhir_write import fhir_name
from carethread.directory.model import Entry, EntryKind
from carethread.directory.relations import relations
from carethread.directory.versions import EntryProjection
from carethread.ids import ParticipantId
from carethread.store import directory_statements as statements
from carethread.store.database import Connection, Row
from carethread.store.directory_entries import decode
from carethread.store.keys import is_uuid, key_of
from carethread.store.schema import directory_entry, directory_version
from carethread.store.statements import ZERO

p = bindparam
# What `stored` makes of a row.
COLUMNS = (directory_entry.c.content, directory_entry.c.version, directory_version.c.recorded_at)
STANDS = and_(
    directory_version.c.entry_id == directory_entry.c.entry_id, directory_version.c.version == directory_entry.c.version
)

_find = (
    select(*COLUMNS)
    .join_from(directory_entry, directory_version, STANDS)
    .where(
        directory_entry.c.kind == p("kind"),
        or_(directory_entry.c.fhir_id == p("fhir_id"), directory_entry.c.entry_id == p("key")),
    )
)
_version_of = (
    select(directory_version.c.content, directory_version.c.version, directory_version.c.recorded_at)
    .where(directory_version.c.entry_id == p("key"), directory_version.c.version == p("version"))
)  # fmt: skip
_versions_before = (
    select(directory_version.c.content, directory_version.c.version, directory_version.c.recorded_at)
    .where(directory_version.c.entry_id == p("key"), directory_version.c.version < p("before"))
    .order_by(directory_version.c.version.desc())
    .limit(p("count"))
    .offset(ZERO)
)


class StoredEntry(Struct, frozen=True):
    """An entry in one of its versions, and when that was recorded."""

    entry: Entry
    version: int
    recorded_at: Instant


def stored_entry(connection: Connection, kind: EntryKind, fhir_id: str) -> StoredEntry | None:
    """Return an entry as it stands, by its FHIR id or its UUID: with one statement, whether it is there or not."""
    key = key_of(fhir_id) if is_uuid(fhir_id) else b""
    found = [stored(row) for row in connection.all(_find, kind=kind.value, fhir_id=fhir_id, key=key)]
    # Somebody's FHIR id may be somebody else's UUID.
    found.sort(key=lambda each: each.entry.fhir_id != fhir_id)
    return found[0] if found else None


def stored_version(connection: Connection, entry_id: ParticipantId, version: int) -> StoredEntry | None:
    """Return an entry as it stood in a version."""
    row = connection.one(_version_of, key=key_of(entry_id), version=version)
    return None if row is None else stored(row)


def versions_before(connection: Connection, entry_id: ParticipantId, before: int, count: int) -> list[StoredEntry]:
    """Return versions of an entry, newest first, of those before one."""
    return [stored(row) for row in connection.all(_versions_before, key=key_of(entry_id), before=before, count=count)]


def stored(row: Row) -> StoredEntry:
    """Return what stands in a row of `COLUMNS`."""
    return StoredEntry(decode(row[0]), row[1], Instant(row[2]))


def projected(connection: Connection, found: Sequence[tuple[StoredEntry, Entry]]) -> tuple[EntryProjection, ...]:
    """Return entries as they are served: of each, how it stands, and what of it is shown."""
    targets = {target for _, shown in found for _, target in relations(shown)}
    rows = statements.entries_by_id.rows(connection, sorted(map(key_of, targets)))
    named = {each.id: fhir_name(each) for each in (decode(content) for (content,) in rows)}
    return tuple(
        EntryProjection(
            shown,
            each.version,
            each.recorded_at,
            {target: named[target] for _, target in relations(shown)},
            is_partial=shown != each.entry,
        )
        for each, shown in found
    )
