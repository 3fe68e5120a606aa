"""A pharmacy asks a clinic about a patient: values, and the resources that stand for them, written by hand."""

from typing import Any

import msgspec

from carethread.clock import Instant
from carethread.fhir import types, validation
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.record.model import (
    Addressing,
    Ledger,
    Message,
    MessageType,
    Participant,
    Party,
    Role,
    Visibility,
)
from carethread.record.projection import MessageProjection, ThreadProjection

A1, A2, B1 = (ParticipantId(f"{number:08x}-0000-4000-8000-000000000000") for number in (0xA1, 0xA2, 0xB1))
PHARMACY, CLINIC, TEAM, PATIENT, DAUGHTER, OBSERVER = (
    ParticipantId(f"{number:08x}-0000-4000-8000-000000000001") for number in range(1, 7)
)
NAMES = {
    A1: "Practitioner/A1",
    A2: "Practitioner/A2",
    B1: "Practitioner/B1",
    PHARMACY: "Organization/Pharmacy-A",
    CLINIC: "Organization/Clinic-B",
    TEAM: "CareTeam/Team-1",
    PATIENT: "Patient/123",
    DAUGHTER: "RelatedPerson/D1",
    OBSERVER: f"Device/{OBSERVER}",
}
PEOPLE = {
    A1: Participant(A1, Role.CLINICIAN, "Anna Apotheker"),
    A2: Participant(A2, Role.CLINICIAN, "Adam Apotheker"),
    B1: Participant(B1, Role.CLINICIAN, "Dr Bea Kliniek"),
    PHARMACY: Participant(PHARMACY, Role.ORGANISATION, "Pharmacy A"),
    CLINIC: Participant(CLINIC, Role.ORGANISATION, "Clinic B"),
    TEAM: Participant(TEAM, Role.CARE_TEAM, "Team 1"),
    PATIENT: Participant(PATIENT, Role.PATIENT, "P. Atient"),
    DAUGHTER: Participant(DAUGHTER, Role.PATIENT_ASSOCIATE, "D. Ochter"),
}
THREAD = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
EARLIER = CommunicationId("20260110T143522.045Z-550e8400-e29b-41d4-a716-446655440001")
RECORD = CoordinationId("0" * 32)
M1, M2, M3 = (MessageId(f"550e8400-e29b-41d4-a716-44665544010{number}") for number in (1, 2, 3))
AT = Instant(1_768_142_122_045)  # 2026-01-11T14:35:22.045Z
QUESTION = "Can you review the patient's medication list?"
SPOKEN = frozenset({"Communication", "CommunicationRequest"})

OURS = "https://carethread.example/fhir/StructureDefinition"
OZO = "http://ozoverbindzorg.nl/fhir/StructureDefinition/ozo-sender-careteam"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def party(of: ParticipantId) -> Party:
    return Party(of, PEOPLE[of].name)


def opening(**change: Any) -> Message:
    return msgspec.structs.replace(
        Message(M1, MessageType.CLINICIAN, AT, A1, PEOPLE[A1].name, QUESTION, None, party(PHARMACY), (party(CLINIC),)),
        **change,
    )


def thread(**change: Any) -> ThreadProjection:
    """Return the thread; changes of its ledger and of the projection together.

    `continues` is the ledger's, `shown_continues` the projection's.
    """
    ledger = Ledger(
        communication_id=THREAD,
        created_at=AT,
        last_updated_at=Instant(AT + 1000),
        participants=tuple(PEOPLE[each] for each in (A1, PHARMACY, CLINIC, DAUGHTER)),
        addressing=Addressing(A1, (CLINIC,), PHARMACY),
    )
    shown = change.pop("shown_continues", None)
    of_ledger = {name: change.pop(name) for name in list(change) if name in Ledger.__struct_fields__}
    projection = ThreadProjection(
        id="thread-pharmacy-to-clinic",
        ledger=msgspec.structs.replace(ledger, **of_ledger),
        record=RECORD,
        patient=PATIENT,
        version=3,
        updated=Instant(AT + 1000),
        opening=opening(),
        continues=shown,
    )
    return msgspec.structs.replace(projection, **change)


def message(**change: Any) -> MessageProjection:
    """Return the clinic's reply; changes of the message and of the projection together.

    `corrects` is the projection's, `corrected` the message's.
    """
    reply = Message(
        id=M2,
        type=MessageType.CLINICIAN,
        timestamp=Instant(AT + 60_000),
        author_id=B1,
        author_name=PEOPLE[B1].name,
        body="Yes, I'll review it today.",
        on_behalf_of=party(CLINIC),
        to=(party(PHARMACY),),
        in_response_to=M1,
        sent=Instant(AT + 50_000),
    )
    of_message = {
        name: change.pop(name) for name in list(change) if name in set(Message.__struct_fields__) - {"corrects"}
    }
    if "corrected" in change:
        of_message["corrects"] = change.pop("corrected")
    projection = MessageProjection(
        id="msg-2-clinic-response",
        message=msgspec.structs.replace(reply, **of_message),
        record=RECORD,
        thread=THREAD,
        thread_id="thread-pharmacy-to-clinic",
        patient=PATIENT,
        visibility=Visibility(),
        answers="msg-1-pharmacy-question",
    )
    return msgspec.structs.replace(projection, **change)


REQUEST: dict[str, Any] = {
    "resourceType": "CommunicationRequest",
    "status": "active",
    "subject": {"reference": "Patient/123"},
    "requester": {"reference": "Practitioner/A1"},
    "sender": {"reference": "Organization/Pharmacy-A"},
    "recipient": [{"reference": "Organization/Clinic-B"}],
    "payload": [{"contentString": QUESTION}],
}
COMMUNICATION: dict[str, Any] = {
    "resourceType": "Communication",
    "status": "completed",
    "basedOn": [{"reference": "CommunicationRequest/thread-pharmacy-to-clinic"}],
    "sender": {"reference": "Practitioner/B1"},
    "recipient": [{"reference": "Organization/Pharmacy-A"}],
    "payload": [{"contentString": "Yes, I'll review it today."}],
}


def as_request(**change: Any) -> types.CommunicationRequest:
    found = parsed(REQUEST | change)
    assert isinstance(found, types.CommunicationRequest)
    return found


def as_communication(**change: Any) -> types.Communication:
    found = parsed(COMMUNICATION | change)
    assert isinstance(found, types.Communication)
    return found


def parsed(resource: dict[str, Any]) -> Any:
    """Return a resource as it comes in; elements that are `None` are left out."""
    kept = {name: value for name, value in resource.items() if value is not None}
    return validation.parse(msgspec.json.encode(kept), types=SPOKEN)


def as_json(resource: Any) -> dict[str, Any]:
    """Return a resource as it goes out, after R4 has been asked."""
    data = validation.encode(resource)
    validation.parse(data, types=frozenset({type(resource).__name__}))
    found: dict[str, Any] = msgspec.json.decode(data)
    return found


def ref(text: str, display: str | None = None) -> dict[str, str]:
    found = {"reference": text, "type": text.split("/", maxsplit=1)[0]}
    return found if display is None else {**found, "display": display}
