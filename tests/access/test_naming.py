"""Who may say what a message is called, and what others learn of that."""

import pytest

from carethread import CommunicationId, MessageContent, Naming, errors
from carethread.access_log import Action, Outcome
from carethread.ids import MessageId
from carethread.reads import access_log
from carethread.store.access import Filter
from carethread.store.names import Kind, find_named
from carethread.writes import name_message, post_message
from tests.region import Region, role


def opened(region: Region) -> tuple[CommunicationId, MessageId]:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    (status,) = region.service.records()
    (message,) = region.service.record(status.coordination_id).read_communication(thread).messages
    return thread, message.id


def named(region: Region, kind: Kind, resource_id: str) -> bool:
    with region.service.archive.database.read() as connection:
        return find_named(connection, kind, resource_id) is not None


def test_who_wrote_a_message_names_it(region: Region) -> None:
    thread, message = opened(region)
    for _ in range(2):
        name_message(region.service, region.caller("A1"), message, Naming("opening"))
    assert named(region, Kind.MESSAGE, "opening")
    *_, first, second = access_log(region.service, region.auditor, Filter(action=Action.WRITTEN))
    assert (first.detail, first.thread, first.message, first.acting_for) == (
        "name", thread, message, region.id("Pharmacy-A")
    )  # fmt: skip
    # Said again, nothing was recorded: the record stands where it stood.
    assert first.version == second.version
    assert list(region.service.verify()) == []


@pytest.mark.parametrize(
    "who,refusal",
    [("A2", errors.NotAllowedError), ("B1", errors.NotAllowedError), ("D1", errors.UnknownMessageError)],
)
def test_nobody_else_names_it(region: Region, who: str, refusal: type[errors.CarethreadError]) -> None:
    _, message = opened(region)
    with pytest.raises(refusal):
        name_message(region.service, region.caller(who), message, Naming("opening"))
    assert not named(region, Kind.MESSAGE, "opening")
    *_, last = access_log(region.service, region.auditor, Filter(action=Action.WRITTEN))
    assert last.outcome is not Outcome.DONE


def test_a_message_that_does_not_exist(region: Region) -> None:
    opened(region)
    unknown = "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92"
    with pytest.raises(errors.UnknownMessageError, match=f"there is no message {unknown}"):
        name_message(region.service, region.caller("A1"), unknown, Naming("opening"))


def test_whoever_works_there_no_more_names_nothing(region: Region) -> None:
    _, message = opened(region)
    region.load(role("A1", "Pharmacy-A", "pharmacist", active=False))
    with pytest.raises(errors.CarethreadError):
        name_message(region.service, region.caller("A1"), message, Naming("opening"))


def test_a_thread_and_a_message_are_named_as_they_are_made(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", naming=Naming("thread"))
    post_message(region.service, region.caller("B1"), thread, MessageContent("Yes"), naming=Naming("answer"))
    assert named(region, Kind.THREAD, "thread")
    assert named(region, Kind.MESSAGE, "answer")


def test_a_taken_resource_id_begins_no_record(region: Region) -> None:
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", naming=Naming("thread"))
    with pytest.raises(errors.ResourceIdTakenError):
        region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2", naming=Naming("thread"))
    assert len(list(region.service.records())) == 1
