"""Writes entries as FHIR R4 resources, and all of them as a Bundle that reads back the same."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM, STANDING_SYSTEM
from carethread.directory.fhir_periods import write_end, write_start
from carethread.directory.model import (
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
from carethread.ids import ParticipantId

# An entry's `Type/fhir-id`, by its id.
Names = Mapping[ParticipantId, str]
_Json = dict[str, Any]


def kind_of(entry: Entry) -> EntryKind:
    """Return what an entry is."""
    return EntryKind(str(type(entry).__struct_config__.tag))


def fhir_name(entry: Entry) -> str:
    """Return an entry's `Type/fhir-id`."""
    return f"{kind_of(entry).value}/{entry.fhir_id}"


def write_bundle(entries: Iterable[Entry]) -> bytes:
    """Return a Bundle of type collection. `fullUrl` holds each entry's id, which a load elsewhere takes over."""
    everything = tuple(entries)
    names = {each.id: fhir_name(each) for each in everything}
    found = [{"fullUrl": f"urn:uuid:{each.id}", "resource": write_resource(each, names)} for each in everything]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": found}
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2) + b"\n"


def write_resource(entry: Entry, names: Names) -> _Json:
    """Return an entry as a resource. `names` has every entry that it names."""
    resource: _Json = {"resourceType": kind_of(entry).value, "id": entry.fhir_id}
    identifiers = entry.identifiers
    if isinstance(entry, Patient):
        identifiers = (Identifier(CLINICAL_ID_SYSTEM, entry.clinical_id), *identifiers)
    if identifiers:
        resource["identifier"] = [{"system": each.system, "value": each.value} for each in identifiers]
    if isinstance(entry, CareTeam):
        resource["status"] = "active" if entry.active else "inactive"
    else:
        resource["active"] = entry.active
    return resource | _own(entry, names)


def _own(entry: Entry, names: Names) -> _Json:
    """Return the elements that a kind has to itself."""
    match entry:
        case Organization():
            return {"name": entry.name} | _reference("partOf", entry.part_of, names)
        case Practitioner():
            return {"name": [{"text": entry.name}]}
        case PractitionerRole():
            return (
                _period(entry.period)
                | _reference("practitioner", entry.practitioner, names)
                | _reference("organization", entry.organization, names)
                | {"code": [_standing(entry.standing)]}
            )
        case RelatedPerson():
            return (
                _reference("patient", entry.patient, names) | {"name": [{"text": entry.name}]} | _period(entry.period)
            )
        case Patient():
            link = _reference("other", entry.replaced_by, names)
            return (
                {"name": [{"text": entry.name}]}
                | ({} if entry.birth_date is None else {"birthDate": entry.birth_date})
                | ({"link": [{**link, "type": "replaced-by"}]} if link else {})
            )
        case _:
            managing = _reference("reference", entry.managing_organization, names)
            return (
                {"name": entry.name}
                | _reference("subject", entry.patient, names)
                | _period(entry.period)
                | ({"participant": [_member(each, names) for each in entry.members]} if entry.members else {})
                | ({"managingOrganization": [managing["reference"]]} if managing else {})
            )


def _member(named: TeamMember, names: Names) -> _Json:
    role = {} if named.standing is None else {"role": [_standing(named.standing)]}
    return role | _reference("member", named.member, names) | _period(named.period)


def _standing(standing: Standing) -> _Json:
    return {"coding": [{"system": STANDING_SYSTEM, "code": standing.value}]}


def _reference(name: str, named: ParticipantId | None, names: Names) -> _Json:
    return {} if named is None else {name: {"reference": names[named]}}


def _period(period: Period) -> _Json:
    found = {}
    if period.start is not None:
        found["start"] = write_start(period.start)
    if period.end is not None:
        found["end"] = write_end(period.end)
    return {"period": found} if found else {}
