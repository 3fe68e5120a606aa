"""Entries of the directory, written by clients that manage it."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, ServedEntry
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.directory.draft import Bundle, Draft
from carethread.directory.fhir import read_resource
from carethread.directory.fhir_write import fhir_name
from carethread.directory.model import Entry, Practitioner
from carethread.directory.versions import EntryProjection, WrittenEntry
from carethread.errors import (
    DirectoryError,
    DuplicateIdentifierError,
    NotAllowedError,
    VersionConflictError,
    VersionNotNamedError,
)
from carethread.policy.actor import Actor, Caller
from carethread.policy.directory_rights import DirectoryRights, Surroundings, check_may_write_entry
from carethread.store import directory_load
from carethread.store.access import logged
from carethread.store.archive import Archive
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.directory_entries import entries_around
from carethread.store.directory_match import Match
from carethread.store.directory_stored import StoredEntry, projected, stored_entry
from carethread.store.people import appointments
from carethread.writes.acting import performed

_URN = "urn:uuid:"


def write_entry(
    service: CoordinationService,
    caller: Caller,
    rights: DirectoryRights,
    resource: bytes,
    *,
    expected_version: int | None = None,
    create: bool = False,
) -> WrittenEntry:
    """Record a resource as an entry of the directory.

    Args:
        service: the installation.
        caller: a system client, perhaps for a person.
        rights: what that client may write, as the registry has it now.
        resource: the resource, in JSON. Its `id` names the entry; one that is not there is made with that id.
        expected_version: the version that was changed. Not needed where nothing changes, and nobody can name one of
            what is not there.
        create: make a new entry with an id that is minted here, whatever `id` says.

    Raises:
        NotAllowedError: no client asks, or it does not manage what that belongs to.
        VersionConflictError: it is at another version.
        VersionNotNamedError: it is there, the resource says something else, and no version was named.
        DuplicateIdentifierError: another entry has one of the identifiers.
        DirectoryError: the resource is not in order, or names what is not there.
    """
    archive = service.archive
    asked = replace(line(caller, Action.WRITTEN), detail="directory")

    def work() -> WrittenEntry:
        bundle = read_resource(resource)
        (draft,) = bundle.drafts
        wish = _Wish(draft, bundle.not_kept, rights, expected_version, create)
        # Until here nothing was looked up. Whoever else writes to the directory waits from here on.
        with archive.database.write(in_line=True) as connection:
            return _written(archive, connection, caller, asked, wish)

    return performed(archive, asked, work)


class _Wish(Struct, frozen=True):
    """What is to be written, by whose right, in place of which version."""

    draft: Draft
    not_kept: tuple[str, ...]
    rights: DirectoryRights
    expected_version: int | None
    is_new: bool


def _written(
    archive: Archive, connection: Connection, caller: Caller, asked: AccessEntry, wish: _Wish
) -> WrittenEntry:  # fmt: skip
    at = archive.clock()
    # What is decided depends on what is there.
    directory_load.wait_for_others(connection)
    actor = _writer(connection, caller, at)
    draft, before = _named(connection, archive, wish)

    def check(match: Match, after: Entry) -> None:
        if match.old is not None and (before is None or match.old.id != before.entry.id):
            raise DuplicateIdentifierError(f"{draft.path}.identifier", "has one that another entry has already")
        # Whoever says again what is there already, perhaps because no answer came, changes nothing.
        if after != match.old:
            check_may_write_entry(wish.rights, match.old, after, _around(connection, match.old, at))
        _check_version(wish, before, after)

    bundle = Bundle((draft,), wish.not_kept)
    loaded = directory_load.load(connection, bundle, at, archive.mint, by=actor.id, check=check)
    projection = _as_it_stands(connection, draft)
    line_of_it = replace(
        asked,
        actor_kind=actor.kind.value,
        entries=(ServedEntry(projection.entry.id, projection.version),),
        query=msgspec.json.encode({"entry": fhir_name(projection.entry)}).decode(),
    )
    effect = logged(line_of_it, archive.clock())
    connection.run(effect.statement, **effect.parameters)
    return WrittenEntry(projection, loaded.made > 0, loaded.made + loaded.changed > 0, loaded.not_kept)


def _writer(connection: Connection, caller: Caller, at: Instant) -> Actor:
    """Return who writes: a system client, or a professional for whom it asks.

    Raises:
        NotAllowedError: no client asks, or it asks for an auditor or steward.
        NotMemberError: it asks for somebody who is no member of its organisations.
    """
    if caller.system is None:
        raise NotAllowedError("the directory is written by clients that manage it")
    # It names members of organisations alone, and those are professionals.
    return actor_for(connection, caller, at)


def _named(connection: Connection, archive: Archive, wish: _Wish) -> tuple[Draft, StoredEntry | None]:
    """Return the draft with the id by which its entry is found, and the entry as it stands, if it is there."""
    draft = wish.draft
    if wish.is_new:
        return replace(draft, fhir_id=None, full_url=f"{_URN}{archive.mint()}"), None
    if draft.fhir_id is None:
        raise DirectoryError(f"{draft.path}.id", "is missing")
    stored = stored_entry(connection, draft.kind, draft.fhir_id)
    # It may be named by its UUID.
    return (draft if stored is None else replace(draft, fhir_id=stored.entry.fhir_id)), stored


def _around(connection: Connection, before: Entry | None, at: Instant) -> Surroundings:
    if not isinstance(before, Practitioner):
        return Surroundings({}, at)
    has_duty = any(each.ended_at is None for each in appointments(connection, before.id))
    return Surroundings(entries_around(connection, (before.id,)), at, has_duty)


def _check_version(wish: _Wish, before: StoredEntry | None, after: Entry) -> None:
    current = 0 if before is None else before.version
    if wish.expected_version is None:
        if before is not None and after != before.entry:
            raise VersionNotNamedError(f"{fhir_name(after)} is at version {current}: name the version you changed")
    elif wish.expected_version != current:
        raise VersionConflictError(fhir_name(after), wish.expected_version, current)


def _as_it_stands(connection: Connection, draft: Draft) -> EntryProjection:
    fhir_id = draft.fhir_id or draft.full_url.removeprefix(_URN)
    stored = stored_entry(connection, draft.kind, fhir_id)
    if stored is None:  # pragma: no cover - it was written a moment ago, in this transaction
        raise DirectoryError(draft.path, "is not there after it was written")
    return projected(connection, ((stored, stored.entry),))[0]
