"""PURE: from a method and a path to an interaction of the table."""

import re
from enum import StrEnum

from msgspec import Struct

from carethread.fhir.interactions import Interaction, Support
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.table import BY_TYPE

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


class Service(StrEnum):
    """What is asked of the whole, and not of one type."""

    METADATA = "capabilities"
    SMART = "smart-configuration"
    BATCH = "batch"
    VALIDATE = "validate"


class Route(Struct, frozen=True):
    """What a request asks for. Of `$validate`, `support` may be missing."""

    what: Interaction | Service
    support: Support | None = None
    id: str = ""
    version: str = ""


_PLAIN = {
    ("GET", "metadata"): Route(Service.METADATA),
    ("GET", ".well-known/smart-configuration"): Route(Service.SMART),
    ("POST", ""): Route(Service.BATCH),
    ("POST", "$validate"): Route(Service.VALIDATE),
}
_PLAIN_METHODS = {
    path: tuple(method for method, each in _PLAIN if each == path) for path in {path for _, path in _PLAIN}
}  # fmt: skip
# After the type, with an id where `{}` is. What a method does there.
_SHAPES: dict[str, dict[str, Interaction | Service]] = {
    "": {"GET": Interaction.SEARCH, "POST": Interaction.CREATE},
    "_search": {"POST": Interaction.SEARCH},
    "_history": {"GET": Interaction.HISTORY_TYPE},
    "$validate": {"POST": Service.VALIDATE},
    "{}": {"GET": Interaction.READ, "PUT": Interaction.UPDATE},
    "{}/_history": {"GET": Interaction.HISTORY_INSTANCE},
    "{}/$validate": {"POST": Service.VALIDATE},
    "{}/_history/{}": {"GET": Interaction.VREAD},
}


def find_route(method: str, path: str) -> Route:
    """Return what a request asks for.

    Args:
        method: `HEAD` is like `GET`.
        path: below the base, without a slash at its beginning.

    Raises:
        RefusedError: 404 or 405.
    """
    method = "GET" if method == "HEAD" else method
    path = path.removesuffix("/")
    found = _PLAIN.get((method, path))
    if found is not None:
        return found
    if path in _PLAIN_METHODS:
        raise not_allowed(_PLAIN_METHODS[path])
    type_name, _, rest = path.partition("/")
    support = BY_TYPE.get(type_name)
    if support is None:
        raise _nothing_there(
            "not-supported", "there are no resources of this type", "GET metadata says which there are."
        )  # fmt: skip
    shape, identifier, version = _shape(rest)
    offered = _SHAPES.get(shape)
    if offered is None:
        raise _nothing_there("not-found", "there is nothing at this address")
    methods = {name: what for name, what in offered.items() if _has(support, what)}
    if method not in methods:
        raise not_allowed(tuple(methods), support)
    return Route(methods[method], support, identifier, version)


def _shape(rest: str) -> tuple[str, str, str]:
    parts = rest.split("/") if rest else []
    ids = ["{}" if _ID.fullmatch(each) else each for each in parts]
    return (
        "/".join(ids),
        parts[0] if ids[:1] == ["{}"] else "",
        parts[2] if ids[2:3] == ["{}"] else "",
    )


def _has(support: Support, what: Interaction | Service) -> bool:
    return support.validates if isinstance(what, Service) else what in support.interactions


def _nothing_there(code: str, text: str, instead: str = "") -> RefusedError:
    return RefusedError(404, Issue(code=code, text=text, instead=instead))


_INSTEAD = {
    "Communication": "Messages are never changed or taken away: write a Communication with the extension corrects.",
    "CommunicationRequest": "A thread is ended by its status, and stays.",
    "AuditEvent": "The access log writes itself.",
    "Subscription": "It is ended by its status, off, and stays.",
}


def not_allowed(methods: tuple[str, ...], support: Support | None = None) -> RefusedError:
    """Return the refusal of a method, with those there are."""
    allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)
    instead = "" if support is None else _INSTEAD.get(support.type, "An entry is made inactive, and stays.")
    return RefusedError(
        405,
        Issue(code="not-supported", text="this method is not for this address", instead=instead),
        headers={"Allow": ", ".join(allowed)},
    )
