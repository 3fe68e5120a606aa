"""An index made anew gives the same answers, byte for byte; what stands beside the record is not touched."""

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select, text

from carethread import (
    AttachmentContent,
    BusinessIdentifier,
    ClientIdentifier,
    CoordinationService,
    MessageContent,
    Naming,
    Sensitivity,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.clock import Instant
from carethread.reads import inbox, patient_threads, read_attachment, read_message, read_thread, search, unread_count
from carethread.reads.looking import Looking
from carethread.store.inbox import Wanted
from carethread.store.schema import metadata
from carethread.writes import (
    Opening,
    ThreadChange,
    change_thread,
    name_message,
    open_thread,
    post_message,
    set_aside,
)
from tests.people import Ticking
from tests.region import ORGANIZATIONS, PATIENTS, PRACTITIONERS, RELATED, TEAMS, Region

PEOPLE = [*PRACTITIONERS, *PATIENTS, *RELATED]
DERIVED = {"record", "journal", "thread", "message", "identifier", "participation"}
_ENCODED = msgspec.json.Encoder(order="sorted")


def converse(region: Region) -> None:
    """Have a bit of everything, within a few milliseconds."""
    service = region.service
    clock = service.archive.clock
    assert isinstance(clock, Ticking)
    clock.step = 1
    file = AttachmentContent(b"one", "text/plain", "Überweisung.txt")
    first = region.open("A1", ("Clinic-B",), "Metformin", on_behalf_of="Pharmacy-A")
    content = MessageContent("Two of a kind", attachments=(file,))
    identifier = ClientIdentifier("tests", "1")
    answer = post_message(service, region.caller("B1"), first, content, client_identifier=identifier)
    clock.step = 0
    for each in ("A1", "A2", "B1", "B2"):
        post_message(service, region.caller(each), first, MessageContent(f"From {each}"))
    post_message(service, region.caller("B1"), first, MessageContent("One of a kind", corrects=answer))
    clock.step = 1
    second = region.open("R1", ("Network-P1",), "Who comes?")
    third = region.open("B1", ("Wounds",), "", on_behalf_of="Pain", patient="P2", visibility=CONFIDENTIAL)
    change_thread(service, region.caller("A1"), first, ThreadChange(ThreadStatus.CLOSED))
    change_thread(service, region.caller("D1"), second, ThreadChange(add=region.ids("C1")))
    region.open("A1", ("Clinic-B",), "Again", on_behalf_of="Pharmacy-A", continues=first)
    set_aside(service, region.caller("D1"), second, region.id("Network-P1"))
    read_thread(service, region.caller("B1"), third)
    read_thread(service, region.caller("B2"), first)
    change_thread(service, region.caller("C1"), third, ThreadChange(ThreadStatus.CLOSED))


CONFIDENTIAL = Visibility(Sensitivity.CONFIDENTIAL)


def answers(region: Region) -> list[bytes]:
    """Return the answer to everything that anybody can ask, as JSON."""
    service = region.service
    threads = []
    for status in service.records():
        record = service.record(status.coordination_id)
        threads += [record.read_communication(each.communication_id) for each in record.communications()]
    threads.sort(key=lambda each: each.ledger.communication_id)
    found: list[Any] = []
    for who in PEOPLE:
        caller = region.caller(who)
        for of in (None, *ORGANIZATIONS, *TEAMS, who):
            for wanted in (Wanted(), Wanted(archived=True), Wanted(waiting=True), Wanted(unread=True)):
                try:
                    of_id = None if of is None else region.id(of)
                    found.append(inbox(service, caller, of=of_id, wanted=wanted, count=2))
                    found.append(unread_count(service, caller, of=of_id))
                except errors.NotMemberError as error:
                    found.append(str(error))
        found += [_try(patient_threads, service, caller, region.id(each), archived=True) for each in PATIENTS]
        for looked in (Looking("kind"), Looking("ub*"), Looking(author=region.id("B1")), Looking('"from b2"')):
            found.append(search(service, caller, looked, count=2))
        for thread in threads:
            found.append(_try(read_thread, service, caller, thread.ledger.communication_id, opens=False))
            for message in thread.messages:
                found.append(_try(read_message, service, caller, message.id))
                found.append(_try(read_attachment, service, caller, message.id, 1))
    return [_ENCODED.encode(_plain(each)) for each in found]


def _try(ask: Any, *given: Any, **more: Any) -> Any:
    try:
        return ask(*given, **more)
    except errors.CarethreadError as error:
        return [error.code, str(error)]


def _plain(found: Any) -> Any:
    """Sets in an order of their own."""
    return msgspec.to_builtins(found, order="sorted")


def beside(service: CoordinationService) -> dict[str, list[Any]]:
    """Return the rows of every table that is not derived from the record, as text that sorts."""
    tables = [each for each in metadata.sorted_tables if each.name not in DERIVED]
    with service.archive.database.snapshot() as connection:
        return {each.name: sorted(map(_row, connection.all(select(*each.columns)))) for each in tables}


def _row(row: tuple[Any, ...]) -> str:
    return repr(tuple(bytes(each) if isinstance(each, memoryview) else each for each in row))


# Of each derived table, what a row says; keys of records, which a rebuild may number anew, are put beside it.
_ROWS = {
    name: text(f"SELECT record.coordination_id, {name}.* FROM {name} JOIN record USING (record_key)")
    for name in ("thread", "message", "participation", "identifier", "resource_name", "resource_identifier")
}


def derived_rows(service: CoordinationService) -> dict[str, list[str]]:
    """Return every row of the index but the journal, and every word and token of the full text, as text that sorts."""
    found = {}
    with service.archive.database.read() as connection:
        for name, statement in _ROWS.items():
            found[name] = sorted(map(_row, connection.all(statement)))
        if connection.is_sqlite:
            connection.text(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.said USING fts5vocab(main, message_text, instance)"
            )
            indexed = connection.all(text('SELECT doc, term, col, "offset" FROM temp.said'))
            connection.text("DROP TABLE temp.said")
        else:
            indexed = connection.all(text("SELECT search_key, CAST(document AS text) FROM message_text"))
        found["message_text"] = sorted(map(_row, indexed))
    return found


def test_every_row_is_the_same(region: Region) -> None:
    converse(region)
    service, caller = region.service, region.caller("B1")
    naming = Naming("named-thread", (BusinessIdentifier("urn:x", "1"),))
    opening = Opening(region.id("P1"), region.ids("Hospital-C"), message=MessageContent("Named"))
    thread = open_thread(service, caller, opening, naming=naming)
    named = Naming("named-message", (BusinessIdentifier("", "2"), BusinessIdentifier("urn:x", "2")))
    first = post_message(service, caller, thread, MessageContent("Late", sent=Instant(1)), naming=named)
    # Two of one time, one of them an answer to what was named, and one to somebody else.
    post_message(service, caller, thread, MessageContent("As late", sent=Instant(1), in_response_to=first))
    post_message(service, region.caller("C1"), thread, MessageContent("Back", in_response_to=first))
    name_message(service, caller, first, Naming("alias", (BusinessIdentifier("urn:y", "3"),)))
    before = derived_rows(service)
    assert all(before.values())
    service.rebuild()
    assert derived_rows(service) == before
    assert list(service.verify()) == []


def test_rebuilt_in_place(region: Region) -> None:
    converse(region)
    before = answers(region)
    kept = beside(region.service)
    region.service.rebuild()
    assert beside(region.service) == kept
    assert answers(region) == before
    assert list(region.service.verify()) == []


def test_an_index_that_is_lost(region: Region) -> None:
    """Only the tables of the record are gone; what is derived from nothing else stays where it is."""
    converse(region)
    service = region.service
    before = answers(region)
    kept = beside(service)
    service.flush()
    with service.archive.database.write() as connection:
        for table in sorted(DERIVED):
            connection.run(text(f"DELETE FROM {table}"))
    service.rebuild()
    assert beside(service) == kept
    assert answers(region) == before
    assert list(service.verify()) == []


def test_a_backup_that_is_restored(region: Region, tmp_path: Path) -> None:
    """Into a fresh database, with the directory, the log and what people left beside the record."""
    converse(region)
    before = answers(region)
    kept = beside(region.service)
    region.service.backup(tmp_path / "backup")
    with CoordinationService.restore(tmp_path / "backup", tmp_path / "again") as restored:
        held = beside(restored)
        for name in ("opened_mark", "set_aside", "access_log", "appointment", "directory_entry", "directory_version"):
            assert held[name] == kept[name], name
        region.service = restored
        assert answers(region) == before
