"""What the library refuses: a clear error of its own class, and nothing written. On both backends."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from carethread import (
    Addressing,
    AttachmentContent,
    Author,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    LifecycleState,
    MessageContent,
    Participant,
    Party,
    Policies,
    Role,
    StatusUpdate,
    Visibility,
    errors,
)
from carethread.clock import Instant
from carethread.ids import CommunicationId, CoordinationId, MessageId
from tests.people import (
    ADDRESSED,
    ADDRESSING,
    ADMIN,
    CLINIC,
    GP,
    JANE,
    JOHN,
    MARY,
    PHARMACIST,
    PHARMACY,
    PLACE,
    PLAIN,
    TEAM,
    TOM,
    Ticking,
    listed,
)

NO_MESSAGE = MessageId("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")
NO_THREAD = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")


class Scene:
    """A record with an open, a closed, an archived and an addressed thread."""

    def __init__(self, record: CoordinationRecord, clock: Ticking) -> None:
        self.record = record
        self.clock = clock
        self.open = record.communication_create(JANE, PLACE, PLAIN, MessageContent("Open"))
        self.message = record.read_communication(self.open).messages[0].id
        self.closed = record.communication_create(JANE, PLACE, PLAIN, MessageContent("Closed"))
        self.archived = record.communication_create(JANE, PLACE, PLAIN)
        self.told = record.update_communication_ledger(JANE, PLACE, self.closed, LedgerUpdate(status="closed"))
        record.update_communication_ledger(JANE, PLACE, self.archived, LedgerUpdate(status="archived"))
        opening = MessageContent("Addressed")
        self.addressed = record.communication_create(PHARMACIST, PLACE, ADDRESSED, opening, addressing=ADDRESSING)
        self.asked = record.read_communication(self.addressed).messages[0].id

    def create(self, *participants: Participant, author: Author = JANE, message: str = "", **options: object) -> None:
        content = MessageContent(message) if message else None
        self.record.communication_create(author, PLACE, participants or PLAIN, content, **options)  # type: ignore[arg-type]

    def add(
        self, body: str = "Body", *, author: Author = JANE, thread: str = "", place: str = PLACE, **more: object
    ) -> None:
        content = MessageContent(body, **more)  # type: ignore[arg-type]
        self.record.add_message(author, place, thread or self.open, content)

    def add_in_the_past(self) -> None:
        self.clock.now -= 10_000
        self.add()

    def update(self, thread: str = "", *, author: Author = JANE, **changes: object) -> None:
        self.record.update_communication_ledger(author, PLACE, thread or self.open, LedgerUpdate(**changes))  # type: ignore[arg-type]

    def status(self, **changes: object) -> None:
        self.record.update_coordination_status(JANE, PLACE, StatusUpdate(**changes))  # type: ignore[arg-type]


@pytest.fixture
def scene(record: CoordinationRecord, clock: Ticking) -> Scene:
    return Scene(record, clock)


FILE = AttachmentContent(b"x", "text/plain", "x.txt")

REFUSALS: dict[str, tuple[type[errors.CarethreadError], str, Callable[[Scene], object]]] = {
    # ── text ──
    "empty body": (errors.InvalidValueError, "body", lambda s: s.add("")),
    "blank body": (errors.InvalidValueError, "body", lambda s: s.add(" \n\t")),
    "oversized body": (errors.InvalidValueError, "body", lambda s: s.add("x" * 100_001)),
    "control character": (errors.InvalidTextError, "position 3", lambda s: s.add("abc\x00")),
    "bidirectional override": (errors.InvalidTextError, "position 1", lambda s: s.add("a\u202eb")),
    "lone surrogate": (errors.InvalidTextError, "position 0", lambda s: s.add("\ud800")),
    "zero-width space": (errors.InvalidTextError, "position 1", lambda s: s.add("a\u200bb")),
    "newline in care location": (errors.InvalidTextError, "care_location", lambda s: s.add(place="Ward\n7")),
    "empty care location": (errors.InvalidValueError, "care_location", lambda s: s.add(place="")),
    "newline in a name": (errors.InvalidTextError, "author.name", lambda s: s.add(author=replace(JANE, name="A\nB"))),
    "angle bracket in a name": (
        errors.InvalidTextError,
        "author.name",
        lambda s: s.add(author=replace(JANE, name="A <b>")),
    ),
    "malformed author id": (errors.InvalidValueError, "author.id", lambda s: s.add(author=replace(JANE, id="jane"))),
    "unknown role": (errors.InvalidValueError, "author.role", lambda s: s.add(author=replace(JANE, role="doctor"))),
    "malformed participant": (
        errors.InvalidValueError,
        r"participants\[1\]",
        lambda s: s.create(*listed(JANE, replace(TOM, id="x"))),
    ),
    "unknown sensitivity": (
        errors.InvalidValueError,
        "sensitivity",
        lambda s: s.update(visibility=Visibility(sensitivity="secret")),  # type: ignore[arg-type]
    ),
    "unknown status": (errors.InvalidValueError, "status", lambda s: s.update(status="done")),
    "unknown lifecycle": (errors.InvalidValueError, "lifecycle_state", lambda s: s.status(lifecycle_state="paused")),
    "malformed removal": (
        errors.InvalidValueError,
        r"remove_participants\[0\]",
        lambda s: s.update(remove_participants=("x",)),
    ),
    # ── what does not exist ──
    "unknown thread": (errors.UnknownThreadError, NO_THREAD, lambda s: s.add(thread=NO_THREAD)),
    "malformed thread": (errors.InvalidValueError, "thread_id", lambda s: s.add(thread="../../etc")),
    "reading an unknown thread": (
        errors.UnknownThreadError,
        NO_THREAD,
        lambda s: s.record.read_communication(NO_THREAD),
    ),
    "reading an unknown message": (
        errors.UnknownMessageError,
        NO_MESSAGE,
        lambda s: s.record.read_message(NO_MESSAGE),
    ),
    "answer to nothing": (errors.UnknownMessageError, "in_response_to", lambda s: s.add(in_response_to=NO_MESSAGE)),
    "answer across threads": (errors.UnknownMessageError, "in_response_to", lambda s: s.add(in_response_to=s.asked)),
    "answer in a first message": (
        errors.InvalidValueError,
        "in_response_to",
        lambda s: s.record.communication_create(JANE, PLACE, PLAIN, MessageContent("x", in_response_to=s.message)),
    ),
    "correction of nothing": (errors.UnknownMessageError, "corrects", lambda s: s.add(corrects=NO_MESSAGE)),
    "continues nothing": (errors.InvalidValueError, "continues", lambda s: s.create(continues=NO_THREAD)),
    # ── the thread's life ──
    "message in a closed thread": (errors.ThreadNotOpenError, "closed", lambda s: s.add(thread=s.closed)),
    "message in an archived thread": (errors.ThreadNotOpenError, "archived", lambda s: s.add(thread=s.archived)),
    "reopening": (errors.IllegalTransitionError, "closed to open", lambda s: s.update(s.closed, status="open")),
    "closing what is archived": (
        errors.IllegalTransitionError,
        "archived to closed",
        lambda s: s.update(s.archived, status="closed"),
    ),
    "policies of a closed thread": (
        errors.ThreadNotOpenError,
        "policies",
        lambda s: s.update(s.closed, policies=Policies(allow_patient_participation=False)),
    ),
    "continues an open thread": (errors.InvalidValueError, "continues", lambda s: s.create(continues=s.open)),
    "nothing changes": (errors.NothingToChangeError, "already", lambda s: s.update(status="open")),
    "correction of a system entry": (
        errors.CorrectionError,
        "system",
        lambda s: s.record.communication_create(JANE, PLACE, PLAIN, MessageContent("x", corrects=s.told)),
    ),
    "correction from another thread while open": (
        errors.CorrectionError,
        "open",
        lambda s: s.add(thread=s.addressed, author=PHARMACIST, corrects=s.message),
    ),
    "correction sent elsewhere": (
        errors.CorrectionError,
        "original",
        lambda s: s.add(thread=s.addressed, author=PHARMACIST, corrects=s.asked, recipients=(PHARMACY.id,)),
    ),
    "sent in the future": (errors.InvalidValueError, "sent", lambda s: s.add(sent=Instant(s.clock.now + 90_000))),
    "sent before what it answers": (
        errors.ReplyError,
        "earlier",
        lambda s: s.add(in_response_to=s.message, sent=Instant(1)),
    ),
    # ── who takes part ──
    "nobody takes part": (
        errors.InvalidValueError,
        "participants",
        lambda s: s.record.communication_create(JANE, PLACE, ()),
    ),
    "too many take part": (
        errors.InvalidValueError,
        "more than 100",
        lambda s: s.create(*listed(JANE, *(replace(TOM, id=TOM.id[:-4] + f"{number:04x}") for number in range(100)))),
    ),
    "author does not take part": (errors.NotParticipantError, "author", lambda s: s.add(author=GP)),
    "creator does not take part": (errors.NotParticipantError, "author", lambda s: s.create(author=GP)),
    "author has another role": (
        errors.RoleMismatchError,
        "author",
        lambda s: s.add(author=replace(JANE, role=Role.PATIENT)),
    ),
    "author is a group": (
        errors.RoleMismatchError,
        "author",
        lambda s: s.add(author=replace(JANE, role=Role.ORGANISATION)),
    ),
    "on behalf of a stranger": (errors.NotParticipantError, "on_behalf_of", lambda s: s.add(on_behalf_of=CLINIC.id)),
    "on behalf of a person": (errors.RoleMismatchError, "on_behalf_of", lambda s: s.add(on_behalf_of=TOM.id)),
    "duplicate participant": (errors.DuplicateParticipantError, JANE.id, lambda s: s.create(*listed(JANE, JANE))),
    "participant added twice": (
        errors.DuplicateParticipantError,
        TOM.id,
        lambda s: s.update(add_participants=listed(TOM)),
    ),
    "participant added and removed": (
        errors.DuplicateParticipantError,
        TOM.id,
        lambda s: s.update(add_participants=listed(TOM), remove_participants=(TOM.id,)),
    ),
    "stranger removed": (errors.NotParticipantError, GP.id, lambda s: s.update(remove_participants=(GP.id,))),
    "addressed participant removed": (
        errors.AddressedParticipantError,
        CLINIC.id,
        lambda s: s.update(s.addressed, author=PHARMACIST, remove_participants=(CLINIC.id,)),
    ),
    # ── addressing ──
    "requester is a stranger": (
        errors.NotParticipantError,
        "requester",
        lambda s: s.create(addressing=Addressing(GP.id, (TOM.id,))),
    ),
    "requester is a group": (
        errors.RoleMismatchError,
        "requester",
        lambda s: s.create(*PLAIN, CLINIC, addressing=Addressing(CLINIC.id, (TOM.id,))),
    ),
    "requester is somebody else": (
        errors.InvalidValueError,
        "requester",
        lambda s: s.create(addressing=Addressing(TOM.id, (JANE.id,))),
    ),
    "reply-to is a stranger": (
        errors.NotParticipantError,
        "reply_to",
        lambda s: s.create(addressing=Addressing(JANE.id, (TOM.id,), CLINIC.id)),
    ),
    "no recipients": (errors.InvalidValueError, "recipients", lambda s: s.create(addressing=Addressing(JANE.id, ()))),
    "recipient twice": (
        errors.InvalidValueError,
        "twice",
        lambda s: s.create(addressing=Addressing(JANE.id, (TOM.id, TOM.id))),
    ),
    "recipient is a stranger": (
        errors.NotParticipantError,
        "recipient",
        lambda s: s.create(addressing=Addressing(JANE.id, (GP.id,))),
    ),
    "message to a stranger": (errors.NotParticipantError, "recipient", lambda s: s.add(recipients=(GP.id,))),
    "message to somebody twice": (errors.InvalidValueError, "twice", lambda s: s.add(recipients=(TOM.id, TOM.id))),
    "malformed recipient": (errors.InvalidValueError, r"recipients\[0\]", lambda s: s.add(recipients=("tom",))),
    "requester changed": (
        errors.InvalidValueError,
        "requester",
        lambda s: s.update(
            s.addressed, author=PHARMACIST, add_participants=listed(GP), addressing=Addressing(GP.id, (CLINIC.id,))
        ),
    ),
    # ── policies ──
    "patient where none may be": (
        errors.PolicyContradictionError,
        JOHN.id,
        lambda s: s.create(policies=Policies(allow_patient_participation=False)),
    ),
    "carer where none may be": (
        errors.PolicyContradictionError,
        MARY.id,
        lambda s: s.create(*listed(JANE, MARY), policies=Policies(allow_patient_participation=False)),
    ),
    "policy off while contradicted": (
        errors.PolicyContradictionError,
        JOHN.id,
        lambda s: s.update(policies=Policies(allow_patient_participation=False)),
    ),
    "no externals without a home": (
        errors.PolicyContradictionError,
        "home",
        lambda s: s.create(policies=Policies(allow_external_organisations=False)),
    ),
    "no externals with a person at home": (
        errors.PolicyContradictionError,
        "home",
        lambda s: s.create(
            addressing=Addressing(JANE.id, (TOM.id,), JANE.id), policies=Policies(allow_external_organisations=False)
        ),
    ),
    "external organisation": (
        errors.PolicyContradictionError,
        CLINIC.id,
        lambda s: s.create(
            *listed(PHARMACIST),
            PHARMACY,
            CLINIC,
            author=PHARMACIST,
            addressing=ADDRESSING,
            policies=Policies(allow_external_organisations=False),
        ),
    ),
    # ── attachments ──
    "unheard-of media type": (
        errors.InvalidValueError,
        "media_type",
        lambda s: s.add(attachments=(replace(FILE, media_type="text"),)),
    ),
    "newline in a file name": (
        errors.InvalidTextError,
        "file_name",
        lambda s: s.add(attachments=(replace(FILE, file_name="a\nb"),)),
    ),
    "empty file": (errors.InvalidValueError, "data", lambda s: s.add(attachments=(replace(FILE, data=b""),))),
    "file twice": (errors.InvalidValueError, "twice", lambda s: s.add(attachments=(FILE, FILE))),
    "too many files": (
        errors.InvalidValueError,
        "more than 20",
        lambda s: s.add(attachments=tuple(replace(FILE, data=bytes([number])) for number in range(21))),
    ),
    "files too large": (
        errors.InvalidValueError,
        "larger",
        lambda s: s.add(attachments=(replace(FILE, data=bytes(25 * 1024 * 1024 + 1)),)),
    ),
    "malformed via": (errors.InvalidValueError, "via", lambda s: s.add(via=Party("x", "System"))),  # type: ignore[arg-type]
    # ── clients ──
    "empty client identifier": (
        errors.InvalidValueError,
        "client_identifier",
        lambda s: s.create(client_identifier=ClientIdentifier("system", "")),
    ),
    # ── the clock ──
    "clock far behind": (errors.ClockError, "behind", lambda s: s.add_in_the_past()),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_with_nothing_written(scene: Scene, service: CoordinationService, name: str) -> None:
    expected, words, attempt = REFUSALS[name]
    before = [scene.record.read_communication(each.communication_id) for each in scene.record.communications()]
    waiting = service.backlog().commits
    with pytest.raises(expected, match=words) as caught:
        attempt(scene)
    assert type(caught.value) is expected
    assert [scene.record.read_communication(each.communication_id) for each in scene.record.communications()] == before
    assert service.backlog().commits == waiting
    scene.clock.now += 20_000
    scene.add("The record goes on", author=TOM)


def test_someone_on_both_sides_is_asked_whom_they_mean(record: CoordinationRecord) -> None:
    both = Addressing(PHARMACIST.id, (PHARMACY.id, CLINIC.id), PHARMACY.id)
    thread = record.communication_create(PHARMACIST, PLACE, ADDRESSED, MessageContent("To all of us"), addressing=both)
    content = MessageContent("From the pharmacy", on_behalf_of=PHARMACY.id)
    with pytest.raises(errors.AmbiguousSideError):
        record.add_message(GP, PLACE, thread, content)
    record.add_message(GP, PLACE, thread, replace(content, recipients=(CLINIC.id,)))


def test_a_message_that_would_go_to_nobody(record: CoordinationRecord) -> None:
    alone = Addressing(PHARMACIST.id, (PHARMACIST.id,))
    thread = record.communication_create(PHARMACIST, PLACE, (*listed(PHARMACIST), PHARMACY), addressing=alone)
    content = MessageContent("For nobody", on_behalf_of=PHARMACY.id)
    with pytest.raises(errors.AmbiguousSideError, match="name the recipients"):
        record.add_message(PHARMACIST, PLACE, thread, content)
    record.add_message(PHARMACIST, PLACE, thread, replace(content, recipients=(PHARMACIST.id,)))


def test_who_came_later_writes_to_everyone_else(record: CoordinationRecord) -> None:
    thread = record.communication_create(PHARMACIST, PLACE, ADDRESSED, addressing=ADDRESSING)
    record.update_communication_ledger(PHARMACIST, PLACE, thread, LedgerUpdate(add_participants=(TEAM, *listed(ADMIN))))
    record.add_message(ADMIN, PLACE, thread, MessageContent("I am new here"))
    message = record.read_communication(thread).messages[-1]
    assert [each.name for each in message.to] == ["Pat Pill", "Riverside Pharmacy", "Hill Clinic", "Diabetes Team"]
    assert message.author_role is Role.CARE_ADMINISTRATOR


def test_replies_go_to_the_requester_where_no_reply_to_is(record: CoordinationRecord) -> None:
    asked = Addressing(JANE.id, (TOM.id,))
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("?"), addressing=asked)
    answered = record.add_message(TOM, PLACE, thread, MessageContent("!"))
    record.add_message(TOM, PLACE, thread, MessageContent("!!", corrects=answered))
    assert [[each.id for each in message.to] for message in record.read_communication(thread).messages] == [
        [TOM.id], [JANE.id], [JANE.id],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"lifecycle_state": LifecycleState.SUSPENDED}, {"record_open": False}, {"record_modifiable": False}],
)
def test_a_record_that_takes_nothing(scene: Scene, change: dict[str, object]) -> None:
    scene.status(**change)
    for attempt in (scene.add, scene.create):
        with pytest.raises(errors.RecordNotWritableError):
            attempt()
    if "record_open" in change:
        scene.update(add_participants=listed(GP))
    else:
        with pytest.raises(errors.RecordNotWritableError):
            scene.update(add_participants=listed(GP))


def test_closed_is_final(scene: Scene) -> None:
    scene.status(lifecycle_state="closed")
    with pytest.raises(errors.IllegalTransitionError):
        scene.status(lifecycle_state="active")
    with pytest.raises(errors.RecordNotWritableError):
        scene.add()


def test_a_status_that_is_already_so(scene: Scene) -> None:
    with pytest.raises(errors.NothingToChangeError):
        scene.status(record_open=True)


def test_an_identifier_stands_for_one_content(scene: Scene) -> None:
    name = ClientIdentifier("system", "1")
    scene.record.add_message(JANE, PLACE, scene.open, MessageContent("One"), client_identifier=name)
    with pytest.raises(errors.IdentifierConflictError, match="'1'"):
        scene.record.add_message(JANE, PLACE, scene.open, MessageContent("Two"), client_identifier=name)
    with pytest.raises(errors.IdentifierConflictError):
        scene.create(client_identifier=name)


def test_unknown_records(service: CoordinationService) -> None:
    nobody = "7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"
    with pytest.raises(errors.UnknownRecordError):
        service.record(nobody)
    with pytest.raises(errors.InvalidValueError):
        service.record("../etc")
    with pytest.raises(errors.InvalidValueError):
        service.initialise(JANE, PLACE, "not-an-id")


def test_a_record_that_is_gone(service: CoordinationService, scene: Scene) -> None:
    gone = CoordinationRecord(service._archive, CoordinationId("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"))
    for attempt in (
        gone.status,
        gone.communications,
        lambda: gone.read_communication(scene.open),
        lambda: gone.read_message(scene.message),
        lambda: gone.add_message(JANE, PLACE, scene.open, MessageContent("x")),
    ):
        with pytest.raises(errors.UnknownRecordError):
            attempt()
