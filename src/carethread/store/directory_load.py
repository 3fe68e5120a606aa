"""Takes what was read from FHIR into the directory: all of it or nothing, and nothing that is there already."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.draft import Bundle, entry_of
from carethread.directory.fhir_write import kind_of
from carethread.directory.model import Entry, EntryKind, Patient
from carethread.directory.relations import relations
from carethread.directory.versions import Loaded
from carethread.errors import DirectoryError, InvalidValueError
from carethread.ids import IdSource, ParticipantId
from carethread.record.text import check_name
from carethread.store import directory_statements as statements
from carethread.store.database import Connection, Parameters
from carethread.store.directory_entries import Look, entries_around, next_generation
from carethread.store.directory_match import Match, existing_around, match_drafts, resolved
from carethread.store.directory_search import name_of
from carethread.store.directory_words import words_of
from carethread.store.keys import id_of, key_of

Progress = Callable[[int, int], None]
Check = Callable[[Match, Entry], None]

_CHUNK = 2_000


class _Change(Struct, frozen=True):
    """An entry as it is to be recorded."""

    entry: Entry
    content: bytes
    version: int
    recorded_at: Instant
    is_new: bool


def wait_for_others(connection: Connection) -> None:
    """Have whoever else writes to the directory wait until this transaction ends."""
    connection.one(statements.lock_generation, one=1)


def load(
    connection: Connection,
    bundle: Bundle,
    at: Instant,
    mint: IdSource,
    *,
    by: str,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Loaded:
    """Take drafts over, inside a write transaction.

    An entry that is the same already gets no new version.

    Args:
        connection: of the transaction. Whoever calls lets it fail if this raises.
        bundle: what was read.
        at: when that is.
        mint: where ids come from.
        by: who: the id of a person or client, or what an operator is called.
        progress: told how many entries are done, of how many.
        check: asked about each entry before anything is recorded, and raises where it may not be.

    Raises:
        DirectoryError: something is not in order; the path says where.
    """
    report = progress or _silent
    drafts = bundle.drafts
    report(0, len(drafts))
    # What is decided depends on what is there.
    wait_for_others(connection)
    existing = existing_around(connection, drafts)
    matches = match_drafts(drafts, existing, mint)
    targets = resolved(matches, existing)
    entries = [entry_of(each.draft, each.entry_id, each.fhir_id, targets) for each in matches]
    _check_names(matches)
    _check_merging(connection, matches, entries)
    if check is not None:
        for match, entry in zip(matches, entries, strict=True):
            check(match, entry)
    different = [(each, entry) for each, entry in zip(matches, entries, strict=True) if entry != each.old]
    changes = _numbered(connection, different, at)
    done = len(drafts) - len(changes)
    _forget(connection, (each for each in changes if not each.is_new))
    for start in range(0, len(changes), _CHUNK):
        report(done + start, len(drafts))
        _record(connection, changes[start : start + _CHUNK], by)
    if changes:
        next_generation(connection)
    report(len(drafts), len(drafts))
    made = sum(each.is_new for each in changes)
    return Loaded(made, len(changes) - made, len(drafts) - len(changes), bundle.not_kept)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


# ── What must be in order ─────────────────────────────────────────────────────────────────────────────────────────────


def _check_names(matches: Iterable[Match]) -> None:
    """Refuse what cannot stand in a record as a participant's name."""
    for each in matches:
        if each.draft.kind is EntryKind.PRACTITIONER_ROLE:
            continue
        try:
            check_name(each.draft.name, "name")
        except InvalidValueError as error:
            raise DirectoryError(f"{each.draft.path}.name", error.fault) from None


def _check_merging(connection: Connection, matches: Sequence[Match], entries: Sequence[Entry]) -> None:
    """Refuse a patient who would be replaced, over others perhaps, by themself."""
    replaced = {each.id: each.replaced_by for each in entries if isinstance(each, Patient)}
    starts = [each for each in replaced.values() if each is not None]
    known = entries_around(connection, starts, look=Look.MERGED)
    before = {each.id: each.replaced_by for each in known.values() if isinstance(each, Patient)}
    for match in matches:
        seen = {match.entry_id}
        following = replaced.get(match.entry_id)
        while following is not None:
            if following in seen:
                raise DirectoryError(f"{match.draft.path}.link", "says that a patient is replaced by themself")
            seen.add(following)
            following = replaced[following] if following in replaced else before.get(following)


# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _numbered(connection: Connection, different: Sequence[tuple[Match, Entry]], at: Instant) -> list[_Change]:
    """Give each entry that is new or different its version, and an instant not before that of the last one."""
    old = [key_of(match.entry_id) for match, _ in different if match.old is not None]
    last: dict[ParticipantId, tuple[int, int]] = {}
    for key, version, recorded_at in statements.version_marks.rows(connection, old):
        last[id_of(key)] = max(last.get(id_of(key), (0, 0)), (version, recorded_at))
    changes = []
    for match, entry in different:
        version, before = last.get(entry.id, (0, at))
        content = msgspec.json.encode(entry)
        changes.append(_Change(entry, content, version + 1, Instant(max(at, before)), match.old is None))
    return changes


def _forget(connection: Connection, changed: Iterable[_Change]) -> None:
    """Remove what was derived from the version before; an identifier may go to another entry of the same load.

    Edges of older versions stay.
    """
    keys = [{"key": key_of(each.entry.id)} for each in changed]
    connection.many(statements.delete_identifiers, keys)
    connection.many(statements.delete_words, keys)
    connection.many(statements.delete_born, keys)


def _record(connection: Connection, changes: Sequence[_Change], by: str) -> None:
    """Write the rows of new versions, and what is derived from them."""
    new = [each for each in changes if each.is_new]
    changed = [each for each in changes if not each.is_new]
    entries = [each.entry for each in changes]
    connection.many(statements.insert_entry, [_entry_row(each) for each in new])
    connection.many(statements.update_entry, [_entry_changes(each) for each in changed])
    connection.many(statements.insert_version, [_version_row(each, by) for each in changes])
    connection.many(statements.insert_identifier, [row for each in entries for row in _identifier_rows(each)])
    connection.many(statements.insert_word, [row for each in entries for row in _word_rows(each)])
    connection.many(statements.insert_born, [row for each in entries for row in _born_rows(each)])
    patients = [each.entry for each in new if isinstance(each.entry, Patient)]
    connection.many(statements.insert_patient, [_patient_row(each) for each in patients])
    rows = statements.edges_from.rows(connection, [key_of(each.entry.id) for each in changed])
    there = {(bytes(target), bytes(source), relation) for target, source, relation in rows}
    edges = {edge for each in entries for edge in _edges(each)} - there
    connection.many(
        statements.insert_edge,
        [{"target_id": target, "source_id": source, "relation": relation} for target, source, relation in edges],
    )


def _entry_row(change: _Change) -> Parameters:
    entry = change.entry
    return {
        "entry_id": key_of(entry.id),
        "kind": kind_of(entry).value,
        "fhir_id": entry.fhir_id,
        "version": change.version,
        "active": int(entry.active),
        "name": name_of(entry),
        "content": change.content,
    }


def _entry_changes(change: _Change) -> Parameters:
    return {
        "key": key_of(change.entry.id),
        "new_version": change.version,
        "new_active": int(change.entry.active),
        "new_name": name_of(change.entry),
        "new_content": change.content,
    }


def _version_row(change: _Change, by: str) -> Parameters:
    return {
        "entry_id": key_of(change.entry.id),
        "version": change.version,
        "recorded_at": change.recorded_at,
        "recorded_by": by,
        "content": change.content,
    }


def _identifier_rows(entry: Entry) -> list[Parameters]:
    same = {"kind": kind_of(entry).value, "entry_id": key_of(entry.id)}
    return [same | {"system": each.system, "value": each.value} for each in entry.identifiers]


def _word_rows(entry: Entry) -> list[Parameters]:
    return [{"word": word, "entry_id": key_of(entry.id)} for word in words_of(name_of(entry))]


def _born_rows(entry: Entry) -> list[Parameters]:
    if not isinstance(entry, Patient) or entry.birth_date is None:
        return []
    return [{"born": entry.birth_date, "entry_id": key_of(entry.id)}]


def _patient_row(patient: Patient) -> Parameters:
    return {"clinical_id": key_of(patient.clinical_id), "entry_id": key_of(patient.id)}


def _edges(entry: Entry) -> set[tuple[bytes, bytes, str]]:
    source = key_of(entry.id)
    return {(key_of(target), source, relation) for relation, target in relations(entry)}
