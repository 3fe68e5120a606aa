"""Resources and bundles, as short as they can be."""

from typing import Any

import msgspec

Json = dict[str, Any]
OWN = "urn:carethread:standing"
HL7 = "http://terminology.hl7.org/CodeSystem/practitioner-role"
CLINICAL = "urn:carethread:clinical-id"
REGISTER = "https://example.org/fhir/register"


def bundle(*resources: Json, **more: Any) -> bytes:
    """Return a Bundle of resources; a resource with a `fullUrl` is an entry already."""
    entries = [each if "resource" in each else {"resource": each} for each in resources]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "collection", "entry": entries} | more)


def resource(kind: str, fhir_id: str | None, **more: Any) -> Json:
    """Return a resource; without an id if that is None, and without what is None."""
    found = {"resourceType": kind, "id": fhir_id} | more
    return {name: value for name, value in found.items() if value is not None}


def organization(fhir_id: str | None = "clinic", **more: Any) -> Json:
    return resource("Organization", fhir_id, **{"name": "Clinic"} | more)


def practitioner(fhir_id: str | None = "ann", name: str = "Ann Lee", **more: Any) -> Json:
    return resource("Practitioner", fhir_id, **{"name": [{"text": name}]} | more)


def role(fhir_id: str | None = "ann-role", who: str = "ann", where: str = "clinic", **more: Any) -> Json:
    named = {"practitioner": reference(f"Practitioner/{who}"), "organization": reference(f"Organization/{where}")}
    return resource("PractitionerRole", fhir_id, **named | {"code": [code(OWN, "clinician")]} | more)


def patient(fhir_id: str | None = "john", name: str = "John Doe", **more: Any) -> Json:
    return resource("Patient", fhir_id, **{"name": [{"text": name}]} | more)


def related(fhir_id: str | None = "mary", of: str = "john", **more: Any) -> Json:
    named = {"patient": reference(f"Patient/{of}"), "name": [{"text": "Mary Doe"}]}
    return resource("RelatedPerson", fhir_id, **named | more)


def team(fhir_id: str | None = "team", *named: str, **more: Any) -> Json:
    participant = [{"member": reference(each)} for each in named]
    return resource("CareTeam", fhir_id, **{"name": "Team", "status": "active", "participant": participant} | more)


def reference(text: str) -> Json:
    return {"reference": text}


def code(system: str, value: str) -> Json:
    return {"coding": [{"system": system, "code": value}]}


def identifier(value: str, system: str = REGISTER) -> Json:
    return {"system": system, "value": value}
