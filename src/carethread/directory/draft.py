"""What a FHIR resource says, before it is known which entries it names."""

from typing import Any

from msgspec import Struct

from carethread.directory.model import (
    ALWAYS,
    CareTeam,
    Entry,
    EntryKind,
    Identifier,
    Organization,
    Patient,
    Period,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Standing,
    TeamMember,
)
from carethread.errors import DirectoryError
from carethread.ids import ClinicalId, ParticipantId


class Reference(Struct, frozen=True):
    """How a resource names another.

    `text` is `Type/id`, `urn:uuid:…` or an absolute URL, or empty where an identifier says it. `kinds` are those that
    it may be; `path` is where it stands, such as `entry[3].resource.partOf`.
    """

    path: str
    kinds: tuple[EntryKind, ...]
    text: str = ""
    identifier: Identifier | None = None


class DraftMember(Struct, frozen=True):
    """A participant of a care team."""

    member: Reference
    standing: Standing | None = None
    period: Period = ALWAYS


class Draft(Struct, frozen=True, kw_only=True):
    """A resource of any kind; what its kind does not have is left at its default.

    `path` is where the resource stands. `references` holds each reference under the name of the entry's field.
    """

    path: str
    kind: EntryKind
    fhir_id: str | None = None
    full_url: str = ""
    name: str = ""
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    period: Period = ALWAYS
    standing: Standing = Standing.CARE_ADMINISTRATOR
    birth_date: str | None = None
    clinical_id: ClinicalId | None = None
    references: tuple[tuple[str, Reference], ...] = ()
    members: tuple[DraftMember, ...] = ()

    def all_references(self) -> tuple[Reference, ...]:
        """Return every reference."""
        return (*(each for _, each in self.references), *(each.member for each in self.members))


class Bundle(Struct, frozen=True):
    """What was read: the drafts in their order, and the elements that were there and are not kept, ordered."""

    drafts: tuple[Draft, ...]
    not_kept: tuple[str, ...] = ()


# Which entry a reference means.
Resolved = dict[Reference, tuple[ParticipantId, EntryKind]]

_PROFESSIONALS = frozenset({EntryKind.PRACTITIONER, EntryKind.PRACTITIONER_ROLE})


def entry_of(draft: Draft, entry_id: ParticipantId, fhir_id: str, resolved: Resolved) -> Entry:
    """Return the entry that a draft describes; a patient's has a clinical id by now.

    Args:
        draft: the draft.
        entry_id: the entry's id.
        fhir_id: its FHIR id.
        resolved: the entry behind each of the draft's references.

    Raises:
        DirectoryError: a team says of somebody other than a practitioner how they stand, or an entry names itself.
    """
    named: dict[str, Any] = {field: resolved[reference][0] for field, reference in draft.references}
    for field, reference in draft.references:
        if named[field] == entry_id:
            raise DirectoryError(reference.path, "names the resource itself")
    # What fits the kind is for the reader to have put there.
    same: dict[str, Any] = {
        "id": entry_id,
        "fhir_id": fhir_id,
        "active": draft.active,
        "identifiers": draft.identifiers,
    }
    match draft.kind:
        case EntryKind.ORGANIZATION:
            return Organization(name=draft.name, **same, **named)
        case EntryKind.PRACTITIONER:
            return Practitioner(name=draft.name, **same)
        case EntryKind.PRACTITIONER_ROLE:
            return PractitionerRole(standing=draft.standing, period=draft.period, **same, **named)
        case EntryKind.RELATED_PERSON:
            return RelatedPerson(name=draft.name, period=draft.period, **same, **named)
        case EntryKind.PATIENT:
            named["clinical_id"] = draft.clinical_id
            return Patient(name=draft.name, birth_date=draft.birth_date, **same, **named)
        case _:
            members = tuple(_member(each, entry_id, resolved) for each in draft.members)
            return CareTeam(name=draft.name, members=members, period=draft.period, **same, **named)


def _member(draft: DraftMember, team: ParticipantId, resolved: Resolved) -> TeamMember:
    member, kind = resolved[draft.member]
    if draft.standing is not None and kind not in _PROFESSIONALS:
        raise DirectoryError(draft.member.path, "a team says of practitioners only how they stand in it")
    if member == team:
        raise DirectoryError(draft.member.path, "names the resource itself")
    return TeamMember(member, draft.standing, draft.period)
