"""What the larger tests reach only by chance."""

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from carethread import ClientIdentifier, MessageContent, errors
from carethread.ids import ParticipantId
from carethread.reads import access_log, inbox, read_thread
from carethread.record.model import Message
from carethread.store import access
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


def test_a_place_in_time_that_is_taken(region: Region) -> None:
    """And the next one too, by a message that is not being placed."""
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    (first,) = read_thread(region.service, region.auditor, thread).messages
    key = search_key(first)

    def at(place: int) -> Message:
        return replace(first, id=f"{first.id[:-5]}{(key & 0xFFFFF) + place:05x}")

    post_message(region.service, region.caller("B1"), thread, MessageContent("x"))
    with region.service.archive.database.write() as connection:
        connection.run(text("UPDATE message SET search_key = :key WHERE position = 2"), key=key + 1)
        assert free_keys(connection, [at(0)]) == [key + 2]
        assert free_keys(connection, [at(0), at(2), at(0), at(7)]) == [key + 2, key + 3, key + 4, key + 7]


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
