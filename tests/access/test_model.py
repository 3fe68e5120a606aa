"""Inboxes, unread marks, patients' threads, search and reading against plain loops over everything.

People come and go, teams and visibility change, threads are opened, answered, corrected, set aside and closed, the
index is rebuilt and the service opened again; whoever looks must see what `naive` says, no more and no less.

Long because one machine does all that people do, and looks with everybody's eyes.
"""

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from carethread import (
    Author,
    CarethreadError,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    Participant,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller, SystemClient
from carethread.reads import inbox, patient_threads, read_message, read_thread, search, unread_count
from carethread.reads.lists import InboxLine
from carethread.reads.looking import Looking
from carethread.record.model import Message
from carethread.store.inbox import Wanted
from carethread.store.search import Hit
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.access.naive import ADMINISTRATOR, CLINICIAN, Naive, People, Spoken, Team
from tests.databases import Databases, memory
from tests.people import PLACE, Ticking, mint_from, seeded_ids
from tests.region import ORGANIZATIONS, PATIENTS, PRACTITIONERS, RELATED, TEAMS, Region, reference, role, team

PEOPLE = [*PRACTITIONERS, *PATIENTS, *RELATED]
EVERYBODY = [*PEOPLE, *ORGANIZATIONS, *TEAMS]
ROLES = {
    **dict.fromkeys(ORGANIZATIONS, Role.ORGANISATION),
    **dict.fromkeys(PRACTITIONERS, Role.CLINICIAN),
    "A9": Role.CARE_ADMINISTRATOR,
    "B9": Role.CARE_ADMINISTRATOR,
    **dict.fromkeys(PATIENTS, Role.PATIENT),
    **dict.fromkeys(RELATED, Role.PATIENT_ASSOCIATE),
    **dict.fromkeys(TEAMS, Role.CARE_TEAM),
}
STANDINGS = {"doctor": CLINICIAN, "pharmacist": CLINICIAN, "nurse": CLINICIAN, "admin": ADMINISTRATOR}
BODIES = ["Metformin twice a day", "Überweisung twice", "metformin or insulin", "Day two: insulin", "Ψ two twice"]
QUERIES = ["metformin", "twice day", "ins*", '"twice a day"', "ÜBERWEISUNG", "uber*", '"day two" ins*', "two", "ψ"]
VISIBILITIES = [*(Visibility(each) for each in Sensitivity), Visibility(restricted=True)]
CLIENT = SystemClient(ParticipantId("00000000-0000-4000-8000-00000000000c"), "EHR", frozenset())

# Where each example begins, so that it has something to change.
BEGINNINGS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("A1", ("Clinic-B",), {"on_behalf_of": "Pharmacy-A"}),
    ("R1", ("Network-P1",), {}),
    ("B1", ("Wounds", "C1"), {"on_behalf_of": "Clinic-B", "patient": "P2"}),
]

who = st.sampled_from(PEOPLE)
members = st.lists(st.sampled_from(EVERYBODY), min_size=1, max_size=4, unique=True)
number = st.integers(0, 1000)


def _people() -> People:
    return People(
        practitioners=dict.fromkeys(PRACTITIONERS, True),
        organizations=dict.fromkeys(ORGANIZATIONS, True),
        roles={
            (person, place): (STANDINGS[code], True)
            for person, (_, places) in PRACTITIONERS.items()
            for place, code in places.items()
        },
        patients=dict.fromkeys(PATIENTS, True),
        related={each: (patient, True) for each, (_, patient) in RELATED.items()},
        teams={name: Team(list(about["members"]), about.get("patient")) for name, about in TEAMS.items()},
    )


class Access(RuleBasedStateMachine):
    """What may happen, and what everybody sees."""

    database_url: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="carethread-access-", dir=memory()))
        self.clock = Ticking()
        self.source = seeded_ids(11)
        self.service = self.open()

    def open(self) -> CoordinationService:
        mint = partial(mint_from, self.source)
        return CoordinationService.open(
            self.folder / "home", database_url=self.database_url, clock=self.clock, mint=mint, flushes=False
        )

    @initialize()
    def begin(self) -> None:
        self.region = Region(self.service)
        self.naive = Naive(_people(), self.region.name)
        self.clinical = {self.service.directory.find(f"Patient/{each}").clinical_id: each for each in PATIENTS}  # type: ignore[union-attr]

        for asking, to, more in BEGINNINGS:
            self.naive.opened[asking, self.region.open(asking, to, BODIES[len(to)], **more)] = 1

    # ── The directory ─────────────────────────────────────────────────────────────────────────────────────────────────

    def load(self, **resource: Any) -> bool:
        try:
            self.region.load(resource)
        except errors.DirectoryError:
            return False
        return True

    @rule(
        person=st.sampled_from(list(PRACTITIONERS)),
        place=st.sampled_from(list(ORGANIZATIONS)),
        code=st.sampled_from(["doctor", "admin"]),
        still=st.booleans(),
        past=st.booleans(),
    )
    def employ(self, person: str, place: str, code: str, *, still: bool, past: bool) -> None:
        ended = {"period": {"end": "2020-01-01"}} if past else {}
        if self.load(**role(person, place, code, active=still, **ended)):
            self.naive.people.roles[person, place] = (STANDINGS[code], still and not past)

    @rule(person=st.sampled_from(PEOPLE), active=st.booleans())
    def activate(self, person: str, *, active: bool) -> None:
        people = self.naive.people
        if person in PRACTITIONERS:
            name = PRACTITIONERS[person][0]
            if self.load(resourceType="Practitioner", id=person, active=active, name=[{"text": name}]):
                people.practitioners[person] = active
        elif person in RELATED:
            name, patient = RELATED[person]
            about = {"patient": reference(patient), "name": [{"text": name}]}
            if self.load(resourceType="RelatedPerson", id=person, active=active, **about):
                people.related[person] = (patient, active)

    @rule(place=st.sampled_from(list(ORGANIZATIONS)), active=st.booleans())
    def run_organization(self, place: str, *, active: bool) -> None:
        if self.load(resourceType="Organization", id=place, active=active, name=ORGANIZATIONS[place]):
            self.naive.people.organizations[place] = active

    @rule(name=st.sampled_from(list(TEAMS)), members=members, active=st.booleans())
    def change_team(self, name: str, members: list[str], *, active: bool) -> None:
        others = [each for each in members if each != name]
        resource = team(name)
        resource["participant"] = [{"member": reference(each)} for each in others]
        resource["status"] = "active" if active else "inactive"
        if self.load(**resource):
            held = self.naive.people.teams[name]
            held.members, held.active = others, active

    @rule()
    @precondition(lambda self: not self.naive.people.merged)
    def merge(self) -> None:
        link = [{"other": reference("P1"), "type": "replaced-by"}]
        if self.load(resourceType="Patient", id="P2", active=True, name=[{"text": PATIENTS["P2"]}], link=link):
            self.naive.people.merged = [frozenset({"P1", "P2"})]

    # ── Conversations ─────────────────────────────────────────────────────────────────────────────────────────────────

    def threads(self) -> list[Spoken]:
        """Return everything there is, past all rules of access."""
        found = []
        for status in self.service.records():
            record = self.service.record(status.coordination_id)
            found += [
                Spoken(
                    self.clinical[status.clinical_id],
                    status.coordination_id,
                    record.read_communication(each.communication_id),
                )
                for each in record.communications()
            ]
        return found

    def pick(self, number: int) -> Spoken | None:
        threads = self.threads()
        return threads[number % len(threads)] if threads else None

    @rule(
        asking=st.sampled_from([*PEOPLE, "A1", "B1", "B1", "C1"]),
        to=st.lists(st.sampled_from([*EVERYBODY, "Pharmacy-A", "Clinic-B"]), min_size=1, max_size=2, unique=True),
        speaks_for=st.booleans(),
        reply_to=st.none() | st.sampled_from(EVERYBODY),
        others=st.lists(st.sampled_from(EVERYBODY), max_size=1),
        visibility=st.sampled_from([Visibility(), Visibility(), *VISIBILITIES]),
        patients_take_part=st.booleans(),
        patient=st.sampled_from(list(PATIENTS)),
        body=st.sampled_from(["", *BODIES]),
    )
    def ask(
        self,
        asking: str,
        to: list[str],
        *,
        speaks_for: bool,
        reply_to: str | None,
        others: list[str],
        visibility: Visibility,
        patients_take_part: bool,
        patient: str,
        body: str,
    ) -> None:
        more: dict[str, Any] = {"visibility": visibility, "policies": Policies(patients_take_part), "patient": patient}
        groups = sorted(self.naive.groups(asking))
        if speaks_for and groups:
            more["on_behalf_of"] = groups[len(body) % len(groups)]
        elif reply_to is not None and speaks_for:
            more["reply_to"] = reply_to
        if others:
            more["others"] = tuple(others)
        try:
            thread = self.region.open(asking, tuple(to), body, **more)
        except CarethreadError:
            return
        if body:
            self.naive.opened[asking, thread] = 1

    @rule(
        asking=who,
        taking_part=st.lists(st.sampled_from(EVERYBODY), min_size=1, max_size=4, unique=True),
        patient=st.sampled_from(list(PATIENTS)),
        body=st.sampled_from(BODIES),
    )
    def plain(self, asking: str, taking_part: list[str], patient: str, body: str) -> None:
        """A thread as an import may bring it: no addressing, and nobody was asked whether it may be."""
        author = Author(self.region.id(asking), asking, ROLES[asking])
        clinical_id = next(each for each, name in self.clinical.items() if name == patient)
        record = self.service.find_record(clinical_id) or self.service.initialise(author, PLACE, clinical_id)
        participants = dict.fromkeys([asking, *taking_part])
        listed = [Participant(self.region.id(each), ROLES[each], each) for each in participants]
        record.communication_create(author, PLACE, listed, MessageContent(body))

    @rule(
        number=number,
        writing=who,
        body=st.sampled_from(BODIES),
        behalf=number,
        names=number,
        to_somebody=st.booleans(),
    )
    def post(self, number: int, writing: str, body: str, behalf: int, names: int, *, to_somebody: bool) -> None:
        thread = self.pick(number)
        if thread is None:
            return
        listed = thread.there.ledger.participants
        content = MessageContent(body)
        groups = sorted(self.naive.groups(writing) & {self.region.name(each.id) for each in listed})
        if groups and behalf % 2:
            content = MessageContent(body, on_behalf_of=self.region.id(groups[behalf % len(groups)]))
        if to_somebody:
            named = (listed[names % len(listed)].id,)
            content = MessageContent(body, on_behalf_of=content.on_behalf_of, recipients=named)
        self.write(thread, writing, content)

    @rule(number=number, message=number, body=st.sampled_from(BODIES))
    def correct(self, number: int, message: int, body: str) -> None:
        thread = self.pick(number)
        if thread is None or not thread.there.messages:
            return
        original = thread.there.messages[message % len(thread.there.messages)]
        content = MessageContent(body, corrects=original.id)
        self.write(thread, self.region.name(original.author_id), content)

    def write(self, thread: Spoken, writing: str, content: MessageContent) -> None:
        try:
            post_message(self.service, self.region.caller(writing), thread.id, content)
        except CarethreadError:
            return
        before = thread.last_message
        if self.naive.opened.get((writing, thread.id), 0) >= before:
            self.naive.opened[writing, thread.id] = len(thread.there.messages) + 1

    @rule(
        number=number,
        changing=who,
        visibility=st.none() | st.sampled_from(VISIBILITIES),
        policies=st.none() | st.booleans(),
        status=st.none() | st.none() | st.sampled_from(ThreadStatus),
        adds=st.none() | st.sampled_from(EVERYBODY),
        removes=st.none() | number,
        is_operator=st.booleans(),
    )
    def change(
        self,
        number: int,
        changing: str,
        visibility: Visibility | None,
        policies: bool | None,
        status: ThreadStatus | None,
        adds: str | None,
        removes: int | None,
        *,
        is_operator: bool,
    ) -> None:
        thread = self.pick(number)
        if thread is None:
            return
        listed = thread.there.ledger.participants
        removed = () if removes is None else (listed[removes % len(listed)].id,)
        rules = None if policies is None else Policies(policies)
        try:
            if is_operator:
                # Past the policy, as a record from elsewhere may be.
                added = () if adds is None else (Participant(self.region.id(adds), ROLES[adds], adds),)
                update = LedgerUpdate(status, added, removed, visibility, rules)
                author = Author(self.region.id("N1"), "Nobody Now", ROLES["N1"])
                self.service.record(thread.record).update_communication_ledger(author, PLACE, thread.id, update)
            else:
                added_ids = () if adds is None else (self.region.id(adds),)
                asked = ThreadChange(status, added_ids, removed, visibility, rules)
                change_thread(self.service, self.region.caller(changing), thread.id, asked)
        except CarethreadError:
            return

    @rule(number=number, of=number)
    def read(self, number: int, of: int) -> None:
        thread = self.pick(number)
        if thread is None:
            return
        able = [each for each in PEOPLE if self.naive.ways(each, thread)]
        reading = [*able, *able, *PEOPLE][of % (2 * len(able) + len(PEOPLE))]
        try:
            read_thread(self.service, self.region.caller(reading), thread.id)
        except errors.UnknownThreadError:
            assert reading not in able
        else:
            assert reading in able
            self.naive.opened[reading, thread.id] = len(thread.there.messages)

    @rule(number=number, of=number, always=st.booleans())
    def put_aside(self, number: int, of: int, *, always: bool) -> None:
        """Most often what waits on somebody, so that it can be seen to wait no more."""
        thread = self.pick(number)
        if thread is None:
            return
        able = sorted((by, way) for by in PEOPLE for way in self.naive.ways(by, thread) if way not in PEOPLE)
        waiting = [each for each in able if self.naive.waits(each[1], thread)]
        choice = able if always or not waiting else waiting
        if not choice:
            return
        by, group = choice[of % len(choice)]
        try:
            set_aside(self.service, self.region.caller(by), thread.id, self.region.id(group))
        except errors.ThreadNotOpenError:
            assert thread.there.ledger.status != "open"
            return
        place = len(thread.there.messages)
        if self.naive.asides.get((group, thread.id), (0, ""))[0] < place:
            self.naive.asides[group, thread.id] = (place, by)

    @rule(number=number, of=number, body=st.sampled_from(BODIES))
    def answer(self, number: int, of: int, body: str) -> None:
        """Somebody who reads a thread writes in it, as it comes."""
        thread = self.pick(number)
        able = [] if thread is None else [each for each in PEOPLE if self.naive.ways(each, thread)]
        if thread is not None and able:
            self.write(thread, able[of % len(able)], MessageContent(body))

    # ── The machine ───────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(step=st.sampled_from([0, 1, 700]))
    def tick(self, step: int) -> None:
        self.clock.step = step

    @rule()
    def rebuild(self) -> None:
        self.service.rebuild()

    @rule()
    def restart(self) -> None:
        self.service.close()
        self.service = self.open()
        self.region.service = self.service

    # ── What everybody sees ───────────────────────────────────────────────────────────────────────────────────────────

    @rule(looking=who, count=st.integers(1, 3), query=st.sampled_from(QUERIES), narrow=number)
    def look(self, looking: str, count: int, query: str, narrow: int) -> None:
        threads = self.threads()
        self.check_lists(looking, threads, count)
        self.check_reading(looking, threads)
        self.check_search(looking, threads, query, narrow, count)

    def teardown(self) -> None:
        # Whatever is found: looking for the smallest example has this end in a fault hundreds of times.
        try:
            if hasattr(self, "naive"):
                self.check_everything()
        finally:
            self.service.close()
            shutil.rmtree(self.folder)

    def check_everything(self) -> None:
        threads = self.threads()
        for at, each in enumerate(PEOPLE):
            self.check_lists(each, threads, 1 + at % 3)
            self.check_reading(each, threads)
            self.check_search(each, threads, QUERIES[at % len(QUERIES)], at, 1 + at % 3)
        self.check_those_without_a_role_in_it(threads)
        assert list(self.service.verify()) == []

    def check_lists(self, looking: str, threads: list[Spoken], count: int) -> None:
        caller = self.region.caller(looking)
        groups = self.naive.groups(looking)
        for of in (None, looking, *sorted(groups)):
            of_id = None if of is None else self.region.id(of)
            for wanted in (
                Wanted(),
                Wanted(archived=True),
                Wanted(waiting=True),
                Wanted(unread=True),
                Wanted(waiting=True, unread=True),
            ):
                found = inbox(self.service, caller, of=of_id, wanted=wanted)
                expected = self.naive.inbox(
                    looking, threads, of, archived=wanted.archived, waiting=wanted.waiting, unread=wanted.unread
                )
                assert list(found.lines) == [self.line(looking, each) for each in expected]
                assert found.after == ""
                assert self.paged(caller, of_id, wanted, count) == list(found.lines)
                if wanted == Wanted(unread=True):
                    assert unread_count(self.service, caller, of=of_id) == len(expected)
        for group in sorted({*ORGANIZATIONS, *TEAMS} - groups):
            with pytest.raises(errors.NotMemberError):
                inbox(self.service, caller, of=self.region.id(group))

    def paged(self, caller: Caller, of: ParticipantId | None, wanted: Wanted, count: int) -> list[InboxLine]:
        lines: list[InboxLine] = []
        after = ""
        while True:
            page = inbox(self.service, caller, of=of, wanted=wanted, after=after, count=count)
            assert len(page.lines) <= count
            lines += page.lines
            if not page.after:
                return lines
            after = page.after

    def line(self, looking: str, thread: Spoken) -> InboxLine:
        last = thread.last_message
        return InboxLine(
            thread.record,  # type: ignore[arg-type]
            frozenset(self.region.ids(*self.naive.people.one(thread.patient))),
            thread.there.ledger,
            thread.there.messages[last - 1] if last else None,
            self.naive.is_unread(looking, thread),
        )

    def check_reading(self, looking: str, threads: list[Spoken]) -> None:
        caller = self.region.caller(looking)
        mine = [each for each in threads if self.naive.ways(looking, each)]
        for each in threads:
            if each not in mine:
                with pytest.raises(errors.UnknownThreadError):
                    read_thread(self.service, caller, each.id, opens=False)
                for message in each.there.messages[:1]:
                    with pytest.raises(errors.UnknownMessageError):
                        read_message(self.service, caller, message.id)
                continue
            view = read_thread(self.service, caller, each.id, opens=False)
            assert (view.ledger, view.messages) == (each.there.ledger, each.there.messages)
            assert view.version == each.there.version
            own = {message.id for message in each.there.messages}
            pointed = {
                (message.corrects, other.id, message.id)
                for other in mine
                if other.id != each.id
                for message in other.there.messages
                if message.corrects in own
            }
            assert {(one.corrects, one.thread, one.message) for one in view.corrected_elsewhere} == pointed
            groups = self.naive.groups(looking)
            asides = {
                (group, *aside)
                for (group, thread), aside in self.naive.asides.items()
                if thread == each.id and group in groups
            }
            name = self.region.name
            assert {(name(one.group), one.position, name(one.person)) for one in view.asides} == asides
            for message in each.there.messages[-1:]:
                assert read_message(self.service, caller, message.id)[1] == message
        for patient in PATIENTS:
            for archived in (False, True):
                self.check_patient(looking, patient, mine, archived=archived)

    def check_patient(self, looking: str, patient: str, mine: list[Spoken], *, archived: bool) -> None:
        caller, people = self.region.caller(looking), self.naive.people
        own = people.own_patient(looking)
        if own is not None and patient not in people.one(own):
            with pytest.raises(errors.UnknownPersonError):
                patient_threads(self.service, caller, self.region.id(patient), archived=archived)
            return
        expected = [
            each
            for each in mine
            if each.patient in people.one(patient) and (archived or each.there.ledger.status != "archived")
        ]
        expected.sort(key=lambda each: (each.there.ledger.last_updated_at, each.id), reverse=True)
        found = patient_threads(self.service, caller, self.region.id(patient), archived=archived)
        assert list(found) == [self.line(looking, each) for each in expected]

    def check_search(self, looking: str, threads: list[Spoken], query: str, narrow: int, count: int) -> None:
        caller, name = self.region.caller(looking), self.region.name

        def may_read(thread: Spoken) -> bool:
            return bool(self.naive.ways(looking, thread))

        self.check_found(caller, threads, may_read, Looking(query), query, lambda _, __: True, count)
        patient = sorted(PATIENTS)[narrow % 2]
        of = EVERYBODY[narrow % len(EVERYBODY)]
        author = PEOPLE[narrow % len(PEOPLE)]
        everything = [each for thread in threads for each in thread.there.messages]
        middle = everything[narrow % len(everything)].timestamp if everything else self.clock()
        about = self.naive.people.one(patient)
        cases: list[tuple[Looking, Callable[[Spoken, Message], bool]]] = [
            (Looking(patient=self.region.id(patient)), lambda thread, _: thread.patient in about),
            (
                Looking(organisation=self.region.id(of)),
                lambda thread, _: of in [name(each.id) for each in thread.there.ledger.participants],
            ),
            (Looking(author=self.region.id(author)), lambda _, message: name(message.author_id) == author),
            (Looking(since=middle), lambda _, message: message.timestamp >= middle),
            (Looking(query, until=middle), lambda _, message: message.timestamp < middle),
        ]
        for looked, matches in cases:
            self.check_found(caller, threads, may_read, looked, looked.words, matches, count)

    def check_found(
        self,
        caller: Caller,
        threads: list[Spoken],
        may_read: Callable[[Spoken], bool],
        looked: Looking,
        query: str,
        matches: Callable[[Spoken, Message], bool],
        count: int,
    ) -> None:
        expected = self.naive.search(threads, may_read, query, matches)
        found = search(self.service, caller, looked)
        assert [each.message for each in found.hits] == expected
        pages: list[Hit] = []
        after = ""
        while True:
            page = search(self.service, caller, looked, after=after, count=count)
            pages += page.hits
            if not page.after:
                break
            after = page.after
        assert pages == list(found.hits)
        assert all(first.place > second.place for first, second in pairwise(pages))

    def check_those_without_a_role_in_it(self, threads: list[Spoken]) -> None:
        """An auditor sees everything; a client what an administrator of its organisation does."""
        query = QUERIES[len(threads) % len(QUERIES)]
        everything = self.naive.search(threads, lambda _: True, query, lambda _, __: True)
        if self.naive.people.practitioners["N1"]:
            assert [
                each.message for each in search(self.service, self.region.auditor, Looking(query)).hits
            ] == everything
            for each in threads:
                view = read_thread(self.service, self.region.auditor, each.id)
                assert view.messages == each.there.messages
        else:
            assert search(self.service, self.region.auditor, Looking(query)).hits == ()
        for place in ORGANIZATIONS:
            self.check_client(place, threads, query)

    def check_client(self, place: str, threads: list[Spoken], query: str) -> None:
        people = self.naive.people
        client = SystemClient(CLIENT.id, CLIENT.name, frozenset(self.region.ids(place)))
        caller = Caller(None, system=client, client="model")
        people.practitioners["client"] = True
        people.roles["client", place] = (ADMINISTRATOR, True)

        def may_read(thread: Spoken) -> bool:
            return bool(self.naive.ways("client", thread))

        try:
            expected = self.naive.inbox("client", threads, None, archived=False, waiting=False, unread=False)
            found = inbox(self.service, caller).lines
            assert [each.ledger.communication_id for each in found] == [each.id for each in expected]
            hits = search(self.service, caller, Looking(query)).hits
            assert [each.message for each in hits] == self.naive.search(threads, may_read, query, lambda _, __: True)
        finally:
            del people.practitioners["client"], people.roles["client", place]


TestAccess = Access.TestCase
TestAccess.settings = settings(
    max_examples=max(1, settings().max_examples // 12), stateful_step_count=25, deadline=None
)


def test_on_postgresql(databases: Databases) -> None:
    class OnPostgresql(Access):
        """The same, where each example has a database of its own, which goes when the next one comes."""

        def __init__(self) -> None:
            with databases.lent() as make:
                self.database_url = make()
            super().__init__()

    run_state_machine_as_test(
        OnPostgresql,
        settings=settings(max_examples=max(1, settings().max_examples // 50), stateful_step_count=20, deadline=None),
    )
