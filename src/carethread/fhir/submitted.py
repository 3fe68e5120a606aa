"""A Bundle of type batch or transaction as it was submitted: its entries, each a request of its own."""

from dataclasses import replace

import msgspec
from msgspec import Raw, Struct

from carethread.fhir.asked import Asked, check_is_json, read_path
from carethread.fhir.call import Call
from carethread.fhir.errors import InvalidResourceError
from carethread.fhir.errors import Issue as Fault
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import bad, shape_of
from carethread.fhir.routing import Service, find_route
from carethread.fhir.shape import JSON
from carethread.fhir.types import Bundle
from carethread.fhir.types.bundle import BundleEntryRequest
from carethread.fhir.validation import beyond_limits, parse

BATCH = "batch"
TRANSACTION = "transaction"
MOST_ENTRIES = 200
_BUNDLE = frozenset({"Bundle"})
_WITH_RESOURCE = frozenset({"POST", "PUT"})
_NESTED = frozenset({Service.BATCH, Service.SMART})

_members: msgspec.json.Decoder[dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw])
_entries: msgspec.json.Decoder[list[dict[str, Raw]]] = msgspec.json.Decoder(list[dict[str, Raw]])


class Request(Struct, frozen=True, kw_only=True):
    """One entry. `number` counts from 0, as FHIRPath does; `body` is empty where it has no resource."""

    number: int
    method: str
    url: str
    full_url: str = ""
    body: bytes = b""
    if_none_exist: str = ""
    if_match: str = ""
    is_conditional_read: bool = False

    @property
    def expression(self) -> str:
        """Where it stands."""
        return f"Bundle.entry[{self.number}]"


class Submitted(Struct, frozen=True):
    """All entries of a Bundle; `type` is BATCH or TRANSACTION."""

    type: str
    requests: tuple[Request, ...]


def read_submitted(call: Call) -> Submitted:
    """Return what a request's body holds.

    Of a batch, the resources are not looked at: each answers for itself. Those of a transaction are valid.

    Raises:
        InvalidResourceError: it is no Bundle, or a transaction with a resource that is not valid R4.
        RefusedError: it is of another type, or has too many entries.
    """
    check_is_json(call.asked)
    data = call.asked.body
    members, entries = _taken_apart(data)
    if len(entries) > MOST_ENTRIES:
        raise RefusedError(
            413,
            Issue(
                code="too-costly",
                text=f"a Bundle has at most {MOST_ENTRIES} entries here",
                expression=("Bundle.entry",),
                instead="Send several.",
            ),
        )
    bundle = _envelope(data, members, entries)
    if bundle.type not in {BATCH, TRANSACTION}:
        raise bad("value", "is none of batch, transaction", "Bundle.type")
    bodies = [bytes(each.get("resource", b"")) for each in entries]
    return Submitted(
        bundle.type,
        tuple(
            _request(number, each.full_url, each.request, body)
            for number, (each, body) in enumerate(zip(bundle.entry, bodies, strict=True))
            if each.request is not None  # R4 wants it: what has none was refused
        ),
    )


def _taken_apart(data: bytes) -> tuple[dict[str, Raw], list[dict[str, Raw]]]:
    """Return the members of a Bundle, and of each of its entries; whatever is no Bundle is told by whoever parses."""
    refused = beyond_limits(data)
    if refused:
        raise InvalidResourceError(refused)
    try:
        members = _members.decode(data)
        entries = _entries.decode(members["entry"]) if "entry" in members else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parse(data, types=_BUNDLE)
        raise InvalidResourceError((Fault("structure", "Bundle", "is not valid R4"),)) from None
    return members, entries


def _envelope(data: bytes, members: dict[str, Raw], entries: list[dict[str, Raw]]) -> Bundle:
    if members.get("type") == Raw(b'"transaction"'):
        bundle = parse(data, types=_BUNDLE)
    else:
        # A name that stands twice is dropped as it is taken apart, and its colon with it.
        if entries and msgspec.json.encode({**members, "entry": entries}).count(b":") != data.count(b":"):
            parse(data, types=_BUNDLE)
            raise InvalidResourceError((Fault("structure", "Bundle", "has an element of the same name twice"),))
        alone = [{name: value for name, value in each.items() if name != "resource"} for each in entries]
        bundle = parse(msgspec.json.encode({**members, "entry": alone} if alone else members), types=_BUNDLE)
    assert isinstance(bundle, Bundle)  # noqa: S101 - the only type that was asked for
    return bundle


def _request(number: int, full_url: str | None, request: BundleEntryRequest, body: bytes) -> Request:
    return Request(
        number=number,
        method=request.method,
        url=request.url,
        full_url=full_url or "",
        body=body,
        if_none_exist=request.if_none_exist or "",
        if_match=request.if_match or "",
        is_conditional_read=request.if_none_match is not None or request.if_modified_since is not None,
    )


def call_of(call: Call, request: Request) -> Call:
    """Return an entry as a request of whoever sent the Bundle.

    Raises:
        RefusedError: it asks for what there is not, or lacks its resource.
    """
    if request.is_conditional_read:
        raise bad("not-supported", "reads are not conditional", f"{request.expression}.request")
    url = request.url.removeprefix(f"{call.base}/")
    if "://" in url.partition("?")[0]:
        raise bad("value", "is not an address of this server", f"{request.expression}.request.url")
    address, _, query = url.removeprefix("/").partition("?")
    path = read_path(address.encode())
    if path is None:
        raise RefusedError(404, Issue(code="not-found", text="there is nothing at this address"))
    route = find_route(request.method, path)
    if route.what in _NESTED:
        raise bad("not-supported", "stands in no Bundle", f"{request.expression}.request.url")
    needs = request.method in _WITH_RESOURCE
    if needs is not bool(request.body):
        text = "must be given" if needs else "goes with POST and PUT alone"
        raise bad("required" if needs else "structure", text, f"{request.expression}.resource")
    headers = {"accept": JSON, "content-type": JSON}
    if request.if_none_exist:
        # As a header would bring it: bytes of UTF-8, each as a character.
        headers["if-none-exist"] = request.if_none_exist.encode().decode("latin-1")
    if request.if_match:
        headers["if-match"] = request.if_match
    asked = Asked(
        method=request.method,
        path=path,
        query=query.encode(),
        headers=headers,
        body=request.body,
        request_id=call.asked.request_id,
    )
    # What is answered is needed in any case; what of it is shown, is decided where all of it is put together.
    preferences = msgspec.structs.replace(call.preferences, returns="representation")
    return replace(call, asked=asked, route=route, preferences=preferences, shape=shape_of(asked.query))
