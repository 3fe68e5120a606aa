"""Several writes as one: all of them, or nothing but the refusal."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from carethread import AttachmentContent, CoordinationService, MessageContent, ThreadStatus, errors
from carethread.access_log import AccessEntry, Outcome
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.reads import patient_threads, read_attachment, read_message, read_thread
from carethread.store import access, journal, steps, writer
from carethread.store.database import DeadlockError
from carethread.writes import (
    Opening,
    ThreadChange,
    Unless,
    change_thread,
    create_unless,
    open_thread,
    post_message,
    together,
)
from tests.region import Region

PDF = AttachmentContent(b"%PDF", "application/pdf", "letter.pdf")


class Failing(Exception):  # noqa: N818 - no error of ours
    """What no code of ours raises."""


def bundle(name: str, text: str) -> bytes:
    resource = {"resourceType": "Organization", "id": name, "active": True, "name": text}
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}).encode()


def lines(region: Region) -> list[AccessEntry]:
    """Return the log, adding nothing to it."""
    with region.service.archive.database.read() as connection:
        return list(access.lines(connection, access.Filter()))


def counts(region: Region) -> tuple[int, ...]:
    """Return how much of everything there is."""
    with region.service.archive.database.read() as connection:
        tables = ("record", "thread", "message", "journal", "directory_version", "identifier", "participation")
        return tuple(connection._cursor.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables)


def opening(region: Region, body: str = "Hello") -> Opening:
    return Opening(region.id("P1"), region.ids("Clinic-B"), region.id("Pharmacy-A"), message=MessageContent(body))


def everything(region: Region, service: CoordinationService) -> tuple[CommunicationId, MessageId]:
    """Begin a record, with all that goes with it."""
    service.directory.load(bundle("New-Z", "New Practice"), by="test")
    thread = open_thread(service, region.caller("A1"), opening(region))
    answer = MessageContent("Answer", attachments=(PDF,))
    message = post_message(service, region.caller("B1"), thread, answer)
    change_thread(service, region.caller("A1"), thread, ThreadChange(add=region.ids("A2")))
    return thread, message


def test_all_of_it_is_there(region: Region) -> None:
    thread, message = together(region.service, region.caller("A1"), lambda inside: everything(region, inside))
    shown = read_thread(region.service, region.caller("B1"), thread)
    assert [each.body for each in shown.messages if each.id == message or each.body == "Hello"] == ["Hello", "Answer"]
    assert region.service.directory.find("Organization/New-Z").active
    assert [each.outcome for each in lines(region)] == [Outcome.DONE] * 4
    region.service.flush()
    assert list(region.service.verify()) == []
    assert read_attachment(region.service, region.caller("A1"), message, 1)[1] == b"%PDF"


def test_nothing_of_it_is_there(region: Region) -> None:
    before = counts(region)

    def work(inside: CoordinationService) -> None:
        thread, _ = everything(region, inside)
        post_message(inside, region.caller("C1"), thread, MessageContent("May not"))

    with pytest.raises(errors.UnknownThreadError):
        together(region.service, region.caller("A1"), work)
    assert counts(region) == before
    assert list(region.service.records()) == []
    with pytest.raises(errors.UnknownPersonError):
        region.service.directory.find("Organization/New-Z")
    (refusal,) = lines(region)
    assert (refusal.outcome, refusal.detail) == (Outcome.UNKNOWN, "unknown-thread")
    assert refusal.actor == region.id("C1")


def test_what_fails_otherwise_leaves_nothing_at_all(region: Region) -> None:
    before = counts(region)

    def work(inside: CoordinationService) -> None:
        everything(region, inside)
        raise Failing

    with pytest.raises(Failing):
        together(region.service, region.caller("A1"), work)
    assert (counts(region), lines(region)) == (before, [])


def test_a_refusal_of_the_whole_is_logged_once(region: Region) -> None:
    def work(inside: CoordinationService) -> None:
        everything(region, inside)
        raise errors.InvalidValueError("entry[2]", "refers to nothing")

    with pytest.raises(errors.InvalidValueError):
        together(region.service, region.caller("A1"), work)
    (refusal,) = lines(region)
    assert (refusal.outcome, refusal.detail, refusal.actor) == (Outcome.REFUSED, "invalid-value", region.id("A1"))


def test_a_refusal_the_work_gets_over(region: Region) -> None:
    def work(inside: CoordinationService) -> CommunicationId:
        thread = open_thread(inside, region.caller("A1"), opening(region))
        with pytest.raises(errors.UnknownThreadError):
            post_message(inside, region.caller("C1"), thread, MessageContent("May not"))
        post_message(inside, region.caller("B1"), thread, MessageContent("May"))
        return thread

    thread = together(region.service, region.caller("A1"), work)
    outcomes = [each.outcome for each in lines(region)]
    assert sorted(outcomes) == [Outcome.DONE, Outcome.DONE, Outcome.UNKNOWN]
    assert len(read_thread(region.service, region.auditor, thread).messages) == 2


def test_what_the_writer_remembers_is_right_afterwards(region: Region) -> None:
    """In the middle of records that it knows well."""
    service, a1 = region.service, region.caller("A1")
    thread = region.open("A1", ("Clinic-B",), "One", on_behalf_of="Pharmacy-A")
    post_message(service, region.caller("B1"), thread, MessageContent("Two"))

    def work(inside: CoordinationService) -> None:
        post_message(inside, a1, thread, MessageContent("Never"))
        change_thread(inside, a1, thread, ThreadChange(ThreadStatus.CLOSED))
        open_thread(inside, a1, opening(region, "Never either"))
        raise Failing

    for _ in range(2):
        with pytest.raises(Failing):
            together(service, a1, work)
        post_message(service, region.caller("B1"), thread, MessageContent("More"))
    assert [each.body for each in read_thread(service, a1, thread).messages] == ["One", "Two", "More", "More"]
    service.flush()
    assert list(service.verify()) == []
    assert service.rebuild() == 1


def test_reads_see_the_steps_before_them(region: Region) -> None:
    def work(inside: CoordinationService) -> None:
        a1 = region.caller("A1")
        thread, message = everything(region, inside)
        assert read_thread(inside, a1, thread).ledger.participants[-1].id == region.id("A2")
        assert read_message(inside, a1, message)[1].body == "Answer"
        assert [each.ledger.communication_id for each in patient_threads(inside, a1, region.id("P1"))] == [thread]
        assert read_attachment(inside, a1, message, 1)[1] == b"%PDF"
        assert inside.directory.find("Organization/New-Z").active
        # Nobody else sees them yet.
        assert list(region.service.records()) == []

    together(region.service, region.caller("A1"), work)


def test_files_inside(region: Region) -> None:
    thread = region.open(
        "A1", ("Clinic-B",), "", on_behalf_of="Pharmacy-A", message=MessageContent("", attachments=(PDF,))
    )
    message = read_thread(region.service, region.caller("A1"), thread).messages[0].id
    region.service.flush()

    def work(inside: CoordinationService) -> bytes:
        archive = inside.archive
        (status,) = inside.records()
        with pytest.raises(errors.IntegrityError, match="no file"):
            archive.attachment(status.coordination_id, thread, "attachments/other.pdf")
        with pytest.raises(errors.IntegrityError, match="no file"):
            archive.attachment(status.coordination_id, CommunicationId("no-thread"), "attachments/other.pdf")
        post_message(inside, region.caller("A1"), thread, MessageContent("More"))
        return read_attachment(inside, region.caller("A1"), message, 1)[1]

    assert together(region.service, region.caller("A1"), work) == b"%PDF"


def test_what_needs_a_repository_or_another_transaction_is_refused(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
    (status,) = region.service.records()

    def work(inside: CoordinationService) -> None:
        record = inside.record(status.coordination_id)
        deeds: list[Callable[[], object]] = [
            record.flush,
            lambda: list(record.history()),
            inside.flush,
            inside.archive.waking.listen,
            lambda: post_message(region.service, region.caller("A1"), thread, MessageContent("Out of turn")),
            lambda: region.service.directory.load(bundle("New-Z", "New"), by="test"),
            lambda: together(region.service, region.caller("A1"), lambda _: None),
        ]
        for each in deeds:
            with pytest.raises(errors.StorageError, match=r"part of something|service it was given"):
                each()
        inside.close()

    together(region.service, region.caller("A1"), work)
    assert len(read_thread(region.service, region.auditor, thread).messages) == 1


def test_nothing_outlives_the_work(region: Region) -> None:
    kept: list[CoordinationService] = []

    def work(inside: CoordinationService) -> None:
        raised: list[BaseException] = []

        def elsewhere() -> None:
            try:
                list(inside.records())
            except errors.StorageError as error:
                raised.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(raised) == 1
        kept.append(inside)

    together(region.service, region.caller("A1"), work)
    for deed in (lambda: list(kept[0].records()), lambda: everything(region, kept[0])):
        with pytest.raises(errors.StorageError, match="not after its end"):
            deed()


def test_inside_each_other(region: Region) -> None:
    a1 = region.caller("A1")

    def outer(inside: CoordinationService) -> CommunicationId:
        thread = together(inside, a1, lambda deeper: everything(region, deeper))[0]
        post_message(inside, a1, thread, MessageContent("After it"))
        return thread

    thread = together(region.service, a1, outer)
    assert read_thread(region.service, a1, thread).messages[-1].body == "After it"


def test_what_fails_inside_each_other_fails_all(region: Region) -> None:
    a1 = region.caller("A1")
    before = counts(region)

    def inner(inside: CoordinationService) -> None:
        everything(region, inside)
        raise errors.InvalidValueError("entry", "is wrong")

    def outer(inside: CoordinationService) -> None:
        with pytest.raises(errors.InvalidValueError):
            together(inside, a1, inner)
        # Half of it is there: nothing may be built on that.
        with pytest.raises(errors.InvalidValueError):
            everything(region, inside)

    with pytest.raises(errors.InvalidValueError):
        together(region.service, a1, outer)
    assert counts(region) == before
    assert [each.detail for each in lines(region)] == ["invalid-value"]


def test_a_load_that_fails_fails_all(region: Region) -> None:
    before = counts(region)

    def work(inside: CoordinationService) -> None:
        everything(region, inside)
        with pytest.raises(errors.DirectoryError):
            inside.directory.load(bundle("Other", ""), by="test")

    with pytest.raises(errors.DirectoryError):
        together(region.service, region.caller("A1"), work)
    assert counts(region) == before


def test_a_statement_that_fails_fails_all(region: Region) -> None:
    before = counts(region)

    def work(inside: CoordinationService) -> None:
        everything(region, inside)
        with pytest.raises(errors.CarethreadError), inside.archive.database.read() as connection:
            connection.text("SELECT nonsense(1, 2)")

    with pytest.raises(errors.StorageError):
        together(region.service, region.caller("A1"), work)
    assert counts(region) == before


@pytest.mark.parametrize("bound", ["MOST_STEPS", "MOST_BYTES", "LONGEST_S"])
def test_too_much(region: Region, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counts(region)
    monkeypatch.setattr(steps, bound, 3 if bound != "LONGEST_S" else -1.0)
    with pytest.raises(errors.TooMuchError):
        together(region.service, region.caller("A1"), lambda inside: everything(region, inside))
    monkeypatch.undo()
    assert counts(region) == before
    assert together(region.service, region.caller("A1"), lambda inside: everything(region, inside))


def test_a_work_that_never_looks_back_is_too_long_as_well(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LONGEST_S", -1.0)
    with pytest.raises(errors.TooMuchError):
        together(region.service, region.caller("A1"), lambda _: None)


def test_a_statement_that_takes_too_long(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a pause between two: the database ends it, and with it the locks that others wait for."""
    archive, before = region.service.archive, counts(region)
    if archive.database.is_sqlite:
        return
    monkeypatch.setattr(writer, "LONGEST_S", 0.05)

    def ask(inside: CoordinationService) -> None:
        with inside.archive.database.read() as connection:
            connection.text("SELECT pg_sleep(30)")

    def pause(inside: CoordinationService) -> None:
        time.sleep(0.5)
        list(inside.records())

    for work in (ask, pause):
        with pytest.raises(errors.StorageError):
            together(region.service, region.caller("A1"), lambda inside, work=work: work(inside))  # type: ignore[misc]
    assert counts(region) == before


def test_a_full_backlog(region: Region) -> None:
    region.service.archive.materialiser.backlog_full = True
    assert together(region.service, region.caller("A1"), lambda inside: list(inside.records())) == []
    with pytest.raises(errors.BacklogFullError):
        together(region.service, region.caller("A1"), lambda inside: everything(region, inside))
    assert list(region.service.records()) == []


def test_begun_anew_when_the_database_prefers_another(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """And given up in the end; what was refused meanwhile is logged once."""
    tries: list[int] = []

    def refused_until(last: int) -> Callable[..., Any]:
        def write(*arguments: Any) -> None:
            tries.append(1)
            if len(tries) < last:
                raise DeadlockError("in each other's way")
            journal.write_rows(*arguments)

        return write

    def work(inside: CoordinationService) -> CommunicationId:
        with pytest.raises(errors.UnknownPersonError):
            open_thread(inside, Caller(region.id("Clinic-B")), opening(region))
        return open_thread(inside, region.caller("A1"), opening(region))

    monkeypatch.setattr(writer, "write_rows", refused_until(3))
    thread = together(region.service, region.caller("A1"), work)
    assert len(read_thread(region.service, region.caller("A1"), thread).messages) == 1
    assert [each.outcome for each in lines(region)].count(Outcome.UNKNOWN) == 1
    tries.clear()
    before = counts(region)
    monkeypatch.setattr(writer, "write_rows", refused_until(writer.WHOLE_ATTEMPTS + 1))
    with pytest.raises(DeadlockError):
        together(region.service, region.caller("A1"), lambda inside: everything(region, inside))
    assert counts(region) == before
    assert together(region.service, region.caller("A1"), lambda inside: everything(region, inside))


def test_others_wait_and_go_on(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
    reached, going = threading.Event(), threading.Event()
    posted: list[str] = []

    def work(inside: CoordinationService) -> None:
        reached.set()
        assert going.wait(10)
        post_message(inside, region.caller("A1"), thread, MessageContent("As one"))

    def post(number: int) -> None:
        posted.append(post_message(region.service, region.caller("B1"), thread, MessageContent(f"{number}")))

    def do_as_one() -> None:
        together(region.service, region.caller("A1"), work)

    doing = [threading.Thread(target=do_as_one)]
    doing[0].start()
    assert reached.wait(10)
    doing += [threading.Thread(target=post, args=(number,)) for number in range(4)]
    doing += [threading.Thread(target=do_as_one) for _ in range(3)]
    for each in doing[1:]:
        each.start()
    assert posted == []
    going.set()
    for each in doing:
        each.join()
    bodies = [each.body for each in read_thread(region.service, region.auditor, thread).messages]
    assert bodies[:2] == ["Hello", "As one"]
    assert sorted(bodies[2:]) == ["0", "1", "2", "3", "As one", "As one", "As one"]


def test_a_turn_that_does_not_come(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    reached, going = threading.Event(), threading.Event()

    def wait(_: CoordinationService) -> None:
        reached.set()
        assert going.wait(10)

    waiting = threading.Thread(target=together, args=(region.service, region.caller("A1"), wait))
    waiting.start()
    assert reached.wait(10)
    monkeypatch.setattr(writer, "TURN_TIMEOUT_S", 0.05)
    with pytest.raises(errors.LockedError, match="nothing was recorded"):
        together(region.service, region.caller("A1"), lambda inside: everything(region, inside))
    monkeypatch.undo()
    going.set()
    waiting.join()
    together(region.service, region.caller("A1"), lambda inside: list(inside.records()))
    assert list(region.service.records()) == []


def test_a_closed_service(region: Region) -> None:
    region.service.archive.writer.close()
    with pytest.raises(errors.StorageError, match="closed"):
        together(region.service, region.caller("A1"), lambda _: None)


def test_created_unless_it_is_there(region: Region) -> None:
    a1 = region.caller("A1")

    def find(inside: CoordinationService) -> list[CommunicationId]:
        return [each.ledger.communication_id for each in patient_threads(inside, a1, region.id("P1"))]

    def make(inside: CoordinationService) -> CommunicationId:
        return open_thread(inside, a1, opening(region))

    first = create_unless(region.service, a1, find, make, patient=region.id("P1"))
    assert first.found == ()
    again = create_unless(region.service, a1, find, make, patient=region.id("P1"))
    assert again == Unless((first.made,))


def test_an_entry_unless_it_is_there(region: Region) -> None:
    found = create_unless(
        region.service,
        region.caller("A1"),
        lambda inside: [each.id for each in inside.directory.search("New")],
        lambda inside: inside.directory.load(bundle("New-Z", "New Practice"), by="test").made,
        patient=None,
    )
    assert found == Unless((), 1)


def test_nobody_is_told_that_there_is_no_such_patient(region: Region) -> None:
    a1, nobody = region.caller("A1"), region.id("Clinic-B")
    made: Unless[str, str] = create_unless(
        region.service, a1, lambda _: [], lambda _: "as the functions say", patient=nobody
    )
    assert made == Unless((), "as the functions say")
