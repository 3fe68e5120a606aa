"""People and records that the directory lacks: called by role and number, and found again by what they are called."""

from typing import Any

import pytest

from carethread import Author, CoordinationService, MessageContent, Participant, Role
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads import message_resource, search_messages, search_threads, thread_resource
from carethread.reads.criteria import Clause, Criteria, Field, Ref
from tests.region import Region

HOME = "Oxford"
CLINICAL = ParticipantId("a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
ADMIN, CLERK, PATIENT, SON, SITE, TEAM = (
    ParticipantId(f"{number:08x}-9e3b-4a7c-8f1e-6b0d2c5a9f12") for number in range(1, 7)
)
ROLES = {
    ADMIN: Role.CLINICIAN,
    CLERK: Role.CARE_ADMINISTRATOR,
    PATIENT: Role.PATIENT,
    SON: Role.PATIENT_ASSOCIATE,
    SITE: Role.ORGANISATION,
    TEAM: Role.CARE_TEAM,
}
TYPES = {
    ADMIN: "Practitioner",
    CLERK: "Practitioner",
    PATIENT: "Patient",
    SON: "RelatedPerson",
    SITE: "Organization",
    TEAM: "CareTeam",
}
ALL_TYPES = sorted({*TYPES.values()})


def _thread(service: CoordinationService) -> tuple[CommunicationId, list[MessageId]]:
    """Record a plain thread, without addressing, as the library allows without a directory."""
    people = [Participant(each, role, f"Person {each[7]}") for each, role in ROLES.items()]
    admin = Author(ADMIN, "Person 1")
    record = service.initialise(admin, HOME, CLINICAL)
    thread = record.communication_create(admin, HOME, people)
    messages = [
        record.add_message(Author(each, f"Person {each[7]}", ROLES[each]), HOME, thread, MessageContent(f"By {each}"))
        for each in (ADMIN, PATIENT, SON)
    ]
    return thread, messages


@pytest.fixture
def plain(region: Region) -> tuple[CommunicationId, list[MessageId]]:
    return _thread(region.service)


def _messages(region: Region, field: Field, *values: Any, negated: bool = False) -> list[str]:
    found = search_messages(region.service, region.auditor, Criteria((Clause(field, values, negated),)))
    return [each.message.body for each in reversed(found.messages)]


def _threads(region: Region, field: Field, *values: Any) -> list[str]:
    return [
        each.id for each in search_threads(region.service, region.auditor, Criteria((Clause(field, values),))).threads
    ]


def test_names(region: Region, plain: tuple[CommunicationId, list[MessageId]]) -> None:
    thread, messages = plain
    shown, names = thread_resource(region.service, region.auditor, thread)
    assert names == {each: f"{kind}/{each}" for each, kind in (*TYPES.items(), (CLINICAL, "Patient"))}
    assert (shown.opening, shown.patient) == (None, CLINICAL)
    for author, message in zip((ADMIN, PATIENT, SON), messages, strict=True):
        _, around = message_resource(region.service, region.auditor, message)
        assert around == {author: f"{TYPES[author]}/{author}", CLINICAL: f"Patient/{CLINICAL}"}


@pytest.mark.parametrize("kind", [*ALL_TYPES, "PractitionerRole", "Device"])
def test_a_uuid_means_somebody_of_that_type_alone(
    region: Region, plain: tuple[CommunicationId, list[MessageId]], kind: str
) -> None:
    thread, _ = plain
    for author in (ADMIN, PATIENT, SON):
        is_meant = TYPES[author] == kind
        assert _messages(region, Field.SENDER, Ref(kind, author)) == ([f"By {author}"] if is_meant else [])
        assert _threads(region, Field.MESSAGE_SENDER, Ref(kind, author)) == ([thread] if is_meant else [])
        assert len(_messages(region, Field.SENDER, Ref(kind, author), negated=True)) == (2 if is_meant else 3)
    for each, role_type in TYPES.items():
        is_meant = role_type == kind
        # Whoever opened a plain thread is its requester: the first individual, if it began without a message.
        assert _threads(region, Field.REQUESTER, Ref(kind, each)) == ([thread] if is_meant and each == ADMIN else [])
        assert _threads(region, Field.RECIPIENT, Ref(kind, each)) == ([thread] if is_meant and each != ADMIN else [])
        assert bool(_messages(region, Field.THREAD_RECIPIENT, Ref(kind, each))) is (is_meant and each != ADMIN)
    assert _threads(region, Field.SENDER, Ref(kind, SITE)) == []
    assert bool(_threads(region, Field.SUBJECT, Ref(kind, CLINICAL))) is (kind == "Patient")
    assert bool(_messages(region, Field.SUBJECT, Ref(kind, CLINICAL))) is (kind == "Patient")


def test_a_uuid_without_a_type_means_whoever_has_it(
    region: Region, plain: tuple[CommunicationId, list[MessageId]]
) -> None:
    thread, _ = plain
    for author in (ADMIN, PATIENT, SON):
        assert _messages(region, Field.SENDER, Ref(None, author)) == [f"By {author}"]
        assert _threads(region, Field.MESSAGE_SENDER, Ref(None, author)) == [thread]
    assert _threads(region, Field.RECIPIENT, Ref(None, TEAM)) == [thread]
    both = (Ref("Practitioner", PATIENT), Ref("RelatedPerson", SON))
    assert _messages(region, Field.SENDER, *both) == [f"By {SON}"]
    assert _threads(region, Field.MESSAGE_SENDER, *both) == [thread]


def test_a_uuid_of_the_directory_has_the_type_that_it_says(region: Region) -> None:
    region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
    own = region.id("A1")
    for kind in (None, "Practitioner", "Patient"):
        expected = [] if kind == "Patient" else ["Hello"]
        assert _messages(region, Field.SENDER, Ref(kind, own)) == expected
    assert _messages(region, Field.SUBJECT, Ref("Patient", region.id("P1"))) == ["Hello"]
    # The number of a record is nobody's while the directory has its patient.
    clinical = str(region.service.directory.find("Patient/P1").clinical_id)  # type: ignore[union-attr]
    assert _messages(region, Field.SUBJECT, Ref("Patient", clinical)) == []
    assert _messages(region, Field.SUBJECT, Ref("Patient", "550e8400-e29b-41d4-a716-446655440000")) == []
