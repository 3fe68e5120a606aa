"""Batches: each entry of a Bundle by itself, through the same functions as a request of its own."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Raw, Struct

from carethread.errors import CarethreadError
from carethread.fhir import validating
from carethread.fhir.answers import Answer, of_refusal, of_value
from carethread.fhir.call import Call
from carethread.fhir.capability import capability_statement
from carethread.fhir.doing import interact
from carethread.fhir.noting import note_refused
from carethread.fhir.outcome import Issue, RefusedError, failed, outcome, refused
from carethread.fhir.routing import Service
from carethread.fhir.submitted import BATCH, Request, Submitted, call_of

# Of all answers together: none is begun beyond it.
LARGEST_ANSWER = 64 * 1024 * 1024
_REFUSED = 400
_SERVER_FAILED = 500
_READING = frozenset({"GET", "HEAD"})
_DONE = outcome([Issue(severity="information", code="informational", text="done")])

_log = logging.getLogger("carethread.fhir")


class _Meta(Struct, rename="camel", frozen=True):
    last_updated: str = ""


class _Reference(Struct, frozen=True):
    reference: str = ""


class Peeked(Struct, rename="camel", frozen=True):
    """What has to be known of a resource that is answered."""

    resource_type: str = ""
    id: str = ""
    meta: _Meta = _Meta()
    subject: _Reference = _Reference()


_peek = msgspec.json.Decoder(Peeked)


def peek(answer: Answer) -> Peeked:
    """Return what has to be known of the resource in an answer."""
    return _peek.decode(answer.body) if answer.body else Peeked()


def single(call: Call) -> Answer:
    """Answer what is no Bundle of requests: an interaction, or an operation.

    Raises:
        CarethreadError: it is refused.
    """
    if call.route.what is Service.METADATA:
        return of_value(capability_statement(call.options))
    if call.route.what is Service.VALIDATE:
        return validating.validate(call)
    return interact(call)


def batch(call: Call, submitted: Submitted) -> Answer:
    """Do each entry by itself; what becomes of one is of no concern to the others."""
    entries: list[dict[str, Any]] = []
    size = 0
    for request in submitted.requests:
        answer = _alone(call, request) if size <= LARGEST_ANSWER else of_refusal(_enough())
        size += len(answer.body)
        entries.append(answered(call, request, answer))
    return bundle_of(call, BATCH, entries)


def _alone(call: Call, request: Request) -> Answer:
    request_id = call.asked.request_id
    asked = call
    try:
        asked = call_of(call, request)
        return single(asked)
    except CarethreadError as error:
        note_refused(asked, error)
        refusal = refused(error, request_id)
        if refusal.status >= _SERVER_FAILED:
            _log.exception("entry %d of request %s failed", request.number, request_id)
        return of_refusal(refusal)
    except Exception:  # noqa: BLE001 - as in a request of its own, it is logged, and nobody is told more than its id
        _log.exception("entry %d of request %s failed", request.number, request_id)
        return of_refusal(failed(request_id))


def _enough() -> RefusedError:
    return RefusedError(
        413,
        Issue(
            code="too-costly",
            text="what the entries before are answered fills a Bundle; this was not done",
            instead="Send it in another Bundle.",
        ),
    )


def bundle_of(call: Call, kind: str, entries: Iterable[dict[str, Any]]) -> Answer:
    """Return what became of the entries of a Bundle, in their order."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": f"{kind}-response"}
    found = list(entries)
    if found:
        made["entry"] = found
    return of_value(made, pretty=call.shape.pretty)


def answered(call: Call, request: Request, answer: Answer) -> dict[str, Any]:
    """Return the entry that answers one."""
    response: dict[str, Any] = {"status": f"{answer.status} {HTTPStatus(answer.status).phrase}"}
    if "Location" in answer.headers:
        response["location"] = answer.headers["Location"]
    if "ETag" in answer.headers:
        response["etag"] = answer.headers["ETag"]
    if answer.status >= _REFUSED:
        return {"response": {**response, "outcome": Raw(answer.body)}}
    updated = peek(answer).meta.last_updated
    if updated and "ETag" in answer.headers:
        response["lastModified"] = updated
    if request.method not in _READING and "ETag" in answer.headers:
        returns = call.preferences.returns
        if returns == "minimal":
            return {"response": response}
        if returns == "OperationOutcome":
            return {"response": {**response, "outcome": _DONE}}
    if request.method == "HEAD" or not answer.body:
        return {"response": response}
    return {"resource": Raw(answer.body), "response": response}
