"""What somebody has just written is answered without asking who may read it, and what is to be known before a write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from carethread import CoordinationService
from carethread.access_log import Action, Outcome
from carethread.errors import UnknownThreadError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import (
    Filter,
    before_writing,
    message_resource,
    message_written_to,
    resolve,
    thread_resource,
    written_message,
    written_thread,
)
from carethread.record.model import BusinessIdentifier, MessageContent, Naming
from carethread.store.access import lines
from carethread.writes import Opening, ThreadChange, change_thread, open_thread, post_message, post_to

SEED = Path(__file__).parents[1] / "directory" / "seed.json"


class Scene:
    """The seed's people, and a thread from the pharmacy to the clinic."""

    def __init__(self, service: CoordinationService) -> None:
        self.service = service
        service.directory.load(SEED.read_bytes(), by="tests")
        self.pharmacist, self.colleague, self.doctor = (
            Caller(self.id_of("Practitioner", each)) for each in ["A1", "A2", "B1"]
        )
        self.clinic = self.id_of("Organization", "Clinic-B")
        self.pharmacy = self.id_of("Organization", "Pharmacy-A")
        self.thread = self.open(MessageContent("Why?"))

    def id_of(self, kind: str, fhir_id: str) -> ParticipantId:
        return ParticipantId(resolve(self.service, [(kind, fhir_id)])[kind, fhir_id])

    def open(self, message: MessageContent | None = None) -> CommunicationId:
        opening = Opening(
            patient=self.id_of("Patient", "123"), recipients=(self.clinic,), on_behalf_of=self.pharmacy, message=message
        )
        return open_thread(self.service, self.pharmacist, opening)

    def post(self, caller: Caller, content: MessageContent, naming: Naming | None = None) -> MessageId:
        return post_message(self.service, caller, self.thread, content, naming=naming)

    def logged(self) -> int:
        with self.service.archive.database.read() as connection:
            return len(list(lines(connection, Filter())))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with CoordinationService.open(tmp_path, flushes=False) as service:
        yield Scene(service)


@pytest.mark.parametrize("named", [None, Naming("m-1", (BusinessIdentifier("urn:x", "1"),))])
@pytest.mark.parametrize("kind", ["plain", "answer", "correction", "elsewhere"])
def test_what_was_written_is_what_is_read(scene: Scene, named: Naming | None, kind: str) -> None:
    first = scene.post(scene.doctor, MessageContent("Because."))
    before = before_writing(scene.service, scene.doctor, scene.thread)
    content = {
        "plain": MessageContent("More."),
        "answer": MessageContent("More.", in_response_to=first),
        "correction": MessageContent("No.", corrects=first),
        "elsewhere": MessageContent("To the new one."),
    }[kind]
    if kind == "elsewhere":
        # Somebody took part only after it was looked at.
        team = scene.id_of("CareTeam", "Diabetes-B")
        change_thread(scene.service, scene.pharmacist, scene.thread, ThreadChange(add=(team,)))
        content = MessageContent("To the new one.", recipients=(team,))
        writer, seen = scene.pharmacist, before_writing(scene.service, scene.pharmacist, scene.thread).seen
    else:
        writer, seen = scene.doctor, before.seen
    posted = post_to(scene.service, writer, seen, content, naming=named)
    count = scene.logged()
    shown, names = message_written_to(scene.service, scene.doctor, posted, before)
    assert (shown, names[shown.message.author_id]) == (
        (whole := written_message(scene.service, scene.doctor, posted.message.id))[0],
        whole[1][shown.message.author_id],
    )
    assert scene.logged() == count
    read, read_names = message_resource(scene.service, scene.doctor, shown.id)
    assert read == shown
    assert read_names.items() <= names.items()


def test_a_thread_is_answered_as_it_is_read(scene: Scene) -> None:
    written = written_thread(scene.service, scene.pharmacist, scene.thread)
    assert written == thread_resource(scene.service, scene.pharmacist, scene.thread)


def test_who_may_not_read_knows_nothing_before(scene: Scene) -> None:
    daughter = Caller(scene.id_of("RelatedPerson", "123-daughter"))
    unknown = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
    for thread in (scene.thread, unknown):
        count = scene.logged()
        with pytest.raises(UnknownThreadError):
            before_writing(scene.service, daughter, thread)
        assert scene.logged() == count + 1
        with scene.service.archive.database.read() as connection:
            last = list(lines(connection, Filter()))[-1]
        assert (last.actor, last.action, last.outcome, last.thread) == (
            daughter.person,
            Action.WRITTEN,
            Outcome.UNKNOWN,
            thread,
        )


def test_whether_they_wrote_before_counts_for_who_opened_it(scene: Scene) -> None:
    def wrote_before(caller: Caller, text: str = "Why?") -> bool:
        return before_writing(scene.service, caller, scene.thread, text).wrote_before

    assert not wrote_before(scene.pharmacist)
    scene.post(scene.doctor, MessageContent("Because."))
    team = scene.id_of("CareTeam", "Diabetes-B")
    change_thread(scene.service, scene.pharmacist, scene.thread, ThreadChange(add=(team,)))
    assert not wrote_before(scene.pharmacist)
    scene.post(scene.pharmacist, MessageContent("I see."))
    assert wrote_before(scene.pharmacist)
    assert not wrote_before(scene.pharmacist, "Something else.")
    assert not wrote_before(scene.doctor)


def test_a_thread_without_a_message_has_no_opening(scene: Scene) -> None:
    thread = scene.open()
    before = before_writing(scene.service, scene.pharmacist, thread)
    assert (before.thread.opening, before.wrote_before) == (None, False)


def test_an_entry_is_meant_by_its_identifier(scene: Scene) -> None:
    pair = ("Organization", "https://example.org/fhir/clinic|C-2208")
    assert resolve(scene.service, [pair, ("Organization", "urn:x|none")]) == {pair: scene.clinic}
