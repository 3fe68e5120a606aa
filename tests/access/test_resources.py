"""Threads and messages by resource id, their versions, the feed, references: and nothing of what is hidden."""

from typing import Any

import pytest

from carethread import CarethreadError, MessageContent, ThreadStatus, errors
from carethread.access_log import AccessEntry
from carethread.directory.model import CareTeam, EntryKind
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.reads import (
    feed,
    message_resource,
    message_resource_history,
    message_resource_version,
    read_entry,
    resolve,
    search_messages,
    search_threads,
    thread_resource,
    thread_resource_history,
    thread_resource_version,
)
from carethread.reads.criteria import Clause, Criteria, Field, Include, Kind, MessageOrder, Ref, ThreadOrder, Token
from carethread.record.model import BusinessIdentifier, Naming
from carethread.store.access import Filter, lines
from carethread.writes import ThreadChange, change_thread, post_message
from tests.access.spying import forget_the_directory, spying
from tests.access.test_equal_answers import _blanked
from tests.region import Region, reference

IDENTIFIER = BusinessIdentifier("urn:system", "17")
NAMED = Naming("11111111-1111-4111-8111-111111111111", (IDENTIFIER,))
NO_UUID = "550e8400-e29b-41d4-a716-446655440000"
NO_THREAD = f"20260111T143522.045Z-{NO_UUID}"


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    """The pharmacy asks the clinic; C1 and D1 have no part in it."""
    return region.open("A1", ("Clinic-B",), "A secret", on_behalf_of="Pharmacy-A")


@pytest.fixture
def message(region: Region, thread: CommunicationId) -> MessageId:
    return post_message(region.service, region.caller("B1"), thread, MessageContent("Named"), naming=NAMED)


def one(field: Field, value: Any) -> Criteria:
    return Criteria((Clause(field, (value,)),))


def test_by_resource_id(region: Region, thread: CommunicationId, message: MessageId) -> None:
    service, caller = region.service, region.caller("A1")
    for resource_id in (NAMED.resource_id or "", message):
        found, names = message_resource(service, caller, resource_id)
        assert (found.id, found.message.id, found.thread_id) == (NAMED.resource_id, message, thread)
        assert found.identifiers == (IDENTIFIER,)
        assert names[region.id("B1")] == "Practitioner/B1"
        assert names[found.patient] == "Patient/P1"
    seen, names = thread_resource(service, caller, thread)
    assert seen.opening is not None
    assert (seen.opening.body, seen.version, seen.id) == ("A secret", 2, thread)
    assert names[region.id("Clinic-B")] == "Organization/Clinic-B"
    for resource_id in ("", "\ud800", "x" * 65, "msg_1", NO_UUID):
        with pytest.raises(errors.UnknownMessageError):
            message_resource(service, caller, resource_id)
        with pytest.raises(errors.UnknownThreadError):
            thread_resource(service, caller, resource_id)


def test_versions(region: Region, thread: CommunicationId, message: MessageId) -> None:
    service, caller = region.service, region.caller("A2")
    right = post_message(service, region.caller("B1"), thread, MessageContent("Right", corrects=message))
    change_thread(service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    found, _ = message_resource_history(service, caller, message)
    assert [(each.version, each.corrected_by) for each in found] == [(2, (right,)), (1, ())]
    assert message_resource_version(service, caller, message, 1)[0] == found[1]
    assert message_resource_version(service, caller, message, 2)[0] == message_resource(service, caller, message)[0]
    assert message_resource(service, caller, right)[0].corrects == NAMED.resource_id
    versions = thread_resource_history(service, caller, thread).versions
    assert [each.version for each in versions] == [4, 3, 2, 1]
    assert [each.ledger.status for each in versions] == ["closed", "open", "open", "open"]
    for each in versions:
        assert thread_resource_version(service, caller, thread, each.version)[0] == each
    for version in (0, 5):
        with pytest.raises(errors.UnknownThreadError):
            thread_resource_version(service, caller, thread, version)
        with pytest.raises(errors.UnknownMessageError):
            message_resource_version(service, caller, message, version)


def test_pages_stand_still_while_messages_arrive(region: Region, thread: CommunicationId) -> None:
    service, caller = region.service, region.caller("A1")
    for number in range(6):
        post_message(service, region.caller("B1"), thread, MessageContent(f"{number}"))
    criteria = one(Field.SENDER, Ref("Practitioner", "B1"))
    for order in MessageOrder:
        newest = order in (MessageOrder.NEWEST_SENT, MessageOrder.NEWEST_UPDATED)
        before = [each.id for each in search_messages(service, caller, criteria, order=order).messages]
        found: list[str] = []
        after = "first"
        while after:
            page = search_messages(
                service, caller, criteria, order=order, count=2, after="" if after == "first" else after
            )
            found += [each.id for each in page.messages]
            after = page.after
            if len(found) < len(before):
                post_message(service, region.caller("B1"), thread, MessageContent("New"))
        assert found[: len(before)] == before
        assert not newest or found == before


def test_includes_show_nothing_else(region: Region, thread: CommunicationId, message: MessageId) -> None:
    service, everything = region.service, frozenset(Include)
    right = post_message(service, region.caller("B1"), thread, MessageContent("Right", corrects=message))
    other = region.open("C1", ("P2",), "Apart", patient="P2")
    page = search_messages(
        service, region.caller("A1"), one(Field.ID, message), includes=everything
    )  # fmt: skip
    assert [each.message.id for each in page.corrections] == [right]
    assert [each.id for each in page.threads] == [thread]
    assert {each.entry.fhir_id for each in page.entries} == {"B1", "Pharmacy-A", "P1"}
    found = search_threads(service, region.caller("A1"), Criteria(), includes=everything)
    assert [each.message.id for each in found.messages][1:] == [message, right]
    assert {each.entry.fhir_id for each in found.entries} == {"A1", "Clinic-B", "Pharmacy-A", "P1"}
    hidden = search_threads(service, region.caller("C1"), Criteria(), includes=everything)
    assert [each.id for each in hidden.threads] == [other]
    assert {each.thread for each in hidden.messages} == {other}


def test_who_comes_along_names_nobody_unknown(region: Region) -> None:
    """As when the entry is read by itself: the patient knows of the team that was written to, and not who is in it."""
    service, recipients = region.service, frozenset({Include.RECIPIENT})
    thread = region.open("C1", ("P2", "Wounds"), "How is the wound?", patient="P2", reply_to="Hospital-C")
    message = post_message(
        service, region.caller("C1"), thread, MessageContent("And now?", recipients=region.ids("P2", "Wounds"))
    )  # fmt: skip
    for who, members in (("C1", region.ids("C1", "D1")), ("P2", region.ids("C1"))):
        alone = read_entry(service, region.caller(who), EntryKind.CARE_TEAM, "Wounds")
        for page in (
            search_messages(service, region.caller(who), one(Field.ID, message), includes=recipients),
            search_threads(service, region.caller(who), one(Field.ID, thread), includes=recipients),
        ):
            shown = {each.entry.fhir_id: each for each in page.entries}
            assert shown["Wounds"] == alone
            assert isinstance(alone.entry, CareTeam)
            assert tuple(each.member for each in alone.entry.members) == members
            with service.archive.database.snapshot() as connection:
                *_, line = lines(connection, Filter())
            assert {(each.entry, each.version) for each in line.entries} == {
                (each.entry.id, each.version) for each in page.entries
            }


def test_a_relative_of_another_does_not_come_along(region: Region, thread: CommunicationId) -> None:
    """A patient's thread may name one by mistake. Nobody of the patient's side is shown whose relative that is."""
    service, recipients = region.service, frozenset({Include.RECIPIENT})
    asked = region.open("C1", ("P2", "R2"), "How are you?", patient="P2")
    moved = {"resourceType": "RelatedPerson", "id": "R2", "active": True, "name": [{"text": "Rob Roe"}]}
    region.load(moved | {"patient": reference("P1")})
    page = search_threads(service, region.caller("P2"), one(Field.ID, asked), includes=recipients)
    assert [each.entry.fhir_id for each in page.entries] == ["P2"]
    page = search_threads(service, region.caller("C1"), one(Field.ID, asked), includes=recipients)
    assert [each.entry.fhir_id for each in page.entries] == ["P2", "R2"]


def test_who_reads_everything(region: Region, thread: CommunicationId, message: MessageId) -> None:
    service, auditor = region.service, region.auditor
    other = region.open("C1", ("P2",), "Apart", patient="P2")
    assert len(search_messages(service, auditor, Criteria()).messages) == 3
    for order, expected in ((ThreadOrder.AUTHORED, [thread, other]), (ThreadOrder.NEWEST_AUTHORED, [other, thread])):
        found: list[str] = []
        after = ""
        while not found or after:
            page = search_threads(service, auditor, Criteria(), order=order, count=1, after=after)
            found += [each.id for each in page.threads]
            after = page.after
        assert found == expected
    of_patient = one(Field.SUBJECT, Ref("Patient", "P2"))
    newest = search_threads(service, auditor, of_patient, order=ThreadOrder.NEWEST_UPDATED)
    assert [each.id for each in newest.threads] == [other]
    with pytest.raises(errors.InvalidValueError):
        search_threads(service, auditor, Criteria(), order=ThreadOrder.LAST_UPDATED)


def test_the_feed(region: Region, thread: CommunicationId, message: MessageId) -> None:
    service = region.service
    right = post_message(service, region.caller("B1"), thread, MessageContent("Right", corrects=message))
    region.open("C1", ("P2",), "Apart", patient="P2")

    def fed(who: str, kind: Kind) -> list[Any]:
        found: list[Any] = []
        after = ""
        while True:
            page = feed(service, region.caller(who), kind, after=after, count=1)
            found += [(each.message.id, each.version) for each in page.messages]
            found += [(each.id, each.version) for each in page.threads]
            after = page.after
            if page.is_end:
                assert feed(service, region.caller(who), kind, after=after).after == after
                return found

    assert fed("A1", Kind.MESSAGE)[1:] == [(message, 1), (right, 1), (message, 2)]
    assert fed("A1", Kind.THREAD) == [(thread, 3)]
    assert [version for _, version in fed("C1", Kind.MESSAGE)] == [1]
    for after, count in (("x", 1), ("", 0)):
        with pytest.raises(errors.InvalidValueError):
            feed(service, region.caller("A1"), Kind.THREAD, after=after, count=count)


def test_references(region: Region, thread: CommunicationId, message: MessageId) -> None:
    wanted = {
        ("Practitioner", "A1"): region.id("A1"),
        ("Practitioner", region.id("A1")): region.id("A1"),
        ("Communication", NAMED.resource_id or ""): message,
        ("CommunicationRequest", thread): thread,
    }
    unknown = [("Organization", "A1"), ("Organization", region.id("A1")), ("Practitioner", NO_UUID), ("Patient", "_")]
    unknown += [("Communication", NO_UUID), ("CommunicationRequest", NO_THREAD)]
    assert resolve(region.service, [*wanted, *unknown]) == wanted


@pytest.mark.parametrize("given", ["zz", "1.2.3", "ff" * 80])
def test_places_that_are_none(region: Region, given: str) -> None:
    service, caller = region.service, region.caller("A1")
    for order in MessageOrder:
        with pytest.raises(errors.InvalidValueError):
            search_messages(service, caller, Criteria(), order=order, after=given)
    with pytest.raises(errors.InvalidValueError):
        search_threads(service, caller, Criteria(), after=given)


def test_too_much_is_asked(region: Region) -> None:
    service, caller = region.service, region.caller("A1")
    clause = Clause(Field.STATUS, ("completed",))
    for criteria in (Criteria((clause,) * 33), Criteria((Clause(Field.STATUS, ("completed",) * 101),))):
        with pytest.raises(errors.InvalidValueError):
            search_messages(service, caller, criteria)
    for count in (-1, 1_001):
        with pytest.raises(errors.InvalidValueError):
            search_messages(service, caller, Criteria(), count=count)


# ── Hidden is as if it were not there ─────────────────────────────────────────────────────────────────────────────────


def asked_of(region: Region, caller: Caller, ask: Any) -> tuple[Any, tuple[str, ...], AccessEntry]:
    """Return what can be told from an answer: itself or the error, the statements, the line of the log."""
    with spying() as asked:
        try:
            answer = ask(region.service, caller)
        except CarethreadError as error:
            answer = (type(error), error.code)
    with region.service.archive.database.snapshot() as connection:
        last = list(lines(connection, Filter()))[-1]
    return answer, tuple(asked), _blanked(last)


@pytest.mark.parametrize("who", ["C1", "D1", "P2", "R1", "N1"])
def test_hidden_is_as_if_it_were_not_there(
    region: Region, thread: CommunicationId, message: MessageId, who: str
) -> None:
    region.open("D1", ("C1",), "Readable")
    region.open("C1", ("P2", "R2"), "Readable too", patient="P2")
    named = NAMED.resource_id or ""
    pairs: list[tuple[Field, Any, Any]] = [
        *((Field.ID, NO_UUID, each) for each in (named, message)),
        (Field.IDENTIFIER, Token("urn:system", "18"), Token("urn:system", "17")),
        (Field.IDENTIFIER, Token(None, "18"), Token(None, "17")),
        (Field.THREAD, Ref("CommunicationRequest", NO_THREAD), Ref("CommunicationRequest", thread)),
        (Field.IN_RESPONSE_TO, Ref("Communication", NO_UUID), Ref("Communication", named)),
        (Field.CORRECTS, Ref("Communication", NO_UUID), Ref("Communication", message)),
    ]
    everything = frozenset(Include)

    def searching(field: Field, value: Any, order: MessageOrder) -> Any:
        return lambda service, caller: search_messages(
            service, caller, one(field, value), order=order, includes=everything
        )

    def reading(read: Any, value: str) -> Any:
        return lambda service, caller: read(service, caller, value)

    def finding(value: str) -> Any:
        return lambda service, caller: search_threads(service, caller, one(Field.ID, value), includes=everything)

    asks = [
        (searching(field, missing, order), searching(field, hidden, order))
        for field, missing, hidden in pairs
        for order in MessageOrder
    ]
    asks.append((finding(NO_THREAD), finding(thread)))
    for read, nothing, something in (
        (message_resource, NO_UUID, named),
        (message_resource, NO_UUID, message),
        (message_resource_history, NO_UUID, named),
        (thread_resource, NO_THREAD, thread),
        (thread_resource_history, NO_THREAD, thread),
    ):
        asks.append((reading(read, nothing), reading(read, something)))
    caller = region.caller(who)
    for missing_ask, hidden_ask in asks:
        for remembers in (False, True):
            if not remembers:
                forget_the_directory()
            missing = asked_of(region, caller, missing_ask)
            if not remembers:
                forget_the_directory()
            hidden = asked_of(region, caller, hidden_ask)
            assert hidden[:2] == missing[:2]
            assert hidden[2].outcome == missing[2].outcome
            assert (hidden[2].served, hidden[2].record, hidden[2].thread) == ((), None, None)
