"""The entries of the directory, one struct per FHIR resource type.

Every entry has a UUID (`id`, what records name participants by) and a FHIR id, which a client may have chosen; both
resolve for ever. An entry that is no longer in use is inactive; nothing is ever deleted. Instants are milliseconds UTC.
"""

from enum import StrEnum

from msgspec import Struct

from carethread.clock import Instant
from carethread.ids import ClinicalId, ParticipantId


class EntryKind(StrEnum):
    """What an entry is: a FHIR resource type."""

    ORGANIZATION = "Organization"
    PRACTITIONER = "Practitioner"
    PRACTITIONER_ROLE = "PractitionerRole"
    RELATED_PERSON = "RelatedPerson"
    PATIENT = "Patient"
    CARE_TEAM = "CareTeam"


class Standing(StrEnum):
    """What a member of a group is in it."""

    CLINICIAN = "clinician"
    CARE_ADMINISTRATOR = "care_administrator"
    PATIENT = "patient"
    PATIENT_ASSOCIATE = "patient_associate"


class Duty(StrEnum):
    """What somebody is appointed to beside their roles."""

    AUDITOR = "auditor"
    STEWARD = "steward"


class Identifier(Struct, frozen=True):
    """A business identifier, such as a national provider number. `system` is a URI."""

    system: str
    value: str


class Period(Struct, frozen=True):
    """From when to when something holds: from `start` on, until before `end`. `None` is open."""

    start: Instant | None = None
    end: Instant | None = None

    def includes(self, at: Instant) -> bool:
        """Say whether it holds at an instant."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


ALWAYS = Period()


class Organization(Struct, frozen=True, tag=EntryKind.ORGANIZATION.value, tag_field="kind"):
    """A hospital, practice, pharmacy, home-care provider."""

    id: ParticipantId
    fhir_id: str
    name: str
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    part_of: ParticipantId | None = None


class Practitioner(Struct, frozen=True, tag=EntryKind.PRACTITIONER.value, tag_field="kind"):
    """A professional, clinical or administrative."""

    id: ParticipantId
    fhir_id: str
    name: str
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()


class PractitionerRole(Struct, frozen=True, tag=EntryKind.PRACTITIONER_ROLE.value, tag_field="kind"):
    """Who works where, as what, from when to when. It makes a practitioner a member of an organisation."""

    id: ParticipantId
    fhir_id: str
    practitioner: ParticipantId
    organization: ParticipantId
    standing: Standing
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    period: Period = ALWAYS


class RelatedPerson(Struct, frozen=True, tag=EntryKind.RELATED_PERSON.value, tag_field="kind"):
    """A relative or informal carer of one patient."""

    id: ParticipantId
    fhir_id: str
    name: str
    patient: ParticipantId
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    period: Period = ALWAYS


class Patient(Struct, frozen=True, tag=EntryKind.PATIENT.value, tag_field="kind"):
    """A patient. `clinical_id` links the coordination record and never changes.

    `birth_date` is ISO 8601 (`1956-05-27`, or less precise). `replaced_by` is the patient this one was merged into.
    """

    id: ParticipantId
    fhir_id: str
    name: str
    clinical_id: ClinicalId
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    birth_date: str | None = None
    replaced_by: ParticipantId | None = None


class TeamMember(Struct, frozen=True):
    """One participant of a care team: a person, a practitioner's role, an organisation or another team.

    `standing` where the team says it; left out, it follows from the member's own entries.
    """

    member: ParticipantId
    standing: Standing | None = None
    period: Period = ALWAYS


class CareTeam(Struct, frozen=True, tag=EntryKind.CARE_TEAM.value, tag_field="kind"):
    """A patient's network (`patient`), or a team of an organisation (`managing_organization`)."""

    id: ParticipantId
    fhir_id: str
    name: str
    members: tuple[TeamMember, ...]
    active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    patient: ParticipantId | None = None
    managing_organization: ParticipantId | None = None
    period: Period = ALWAYS


Entry = Organization | Practitioner | PractitionerRole | RelatedPerson | Patient | CareTeam
Person = Practitioner | RelatedPerson | Patient
Group = Organization | CareTeam


class Membership(Struct, frozen=True):
    """That somebody is an active member of a group, as what.

    `patient` is set for the team of a patient, and counts only in records of that patient. For an organisation, and
    for a team of an organisation, it is `None`.
    """

    group: ParticipantId
    standing: Standing
    patient: ParticipantId | None = None
