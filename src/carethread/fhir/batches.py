"""Bundles of requests: a batch, each for itself; a transaction, all of them or none.

https://hl7.org/fhir/R4/http.html#transaction
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.fhir.answers import Answer, of_refusal, of_value
from carethread.fhir.asked import Asked, Preferences, check_is_json
from carethread.fhir.call import Call
from carethread.fhir.outcome import Issue, RefusedError, refused
from carethread.fhir.queries import bad
from carethread.fhir.routing import Service, find_route
from carethread.fhir.shape import JSON, Shape
from carethread.writes import together

MOST_ENTRIES = 200
Do = Callable[[Call], Answer]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
# In this order a transaction is done, whatever order it came in; within it, what is referred to comes first.
_ORDER = {"POST": 0, "PUT": 1, "GET": 2, "HEAD": 2}
_ABOUT_RECORD = frozenset({"Communication", "CommunicationRequest"})


class _Request(Struct, forbid_unknown_fields=True, rename="camel"):
    method: str
    url: str
    if_match: str = ""
    if_none_exist: str = ""
    if_none_match: str = ""
    if_modified_since: str = ""


class _Entry(Struct, rename="camel"):
    request: _Request
    full_url: str = ""
    resource: Raw = Raw(b"")


class _Bundle(Struct, rename="camel"):
    resource_type: str
    type: str
    entry: tuple[_Entry, ...] = ()


def batch(call: Call, do: Do) -> Answer:
    """Do what a Bundle asks, each entry as `do` does a request of its own."""
    check_is_json(call.asked)
    bundle = _read(call.asked.body)
    if bundle.type == "batch":
        answers = [_alone(call, do, each, number) for number, each in enumerate(bundle.entry)]
    else:
        answers = together(call.service, call.caller, lambda inside: _whole(call, do, bundle, inside))
    return of_value(
        {
            "resourceType": "Bundle",
            "type": f"{bundle.type}-response",
            "entry": [_entry(call, each) for each in answers],
        },
        pretty=call.shape.pretty,
    )


def _read(data: bytes) -> _Bundle:
    try:
        bundle = msgspec.json.decode(data, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Its words name elements and types, and nothing that stands in the Bundle.
        raise bad("structure", f"is no Bundle of requests: {error}", "Bundle") from None
    if bundle.resource_type != "Bundle" or bundle.type not in {"batch", "transaction"}:
        raise bad("value", "is a Bundle of type batch or transaction", "Bundle.type")
    if len(bundle.entry) > MOST_ENTRIES:
        raise bad("too-costly", f"has more than {MOST_ENTRIES} entries", "Bundle.entry")
    urls = [each.full_url for each in bundle.entry if each.full_url]
    if len(set(urls)) < len(urls):
        raise bad("invariant", "bdl-7: fullUrl must be unique in a bundle", "Bundle.entry")
    return bundle


# ── One entry ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _call(call: Call, entry: _Entry, number: int, body: bytes) -> Call:
    request = entry.request
    place = f"Bundle.entry[{number}].request"
    if request.method not in _ORDER:
        raise bad("not-supported", "is GET, POST or PUT", f"{place}.method")
    if request.if_none_match or request.if_modified_since:
        raise bad("not-supported", "reads are not conditional", place)
    path, _, query = request.url.removeprefix(f"{call.base}/").removeprefix("/").partition("?")
    headers = {"content-type": JSON, "if-match": request.if_match, "if-none-exist": request.if_none_exist}
    route = find_route(request.method, path)
    if isinstance(route.what, Service) and route.what is not Service.VALIDATE:
        raise bad("not-supported", "is a request of its own", f"{place}.url")
    asked = Asked(
        method=request.method,
        path=path,
        query=query.encode(),
        headers=headers,
        body=body,
        request_id=call.asked.request_id,
    )
    preferences = Preferences("representation", call.preferences.lenient)
    return replace(call, asked=asked, route=route, preferences=preferences, shape=Shape())


def _alone(call: Call, do: Do, entry: _Entry, number: int) -> Answer:
    try:
        return do(_call(call, entry, number, bytes(entry.resource)))
    except CarethreadError as error:
        return of_refusal(refused(error, call.asked.request_id))


def _entry(call: Call, answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"status": str(answer.status)}
    headers = answer.headers
    if "Location" in headers:
        response["location"] = headers["Location"]
    if "ETag" in headers:
        response["etag"] = headers["ETag"]
    made: dict[str, Any] = {}
    if answer.body and answer.media_type.startswith(JSON):
        found = msgspec.json.decode(answer.body)
        if found["resourceType"] == "OperationOutcome":
            response["outcome"] = found
        elif call.preferences.returns == "representation" or not headers.get("Location"):
            made["resource"] = Raw(answer.body)
        updated = found.get("meta", {}).get("lastUpdated")
        if updated is not None:
            response["lastModified"] = updated
    return {**made, "response": response}


# ── All or nothing ────────────────────────────────────────────────────────────────────────────────────────────────────


def _whole(call: Call, do: Do, bundle: _Bundle, inside: CoordinationService) -> list[Answer]:
    done: dict[int, Answer] = {}
    known: dict[str, str] = {}
    patients: set[str] = set()
    within = call.within(inside)
    for number in _in_order(bundle.entry):
        entry = bundle.entry[number]
        try:
            answer = do(_call(within, entry, number, _with_references(bytes(entry.resource), known)))
        except CarethreadError as error:
            raise _at(refused(error, call.asked.request_id), number) from error
        done[number] = answer
        address = _address(answer)
        if entry.full_url and address:
            known[entry.full_url] = address
        patients |= _patient(answer)
        if len(patients) > 1:
            raise _at(RefusedError(422, _SEVERAL), number)
    return [done[number] for number in range(len(bundle.entry))]


_SEVERAL = Issue(
    code="business-rule",
    text="a transaction is about one patient's record at most",
    instead="Send one for each patient.",
)


def _in_order(entries: tuple[_Entry, ...]) -> list[int]:
    """Return the order in which entries are done: what others refer to before these.

    Raises:
        RefusedError: they refer to each other in a circle.
    """
    made = {each.full_url: number for number, each in enumerate(entries) if each.full_url}
    needs = {
        number: {made[each] for each in _references(bytes(entry.resource)) if each in made and made[each] != number}
        for number, entry in enumerate(entries)
    }
    ordered: list[int] = []
    left = sorted(needs, key=lambda number: (_ORDER.get(entries[number].request.method, 0), number))
    while left:
        ready = next((number for number in left if needs[number] <= set(ordered)), None)
        if ready is None:
            raise bad("invalid", "entries refer to each other in a circle", f"Bundle.entry[{left[0]}]")
        ordered.append(ready)
        left.remove(ready)
    return ordered


def _references(data: bytes) -> set[str]:
    found: set[str] = set()

    def note(text: str) -> str:
        found.add(text)
        return text

    _renamed(data, note)
    return found


def _with_references(data: bytes, known: Mapping[str, str]) -> bytes:
    """Return a resource in which what the Bundle made is called as it is called now."""
    return _renamed(data, lambda text: known.get(text, text)) if known else data


def _renamed(data: bytes, rename: Callable[[str], str]) -> bytes:
    """Return a resource with other references.

    What is no resource stays as it is, bytes and all, so that whoever reads it as one refuses it: a name that stands
    twice would otherwise be there once.
    """
    if b'"reference"' not in data:
        return data
    try:
        value = json.loads(data, object_pairs_hook=_each_once, parse_float=Decimal, parse_constant=_no_number)
        return _ENCODER.encode(_walk(value, rename))
    except (ValueError, RecursionError):
        return data


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_number(_: str) -> None:
    raise ValueError("JSON has no such number")


def _walk(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            name: rename(each) if name == "reference" and isinstance(each, str) else _walk(each, rename)
            for name, each in value.items()
        }
    return [_walk(each, rename) for each in value] if isinstance(value, list) else value


def _address(answer: Answer) -> str:
    """Return the `Type/id` of what an entry made or found."""
    if not answer.body:
        return ""
    found = msgspec.json.decode(answer.body)
    return f"{found['resourceType']}/{found['id']}" if "id" in found else ""


def _patient(answer: Answer) -> set[str]:
    found = msgspec.json.decode(answer.body) if answer.body and "ETag" in answer.headers else {}
    if found.get("resourceType") not in _ABOUT_RECORD:
        return set()
    return {found["subject"]["reference"]}


def _at(error: RefusedError, number: int) -> RefusedError:
    """Return a refusal that says in which entry it is; only what is said of resources names elements of them."""
    place = f"Bundle.entry[{number}]"
    issues = tuple(
        msgspec.structs.replace(
            each,
            expression=tuple(
                one
                if one.startswith("Bundle.")
                else f"{place}.resource.{one.partition('.')[2]}"
                if "." in one
                else place
                for one in each.expression
            )
            or (place,),
        )
        for each in error.issues
    )
    return RefusedError(error.status, *issues, headers=error.headers)
