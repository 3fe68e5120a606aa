"""Rights are asked once more where it is recorded: what ended since the call began holds."""

from collections.abc import Callable

import pytest

from carethread import Communication, MessageContent, ThreadStatus, errors
from carethread.ids import CommunicationId
from carethread.policy.actor import Caller
from carethread.reads import read_thread
from carethread.store.archive import Archive
from carethread.store.writer import Job
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.region import Region, role

Write = Callable[[Region, Caller, CommunicationId], object]

WRITES: dict[str, Write] = {
    "post": lambda region, who, thread: post_message(region.service, who, thread, MessageContent("x")),
    "correct": lambda region, who, thread: post_message(
        region.service,
        who,
        thread,
        MessageContent("x", corrects=quietly(region, thread).messages[1].id),
    ),
    "change": lambda region, who, thread: change_thread(region.service, who, thread, ThreadChange(ThreadStatus.CLOSED)),
    "set aside": lambda region, who, thread: set_aside(region.service, who, thread, region.id("Clinic-B")),
    "open": lambda region, _, __: region.open("B2", ("Pharmacy-A",), on_behalf_of="Clinic-B"),
}


def quietly(region: Region, thread: CommunicationId) -> Communication:
    """Return a thread without a line of the log, which would be the first job."""
    (status,) = region.service.records()
    return region.service.record(status.coordination_id).read_communication(thread)


@pytest.mark.parametrize("name", list(WRITES))
def test_a_membership_that_ends_in_between(region: Region, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    service = region.service
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    post_message(service, region.caller("B2"), thread, MessageContent("Mine"))
    submit = Archive.submit

    def late(archive: Archive, job: Job) -> str:
        """Everything has been asked and allowed; the job is about to be queued."""
        monkeypatch.undo()
        region.load(role("B2", "Clinic-B", "doctor", active=False))
        return submit(archive, job)

    monkeypatch.setattr(Archive, "submit", late)
    before = quietly(region, thread)
    with pytest.raises((errors.UnknownThreadError, errors.NotMemberError, errors.NotAllowedError)):
        WRITES[name](region, region.caller("B2"), thread)
    view = read_thread(service, region.caller("B1"), thread)
    assert (view.ledger, view.messages, view.asides) == (before.ledger, before.messages, ())
    (status,) = service.records()
    assert len(service.record(status.coordination_id).communications()) == 1
