"""Each criterion by hand: who is found by it, who is not, and nothing of what may not be read."""

from typing import Any

import pytest

from carethread import (
    Author,
    BusinessIdentifier,
    LedgerUpdate,
    MessageContent,
    Naming,
    Participant,
    Role,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.clock import Instant
from carethread.directory.model import Duty
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import ActorKind, Caller, SystemClient
from carethread.reads import message_resource, resolve, search_messages, search_threads, thread_resource
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
from carethread.writes import ThreadChange, change_thread, post_message
from tests.region import Region, role

OURS = Token("urn:ours", "7")
NAMED = Naming("thread-7", (BusinessIdentifier("urn:ours", "7"),))


def messages(region: Region, who: str, *clauses: Clause, **more: Any) -> list[str]:
    """Return what messages say, oldest first."""
    found = search_messages(region.service, region.caller(who), Criteria(clauses), **more).messages
    return [each.message.body for each in reversed(found)]


def threads(region: Region, who: str, *clauses: Clause, **more: Any) -> list[str]:
    """Return the ids of threads, newest first."""
    return [each.id for each in search_threads(region.service, region.caller(who), Criteria(clauses), **more).threads]


@pytest.fixture
def thread(region: Region) -> CommunicationId:
    """The pharmacy asks the clinic, who answers; C1 has no part in it."""
    opened = region.open("A1", ("Clinic-B",), "Metformin twice a day", on_behalf_of="Pharmacy-A", naming=NAMED)
    post_message(region.service, region.caller("B1"), opened, MessageContent("Insulin once a day"))
    return opened


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_threads_by_identifier(region: Region, thread: CommunicationId) -> None:
    other = region.open("A1", ("Clinic-B",), "Without a name", on_behalf_of="Pharmacy-A")
    for token, expected in (
        (OURS, ["thread-7"]),
        (Token(None, "7"), ["thread-7"]),
        (Token("", "7"), []),
        (Token("urn:ours", "8"), []),
        (Token("urn:ours", None), ["thread-7"]),
        (Token("urn:others", None), []),
    ):
        asked = Clause(Field.IDENTIFIER, (token,))
        assert threads(region, "B1", asked) == expected
        assert threads(region, "C1", asked) == []
        assert threads(region, "B1", Clause(Field.IDENTIFIER, (token,), negated=True)) == [
            each for each in (other, "thread-7") if each not in expected
        ]
    # All clauses hold, whichever way leads to the thread.
    named, by_own_id = Clause(Field.IDENTIFIER, (OURS,)), Clause(Field.ID, (thread,))
    assert threads(region, "B1", named, by_own_id) == ["thread-7"]
    assert threads(region, "B1", named, Clause(Field.ID, (other,))) == []


def test_a_message_with_a_business_identifier_alone(region: Region, thread: CommunicationId) -> None:
    naming = Naming(None, (BusinessIdentifier("urn:ours", "8"),))
    post_message(region.service, region.caller("B1"), thread, MessageContent("Called 8"), naming=naming)
    asked = Clause(Field.IDENTIFIER, (Token("urn:ours", "8"),))
    assert messages(region, "A1", asked) == ["Called 8"]
    assert messages(region, "A1", asked, Clause(Field.CATEGORY, ("patient",))) == []
    assert messages(region, "A1", asked, Clause(Field.IDENTIFIER, (OURS,))) == []
    either = Clause(Field.IDENTIFIER, (Token("urn:ours", None), Token("urn:others", "9")))
    assert messages(region, "A1", either) == ["Called 8"]
    assert messages(region, "A1", Clause(Field.IDENTIFIER, (Token("urn:others", None),))) == []


def test_people_by_identifier(region: Region, thread: CommunicationId) -> None:
    agb = [{"system": "urn:agb", "value": "42"}]
    region.load(
        {"resourceType": "Organization", "id": "Clinic-B", "active": True, "name": "Clinic B", "identifier": agb},
        {"resourceType": "Organization", "id": "New-F", "active": True, "name": "New", "identifier": [
            {"system": "urn:other", "value": "43"}]},
        {"resourceType": "Organization", "id": "New-G", "active": True, "name": "New", "identifier": [
            {"system": "urn:third", "value": "43"}]},
    )  # fmt: skip
    for system in ("urn:agb", None):
        clinic = ByIdentifier("Organization", system, "42")
        assert messages(region, "A1", Clause(Field.RECIPIENT, (clinic,))) == ["Metformin twice a day"]
        assert len(messages(region, "A1", Clause(Field.THREAD_RECIPIENT, (clinic,)))) == 2
        assert threads(region, "A1", Clause(Field.RECIPIENT, (clinic,))) == ["thread-7"]
        # It is the thread that has these recipients, and it stays hidden.
        assert messages(region, "C1", Clause(Field.THREAD_RECIPIENT, (clinic,))) == []
    assert messages(region, "A1", Clause(Field.RECIPIENT, (ByIdentifier("Practitioner", "urn:agb", "42"),))) == []
    # What is no reference means nobody.
    assert messages(region, "A1", Clause(Field.RECIPIENT, ("Clinic-B",))) == []
    one, none, two = (("Organization", each) for each in ("urn:agb|42", "urn:agb|43", "urn:other|43"))
    assert resolve(region.service, [one, none, two]) == {one: region.id("Clinic-B"), two: region.service.directory.find(
        "Organization/New-F").id}  # fmt: skip


def test_an_identifier_that_two_carry_resolves_to_neither(region: Region) -> None:
    both = [
        {"resourceType": "Organization", "id": each, "active": True, "name": "New", "identifier": [{"value": "43"}]}
        for each in ("New-F", "New-G")
    ]
    region.load(*both)
    assert resolve(region.service, [("Organization", "|43")]) == {}


@pytest.mark.parametrize("fhir_id", ["", "two words", "x" * 65, "\ud800"])
def test_what_cannot_be_an_id_means_nobody(region: Region, thread: CommunicationId, fhir_id: str) -> None:
    assert messages(region, "A1", Clause(Field.RECIPIENT, (Ref("Organization", fhir_id),))) == []
    assert threads(region, "A1", Clause(Field.MESSAGE_SENDER, (Ref(None, fhir_id),))) == []


def test_more_references_than_are_remembered(
    region: Region, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carethread.store.called._REMEMBERED", 0)
    monkeypatch.setattr("carethread.store.held._REMEMBERED", 0)
    # The same record, to the commit, may have been read by a test before.
    monkeypatch.setattr("carethread.store.held._remembered", {})
    monkeypatch.setattr("carethread.reads.projecting._REMEMBERED", 0)
    monkeypatch.setattr("carethread.reads.projecting._remembered", {})
    monkeypatch.setattr(
        "carethread.reads.projecting._remembered_threads", {("another", "0"): None, ("third", "0"): None}
    )
    for _ in range(2):
        assert threads(region, "A1") == ["thread-7"]
        asked = Clause(Field.RECIPIENT, (Ref("Organization", "Clinic-B"),))
        assert messages(region, "A1", asked) == ["Metformin twice a day"]
        assert len(messages(region, "A1")) == 2


def test_messages_other_than_some(region: Region, thread: CommunicationId) -> None:
    found = search_messages(region.service, region.caller("A1"), Criteria()).messages
    ids = {each.message.body: each.id for each in found}
    other = Clause(Field.ID, (ids["Insulin once a day"], "nothing"), negated=True)
    assert messages(region, "A1", other) == ["Metformin twice a day"]
    assert messages(region, "C1", other) == []


def test_a_record_is_about_the_patient_who_stands(region: Region, thread: CommunicationId) -> None:
    before = search_messages(region.service, region.caller("A1"), Criteria()).messages
    assert {each.patient for each in before} == {region.id("P1")}
    assert thread_resource(region.service, region.auditor, thread)[0].patient == region.id("P1")
    merged = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/P2"}}]}
    patient = {"resourceType": "Patient", "id": "P1", "active": True, "name": [{"text": "John Doe"}]}
    region.load({**patient, "birthDate": "1956-05-27", **merged})
    shown, names = thread_resource(region.service, region.auditor, thread)
    assert (shown.patient, names[shown.patient]) == (region.id("P2"), "Patient/P2")
    after = search_messages(region.service, region.auditor, Criteria()).messages
    assert {each.patient for each in after} == {region.id("P2")}
    for each in ("P1", "P2"):
        found = search_threads(
            region.service, region.auditor, Criteria((Clause(Field.SUBJECT, (Ref("Patient", each),)),))
        )
        assert [each.id for each in found.threads] == ["thread-7"]


# ── What is said, and when ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("insulin",), {"Insulin once a day"}),
        (("INSU*",), {"Insulin once a day"}),
        (('"twice a day"',), {"Metformin twice a day"}),
        (('"a day" once',), {"Insulin once a day"}),
        (("metf*", "insulin"), {"Metformin twice a day", "Insulin once a day"}),
        (('"day a"',), set()),
        (("insul",), set()),
    ],
)
def test_words(region: Region, thread: CommunicationId, asked: tuple[str, ...], expected: set[str]) -> None:
    everything = {"Metformin twice a day", "Insulin once a day"}
    assert set(messages(region, "A1", Clause(Field.CONTENT, asked))) == expected
    assert set(messages(region, "A1", Clause(Field.CONTENT, asked, negated=True))) == everything - expected
    assert messages(region, "C1", Clause(Field.CONTENT, asked)) == []


@pytest.mark.parametrize("field", [Field.SENT, Field.LAST_UPDATED])
def test_no_range_at_all(region: Region, thread: CommunicationId, field: Field) -> None:
    assert messages(region, "A1", Clause(field, ())) == []
    assert len(messages(region, "A1", Clause(field, (), negated=True))) == 2
    every = Clause(field, (Between(None, None),))
    assert len(messages(region, "A1", every)) == 2
    assert messages(region, "A1", Clause(field, (Between(None, None),), negated=True)) == []
    assert messages(region, "A1", Clause(field, (Between(Instant(0), Instant(1)),))) == []


@pytest.mark.parametrize(
    ("visibility", "code"), [(Visibility(), "N"), (Visibility(restricted=True), "V")]
)  # fmt: skip
def test_security(region: Region, visibility: Visibility, code: str) -> None:
    opened = region.open("A1", ("Clinic-B",), "Only by name", others=("A2", "B1"), visibility=visibility)
    for each in "NRV":
        assert threads(region, "A2", Clause(Field.SECURITY, (each,))) == ([opened] if each == code else [])
        assert messages(region, "A2", Clause(Field.SECURITY, (each,))) == (["Only by name"] if each == code else [])
    assert message_resource_of(region, "A2").visibility == visibility


def message_resource_of(region: Region, who: str) -> Any:
    found = search_messages(region.service, region.caller(who), Criteria()).messages
    return message_resource(region.service, region.caller(who), found[0].id)[0]


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Field.SENDER, Ref("Practitioner", "B1")),
        (Field.RECIPIENT, Ref("Organization", "Clinic-B")),
        (Field.SUBJECT, Ref("Patient", "P1")),
        (Field.THREAD, Ref("CommunicationRequest", "thread-7")),
        (Field.THREAD_REQUESTER, Ref("Practitioner", "A1")),
        (Field.THREAD_SENDER, Ref("Organization", "Pharmacy-A")),
        (Field.THREAD_STATUS, "active"),
        (Field.CATEGORY, "clinician"),
        (Field.STATUS, "completed"),
        (Field.IN_RESPONSE_TO, Ref("Communication", "none")),
        (Field.CORRECTS, Ref("Communication", "none")),
    ],
)
def test_not(region: Region, thread: CommunicationId, field: Field, value: Any, negated: bool) -> None:
    meant = {
        Field.SENDER: {"Insulin once a day"},
        Field.RECIPIENT: {"Metformin twice a day"},
        Field.IN_RESPONSE_TO: set[str](),
        Field.CORRECTS: set[str](),
    }
    everything = {"Metformin twice a day", "Insulin once a day"}
    expected = meant.get(field, everything)
    found = set(messages(region, "A1", Clause(field, (value,), negated)))
    assert found == (everything - expected if negated else expected)
    assert messages(region, "C1", Clause(field, (value,), negated)) == []


def test_threads_not_about_somebody(region: Region, thread: CommunicationId) -> None:
    other = region.open("A1", ("Clinic-B",), "About P2", on_behalf_of="Pharmacy-A", patient="P2")
    about = Clause(Field.SUBJECT, (Ref("Patient", "P1"),))
    assert threads(region, "A1", about) == ["thread-7"]
    assert threads(region, "A1", Clause(Field.SUBJECT, (Ref("Patient", "P1"),), negated=True)) == [other]
    assert threads(region, "A1", about, Clause(Field.SUBJECT, (Ref("Patient", "P2"),))) == []


# ── Who is named ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_thread_is_asked_by_whoever_wrote_first(region: Region) -> None:
    """Without addressing, it goes to everybody else in it."""
    jane, john, site = (ParticipantId(f"{number:08x}-1e3b-4a7c-8f1e-6b0d2c5a9f12") for number in (1, 2, 3))
    author = Author(john, "John")
    record = region.service.initialise(author, "Oxford", "c4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    people = [
        Participant(jane, Role.CLINICIAN, "Jane"),
        Participant(john, Role.CLINICIAN, "John"),
        Participant(site, Role.ORGANISATION, "Site"),
    ]
    opened = record.communication_create(author, "Oxford", people, MessageContent("First"))

    def found(field: Field, kind: str, who: ParticipantId) -> list[str]:
        clause = Clause(field, (Ref(kind, who),))
        return [each.id for each in search_threads(region.service, region.auditor, Criteria((clause,))).threads]

    assert found(Field.REQUESTER, "Practitioner", john) == [opened]
    assert found(Field.REQUESTER, "Practitioner", jane) == []
    assert found(Field.RECIPIENT, "Practitioner", jane) == [opened]
    assert found(Field.RECIPIENT, "Practitioner", john) == []


def test_whoever_left_the_thread_is_still_named(region: Region) -> None:
    john, site = (ParticipantId(f"{number:08x}-1e3b-4a7c-8f1e-6b0d2c5a9f12") for number in (2, 3))
    author = Author(john, "John")
    record = region.service.initialise(author, "Oxford", "c4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    people = [Participant(john, Role.CLINICIAN, "John"), Participant(site, Role.ORGANISATION, "Site")]
    opened = record.communication_create(author, "Oxford", people)
    message = record.add_message(author, "Oxford", opened, MessageContent("For the site", on_behalf_of=site))
    record.update_communication_ledger(author, "Oxford", opened, LedgerUpdate(remove_participants=(site,)))
    _, names = message_resource(region.service, region.auditor, message)
    assert (names[site], names[john]) == (f"Organization/{site}", f"Practitioner/{john}")


def test_the_system_it_was_written_through(region: Region, thread: CommunicationId) -> None:
    ehr = ParticipantId("00000000-0000-4000-8000-00000000000c")
    system = SystemClient(ehr, "EHR", frozenset({region.id("Clinic-B")}))
    caller = Caller(region.id("B1"), system=system, client="ehr")
    message = post_message(region.service, caller, thread, MessageContent("By machine"))
    shown, names = message_resource(region.service, region.caller("A1"), message)
    assert shown.message.via is not None
    assert names[ehr] == f"Organization/{ehr}"


def test_what_a_thread_takes_up(region: Region, thread: CommunicationId) -> None:
    """Its id is shown to those who may read that thread as well."""
    service = region.service
    change_thread(service, region.caller("A1"), thread, ThreadChange(ThreadStatus.CLOSED))
    more = region.open("A1", ("Hospital-C",), "Once more", on_behalf_of="Pharmacy-A", continues=thread)
    assert thread_resource(service, region.caller("A1"), more)[0].continues == "thread-7"
    assert thread_resource(service, region.caller("C1"), more)[0].continues is None


# ── Bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_threads_of_patients_one_is_not_bound_to(region: Region) -> None:
    """A record may name somebody in the thread of another patient; a relative reads their own patient's alone."""
    own = region.open("R1", ("Network-P1",), "Pain at night")
    theirs = region.open("C1", ("P2",), "Apart", patient="P2")
    status = next(
        each for each in region.service.records() if region.service.record(each.coordination_id).communications()[0]
        .communication_id == theirs
    )  # fmt: skip
    author = Author(region.id("C1"), "Dr Cas Citroen")
    people = [
        Participant(author.id, Role.CLINICIAN, author.name),
        Participant(region.id("R1"), Role.PATIENT_ASSOCIATE, "Mary Doe"),
    ]
    region.service.record(status.coordination_id).communication_create(author, "Oxford", people, MessageContent("No"))
    for order in ThreadOrder:
        assert threads(region, "R1", order=order) == [own]
        assert threads(region, "R1", Clause(Field.SUBJECT, (Ref("Patient", "P2"),)), order=order) == []
    assert messages(region, "R1") == ["Pain at night"]


@pytest.mark.parametrize("order", ThreadOrder)
def test_lists_are_read_piece_by_piece(region: Region, order: ThreadOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [region.open("A1", ("Clinic-B",), f"{each}", on_behalf_of="Pharmacy-A") for each in range(3)]
    monkeypatch.setattr("carethread.store.begun._CHUNK", 1)
    newest = order in (ThreadOrder.NEWEST_AUTHORED, ThreadOrder.NEWEST_UPDATED)
    expected = opened[::-1] if newest else opened
    assert threads(region, "B1", order=order) == expected
    if order in (ThreadOrder.AUTHORED, ThreadOrder.NEWEST_AUTHORED):
        found = search_threads(region.service, region.auditor, Criteria(), order=order).threads
        assert [each.id for each in found] == expected


def test_too_much_to_count(region: Region, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.reads.searching.MOST_LOOKED_AT", 1)
    monkeypatch.setattr("carethread.reads.searching.MOST_COUNTED", 1)
    service, caller = region.service, region.caller("A1")
    for clauses in ((), (Clause(Field.THREAD_STATUS, ("active",)),)):
        assert search_messages(service, caller, Criteria(clauses), count=0, total=Total.ACCURATE).total is None
    one = (Clause(Field.SENDER, (Ref("Practitioner", "B1"),)),)
    assert search_messages(service, caller, Criteria(one), count=0, total=Total.ACCURATE).total == 1


def test_no_more_messages_come_with_threads_than_there_is_room(
    region: Region, thread: CommunicationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.open("A1", ("Clinic-B",), "Second", on_behalf_of="Pharmacy-A")
    includes = frozenset({Include.MESSAGES})

    def come() -> list[str]:
        found = search_threads(region.service, region.caller("A1"), Criteria(), includes=includes)
        return [each.message.body for each in found.messages]

    assert come() == ["Second", "Metformin twice a day", "Insulin once a day"]
    monkeypatch.setattr("carethread.reads.searching.MOST_OF_A_THREAD", 1)
    assert come() == ["Second", "Metformin twice a day"]
    monkeypatch.setattr("carethread.reads.searching.MOST_INCLUDED", 1)
    assert come() == ["Second"]


@pytest.mark.parametrize(
    ("include", "of_messages", "of_threads"),
    [
        (Include.SENDER, {"A1", "B1"}, {"Pharmacy-A"}),
        (Include.RECIPIENT, {"Clinic-B", "Pharmacy-A"}, {"Clinic-B"}),
        (Include.SUBJECT, {"P1"}, {"P1"}),
        (Include.REQUESTER, set(), {"A1"}),
        (Include.THREAD, set(), set()),
    ],
)
def test_each_include(
    region: Region, thread: CommunicationId, include: Include, of_messages: set[str], of_threads: set[str]
) -> None:
    service, caller, includes = region.service, region.caller("A1"), frozenset({include})
    found = search_messages(service, caller, Criteria(), includes=includes)
    assert {each.entry.fhir_id for each in found.entries} == of_messages
    listed = search_threads(service, caller, Criteria(), includes=includes)
    assert {each.entry.fhir_id for each in listed.entries} == of_threads


def test_messages_without_an_identifier(region: Region, thread: CommunicationId) -> None:
    naming = Naming(None, (BusinessIdentifier("urn:ours", "8"),))
    post_message(region.service, region.caller("B1"), thread, MessageContent("Called 8"), naming=naming)
    without = Clause(Field.IDENTIFIER, (Token(None, "8"),), negated=True)
    assert messages(region, "A1", without) == ["Metformin twice a day", "Insulin once a day"]


@pytest.mark.parametrize("order", MessageOrder)
def test_a_page_that_passes_over_too_much_is_short(
    region: Region, thread: CommunicationId, order: MessageOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where to go on, and the pages together hold everything."""
    for number in range(6):
        post_message(region.service, region.caller("B1"), thread, MessageContent(f"{number}"))
    last = post_message(region.service, region.caller("A1"), thread, MessageContent("Wrong"))
    post_message(region.service, region.caller("A1"), thread, MessageContent("Right", corrects=last))
    monkeypatch.setattr("carethread.reads.searching._CHUNK", 2)
    monkeypatch.setattr("carethread.reads.searching.MOST_LOOKED_AT", 2)
    corrected = Criteria((Clause(Field.TAG, ("corrected",)),))
    pages: list[list[str]] = []
    after = ""
    while not pages or after:
        found = search_messages(region.service, region.caller("A1"), corrected, order=order, after=after, count=1)
        pages.append([each.id for each in found.messages])
        after = found.after
    assert [each for page in pages for each in page] == [last]
    assert len(pages) > 1


def test_a_record_in_which_one_reads_nothing(region: Region, thread: CommunicationId) -> None:
    for order in ThreadOrder:
        assert threads(region, "C1", Clause(Field.SUBJECT, (Ref("Patient", "P1"),)), order=order) == []


def test_a_steward_finds_only_what_is_deserted(region: Region, thread: CommunicationId) -> None:
    region.service.directory.appoint("Practitioner/N1", Duty.STEWARD, by="test")
    steward = Caller(region.id("N1"), ActorKind.STEWARD)
    asked = Criteria((Clause(Field.ID, ("thread-7",)),))
    assert search_threads(region.service, steward, asked).threads == ()
    region.load(*(role(each, "Pharmacy-A", "pharmacist", active=False) for each in ("A1", "A2", "X1")))
    region.load(role("A9", "Pharmacy-A", "admin", active=False))
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    assert [each.id for each in search_threads(region.service, steward, asked).threads] == ["thread-7"]


def test_a_change_of_a_version_that_is_gone(region: Region, thread: CommunicationId) -> None:
    change = ThreadChange(ThreadStatus.CLOSED)
    with pytest.raises(errors.VersionConflictError):
        change_thread(region.service, region.caller("A1"), thread, change, expected_version=1)
    change_thread(region.service, region.caller("A1"), thread, change, expected_version=2)


def test_pages_of_the_threads_of_a_patient(region: Region, thread: CommunicationId) -> None:
    other = region.open("A1", ("Clinic-B",), "Second", on_behalf_of="Pharmacy-A")
    asked = Criteria((Clause(Field.SUBJECT, (Ref("Patient", "P1"),)),))
    first = search_threads(region.service, region.caller("A1"), asked, count=1)
    second = search_threads(region.service, region.caller("A1"), asked, count=1, after=first.after)
    assert [each.id for page in (first, second) for each in page.threads] == [other, "thread-7"]
    assert second.after == ""
