"""What is asked a second time, because an answer was lost or somebody pressed twice: recorded once, answered alike."""

from functools import partial
from uuid import UUID

import pytest

from carethread import ClientIdentifier, Communication, MessageContent, Role, ThreadStatus, errors
from carethread.ids import CommunicationId
from carethread.reads import DraftContent, ReplyIn, ThreadAbout, read_draft, read_thread
from carethread.writes import Opening, ThreadChange, change_thread, keep_draft, open_thread, post_message
from tests.access.racing import Services, together
from tests.region import Region, role

ONCE = ClientIdentifier("carethread-web", str(UUID("7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88")))
CONTENT = MessageContent("Could you look at the list?")


def recorded(region: Region) -> list[Communication]:
    """Return all threads, with as many messages as they have."""
    (status,) = region.service.records()
    record = region.service.record(status.coordination_id)
    return [record.read_communication(each.communication_id) for each in record.communications()]


def opening(region: Region) -> Opening:
    return Opening(region.id("P1"), region.ids("Clinic-B"), region.id("Pharmacy-A"), message=CONTENT)


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")


def test_a_message_posted_again(region: Region, thread: CommunicationId) -> None:
    """Also after the thread went on, and was closed."""
    service, a1 = region.service, region.caller("A1")
    first = post_message(service, a1, thread, CONTENT, client_identifier=ONCE)
    assert post_message(service, a1, thread, CONTENT, client_identifier=ONCE) == first
    post_message(service, region.caller("B1"), thread, MessageContent("Yes"))
    change_thread(service, a1, thread, ThreadChange(ThreadStatus.CLOSED))
    before = recorded(region)
    assert post_message(service, a1, thread, CONTENT, client_identifier=ONCE) == first
    assert recorded(region) == before


def test_a_correction_posted_again(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    content = MessageContent("Better", corrects=read_thread(service, a1, thread).messages[0].id)
    first = post_message(service, a1, thread, content, client_identifier=ONCE)
    before = recorded(region)
    assert post_message(service, a1, thread, content, client_identifier=ONCE) == first
    assert recorded(region) == before


def test_a_thread_opened_again(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    first = open_thread(service, a1, opening(region), client_identifier=ONCE)
    before = recorded(region)
    assert open_thread(service, a1, opening(region), client_identifier=ONCE) == first
    assert recorded(region) == before
    assert len(before) == 1


def test_something_else_under_the_same_name(region: Region, thread: CommunicationId) -> None:
    """A form that was changed after it was submitted, and submitted again, is told so."""
    service, a1 = region.service, region.caller("A1")
    post_message(service, a1, thread, CONTENT, client_identifier=ONCE)
    before = recorded(region)
    with pytest.raises(errors.IdentifierConflictError):
        post_message(service, a1, thread, MessageContent("Something else"), client_identifier=ONCE)
    with pytest.raises(errors.IdentifierConflictError):
        open_thread(service, a1, opening(region), client_identifier=ONCE)
    assert recorded(region) == before
    # Of somebody else it is another's.
    post_message(service, region.caller("B1"), thread, MessageContent("Something else"), client_identifier=ONCE)


def test_what_was_begun_since_stays(region: Region, thread: CommunicationId) -> None:
    service, a1 = region.service, region.caller("A1")
    reply, new = ReplyIn(thread), ThreadAbout(region.id("P1"))
    for place in (reply, new):
        keep_draft(service, a1, place, DraftContent(CONTENT.body), expected=0)
    named = ClientIdentifier(ONCE.client, "another")
    for again in (False, True):
        post_message(service, a1, thread, CONTENT, client_identifier=ONCE, draft=reply)
        open_thread(service, a1, opening(region), client_identifier=named, draft=new)
        for place in (reply, new):
            if not again:
                assert read_draft(service, a1, place) is None
                keep_draft(service, a1, place, DraftContent("And"), expected=0)
            else:
                assert read_draft(service, a1, place) is not None


def test_asked_again_without_the_right(region: Region, thread: CommunicationId) -> None:
    """What somebody recorded is not shown to them again once they may not read it."""
    service, b2 = region.service, region.caller("B2")
    post_message(service, b2, thread, CONTENT, client_identifier=ONCE)
    region.load(role("B2", "Clinic-B", "doctor", active=False))
    with pytest.raises(errors.UnknownThreadError):
        post_message(service, b2, thread, CONTENT, client_identifier=ONCE)


def test_one_of_sixteen_posts(region: Region, thread: CommunicationId, services: Services) -> None:
    a1 = region.caller("A1")
    posting = [partial(post_message, each, a1, thread, CONTENT, client_identifier=ONCE) for each in services * 8]
    made = together(posting)
    assert made == [read_thread(region.service, a1, thread).messages[-1].id] * 16
    assert len(read_thread(region.service, a1, thread).messages) == 2


def test_one_of_sixteen_opens(region: Region, services: Services) -> None:
    """The patient's first thread too, with which the record begins."""
    a1 = region.caller("A1")
    for identifier in (ONCE, ClientIdentifier(ONCE.client, "another")):
        opens = [partial(open_thread, each, a1, opening(region), client_identifier=identifier) for each in services * 8]
        made = together(opens)
        assert made == [recorded(region)[-1].ledger.communication_id] * 16
    assert len(recorded(region)) == 2
    assert all(len(each.messages) == 1 for each in recorded(region))


def test_one_of_sixteen_changes_the_version_they_saw(
    region: Region, thread: CommunicationId, services: Services
) -> None:
    """A change of the ledger carries no name of its client's; whoever names the version changes it once."""
    a1, change = region.caller("A1"), ThreadChange(add=region.ids("C1"))
    results = together([partial(change_thread, each, a1, thread, change, expected_version=1) for each in services * 8])
    assert sum(isinstance(each, errors.VersionConflictError) for each in results) == 15
    found = read_thread(region.service, a1, thread)
    assert [each.author_role for each in found.messages[1:]] == [Role.CLINICIAN]
    assert [each.id for each in found.messages[1:]] == [each for each in results if isinstance(each, str)]
