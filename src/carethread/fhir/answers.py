"""Answers: bytes, headers, and what both become for whoever asked: line breaks, compression."""

import zlib
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import msgspec
from msgspec import Struct

from carethread.clock import Instant
from carethread.fhir.outcome import RefusedError, outcome
from carethread.fhir.shape import JSON, Shape, shaped

# Below it, packing costs more than it saves.
SMALLEST_PACKED = 1400
_GZIP = 16 + zlib.MAX_WBITS
# Fast, and already a fifth of the size.
_LEVEL = 1
_ENCODER = msgspec.json.Encoder()

# Nobody may keep an answer, guess what it is or show it as a page.
_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
)


class Answer(Struct, frozen=True, kw_only=True):
    """What is answered. An empty `body` has no media type."""

    status: int = 200
    body: bytes = b""
    media_type: str = f"{JSON}; charset=utf-8"
    headers: Mapping[str, str] = {}
    pretty: bool = False


def of_resource(
    resource: bytes,
    *,
    status: int = 200,
    shape: Shape | None = None,
    version: str = "",
    updated: Instant | None = None,
    location: str = "",
) -> Answer:
    """Return a resource, with the headers that name its version and when it became so."""
    headers = {}
    if version:
        headers["ETag"] = f'W/"{version}"'
    if updated is not None:
        headers["Last-Modified"] = formatdate(updated // 1000, usegmt=True)
    if location:
        headers["Location"] = location
    if shape is None:
        return Answer(status=status, body=resource, headers=headers)
    return Answer(status=status, body=shaped(resource, shape), headers=headers, pretty=shape.pretty)


def of_value(value: Any, *, status: int = 200, pretty: bool = False) -> Answer:
    """Return a resource that is made of plain values."""
    return Answer(status=status, body=_ENCODER.encode(value), pretty=pretty)


def of_refusal(error: RefusedError) -> Answer:
    """Return a refusal as an OperationOutcome."""
    return Answer(status=error.status, body=_ENCODER.encode(outcome(error.issues)), headers=error.headers)


def finished(answer: Answer, accept_encoding: str, request_id: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return an answer's headers and body as they are sent."""
    headers = [*_ALWAYS, (b"x-request-id", request_id.encode())]
    body = answer.body
    if answer.pretty and body:
        body = msgspec.json.format(body, indent=2)
    if body:
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
    if len(body) >= SMALLEST_PACKED and answer.media_type.startswith(JSON):
        headers.append((b"vary", b"Accept-Encoding"))
        if _takes_gzip(accept_encoding):
            packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
            body = packer.compress(body) + packer.flush()
            headers.append((b"content-encoding", b"gzip"))
    headers.extend((name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items())
    headers.append((b"content-length", str(len(body)).encode()))
    return headers, body


def _takes_gzip(accepted: str) -> bool:
    for each in accepted.split(","):
        name, _, quality = each.strip().partition(";")
        if name.strip().lower() in {"gzip", "*"}:
            return quality.replace(" ", "").removeprefix("q=").strip("0.") != "" or not quality
    return False
