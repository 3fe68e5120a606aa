"""`$validate`: what would be refused, and why; nothing is recorded.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Raw, Struct

from carethread.coordination import CoordinationService
from carethread.directory.fhir import read_resource
from carethread.errors import CarethreadError
from carethread.fhir import types
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import Asked, check_is_json
from carethread.fhir.bounds import bound_to
from carethread.fhir.call import Call
from carethread.fhir.doing import INTERACTIONS, interact
from carethread.fhir.entries import clients_own
from carethread.fhir.interactions import Interaction, Support
from carethread.fhir.mapping.communication import read_communication
from carethread.fhir.mapping.request import read_request
from carethread.fhir.mapping.subscription import read_subscription
from carethread.fhir.outcome import Issue, outcome, refused
from carethread.fhir.profiles import PROFILES, profile_faults
from carethread.fhir.queries import bad, read_pairs
from carethread.fhir.refusals import AccessError
from carethread.fhir.routing import Route, not_allowed
from carethread.fhir.shape import JSON, SHAPE, Shape
from carethread.fhir.subscriptions import checked
from carethread.fhir.table import BY_TYPE, DIRECTORY
from carethread.fhir.types import AnyResource
from carethread.fhir.validation import parse
from carethread.writes import log_tried, tried

_MODES = ("create", "update", "delete", "profile")
# What goes for a resource that is there already.
_OF_INSTANCES = frozenset({"update", "delete"})
_ENTRIES = frozenset(each.type for each in DIRECTORY)
_GOOD = Issue(severity="information", code="informational", text="nothing is wrong with it")
# Beyond what a client can get wrong: the server failed, or has too much to do.
_NO_VERDICT = frozenset({429, 500, 503})

_members: msgspec.json.Decoder[dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw])


class _Peeked(Struct, rename="camel"):
    resource_type: Any = None


class _Parameter(Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    resource: Raw = Raw()
    value_code: str = ""
    value_uri: str = ""
    value_canonical: str = ""
    value_string: str = ""


class _Parameters(Struct, rename="camel"):
    parameter: tuple[_Parameter, ...] = ()


class _Asked(Struct, frozen=True):
    """What is to be validated, how, and against which profile besides its type."""

    resource: bytes
    mode: str
    profile: str


def validate(call: Call) -> Answer:
    """Answer what is wrong with a resource.

    Raises:
        RefusedError: it is not said what is to be validated, or how.
        NotFoundError: there is nothing at the address, or nothing that whoever asks may read.
        InsufficientScopeError: the token does not let its bearer write such a resource.
    """
    asked = _read(call)
    support = call.route.support or _support_of(asked.resource)
    bound_to(call, "validate", support.type)
    _check_mode(call, asked)
    query = msgspec.json.encode({"validate": support.type, "mode": asked.mode or "any"}).decode()
    if asked.mode == "delete":
        log_tried(call.service, call.caller, query=query)
        return _answer(call, refused(not_allowed((), support), "").issues)
    wish = _wish(call, support, asked)
    if call.route.id:
        # Only of what they may read is anything tried: else it would tell which ids are taken by what is hidden.
        stored = _stored(call, support)
        asked = msgspec.structs.replace(asked, resource=asked.resource or stored)
    found = list(_faults(call, support, asked))
    if wish is None or any(each.severity != "warning" for each in found):
        log_tried(call.service, call.caller, query=query)
        return _answer(call, found)
    return _answer(call, [*found, *_tried(call, wish, query)])


def _answer(call: Call, issues: Iterable[Issue]) -> Answer:
    return of_value(outcome(tuple(issues) or (_GOOD,)), pretty=call.shape.pretty)


# ── What is asked ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(call: Call) -> _Asked:
    said = {"mode": "", "profile": ""}
    for name, value in read_pairs(call.asked.query):
        if name in said:
            said[name] = value
        elif name not in SHAPE:
            raise bad("not-supported", "$validate is not asked by this", name)
    body = call.asked.body
    if not body:
        return _Asked(b"", **said)
    check_is_json(call.asked)
    if _type_of(body) != "Parameters":
        return _Asked(body, **said)
    resource = b""
    for each in _parameters(body):
        value = each.value_code or each.value_uri or each.value_canonical or each.value_string
        if each.name == "resource":
            resource = bytes(each.resource)
        elif each.name in said:
            said[each.name] = value
        else:
            raise bad("not-supported", "$validate has no such parameter", "Parameters.parameter")
    return _Asked(resource, **said)


def _parameters(body: bytes) -> tuple[_Parameter, ...]:
    try:
        return msgspec.json.decode(body, type=_Parameters).parameter
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad("structure", "has resource, mode and profile, each with its value", "Parameters.parameter") from None


def _type_of(body: bytes) -> str:
    """Return what JSON says it is; nothing where it says nothing that can be read."""
    try:
        said = msgspec.json.decode(body, type=_Peeked).resource_type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return said if isinstance(said, str) else ""


def _support_of(resource: bytes) -> Support:
    found = BY_TYPE.get(_type_of(resource))
    if found is None or not found.validates:
        raise bad("not-supported", "is of no type that is validated here", "Resource")
    return found


def _check_mode(call: Call, asked: _Asked) -> None:
    if asked.mode and asked.mode not in _MODES:
        raise bad("value", f"is none of {', '.join(_MODES)}", "mode")
    if asked.mode in _OF_INSTANCES and not call.route.id:
        raise bad("invalid", "goes with the address of a resource", "mode")
    if asked.mode == "create" and call.route.id:
        raise bad("invalid", "goes with the address of a type", "mode")
    if asked.mode == "profile" and not asked.profile:
        raise bad("required", "must be given in this mode", "profile")
    if not asked.resource and (not call.route.id or asked.mode == "update"):
        raise bad("required", "must be given", "resource")


def _stored(call: Call, support: Support) -> bytes:
    """Return the resource at the address, as whoever asks may read it."""
    asked = Asked(method="GET", path=call.asked.path, headers={"accept": JSON}, request_id=call.asked.request_id)
    route = Route(Interaction.READ, support, call.route.id)
    return interact(replace(call, asked=asked, route=route, shape=Shape())).body


# ── What is wrong by itself ───────────────────────────────────────────────────────────────────────────────────────────


def _faults(call: Call, support: Support, asked: _Asked) -> Iterator[Issue]:
    """Say what is wrong with a resource, whatever there is besides."""
    try:
        resource = parse(asked.resource, types=frozenset({support.type}))
    except CarethreadError as error:
        yield from refused(error, call.asked.request_id).issues
        return
    if call.route.id and resource.id != call.route.id:
        yield Issue(code="value", text="is not the id of the address", expression=(f"{support.type}.id",))
    yield from _profiled(resource, support, asked.profile)
    # What is there already is changed: what that means, only the attempt knows.
    if call.route.id and support.type not in _ENTRIES:
        return
    try:
        for each in _read_by(call, support, resource, asked.resource):
            yield _not_kept(each, lenient=call.preferences.lenient)
    except CarethreadError as error:
        yield from refused(error, call.asked.request_id).issues


def _read_by(call: Call, support: Support, resource: AnyResource, data: bytes) -> tuple[str, ...]:
    """Read a resource as a write does; return what of it would not be kept.

    Raises:
        CarethreadError: it would be refused.
    """
    if isinstance(resource, types.Communication):
        read_communication(resource, base=call.base)
    elif isinstance(resource, types.CommunicationRequest):
        read_request(resource, base=call.base, draft_opens=call.options.accepts_drafts)
    elif isinstance(resource, types.Subscription):
        checked(read_subscription(resource), call.base, call.options.reach)
    elif support.type in _ENTRIES:
        return clients_own(read_resource(data).not_kept)
    return ()


def _not_kept(element: str, *, lenient: bool) -> Issue:
    return Issue(
        severity="warning" if lenient else "error",
        code="not-supported",
        text="this element is not kept",
        expression=(element,),
        instead="" if lenient else "Leave it out, or send Prefer: handling=lenient to have it left out.",
    )


def _profiled(resource: AnyResource, support: Support, wanted: str) -> Iterator[Issue]:
    claimed = () if resource.meta is None else resource.meta.profile
    if wanted and wanted not in PROFILES.get(support.type, ()):
        yield Issue(
            code="not-found", text=f"this profile of {support.type} is not known here", expression=("profile",)
        )  # fmt: skip
    for number, each in enumerate(claimed):
        if each is not None and each not in PROFILES.get(support.type, ()):
            yield Issue(
                severity="warning",
                code="not-found",
                text="this profile is not known here, and not looked at",
                expression=(f"{support.type}.meta.profile[{number}]",),
            )
    for profile in dict.fromkeys((wanted, *claimed)):
        if profile:
            yield from profile_faults(resource, profile)


# ── What is wrong with doing it ───────────────────────────────────────────────────────────────────────────────────────


def _wish(call: Call, support: Support, asked: _Asked) -> Call | None:
    """Return the request that would write a resource, if that is asked about."""
    if not asked.resource or asked.mode == "profile" or (not asked.mode and not call.route.id):
        return None
    what = Interaction.UPDATE if call.route.id else Interaction.CREATE
    headers = {"content-type": JSON}
    if "if-match" in call.asked.headers:
        headers["if-match"] = call.asked.headers["if-match"]
    request = Asked(
        method="PUT" if call.route.id else "POST",
        path=call.asked.path.removesuffix("/$validate"),
        headers=headers,
        body=asked.resource,
        request_id=call.asked.request_id,
    )
    return replace(call, asked=request, route=Route(what, support, call.route.id), shape=Shape())


def _tried(call: Call, wish: Call, query: str) -> tuple[Issue, ...]:
    """Do it, and undo it; say why it cannot be done."""
    support = wish.support
    what = wish.route.what
    interaction = INTERACTIONS.get((support.type, what)) if isinstance(what, Interaction) else None
    if interaction is None:
        log_tried(call.service, call.caller, query=query)
        return not_allowed((), support).issues

    def work(inside: CoordinationService) -> Answer:
        return interaction(wish.within(inside))

    try:
        tried(call.service, call.caller, work, query=query)
    except AccessError:
        raise
    except CarethreadError as error:
        refusal = refused(error, call.asked.request_id)
        if refusal.status in _NO_VERDICT:
            raise
        return refusal.issues
    return ()
