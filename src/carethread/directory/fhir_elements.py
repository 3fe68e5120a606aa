"""The FHIR R4 resources the directory is filled from, as far as it takes them.

Whatever an element is not declared here is refused: `modifierExtension`, `contained` and `implicitRules` among others,
because they may turn around what the rest says. `NotKept` elements are taken and not kept.
"""

from msgspec import UNSET, Raw, Struct, UnsetType, field

NotKept = Raw | UnsetType


class _Element(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    id: NotKept = UNSET
    extension: NotKept = UNSET


class _Resource(_Element, frozen=True, tag_field="resourceType", kw_only=True):
    # Another meaning than an element's: a resource's FHIR id.
    id: str | UnsetType = UNSET  # type: ignore[assignment]
    meta: NotKept = UNSET
    language: NotKept = UNSET
    text: NotKept = UNSET


class FhirPeriod(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/datatypes.html#Period."""

    start: str | UnsetType = UNSET
    end: str | UnsetType = UNSET


class FhirIdentifier(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/datatypes.html#Identifier."""

    use: str | UnsetType = UNSET
    type: NotKept = UNSET
    system: str | UnsetType = UNSET
    value: str | UnsetType = UNSET
    period: NotKept = UNSET
    assigner: NotKept = UNSET


class FhirReference(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/references.html."""

    reference: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    identifier: FhirIdentifier | UnsetType = UNSET
    display: NotKept = UNSET


class HumanName(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/datatypes.html#HumanName. Extensions tell the parts of a family name apart."""

    use: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    family: str | UnsetType = UNSET
    family_parts: NotKept = field(default=UNSET, name="_family")
    given: tuple[str, ...] = ()
    given_kinds: NotKept = field(default=UNSET, name="_given")
    prefix: tuple[str, ...] = ()
    prefix_kinds: NotKept = field(default=UNSET, name="_prefix")
    suffix: NotKept = UNSET
    suffix_kinds: NotKept = field(default=UNSET, name="_suffix")
    period: NotKept = UNSET


class Coding(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/datatypes.html#Coding."""

    system: str | UnsetType = UNSET
    version: NotKept = UNSET
    code: str | UnsetType = UNSET
    display: NotKept = UNSET
    user_selected: NotKept = UNSET


class CodeableConcept(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/datatypes.html#CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: NotKept = UNSET


class FhirOrganization(_Resource, frozen=True, kw_only=True, tag="Organization"):
    """https://hl7.org/fhir/R4/organization.html."""

    name: str
    identifier: tuple[FhirIdentifier, ...] = ()
    active: bool = True
    part_of: FhirReference | UnsetType = UNSET
    type: NotKept = UNSET
    alias: NotKept = UNSET
    telecom: NotKept = UNSET
    address: NotKept = UNSET
    contact: NotKept = UNSET
    endpoint: NotKept = UNSET


class FhirPractitioner(_Resource, frozen=True, kw_only=True, tag="Practitioner"):
    """https://hl7.org/fhir/R4/practitioner.html."""

    name: tuple[HumanName, ...]
    identifier: tuple[FhirIdentifier, ...] = ()
    active: bool = True
    telecom: NotKept = UNSET
    address: NotKept = UNSET
    gender: NotKept = UNSET
    birth_date: NotKept = UNSET
    photo: NotKept = UNSET
    qualification: NotKept = UNSET
    communication: NotKept = UNSET


class FhirPractitionerRole(_Resource, frozen=True, kw_only=True, tag="PractitionerRole"):
    """https://hl7.org/fhir/R4/practitionerrole.html. Without practitioner or organization, it gives nobody anything."""

    practitioner: FhirReference
    organization: FhirReference
    identifier: tuple[FhirIdentifier, ...] = ()
    active: bool = True
    period: FhirPeriod | UnsetType = UNSET
    code: tuple[CodeableConcept, ...] = ()
    specialty: NotKept = UNSET
    location: NotKept = UNSET
    healthcare_service: NotKept = UNSET
    telecom: NotKept = UNSET
    available_time: NotKept = UNSET
    not_available: NotKept = UNSET
    availability_exceptions: NotKept = UNSET
    endpoint: NotKept = UNSET


class FhirRelatedPerson(_Resource, frozen=True, kw_only=True, tag="RelatedPerson"):
    """https://hl7.org/fhir/R4/relatedperson.html."""

    patient: FhirReference
    name: tuple[HumanName, ...]
    identifier: tuple[FhirIdentifier, ...] = ()
    active: bool = True
    period: FhirPeriod | UnsetType = UNSET
    relationship: NotKept = UNSET
    telecom: NotKept = UNSET
    gender: NotKept = UNSET
    birth_date: NotKept = UNSET
    address: NotKept = UNSET
    photo: NotKept = UNSET
    communication: NotKept = UNSET


class PatientLink(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/patient-definitions.html#Patient.link."""

    other: FhirReference
    type: str


class FhirPatient(_Resource, frozen=True, kw_only=True, tag="Patient"):
    """https://hl7.org/fhir/R4/patient.html."""

    name: tuple[HumanName, ...]
    identifier: tuple[FhirIdentifier, ...] = ()
    active: bool = True
    birth_date: str | UnsetType = UNSET
    birth_time: NotKept = field(default=UNSET, name="_birthDate")
    link: tuple[PatientLink, ...] = ()
    telecom: NotKept = UNSET
    gender: NotKept = UNSET
    deceased_boolean: NotKept = UNSET
    deceased_date_time: NotKept = UNSET
    address: NotKept = UNSET
    marital_status: NotKept = UNSET
    multiple_birth_boolean: NotKept = UNSET
    multiple_birth_integer: NotKept = UNSET
    photo: NotKept = UNSET
    contact: NotKept = UNSET
    communication: NotKept = UNSET
    general_practitioner: NotKept = UNSET
    managing_organization: NotKept = UNSET


class TeamParticipant(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/careteam-definitions.html#CareTeam.participant."""

    member: FhirReference
    role: tuple[CodeableConcept, ...] = ()
    on_behalf_of: NotKept = UNSET
    period: FhirPeriod | UnsetType = UNSET


class FhirCareTeam(_Resource, frozen=True, kw_only=True, tag="CareTeam"):
    """https://hl7.org/fhir/R4/careteam.html. `status` has `active` and others; in all others the team is inactive."""

    name: str
    identifier: tuple[FhirIdentifier, ...] = ()
    status: str = "active"
    subject: FhirReference | UnsetType = UNSET
    period: FhirPeriod | UnsetType = UNSET
    participant: tuple[TeamParticipant, ...] = ()
    managing_organization: tuple[FhirReference, ...] = ()
    category: NotKept = UNSET
    encounter: NotKept = UNSET
    reason_code: NotKept = UNSET
    reason_reference: NotKept = UNSET
    telecom: NotKept = UNSET
    note: NotKept = UNSET


Resource = FhirOrganization | FhirPractitioner | FhirPractitionerRole | FhirRelatedPerson | FhirPatient | FhirCareTeam


class BundleRequest(_Element, frozen=True, kw_only=True):
    """What a transaction asks for. Conditions are not known here, and refused."""

    method: str
    url: str


class BundleEntry(_Element, frozen=True, kw_only=True):
    """https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry."""

    resource: Raw
    full_url: str | UnsetType = UNSET
    link: NotKept = UNSET
    request: BundleRequest | UnsetType = UNSET


class FhirBundle(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename="camel",
    kw_only=True,
    tag_field="resourceType",
    tag="Bundle",
):
    """https://hl7.org/fhir/R4/bundle.html. Its resource type is checked by the reader."""

    type: str
    entry: tuple[Raw, ...] = ()
    id: NotKept = UNSET
    meta: NotKept = UNSET
    language: NotKept = UNSET
    identifier: NotKept = UNSET
    timestamp: NotKept = UNSET
    link: NotKept = UNSET
    signature: NotKept = UNSET
