"""PURE: a request as the gateway sees it, and what its headers ask for."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.shape import FORMATS, JSON

FORM = "application/x-www-form-urlencoded"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_VERSION = re.compile(r'(?:W/)?"(?P<version>[0-9]{1,9})"', re.ASCII)
_ACCEPTED = FORMATS | {"*/*", "application/*", "text/json"}
_RETURNS = ("minimal", "representation", "OperationOutcome")
_HANDLINGS = ("strict", "lenient")


class Asked(Struct, frozen=True, kw_only=True):
    """A request: its method, its path below the base, and what it carries."""

    method: str
    path: str
    query: bytes = b""
    headers: dict[str, str]
    body: bytes = b""
    request_id: str = ""

    def header(self, name: str) -> str:
        """Return a header by its name in lower case; empty if it is not there."""
        return self.headers.get(name, "")

    @property
    def media_type(self) -> str:
        """What the body is said to be, in lower case and without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


class Preferences(Struct, frozen=True):
    """What `Prefer` says: what a write answers with, and whether what is not known is passed over."""

    returns: str = "representation"
    lenient: bool = False


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names; what stands in several is put together as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def read_request_id(given: str) -> str | None:
    """Return the id a client gave its request, if it can stand in a log."""
    return given if _REQUEST_ID.fullmatch(given) else None


def read_path(raw: bytes) -> str | None:
    """Return a path as text; `None` if it is none that is ever served."""
    try:
        text = unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode("ascii")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and "\\" not in text else None


def read_preferences(prefer: str) -> Preferences:
    """Read `Prefer`; what is not known in it is passed over, as RFC 7240 wants.

    Raises:
        RefusedError: it says something of return or handling that cannot be.
    """
    if not prefer:
        return _USUAL
    said: dict[str, str] = {}
    for each in prefer.replace(";", ",").split(","):
        name, _, value = each.partition("=")
        said.setdefault(name.strip().lower(), value.strip().strip('"'))
    returns = said.get("return", "representation")
    handling = said.get("handling", "strict")
    if returns not in _RETURNS or handling not in _HANDLINGS:
        raise RefusedError(
            400,
            Issue(
                code="value",
                text=f"return is one of {', '.join(_RETURNS)}; handling is one of {', '.join(_HANDLINGS)}",
                expression=("Prefer",),
            ),
        )
    return Preferences(returns, handling == "lenient")


_USUAL = Preferences()


def read_if_match(text: str) -> int | None:
    """Return the version that `If-Match` names; `None` where there is no such header.

    Raises:
        RefusedError: it names none.
    """
    if not text:
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise RefusedError(
            400, Issue(code="value", text='names no version, such as W/"3"', expression=("If-Match",))
        )  # fmt: skip
    return int(found["version"])


def check_accepts(accept: str) -> None:
    """Whoever asks takes what is answered.

    Raises:
        RefusedError: they do not.
    """
    if not accept:
        return
    for each in accept.split(","):
        parts = [part.strip() for part in each.split(";")]
        if parts[0].lower() in _ACCEPTED and _is_ours(parts[1:]):
            return
    raise RefusedError(
        406, Issue(code="not-supported", text=f"answers are {JSON} alone, of R4", expression=("Accept",))
    )


def check_is_json(asked: Asked) -> None:
    """The body is a resource in JSON.

    Raises:
        RefusedError: it says it is something else.
    """
    parameters = asked.header("content-type").split(";")[1:]
    if asked.media_type not in FORMATS or not _is_ours(parameters):
        raise RefusedError(
            415,
            Issue(code="not-supported", text=f"a resource is {JSON}, of R4, in UTF-8", expression=("Content-Type",)),
            headers={"Accept": JSON},
        )


def _is_ours(parameters: Iterable[str]) -> bool:
    for each in parameters:
        name, _, value = each.strip().lower().partition("=")
        value = value.strip('"')
        if name == "q" and value.strip("0.") == "":
            return False
        if name == "fhirversion" and not value.startswith("4.0"):
            return False
        if name == "charset" and value not in {"utf-8", "utf8", "us-ascii"}:
            return False
    return True
