"""PURE: the CapabilityStatement, made from the table that routes requests: it cannot claim what is not there."""

from collections.abc import Iterable
from typing import Any

from carethread.fhir.call import Options
from carethread.fhir.interactions import Parameter, Support
from carethread.fhir.mapping.terms import CANONICAL
from carethread.fhir.table import TABLE
from carethread.fhir.types.search_parameters import OFFICIAL_PARAMETERS

_OFFICIAL = {(each.base, each.name): each.url for each in OFFICIAL_PARAMETERS}
_SMART = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(options: Options) -> dict[str, Any]:
    """Return what this server can be asked, as a resource."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "carethread",
        "url": f"{options.base}/metadata",
        "version": options.version,
        "name": "Carethread",
        "title": "Clinical conversations kept as a record",
        "status": "active",
        "experimental": False,
        "date": options.software_date,
        "kind": "instance",
        "software": {"name": "Carethread", "version": options.version},
        "implementation": {"description": options.name, "url": options.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "A thread is a CommunicationRequest, a message a Communication.",
                "security": {
                    "cors": False,
                    "service": [{"coding": [{"system": _SMART, "code": "SMART-on-FHIR"}]}],
                    "description": "OAuth 2.0 bearer tokens with SMART scopes.",
                },
                "resource": [_resource(each) for each in TABLE],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [_VALIDATE],
            }
        ],
    }


_VALIDATE = {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}


def _resource(support: Support) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": support.type,
        "documentation": support.meaning,
        "interaction": [{"code": each.value} for each in support.interactions],
        "versioning": "versioned-update"
        if _is_updated(support)
        else "versioned"
        if _has_versions(support)
        else "no-version",
        "readHistory": _has_versions(support),
        "updateCreate": support.update_creates,
        "conditionalCreate": support.conditional_create,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
    }
    if support.profiles:
        said["supportedProfile"] = list(support.profiles)
    if support.includes:
        said["searchInclude"] = [f"{support.type}:{each}" for each in support.includes]
    if support.revincludes:
        said["searchRevInclude"] = [f"{type_name}:{name}" for type_name, name in support.revincludes]
    parameters = list(_parameters(support))
    if parameters:
        said["searchParam"] = parameters
    if support.validates:
        said["operation"] = [_VALIDATE]
    return said


def _has_versions(support: Support) -> bool:
    return "vread" in support.interactions


def _is_updated(support: Support) -> bool:
    return "update" in support.interactions and support.type != "Communication"


def _parameters(support: Support) -> Iterable[dict[str, Any]]:
    for each in support.parameters:
        yield {
            "name": each.name,
            "definition": definition(support.type, each),
            "type": each.kind.value,
            "documentation": each.meaning,
        }


def definition(type_name: str, parameter: Parameter) -> str:
    """Return the canonical address of a search parameter: R4's, or ours."""
    if parameter.own:
        return f"{CANONICAL}/SearchParameter/{type_name}-{parameter.name}"
    found = _OFFICIAL.get((type_name, parameter.name)) or _OFFICIAL.get(("Resource", parameter.name))
    if found is None:  # pragma: no cover - the tests look each up
        raise LookupError(f"{type_name} has no {parameter.name} in R4")
    return found
