"""PURE: the OpenAPI description, made from the table that routes requests: it cannot describe what is not there.

Resources are described as far as that they are one; what stands in them, FHIR says.
"""

from collections.abc import Iterable
from typing import Any

from carethread.fhir.call import Options
from carethread.fhir.interactions import Interaction, Parameter, Support
from carethread.fhir.queries import MOST_COUNT, TOTALS
from carethread.fhir.shape import JSON, SUMMARIES
from carethread.fhir.table import TABLE

_ID = "^[A-Za-z0-9.-]{1,64}$"
# What any request may be answered, and what those with a body may be, beside what it is meant to.
_ANY = (400, 401, 403, 404, 405, 406, 414, 429, 431, 500, 503)
_WITH_BODY = (408, 409, 412, 413, 415, 422, 428)
_MEANINGS = {
    200: "Done.",
    201: "Made.",
    400: "The request is not in order.",
    401: "Nobody we know asks.",
    403: "Whoever asks may not.",
    404: "There is nothing there, or not for whoever asks.",
    405: "This method is not for this address.",
    406: "Nothing that is answered is accepted.",
    408: "The body did not arrive in time.",
    409: "It contradicts what is there.",
    412: "The version, or the condition, does not hold.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of another kind.",
    422: "A rule of the record does not allow it.",
    428: "The version that was changed is not named.",
    429: "Too much at once.",
    431: "The headers are too large.",
    500: "The server failed.",
    503: "It cannot be done now.",
}
_PATHS: dict[Interaction, tuple[str, str]] = {
    Interaction.SEARCH: ("get", "/{type}"),
    Interaction.CREATE: ("post", "/{type}"),
    Interaction.READ: ("get", "/{type}/{{id}}"),
    Interaction.UPDATE: ("put", "/{type}/{{id}}"),
    Interaction.VREAD: ("get", "/{type}/{{id}}/_history/{{version}}"),
    Interaction.HISTORY_INSTANCE: ("get", "/{type}/{{id}}/_history"),
    Interaction.HISTORY_TYPE: ("get", "/{type}/_history"),
}
_WRITES = frozenset({Interaction.CREATE, Interaction.UPDATE})


def openapi(options: Options) -> dict[str, Any]:
    """Return the description."""
    paths: dict[str, dict[str, Any]] = {
        "/metadata": {"get": _open("capabilities", "What this server can be asked.", "CapabilityStatement", _shape())},
        "/": {"post": _operation("batch", "A batch or a transaction.", _shape(), body="Bundle", answer="Bundle")},
    }
    for support in TABLE:
        for interaction in support.interactions:
            method, path = _PATHS[interaction]
            operation = _interaction(support, interaction)
            paths.setdefault(path.format(type=support.type), {})[method] = operation
        if Interaction.SEARCH in support.interactions:
            paths[f"/{support.type}/_search"] = {"post": _search_by_post(support)}
        if support.validates:
            paths[f"/{support.type}/$validate"] = {"post": _validate(support)}
    return {
        "openapi": "3.1.0",
        "info": {"title": options.name, "version": options.version, "description": "FHIR R4 (4.0.1)."},
        "servers": [{"url": options.base}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": {
                name: _schema(name)
                for name in ("Bundle", "CapabilityStatement", "OperationOutcome", *(each.type for each in TABLE))
            },
        },
    }


def _schema(type_name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"https://hl7.org/fhir/R4/{type_name.lower()}.html",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": type_name}},
    }


def _interaction(support: Support, interaction: Interaction) -> dict[str, Any]:
    name, _, _ = interaction.value.partition("-")
    told = f"{name} {support.type}"
    parameters = _shape()
    if "{{id}}" in _PATHS[interaction][1]:
        parameters.append(_path("id"))
    if interaction is Interaction.VREAD:
        parameters.append(_path("version"))
    if interaction is Interaction.SEARCH:
        parameters += _searched(support)
    if interaction in {Interaction.SEARCH, Interaction.HISTORY_TYPE}:
        parameters.append(_query("_cursor", "From a link of this server.", {"type": "string"}))
    if interaction is Interaction.HISTORY_TYPE:
        parameters.append(_query("_count", "How many at most.", _COUNT))
    if interaction in _WRITES:
        parameters += _of_write(support, interaction)
    is_set = interaction in {Interaction.SEARCH, Interaction.HISTORY_TYPE, Interaction.HISTORY_INSTANCE}
    operation = _operation(
        f"{interaction.value}-{support.type}",
        f"{told}. {support.meaning}",
        parameters,
        body=support.type if interaction in _WRITES else "",
        answer="Bundle" if is_set else support.type,
        makes=interaction in _WRITES,
    )
    if support.type == "Binary":
        anything: dict[str, Any] = {"*/*": {"schema": {}}}
        if interaction is Interaction.CREATE:
            operation["requestBody"]["content"] |= anything
        else:
            operation["responses"]["200"]["content"] |= anything
    return operation


def _of_write(support: Support, interaction: Interaction) -> list[dict[str, Any]]:
    found = [_header("Prefer", "`return=minimal`, `representation` or `OperationOutcome`; `handling=lenient`.")]
    if interaction is Interaction.CREATE and support.conditional_create:
        found.append(_header("If-None-Exist", "A search: nothing is made if it finds something."))
    if interaction is Interaction.UPDATE:
        found.append(_header("If-Match", "The version that was changed."))
    return found


def _search_by_post(support: Support) -> dict[str, Any]:
    operation = _operation(f"search-{support.type}", f"search {support.type}", _shape(), answer="Bundle")
    properties = {each["name"]: each["schema"] for each in _searched(support)}
    form = {"type": "object", "properties": properties, "additionalProperties": False}
    operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    operation["responses"] |= _responses(_WITH_BODY)
    return operation


def _validate(support: Support) -> dict[str, Any]:
    return _operation(
        f"validate-{support.type}",
        f"Say what is wrong with a {support.type}.",
        _shape(),
        body=support.type,
        answer="OperationOutcome",
    )


def _operation(
    name: str, told: str, parameters: Iterable[dict[str, Any]], *, answer: str, body: str = "", makes: bool = False
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": told,
        "parameters": list(parameters),
        "responses": {"200": _response(200, answer), **({"201": _response(201, answer)} if makes else {})},
    }
    operation["responses"] |= _responses(_ANY)
    if body:
        operation["requestBody"] = {"required": True, "content": _content(body)}
        operation["responses"] |= _responses(_WITH_BODY)
    return operation


def _open(name: str, told: str, answer: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {**_operation(name, told, parameters, answer=answer), "security": []}


def _responses(statuses: Iterable[int]) -> dict[str, Any]:
    return {str(each): _response(each, "OperationOutcome") for each in statuses}


def _response(status: int, type_name: str) -> dict[str, Any]:
    return {"description": _MEANINGS[status], "content": _content(type_name)}


def _content(type_name: str) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{type_name}"}}}


# ── Parameters ────────────────────────────────────────────────────────────────────────────────────────────────────────

_COUNT = {"type": "integer", "minimum": 0, "maximum": MOST_COUNT}
_BOOLEAN = {"type": "string", "enum": ["true", "false"]}


def _shape() -> list[dict[str, Any]]:
    return [
        _query("_pretty", "With line breaks.", _BOOLEAN),
        _query("_format", "Always JSON.", {"type": "string", "enum": ["json", JSON, "application/json"]}),
        _query("_summary", "Only a part.", {"type": "string", "enum": list(SUMMARIES)}),
    ]


def _searched(support: Support) -> list[dict[str, Any]]:
    found = [_parameter(each) for each in support.parameters]
    found += [_query(each.name, "By what refers to it.", {"type": "string"}) for each in support.reverse]
    found.append(_query("_count", "How many on a page at most.", _COUNT))
    found.append(_query("_total", "Whether they are counted.", {"type": "string", "enum": list(TOTALS)}))
    if support.sorts:
        found.append(_query("_sort", "In which order.", {"type": "string", "enum": list(support.sorts)}))
    if support.includes:
        values = [f"{support.type}:{each}" for each in support.includes]
        found.append(_query("_include", "What comes along.", {"type": "string", "enum": values}))
    if support.revincludes:
        values = [f"{kind}:{name}" for kind, name in support.revincludes]
        found.append(_query("_revinclude", "What refers to it.", {"type": "string", "enum": values}))
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return _query(parameter.name, parameter.meaning, {"type": "string"})


def _query(name: str, told: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": told, "schema": schema}


def _header(name: str, told: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": _ID}}
