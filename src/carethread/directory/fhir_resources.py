"""From each kind of resource to a draft."""

import re

from msgspec import UNSET
from msgspec.structs import replace

from carethread.directory.draft import Draft, DraftMember, Reference
from carethread.directory.fhir_codes import role_standing, said_standing
from carethread.directory.fhir_elements import (
    FhirCareTeam,
    FhirOrganization,
    FhirPatient,
    FhirPractitioner,
    FhirPractitionerRole,
    FhirRelatedPerson,
    PatientLink,
    Resource,
    TeamParticipant,
)
from carethread.directory.fhir_parts import identifiers_of, one_line, period_of, reference, references, spoken_name
from carethread.directory.fhir_periods import read_date
from carethread.directory.model import EntryKind
from carethread.errors import DirectoryError

_FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
# https://hl7.org/fhir/R4/valueset-care-team-status.html, https://hl7.org/fhir/R4/valueset-link-type.html
_STATUSES = ("proposed", "active", "suspended", "inactive", "entered-in-error")
_LINKS = ("replaced-by", "replaces", "refer", "seealso")

_ALL = tuple(EntryKind)
_ORGANIZATION, _PRACTITIONER, _PATIENT = (EntryKind.ORGANIZATION,), (EntryKind.PRACTITIONER,), (EntryKind.PATIENT,)


def draft_of(resource: Resource, path: str, full_url: str) -> Draft:
    """Return what a resource says.

    Raises:
        DirectoryError: it says what the directory does not take.
    """
    fhir_id = resource.id if isinstance(resource.id, str) else None
    if fhir_id is not None and _FHIR_ID.fullmatch(fhir_id) is None:
        raise DirectoryError(f"{path}.id", "is not 1 to 64 letters, digits, hyphens and dots")
    identifiers, clinical_id = identifiers_of(resource.identifier, path)
    if clinical_id is not None and not isinstance(resource, FhirPatient):
        raise DirectoryError(f"{path}.identifier", "only a patient has a clinical id")
    kind = EntryKind(str(type(resource).__struct_config__.tag))
    draft = Draft(path=path, kind=kind, fhir_id=fhir_id, full_url=full_url, identifiers=identifiers)
    match resource:
        case FhirOrganization():
            return replace(
                draft,
                name=one_line(resource.name),
                active=resource.active,
                references=references(("part_of", resource.part_of, f"{path}.partOf", _ORGANIZATION)),
            )
        case FhirPractitioner():
            return replace(draft, name=spoken_name(resource.name, path), active=resource.active)
        case FhirPractitionerRole():
            return replace(
                draft,
                active=resource.active,
                period=period_of(resource.period, path),
                standing=role_standing(resource.code, f"{path}.code"),
                references=references(
                    ("practitioner", resource.practitioner, f"{path}.practitioner", _PRACTITIONER),
                    ("organization", resource.organization, f"{path}.organization", _ORGANIZATION),
                ),
            )
        case FhirRelatedPerson():
            return replace(
                draft,
                name=spoken_name(resource.name, path),
                active=resource.active,
                period=period_of(resource.period, path),
                references=references(("patient", resource.patient, f"{path}.patient", _PATIENT)),
            )
        case FhirPatient():
            born = resource.birth_date
            return replace(
                draft,
                name=spoken_name(resource.name, path),
                active=resource.active,
                birth_date=read_date(born, f"{path}.birthDate") if isinstance(born, str) else None,
                clinical_id=clinical_id,
                references=_replaced_by(resource.link, path),
            )
        case _:
            return _team(resource, draft)


def _team(team: FhirCareTeam, draft: Draft) -> Draft:
    path = draft.path
    if team.status not in _STATUSES:
        raise DirectoryError(f"{path}.status", f"is none of {', '.join(_STATUSES)}")
    if len(team.managing_organization) > 1:
        raise DirectoryError(f"{path}.managingOrganization", "names more than one organisation")
    managing = team.managing_organization[0] if team.managing_organization else UNSET
    return replace(
        draft,
        name=one_line(team.name),
        active=team.status == "active",
        period=period_of(team.period, path),
        members=tuple(_member(each, f"{path}.participant[{number}]") for number, each in enumerate(team.participant)),
        references=references(
            ("patient", team.subject, f"{path}.subject", _PATIENT),
            ("managing_organization", managing, f"{path}.managingOrganization[0]", _ORGANIZATION),
        ),
    )


def _member(participant: TeamParticipant, path: str) -> DraftMember:
    return DraftMember(
        reference(participant.member, f"{path}.member", _ALL),
        said_standing(participant.role, f"{path}.role"),
        period_of(participant.period, path),
    )


def _replaced_by(links: tuple[PatientLink, ...], path: str) -> tuple[tuple[str, Reference], ...]:
    for number, each in enumerate(links):
        if each.type not in _LINKS:
            raise DirectoryError(f"{path}.link[{number}].type", f"is none of {', '.join(_LINKS)}")
    found = [
        reference(each.other, f"{path}.link[{number}].other", _PATIENT)
        for number, each in enumerate(links)
        if each.type == "replaced-by"
    ]
    if len(found) > 1:
        raise DirectoryError(f"{path}.link", "says more than once by whom the patient is replaced")
    return tuple(("replaced_by", each) for each in found)
