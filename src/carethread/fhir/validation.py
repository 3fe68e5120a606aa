"""From JSON to a valid resource of FHIR R4, and back.

msgspec decodes and checks types, codes, formats and the rules of each value. What it does not see (a name twice, null
and empty values, a decimal as text, an escaped control character) shows when its result is encoded again, or in a few
bytes; then, and when it refuses, `carethread.fhir.reading` looks at every element and says what is wrong.
"""

import re
import threading
from functools import lru_cache
from typing import Any, Final

import msgspec

from carethread.fhir import types
from carethread.fhir.errors import InvalidResourceError, Issue
from carethread.fhir.reading import faults_of
from carethread.fhir.types import AnyResource

# Twenty attachments together are at most 25 MiB, a third more in base64.
MAX_BYTES = 40 * 1024 * 1024
MAX_NESTING = 64
# Of names and their values; bounds what telling the faults may cost.
MAX_ELEMENTS = 200_000

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
# How ASCII may be written so that our bytes do not show it: quotes, colons, control characters.
_ESCAPED = re.compile(rb"\\(?:[bf]|u00[0-7])")
# An object without anything, or with nothing but an id; contained resources.
_DOUBTFUL = (b"{}", b'{"id":', b'"contained":')


def parse(data: bytes, *, types: frozenset[str]) -> AnyResource:
    """Read a resource of one of these types from JSON in UTF-8.

    Raises:
        InvalidResourceError: it is none, or not valid R4, or larger or nested more deeply than is read.
    """
    refused = beyond_limits(data)
    if refused:
        raise InvalidResourceError(refused)
    try:
        resource = _decoder(types).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidResourceError(_told(data, types)) from None
    if _is_doubtful(data, _ENCODER.encode(resource)):
        told = faults_of(data, types)
        if told:
            raise InvalidResourceError(told)
    return resource


def issues(data: bytes, *, types: frozenset[str]) -> tuple[Issue, ...]:
    """Return what is wrong with JSON that should be a resource of one of these types; nothing if it is valid."""
    try:
        parse(data, types=types)
    except InvalidResourceError as error:
        return error.issues
    return ()


def check(resource: AnyResource) -> None:
    """Check a resource that was made here, as if it had come from outside.

    Raises:
        InvalidResourceError: it is not valid R4.
    """
    parse(encode(resource), types=frozenset((type(resource).__name__,)))


def encode(resource: AnyResource) -> bytes:
    """Write a resource as JSON in UTF-8, without whitespace; numbers with the digits they came with."""
    return _ENCODER.encode(resource)


def _decoder(spoken: frozenset[str]) -> "msgspec.json.Decoder[AnyResource]":
    # msgspec makes what it knows of a type while others may use it already, half of it: the process would crash.
    with _one_at_a_time:
        return _made(spoken)


_one_at_a_time = threading.Lock()


@lru_cache(maxsize=64)
def _made(spoken: frozenset[str]) -> "msgspec.json.Decoder[AnyResource]":
    union: Any = None
    for name in sorted(spoken):
        kind = getattr(types, name)
        union = kind if union is None else union | kind
    return msgspec.json.Decoder(union)


def _told(data: bytes, spoken: frozenset[str]) -> tuple[Issue, ...]:
    """Return the faults of what msgspec refused; should the reader see none, it stays refused."""
    return faults_of(data, spoken) or (Issue("invalid", "Resource", "is not valid R4"),)


def _is_doubtful(data: bytes, encoded: bytes) -> bool:
    # A colon for each name and a quote for each end of a text: fewer come out if something was dropped or taken twice.
    return (
        data.count(b":") != encoded.count(b":")
        or data.count(b'"') != encoded.count(b'"')
        or any(each in encoded for each in _DOUBTFUL)
        # Asked first whether there is one at all, which is cheaper.
        or (b"#" in encoded and b'"reference":"#' in encoded)
        or (b"\\" in data and _ESCAPED.search(data) is not None)
    )


def beyond_limits(data: bytes) -> tuple[Issue, ...]:
    """Return why JSON is too much to be read; nothing if it is not."""
    if len(data) > MAX_BYTES:
        return (Issue("too-long", "Resource", f"is larger than {MAX_BYTES} bytes"),)
    if len(data) > MAX_ELEMENTS and data.count(b":") > MAX_ELEMENTS:
        return (Issue("too-costly", "Resource", f"has more than {MAX_ELEMENTS} elements"),)
    if data.count(b"{") + data.count(b"[") > MAX_NESTING and _is_deeper(data, MAX_NESTING):
        return (Issue("too-costly", "Resource", f"is nested more than {MAX_NESTING} deep"),)
    return ()


_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")


def _is_deeper(data: bytes, levels: int) -> bool:
    """Tell whether brackets stand in more brackets than that; each round takes the innermost away."""
    brackets = _TEXT.sub(b"", data).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(levels):
        brackets = brackets.replace(b"{}", b"")
    # What is never closed is no JSON, but counts: no decoder should have to go down there to find out.
    return brackets.count(b"{") > levels or b"{}" in brackets
