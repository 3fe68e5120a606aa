"""What goes wrong on the first day: patients merged, the wrong patient, people who leave, emergencies, failures."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from carethread import (
    AttachmentContent,
    Author,
    CarethreadError,
    ClientIdentifier,
    CoordinationService,
    MessageContent,
    Policies,
    Sensitivity,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.directory.model import Duty
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import (
    access_log,
    inbox,
    open_attachment_in_emergency,
    open_in_emergency,
    patient_threads,
    read_attachment,
    read_message,
    read_thread,
    reconstruct,
    search,
    unread_count,
)
from carethread.reads.looking import Looking
from carethread.store.access import Filter, lines
from carethread.store.database import Connection
from carethread.store.schema import access_log as log_table
from carethread.writes import (
    Opening,
    Refiling,
    ThreadChange,
    change_thread,
    open_thread,
    post_message,
    refile,
    refiling,
    set_aside,
)
from tests.region import Region, reference, role

RESTRICTED = Visibility(restricted=True)


def log_of(region: Region) -> list[AccessEntry]:
    with region.service.archive.database.snapshot() as connection:
        return list(lines(connection, Filter()))


def everything(service: CoordinationService) -> list[object]:
    """Return all that is recorded."""
    found: list[object] = []
    for status in service.records():
        record = service.record(status.coordination_id)
        found.append(status)
        found += [record.read_communication(each.communication_id) for each in record.communications()]
    return found


@pytest.fixture
def steward(region: Region) -> Caller:
    region.service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    return Caller(region.id("N1"), ActorKind.STEWARD)


# ── The same patient twice ────────────────────────────────────────────────────────────────────────────────────────────


def test_merged_patients_show_the_threads_of_both(region: Region) -> None:
    service = region.service
    first = region.open("A1", ("Clinic-B", "Network-P1"), on_behalf_of="Pharmacy-A")
    second = region.open("A1", ("Network-P2",), patient="P2")

    def shown(who: str, patient: str) -> set[str]:
        found = patient_threads(service, region.caller(who), region.id(patient))
        return {each.ledger.communication_id for each in found}

    assert (shown("A1", "P1"), shown("A1", "P2")) == ({first}, {second})
    assert (shown("P1", "P1"), shown("R2", "P2")) == ({first}, {second})
    link = [{"other": reference("P1"), "type": "replaced-by"}]
    region.load({"resourceType": "Patient", "id": "P2", "name": [{"text": "Jane Roe"}], "link": link})
    for patient in ("P1", "P2"):
        for who in ("A1", "P1", "P2", "R1", "R2"):
            expected = {first, second} if who == "A1" else shown(who, "P1")
            assert shown(who, patient) == expected
        hits = search(service, region.caller("A1"), Looking("hello", patient=region.id(patient))).hits
        assert {each.thread for each in hits} == {first, second}
    # Each is in the network of one of the two names, and reads what that network takes part in.
    assert shown("P1", "P2") == {first}
    assert shown("R2", "P1") == {second}


# ── The wrong patient ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def wrong(region: Region) -> tuple[CommunicationId, MessageId]:
    """A message about P2 that went into the record of P1, in a confidential thread, with a file."""
    file = AttachmentContent(b"x,y\n", "text/csv", "values.csv")
    thread = region.open(
        "A1",
        ("Clinic-B",),
        message=MessageContent("She takes too much", attachments=(file,)),
        on_behalf_of="Pharmacy-A",
        visibility=Visibility(Sensitivity.CONFIDENTIAL),
        others=("A2", "B1"),
    )
    return thread, read_thread(region.service, region.auditor, thread).messages[0].id


@pytest.mark.parametrize("failing", [None, "post_message", "open_thread", "change_thread"])
def test_a_message_is_filed_again(
    region: Region, wrong: tuple[CommunicationId, MessageId], monkeypatch: pytest.MonkeyPatch, failing: str | None
) -> None:
    """Whatever fails in between, or after it was recorded: the same call goes on."""
    service = region.service
    thread, message = wrong
    asked = Refiling(message, region.id("P2"))
    if failing is not None:
        for late in (False, True) if failing != "change_thread" else (False,):
            real = getattr(refiling, failing)

            def fail(*given: Any, real: Callable[..., Any] = real, late: bool = late, **more: Any) -> Any:
                if late:
                    real(*given, **more)
                raise errors.StorageError("the power went")

            monkeypatch.setattr(refiling, failing, fail)
            with pytest.raises(errors.StorageError):
                refile(service, region.caller("A1"), asked)
            monkeypatch.undo()
    done = refile(service, region.caller("A1"), asked)
    old = read_thread(service, region.auditor, thread)
    assert [each.corrects for each in old.messages] == [None, message, None]
    assert old.messages[1].id == done.correction
    assert (old.ledger.status, old.ledger.visibility.restricted) == (ThreadStatus.ARCHIVED, True)
    new = read_thread(service, region.auditor, done.thread)
    assert [each.body for each in new.messages] == ["She takes too much"]
    assert new.ledger.visibility == Visibility(Sensitivity.CONFIDENTIAL)
    assert new.record != old.record
    file, data = read_attachment(service, region.caller("B1"), new.messages[0].id, 1)
    assert (file.file_name, data) == ("values.csv", b"x,y\n")
    assert len(list(service.records())) == 2
    assert list(service.verify()) == []


def test_whoever_files_the_message_of_another_says_so(region: Region, wrong: tuple[CommunicationId, MessageId]) -> None:
    done = refile(region.service, region.caller("A2"), Refiling(wrong[1], region.id("P2"), readers=region.ids("B2")))
    (message,) = read_thread(region.service, region.auditor, done.thread).messages
    assert message.body.startswith("Written by Anna Visser at 2026-")
    assert region.id("B2") in [
        each.id for each in read_thread(region.service, region.auditor, wrong[0]).ledger.participants
    ]


@pytest.mark.parametrize(
    ("who", "more", "error"),
    [
        ("B1", {}, errors.NotAllowedError),
        ("C1", {}, errors.UnknownMessageError),
        ("A1", {"patient": "P1"}, errors.WrongPatientError),
        ("A1", {"recipients": ("Empty-E",)}, errors.NoReaderError),
        ("A1", {"recipients": ("Network-P1",)}, errors.WrongPatientError),
    ],
)
def test_a_refused_filing_records_nothing(
    region: Region,
    wrong: tuple[CommunicationId, MessageId],
    who: str,
    more: dict[str, Any],
    error: type[CarethreadError],
) -> None:
    before = everything(region.service)
    recipients = region.ids(*more.get("recipients", ()))
    asked = Refiling(wrong[1], region.id(more.get("patient", "P2")), recipients)
    with pytest.raises(error):
        refile(region.service, region.caller(who), asked)
    assert everything(region.service) == before
    last = log_of(region)[-1]
    assert (last.message, last.action, last.detail) == (wrong[1], Action.WRITTEN, error.code)


def test_a_filing_that_would_leave_a_side_without_readers(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    message = read_thread(region.service, region.auditor, thread).messages[0].id
    with pytest.raises(errors.NoReaderError):
        refile(region.service, region.caller("A1"), Refiling(message, region.id("P2")))
    assert len(read_thread(region.service, region.auditor, thread).messages) == 1


def test_a_message_to_everyone_is_filed_again_for_everyone(region: Region) -> None:
    """A plain thread, as it was before there were addresses."""
    service = region.service
    first = region.open("A1", ("A2",))
    record = service.record(next(service.records()).coordination_id)
    listed = read_thread(service, region.auditor, first).ledger.participants
    author = Author(region.id("A1"), "Anna Visser")
    plain = record.communication_create(author, "Somewhere", listed, MessageContent("To all"))
    message = record.read_communication(plain).messages[0].id
    done = refile(service, region.caller("A1"), Refiling(message, region.id("P2")))
    ledger = read_thread(service, region.auditor, done.thread).ledger
    assert ledger.addressing is not None
    assert ledger.addressing.recipients == region.ids("A2")


# ── Who comes and who leaves ──────────────────────────────────────────────────────────────────────────────────────────


def test_who_leaves_reads_no_more_and_who_comes_reads_all(region: Region, steward: Caller) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    post_message(service, region.caller("B1"), thread, MessageContent("Yes"))
    region.load(role("A1", "Pharmacy-A", "pharmacist", active=False))
    with pytest.raises(errors.UnknownThreadError):
        read_thread(service, region.caller("A1"), thread)
    assert inbox(service, region.caller("A1")).lines == ()
    region.load(role("C1", "Pharmacy-A", "pharmacist"))
    assert len(read_thread(service, region.caller("C1"), thread).messages) == 2
    # While anybody is left, the steward is a stranger.
    with pytest.raises(errors.UnknownThreadError):
        change_thread(service, steward, thread, ThreadChange(ThreadStatus.CLOSED))
    for each in ("A2", "A9", "X1", "C1"):
        code = "admin" if each == "A9" else "pharmacist"
        region.load(role(each, "Pharmacy-A", code, active=False))
    assert len(read_thread(service, steward, thread).messages) == 2
    with pytest.raises(errors.NotAllowedError):
        post_message(service, steward, thread, MessageContent("I only look after it"))
    change_thread(service, steward, thread, ThreadChange(ThreadStatus.CLOSED))
    assert read_thread(service, region.caller("B1"), thread).ledger.status is ThreadStatus.CLOSED
    assert log_of(region)[-2].actor_kind == "steward"


def test_an_emergency(region: Region) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    with pytest.raises(errors.NotAllowedError):
        open_in_emergency(service, region.caller("B2"), thread, "it is not restricted")
    change_thread(service, region.caller("A1"), thread, ThreadChange(visibility=RESTRICTED))
    with pytest.raises(errors.UnknownThreadError):
        read_thread(service, region.caller("B2"), thread)
    for each in ("B9", "C1", "P1"):
        with pytest.raises(errors.UnknownThreadError):
            open_in_emergency(service, region.caller(each), thread, "unconscious")
    with pytest.raises(errors.PurposeError):
        open_in_emergency(service, region.caller("B2"), thread, "")
    with pytest.raises(errors.InvalidValueError):
        open_in_emergency(service, region.caller("B2"), thread, "two\nlines")
    view = open_in_emergency(service, region.caller("B2"), thread, "unconscious")
    assert len(view.messages) == 2
    wanted = Filter(action=Action.EMERGENCY, outcome=Outcome.DONE, record=view.record, thread=thread)
    (entry,) = access_log(service, region.auditor, wanted)
    assert (entry.purpose, entry.actor, entry.version) == ("unconscious", region.id("B2"), view.version)
    assert unread_count(service, region.caller("B2")) == 0


def test_a_file_in_an_emergency(region: Region) -> None:
    service = region.service
    content = MessageContent("The values", attachments=(AttachmentContent(b"x,y\n", "text/csv", "values.csv"),))
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1"), message=content)
    (message,) = (each.id for each in read_thread(service, region.caller("B2"), thread).messages)
    change_thread(service, region.caller("A1"), thread, ThreadChange(visibility=RESTRICTED))
    with pytest.raises(errors.UnknownMessageError):
        read_attachment(service, region.caller("B2"), message, 1)
    file, data = open_attachment_in_emergency(service, region.caller("B2"), thread, message, 1, "unconscious")
    assert (file.file_name, data) == ("values.csv", b"x,y\n")
    last = log_of(region)[-1]
    assert (last.action, last.purpose, last.message) == (Action.EMERGENCY, "unconscious", message)
    assert last.detail == "attachment 1"
    for number in (0, 2):
        with pytest.raises(errors.UnknownMessageError):
            open_attachment_in_emergency(service, region.caller("B2"), thread, message, number, "unconscious")
    with pytest.raises(errors.UnknownThreadError):
        open_attachment_in_emergency(service, region.caller("C1"), thread, message, 1, "unconscious")


# ── What a refused write leaves ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [
        {"message": MessageContent("Hi", in_response_to=MessageId("550e8400-e29b-41d4-a716-446655440000"))},
        {"message": MessageContent("Hi", corrects=MessageId("550e8400-e29b-41d4-a716-446655440000"))},
        {"message": MessageContent("")},
        {"message": MessageContent("Hi", recipients=("00000000-0000-0000-0000-000000000001",))},  # type: ignore[arg-type]
        {"identifier": ClientIdentifier("x", "")},
        {"continues": CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")},
        {"continues": CommunicationId("nonsense")},
        {"to": ("Empty-E",)},
        {"to": ()},
        {"policies": Policies(allow_external_organisations=False)},
    ],
    ids=str,
)
def test_a_refused_first_thread_begins_no_record(region: Region, more: dict[str, Any]) -> None:
    fields = {"message": MessageContent("Hi")} | more
    identifier = fields.pop("identifier", None)
    recipients = region.ids(*fields.pop("to", ("Clinic-B",)))
    opening = Opening(region.id("P1"), recipients, **fields)
    with pytest.raises(CarethreadError) as caught:
        open_thread(region.service, region.caller("A1"), opening, client_identifier=identifier)
    assert list(region.service.records()) == []
    (last,) = [each for each in log_of(region) if each.action is Action.WRITTEN]
    assert last.detail == caught.value.code


def test_a_refused_write_leaves_a_line_and_nothing_else(region: Region) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    message = read_thread(service, region.auditor, thread).messages[0].id
    clinic = region.id("Clinic-B")
    refused: list[tuple[str, Callable[[Caller], object]]] = [
        ("C1", lambda who: post_message(service, who, thread, MessageContent("x"))),
        ("B1", lambda who: post_message(service, who, thread, MessageContent("x", corrects=message))),
        ("A1", lambda who: post_message(service, who, thread, MessageContent("x", on_behalf_of=clinic))),
        ("B9", lambda who: change_thread(service, who, thread, ThreadChange(visibility=RESTRICTED))),
        ("A1", lambda who: change_thread(service, who, thread, ThreadChange(visibility=RESTRICTED))),
        ("A1", lambda who: change_thread(service, who, thread, ThreadChange())),
        ("A1", lambda who: change_thread(service, who, thread, ThreadChange(add=(message,)))),  # type: ignore[arg-type]
        ("A1", lambda who: set_aside(service, who, thread, clinic)),
    ]
    before = everything(service)
    for who, write in refused:
        count = len(log_of(region))
        with pytest.raises(CarethreadError) as caught:
            write(region.caller(who))
        (line,) = log_of(region)[count:]
        assert (line.actor, line.thread, line.detail) == (region.id(who), thread, caught.value.code)
        assert line.outcome is not Outcome.DONE
    assert everything(service) == before
    assert list(service.verify()) == []


# ── The log ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_answered_that_is_not_logged(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    closed = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    message = read_thread(service, region.auditor, thread).messages[0].id
    before, logged = everything(service), log_of(region)
    many = Connection.many

    def failing(self: Connection, statement: Any, rows: list[Any]) -> None:
        if rows and getattr(statement, "table", None) is log_table:
            raise errors.StorageError("the disk of the log is full")
        many(self, statement, rows)

    monkeypatch.setattr(Connection, "many", failing)
    who = region.caller("B1")
    asked: list[Callable[[], object]] = [
        lambda: read_thread(service, who, thread),
        lambda: read_message(service, who, message),
        lambda: read_attachment(service, who, message, 1),
        lambda: inbox(service, who),
        lambda: unread_count(service, who),
        lambda: patient_threads(service, who, region.id("P1")),
        lambda: search(service, who, Looking("hello")),
        lambda: list(access_log(service, region.auditor, Filter())),
        lambda: reconstruct(service, region.auditor, region.id("B1"), service.archive.clock()),
        lambda: post_message(service, who, thread, MessageContent("x")),
        lambda: change_thread(service, region.caller("A1"), closed, ThreadChange(ThreadStatus.CLOSED)),
        lambda: set_aside(service, who, thread, region.id("Clinic-B")),
        lambda: region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A"),
        # Not even a refusal.
        lambda: read_thread(service, region.caller("C1"), thread),
        lambda: post_message(service, region.caller("C1"), thread, MessageContent("x")),
    ]
    for each in asked:
        with pytest.raises(errors.StorageError, match="the disk of the log is full"):
            each()
    monkeypatch.undo()
    assert everything(service) == before
    assert log_of(region) == logged
    assert unread_count(service, who) == 2
    assert read_thread(service, who, thread).asides == ()


@pytest.mark.parametrize("said", ["a\0b", "\ud800", "x" * 201, "two\nlines"])
def test_what_a_caller_says_of_itself_can_be_kept(region: Region, said: str) -> None:
    """Else one caller would fail everybody whose line is stored in the same batch."""
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    for field in ("client", "request_id", "purpose"):
        caller = replace(region.caller("A1"), **{field: said})
        with pytest.raises(errors.InvalidValueError, match=field):
            read_thread(region.service, caller, thread)
        with pytest.raises(errors.InvalidValueError, match=field):
            post_message(region.service, caller, thread, MessageContent("x"))


def test_only_auditors_are_shown_the_log(region: Region) -> None:
    service = region.service
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    auditor = replace(region.auditor, purpose="")
    for caller, error in (
        (region.caller("A1"), errors.NotAllowedError),
        (auditor, errors.PurposeError),
        (Caller(region.id("A1"), ActorKind.AUDITOR, "curious"), errors.NotAllowedError),
    ):
        with pytest.raises(error):
            access_log(service, caller, Filter())
        with pytest.raises(error):
            reconstruct(service, caller, region.id("A1"), service.archive.clock())
    found = list(access_log(service, region.auditor, Filter(since=1, until=service.archive.clock())))  # type: ignore[arg-type]
    assert found[-1].action is Action.EXPORTED
    assert [each.number for each in found] == sorted({each.number for each in found})
    assert list(access_log(service, region.auditor, Filter(actor=region.id("B1")))) == []


def test_nobody_asks_nothing(region: Region) -> None:
    with pytest.raises(errors.PurposeError):
        inbox(region.service, Caller(None))


# ── Corrections after a thread was closed ─────────────────────────────────────────────────────────────────────────────


def test_every_view_of_a_message_points_to_its_correction(region: Region) -> None:
    service = region.service
    first = region.open("A1", ("Clinic-B",), "Ten milligrams", on_behalf_of="Pharmacy-A")
    message = read_thread(service, region.auditor, first).messages[0].id
    change_thread(service, region.caller("A1"), first, ThreadChange(ThreadStatus.CLOSED))
    with pytest.raises(errors.NotAllowedError):
        region.open("B1", ("Pharmacy-A",), message=MessageContent("One", corrects=message), on_behalf_of="Clinic-B")
    content = MessageContent("One milligram", corrects=message)
    second = region.open("A1", ("Clinic-B", "C1"), message=content, on_behalf_of="Pharmacy-A", continues=first)
    hidden = region.open("A1", ("C1",), message=content)
    correction = read_thread(service, region.auditor, second).messages[0].id
    for view in (
        read_thread(service, region.caller("B1"), first),
        read_message(service, region.caller("B1"), message)[0],
    ):
        assert [(each.corrects, each.thread, each.message) for each in view.corrected_elsewhere] == [
            (message, second, correction)
        ]
    assert read_thread(service, region.caller("B1"), first).continued_by == (second,)
    shown = read_message(service, region.caller("A1"), message)[0].corrected_elsewhere
    assert [each.thread for each in shown] == [second, hidden]


def test_neither_record_leads_to_the_other_patient(region: Region, wrong: tuple[CommunicationId, MessageId]) -> None:
    service = region.service
    thread, message = wrong
    done = refile(service, region.caller("A1"), Refiling(message, region.id("P2"), readers=region.ids("A2", "B2")))
    left, right = (service.record(read_thread(service, region.auditor, each).record) for each in (thread, done.thread))
    left.flush()
    right.flush()
    for record, other in (
        (left, (right.coordination_id, done.thread)),
        (right, (left.coordination_id, thread, message)),
    ):
        said = subprocess.run(
            ["git", "log", "--patch", "--format=raw"], cwd=record.path, check=True, capture_output=True, text=True
        ).stdout
        assert "Client-Identifier: " in said
        assert not [each for each in other if each in said]
