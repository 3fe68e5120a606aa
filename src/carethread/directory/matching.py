"""Whether what is asked of the directory holds of an entry."""

import unicodedata
from collections.abc import Mapping

from carethread.clock import Instant
from carethread.directory.criteria import EntryClause, EntryField, Matching, Named, Span, Text, Token, Wanted
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM
from carethread.directory.fhir_periods import read_period
from carethread.directory.model import CareTeam, Entry, EntryKind, Identifier, Organization, Patient
from carethread.directory.relations import MEMBER, relations
from carethread.ids import ParticipantId

# Which relation of an entry a field is about, and which kinds it leads to.
RELATIONS: dict[EntryField, tuple[str, tuple[EntryKind, ...]]] = {
    EntryField.PART_OF: ("part_of", (EntryKind.ORGANIZATION,)),
    EntryField.PRACTITIONER: ("practitioner", (EntryKind.PRACTITIONER,)),
    EntryField.ORGANIZATION: ("organization", (EntryKind.ORGANIZATION,)),
    EntryField.PATIENT: ("patient", (EntryKind.PATIENT,)),
    EntryField.PARTICIPANT: (MEMBER, tuple(EntryKind)),
    EntryField.LINK: ("replaced_by", (EntryKind.PATIENT,)),
}
# The systems of the codes that `active` and `status` have, where somebody says them.
_SYSTEMS = {
    EntryField.ACTIVE: "http://hl7.org/fhir/special-values",
    EntryField.STATUS: "http://hl7.org/fhir/care-team-status",
}

# Which entries each name of a search means, in the field it stands in.
Meant = Mapping[tuple[EntryField, Named], frozenset[ParticipantId]]


def plain_words(text: str) -> list[str]:
    """Return the words of a text without case and accents.

    >>> plain_words("Straße ÅNGSTRÖM-o'neill")
    ['strasse', 'angstrom', 'o', 'neill']
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return "".join(each if each.isalnum() else " " for each in bare.casefold()).split()


def identifiers_of(entry: Entry) -> tuple[Identifier, ...]:
    """Return an entry's identifiers, a patient's clinical id among them."""
    if isinstance(entry, Patient):
        return (Identifier(CLINICAL_ID_SYSTEM, entry.clinical_id), *entry.identifiers)
    return entry.identifiers


def holds(clause: EntryClause, entry: Entry, recorded_at: Instant, meant: Meant) -> bool:
    """Say whether a clause holds of an entry that was recorded at an instant."""
    found = any(_holds(clause.field, each, entry, recorded_at, meant) for each in clause.values)
    return found is not clause.negated


def _holds(field: EntryField, wanted: Wanted, entry: Entry, recorded_at: Instant, meant: Meant) -> bool:
    match wanted:
        case Text():
            return _named_so(wanted, entry)
        case Named():
            relation, _ = RELATIONS[field]
            ids = meant[field, wanted]
            return any(name == relation and target in ids for name, target in relations(entry))
        case Span():
            return _within(wanted, _span(field, entry, recorded_at))
        case _:
            return _has(field, wanted, entry)


def _named_so(wanted: Text, entry: Entry) -> bool:
    name: str = getattr(entry, "name", "")
    if wanted.matching is Matching.EXACT:
        # Of a person only the name they go by is kept, and FHIR compares each part of a name.
        return wanted.text == name or (not isinstance(entry, Organization) and wanted.text in name.split())
    asked, has = " ".join(plain_words(wanted.text)), " ".join(plain_words(name))
    if not asked:
        return False
    if wanted.matching is Matching.CONTAINS:
        return asked in has
    return has.startswith(asked) or (not isinstance(entry, Organization) and f" {asked}" in has)


def _has(field: EntryField, wanted: Token, entry: Entry) -> bool:
    if field is EntryField.IDENTIFIER:
        return any(
            wanted.system in (None, each.system) and wanted.value in (None, each.value)
            for each in identifiers_of(entry)
        )
    if field is EntryField.ID:
        return wanted.value in (entry.fhir_id, entry.id)
    active = (isinstance(entry, CareTeam) and "active") or "true"
    code = active if entry.active else {"active": "inactive", "true": "false"}[active]
    return wanted.system in (None, _SYSTEMS[field]) and wanted.value in (None, code)


def _span(field: EntryField, entry: Entry, recorded_at: Instant) -> tuple[Instant | None, Instant | None] | None:
    """Return from when until before when what is compared lasts; nothing where the entry does not say."""
    if field is EntryField.LAST_UPDATED:
        return recorded_at, Instant(recorded_at + 1)
    born = entry.birth_date if isinstance(entry, Patient) else None
    if born is None:
        return None
    period = read_period(born, born, field.value)
    return period.start, period.end


def _within(wanted: Span, found: tuple[Instant | None, Instant | None] | None) -> bool:
    if found is None:
        return False
    start, end = found
    begins_after = wanted.since is None or (start is not None and wanted.since <= start)
    ends_before = wanted.until is None or (end is not None and end <= wanted.until)
    if wanted.within:
        return begins_after and ends_before
    ends_early = wanted.since is not None and end is not None and end <= wanted.since
    begins_late = wanted.until is not None and start is not None and wanted.until <= start
    return not (ends_early or begins_late)
