"""PURE: how an answer is shown: `_format`, `_pretty`, `_elements`, `_summary`."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from carethread.fhir.outcome import Issue, RefusedError

JSON = "application/fhir+json"
SHAPE = ("_format", "_pretty", "_elements", "_summary")
FORMATS = frozenset({"json", JSON, "application/json"})
SUMMARIES = ("true", "false", "text", "data", "count")
MOST_ELEMENTS = 50

_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
# Without these a resource of the type would not be one, or could not be told apart; they are always shown.
_ALWAYS = frozenset({"resourceType", "id", "meta"})
_MANDATORY: Mapping[str, frozenset[str]] = {
    "Communication": frozenset({"status"}),
    "CommunicationRequest": frozenset({"status"}),
    "RelatedPerson": frozenset({"patient"}),
    "AuditEvent": frozenset({"type", "recorded", "agent", "source"}),
    "Binary": frozenset({"contentType"}),
    "Subscription": frozenset({"status", "reason", "criteria", "channel"}),
}
# What R4 marks as summary, beside what is always shown.
_SUMMARY: Mapping[str, frozenset[str]] = {
    "Communication": frozenset(
        {
            "implicitRules", "identifier", "instantiatesCanonical", "instantiatesUri", "basedOn", "partOf", "status",
            "statusReason", "priority", "subject", "about", "sent", "received", "recipient", "sender", "reasonCode",
            "reasonReference",
        }
    ),
    "CommunicationRequest": frozenset(
        {
            "implicitRules", "identifier", "replaces", "groupIdentifier", "status", "priority", "doNotPerform",
            "requester", "occurrenceDateTime", "occurrencePeriod", "authoredOn", "sender", "recipient", "reasonCode",
            "reasonReference",
        }
    ),
    "Organization": frozenset({"implicitRules", "identifier", "active", "type", "name", "partOf"}),
    "Practitioner": frozenset(
        {"implicitRules", "identifier", "active", "name", "telecom", "address", "gender", "birthDate"}
    ),
    "PractitionerRole": frozenset(
        {
            "implicitRules", "identifier", "active", "period", "practitioner", "organization", "code", "specialty",
            "location", "telecom",
        }
    ),
    "RelatedPerson": frozenset(
        {
            "implicitRules", "identifier", "active", "patient", "relationship", "name", "telecom", "gender",
            "birthDate", "address",
        }
    ),
    "Patient": frozenset(
        {
            "implicitRules", "identifier", "active", "name", "telecom", "gender", "birthDate", "deceasedBoolean",
            "deceasedDateTime", "address", "managingOrganization", "link",
        }
    ),
    "CareTeam": frozenset(
        {
            "implicitRules", "identifier", "status", "category", "name", "subject", "encounter", "period",
            "managingOrganization",
        }
    ),
    "AuditEvent": frozenset(
        {"implicitRules", "type", "subtype", "action", "recorded", "outcome", "outcomeDesc", "purposeOfEvent"}
    ),
}  # fmt: skip


class Shape(Struct, frozen=True):
    """How resources are shown: with line breaks; with these elements alone; as which summary."""

    pretty: bool = False
    elements: frozenset[str] = frozenset()
    summary: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.elements and self.summary in {"", "false"}


def read_shape(said: Mapping[str, str]) -> Shape:
    """Read what was said about how to answer.

    Raises:
        RefusedError: it cannot be so.
    """
    wanted = said.get("_format", "json").partition(";")[0].strip()
    if wanted not in FORMATS:
        raise RefusedError(
            406, Issue(code="not-supported", text=f"answers are {JSON} alone", expression=("_format",))
        )  # fmt: skip
    pretty = said.get("_pretty", "false")
    if pretty not in {"true", "false"}:
        raise _bad("_pretty", "is true or false")
    elements = frozenset(each.strip() for each in said.get("_elements", "").split(",") if each.strip())
    if len(elements) > MOST_ELEMENTS or not all(each.isascii() and each.isalnum() for each in elements):
        raise _bad("_elements", f"is at most {MOST_ELEMENTS} names of elements, with commas between")
    summary = said.get("_summary", "")
    if summary and summary not in SUMMARIES:
        raise _bad("_summary", f"is one of {', '.join(SUMMARIES)}")
    if elements and summary not in {"", "false"}:
        raise _bad("_elements", "does not go with _summary: say one of them")
    return Shape(pretty == "true", elements, summary)


def _bad(name: str, text: str) -> RefusedError:
    return RefusedError(400, Issue(code="value", text=text, expression=(name,)))


def shaped(resource: bytes, shape: Shape) -> bytes:
    """Return a resource, encoded, as it is to be shown; marked as a part, if it is one."""
    if shape.is_whole:
        return resource
    whole: dict[str, Any] = msgspec.json.decode(resource)
    kept = _kept(whole["resourceType"], shape)
    part = {name: value for name, value in whole.items() if _stays(name, kept, shape)}
    meta = dict(part.get("meta", {}))
    meta["tag"] = [*meta.get("tag", ()), _SUBSETTED]
    return msgspec.json.encode({"resourceType": whole["resourceType"], **part, "meta": meta})


def _kept(type_name: str, shape: Shape) -> frozenset[str]:
    mandatory = _ALWAYS | _MANDATORY.get(type_name, frozenset())
    if shape.elements:
        return mandatory | shape.elements
    if shape.summary == "text":
        return mandatory | {"text"}
    return mandatory | _SUMMARY.get(type_name, frozenset())


def _stays(name: str, kept: frozenset[str], shape: Shape) -> bool:
    if shape.summary == "data":
        return name != "text"
    return name.removeprefix("_") in kept
