"""Entries of the directory read for somebody: whom they know of, in which version, and what is logged of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from carethread import MessageContent, errors
from carethread.access_log import AccessEntry, Outcome
from carethread.clock import Instant
from carethread.directory.criteria import EntryClause, EntryField, Matching, Named, Span, Text, Token
from carethread.directory.model import CareTeam, EntryKind, Organization, Patient
from carethread.directory.versions import EntryPage
from carethread.policy.actor import Caller, SystemClient
from carethread.reads import entry_history, read_entry, search_entries
from carethread.store import directory_finding
from carethread.store.access import Filter, lines
from carethread.writes import post_message
from tests.access.spying import forget_the_directory, spying
from tests.people import person
from tests.region import Region, reference, role, team

F, K = EntryField, EntryKind


def log(region: Region) -> list[AccessEntry]:
    with region.service.archive.database.snapshot() as connection:
        return list(lines(connection, Filter()))


def ids(page: EntryPage) -> list[str]:
    return [each.entry.fhir_id for each in page.entries]


def search(region: Region, kind: EntryKind, *clauses: EntryClause, who: str = "A1", **more: Any) -> list[str]:
    return sorted(ids(search_entries(region.service, region.caller(who), kind, clauses, **more)))


def clause(field: EntryField, *values: Any, negated: bool = False) -> EntryClause:
    return EntryClause(field, values, negated)


def test_a_professional_reads_everybody(region: Region) -> None:
    found = read_entry(region.service, region.caller("A1"), K.CARE_TEAM, "Network-P2")
    assert isinstance(found.entry, CareTeam)
    assert found.names[region.id("P2")] == "Patient/P2"
    assert (found.version, found.is_partial) == (1, False)
    line = log(region)[-1]
    assert [(each.entry, each.version) for each in line.entries] == [(found.entry.id, 1)]
    assert line.query == '{"entry":"CareTeam/Network-P2"}'
    by_uuid = read_entry(region.service, region.caller("A1"), K.CARE_TEAM, found.entry.id)
    assert by_uuid == found
    client = SystemClient(person(77), "EHR", frozenset(region.ids("Pharmacy-A")))
    assert read_entry(region.service, Caller(None, system=client), K.CARE_TEAM, "Network-P2") == found
    assert read_entry(region.service, region.auditor, K.CARE_TEAM, "Network-P2") == found


def test_versions(region: Region) -> None:
    for name in ("Two", "Three"):
        region.load({"resourceType": "Organization", "id": "Clinic-B", "name": name})
    caller = region.caller("A1")
    names = []
    for version in (1, 2, 3):
        found = read_entry(region.service, caller, K.ORGANIZATION, "Clinic-B", version)
        assert isinstance(found.entry, Organization)
        assert found.version == version
        names.append(found.entry.name)
    assert names == ["Hill Clinic", "Two", "Three"]
    for version in (0, 4, -1, 1 << 70):
        with pytest.raises(errors.UnknownPersonError, match="no Organization/Clinic-B"):
            read_entry(region.service, caller, K.ORGANIZATION, "Clinic-B", version)
    newest = entry_history(region.service, caller, K.ORGANIZATION, "Clinic-B", count=2)
    assert [each.version for each in newest.entries] == [3, 2]
    assert newest.total == 3
    rest = entry_history(region.service, caller, K.ORGANIZATION, "Clinic-B", after=newest.after)
    assert ([each.version for each in rest.entries], rest.after) == ([1], "")
    for after in ("x", "-1", "9" * 30):
        with pytest.raises(errors.InvalidValueError, match="after"):
            entry_history(region.service, caller, K.ORGANIZATION, "Clinic-B", after=after)
    for count in (0, 1_001):
        with pytest.raises(errors.InvalidValueError, match="count"):
            entry_history(region.service, caller, K.ORGANIZATION, "Clinic-B", count=count)


# ── The patient's side ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_patients_side_knows_the_people_of_its_own(region: Region) -> None:
    region.open("C1", ("P1",))
    known = {
        K.PATIENT: ["P1"],
        K.RELATED_PERSON: ["R1"],
        K.CARE_TEAM: ["Network-P1"],
        K.ORGANIZATION: ["Clinic-B"],
        K.PRACTITIONER: ["B1", "B2", "B9", "C1", "D1", "X1"],
        K.PRACTITIONER_ROLE: ["B1-at-Clinic-B", "B2-at-Clinic-B", "B9-at-Clinic-B", "X1-at-Clinic-B"],
    }
    for kind, expected in known.items():
        assert search(region, kind, who="P1") == expected
        for each in expected:
            read_entry(region.service, region.caller("P1"), kind, each)
    # The relative takes no part in the thread, and does not read it.
    assert "C1" not in search(region, K.PRACTITIONER, who="R1")


def test_an_author_is_known(region: Region) -> None:
    thread = region.open("D1", ("Hospital-C", "P1"))
    with pytest.raises(errors.UnknownPersonError):
        read_entry(region.service, region.caller("P1"), K.PRACTITIONER, "C1")
    content = MessageContent("Hello", on_behalf_of=region.id("Hospital-C"))
    post_message(region.service, region.caller("C1"), thread, content)
    assert read_entry(region.service, region.caller("P1"), K.PRACTITIONER, "C1").names == {}


def test_what_an_entry_says_of_others_is_left_out(region: Region) -> None:
    region.open("C1", ("P1", "Wounds", "Hospital-C"))
    region.load({"resourceType": "Organization", "id": "Hospital-C", "name": "H", "partOf": reference("HomeCare-D")})
    wounds = read_entry(region.service, region.caller("P1"), K.CARE_TEAM, "Wounds")
    assert isinstance(wounds.entry, CareTeam)
    assert not wounds.is_partial
    region.load(team("Wounds") | {"participant": [{"member": reference(each)} for each in ("C1", "A1")]})
    wounds = read_entry(region.service, region.caller("P1"), K.CARE_TEAM, "Wounds")
    assert isinstance(wounds.entry, CareTeam)
    assert [each.member for each in wounds.entry.members] == [region.id("C1")]
    assert wounds.is_partial
    hospital = read_entry(region.service, region.caller("P1"), K.ORGANIZATION, "Hospital-C")
    assert isinstance(hospital.entry, Organization)
    assert (hospital.entry.part_of, hospital.is_partial) == (None, True)
    whole = read_entry(region.service, region.caller("A1"), K.ORGANIZATION, "Hospital-C")
    assert not whole.is_partial
    # Nothing that is left out is found either.
    hidden, missing = Named("A1", K.PRACTITIONER), Named("A0", K.PRACTITIONER)
    for each in (hidden, missing):
        assert search(region, K.CARE_TEAM, clause(F.PARTICIPANT, each), who="P1") == []


def test_an_older_version_about_somebody_else(region: Region) -> None:
    region.open("C1", ("P1",))
    related = {"resourceType": "RelatedPerson", "id": "R1", "name": [{"text": "Mary Doe"}]}
    region.load(related | {"patient": reference("P2")})
    region.load(related | {"patient": reference("P1")})
    region.load(role("B1", "Pharmacy-A", "doctor") | {"id": "moved"}, role("B1", "Clinic-B", "doctor") | {"id": "x"})
    region.load(role("B1", "Clinic-B", "doctor") | {"id": "moved"})
    for kind, name, known in ((K.RELATED_PERSON, "R1", [3, 1]), (K.PRACTITIONER_ROLE, "moved", [2])):
        found = entry_history(region.service, region.caller("P1"), kind, name)
        assert [each.version for each in found.entries] == known
    with pytest.raises(errors.UnknownPersonError):
        read_entry(region.service, region.caller("P1"), K.PRACTITIONER_ROLE, "moved", 1)


def test_merged_patients_are_one(region: Region) -> None:
    old = {"resourceType": "Patient", "id": "P0", "active": False, "name": [{"text": "J. Doe"}]}
    region.load(old | {"link": [{"type": "replaced-by", "other": reference("P1")}]})
    found = read_entry(region.service, region.caller("P1"), K.PATIENT, "P0")
    assert found.names == {region.id("P1"): "Patient/P1"}
    region.load(old | {"link": [{"type": "replaced-by", "other": reference("P2")}]})
    region.load(old | {"link": [{"type": "replaced-by", "other": reference("P1")}]})
    before = read_entry(region.service, region.caller("P1"), K.PATIENT, "P0", 2)
    assert isinstance(before.entry, Patient)
    assert (before.entry.replaced_by, before.is_partial) == (None, True)


def test_a_team_that_names_somebody_by_mistake(region: Region) -> None:
    network = team("Network-P1")
    network["participant"] += [{"member": reference(each)} for each in ("P2", "R2")]
    network["participant"].append({"member": {"reference": "PractitionerRole/A1-at-Pharmacy-A"}})
    region.load(network)
    assert search(region, K.PATIENT, who="R1") == ["P1"]
    assert search(region, K.RELATED_PERSON, who="R1") == ["R1"]
    assert "Pharmacy-A" in search(region, K.ORGANIZATION, who="R1")
    assert "A1-at-Pharmacy-A" in search(region, K.PRACTITIONER_ROLE, who="R1")


def test_an_inactive_person_knows_nobody(region: Region) -> None:
    region.load({"resourceType": "Practitioner", "id": "B1", "active": False, "name": [{"text": "Dr Bo Bell"}]})
    with pytest.raises(errors.UnknownPersonError):
        read_entry(region.service, region.caller("B1"), K.PRACTITIONER, "B1")
    assert search(region, K.PRACTITIONER, who="B1") == []


@pytest.mark.parametrize("who", ["P1", "R1", "P2"])
def test_hidden_is_as_if_it_were_not_there(region: Region, who: str) -> None:
    region.open("B1", ("Clinic-B", "P1"))
    uuid, none = region.id("A1"), person(999)
    pairs = [("A1", "A0"), (uuid, none)]

    def answer(name: str, ask: str) -> tuple[str, tuple[str, ...], AccessEntry]:
        forget_the_directory()
        service, caller = region.service, region.caller(who)
        asks: dict[str, Callable[[], Any]] = {
            "read": lambda: read_entry(service, caller, K.PRACTITIONER, name),
            "version": lambda: read_entry(service, caller, K.PRACTITIONER, name, 1),
            "history": lambda: entry_history(service, caller, K.PRACTITIONER, name),
        }
        with spying() as asked, pytest.raises(errors.UnknownPersonError) as caught:
            asks[ask]()
        line = replace(log(region)[-1], number=0, at=0, query=log(region)[-1].query.replace(name, "…"))
        return str(caught.value).replace(name, "…"), tuple(asked), line

    for ask in ("read", "version", "history"):
        for hidden, missing in pairs:
            first = answer(hidden, ask)
            assert first == answer(missing, ask)
            assert (first[2].outcome, first[2].entries) == (Outcome.UNKNOWN, ())


def test_an_id_that_is_no_line(region: Region) -> None:
    with pytest.raises(errors.InvalidValueError):
        read_entry(region.service, region.caller("A1"), K.PATIENT, "a\nb")


# ── Searching ─────────────────────────────────────────────────────────────────────────────────────────────────────────

REGISTER = "urn:register"


@pytest.fixture
def larger(region: Region) -> Region:
    region.load(
        {"resourceType": "Patient", "id": "old", "name": [{"text": "Zoë Ångström"}], "birthDate": "1956"},
        {"resourceType": "Patient", "id": "new", "name": [{"text": "Ang Zoe Angus"}], "birthDate": "1956-05",
         "link": [{"type": "replaced-by", "other": {"reference": "Patient/old"}}]},
        {"resourceType": "Patient", "id": "unborn", "name": [{"text": "Nameless"}],
         "identifier": [{"system": REGISTER, "value": "7"}]},
        {"resourceType": "Patient", "id": "same", "name": [{"text": "Nameless"}],
         "identifier": [{"system": "urn:other", "value": "7"}, {"system": REGISTER, "value": "8"}]},
        {"resourceType": "Organization", "id": "ward", "active": False, "name": "Ward De Brug",
         "partOf": reference("Hospital-C"), "identifier": [{"system": REGISTER, "value": "7"}]},
    )  # fmt: skip
    return region


def day(text: str) -> Instant:
    from datetime import datetime  # noqa: PLC0415

    return Instant(round(datetime.fromisoformat(f"{text}T00:00:00+00:00").timestamp()) * 1000)


MAY = Span(day("1956-05-01"), day("1956-06-01"))
CASES: list[tuple[EntryKind, list[EntryClause], list[str]]] = [
    (K.PATIENT, [clause(F.NAME, Text("ang"))], ["new", "old"]),
    (K.PATIENT, [clause(F.NAME, Text("zoe ang"))], ["new", "old"]),
    (K.PATIENT, [clause(F.NAME, Text("zoe angu"))], ["new"]),
    (K.PATIENT, [clause(F.NAME, Text("Zoë", Matching.EXACT))], ["old"]),
    (K.PATIENT, [clause(F.NAME, Text("Zoë Ångström", Matching.EXACT))], ["old"]),
    (K.PATIENT, [clause(F.NAME, Text("zoë", Matching.EXACT))], []),
    (K.PATIENT, [clause(F.NAME, Text("GSTR", Matching.CONTAINS))], ["old"]),
    (K.PATIENT, [clause(F.NAME, Text("!", Matching.CONTAINS))], []),
    (K.PATIENT, [clause(F.NAME, Text("?"))], []),
    (K.PATIENT, [clause(F.NAME, Text("an"), Text("ang"), Text("nam"))], ["new", "old", "same", "unborn"]),
    (K.ORGANIZATION, [clause(F.NAME, Text("brug"))], []),
    (K.ORGANIZATION, [clause(F.NAME, Text("ward de"))], ["ward"]),
    (K.ORGANIZATION, [clause(F.NAME, Text("De", Matching.EXACT))], []),
    (K.ORGANIZATION, [clause(F.ACTIVE, Token("false"))], ["ward"]),
    (K.ORGANIZATION, [clause(F.ACTIVE, Token("true"), negated=True)], ["ward"]),
    (K.ORGANIZATION, [clause(F.ACTIVE, Token("false", "urn:else"))], []),
    (K.ORGANIZATION, [clause(F.PART_OF, Named("Hospital-C", K.ORGANIZATION))], ["ward"]),
    (K.ORGANIZATION, [clause(F.PART_OF, Named("Hospital-C"))], ["ward"]),
    (K.ORGANIZATION, [clause(F.PART_OF, Named("Hospital-C", K.PATIENT))], []),
    (K.ORGANIZATION, [clause(F.IDENTIFIER, Token("7", REGISTER))], ["ward"]),
    (K.PATIENT, [clause(F.IDENTIFIER, Token("7"))], ["same", "unborn"]),
    (K.PATIENT, [clause(F.IDENTIFIER, Token("7", REGISTER), Token("7", "urn:other"))], ["same", "unborn"]),
    (K.PATIENT, [clause(F.IDENTIFIER, Token(None, "urn:other"))], ["same"]),
    (K.PATIENT, [clause(F.IDENTIFIER, Token("7"), negated=True)], ["P1", "P2", "new", "old"]),
    (K.PATIENT, [clause(F.ID, Token("P1"), Token("none"), Token("old"))], ["P1", "old"]),
    (K.PATIENT, [clause(F.ID, Token("P1")), clause(F.NAME, Text("jane"))], []),
    (K.PATIENT, [clause(F.BIRTH_DATE, MAY)], ["P1", "P2", "new"]),
    (K.PATIENT, [clause(F.BIRTH_DATE, replace(MAY, within=False))], ["P1", "P2", "new", "old"]),
    (K.PATIENT, [clause(F.BIRTH_DATE, Span(day("1957-01-01"), None, within=False))], []),
    (K.PATIENT, [clause(F.BIRTH_DATE, Span(None, day("1956-01-01"), within=False))], []),
    (K.PATIENT, [clause(F.BIRTH_DATE, Span(None, day("1956-05-20")))], []),
    (K.PATIENT, [clause(F.LAST_UPDATED, Span(Instant(0), day("2027-01-01")))],
     ["P1", "P2", "new", "old", "same", "unborn"]),
    (K.PATIENT, [clause(F.LAST_UPDATED, Span(None, Instant(5), within=False))], []),
    (K.PATIENT, [clause(F.LINK, Named("old", K.PATIENT))], ["new"]),
    (K.PRACTITIONER_ROLE, [clause(F.PRACTITIONER, Named("X1"))], ["X1-at-Clinic-B", "X1-at-Pharmacy-A"]),
    (K.PRACTITIONER_ROLE, [clause(F.PRACTITIONER, Named("X1")), clause(F.ORGANIZATION, Named("Clinic-B"))],
     ["X1-at-Clinic-B"]),
    (K.PRACTITIONER_ROLE, [clause(F.ORGANIZATION, Named("Clinic-B"), Named("Hospital-C"))],
     ["B1-at-Clinic-B", "B2-at-Clinic-B", "B9-at-Clinic-B", "C1-at-Hospital-C", "X1-at-Clinic-B"]),
    (K.PRACTITIONER_ROLE, [clause(F.ORGANIZATION, Named(identifier=Token("7", REGISTER)))], []),
    (K.RELATED_PERSON, [clause(F.PATIENT, Named("P1"))], ["R1"]),
    (K.CARE_TEAM, [clause(F.PARTICIPANT, Named("D1"))], ["Network-P1", "Wounds"]),
    (K.CARE_TEAM, [clause(F.PATIENT, Named("P2"))], ["Network-P2"]),
    (K.CARE_TEAM, [clause(F.STATUS, Token("active", "http://hl7.org/fhir/care-team-status"))],
     ["Network-P1", "Network-P2", "Pain", "Wounds"]),
    (K.CARE_TEAM, [clause(F.STATUS, Token("inactive"))], []),
]  # fmt: skip


def test_what_is_found(larger: Region) -> None:
    for kind, clauses, expected in CASES:
        assert search(larger, kind, *clauses) == expected, clauses


def test_a_clinical_id_is_an_identifier(larger: Region) -> None:
    patient = read_entry(larger.service, larger.caller("A1"), K.PATIENT, "P1").entry
    assert isinstance(patient, Patient)
    for token in (Token(patient.clinical_id), Token(patient.clinical_id, "urn:carethread:clinical-id")):
        assert search(larger, K.PATIENT, clause(F.IDENTIFIER, token)) == ["P1"]
    for token in (Token(person(99)), Token(patient.clinical_id, REGISTER)):
        assert search(larger, K.PATIENT, clause(F.IDENTIFIER, token)) == []


@pytest.mark.parametrize("batch, budget", [(1, 1), (2, 3), (2, 2_000)])
def test_pages_hold_everything_once(larger: Region, monkeypatch: pytest.MonkeyPatch, batch: int, budget: int) -> None:
    monkeypatch.setattr(directory_finding, "_BATCH", batch)
    monkeypatch.setattr(directory_finding, "BUDGET", budget)
    for kind, clauses, expected in CASES:
        found: list[str] = []
        after = ""
        for _ in range(100):
            page = search_entries(larger.service, larger.caller("A1"), kind, clauses, after=after, count=2)
            assert len(page.entries) <= 2
            found += ids(page)
            after = page.after
            if not after:
                break
        assert sorted(found) == expected, clauses


def test_the_total_is_told_where_it_is_known(larger: Region) -> None:
    caller = larger.caller("A1")
    page = search_entries(larger.service, caller, K.PATIENT, query="name=x")
    assert page.total == len(page.entries) == 6
    line = log(larger)[-1]
    assert (line.query, len(line.entries)) == ("name=x", 6)
    first = search_entries(larger.service, caller, K.PATIENT, count=4)
    assert first.total is None
    second = search_entries(larger.service, caller, K.PATIENT, after=first.after)
    assert (second.total, len(second.entries)) == (None, 2)
    assert json.loads(log(larger)[-1].query)["kind"] == "Patient"


def test_what_cannot_be_asked(larger: Region) -> None:
    service, caller = larger.service, larger.caller("A1")
    for clauses, said in (
        ([clause(F.NAME, Text("x"))] * 33, "more than 32"),
        ([clause(F.BIRTH_DATE, MAY)], "nothing that is asked of CareTeam"),
        ([clause(F.ID, *[Token("x")] * 51)], "more than 50"),
        ([clause(F.ID, Text("x"))], "compared with Token"),
        ([clause(F.ID, Token("x" * 5_000))], "too long"),
        ([clause(F.PATIENT, Named("\ud800"))], "no text"),
        ([clause(F.PATIENT, Named(identifier=Token("\0")))], "no text"),
        ([clause(F.LAST_UPDATED, Span()), clause(F.NAME, Text("\0"))], "no text"),
    ):
        with pytest.raises(errors.InvalidValueError, match=said):
            search_entries(service, caller, K.CARE_TEAM, clauses)
    for count in (0, 1_001):
        with pytest.raises(errors.InvalidValueError, match="count"):
            search_entries(service, caller, K.CARE_TEAM, count=count)
    of_teams = search_entries(service, caller, K.CARE_TEAM, count=1).after
    named = clause(F.PARTICIPANT, Named("D1"))
    of_names = search_entries(service, caller, K.CARE_TEAM, [named], count=1).after
    for clauses, after in (([named], of_teams), ([], of_names), ([], "x"), ([], "é"), ([named], "WyJuIiwieHgiXQ")):
        with pytest.raises(errors.InvalidValueError, match="after"):
            search_entries(service, caller, K.CARE_TEAM, clauses, after=after)
