"""Entries of the directory, read for somebody: professionals see all, the patient's side those of their own."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.criteria import EntryClause
from carethread.directory.model import EntryKind
from carethread.directory.versions import EntryPage, EntryProjection
from carethread.errors import InvalidValueError, UnknownPersonError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.record.text import check_name
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.clients import CurrentRights
from carethread.store.directory_finding import MOST, check_clauses, check_texts, find_entries
from carethread.store.directory_own import Acquaintance, acquaintance, roles_of, wrote_to
from carethread.store.directory_stored import StoredEntry, projected, stored_entry, stored_version, versions_before

_NOBODY = ParticipantId("00000000-0000-0000-0000-000000000000")
# Versions count from 1 and stay far below.
_LAST = 1 << 53


def current_rights(service: CoordinationService) -> CurrentRights:
    """Return the clients as they are now, and which tokens are revoked. One short statement if nothing changed."""
    return service.clients.current()


def read_entry(
    service: CoordinationService, caller: Caller, kind: EntryKind, fhir_id: str, version: int | None = None
) -> EntryProjection:
    """Return an entry by its FHIR id or its UUID, as it stands or in one of its versions.

    Raises:
        UnknownPersonError: there is none, or whoever asks may not know of it: the same was looked up for both.
    """
    query: dict[str, str | int] = {"entry": f"{kind.value}/{_kept(fhir_id)}"}
    if version is not None:
        query["version"] = version
    asked = replace(line(caller, Action.SERVED), query=msgspec.json.encode(query).decode())

    def work(asking: Asking) -> tuple[EntryProjection, Shown]:
        knowing, stored = _known_entry(service, asking, kind, fhir_id)
        if version is not None and version != stored.version:
            past = stored_version(asking.connection, stored.entry.id, version) if 0 < version < _LAST else None
            if past is None:
                raise _unknown(kind, fhir_id)
            stored = past
        found = _projections(asking, knowing, (stored,))
        if not found:
            raise _unknown(kind, fhir_id)
        return found[0], Shown(_showing(asked, found))

    return answer(service.archive, asked, caller, work)


def search_entries(
    service: CoordinationService,
    caller: Caller,
    kind: EntryKind,
    clauses: Iterable[EntryClause] = (),
    *,
    after: str = "",
    count: int = 50,
    query: str = "",
) -> EntryPage:
    """Return entries of a kind of which all clauses hold. What may not be known of is not there.

    Args:
        service: the installation.
        caller: who asks.
        kind: of what.
        clauses: what must hold; without any, all.
        after: where the part before ended.
        count: how many at most.
        query: what was asked, as the log is to keep it; left out, the clauses.

    Raises:
        InvalidValueError: `after` or `count` is not in order, or the kind has no such field.
    """
    wanted = tuple(clauses)
    check_texts(wanted, query)
    said = query or msgspec.json.encode({"kind": kind, "clauses": wanted}).decode()
    asked = replace(line(caller, Action.SEARCHED), query=said)

    def work(asking: Asking) -> tuple[EntryPage, Shown]:
        check_clauses(kind, wanted)
        knowing = acquaintance(asking, service.archive.installation.custodian.id)
        among = knowing.people
        if among is not None and kind is EntryKind.PRACTITIONER_ROLE:
            among |= roles_of(asking, among)
        found = find_entries(
            asking.connection, kind, wanted, among=among, shown=knowing.shown, after=after, count=count
        )
        entries = _projections(asking, knowing, found.entries)
        total = len(entries) if found.all_of_it else None
        return EntryPage(entries, found.after, total), Shown(_showing(asked, entries))

    return answer(service.archive, asked, caller, work)


def entry_history(
    service: CoordinationService, caller: Caller, kind: EntryKind, fhir_id: str, *, after: str = "", count: int = 50
) -> EntryPage:
    """Return the versions of an entry, newest first.

    Raises:
        UnknownPersonError: as in `read_entry`.
        InvalidValueError: `after` or `count` is not in order.
    """
    query = msgspec.json.encode({"entry": f"{kind.value}/{_kept(fhir_id)}", "history": True}).decode()
    asked = replace(line(caller, Action.SERVED), query=query)

    def work(asking: Asking) -> tuple[EntryPage, Shown]:
        if not 0 < count <= MOST:
            raise InvalidValueError("count", f"is not between 1 and {MOST:,}")
        before = _read_version(after) if after else _LAST
        knowing, stored = _known_entry(service, asking, kind, fhir_id)
        found = versions_before(asking.connection, stored.entry.id, before, count + 1)
        entries = _projections(asking, knowing, found[:count])
        more = str(found[count - 1].version) if len(found) > count else ""
        return EntryPage(entries, more, stored.version), Shown(_showing(asked, entries))

    return answer(service.archive, asked, caller, work)


def _kept(fhir_id: str) -> str:
    """Return an id as the log keeps it.

    Raises:
        InvalidValueError: it is no line of text.
    """
    return check_name(fhir_id, "id")


def _unknown(kind: EntryKind, fhir_id: str) -> UnknownPersonError:
    return UnknownPersonError(f"the directory has no {kind.value}/{fhir_id}")


def _known_entry(
    service: CoordinationService, asking: Asking, kind: EntryKind, fhir_id: str
) -> tuple[Acquaintance, StoredEntry]:
    """Return an entry that somebody knows of, and whom they know of.

    The same is looked up where there is none: for the patient's side, all that could make it theirs.

    Raises:
        UnknownPersonError: there is none, or they do not.
    """
    custodian = service.archive.installation.custodian.id
    knowing = acquaintance(asking, custodian)
    stored = stored_entry(asking.connection, kind, fhir_id)
    known = stored is not None and knowing.knows(stored.entry)
    if not known and knowing.people:
        author = _NOBODY if stored is None else stored.entry.id
        if wrote_to(asking, author, custodian) and stored is not None:
            knowing = knowing.with_also(stored.entry.id)
            known = True
    if stored is None or not known:
        raise _unknown(kind, fhir_id)
    return knowing, stored


def _projections(asking: Asking, knowing: Acquaintance, found: Sequence[StoredEntry]) -> tuple[EntryProjection, ...]:
    """Return entries as they are served. Whom an older version names is left out where they do not know of them."""
    shown = ((each, knowing.shown(each.entry)) for each in found)
    return projected(asking.connection, [(stored, entry) for stored, entry in shown if entry is not None])


def _showing(asked: AccessEntry, entries: Sequence[EntryProjection]) -> AccessEntry:
    return replace(asked, entries=tuple(ServedEntry(each.entry.id, each.version) for each in entries))


def _read_version(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) < len(str(_LAST))):
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    return int(after)
