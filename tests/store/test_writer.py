"""The writer: batches, failures, and who is told what."""

import os
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from carethread import ClientIdentifier, CoordinationRecord, CoordinationService, MessageContent, errors
from carethread.ids import ClinicalId, CoordinationId, MessageId
from carethread.store import writer as writer_module
from carethread.store.archive import Archive
from carethread.store.database import DeadlockError
from carethread.store.journal import write_rows
from carethread.store.state import RecordState
from carethread.store.writer import Decision, Job, View
from tests.people import CLINICAL_ID, JANE, PLACE, PLAIN, TOM

NOBODY = CoordinationId("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88")


def bodies(record: CoordinationRecord) -> list[str]:
    return [
        message.body
        for ledger in record.communications()
        for message in record.read_communication(ledger.communication_id).messages
    ]


def at_once(*calls: Any) -> list[BaseException | None]:
    """Run calls on threads of their own; return what each raised."""
    raised: list[BaseException | None] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            calls[index]()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            raised[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


class Gate:
    """Holds the writer inside a decision, so that what follows queues up behind it."""

    def __init__(self, archive: Archive, record: CoordinationRecord) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.thread = threading.Thread(target=archive.submit, args=(Job(record.coordination_id, self.decide),))
        self.thread.start()
        self.reached.wait()

    def decide(self, _: View) -> Decision:
        self.reached.set()
        self.opened.wait()
        return Decision("")

    def open(self) -> None:
        self.opened.set()
        self.thread.join()


def test_one_who_is_refused_does_not_take_the_others_along(archive: Archive, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    gate = Gate(archive, record)
    wrong = MessageContent("Wrong", in_response_to="3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")  # type: ignore[arg-type]
    releaser = threading.Timer(0.2, gate.open)
    releaser.start()
    raised = at_once(
        lambda: record.add_message(JANE, PLACE, thread, MessageContent("One")),
        lambda: record.add_message(TOM, PLACE, thread, wrong),
        lambda: record.add_message(TOM, PLACE, thread, MessageContent("Two")),
    )
    releaser.join()
    assert [type(each) for each in raised] == [type(None), errors.UnknownMessageError, type(None)]
    assert sorted(bodies(record)) == ["One", "Two"]


def test_a_bug_in_one_decision_fails_that_one_alone(archive: Archive, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)

    def broken(_: View) -> Decision:
        raise ZeroDivisionError

    gate = Gate(archive, record)
    releaser = threading.Timer(0.2, gate.open)
    releaser.start()
    raised = at_once(
        lambda: record.add_message(JANE, PLACE, thread, MessageContent("One")),
        lambda: archive.submit(Job(record.coordination_id, broken)),
        lambda: record.add_message(JANE, PLACE, thread, MessageContent("Two")),
    )
    releaser.join()
    assert [type(each) for each in raised] == [type(None), ZeroDivisionError, type(None)]
    assert sorted(bodies(record)) == ["One", "Two"]


def test_a_record_that_does_not_exist(archive: Archive) -> None:
    with pytest.raises(errors.UnknownRecordError):
        archive.submit(Job(NOBODY, lambda _: Decision("")))


def test_the_same_patient_twice_at_once(archive: Archive, service: CoordinationService) -> None:
    one, two = ClinicalId(CLINICAL_ID), ClinicalId("b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    raised = at_once(
        *(lambda clinical=clinical: service.initialise(JANE, PLACE, clinical) for clinical in (one, one, two))
    )
    assert sorted(type(each).__name__ for each in raised) == ["DuplicateRecordError", "NoneType", "NoneType"]
    assert len(list(service.records())) == 2


def test_a_row_the_database_refuses(service: CoordinationService, archive: Archive, record: CoordinationRecord) -> None:
    other = service.initialise(JANE, PLACE, "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    taken = record.read_communication(thread).messages[0].id
    archive.mint = lambda: uuid.UUID(taken)
    with pytest.raises(errors.ConflictError):
        other.communication_create(JANE, PLACE, PLAIN, MessageContent("Same id"))
    archive.mint = uuid.uuid4
    later = other.communication_create(JANE, PLACE, PLAIN, MessageContent("Two"))
    assert [each.body for each in other.read_communication(later).messages] == ["Two"]


def test_a_turn_that_does_not_come(
    archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    gate = Gate(archive, record)
    monkeypatch.setattr(writer_module, "TURN_TIMEOUT_S", 0.05)
    with pytest.raises(errors.LockedError, match="nothing was recorded"):
        record.add_message(JANE, PLACE, thread, MessageContent("Too late"))
    monkeypatch.undo()
    gate.open()
    record.add_message(JANE, PLACE, thread, MessageContent("In time"))
    assert bodies(record) == ["In time"]


def test_a_turn_that_came_is_waited_for(
    archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TURN_TIMEOUT_S", 0.05)

    def slow(_: View) -> Decision:
        threading.Event().wait(0.2)
        return Decision("done")

    assert archive.submit(Job(record.coordination_id, slow)) == "done"


def test_the_database_is_locked(archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    monkeypatch.setattr(writer_module, "TURN_TIMEOUT_S", 0.05)
    with archive.database.exclusive(), pytest.raises(errors.LockedError, match="nothing was recorded"):
        record.add_message(JANE, PLACE, thread, MessageContent("One"))
    monkeypatch.undo()
    record.add_message(JANE, PLACE, thread, MessageContent("Two"))
    assert bodies(record) == ["Two"]


def test_two_transactions_in_each_others_way_are_done_again(
    archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    failures = iter([DeadlockError("once")])

    def fail_once(*arguments: Any) -> None:
        for failure in failures:
            raise failure
        write_rows(*arguments)

    monkeypatch.setattr(writer_module, "write_rows", fail_once)
    record.add_message(JANE, PLACE, thread, MessageContent("One"))
    assert bodies(record) == ["One"]


def test_too_much_waits_to_be_flushed(archive: Archive, record: CoordinationRecord) -> None:
    archive.materialiser.backlog_full = True
    with pytest.raises(errors.BacklogFullError):
        record.communication_create(JANE, PLACE, PLAIN)
    record.flush()
    archive.materialiser.round()
    record.communication_create(JANE, PLACE, PLAIN)


def test_a_closed_service(tmp_path: Path) -> None:
    service = CoordinationService.open(tmp_path, flushes=False)
    record = service.initialise(JANE, PLACE, CLINICAL_ID)
    service.close()
    service.close()
    with pytest.raises(errors.StorageError, match="closed"):
        record.communication_create(JANE, PLACE, PLAIN)


def test_a_service_that_was_opened_before_a_fork(record: CoordinationRecord) -> None:
    child = os.fork()
    if child == 0:
        try:
            record.communication_create(JANE, PLACE, PLAIN)
        except errors.StorageError as error:
            os._exit(0 if "fork" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_hot_records_stay_within_bounds(
    service: CoordinationService, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "CACHE_BYTES", 20_000)
    records = [service.initialise(JANE, PLACE, f"{number:08x}-3b2e-4c5f-9d7a-1e8b6c0a9f12") for number in range(6)]
    threads = [record.communication_create(JANE, PLACE, PLAIN, MessageContent("x" * 5_000)) for record in records]
    assert len(archive.writer._states) < 6
    for record, thread in zip(records, threads, strict=True):
        record.add_message(TOM, PLACE, thread, MessageContent("More"))
        assert len(record.read_communication(thread).messages) == 2


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    with (
        CoordinationService.open(tmp_path, flushes=False) as first,
        CoordinationService.open(tmp_path, flushes=False) as second,
    ):
        record = first.initialise(JANE, PLACE, CLINICAL_ID)
        same = second.record(record.coordination_id)
        thread = record.communication_create(JANE, PLACE, PLAIN)
        for number in range(6):
            (record if number % 2 else same).add_message(JANE, PLACE, thread, MessageContent(str(number)))
        assert bodies(record) == bodies(same) == list("012345")
        assert list(second.verify()) == []


def test_another_installation_only_reads(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path / "a", flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
        service.flush()
        copied = record.path
    with CoordinationService.open(tmp_path / "b", flushes=False) as service:
        target = service._archive.path(record.coordination_id)
        shutil.copytree(copied, target)
        service.rebuild()
        copy = service.record(record.coordination_id)
        assert bodies(copy) == ["One"]
        with pytest.raises(errors.NotCustodianError):
            copy.add_message(JANE, PLACE, thread, MessageContent("Two"))
        assert service.initialise(JANE, PLACE, CLINICAL_ID).coordination_id != copy.coordination_id


def test_what_was_handed_over_is_finished_before_closing(tmp_path: Path) -> None:
    service = CoordinationService.open(tmp_path, flushes=False)
    record = service.initialise(JANE, PLACE, CLINICAL_ID)
    thread = record.communication_create(JANE, PLACE, PLAIN)
    gate = Gate(service._archive, record)
    adding = threading.Thread(target=record.add_message, args=(JANE, PLACE, thread, MessageContent("Last")))
    adding.start()
    while service._archive.writer._queue.qsize() == 0:
        threading.Event().wait(0.01)
    closing = threading.Thread(target=service.close)
    closing.start()
    while service._archive.writer._queue.qsize() == 1:
        threading.Event().wait(0.01)
    gate.open()
    adding.join()
    closing.join()
    with CoordinationService.open(tmp_path, flushes=False) as again:
        assert bodies(again.record(record.coordination_id)) == ["Last"]


def test_batches_are_bounded(archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_BATCH", 2)
    thread = record.communication_create(JANE, PLACE, PLAIN)
    gate = Gate(archive, record)
    releaser = threading.Timer(0.2, gate.open)
    releaser.start()
    texts = [str(number) for number in range(7)]
    raised = at_once(
        *(lambda text=text: record.add_message(JANE, PLACE, thread, MessageContent(text)) for text in texts)
    )
    releaser.join()
    assert raised == [None] * 7
    assert sorted(bodies(record)) == texts


def test_two_turns_that_do_not_come(
    archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    gate = Gate(archive, record)
    monkeypatch.setattr(writer_module, "TURN_TIMEOUT_S", 0.05)
    late = lambda: record.add_message(JANE, PLACE, thread, MessageContent("Too late"))  # noqa: E731
    assert {type(each) for each in at_once(late, late, late)} == {errors.LockedError}
    monkeypatch.undo()
    gate.open()
    assert bodies(record) == []


def test_storage_that_fails_in_mid_batch_fails_the_batch(archive: Archive, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)

    def fail(_: View) -> Decision:
        raise errors.StorageError("the disk is gone")

    gate = Gate(archive, record)
    wrong = MessageContent("Wrong", in_response_to="3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")  # type: ignore[arg-type]
    refused = threading.Thread(target=at_once, args=(lambda: record.add_message(JANE, PLACE, thread, wrong),))
    refused.start()
    while archive.writer._queue.qsize() == 0:
        threading.Event().wait(0.01)
    releaser = threading.Timer(0.2, gate.open)
    releaser.start()
    raised = at_once(lambda: archive.submit(Job(record.coordination_id, fail)))
    refused.join()
    releaser.join()
    assert [str(each) for each in raised] == ["the disk is gone"]
    assert bodies(record) == []


def test_a_patient_another_process_has_just_begun(
    service: CoordinationService, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carethread.coordination.service.find_clinical", lambda *_: None)
    with pytest.raises(errors.ConflictError):
        service.initialise(JANE, PLACE, CLINICAL_ID)
    monkeypatch.undo()
    assert [each.coordination_id for each in service.records()] == [record.coordination_id]


def in_one_batch(archive: Archive, record: CoordinationRecord, *calls: Any) -> list[BaseException | None]:
    """Run calls so that the writer takes them in this order, in one batch."""
    gate = Gate(archive, record)
    raised: list[BaseException | None] = [None] * len(calls)

    def run(index: int) -> None:
        raised[index] = at_once(calls[index])[0]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while archive.writer._queue.qsize() < number:
            threading.Event().wait(0.005)
    gate.open()
    for thread in threads:
        thread.join()
    return raised


def test_a_batch_sees_what_it_has_recorded_itself(archive: Archive, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    first = uuid.UUID("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")
    minted = iter([first])
    archive.mint = lambda: next(minted, uuid.uuid4())
    answer = MessageContent("Two", in_response_to=MessageId(str(first)))
    name = ClientIdentifier("system", "1")
    once = lambda: record.add_message(JANE, PLACE, thread, MessageContent("Once"), client_identifier=name)  # noqa: E731
    raised = in_one_batch(
        archive,
        record,
        lambda: record.add_message(JANE, PLACE, thread, MessageContent("One")),
        lambda: record.add_message(TOM, PLACE, thread, answer),
        once,
        once,
    )
    assert raised == [None] * 4
    assert bodies(record) == ["One", "Two", "Once"]


def test_writes_side_by_side_on_postgresql(tmp_path: Path, fresh_postgres: Callable[[], str]) -> None:
    with CoordinationService.open(tmp_path, database_url=fresh_postgres(), flushes=False) as service:
        database = service._archive.database

        def write() -> None:
            with database.write() as inner:
                assert outer is not inner

        with database.write() as outer:
            assert at_once(write) == [None]
            with pytest.raises(errors.StorageError, match="part of something"):
                write()
        service.initialise(JANE, PLACE, CLINICAL_ID)


def test_what_fails_after_recording_does_not_record_again(
    record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    monkeypatch.setattr(RecordState, "settle", lambda _: 1 // 0)
    record.add_message(JANE, PLACE, thread, MessageContent("One"))
    monkeypatch.undo()
    record.add_message(JANE, PLACE, thread, MessageContent("Two"))
    assert bodies(record) == ["One", "Two"]
