"""Lines of the access log are AuditEvents."""

import base64
from collections.abc import Iterator, Mapping

from msgspec import Struct

from carethread.access_log import AccessEntry, Action, Outcome, Served
from carethread.clock import format_instant
from carethread.fhir import types
from carethread.fhir.mapping import parts, terms
from carethread.fhir.mapping.parts import Names
from carethread.fhir.types.codes import AuditEventAction, AuditEventOutcome
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.record.model import Party

# https://hl7.org/fhir/R4/valueset-audit-event-outcome.html. What may not be read fails like what does not exist.
OUTCOMES: Mapping[Outcome, AuditEventOutcome] = {Outcome.DONE: "0", Outcome.UNKNOWN: "4", Outcome.REFUSED: "8"}

# Of what is written, what makes something new: the words in `AccessEntry.detail`. All else changes what is there.
_CREATED = frozenset({"thread", "message", "correction", "subscription"})
_TYPES = {
    Action.SERVED: ("110110", "Patient Record"),
    Action.LISTED: ("110112", "Query"),
    Action.SEARCHED: ("110112", "Query"),
    Action.WRITTEN: ("110110", "Patient Record"),
    Action.EXPORTED: ("110106", "Export"),
    Action.EMERGENCY: ("110110", "Patient Record"),
}
_PERSON = types.Coding(system=terms.AUDIT_ENTITY_TYPE, code="1", display="Person")
_OBJECT = types.Coding(system=terms.AUDIT_ENTITY_TYPE, code="2", display="System Object")
_PATIENT = types.Coding(system=terms.OBJECT_ROLE, code="1", display="Patient")
_RESOURCE = types.Coding(system=terms.OBJECT_ROLE, code="4", display="Domain Resource")
_QUERY = types.Coding(system=terms.OBJECT_ROLE, code="24", display="Query")
_BREAK_THE_GLASS = types.Coding(system=terms.ACT_REASON, code="BTG", display="break the glass")


class Called(Struct, frozen=True):
    """What the ids in a line of the log are called as resources; what is not there is called by its own id.

    Attributes:
        threads: resource ids.
        messages: resource ids.
        versions: which version of a thread stood at a commit.
        patient: whom the record is about.
    """

    threads: Mapping[CommunicationId, str] = {}
    messages: Mapping[MessageId, str] = {}
    versions: Mapping[tuple[CommunicationId, str], int] = {}
    patient: ParticipantId | None = None


def action_code(action: Action, detail: str) -> AuditEventAction:
    """Return what was done: C, R, U or E. What was refused before it was something new counts as a change."""
    match action:
        case Action.WRITTEN:
            return "C" if detail in _CREATED else "U"
        case Action.LISTED | Action.SEARCHED:
            return "E"
        case _:
            return "R"


def audit_event(entry: AccessEntry, names: Names, *, observer: Party, called: Called | None = None) -> types.AuditEvent:
    """Return a line of the access log as a resource.

    Args:
        entry: the line.
        names: whom it names, as far as the directory has them.
        observer: the installation that keeps the log.
        called: what its threads and messages are called as resources.
    """
    code, display = _TYPES[entry.action]
    said = f"{entry.action.value}: {entry.detail}" if entry.detail else entry.action.value
    return types.AuditEvent(
        id=str(entry.number),
        meta=parts.meta(1, entry.at, None, None),
        type=types.Coding(system=terms.DICOM, code=code, display=display),
        subtype=(types.Coding(system=terms.ACCESS_ACTION, code=entry.action.value, display=said),),
        action=action_code(entry.action, entry.detail),
        recorded=format_instant(entry.at),
        outcome=OUTCOMES[entry.outcome],
        outcome_desc=None if entry.outcome is Outcome.DONE else entry.detail or None,
        purpose_of_event=_purpose(entry) if entry.action is Action.EMERGENCY else (),
        agent=tuple(_agents(entry, names)),
        source=types.AuditEventSource(observer=_nameless(observer.id, "Device", observer.name)),
        entity=tuple(_entities(entry, names, called or Called())),
    )


def _agents(entry: AccessEntry, names: Names) -> Iterator[types.AuditEventAgent]:
    role = types.Coding(system=terms.ACTOR_KIND, code=entry.actor_kind)
    yield types.AuditEventAgent(
        role=(types.CodeableConcept(coding=(role,)),),
        who=_who(entry.actor, names),
        requestor=True,
        purpose_of_use=_purpose(entry),
    )
    if entry.acting_for is not None:
        yield types.AuditEventAgent(who=_group(entry.acting_for, names), requestor=False)
    if entry.client:
        application = types.Coding(system=terms.DICOM, code="110150", display="Application")
        yield types.AuditEventAgent(
            type=types.CodeableConcept(coding=(application,)), name=entry.client, requestor=False
        )  # fmt: skip


def _purpose(entry: AccessEntry) -> tuple[types.CodeableConcept, ...]:
    coding = (_BREAK_THE_GLASS,) if entry.action is Action.EMERGENCY else ()
    if not coding and not entry.purpose:
        return ()
    return (types.CodeableConcept(coding=coding, text=entry.purpose or None),)


def _who(named: ParticipantId, names: Names) -> types.Reference:
    return parts.reference(names[named]) if named in names else _nameless(named)


def _group(named: ParticipantId, names: Names) -> types.Reference:
    """Return a group. R4 lets no care team be an agent, but its type need not be said of an identifier."""
    found = names.get(named)
    if found is None or found.startswith("CareTeam/"):
        return _nameless(named, None, found)
    return parts.reference(found)


def _nameless(named: ParticipantId, kind: str | None = None, display: str | None = None) -> types.Reference:
    identifier = types.Identifier(system=terms.PARTICIPANT_ID, value=named)
    return types.Reference(type=kind, identifier=identifier, display=display)


def _entities(entry: AccessEntry, names: Names, called: Called) -> Iterator[types.AuditEventEntity]:
    if called.patient is not None:
        yield types.AuditEventEntity(what=_who(called.patient, names), type=_PERSON, role=_PATIENT)
    served = entry.served
    if entry.thread is not None and entry.thread not in {each.thread for each in served}:
        served = (Served(entry.thread, entry.version), *served)
    for each in served:
        yield _thread(each, called)
    if entry.message is not None:
        what = parts.reference(f"Communication/{called.messages.get(entry.message, entry.message)}")
        yield types.AuditEventEntity(what=what, type=_OBJECT, role=_RESOURCE)
    if entry.query:
        query = base64.b64encode(entry.query.encode()).decode()
        yield types.AuditEventEntity(type=_OBJECT, role=_QUERY, query=query)
    if entry.request_id:
        request = types.Identifier(system=terms.REQUEST_ID, value=entry.request_id)
        yield types.AuditEventEntity(what=types.Reference(identifier=request), type=_OBJECT)


def _thread(served: Served, called: Called) -> types.AuditEventEntity:
    text = f"CommunicationRequest/{called.threads.get(served.thread, served.thread)}"
    version = called.versions.get((served.thread, served.version))
    details = []
    if served.version:
        details.append(types.AuditEventEntityDetail(type="commit", value_string=served.version))
    if served.entries:
        details.append(types.AuditEventEntityDetail(type="entries", value_string=str(served.entries)))
    return types.AuditEventEntity(
        what=parts.reference(text if version is None else f"{text}/_history/{version}"),
        type=_OBJECT,
        role=_RESOURCE,
        detail=tuple(details),
    )
