"""Bundles: what was found, what came with it, and where it goes on."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from carethread.clock import Instant, format_instant
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.call import Call
from carethread.fhir.outcome import Issue, outcome
from carethread.fhir.paging import link
from carethread.fhir.queries import Pairs, Query
from carethread.fhir.shape import Shape, shaped

_ENCODER = msgspec.json.Encoder()


class Shown(Struct, frozen=True):
    """A resource of a Bundle: its address below the base, its JSON, and of a history its version and time."""

    address: str
    resource: bytes
    version: int = 0
    updated: Instant | None = None


class Found(Struct, frozen=True, kw_only=True):
    """What a search comes to: `after` is the place where it goes on, empty at the end."""

    matches: Iterable[Shown]
    included: Iterable[Shown] = ()
    total: int | None = None
    after: str = ""


def searchset(call: Call, query: Query, found: Found) -> Answer:
    """Return what a search found, as a Bundle."""
    path = call.support.type
    entries: list[Raw | dict[str, Any]] = [
        *_searched(call, query.shape, found.matches, b"match"),
        *_searched(call, query.shape, found.included, b"include"),
    ]
    if query.unheard:
        said = Issue(
            severity="warning",
            code="not-supported",
            text="these parameters are not known here and were passed over",
            expression=query.unheard,
        )
        entries.append({"resource": outcome([said]), "search": {"mode": "outcome"}})
    links = [{"relation": "self", "url": link(call.base, path, query.pairs)}]
    if found.after:
        cursor = call.signer.sign(path, query.pairs, found.after)
        links.append({"relation": "next", "url": link(call.base, path, query.pairs, cursor)})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if found.total is not None:
        bundle["total"] = found.total
    bundle["link"] = links
    if entries:
        bundle["entry"] = entries
    return of_value(bundle, pretty=query.shape.pretty)


def _searched(call: Call, shape: Shape, shown: Iterable[Shown], mode: bytes) -> Iterable[Raw]:
    base, whole = call.base, shape.is_whole
    for each in shown:
        resource = each.resource if whole else shaped(each.resource, shape)
        yield Raw(
            b"".join(
                (
                    b'{"fullUrl":',
                    _ENCODER.encode(f"{base}/{each.address}"),
                    b',"resource":',
                    resource,
                    b',"search":{"mode":"',
                    mode,
                    b'"}}',
                )
            )
        )


def history(
    call: Call, versions: Iterable[Shown], *, pairs: Pairs = (), after: str = "", total: int | None = None
) -> Answer:
    """Return versions as a Bundle, in the order given; `after` is a cursor that can be kept."""
    path = call.asked.path
    links = [{"relation": "self", "url": link(call.base, path, pairs)}]
    if after:
        links.append({"relation": "next", "url": link(call.base, path, pairs, call.signer.sign(path, pairs, after))})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "history"}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = links
    entries = [_version(call, each) for each in versions]
    if entries:
        bundle["entry"] = entries
    return of_value(bundle, pretty=call.shape.pretty)


def _version(call: Call, shown: Shown) -> dict[str, Any]:
    first = shown.version == 1
    response: dict[str, Any] = {"status": "201" if first else "200", "etag": f'W/"{shown.version}"'}
    if shown.updated is not None:
        response["lastModified"] = format_instant(shown.updated)
    return {
        "fullUrl": f"{call.base}/{shown.address}",
        "resource": Raw(shaped(shown.resource, call.shape)),
        "request": {
            "method": "POST" if first else "PUT",
            "url": shown.address.partition("/")[0] if first else shown.address,
        },
        "response": response,
    }
