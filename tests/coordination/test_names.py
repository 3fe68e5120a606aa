"""What clients call threads and messages: chosen once, found by, kept through everything."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from carethread import (
    BusinessIdentifier,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    Naming,
    errors,
)
from carethread.ids import MessageId
from carethread.store.names import Kind, Place, find_named, named_by_identifier
from tests.people import JANE, PLACE, PLAIN, TOM
from tests.store.test_writer import at_once

OTHER_CLINICAL = "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12"
NUMBER = BusinessIdentifier("urn:x", "1")


def found(service: CoordinationService, kind: Kind, resource_id: str) -> Place | None:
    with service.archive.database.read() as connection:
        return find_named(connection, kind, resource_id)


def carrying(service: CoordinationService, kind: Kind, system: str | None, value: str) -> list[Place]:
    with service.archive.database.read() as connection:
        return named_by_identifier(connection, kind, system, value)


def test_a_thread_and_a_message_are_found_by_what_they_are_called(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    none = BusinessIdentifier("", "1")
    thread = record.communication_create(JANE, PLACE, PLAIN, naming=Naming("a", (NUMBER,)))
    message = record.add_message(TOM, PLACE, thread, MessageContent("One"), naming=Naming("a", (none, NUMBER)))
    for _ in range(2):
        assert found(service, Kind.THREAD, "a") == found(service, Kind.THREAD, thread) == (1, 1, 0)
        assert found(service, Kind.MESSAGE, "a") == found(service, Kind.MESSAGE, message) == (1, 1, 1)
        assert found(service, Kind.MESSAGE, thread) is None
        assert found(service, Kind.MESSAGE, "A") is None
        assert carrying(service, Kind.THREAD, "urn:x", "1") == [(1, 1, 0)]
        assert carrying(service, Kind.THREAD, "", "1") == []
        assert carrying(service, Kind.MESSAGE, None, "1") == carrying(service, Kind.MESSAGE, "", "1") == [(1, 1, 1)]
        service.rebuild()
    assert list(service.verify()) == []


def test_a_recorded_message_is_named_by_a_commit_without_changes(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    (message,) = record.read_communication(thread).messages
    record.name_message(JANE, PLACE, message.id, Naming("first", (NUMBER,)))
    record.flush()
    record.name_message(JANE, PLACE, message.id, Naming("second", (BusinessIdentifier("urn:x", "2"),)))
    record.flush()
    assert found(service, Kind.MESSAGE, "first") == found(service, Kind.MESSAGE, "second") == (1, 1, 1)
    seen = [(each.summary, each.thread_id, each.message_id) for each in record.history()]
    assert seen[-2:] == [("Named message in thread", thread, message.id)] * 2
    for command in (["fsck", "--full", "--strict", "--no-dangling"], ["diff", "HEAD", "HEAD~2"], ["status", "-s"]):
        done = subprocess.run(["git", *command], cwd=record.path, check=True, capture_output=True)
        assert done.stdout == b""
    record.add_message(TOM, PLACE, thread, MessageContent("Two"))
    assert list(service.verify()) == []
    service.rebuild()
    assert list(service.verify()) == []


def test_what_is_known_of_a_message_is_not_recorded_again(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    message = record.add_message(JANE, PLACE, thread, MessageContent("One"), naming=Naming("a", (NUMBER,)))
    commits = len(list(record.history()))
    for naming in (Naming("a"), Naming(message), Naming(None, (NUMBER,)), Naming("a", (NUMBER,)), Naming()):
        record.name_message(JANE, PLACE, message, naming)
    assert len(list(record.history())) == commits
    record.name_message(JANE, PLACE, message, Naming("a", (NUMBER, BusinessIdentifier("urn:x", "2"))))
    assert len(list(record.history())) == commits + 1
    assert carrying(service, Kind.MESSAGE, "urn:x", "2") == [(1, 1, 1)]
    assert list(service.verify()) == []


@pytest.mark.parametrize("is_other_record", [False, True])
def test_a_resource_id_is_given_once(
    service: CoordinationService, record: CoordinationRecord, is_other_record: bool
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"), naming=Naming("thread"))
    message = record.add_message(JANE, PLACE, thread, MessageContent("Two"), naming=Naming("message"))
    other = service.initialise(JANE, PLACE, OTHER_CLINICAL) if is_other_record else record
    there = other.communication_create(JANE, PLACE, PLAIN, MessageContent("Three"))
    (third,) = other.read_communication(there).messages
    for taken in ("thread", thread):
        with pytest.raises(errors.ResourceIdTakenError, match=f"thread has the resource id {taken} already"):
            other.communication_create(JANE, PLACE, PLAIN, naming=Naming(taken))
    for taken in ("message", message):
        with pytest.raises(errors.ResourceIdTakenError, match=f"message has the resource id {taken} already"):
            other.add_message(JANE, PLACE, there, MessageContent("Four"), naming=Naming(taken))
        with pytest.raises(errors.ResourceIdTakenError):
            other.name_message(JANE, PLACE, third.id, Naming(taken))
    assert len(other.read_communication(there).messages) == 1
    other.add_message(JANE, PLACE, there, MessageContent("Four"), naming=Naming("thread"))
    assert list(service.verify()) == []


def test_many_claim_one_resource_id_at_once(service: CoordinationService, record: CoordinationRecord) -> None:
    other = service.initialise(JANE, PLACE, OTHER_CLINICAL)
    pairs = [(each, each.communication_create(JANE, PLACE, PLAIN)) for each in (record, other) for _ in range(4)]
    raised = at_once(
        *(
            partial(each.add_message, JANE, PLACE, thread, MessageContent("Mine"), naming=Naming("wanted"))
            for each, thread in pairs
        )
    )
    assert sorted(type(each).__name__ for each in raised) == ["NoneType"] + ["ResourceIdTakenError"] * 7
    assert sum(len(each.read_communication(thread).messages) for each, thread in pairs) == 1
    assert list(service.verify()) == []


def test_two_processes_claim_one_resource_id_at_once(
    service: CoordinationService, record: CoordinationRecord, tmp_path: Path
) -> None:
    """The other one records between the look and the writing: only the database can tell."""
    other = service.initialise(JANE, PLACE, OTHER_CLINICAL)
    here, there = (each.communication_create(JANE, PLACE, PLAIN) for each in (record, other))
    url = None if service.archive.database.is_sqlite else service.archive.database.url
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as second:
        claims: list[Callable[[], MessageId]] = []
        for number in range(10):
            content, naming = MessageContent("Mine"), Naming(f"wanted-{number}")
            claims.append(partial(record.add_message, JANE, PLACE, here, content, naming=naming))
            claims.append(
                partial(
                    second.record(other.coordination_id).add_message, JANE, PLACE, there, content, naming=naming
                )
            )  # fmt: skip
        raised = at_once(*claims)
    assert [type(each) for each in raised if each is not None] == [errors.ResourceIdTakenError] * 10
    assert list(service.verify()) == []


def test_the_same_request_again_is_the_same_with_its_name(record: CoordinationRecord) -> None:
    identifier, again = ClientIdentifier("c", "1"), ClientIdentifier("c", "2")
    create = partial(record.communication_create, JANE, PLACE, PLAIN, client_identifier=identifier)
    thread = create(naming=Naming("a", (NUMBER,)))
    assert create(naming=Naming("a", (NUMBER,))) == thread
    for naming in (None, Naming("a"), Naming("b", (NUMBER,))):
        with pytest.raises(errors.IdentifierConflictError):
            create(naming=naming)
    say = partial(record.add_message, JANE, PLACE, thread, MessageContent("One"), client_identifier=again)
    message = say()
    assert say(naming=Naming()) == message
    with pytest.raises(errors.IdentifierConflictError):
        say(naming=Naming("a"))


def test_names_that_are_refused(record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    system = record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="closed"))
    first = record.read_communication(thread).messages[0].id
    for naming in (Naming("a b"), Naming(""), Naming(None, (BusinessIdentifier("x", ""),))):
        with pytest.raises(errors.InvalidValueError, match="naming"):
            record.communication_create(JANE, PLACE, PLAIN, naming=naming)
        with pytest.raises(errors.InvalidValueError, match="naming"):
            record.name_message(JANE, PLACE, first, naming)
    with pytest.raises(errors.InvalidValueError, match="system entry"):
        record.name_message(JANE, PLACE, system, Naming("a"))
    with pytest.raises(errors.UnknownMessageError):
        record.name_message(JANE, PLACE, "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92", Naming("a"))
    # A closed thread takes no message; what it holds may be called something.
    record.name_message(JANE, PLACE, first, Naming("a"))


def test_a_message_is_named_in_the_batch_that_records_it(
    service: CoordinationService, record: CoordinationRecord
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    message = record.add_message(JANE, PLACE, thread, MessageContent("One"))
    raised = at_once(
        *(partial(record.name_message, JANE, PLACE, message, Naming(f"alias-{each}", (NUMBER,))) for each in range(8))
    )
    assert raised == [None] * 8
    assert {found(service, Kind.MESSAGE, f"alias-{each}") for each in range(8)} == {(1, 1, 1)}
    assert list(service.verify()) == []
