"""The access log in pages, newest first, by what its lines are about."""

import pytest

from carethread import MessageContent, errors
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.directory.model import EntryKind
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads import (
    Entity,
    Filter,
    access_page,
    inbox,
    patient_threads,
    read_attachment,
    read_entry,
    read_message,
    read_thread,
    search_entries,
)
from carethread.store import access
from carethread.writes import post_message
from tests.people import person
from tests.region import Region


def details(lines: tuple[AccessEntry, ...]) -> list[tuple[str, str]]:
    return [(each.action.value, each.detail) for each in lines]


def test_pages_go_back_in_time(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        inbox(region.service, region.caller("A1"))
    wanted = Filter(actor=region.id("A1"))
    found: list[int] = []
    after = 0
    while True:
        page = access_page(region.service, region.auditor, wanted, after=after, count=2)
        found += [each.number for each in page.lines]
        after = page.after
        if not after:
            break
    assert found == [5, 4, 3, 2, 1]
    (only,) = access_page(region.service, region.auditor, Filter(number=3)).lines
    assert only.number == 3
    monkeypatch.setattr(access, "_PAGE", 1)
    monkeypatch.setattr(access, "_BUDGET", 2)
    short = access_page(region.service, region.auditor, wanted, entity=Entity(entry=person(9)))
    assert (short.lines, short.after) == ((), 4)


def test_what_a_line_is_about(region: Region) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    first = read_thread(service, region.caller("B1"), thread).messages[0].id
    second = post_message(service, region.caller("A1"), thread, MessageContent("More"))
    inbox(service, region.caller("B2"))
    read_message(service, region.caller("B1"), second)
    read_thread(service, region.caller("B1"), other)
    patient_threads(service, region.caller("B1"), region.id("P1"))
    read_entry(service, region.caller("B1"), EntryKind.PATIENT, "P1")
    search_entries(service, region.caller("B1"), EntryKind.PATIENT)
    with pytest.raises(errors.UnknownMessageError):
        read_attachment(service, region.caller("B1"), MessageId("550e8400-e29b-41d4-a716-446655440000"), 1)

    def about(entity: Entity | None = None, patient: ParticipantId | None = None) -> list[tuple[str, str]]:
        page = access_page(service, region.auditor, Filter(), entity=entity, patient=patient)
        return [each for each in details(page.lines) if each != ("exported", "access log")]

    of_thread = about(Entity(thread=thread))
    assert [each[0] for each in of_thread] == ["listed", "served", "listed", "written", "served", "written"]
    assert [each[0] for each in about(Entity(message=second))] == ["served", "written"]
    assert [each[0] for each in about(Entity(message=first))] == ["served"]
    assert about(Entity(message=MessageId("550e8400-e29b-41d4-a716-446655440001"))) == []
    assert [each[0] for each in about(Entity(entry=region.id("P1")))] == ["searched", "served"]
    assert about(Entity(entry=region.id("B1"))) == []
    assert about(Entity(thread=CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000"))) == []
    of_patient = [each[0] for each in about(patient=region.id("P1"))]
    assert of_patient == ["searched", "served", "listed", "served", "listed", "written", "served", "written"]
    assert about(patient=person(9)) == []


def test_only_for_auditors(region: Region) -> None:
    with pytest.raises(errors.NotAllowedError):
        access_page(region.service, region.caller("A1"), Filter())
    for count in (0, 1_001):
        with pytest.raises(errors.InvalidValueError, match="count"):
            access_page(region.service, region.auditor, Filter(), count=count)
    wanted = Filter(outcome=Outcome.REFUSED, action=Action.EXPORTED)
    found = access_page(region.service, region.auditor, wanted, patient=region.id("P1"), query="")
    assert found.lines == ()
    (line,) = access_page(region.service, region.auditor, Filter(), count=1, query="agent=x").lines
    assert line.query == f'{{"action":"exported","outcome":"refused","patient":"{region.id("P1")}"}}'
    (line,) = access_page(region.service, region.auditor, Filter(), count=1).lines
    assert line.query == "agent=x"
