"""Searches by FHIR's terms against plain loops over everything: who may read it, what is asked, in order, in pages."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from carethread import CoordinationService, MessageContent, Sensitivity, ThreadStatus, Visibility
from carethread.clock import Instant
from carethread.ids import CommunicationId, MessageId
from carethread.reads import search_messages, search_threads
from carethread.reads.criteria import (
    Between,
    ByIdentifier,
    Clause,
    Criteria,
    Field,
    Include,
    MessageOrder,
    Ref,
    ThreadOrder,
    Token,
    Total,
)
from carethread.record.model import BusinessIdentifier, Message, Naming
from carethread.writes import ThreadChange, change_thread, post_message
from tests.access.naive import Naive, Spoken
from tests.access.test_model import _people
from tests.databases import Databases
from tests.people import Ticking, mint_from, seeded_ids
from tests.region import ORGANIZATIONS, PATIENTS, PRACTITIONERS, RELATED, TEAMS, Region, reference

PEOPLE = [*PRACTITIONERS, *PATIENTS, *RELATED]
EVERYBODY = [*PEOPLE, *ORGANIZATIONS, *TEAMS]
BEGAN = 1_768_142_175_234


class Scene(Struct):
    """A region in which much was said, and everything that was."""

    region: Region
    naive: Naive
    threads: list[Spoken]

    def readable(self, who: str) -> list[tuple[Spoken, int, Message]]:
        return [
            (thread, number, each)
            for thread in self.threads
            if self.naive.ways(who, thread)
            for number, each in enumerate(thread.there.messages, 1)
        ]


def talk(region: Region) -> None:
    """Have threads of all kinds, answers and corrections, and messages that came in late."""
    service = region.service

    def post(who: str, thread: CommunicationId, body: str, **more: Any) -> MessageId:
        naming = more.pop("naming", None)
        return post_message(service, region.caller(who), thread, MessageContent(body, **more), naming=naming)

    first = region.open("A1", ("Clinic-B",), "Metformin twice a day", on_behalf_of="Pharmacy-A")
    second = region.open("B1", ("Hospital-C", "Network-P1"), "Wound care", on_behalf_of="Clinic-B")
    third = region.open("R1", ("Network-P1",), "Pain at night")
    narrow = region.open(
        "B1", ("Clinic-B",), "Confidential insulin", visibility=Visibility(Sensitivity.CONFIDENTIAL)
    )  # fmt: skip
    team = region.open("C1", ("Wounds",), "Team talk", on_behalf_of="Wounds", patient="P2")
    silent = region.open("C1", ("P2", "R2"), "", reply_to="Hospital-C", patient="P2")
    day = Instant(BEGAN - 86_400_000)
    for number, (who, thread) in enumerate([("B1", first), ("A2", first), ("D1", second), ("C1", team), ("P1", third)]):
        asked = post(who, thread, f"Insulin {number}", sent=day if number % 2 else None)
        naming = Naming(f"msg-{number}", (BusinessIdentifier("urn:s", f"v{number % 2}"),))
        post(who, thread, f"Answer {number}", in_response_to=asked, sent=None, naming=naming)
        if number != 3:
            post(who, thread, f"Corrected {number}", corrects=asked)
    for number in range(4):
        post("C1", silent, f"Word {number}", sent=Instant(day + number // 2), recipients=region.ids("P2"))
    change_thread(service, region.caller("A1"), first, ThreadChange(ThreadStatus.CLOSED))
    change_thread(service, region.caller("B1"), narrow, ThreadChange(ThreadStatus.CLOSED))
    change_thread(service, region.caller("B1"), narrow, ThreadChange(ThreadStatus.ARCHIVED))


def scene_of(service: CoordinationService) -> Scene:
    region = Region(service)
    talk(region)
    return Scene(region, Naive(_people(), region.name), everything(region))


def everything(region: Region) -> list[Spoken]:
    clinical = {region.service.directory.find(f"Patient/{each}").clinical_id: each for each in PATIENTS}  # type: ignore[union-attr]
    found = []
    for status in region.service.records():
        record = region.service.record(status.coordination_id)
        for ledger in record.communications():
            there = record.read_communication(ledger.communication_id)
            found.append(Spoken(clinical[status.clinical_id], status.coordination_id, there))
    return found


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[list[Scene]]:
    """The same talk on both databases, once followed along and once rebuilt."""
    folder = tmp_path_factory.mktemp("fhir-searches")
    urls = (None, databases.make())
    services = [
        CoordinationService.open(
            folder / str(number),
            database_url=url,
            clock=Ticking(BEGAN),
            mint=partial(mint_from, seeded_ids()),
            flushes=False,
        )
        for number, url in enumerate(urls)
    ]
    yield [scene_of(each) for each in services]
    for each in services:
        each.close()


# ── The slow way ──────────────────────────────────────────────────────────────────────────────────────────────────────


def ref(name: str) -> Ref:
    kind, fhir_id = reference(name)["reference"].split("/")
    return Ref(kind, fhir_id)


def names_in(scene: Scene, clause: Clause) -> set[str]:
    return {each.id for each in clause.values if isinstance(each, Ref) and each.id in EVERYBODY}


def opener(scene: Scene, thread: Spoken) -> str:
    addressing = thread.there.ledger.addressing
    assert addressing is not None
    return scene.region.name(addressing.requester)


def thread_says(scene: Scene, thread: Spoken, field: str, clause: Clause) -> bool:
    ledger, named = thread.there.ledger, names_in(scene, clause)
    addressing = ledger.addressing
    assert addressing is not None
    reply_to = None if addressing.reply_to is None else scene.region.name(addressing.reply_to)
    match field:
        case "id":
            return thread.id in clause.values
        case "requester":
            return opener(scene, thread) in named
        case "recipient":
            return bool({scene.region.name(each) for each in addressing.recipients} & named)
        case "sender":
            return reply_to in named and reply_to not in TEAMS
        case "sender_care_team":
            return reply_to in named and reply_to in TEAMS
        case "status":
            return ("active" if ledger.status == "open" else "completed") in clause.values
        case "tag":
            return "archived" in clause.values and ledger.status == "archived"
        case "security":
            code = {"standard": "N", "confidential": "R"}.get(ledger.visibility.sensitivity, "V")
            return code in clause.values
        case "subject":
            return thread.patient in named
        case "authored":
            return within(ledger.created_at, clause)
        case "last_updated":
            return within(ledger.last_updated_at, clause)
        case "message_sender":
            return any(scene.region.name(each.author_id) in named for each in thread.there.messages)
    raise AssertionError(field)


def within(at: int, clause: Clause) -> bool:
    return any(
        isinstance(each, Between)
        and (each.since is None or at >= each.since)
        and (each.until is None or at < each.until)
        for each in clause.values
    )


def message_says(scene: Scene, who: str, thread: Spoken, message: Message, clause: Clause) -> bool:
    field, named = clause.field.value, names_in(scene, clause)
    wanted = {each.id for each in clause.values if isinstance(each, Ref)}
    readable = {each.id for _, _, each in scene.readable(who)}
    match field:
        case "id":
            return message.id in clause.values
        case "thread":
            return thread.id in wanted
        case "sender":
            return scene.region.name(message.author_id) in named
        case "recipient":
            return bool({scene.region.name(each.id) for each in message.to} & named)
        case "category":
            return message.type in clause.values
        case "status":
            return "completed" in clause.values
        case "sent":
            return within(message.sent or message.timestamp, clause)
        case "last_updated":
            return within(message.timestamp, clause)
        case "in_response_to":
            return message.in_response_to in wanted & readable
        case "corrects":
            return message.corrects in wanted & readable
        case "tag":
            corrected = {each.corrects for _, _, each in scene.readable(who)}
            return "corrected" in clause.values and message.id in corrected
        case "content":
            return any(str(each).lower() in message.body.lower().split() for each in clause.values)
    return thread_says(scene, thread, field.removeprefix("thread_"), clause)


def expected_messages(scene: Scene, who: str, criteria: Criteria, order: MessageOrder) -> list[str]:
    found = [
        (thread, message)
        for thread, _, message in scene.readable(who)
        if all(message_says(scene, who, thread, message, each) != each.negated for each in criteria.clauses)
    ]

    def standing(each: tuple[Spoken, Message]) -> tuple[int, str, int]:
        thread, message = each
        by_sent = order in (MessageOrder.SENT, MessageOrder.NEWEST_SENT)
        return (
            (message.sent or message.timestamp) if by_sent else message.timestamp,
            thread.record[-4:],
            message.timestamp,
        )

    newest = order in (MessageOrder.NEWEST_SENT, MessageOrder.NEWEST_UPDATED)
    return [message.id for _, message in sorted(found, key=standing, reverse=newest)]


def expected_threads(scene: Scene, who: str, criteria: Criteria, order: ThreadOrder) -> list[str]:
    found = [
        each
        for each in scene.threads
        if scene.naive.ways(who, each)
        and all(thread_says(scene, each, clause.field.value, clause) != clause.negated for clause in criteria.clauses)
    ]
    by_begin = order in (ThreadOrder.AUTHORED, ThreadOrder.NEWEST_AUTHORED)
    newest = order in (ThreadOrder.NEWEST_AUTHORED, ThreadOrder.NEWEST_UPDATED)

    def standing(each: Spoken) -> int:
        return each.there.ledger.created_at if by_begin else each.there.ledger.last_updated_at

    return [each.id for each in sorted(found, key=standing, reverse=newest)]


# ── What is asked ─────────────────────────────────────────────────────────────────────────────────────────────────────

people = st.lists(st.sampled_from(EVERYBODY), min_size=1, max_size=2).map(lambda names: tuple(map(ref, names)))
instants = st.integers(BEGAN - 86_400_002, BEGAN + 400_000).map(Instant)
ranges = st.builds(Between, st.none() | instants, st.none() | instants).map(lambda each: (each,))
_SHARED: dict[Field, Any] = {
    Field.RECIPIENT: people,
    Field.SENDER: people,
    Field.SUBJECT: st.sampled_from([(Ref("Patient", "P1"),), (Ref("Patient", "P2"),), (Ref("Patient", "P9"),)]),
    Field.LAST_UPDATED: ranges,
    Field.SECURITY: st.sampled_from([("N",), ("R", "V")]),
}
MESSAGE_VALUES: dict[Field, Any] = {
    **_SHARED,
    Field.SENT: ranges,
    Field.STATUS: st.sampled_from([("completed",), ("in-progress",)]),
    Field.CATEGORY: st.sampled_from([("system",), ("clinician", "patient"), ("correction",), ("none",)]),
    Field.TAG: st.sampled_from([("corrected",), ("other",)]),
    Field.CONTENT: st.sampled_from([("insulin",), ("word", "answer"), ("insulin", "corrected")]),
    Field.THREAD_RECIPIENT: people,
    Field.THREAD_REQUESTER: people,
    Field.THREAD_SENDER: people,
    Field.THREAD_STATUS: st.sampled_from([("active",), ("completed",)]),
    Field.THREAD: st.integers(0, 99),
    Field.ID: st.integers(0, 99),
    Field.IN_RESPONSE_TO: st.integers(0, 99),
    Field.CORRECTS: st.integers(0, 99),
}
THREAD_VALUES: dict[Field, Any] = {
    **_SHARED,
    Field.STATUS: st.sampled_from([("active",), ("completed",)]),
    Field.TAG: st.sampled_from([("archived",), ("other",)]),
    Field.REQUESTER: people,
    Field.SENDER_CARE_TEAM: people,
    Field.AUTHORED: ranges,
    Field.MESSAGE_SENDER: people,
    Field.ID: st.integers(0, 99),
}


def clauses(values: dict[Field, Any]) -> Any:
    one = st.sampled_from(list(values)).flatmap(
        lambda field: st.tuples(st.just(field), values[field], st.sampled_from([False, False, False, True]))
    )
    return st.lists(one, max_size=3)


def criteria_of(scene: Scene, given_clauses: list[tuple[Field, Any, bool]], *, threads: bool) -> Criteria:
    """Give numbers the ids of what they stand for here: hidden and not there as well."""
    found = []
    messages = [each for thread in scene.threads for each in thread.there.messages]
    for field, values, negated in given_clauses:
        chosen = values
        if isinstance(values, int):
            thread, message = scene.threads[values % len(scene.threads)], messages[values % len(messages)]
            if field is Field.ID:
                chosen = (thread.id if threads else message.id,)
            elif field is Field.THREAD:
                chosen = (Ref("CommunicationRequest", thread.id),)
            else:
                other = {Field.IN_RESPONSE_TO: message.in_response_to, Field.CORRECTS: message.corrects}[field]
                chosen = (Ref("Communication", other or message.id),)
        found.append(Clause(field, chosen, negated))
    return Criteria(tuple(found))


def pages_of(ask: Callable[[str], Any], part: str) -> list[Any]:
    found, after = [], ""
    for _ in range(200):
        page = ask(after)
        found += getattr(page, part)
        after = page.after
        if not after:
            return found
    raise AssertionError("it never ends")


@given(
    who=st.sampled_from(PEOPLE),
    asked=clauses(MESSAGE_VALUES),
    order=st.sampled_from(MessageOrder),
    count=st.sampled_from([1, 3, 50]),
    walks=st.booleans(),
)
@settings(max_examples=settings().max_examples, deadline=None)
def test_messages(
    scenes: list[Scene], who: str, asked: Any, order: MessageOrder, count: int, walks: bool
) -> None:  # fmt: skip
    for scene in scenes:
        criteria = criteria_of(scene, asked, threads=False)
        service, caller = scene.region.service, scene.region.caller(who)

        def ask(after: str, **more: Any) -> Any:
            return search_messages(service, caller, criteria, order=order, after=after, count=count, **more)  # noqa: B023

        with pytest.MonkeyPatch.context() as patch:
            if walks:
                # As if there were more than is put in order at once.
                patch.setattr("carethread.reads.searching._CHUNK", 2)
                patch.setattr("carethread.reads.searching.MOST_LOOKED_AT", 4)
            found = [each.message.id for each in pages_of(ask, "messages")]
        expected = expected_messages(scene, who, criteria, order)
        assert found == expected
        assert ask("", total=Total.ACCURATE).total == len(expected)


@given(
    who=st.sampled_from(PEOPLE),
    asked=clauses(THREAD_VALUES),
    order=st.sampled_from(ThreadOrder),
    count=st.sampled_from([1, 2, 50]),
    most=st.sampled_from([1, 2_000]),
)
@settings(max_examples=settings().max_examples, deadline=None)
def test_threads(scenes: list[Scene], who: str, asked: Any, order: ThreadOrder, count: int, most: int) -> None:
    for scene in scenes:
        criteria = criteria_of(scene, asked, threads=True)
        service, caller = scene.region.service, scene.region.caller(who)

        def ask(after: str, **more: Any) -> Any:
            return search_threads(service, caller, criteria, order=order, after=after, count=count, **more)  # noqa: B023

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("carethread.reads.searching.MOST_LOOKED_AT", most)
            found = [each.ledger.communication_id for each in pages_of(ask, "threads")]
        expected = expected_threads(scene, who, criteria, order)
        assert found == expected
        assert ask("", total=Total.ACCURATE).total == len(expected)


def test_a_rebuilt_index_finds_the_same(scenes: list[Scene]) -> None:
    for scene in scenes:
        service = scene.region.service

        def all_found(scene: Scene = scene, service: CoordinationService = service) -> list[Any]:
            return [
                search_messages(service, scene.region.caller(who), Criteria(), order=order, includes=frozenset(Include))
                for who in PEOPLE
                for order in MessageOrder
            ]

        before = all_found()
        service.rebuild()
        assert all_found() == before


def test_identifiers_of_messages(scenes: list[Scene]) -> None:
    for scene in scenes:
        for token, expected in (
            (Token("urn:s", "v1"), ["msg-3", "msg-1"]),
            (Token(None, "v0"), ["msg-4", "msg-2", "msg-0"]),
        ):
            criteria = Criteria((Clause(Field.IDENTIFIER, (token,)),))
            found = {
                who: [
                    each.id
                    for each in search_messages(scene.region.service, scene.region.caller(who), criteria).messages
                ]
                for who in PEOPLE
            }
            for who, ids in found.items():
                readable = {each.body[-1] for _, _, each in scene.readable(who) if each.body.startswith("Answer")}
                assert ids == [each for each in expected if each[-1] in readable]


def test_nobody_is_meant_by_an_identifier_that_is_not_there(scenes: list[Scene]) -> None:
    clause = Clause(
        Field.RECIPIENT, (ByIdentifier("Organization", "urn:x", "1"), ByIdentifier("Organization", None, "1"))
    )
    for scene in scenes:
        assert search_messages(scene.region.service, scene.region.auditor, Criteria((clause,))).messages == ()
