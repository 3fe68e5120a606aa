"""Whole conversations through `writes` and `reads`, as the people in them would have them."""

import pytest

from carethread import MessageContent, ThreadStatus, errors
from carethread.ids import ParticipantId
from carethread.reads import inbox, read_thread
from carethread.store.inbox import Wanted
from carethread.writes import Opening, ThreadChange, change_thread, open_thread, post_message
from tests.region import Region


def addressed(region: Region, thread: str, who: str = "N1") -> list[tuple[str, str | None, list[str]]]:
    """Return for each message who wrote it, for whom, and to whom."""
    view = read_thread(region.service, region.auditor, thread)
    return [
        (
            region.name(each.author_id),
            None if each.on_behalf_of is None else region.name(each.on_behalf_of.id),
            [region.name(party.id) for party in each.to],
        )
        for each in view.messages
    ]


def test_a_pharmacy_asks_a_clinic_and_another_pharmacist_follows_up(region: Region) -> None:
    """The four steps of the seed; nobody names a recipient."""
    service = region.service
    thread = region.open("A1", ("Clinic-B",), "Can you review the medication list?", on_behalf_of="Pharmacy-A")
    post_message(service, region.caller("B1"), thread, MessageContent("Yes, I'll review it today"))
    post_message(service, region.caller("A2"), thread, MessageContent("Thank you for the quick response"))
    assert addressed(region, thread) == [
        ("A1", "Pharmacy-A", ["Clinic-B"]),
        ("B1", "Clinic-B", ["Pharmacy-A"]),
        ("A2", "Pharmacy-A", ["Clinic-B"]),
    ]
    assert list(service.verify()) == []


def test_an_individual_asks_a_care_team(region: Region) -> None:
    thread = region.open("B1", ("Wounds",))
    post_message(region.service, region.caller("D1"), thread, MessageContent("Looks clean"))
    assert addressed(region, thread) == [("B1", None, ["Wounds"]), ("D1", "Wounds", ["B1"])]


def test_a_team_asks_a_team(region: Region) -> None:
    thread = region.open("B1", ("Wounds",), on_behalf_of="Pain")
    with pytest.raises(errors.AmbiguousSideError):
        # A member of both: the wound team is part of the pain team.
        post_message(region.service, region.caller("D1"), thread, MessageContent("Yes"))
    content = MessageContent("Yes", on_behalf_of=region.id("Wounds"))
    post_message(region.service, region.caller("D1"), thread, content)
    assert addressed(region, thread) == [("B1", "Pain", ["Wounds"]), ("D1", "Wounds", ["Pain"])]


def test_a_carer_asks_her_patients_network(region: Region) -> None:
    thread = region.open("R1", ("Network-P1",), "Who comes on Monday?")
    post_message(region.service, region.caller("B2"), thread, MessageContent("I do"))
    post_message(region.service, region.caller("R1"), thread, MessageContent("Thank you"))
    assert addressed(region, thread) == [
        ("R1", None, ["Network-P1"]),
        ("B2", "Network-P1", ["R1"]),
        ("R1", None, ["Network-P1"]),
    ]
    assert len(inbox(region.service, region.caller("P1")).lines) == 1
    assert inbox(region.service, region.caller("R2")).lines == ()


def test_a_reply_to_that_is_an_individual(region: Region) -> None:
    thread = region.open("B9", ("Hospital-C",), reply_to="B1")
    post_message(region.service, region.caller("C1"), thread, MessageContent("Come in on Monday"))
    assert addressed(region, thread) == [("B9", None, ["Hospital-C"]), ("C1", "Hospital-C", ["B1"])]


def test_somebody_on_both_sides(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    with pytest.raises(errors.AmbiguousSideError):
        post_message(region.service, region.caller("X1"), thread, MessageContent("Yes"))
    content = MessageContent("Yes", recipients=region.ids("Pharmacy-A"))
    post_message(region.service, region.caller("X1"), thread, content)
    assert addressed(region, thread)[-1] == ("X1", "Clinic-B", ["Pharmacy-A"])


def test_waiting_on_us_until_we_answer(region: Region) -> None:
    service = region.service
    waiting = Wanted(waiting=True)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")

    def who_waits() -> list[str]:
        return [
            name
            for name, group in (("A2", "Pharmacy-A"), ("B1", "Clinic-B"))
            if inbox(service, region.caller(name), of=region.id(group), wanted=waiting).lines
        ]

    assert who_waits() == ["B1"]
    post_message(service, region.caller("B2"), thread, MessageContent("On it"))
    assert who_waits() == ["A2"]
    change_thread(service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert who_waits() == []


def test_a_patient_reads_what_names_the_entry_that_was_merged_into_theirs(region: Region) -> None:
    thread = region.open("B1", ("P2",), patient="P2")
    assert inbox(region.service, region.caller("P1")).lines == ()
    region.load(
        {
            "resourceType": "Patient",
            "id": "P2",
            "active": False,
            "name": [{"text": "Jane Roe"}],
            "link": [{"other": {"reference": "Patient/P1"}, "type": "replaced-by"}],
        }
    )
    for of in (None, region.id("P1")):
        (line,) = inbox(region.service, region.caller("P1"), of=of).lines
        assert line.ledger.communication_id == thread
    assert len(read_thread(region.service, region.caller("P1"), thread).messages) == 1


def test_a_new_thread_about_a_merged_patient_is_in_the_record_of_the_one_that_stands_for_them(region: Region) -> None:
    merged_into = region.open("B1", ("Hospital-C",), patient="P1")
    link = [{"other": {"reference": "Patient/P1"}, "type": "replaced-by"}]
    region.load({"resourceType": "Patient", "id": "P2", "active": False, "name": [{"text": "Jane Roe"}], "link": link})
    thread = region.open("B1", ("Hospital-C",), patient="P2")
    first, second = (read_thread(region.service, region.caller("B1"), each) for each in (merged_into, thread))
    assert first.record == second.record


def test_whom_the_directory_does_not_know(region: Region) -> None:
    nobody = "99999999-9e3b-4a7c-8f1e-6b0d2c5a9f12"
    opening = Opening(ParticipantId(nobody), region.ids("Clinic-B"))
    with pytest.raises(errors.UnknownPersonError, match=nobody):
        open_thread(region.service, region.caller("A1"), opening)
    # Of a patient's side, one who is not there and one who is not theirs are the same.
    for patient in (nobody, region.id("P2")):
        with pytest.raises(errors.WrongPatientError):
            open_thread(region.service, region.caller("R1"), Opening(ParticipantId(patient), region.ids("Clinic-B")))
