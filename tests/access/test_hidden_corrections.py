"""A correction that somebody may not read costs what none costs: the same statements run, however many there are."""

from collections.abc import Callable
from typing import Any

import pytest

from carethread import MessageContent, ThreadStatus
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.reads import (
    feed,
    message_resource,
    message_resource_history,
    message_resource_version,
    search_messages,
)
from carethread.reads.criteria import Clause, Criteria, Field, Include, Kind, MessageOrder, Ref, Total
from carethread.writes import ThreadChange, change_thread, post_message
from tests.access.spying import spying
from tests.region import Region

CORRECTED = Clause(Field.TAG, ("corrected",))
BY_B1 = Clause(Field.SENDER, (Ref("Practitioner", "B1"),))

Ask = Callable[[Region, Caller, MessageId], Any]


def _found(*clauses: Clause, **more: Any) -> Ask:
    return lambda region, caller, _: search_messages(region.service, caller, Criteria(clauses), **more)


ASKED: dict[str, Ask] = {
    "by id": lambda region, caller, message: message_resource(region.service, caller, message),
    "its first version": lambda region, caller, message: message_resource_version(region.service, caller, message, 1),
    "its history": lambda region, caller, message: message_resource_history(region.service, caller, message),
    "all": _found(),
    "what is corrected": _found(CORRECTED),
    "what is not": _found(Clause(Field.TAG, ("corrected",), negated=True)),
    "what is corrected, as it was recorded": _found(CORRECTED, order=MessageOrder.LAST_UPDATED),
    "how many are corrected": _found(CORRECTED, count=0, total=Total.ACCURATE),
    "one, if corrected": lambda region, caller, message: search_messages(
        region.service, caller, Criteria((Clause(Field.ID, (message,)), CORRECTED))
    ),
    "with corrections": _found(BY_B1, includes=frozenset(Include)),
}


@pytest.fixture
def readable(region: Region) -> CommunicationId:
    """The clinic asks the hospital."""
    return region.open("B1", ("Hospital-C",), "Both read this", on_behalf_of="Clinic-B")


@pytest.fixture
def hidden(region: Region, readable: CommunicationId) -> CommunicationId:
    """The pharmacy asks the clinic, in the same record: nothing for the hospital."""
    return region.open("A1", ("Clinic-B",), "A secret", on_behalf_of="Pharmacy-A")


@pytest.fixture
def message(region: Region, readable: CommunicationId) -> MessageId:
    """What turns out to be wrong when the thread is closed: only then it is corrected elsewhere."""
    caller = region.caller("B1")
    wrong = post_message(region.service, caller, readable, MessageContent("Twice a day"))
    change_thread(region.service, caller, readable, ThreadChange(ThreadStatus.CLOSED))
    return wrong


def _statements(region: Region, message: MessageId) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, ask in ASKED.items():
        # What the directory says is remembered by then.
        ask(region, region.caller("C1"), message)
        with spying() as asked:
            ask(region, region.caller("C1"), message)
        found[name] = tuple(asked)
    return found


def test_the_same_is_looked_up(region: Region, message: MessageId, hidden: CommunicationId) -> None:
    before = _statements(region, message)
    for number in range(3):
        post_message(region.service, region.caller("B1"), hidden, MessageContent(f"No: {number}", corrects=message))
    assert _statements(region, message) == before


def test_nothing_of_them_is_shown(region: Region, message: MessageId, hidden: CommunicationId) -> None:
    service = region.service
    right = post_message(service, region.caller("B1"), hidden, MessageContent("Once", corrects=message))

    def corrected(who: str, *clauses: Clause, **more: Any) -> Any:
        return search_messages(service, region.caller(who), Criteria((CORRECTED, *clauses)), **more)

    assert [each.id for each in corrected("B1").messages] == [message]
    by_b1 = search_messages(service, region.caller("B1"), Criteria((BY_B1,)), includes=frozenset(Include))
    # It is on the page as it is.
    assert (by_b1.corrections, by_b1.messages[0].corrects) == ((), message)
    there = corrected("B1", Clause(Field.ID, (message,)), includes=frozenset(Include), total=Total.ACCURATE)
    assert ([each.id for each in there.corrections], there.total) == ([right], 1)
    not_there = corrected("C1", total=Total.ACCURATE)
    assert (not_there.messages, not_there.total) == ((), 0)
    alone = search_messages(service, region.caller("C1"), Criteria((BY_B1,)), includes=frozenset(Include))
    assert alone.corrections == ()
    assert {each.corrected_by for each in alone.messages} == {()}
    assert message_resource(service, region.caller("B1"), message)[0].corrected_by == (right,)
    assert message_resource(service, region.caller("C1"), message)[0].corrected_by == ()
    fed = feed(service, region.caller("C1"), Kind.MESSAGE)
    # It comes again in each version, without what made it.
    assert [each.version for each in fed.messages if each.id == message] == [1, 2]
    assert {each.corrected_by for each in fed.messages} == {()}
