"""What the library does when all is well, on both backends."""

import subprocess
from pathlib import Path

import pytest

from carethread import (
    Addressing,
    AttachmentContent,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    LifecycleState,
    MessageContent,
    MessageType,
    Party,
    Policies,
    Role,
    Sensitivity,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)
from carethread.clock import Instant, format_instant
from carethread.errors import DuplicateRecordError
from tests.people import (
    ADDRESSED,
    ADDRESSING,
    CLINIC,
    CLINICAL_ID,
    GP,
    JANE,
    JOHN,
    PHARMACIST,
    PHARMACY,
    PLACE,
    PLAIN,
    SECOND_PHARMACIST,
    TOM,
    Ticking,
    listed,
)


def git(record: CoordinationRecord, *arguments: str) -> str:
    """Ask stock git about a record's repository."""
    done = subprocess.run(["git", *arguments], cwd=record.path, check=True, capture_output=True, text=True)
    return done.stdout


def test_a_conversation_reads_back_as_it_was_written(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("Short of breath.\nPlease review."))
    answer = record.add_message(TOM, PLACE, thread, MessageContent("No acute changes: 2*500*3 mg, >6.0"))
    record.add_message(JOHN, "Home", thread, MessageContent("Thank you", in_response_to=answer))
    found = record.read_communication(thread)
    assert [(each.type, each.author_name, each.body) for each in found.messages] == [
        (MessageType.CLINICIAN, "Dr Jane Smith", "Short of breath.\nPlease review."),
        (MessageType.CLINICIAN, "Dr Tom Patel", "No acute changes: 2*500*3 mg, >6.0"),
        (MessageType.PATIENT, "John Doe", "Thank you"),
    ]
    assert found.messages[2].in_response_to == answer
    assert found.ledger.last_updated_at == found.messages[2].timestamp
    assert found.ledger.status is ThreadStatus.OPEN


def test_the_repository_is_what_stock_git_expects(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    message = record.add_message(TOM, "Ward 7", thread, MessageContent("Two"))
    record.flush()
    assert git(record, "status", "--porcelain") == ""
    git(record, "fsck", "--full", "--strict")
    log = git(record, "log", "-1", "--format=%an|%ae|%cn|%B")
    assert log.startswith(f"Dr Tom Patel|{TOM.id}@carethread.invalid|Carethread|coordination:update: Added message")
    assert f"Care-Location: Ward 7\nCommunication-ID: {thread}\nMessage-ID: {message}\n" in log
    shown = (record.path / "communications" / thread / "thread.md").read_text()
    assert shown == git(record, "show", f"HEAD:communications/{thread}/thread.md")
    assert shown.count("## Message\n") == 2
    assert git(record, "rev-parse", "--show-object-format").strip() == "sha256"
    assert git(record, "rev-parse", "HEAD").strip() == record.read_communication(thread).version


def test_an_organisation_is_answered_whoever_wrote(record: CoordinationRecord) -> None:
    opening = MessageContent("Can you review the patient's medication list?")
    thread = record.communication_create(PHARMACIST, PLACE, ADDRESSED, opening, addressing=ADDRESSING)
    record.add_message(GP, PLACE, thread, MessageContent("Yes, today.", on_behalf_of=CLINIC.id))
    follow_up = MessageContent("Thank you for the quick response!", on_behalf_of=PHARMACY.id)
    record.add_message(SECOND_PHARMACIST, PLACE, thread, follow_up)
    messages = record.read_communication(thread).messages
    clinic, pharmacy = Party(CLINIC.id, CLINIC.name), Party(PHARMACY.id, PHARMACY.name)
    assert [(each.author_name, each.on_behalf_of, each.to) for each in messages] == [
        ("Pat Pill", None, (clinic,)),
        ("Dr Bo Bell", clinic, (pharmacy,)),
        ("Sam Script", pharmacy, (clinic,)),
    ]


def test_a_correction_stands_beside_what_it_corrects(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("Take 50 mg"))
    wrong = record.read_communication(thread).messages[0]
    record.add_message(JANE, PLACE, thread, MessageContent("Take 5 mg", corrects=wrong.id))
    first, second = record.read_communication(thread).messages
    assert first == wrong
    assert (second.type, second.corrects, second.author_role) == (MessageType.CORRECTION, wrong.id, Role.CLINICIAN)


def test_after_closing_an_error_is_corrected_in_a_thread_that_continues(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("Take 50 mg"))
    wrong = record.read_communication(thread).messages[0]
    record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="closed"))
    correction = MessageContent("Take 5 mg", corrects=wrong.id)
    later = record.communication_create(JANE, PLACE, PLAIN, correction, continues=thread)
    found = record.read_communication(later)
    assert found.ledger.continues == thread
    assert found.messages[0].corrects == wrong.id


def test_every_change_of_the_ledger_is_told_in_the_thread(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, listed(JANE, JOHN))
    update = LedgerUpdate(
        add_participants=listed(TOM),
        remove_participants=(JOHN.id,),
        visibility=Visibility(Sensitivity.CONFIDENTIAL, restricted=True),
        policies=Policies(allow_patient_participation=False),
    )
    told = record.update_communication_ledger(JANE, PLACE, thread, update)
    record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="closed"))
    record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="archived"))
    found = record.read_communication(thread)
    assert found.messages[0].id == told
    assert [each.type for each in found.messages] == [MessageType.SYSTEM] * 3
    assert found.messages[0].body.split("\n") == [
        "Dr Tom Patel (clinician) was added to the thread.",
        "John Doe (patient) was removed from the thread.",
        "The sensitivity was changed from standard to confidential.",
        "The thread was restricted to named individuals.",
        "Participation of patients and their associates was disallowed.",
    ]
    assert found.ledger.status is ThreadStatus.ARCHIVED
    assert [each.id for each in found.ledger.participants] == [JANE.id, TOM.id]


def test_a_member_changes_the_ledger_on_behalf_of_the_group(record: CoordinationRecord) -> None:
    thread = record.communication_create(PHARMACIST, PLACE, ADDRESSED, addressing=ADDRESSING)
    update = LedgerUpdate(add_participants=listed(JANE))
    record.update_communication_ledger(SECOND_PHARMACIST, PLACE, thread, update, on_behalf_of=PHARMACY.id)
    assert record.read_communication(thread).messages[0].on_behalf_of == Party(PHARMACY.id, PHARMACY.name)


def test_attachments_are_files_beside_the_thread(record: CoordinationRecord) -> None:
    scan = AttachmentContent(b"\x89PNG...", "image/png", "chest x-ray.png")
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("See", attachments=(scan,)))
    record.add_message(TOM, PLACE, thread, MessageContent(attachments=(scan,)))
    other = AttachmentContent(b"notes", "text/x-unheard-of", "notes")
    record.add_message(TOM, PLACE, thread, MessageContent(attachments=(scan, other)))
    record.flush()
    folder = record.path / "communications" / thread / "attachments"
    assert sorted(each.suffix for each in folder.iterdir()) == [".bin", ".png"]
    described = record.read_communication(thread).messages[0].attachments[0]
    assert (folder / f"{described.sha256}.png").read_bytes() == scan.data
    assert (described.size, described.file_name) == (len(scan.data), "chest x-ray.png")
    assert git(record, "status", "--porcelain") == ""


def test_when_it_was_sent_and_through_what(record: CoordinationRecord, clock: Ticking) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("First"))
    first = record.read_communication(thread).messages[0]
    earlier = Instant(first.timestamp + 5)
    clock.now += 60_000
    content = MessageContent("Second", in_response_to=first.id, sent=earlier, via=Party(CLINIC.id, "Clinic system"))
    record.add_message(TOM, PLACE, thread, content)
    second = record.read_communication(thread).messages[1]
    assert (second.sent, second.via) == (earlier, Party(CLINIC.id, "Clinic system"))
    clock.step = 0
    record.add_message(TOM, PLACE, thread, MessageContent("Third", sent=Instant(clock.now)))
    assert record.read_communication(thread).messages[2].sent is None


def test_a_clock_slightly_behind_takes_the_time_of_the_last_entry(record: CoordinationRecord, clock: Ticking) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("First"))
    clock.now -= 2_500
    record.add_message(TOM, PLACE, thread, MessageContent("Second"))
    first, second = record.read_communication(thread).messages
    assert first.timestamp == second.timestamp


def test_asking_twice_under_one_identifier_records_once(record: CoordinationRecord) -> None:
    name = ClientIdentifier("clinic-system", "msg 1/ä")
    content = MessageContent("Once", attachments=(AttachmentContent(b"x", "text/plain", "x.txt"),))
    thread = record.communication_create(JANE, PLACE, PLAIN, content, client_identifier=name)
    assert record.communication_create(JANE, PLACE, PLAIN, content, client_identifier=name) == thread
    other = ClientIdentifier("clinic-system", "msg 2")
    message = record.add_message(JANE, PLACE, thread, MessageContent("Two"), client_identifier=other)
    assert record.add_message(JANE, PLACE, thread, MessageContent("Two"), client_identifier=other) == message
    somebody_else = ClientIdentifier("another-system", "msg 2")
    assert record.add_message(JANE, PLACE, thread, MessageContent("Two"), client_identifier=somebody_else) != message
    assert [each.body for each in record.read_communication(thread).messages] == ["Once", "Two", "Two"]


def test_a_record_is_suspended_resumed_and_closed(record: CoordinationRecord) -> None:
    record.update_coordination_status(JANE, PLACE, StatusUpdate(LifecycleState.SUSPENDED))
    assert record.status().lifecycle_state is LifecycleState.SUSPENDED
    record.update_coordination_status(JANE, PLACE, StatusUpdate(LifecycleState.ACTIVE, record_queryable=False))
    thread = record.communication_create(JANE, PLACE, PLAIN)
    record.update_coordination_status(JANE, PLACE, StatusUpdate(LifecycleState.CLOSED))
    status = record.status()
    assert (status.lifecycle_state, status.record_queryable) == (LifecycleState.CLOSED, False)
    assert record.read_communication(thread).messages == ()


def test_records_are_found(service: CoordinationService, record: CoordinationRecord) -> None:
    other = service.initialise(JANE, PLACE, "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    assert {each.coordination_id for each in service.records()} == {record.coordination_id, other.coordination_id}
    assert service.record(record.coordination_id).status().clinical_id == CLINICAL_ID
    found = service.find_record(CLINICAL_ID)
    assert found is not None
    assert found.coordination_id == record.coordination_id
    assert service.find_record("c4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12") is None
    with pytest.raises(DuplicateRecordError):
        service.initialise(JANE, PLACE, CLINICAL_ID)


def test_many_records_are_listed_in_pages(service: CoordinationService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.store.archive._PAGE", 2)
    made = {
        service.initialise(JANE, PLACE, f"{number:08x}-3b2e-4c5f-9d7a-1e8b6c0a9f12").coordination_id
        for number in range(5)
    }
    listed_ids = [each.coordination_id for each in service.records()]
    assert listed_ids == sorted(made)


def test_threads_and_messages_are_found(record: CoordinationRecord) -> None:
    first = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    second = record.communication_create(TOM, PLACE, PLAIN)
    assert [each.communication_id for each in record.communications()] == [first, second]
    message = record.read_communication(first).messages[0]
    assert record.read_message(message.id) == (record.read_communication(first).ledger, message)


def test_the_history_is_told_in_plain_words(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    message = record.add_message(TOM, "Ward 7", thread, MessageContent("Two"))
    entries = list(record.history())
    assert [each.summary for each in entries] == [
        "Created coordination record",
        "Created messaging thread",
        "Added message to thread",
    ]
    last = entries[-1]
    assert (last.author_name, last.author_id, last.care_location) == ("Dr Tom Patel", TOM.id, "Ward 7")
    assert (last.thread_id, last.message_id, last.signed) == (thread, message, False)
    assert last.commit == record.read_communication(thread).version
    assert format_instant(last.at).startswith("2026-01-11T")


def test_a_rebuilt_index_answers_the_same(service: CoordinationService, record: CoordinationRecord) -> None:
    name = ClientIdentifier("system", "1")
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"), client_identifier=name)
    record.add_message(
        TOM, PLACE, thread, MessageContent("Two", attachments=(AttachmentContent(b"x", "text/plain", "x"),))
    )
    before = (record.communications(), record.read_communication(thread), record.status())
    assert service.rebuild() == 1
    assert (record.communications(), record.read_communication(thread), record.status()) == before
    assert record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"), client_identifier=name) == thread
    record.add_message(TOM, PLACE, thread, MessageContent("Three"))
    assert list(service.verify()) == []


def test_nothing_is_lost_when_a_service_is_closed_and_opened(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path, flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
        assert service.backlog().commits == 2
    with CoordinationService.open(tmp_path) as service:
        again = service.record(record.coordination_id)
        assert [each.body for each in again.read_communication(thread).messages] == ["One"]
        service.flush()
        assert service.backlog().commits == 0
        assert list(service.verify()) == []


def test_a_backup_restores_to_the_same(
    tmp_path: Path, service: CoordinationService, record: CoordinationRecord
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    service.backup(tmp_path / "backup.tar")
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "restored") as restored:
        again = restored.record(record.coordination_id)
        assert again.read_communication(thread) == record.read_communication(thread)
        again.add_message(TOM, PLACE, thread, MessageContent("Two"))
        assert list(restored.verify()) == []


def test_verifying_some_records_with_progress(service: CoordinationService, record: CoordinationRecord) -> None:
    calls: list[tuple[int, int]] = []
    assert list(service.verify([record.coordination_id], lambda done, total: calls.append((done, total)))) == []
    assert calls == [(0, 1), (1, 1)]


def test_a_correction_from_a_continuing_thread_may_name_its_recipients(record: CoordinationRecord) -> None:
    opening = MessageContent("Take 50 mg")
    thread = record.communication_create(PHARMACIST, PLACE, ADDRESSED, opening, addressing=ADDRESSING)
    wrong = record.read_communication(thread).messages[0].id
    record.update_communication_ledger(PHARMACIST, PLACE, thread, LedgerUpdate(status="closed"))
    correction = MessageContent("Take 5 mg", corrects=wrong, recipients=(JANE.id,))
    later = record.communication_create(PHARMACIST, PLACE, listed(PHARMACIST, JANE), correction, continues=thread)
    derived = MessageContent("Take 0.5 mg", corrects=wrong)
    other = record.communication_create(
        PHARMACIST, PLACE, listed(PHARMACIST, JANE), derived, addressing=Addressing(PHARMACIST.id, (JANE.id,))
    )
    for each in (later, other):
        assert [party.id for party in record.read_communication(each).messages[0].to] == [JANE.id]


def test_a_correction_goes_where_the_original_went_in_a_plain_thread_too(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    wrong = record.add_message(JANE, PLACE, thread, MessageContent("Take 50 mg", recipients=(TOM.id,)))
    record.add_message(JANE, PLACE, thread, MessageContent("Take 5 mg", corrects=wrong))
    assert [each.id for each in record.read_communication(thread).messages[1].to] == [TOM.id]


def test_an_installation_may_be_renamed(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path, name="Old Name") as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
    file = tmp_path / "installation.yaml"
    file.write_text(file.read_text().replace("Old Name", "New Name"))
    with CoordinationService.open(tmp_path) as service:
        again = service.record(record.coordination_id)
        again.communication_create(JANE, PLACE, PLAIN)
        assert list(service.verify()) == []
        other = service.initialise(JANE, PLACE, "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
        assert other.status().custodian.name == "New Name"
