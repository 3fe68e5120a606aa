"""Resources as they are answered: encoded, with the headers of their version, as much as was asked for."""

import msgspec

from carethread.clock import Instant
from carethread.directory.versions import EntryProjection
from carethread.fhir.answers import Answer, of_resource, of_value
from carethread.fhir.call import Call
from carethread.fhir.mapping.entries import entry_resource
from carethread.fhir.outcome import Issue, outcome

_DONE = Issue(severity="information", code="informational", text="done")


def entry_bytes(projection: EntryProjection) -> bytes:
    """Return an entry of the directory as JSON."""
    return msgspec.json.encode(
        entry_resource(projection.entry, projection.version, projection.recorded_at, projection.names)
    )


def served(call: Call, resource: bytes, version: int, updated: Instant) -> Answer:
    """Return a resource that was read."""
    return of_resource(resource, version=str(version), updated=updated, shape=call.shape)


def written(
    call: Call, resource: bytes, resource_id: str, version: int, updated: Instant, *, made: bool
) -> Answer:  # fmt: skip
    """Return a resource that was written, as the client prefers it."""
    kind = call.support.type
    location = f"{call.base}/{kind}/{resource_id}/_history/{version}"
    if call.preferences.returns == "OperationOutcome":
        done = of_value(outcome([_DONE]), pretty=call.shape.pretty)
        resource = done.body
    answer = of_resource(
        resource,
        status=201 if made else 200,
        version=str(version),
        updated=updated,
        # A create that found something says where as well: its body may not be wanted.
        location=location if made or call.asked.method == "POST" else "",
        shape=None if call.preferences.returns == "OperationOutcome" else call.shape,
    )
    if call.preferences.returns == "minimal":
        return Answer(status=answer.status, headers=answer.headers)
    return answer
