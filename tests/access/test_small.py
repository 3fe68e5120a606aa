"""What the larger tests reach only by chance."""

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from carethread import ClientIdentifier, MessageContent, errors
from carethread.clock import Instant
from carethread.ids import ParticipantId
from carethread.reads import access_log, inbox, read_thread, search
from carethread.reads.looking import Looking
from carethread.store import access, finding
from carethread.store.access import Filter
from carethread.store.finding import free_keys, search_key
from carethread.store.inbox import Wanted
from carethread.writes import Opening, open_thread, post_message
from tests.region import Region


def test_the_log_is_read_in_pages(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    for _ in range(4):
        inbox(region.service, region.caller("A1"))
    monkeypatch.setattr(access, "_PAGE", 2)
    found = list(access_log(region.service, region.auditor, Filter()))
    assert [each.number for each in found] == sorted({each.number for each in found})
    assert len(found) == 6


def test_a_place_in_time_that_is_taken(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one too, by a message that is not being placed."""
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    (first,) = read_thread(region.service, region.auditor, thread).messages
    (record,) = (each.coordination_id for each in region.service.records())
    key = search_key(record, first)
    later = replace(first, timestamp=first.timestamp + 1)
    monkeypatch.setattr(finding, "_KEYS_AT_ONCE", 2)

    for _ in range(2):
        post_message(region.service, region.caller("B1"), thread, MessageContent("x"))
    with region.service.archive.database.write() as connection:
        for position in (2, 3):
            statement = text("UPDATE message SET search_key = :key WHERE position = :position")
            connection.run(statement, key=key + position - 1, position=position)
        assert free_keys(connection, record, [first]) == [key + 3]
        after = search_key(record, later)
        assert free_keys(connection, record, [first, later, first, later]) == [key + 3, after, key + 4, after + 1]


def test_what_was_sent_at_one_time_stands_in_the_order_of_the_record(region: Region) -> None:
    """Sent to the day, and recorded out of that order in two threads; a rebuilt index says the same."""
    service, caller = region.service, region.caller("B1")
    threads = [region.open("B1", ("Hospital-C",), "") for _ in range(2)]
    day = Instant(1_768_003_200_000)
    for number in range(8):
        content = MessageContent(f"Word {number}", sent=day)
        post_message(service, caller, threads[number * 5 % 3 % 2], content)
    expected = [f"Word {number}" for number in reversed(range(8))]
    for _ in range(2):
        found = search(service, caller, Looking("word", until=Instant(day + 1)))
        assert [each.message.body for each in found.hits] == expected
        service.rebuild()
    assert [each for status in service.records() for each in service.archive.audit(status.coordination_id)] == []


def test_a_group_that_asks_itself(region: Region) -> None:
    """It is on both sides: a message from it to both counts for whoever wrote it alone."""
    thread = region.open("B1", ("Clinic-B",), on_behalf_of="Clinic-B")
    clinic = region.id("Clinic-B")
    content = MessageContent("To both", on_behalf_of=clinic, recipients=region.ids("B1", "Clinic-B"))
    post_message(region.service, region.caller("B1"), thread, content)
    assert inbox(region.service, region.caller("B2"), of=clinic, wanted=Wanted(waiting=True)).lines == ()


def test_whom_the_directory_does_not_know(region: Region) -> None:
    nobody = ParticipantId("00000000-0000-4000-8000-00000000000d")
    with pytest.raises(errors.UnknownPersonError):
        open_thread(region.service, region.caller("A1"), Opening(region.id("P1"), (nobody,)))
    assert list(region.service.records()) == []


def test_a_client_without_a_name(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    with pytest.raises(errors.InvalidValueError, match="client"):
        post_message(
            region.service,
            region.caller("B1"),
            thread,
            MessageContent("x"),
            client_identifier=ClientIdentifier("", "1"),
        )
