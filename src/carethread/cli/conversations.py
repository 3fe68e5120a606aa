"""Two conversations to show: who says what to whom, when. `carethread demo --text` replays them.

A clinician asks a colleague about a chest X-ray, with the patient taking part; a pharmacy asks a clinic about a
medication list, each organisation speaking through whoever is there. All of it is made up.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from carethread import (
    Author,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    Participant,
    Role,
    ThreadStatus,
)
from carethread.access_log import AccessEntry
from carethread.clock import Instant, parse_instant
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM, STANDING_SYSTEM
from carethread.directory.model import Duty
from carethread.errors import NotFoundError, RuleError
from carethread.ids import ClinicalId, CommunicationId, ParticipantId, random_uuid
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import Filter, access_log, read_thread
from carethread.writes import Opening, open_thread, post_message

_INSTALLATION = "5b1f0c7e-3d9a-4e62-8c47-a6e2d0b9f315"
CLINICAL_ID = ClinicalId("a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")

JANE = Author(ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"), "Dr Jane Smith")
TOM = Author(ParticipantId("a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3"), "Dr Tom Patel")
JOHN = Author(ParticipantId("9b7c6d5e-4f3a-2b1c-0e8d-7f6a5b4c3d2e"), "John Doe", Role.PATIENT)
PRIYA = Author(ParticipantId("c3b8e0d1-5a64-4f27-9b1e-2d7f8a6c4e90"), "Priya Shah", Role.CARE_ADMINISTRATOR)

ANNA = Author(ParticipantId("0e5d7a3c-8b1f-4d62-a9c4-7f3e1b6d2a58"), "Anna Visser")
ADAM = Author(ParticipantId("6d2f9b4e-1c7a-4e85-b3d0-5a8c2f7e9b14"), "Adam Novak")
BETH = Author(ParticipantId("b7a1c9e5-4d38-4f06-8e2b-9c5d0f3a7e61"), "Dr Beth Owen")
PHARMACY = Participant(ParticipantId("0d4f6b82-7c3e-4a19-95d8-e1b2c7f4a630"), Role.ORGANISATION, "Pharmacy A")
AT_WORK = (ANNA, ADAM, BETH)
CLINIC = Participant(ParticipantId("77ab3d10-e5c4-4b92-8f6a-d3091c5e7b24"), Role.ORGANISATION, "Clinic B")

HOSPITAL = "Oxford University Hospitals"
HOME = "At home"


class Stage:
    """The clock and the ids of the conversations as they are told, so that they become the same record each time."""

    def __init__(self) -> None:
        """Begin before anything is said."""
        self._now = Instant(0)
        self._ids = [_INSTALLATION]

    def set(self, time: str, *ids: str) -> None:
        """Set the clock, and which ids are minted next."""
        self._now = parse_instant(time)
        self._ids = list(ids)

    def clock(self) -> Instant:
        """Return the time that was set."""
        return self._now

    def mint(self) -> UUID:
        """Return the next id, or a random one where none was set."""
        return UUID(self._ids.pop(0)) if self._ids else random_uuid()


Narrate = Callable[[Instant, str], None]


def begin(service: CoordinationService, stage: Stage, narrate: Narrate) -> CoordinationRecord:
    """Begin the record of John Doe."""
    stage.set("2026-01-11T14:35:00.000Z", "7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88")
    record = service.initialise(JANE, HOSPITAL, CLINICAL_ID)
    narrate(stage.clock(), "Dr Jane Smith begins the coordination record of her patient, John Doe.")
    return record


def discuss_x_ray(record: CoordinationRecord, stage: Stage, narrate: Narrate) -> CommunicationId:
    """Replay the conversation about the chest X-ray."""
    stage.set("2026-01-11T14:35:22.045Z", "550e8400-e29b-41d4-a716-446655440000")
    taking_part = [Participant(each.id, each.role, each.name) for each in (JANE, TOM, JOHN)]
    thread = record.communication_create(JANE, HOSPITAL, taking_part)
    narrate(stage.clock(), "She opens a thread with Dr Tom Patel and with John Doe himself.")

    stage.set("2026-01-11T14:36:15.234Z", "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")
    text = "Patient has reported increasing shortness of breath.\nPlease review chest X-ray and advise on next steps."
    record.add_message(JANE, HOSPITAL, thread, MessageContent(text))
    narrate(stage.clock(), "She asks Dr Patel to review the chest X-ray.")

    stage.set("2026-01-11T15:42:30.567Z", "8b2f6a5c-3d1e-4a9b-8c7f-6d5e4a3b2c1d")
    text = (
        "Reviewed X-ray. No acute changes. Continue current management\n"
        "and reassess in 48 hours. If symptoms worsen, arrange urgent review."
    )
    advice = record.add_message(TOM, HOSPITAL, thread, MessageContent(text))
    narrate(stage.clock(), "Dr Patel answers.")

    stage.set("2026-01-11T15:58:07.310Z", "c5d9e2f1-6b3a-4c78-9e0d-1f4a7b8c2d36")
    record.add_message(JOHN, HOME, thread, MessageContent("Yes, I will do that doctor", in_response_to=advice))
    narrate(stage.clock(), "John Doe answers from home. On its own that would mean nothing: the thread is the record.")

    stage.set("2026-01-11T16:20:41.882Z", "e81b4c7d-2a5f-4960-b3c8-7d0e9f1a6b52")
    text = "Reassess in 24 hours, not in 48. Everything else stands."
    record.add_message(TOM, HOSPITAL, thread, MessageContent(text, corrects=advice))
    narrate(stage.clock(), "Dr Patel corrects himself, with a new message. What he wrote before stays as it was.")

    stage.set("2026-01-11T16:24:03.117Z", "a90c6e3f-8d1b-4752-9f4e-3b6d5c2a7e18")
    added = (Participant(PRIYA.id, PRIYA.role, PRIYA.name),)
    record.update_communication_ledger(JANE, HOSPITAL, thread, LedgerUpdate(add_participants=added))
    narrate(stage.clock(), "Dr Smith adds Priya Shah, who books the appointment. The thread tells of it.")

    stage.set("2026-01-12T17:05:50.000Z", "d2f7b5a8-0c9e-4136-8a7d-6e1f3c4b9d05")
    record.update_communication_ledger(JANE, HOSPITAL, thread, LedgerUpdate(status=ThreadStatus.CLOSED))
    narrate(stage.clock(), "Dr Smith closes the thread.")

    try:
        record.add_message(PRIYA, HOSPITAL, thread, MessageContent("One more question."))
    except RuleError:
        narrate(stage.clock(), "Priya Shah would add something, and is refused: closed is closed, for everybody.")
    return thread


def know(service: CoordinationService, stage: Stage, narrate: Narrate) -> None:
    """Fill the directory: who works where, and who the patient is."""
    stage.set("2026-01-12T08:00:00.000Z")
    service.directory.load(msgspec.json.encode(_bundle()), by="carethread demo")
    narrate(stage.clock(), "The directory learns who works at Pharmacy A and at Clinic B, and who John Doe is.")


def _bundle() -> dict[str, object]:
    people = [JANE, *AT_WORK]
    resources: list[dict[str, object]] = [
        {"resourceType": "Organization", "id": each.id, "name": each.name} for each in (PHARMACY, CLINIC)
    ]
    resources += [{"resourceType": "Practitioner", "id": each.id, "name": [{"text": each.name}]} for each in people]
    resources += [
        {
            "resourceType": "PractitionerRole",
            "id": f"role-{number}",
            "practitioner": {"reference": f"Practitioner/{person.id}"},
            "organization": {"reference": f"Organization/{place.id}"},
            "code": [{"coding": [{"system": STANDING_SYSTEM, "code": "clinician"}]}],
        }
        for number, (person, place) in enumerate(((ANNA, PHARMACY), (ADAM, PHARMACY), (BETH, CLINIC)))
    ]
    clinical = {"system": CLINICAL_ID_SYSTEM, "value": CLINICAL_ID}
    resources.append(
        {"resourceType": "Patient", "id": JOHN.id, "name": [{"text": JOHN.name}], "identifier": [clinical]}
    )
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


def review_medication(service: CoordinationService, stage: Stage, narrate: Narrate) -> CommunicationId:
    """Replay the conversation about the medication list, each step as the person who does it."""
    stage.set(
        "2026-01-13T09:02:11.120Z", "2b6d8f4a-7e1c-4d59-a3b0-c4f9e5d81726", "f4a7c1d8-5e2b-4396-8d0f-b9a6e3c7d251"
    )
    question = MessageContent("Can you review the patient's medication list?")
    opening = Opening(patient=JOHN.id, recipients=(CLINIC.id,), on_behalf_of=PHARMACY.id, message=question)
    thread = open_thread(service, caller(ANNA), opening)
    narrate(stage.clock(), "Anna Visser asks Clinic B, for Pharmacy A, to which replies will go.")

    stage.set("2026-01-13T09:47:36.408Z", "1c8e5b7f-9d4a-4a23-b6e1-0f3d7c2a8b94")
    first = read_thread(service, caller(BETH), thread).messages[0].id
    text = "Yes, I'll review it today and follow up by EOD"
    reply = post_message(service, caller(BETH), thread, MessageContent(text, in_response_to=first))
    narrate(stage.clock(), "Dr Beth Owen replies. For whom, and where to, follows from where she works.")

    stage.set("2026-01-13T10:03:58.771Z", "9e3a6d0c-4b8f-4715-a2d9-8c5f1e7b3046")
    read_thread(service, caller(ADAM), thread)
    text = "Thank you for the quick response!"
    post_message(service, caller(ADAM), thread, MessageContent(text, in_response_to=reply))
    narrate(stage.clock(), "Adam Novak, another pharmacist, follows up. The record says who wrote, and for whom.")

    stage.set("2026-01-13T10:20:00.000Z")
    try:
        read_thread(service, caller(JANE), thread)
    except NotFoundError:
        narrate(stage.clock(), "Dr Jane Smith asks for this thread. For her there is none: she takes no part in it.")
    return thread


def who_was_shown_what(service: CoordinationService, stage: Stage) -> tuple[AccessEntry, ...]:
    """Return the access log of the conversation, as an auditor gets it."""
    stage.set("2026-01-14T09:00:00.000Z")
    service.directory.appoint(f"Practitioner/{JANE.id}", Duty.AUDITOR, by="carethread demo")
    auditor = Caller(JANE.id, ActorKind.AUDITOR, "to show the log", client="carethread demo")
    return tuple(each for each in access_log(service, auditor, Filter()) if each.purpose != auditor.purpose)


def caller(author: Author) -> Caller:
    """Return somebody of the conversations as whoever asks."""
    return Caller(author.id, client="carethread demo")
