"""What somebody may not read is answered like what does not exist: the same error, statements and line of the log."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from carethread import (
    AttachmentContent,
    CarethreadError,
    ClientIdentifier,
    CoordinationService,
    MessageContent,
    Sensitivity,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.access_log import AccessEntry
from carethread.directory.model import Duty
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import ActorKind, Caller, SystemClient
from carethread.reads import (
    CorrectionOf,
    DraftContent,
    ReplyIn,
    conversation,
    open_in_emergency,
    read_attachment,
    read_draft,
    read_message,
    read_thread,
    search,
    thread_history,
)
from carethread.reads.looking import Looking
from carethread.store.access import Filter, lines
from carethread.writes import (
    Opening,
    Refiling,
    ThreadChange,
    change_thread,
    keep_draft,
    open_thread,
    post_message,
    refile,
    set_aside,
)
from tests.access.spying import forget_the_directory, spying
from tests.region import Region, role

NO_THREAD = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
NO_MESSAGE = MessageId("550e8400-e29b-41d4-a716-446655440000")


class Target(Struct, frozen=True):
    """What is asked for: there and hidden, or not there."""

    thread: CommunicationId
    message: MessageId


class Scene(Struct, frozen=True):
    """A hidden thread that is open, one that is closed; one in the same record that everybody asking reads."""

    region: Region
    opened: Target
    closed: Target
    readable: CommunicationId


Ask = Callable[[Scene, Caller, Target], Any]
FILE = AttachmentContent(b"%PDF-", "application/pdf", "scan.pdf")
NOTHING_THERE = Target(NO_THREAD, NO_MESSAGE)
IDENTIFIER = ClientIdentifier("tests", "theirs")


@pytest.fixture
def scene(region: Region) -> Scene:
    """The pharmacy asks the clinic; the hospital, home care and both patients have no part in it."""
    service = region.service

    def hidden(**more: Any) -> Target:
        content = MessageContent("A secret", attachments=(FILE,))
        thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", message=content, **more)
        return Target(thread, read_thread(service, region.auditor, thread).messages[0].id)

    opened, closed = hidden(), hidden()
    content = MessageContent("Another secret")
    post_message(service, region.caller("A2"), opened.thread, content, client_identifier=IDENTIFIER)
    change_thread(service, region.caller("A1"), closed.thread, ThreadChange(ThreadStatus.CLOSED))
    readable = region.open("B1", ("Hospital-C", "Network-P1"), on_behalf_of="Clinic-B")
    confidential = Visibility(Sensitivity.CONFIDENTIAL)
    narrow = region.open("B1", ("Clinic-B",), visibility=confidential)
    assert narrow != readable
    return Scene(region, opened, closed, readable)


def _steward(scene: Scene) -> Caller:
    return Caller(scene.region.id("N1"), ActorKind.STEWARD)


def _client(scene: Scene, person: ParticipantId | None = None) -> Caller:
    hospital = scene.region.id("Hospital-C")
    bound = SystemClient(ParticipantId("00000000-0000-4000-8000-00000000000c"), "EHR", frozenset({hospital}))
    return Caller(person, system=bound, client="ehr", request_id="7")


WHO: dict[str, Callable[[Scene], Caller]] = {
    "a doctor of the hospital": lambda scene: scene.region.caller("C1"),
    "a nurse in the patient's network": lambda scene: scene.region.caller("D1"),
    "the patient": lambda scene: scene.region.caller("P1"),
    "her relative": lambda scene: scene.region.caller("R1"),
    "another patient": lambda scene: scene.region.caller("P2"),
    "a client": _client,
    "a client for a doctor": lambda scene: _client(scene, scene.region.id("C1")),
    "somebody who works nowhere": lambda scene: scene.region.caller("N1"),
}
# Those who read and write `scene.readable`.
WRITERS = ("a doctor of the hospital", "a nurse in the patient's network", "the patient", "her relative")


def _open(scene: Scene, caller: Caller, **more: Any) -> CommunicationId:
    region = scene.region
    opening = Opening(region.id("P1"), region.ids("Hospital-C"), **more)
    return open_thread(region.service, caller, opening)


def _service(scene: Scene) -> CoordinationService:
    return scene.region.service


ASKED: dict[str, Ask] = {
    "read_thread": lambda scene, caller, on: read_thread(_service(scene), caller, on.thread),
    "conversation": lambda scene, caller, on: conversation(_service(scene), caller, on.thread),
    "conversation, what is new": lambda scene, caller, on: conversation(_service(scene), caller, on.thread, after=1),
    "thread_history": lambda scene, caller, on: thread_history(_service(scene), caller, on.thread),
    "read_message": lambda scene, caller, on: read_message(_service(scene), caller, on.message),
    "read_attachment": lambda scene, caller, on: read_attachment(_service(scene), caller, on.message, 1),
    "open_in_emergency": lambda scene, caller, on: open_in_emergency(_service(scene), caller, on.thread, "unconscious"),
    "open_in_emergency, no reason": lambda scene, caller, on: open_in_emergency(_service(scene), caller, on.thread, ""),
    "post": lambda scene, caller, on: post_message(_service(scene), caller, on.thread, MessageContent("Hi")),
    "post with the identifier of something there": lambda scene, caller, on: post_message(
        _service(scene), caller, on.thread, MessageContent("Hi"), client_identifier=IDENTIFIER
    ),
    "post for a group": lambda scene, caller, on: post_message(
        _service(scene),
        caller,
        on.thread,
        MessageContent("Hi", on_behalf_of=scene.region.id("Clinic-B"), recipients=scene.region.ids("Pharmacy-A")),
    ),
    "correct there": lambda scene, caller, on: post_message(
        _service(scene), caller, on.thread, MessageContent("Hi", corrects=on.message)
    ),
    "change": lambda scene, caller, on: change_thread(
        _service(scene), caller, on.thread, ThreadChange(ThreadStatus.CLOSED)
    ),
    "change participants": lambda scene, caller, on: change_thread(
        _service(scene), caller, on.thread, ThreadChange(add=scene.region.ids("C1", "P2"))
    ),
    "set aside": lambda scene, caller, on: set_aside(_service(scene), caller, on.thread, scene.region.id("Clinic-B")),
    "read what was begun": lambda scene, caller, on: read_draft(_service(scene), caller, ReplyIn(on.thread)),
    "read what was begun to correct": lambda scene, caller, on: read_draft(
        _service(scene), caller, CorrectionOf(on.message)
    ),
    "begin to write": lambda scene, caller, on: keep_draft(
        _service(scene), caller, ReplyIn(on.thread), DraftContent("H"), expected=0
    ),
    "write on": lambda scene, caller, on: keep_draft(
        _service(scene), caller, ReplyIn(on.thread), DraftContent("Hi"), expected=1
    ),
    "begin to correct": lambda scene, caller, on: keep_draft(
        _service(scene), caller, CorrectionOf(on.message), DraftContent("H"), expected=0
    ),
    "refile": lambda scene, caller, on: refile(_service(scene), caller, Refiling(on.message, scene.region.id("P2"))),
    "continue": lambda scene, caller, on: _open(scene, caller, continues=on.thread),
}
ASKED_ELSEWHERE: dict[str, Ask] = {
    "correct from a thread one reads": lambda scene, caller, on: post_message(
        _service(scene), caller, scene.readable, MessageContent("Hi", corrects=on.message)
    ),
    "answer from a thread one reads": lambda scene, caller, on: post_message(
        _service(scene), caller, scene.readable, MessageContent("Hi", in_response_to=on.message)
    ),
    "correct while opening": lambda scene, caller, on: _open(
        scene, caller, message=MessageContent("Hi", corrects=on.message)
    ),
}


class Answer(Struct, frozen=True):
    """All that can be told from an answer, ids that were asked for aside."""

    error: type[Exception]
    message: str
    code: str
    statements: tuple[str, ...]
    logged: tuple[AccessEntry, ...]


def answer_of(scene: Scene, caller: Caller, ask: Ask, target: Target) -> Answer:
    service = scene.region.service
    with service.archive.database.snapshot() as connection:
        before = max((each.number for each in lines(connection, Filter())), default=0)
    with spying() as asked, pytest.raises(CarethreadError) as caught:
        ask(scene, caller, target)
    with service.archive.database.snapshot() as connection:
        new = [each for each in lines(connection, Filter()) if each.number > before]
    assert new
    message = str(caught.value).replace(target.thread, "THREAD").replace(target.message, "MESSAGE")
    return Answer(caught.type, message, caught.value.code, tuple(asked), tuple(map(_blanked, new)))


def _blanked(entry: AccessEntry) -> AccessEntry:
    """Leave out when it was, and which thread or message was asked for; not whether one is named."""
    thread = None if entry.thread is None else NO_THREAD
    return replace(entry, number=0, at=0, thread=thread, message=None if entry.message is None else NO_MESSAGE)


def check_equal(scene: Scene, caller: Caller, name: str, ask: Ask, hidden: Target) -> None:
    """Compare the two answers, with nothing of the directory remembered, and then with what was asked before."""
    for remembers in (False, True):
        answers = []
        for target in (NOTHING_THERE, hidden):
            if not remembers:
                forget_the_directory()
            answers.append(answer_of(scene, caller, ask, target))
        missing, unreadable = answers
        assert unreadable == missing, name


@pytest.mark.parametrize("who", list(WHO))
def test_hidden_is_as_if_it_were_not_there(scene: Scene, who: str) -> None:
    caller = WHO[who](scene)
    for name, ask in ASKED.items():
        for hidden in (scene.opened, scene.closed):
            check_equal(scene, caller, name, ask, hidden)


@pytest.mark.parametrize("who", WRITERS)
def test_hidden_is_as_if_it_were_not_there_from_beside_it(scene: Scene, who: str) -> None:
    caller = WHO[who](scene)
    for name, ask in ASKED_ELSEWHERE.items():
        for hidden in (scene.opened, scene.closed):
            check_equal(scene, caller, name, ask, hidden)


def test_whoever_was_a_member_once(scene: Scene) -> None:
    region = scene.region
    region.load(role("B2", "Clinic-B", "doctor", active=False))
    for name, ask in ASKED.items():
        check_equal(scene, region.caller("B2"), name, ask, scene.opened)


def test_a_steward_is_answered_alike(scene: Scene) -> None:
    """The statements differ: whether a home side is deserted hangs on who is in it."""
    region = scene.region
    region.service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    for name in ("read_thread", "read_message", "post", "change"):
        answers = [answer_of(scene, _steward(scene), ASKED[name], each) for each in (NOTHING_THERE, scene.opened)]
        missing, hidden = (replace(each, statements=()) for each in answers)
        assert hidden == missing


def test_no_file_is_as_no_message(scene: Scene) -> None:
    """For whoever may read the message, the answer to a file it does not have is that of one that is not there."""
    with pytest.raises(errors.UnknownMessageError) as caught:
        read_attachment(scene.region.service, scene.region.caller("A1"), scene.opened.message, 2)
    assert str(caught.value) == f"there is no message {scene.opened.message}"


def test_the_name_of_a_hidden_message_is_not_told_by_a_client_s_identifier(scene: Scene) -> None:
    """The identifier that somebody else gave to something hidden stands for nothing, whoever else uses it."""
    region = scene.region
    made = post_message(
        region.service, region.caller("C1"), scene.readable, MessageContent("Mine"), client_identifier=IDENTIFIER
    )
    again = post_message(
        region.service, region.caller("C1"), scene.readable, MessageContent("Mine"), client_identifier=IDENTIFIER
    )
    assert again == made
    with pytest.raises(errors.IdentifierConflictError):
        post_message(
            region.service, region.caller("C1"), scene.readable, MessageContent("No"), client_identifier=IDENTIFIER
        )
    region.service.rebuild()
    assert made == post_message(
        region.service, region.caller("C1"), scene.readable, MessageContent("Mine"), client_identifier=IDENTIFIER
    )


def test_lists_and_searches_of_others_show_nothing(scene: Scene) -> None:
    hits = search(scene.region.service, scene.region.caller("C1"), Looking("secret")).hits
    assert hits == ()
