"""`$validate`: what is wrong with a resource, were it sent.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

import msgspec
from msgspec import Raw, Struct

from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import check_is_json
from carethread.fhir.bounds import bound_to
from carethread.fhir.call import Call
from carethread.fhir.errors import InvalidResourceError
from carethread.fhir.mapping.communication import read_communication
from carethread.fhir.mapping.drafts import ResourceRefusedError
from carethread.fhir.mapping.request import read_request
from carethread.fhir.mapping.subscription import read_subscription
from carethread.fhir.outcome import Issue, RefusedError, outcome, refused
from carethread.fhir.queries import bad, read_pairs
from carethread.fhir.shape import SHAPE
from carethread.fhir.subscriptions import checked
from carethread.fhir.table import BY_TYPE, TABLE
from carethread.fhir.types import Communication, CommunicationRequest, Subscription
from carethread.fhir.validation import parse

_VALID = Issue(severity="information", code="informational", text="nothing is wrong with it")


class _Head(Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's name
    parameter: list["_Parameter"] = []


class _Parameter(Struct):
    name: str = ""
    resource: Raw = Raw(b"")
    valueCode: str = ""  # noqa: N815 - FHIR's name


def validate(call: Call) -> Answer:
    """Answer what is wrong with a resource, as an OperationOutcome; with 200 also if something is."""
    check_is_json(call.asked)
    data = _resource(call)
    kind = _kind(call, data)
    bound_to(call, "validate", kind)
    return of_value(outcome(_issues(call, data, kind) or [_VALID]), pretty=call.shape.pretty)


def _issues(call: Call, data: bytes, kind: str) -> list[Issue]:
    try:
        resource = parse(data, types=frozenset({kind}))
        if isinstance(resource, Communication):
            read_communication(resource, base=call.base)
        elif isinstance(resource, CommunicationRequest):
            read_request(resource, base=call.base, draft_opens=call.options.accepts_drafts)
        elif isinstance(resource, Subscription):
            checked(read_subscription(resource), call.base, call.options.reach)
    except (InvalidResourceError, ResourceRefusedError, RefusedError) as error:
        return list(refused(error, call.asked.request_id).issues)
    return []


def _kind(call: Call, data: bytes) -> str:
    if call.route.support is not None:
        return call.route.support.type
    found = _head(data).resourceType
    if found not in BY_TYPE or not BY_TYPE[found].validates:
        known = ", ".join(each.type for each in TABLE if each.validates)
        raise bad("not-supported", f"what is validated here is one of {known}", "Resource.resourceType")
    return found


def _resource(call: Call) -> bytes:
    """Return the resource that is meant: the body, or what stands in its Parameters."""
    mode = ""
    for name, value in read_pairs(call.asked.query):
        if name == "mode":
            mode = value
        elif name not in SHAPE:
            raise bad("not-supported", "is not known to $validate here", name)
    head = _head(call.asked.body)
    data = call.asked.body
    if head.resourceType == "Parameters":
        data = b""
        for each in head.parameter:
            if each.name == "resource":
                data = bytes(each.resource)
            elif each.name == "mode":
                mode = each.valueCode
            else:
                raise bad("not-supported", "is not known to $validate here", "Parameters.parameter.name")
        if not data:
            raise bad("required", "holds no resource", "Parameters.parameter")
    if mode not in {"", "create", "update"}:
        raise bad("not-supported", "is create or update", "mode")
    return data


def _head(data: bytes) -> _Head:
    try:
        return msgspec.json.decode(data, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad("structure", "is no resource in JSON", "Resource") from None
