"""Which entry each draft is, and which entry each reference means."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from carethread.directory.draft import Draft, Reference, Resolved
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM
from carethread.directory.fhir_write import kind_of
from carethread.directory.model import Entry, EntryKind, Identifier, Patient
from carethread.errors import DanglingReferenceError, DirectoryError, DuplicateIdentifierError
from carethread.ids import ClinicalId, IdSource, ParticipantId
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.directory_entries import decode
from carethread.store.keys import id_of, key_of

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_URN = "urn:uuid:"

_FhirId = tuple[EntryKind, str]
_Owned = tuple[EntryKind, Identifier]


class Existing(Struct, frozen=True):
    """Entries that drafts and their references may mean: by id, by FHIR id, and whose an identifier is."""

    by_id: dict[ParticipantId, Entry]
    by_fhir_id: dict[_FhirId, Entry]
    owners: dict[_Owned, ParticipantId]


class Match(Struct, frozen=True):
    """A draft, the id and FHIR id of its entry, and the entry as it stands, if it is not new."""

    draft: Draft
    entry_id: ParticipantId
    fhir_id: str
    old: Entry | None


def _uuid(full_url: str) -> str | None:
    return full_url.removeprefix(_URN) if full_url.startswith(_URN) else None


def _identifiers(draft: Draft) -> tuple[Identifier, ...]:
    """Return a draft's identifiers, the clinical id among them."""
    if draft.clinical_id is None:
        return draft.identifiers
    return (*draft.identifiers, Identifier(CLINICAL_ID_SYSTEM, draft.clinical_id))


# ── What the database has ─────────────────────────────────────────────────────────────────────────────────────────────


def existing_around(connection: Connection, drafts: Sequence[Draft]) -> Existing:
    """Return what the directory has of all that drafts name."""
    ids: set[str] = set()
    fhir_ids: defaultdict[EntryKind, set[str]] = defaultdict(set)
    identifiers: defaultdict[EntryKind, set[Identifier]] = defaultdict(set)
    for draft in drafts:
        named = {each for each in (draft.fhir_id, _uuid(draft.full_url)) if each is not None}
        fhir_ids[draft.kind] |= named
        ids |= {each for each in named if _UUID.fullmatch(each)}
        identifiers[draft.kind].update(_identifiers(draft))
        for reference in draft.all_references():
            urn = _uuid(reference.text)
            if urn is not None:
                ids.add(urn)
            elif reference.identifier is not None:
                for kind in reference.kinds:
                    identifiers[kind].add(reference.identifier)
            elif "//" not in reference.text:
                fhir_ids[reference.kinds[0]].add(reference.text.partition("/")[2])
    owners = dict(_owners(connection, identifiers))
    keys = {key_of(ParticipantId(each)) for each in ids} | {key_of(each) for each in owners.values()}
    found = {each.id: each for each in (decode(row[0]) for row in statements.entries_by_id.rows(connection, keys))}
    by_fhir_id = {}
    for kind, wanted in fhir_ids.items():
        for _, fhir_id, content in statements.entries_by_fhir_id.rows(connection, wanted, kind=kind.value):
            by_fhir_id[kind, fhir_id] = decode(content)
    return Existing(found, by_fhir_id, owners)


def _owners(
    connection: Connection, identifiers: dict[EntryKind, set[Identifier]]
) -> Iterator[tuple[_Owned, ParticipantId]]:
    for kind, wanted in identifiers.items():
        values = {each.value for each in wanted}
        for system, value, key in statements.identifiers_by_value.rows(connection, values, kind=kind.value):
            yield (kind, Identifier(system, value)), id_of(key)
    clinical = {
        key_of(each.value)
        for each in identifiers.get(EntryKind.PATIENT, ())
        if each.system == CLINICAL_ID_SYSTEM and _UUID.fullmatch(each.value)
    }
    for clinical_id, key in statements.patients_by_clinical_id.rows(connection, clinical):
        yield (EntryKind.PATIENT, Identifier(CLINICAL_ID_SYSTEM, id_of(clinical_id))), id_of(key)


# ── Which entry a draft is ────────────────────────────────────────────────────────────────────────────────────────────


def match_drafts(drafts: Iterable[Draft], existing: Existing, mint: IdSource) -> tuple[Match, ...]:
    """Return which entry each draft is: by its FHIR id, else by an identifier, else by a `urn:uuid`, else a new one.

    Raises:
        DuplicateIdentifierError: two drafts are one entry, or share an identifier, or have one of another entry.
        DirectoryError: a draft has nothing by which it could be found again, or another clinical id than before.
    """
    found: list[Match] = []
    taken = set(existing.by_id)
    places: dict[ParticipantId, str] = {}
    for draft in drafts:
        old = _known(draft, existing)
        match = _renewed(draft, old) if old is not None else _made(draft, taken, mint)
        taken.add(match.entry_id)
        before = places.setdefault(match.entry_id, draft.path)
        if before != draft.path:
            raise DuplicateIdentifierError(draft.path, f"is the same entry as {before}")
        found.append(match)
    _check_fhir_ids(found)
    _check_identifiers(found, existing)
    return tuple(found)


def _known(draft: Draft, existing: Existing) -> Entry | None:
    if draft.fhir_id is not None and (draft.kind, draft.fhir_id) in existing.by_fhir_id:
        return existing.by_fhir_id[draft.kind, draft.fhir_id]
    owners = {
        existing.owners[draft.kind, each] for each in _identifiers(draft) if (draft.kind, each) in existing.owners
    }
    if len(owners) > 1:
        raise DuplicateIdentifierError(f"{draft.path}.identifier", f"has identifiers of {len(owners)} entries")
    if owners:
        return existing.by_id[owners.pop()]
    urn = _uuid(draft.full_url)
    if draft.fhir_id is not None or urn is None:
        return None
    same = existing.by_fhir_id.get((draft.kind, urn)) or existing.by_id.get(ParticipantId(urn))
    return same if same is not None and kind_of(same) is draft.kind else None


def _renewed(draft: Draft, old: Entry) -> Match:
    if isinstance(old, Patient):
        if draft.clinical_id not in (None, old.clinical_id):
            raise DirectoryError(f"{draft.path}.identifier", "the clinical id of a patient never changes")
        draft = replace(draft, clinical_id=old.clinical_id)
    return Match(draft, old.id, old.fhir_id, old)


def _made(draft: Draft, taken: set[ParticipantId], mint: IdSource) -> Match:
    urn = _uuid(draft.full_url)
    if draft.fhir_id is None and urn is None and not _identifiers(draft):
        raise DirectoryError(
            f"{draft.path}.id", "is missing: without id, identifier or urn:uuid as fullUrl, a second load would add it"
        )
    wanted = (each for each in (draft.fhir_id, urn) if each is not None and _UUID.fullmatch(each))
    free = (ParticipantId(each) for each in wanted if each not in taken)
    entry_id = next(free, None) or ParticipantId(str(mint()))
    if draft.kind is EntryKind.PATIENT and draft.clinical_id is None:
        draft = replace(draft, clinical_id=ClinicalId(str(mint())))
    return Match(draft, entry_id, draft.fhir_id or urn or entry_id, None)


def _check_fhir_ids(matches: Sequence[Match]) -> None:
    places: dict[_FhirId, str] = {}
    for each in matches:
        before = places.setdefault((each.draft.kind, each.fhir_id), each.draft.path)
        if before != each.draft.path:
            raise DuplicateIdentifierError(f"{each.draft.path}.id", f"{each.fhir_id} is the id of {before} too")


def _check_identifiers(matches: Sequence[Match], existing: Existing) -> None:
    holders: dict[_Owned, Match] = {}
    for each in matches:
        for identifier in _identifiers(each.draft):
            before = holders.setdefault((each.draft.kind, identifier), each)
            if before is not each:
                raise DuplicateIdentifierError(
                    f"{each.draft.path}.identifier", f"{before.draft.path} has one of the same system and value"
                )
    loaded = {each.entry_id for each in matches}
    for owned, match in holders.items():
        owner = existing.owners.get(owned, match.entry_id)
        # An owner that is loaded too has just given the identifier up: nobody else in the bundle holds it.
        if owner not in (match.entry_id, *(loaded & {owner})):
            raise DuplicateIdentifierError(f"{match.draft.path}.identifier", f"has one that entry {owner} has already")


# ── Which entry a reference means ─────────────────────────────────────────────────────────────────────────────────────


class _Targets(Struct, frozen=True):
    """What references may mean, those that are loaded before those that are known."""

    urls: dict[str, tuple[ParticipantId, EntryKind]]
    fhir_ids: dict[_FhirId, ParticipantId]
    owners: dict[_Owned, ParticipantId]


def resolved(matches: Sequence[Match], existing: Existing) -> Resolved:
    """Return the entry behind each reference.

    Raises:
        DanglingReferenceError: a reference names what is neither loaded nor known.
        DirectoryError: it names an entry of another kind, or more than one entry.
    """
    targets = _Targets(
        {f"{_URN}{each}": (each, kind_of(entry)) for each, entry in existing.by_id.items()},
        {each: entry.id for each, entry in existing.by_fhir_id.items()},
        dict(existing.owners),
    )
    for each in matches:
        kind = each.draft.kind
        if each.draft.full_url:
            targets.urls[each.draft.full_url] = (each.entry_id, kind)
        targets.fhir_ids[kind, each.fhir_id] = each.entry_id
        if each.draft.fhir_id is not None:
            targets.fhir_ids[kind, each.draft.fhir_id] = each.entry_id
        targets.owners.update({(kind, identifier): each.entry_id for identifier in _identifiers(each.draft)})
    return {reference: _target(reference, targets) for each in matches for reference in each.draft.all_references()}


def _target(reference: Reference, targets: _Targets) -> tuple[ParticipantId, EntryKind]:
    if reference.identifier is not None:
        found = {
            (targets.owners[kind, reference.identifier], kind)
            for kind in reference.kinds
            if (kind, reference.identifier) in targets.owners
        }
        if len(found) > 1:
            raise DirectoryError(reference.path, "may mean more than one entry: say its type")
        if found:
            return found.pop()
        raise DanglingReferenceError(reference.path, "names an identifier of nobody loaded or known")
    if reference.text in targets.urls:
        target = targets.urls[reference.text]
        if target[1] not in reference.kinds:
            raise DirectoryError(reference.path, f"is {target[1].value}, and must be {', '.join(reference.kinds)}")
        return target
    kind = reference.kinds[0]
    entry_id = targets.fhir_ids.get((kind, reference.text.partition("/")[2]))
    if entry_id is None or "//" in reference.text or reference.text.startswith(_URN):
        raise DanglingReferenceError(reference.path, f"names {reference.text}, which is neither loaded nor known")
    return entry_id, kind
