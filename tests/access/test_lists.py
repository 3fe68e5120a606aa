"""Unread marks, what is set aside, and the lists that others than participants ask for."""

from functools import partialmethod
from threading import Thread
from time import monotonic, sleep

import pytest

from carethread import Author, CoordinationService, MessageContent, Participant, Role, ThreadStatus, errors
from carethread.directory.model import Duty
from carethread.ids import ParticipantId
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import (
    InboxLine,
    Looking,
    deserted_threads,
    inbox,
    patient_threads,
    place_of,
    read_thread,
    search,
    unattended_groups,
    unread_count,
)
from carethread.store.inbox import Aside, Cursor, Wanted, decode_cursor, encode_cursor
from carethread.store.writer import Job, Writer
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.region import Region, role


def unread(region: Region, *names: str) -> list[str]:
    """Return for whom something is unread."""
    return [each for each in names if unread_count(region.service, region.caller(each))]


def test_what_somebody_wrote_is_not_unread_for_them(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert unread(region, "A1", "A2", "B1", "B2", "C1") == ["A2", "B1", "B2"]
    post_message(region.service, region.caller("B1"), thread, MessageContent("I read it where it was shown to me"))
    # What came before was not opened, and so stays unread.
    assert unread(region, "A1", "A2", "B1", "B2") == ["A1", "A2", "B1", "B2"]
    for each in ("A1", "B1"):
        read_thread(region.service, region.caller(each), thread)
    assert unread(region, "A1", "A2", "B1", "B2") == ["A2", "B2"]
    post_message(region.service, region.caller("B1"), thread, MessageContent("And another thing"))
    assert unread(region, "A1", "A2", "B1", "B2") == ["A1", "A2", "B2"]
    read_thread(region.service, region.caller("A1"), thread)
    assert unread(region, "A1", "A2", "B1", "B2") == ["A2", "B2"]


def test_a_thread_without_a_message_is_unread_for_nobody(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), "", on_behalf_of="Pharmacy-A")
    assert unread(region, "A1", "B1") == []
    post_message(region.service, region.caller("A1"), thread, MessageContent("First"))
    assert unread(region, "A1", "B1") == ["B1"]
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    assert inbox(region.service, region.caller("A1")).lines[0].last is not None
    assert unread(region, "A1") == []


def test_looking_without_opening_leaves_it_unread(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    read_thread(region.service, region.caller("B1"), thread, opens=False)
    assert unread(region, "B1") == ["B1"]


def test_two_messages_of_one_batch_are_both_ones_own(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer takes what has queued up: what the first of a batch leaves must hold for the second."""
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    service = region.service
    gather = Writer._gather

    def wait_for_both(writer: Writer, batch: list[Job], deadline: float) -> None:
        while not writer._queue.qsize() and monotonic() < deadline:
            sleep(0.001)
        gather(writer, batch)

    monkeypatch.setattr(Writer, "_gather", partialmethod(wait_for_both, deadline=monotonic() + 10))

    def post(text: str) -> None:
        post_message(service, region.caller("A1"), thread, MessageContent(text))

    writing = [Thread(target=post, args=(each,)) for each in ("one", "two")]
    for each in writing:
        each.start()
    for each in writing:
        each.join()
    monkeypatch.undo()
    assert unread(region, "A1") == []
    assert len(read_thread(service, region.auditor, thread).messages) == 3


def test_set_aside_until_the_next_message(region: Region) -> None:
    service = region.service
    waiting = Wanted(waiting=True)
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    caller, clinic = region.caller("B1"), region.id("Clinic-B")

    def waits() -> bool:
        return bool(inbox(service, region.caller("B2"), of=clinic, wanted=waiting).lines)

    assert waits()
    set_aside(service, caller, thread, clinic)
    assert not waits()
    (aside,) = read_thread(service, region.caller("B2"), thread).asides
    assert aside == Aside(clinic, 1, region.id("B1"), aside.at)
    # Others are not told.
    assert read_thread(service, region.caller("A1"), thread).asides == ()
    post_message(service, region.caller("A2"), thread, MessageContent("Still there?"))
    assert waits()
    set_aside(service, region.caller("B2"), thread, clinic)
    assert not waits()
    service.rebuild()
    assert not waits()
    assert read_thread(service, caller, thread).asides[0].person == region.id("B2")


def test_who_sets_nothing_aside(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    service = region.service
    with pytest.raises(errors.NotMemberError):
        set_aside(service, region.caller("A1"), thread, region.id("Clinic-B"))
    with pytest.raises(errors.NotParticipantError):
        set_aside(service, region.caller("X1"), thread, region.id("Hospital-C"))
    with pytest.raises(errors.InvalidValueError):
        set_aside(service, region.caller("A1"), thread, "Clinic-B")  # type: ignore[arg-type]
    change_thread(service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    with pytest.raises(errors.ThreadNotOpenError):
        set_aside(service, region.caller("B1"), thread, region.id("Clinic-B"))
    assert read_thread(service, region.caller("B1"), thread).asides == ()


def test_a_patient_of_somebody_else_is_as_unknown_as_nobody(region: Region) -> None:
    service = region.service
    for each in ("P1", "R1"):
        with pytest.raises(errors.UnknownPersonError) as hidden:
            patient_threads(service, region.caller(each), region.id("P2"))
        assert str(hidden.value) == f"the directory has no patient {region.id('P2')}"
    with pytest.raises(errors.UnknownPersonError, match="the directory has no patient"):
        patient_threads(service, region.caller("A1"), region.id("Clinic-B"))
    assert patient_threads(service, region.caller("A1"), region.id("P2")) == ()


@pytest.fixture
def steward(region: Region) -> Caller:
    region.service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    return Caller(region.id("N1"), ActorKind.STEWARD)


def test_groups_that_nobody_reads_any_more(region: Region, steward: Caller) -> None:
    service = region.service
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    region.open("C1", ("HomeCare-D",), on_behalf_of="Hospital-C")
    assert unattended_groups(service, steward) == ((), None)
    region.load(role("D1", "HomeCare-D", "nurse", active=False))
    region.load(role("C1", "Hospital-C", "doctor", active=False))
    alone = tuple(sorted(region.ids("HomeCare-D", "Hospital-C")))
    assert unattended_groups(service, steward) == (alone, None)
    found: list[ParticipantId] = []
    after = None
    while True:
        groups, after = unattended_groups(service, steward, after=after, count=1)
        found += groups
        if after is None:
            break
    assert tuple(found) == alone
    assert unattended_groups(service, region.auditor)[0] == alone
    for caller in (region.caller("A1"), region.caller("P1")):
        with pytest.raises(errors.NotAllowedError):
            unattended_groups(service, caller)


def test_threads_of_a_group_of_which_nobody_is_left(region: Region, steward: Caller) -> None:
    service, hospital = region.service, region.id("Hospital-C")
    first = region.open("C1", ("HomeCare-D",), on_behalf_of="Hospital-C")
    region.open("A1", ("Hospital-C",), on_behalf_of="Pharmacy-A")
    second = region.open("C1", ("HomeCare-D",), on_behalf_of="Hospital-C")
    assert deserted_threads(service, steward, hospital).lines == ()
    region.load(role("C1", "Hospital-C", "doctor", active=False), role("D1", "HomeCare-D", "nurse", active=False))
    found = deserted_threads(service, steward, hospital)
    assert [each.ledger.communication_id for each in found.lines] == [second, first]
    assert (found.after, found.lines[0].is_unread) == ("", False)
    told, after = [], ""
    while True:
        page = deserted_threads(service, steward, hospital, after=after, count=1)
        told += [each.ledger.communication_id for each in page.lines]
        after = page.after
        if not after:
            break
    assert told == [second, first]
    for caller in (region.caller("A1"), region.caller("C1"), region.caller("P1"), region.auditor):
        with pytest.raises(errors.NotAllowedError):
            deserted_threads(service, caller, hospital)
    with pytest.raises(errors.InvalidValueError):
        deserted_threads(service, steward, hospital, count=0)
    with pytest.raises(errors.InvalidValueError):
        deserted_threads(service, steward, hospital, after="x")


def test_of_one_patient_alone(region: Region) -> None:
    service = region.service
    one = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    other = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")

    def listed(name: str, patient: str, **more: object) -> list[str]:
        page = inbox(service, region.caller(name), patient=region.id(patient), **more)  # type: ignore[arg-type]
        return [each.ledger.communication_id for each in page.lines]

    assert listed("B1", "P1") == listed("B1", "P1", of=region.id("Clinic-B")) == [one]
    assert listed("B1", "P2") == listed("B1", "P2", wanted=Wanted(waiting=True)) == [other]
    assert listed("B1", "P1", of=region.id("B1")) == []
    assert listed("C1", "P1") == listed("B1", "A1") == []
    # What somebody reads in one patient's record only, they do not read in another's.
    team = region.open("B1", ("Network-P1",), on_behalf_of="Clinic-B")
    assert listed("P1", "P1") == [team]
    assert listed("P1", "P2") == []


def test_a_patients_threads_in_parts(region: Region) -> None:
    service, caller, patient = region.service, region.caller("A1"), region.id("P1")
    made = [region.open("A1", ("Clinic-B",)) for _ in range(3)]
    whole = patient_threads(service, caller, patient)
    assert [each.ledger.communication_id for each in whole] == made[::-1]
    told: list[InboxLine] = []
    before = ""
    while part := patient_threads(service, caller, patient, before=before, count=2):
        told += part
        before = place_of(part[-1])
    assert tuple(told) == whole
    for said in ("x", "", ".", "²", "9" * 40):
        if said:
            with pytest.raises(errors.InvalidValueError):
                patient_threads(service, caller, patient, before=said)
    with pytest.raises(errors.InvalidValueError):
        patient_threads(service, caller, patient, count=0)


def test_pages_out_of_order(region: Region) -> None:
    service, caller = region.service, region.caller("A1")
    for count in (0, -1, 201):
        with pytest.raises(errors.InvalidValueError):
            inbox(service, caller, count=count)
    for after in ("x", "00", "ff" * 24, "00" * 23):
        with pytest.raises(errors.InvalidValueError):
            inbox(service, caller, after=after)
    with pytest.raises(errors.NotMemberError):
        unread_count(service, caller, of=region.id("Clinic-B"))
    place = Cursor(17, bytes(range(16)))
    assert decode_cursor(encode_cursor(place)) == place


def test_many_threads_are_listed_in_pieces(region: Region, service: CoordinationService) -> None:
    made = [region.open("A1", ("Clinic-B",), "", on_behalf_of="Pharmacy-A") for _ in range(53)]
    found = [each.ledger.communication_id for each in inbox(service, region.caller("B1"), count=200).lines]
    assert found == made[::-1]
    assert unread_count(service, region.caller("B1")) == 0


def test_a_patients_team_counts_for_nothing_in_the_record_of_another(region: Region) -> None:
    """The policy admits no such thread; the library's core, which trusts its caller, does."""
    thread = region.open("B1", ("Hospital-C",), patient="P2")
    record = region.service.record(read_thread(region.service, region.caller("B1"), thread).record)
    known = region.service.directory.find("Practitioner/B1")
    author = Author(known.id, "Dr Bo Bell")
    team = Participant(region.id("Network-P1"), Role.CARE_TEAM, "Network of John Doe")
    own = Participant(author.id, author.role, author.name)
    record.communication_create(author, "Hill Clinic", (own, team), MessageContent("Somebody else's matter"))
    for who in ("D1", "P1", "R1"):
        assert inbox(region.service, region.caller(who)).lines == ()
        assert search(region.service, region.caller(who), Looking(words="matter")).hits == ()
    assert len(search(region.service, region.caller("B1"), Looking(words="matter")).hits) == 1
