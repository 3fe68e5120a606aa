"""Actors, participants, patients and duties, as the directory stands and as it stood."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from carethread.clock import Instant
from carethread.directory.memberships import Entries, members, memberships, patients_counted, person_standings
from carethread.directory.model import CareTeam, Duty, Entry, Membership, Patient, PractitionerRole, Standing
from carethread.directory.relations import relations
from carethread.errors import InactiveError, NotAllowedError, UnknownPersonError
from carethread.ids import ClinicalId, ParticipantId
from carethread.policy.actor import ActorKind
from carethread.record.model import Role
from carethread.store import directory_entries, directory_load, people
from carethread.store.database import Database
from carethread.store.directory import Directory
from carethread.store.directory_entries import Look, entries_around
from tests.directory.networks import EVERYONE, NOW, networks
from tests.directory.resources import Json, bundle, organization, patient, practitioner, reference, role
from tests.people import Ticking, person

AT = Instant(1_768_200_000_000)
CLINICIAN, ADMINISTRATOR = Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR
JOHNS = ClinicalId("a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
JOHNS_OLD = ClinicalId("0d2b7c44-91f0-4a7e-8c55-3a6f21b9e7d0")
CLIENT = person(999)


def ids(directory: Directory, *named: str) -> tuple[ParticipantId, ...]:
    return tuple(directory.find(each).id for each in named)


# ── Who asks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_practitioner_asks(seeded: Directory, database: Database) -> None:
    ann, pharmacy, diabetes, network, john = ids(seeded, "A1", "Pharmacy-A", "Diabetes-B", "123-network", "Patient/123")
    with database.read() as connection:
        actor = people.actor_of(connection, ann, AT)
    assert (actor.kind, actor.name, actor.active) == (ActorKind.PRACTITIONER, "Ms Eleanor May Whitfield", True)
    assert set(actor.memberships) == {
        Membership(pharmacy, CLINICIAN),
        Membership(diabetes, CLINICIAN),
        Membership(network, CLINICIAN, john),
    }
    assert actor.standings == {CLINICIAN}
    assert actor.patients == frozenset()


def test_those_on_the_patients_side_ask(seeded: Directory, database: Database) -> None:
    john, old, mary, network = ids(seeded, "Patient/123", "Patient/123-old", "123-daughter", "123-network")
    with database.read() as connection:
        himself = people.actor_of(connection, john, AT)
        daughter = people.actor_of(connection, mary, AT)
        merged = people.actor_of(connection, old, AT)
        early = people.actor_of(connection, mary, Instant(1_700_000_000_000))
    assert (himself.kind, daughter.kind) == (ActorKind.PATIENT, ActorKind.RELATED_PERSON)
    assert himself.memberships == (Membership(network, Standing.PATIENT, john),)
    assert daughter.memberships == (Membership(network, Standing.PATIENT_ASSOCIATE, john),)
    assert himself.patients == daughter.patients == merged.patients == {john, old}
    assert (merged.active, early.active) == (False, False)
    assert early.memberships == ()


def test_who_is_nobody(seeded: Directory, database: Database) -> None:
    (pharmacy,) = ids(seeded, "Pharmacy-A")
    with database.read() as connection:
        for each in (person(1), pharmacy):
            with pytest.raises(UnknownPersonError, match=f"the directory has no person {each}"):
                people.actor_of(connection, each, AT)


def test_an_auditor_is_appointed_and_has_no_memberships(seeded: Directory, database: Database, clock: Ticking) -> None:
    (bo,) = ids(seeded, "B2")
    seeded.appoint("B2", Duty.AUDITOR, by="operator")
    with database.read() as connection:
        actor = people.actor_of(connection, bo, clock(), kind=ActorKind.AUDITOR, purpose="complaint 7")
        assert (actor.kind, actor.purpose, actor.memberships) == (ActorKind.AUDITOR, "complaint 7", ())
        with pytest.raises(NotAllowedError, match="is not appointed as steward"):
            people.actor_of(connection, bo, clock(), kind=ActorKind.STEWARD)
        with pytest.raises(NotAllowedError, match="is a practitioner, not a patient"):
            people.actor_of(connection, bo, clock(), kind=ActorKind.PATIENT)
        assert people.actor_of(connection, bo, clock(), kind=ActorKind.PRACTITIONER).memberships


def test_a_client_stands_as_an_administrator_of_its_organisations(seeded: Directory, database: Database) -> None:
    pharmacy, clinic, network, john, ann = ids(seeded, "Pharmacy-A", "Clinic-B", "123-network", "Patient/123", "A1")
    with database.read() as connection:
        actor = people.client_actor(connection, CLIENT, "Gateway", (pharmacy,), AT)
        assert (actor.id, actor.kind, actor.name) == (CLIENT, ActorKind.CLIENT, "Gateway")
        assert set(actor.memberships) == {
            Membership(pharmacy, ADMINISTRATOR),
            Membership(network, ADMINISTRATOR, john),
        }
        for each in (ann, person(1)):
            with pytest.raises(UnknownPersonError, match="no organisation"):
                people.client_actor(connection, CLIENT, "Gateway", (clinic, each), AT)
    seeded.load(bundle(organization("Pharmacy-A", active=False)), by="test")
    with database.read() as connection:
        assert people.client_actor(connection, CLIENT, "Gateway", (pharmacy,), AT).memberships == ()


# ── Who takes part ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_known_of_those_who_take_part(seeded: Directory, database: Database) -> None:
    named = ("A1", "B2", "Pharmacy-A", "123-network", "Patient/123", "123-daughter", "A1-at-Pharmacy-A")
    ann, bo, pharmacy, network, john, mary, a_role = ids(seeded, *named)
    with database.read() as connection:
        known = people.known(connection, (ann, bo, pharmacy, network, john, mary, a_role, person(1)), AT)
    assert {each: found.role for each, found in known.items()} == {
        ann: Role.CLINICIAN,
        bo: Role.CARE_ADMINISTRATOR,
        pharmacy: Role.ORGANISATION,
        network: Role.CARE_TEAM,
        john: Role.PATIENT,
        mary: Role.PATIENT_ASSOCIATE,
    }
    assert [known[each].patient for each in (ann, network, john, mary)] == [None, john, john, john]
    assert known[pharmacy].members == {CLINICIAN}
    assert known[network].members == {CLINICIAN, Standing.PATIENT, Standing.PATIENT_ASSOCIATE}
    assert Membership(pharmacy, CLINICIAN) in known[ann].memberships
    assert known[pharmacy].memberships == ()
    assert all(each.active for each in known.values())


# ── Whose record it is ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_merged_patient_has_the_records_of_both(seeded: Directory, database: Database) -> None:
    john, old, ann = ids(seeded, "Patient/123", "Patient/123-old", "A1")
    with database.read() as connection:
        for clinical in (JOHNS, JOHNS_OLD):
            assert people.patients_of_record(connection, clinical) == {john, old}
        assert people.patients_of_record(connection, ClinicalId(person(1))) == frozenset()
        assert people.patients_of_record(connection, JOHNS, as_of=Instant(1)) == frozenset()
        assert people.records_of_patient(connection, john) == (JOHNS, JOHNS_OLD)
        assert people.records_of_patient(connection, old) == (JOHNS_OLD, JOHNS)
        for each in (ann, person(1)):
            with pytest.raises(UnknownPersonError, match="no patient"):
                people.records_of_patient(connection, each)


# ── As it stood ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_directory_as_it_stood(directory: Directory, database: Database, clock: Ticking) -> None:
    before = clock()
    directory.load(bundle(organization(), organization("west"), practitioner(), role()), by="test")
    joined = clock()
    directory.load(bundle(role(where="west"), patient("a"), patient("b")), by="test")
    moved = clock()
    link: Json = {"link": [{"type": "replaced-by", "other": reference("Patient/a")}]}
    directory.load(bundle(practitioner(name="Ann Bee"), role(active=False), patient("b", **link)), by="test")
    ann, clinic, west, a, b = ids(directory, "ann", "clinic", "west", "Patient/a", "Patient/b")
    with database.read() as connection:
        with pytest.raises(UnknownPersonError):
            people.actor_of(connection, ann, before, as_of=before)
        assert people.actor_of(connection, ann, joined, as_of=joined).memberships == (Membership(clinic, CLINICIAN),)
        then = people.actor_of(connection, ann, moved, as_of=moved)
        assert (then.name, then.memberships) == ("Ann Lee", (Membership(west, CLINICIAN),))
        now = people.actor_of(connection, ann, clock())
        assert (now.name, now.memberships) == ("Ann Bee", ())
        assert people.known(connection, [clinic], joined, as_of=joined)[clinic].members == {CLINICIAN}
        assert people.known(connection, [clinic], moved, as_of=moved)[clinic].members == frozenset()
        assert people.client_actor(connection, CLIENT, "Gateway", [west], joined, as_of=joined).memberships
        found = directory.find("Patient/b")
        assert isinstance(found, Patient)
        assert people.records_of_patient(connection, b, as_of=moved) == (found.clinical_id,)
        assert people.patients_of_record(connection, found.clinical_id, as_of=moved) == {b}
        assert people.patients_of_record(connection, found.clinical_id) == {a, b}
    with pytest.raises(UnknownPersonError, match="the directory had no ann at that time"):
        directory.details("ann", before)
    assert directory.details("ann", joined).memberships == (Membership(clinic, CLINICIAN),)
    assert directory.details("ann").memberships == ()


def test_answers_are_kept_until_the_directory_changes(
    directory: Directory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_entries, "_REMEMBERED", 6)
    directory.load(bundle(organization(), practitioner(), role()), by="test")
    ann, clinic = ids(directory, "ann", "clinic")
    with database.read() as connection:
        first = entries_around(connection, [ann])
        assert entries_around(connection, [ann]) is first
        # Together they are too many, and the older answer goes.
        entries_around(connection, [clinic])
        assert entries_around(connection, [ann]) is not first
    directory.load(bundle(role(active=False)), by="test")
    with database.read() as connection:
        assert memberships(ann, entries_around(connection, [ann]), AT) == ()


def test_what_follows_is_kept_within_bounds_and_until_a_period_ends(
    directory: Directory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_entries, "_CONCLUDED", 1)
    ends = role(period={"end": "2026-01-12T07:00:00Z"})
    directory.load(bundle(organization(), practitioner(), practitioner("bo", "Bo Bell"), ends), by="test")
    ann, bo = ids(directory, "ann", "bo")
    end = Instant(1_768_201_201_000)  # the second named counts
    with database.read() as connection:
        for at, member in ((Instant(end - 1), True), (end, False), (Instant(end - 1), True)):
            assert bool(people.actor_of(connection, ann, at).memberships) is member
            assert people.actor_of(connection, bo, at).name == "Bo Bell"
            assert people.actor_of(connection, ann, at) is not None


def test_an_answer_is_never_of_two_states(
    directory: Directory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.load(bundle(organization(), practitioner(), role()), by="test")
    ann, clinic = ids(directory, "ann", "clinic")
    closure = directory_entries._closure
    changes = [bundle(role(where="west"), organization("west"))]

    def overtaken(*given: Any) -> dict[ParticipantId, Entry]:
        found = closure(*given)
        if changes:
            directory.load(changes.pop(), by="test")
        return found

    monkeypatch.setattr(directory_entries, "_closure", overtaken)
    with database.read() as connection:
        (membership,) = memberships(ann, entries_around(connection, [ann]), AT)
    assert membership.group != clinic


# ── Duties ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_duty_begins_and_ends(seeded: Directory, database: Database, clock: Ticking) -> None:
    (bo,) = ids(seeded, "B2")
    early = clock()
    assert seeded.appoint("B2", Duty.STEWARD, by="operator")
    assert not seeded.appoint("B2", Duty.STEWARD, by="operator")
    during = clock()
    assert seeded.dismiss("B2", Duty.STEWARD, by="board")
    assert not seeded.dismiss("B2", Duty.STEWARD, by="board")
    with database.read() as connection:
        held = [people.has_duty(connection, bo, Duty.STEWARD, at) for at in (early, during, clock())]
        assert held == [False, True, False]
        assert not people.has_duty(connection, bo, Duty.AUDITOR, during)
    # The clock goes back; the second appointment does not begin before the first ended.
    clock.now = 5
    assert seeded.appoint("B2", Duty.STEWARD, by="operator")
    assert seeded.dismiss("B2", Duty.STEWARD, by="board")
    first, second = seeded.details("B2").appointments
    assert (first.appointed_by, first.ended_by) == ("operator", "board")
    assert first.ended_at == second.appointed_at
    assert second.ended_at == second.appointed_at + 1


def test_who_cannot_be_appointed(seeded: Directory) -> None:
    seeded.load(bundle(practitioner("gone", active=False)), by="test")
    with pytest.raises(InactiveError, match="is not active"):
        seeded.appoint("gone", Duty.AUDITOR, by="operator")
    for each in ("Patient/123", "Pharmacy-A", "nobody"):
        with pytest.raises(UnknownPersonError):
            seeded.appoint(each, Duty.AUDITOR, by="operator")


# ── What is fetched is enough ─────────────────────────────────────────────────────────────────────────────────────────


def _dangling(entries: Entries) -> dict[ParticipantId, Entry]:
    """Leave out what the loader would have refused."""
    found = dict(entries)
    while True:
        kept = {each: entry for each, entry in found.items() if all(other in found for _, other in relations(entry))}
        if kept == found:
            return found
        found = kept


@settings(max_examples=40)
@given(networks())
def test_what_is_fetched_gives_the_memberships_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, entries: Entries
) -> None:
    whole = _dangling(entries)
    folder = tmp_path_factory.mktemp("whole")
    database = Database(f"sqlite:///{folder / 'a.sqlite'}", folder)
    database.prepare()
    changes = [directory_load._Change(each, msgspec.json.encode(each), 1, NOW, True) for each in whole.values()]
    with database.write() as connection:
        directory_load._record(connection, changes, "test")
    with database.snapshot() as connection:
        for each in EVERYONE:
            for as_of in (None, NOW):
                around = entries_around(connection, [each], as_of)
                assert memberships(each, around, NOW) == memberships(each, whole, NOW)
                assert person_standings(each, around, NOW) == person_standings(each, whole, NOW)
                assert patients_counted(each, around) == patients_counted(each, whole)
                if not isinstance(whole.get(each), CareTeam | PractitionerRole):
                    upward = entries_around(connection, [each], as_of, Look.UPWARD)
                    assert memberships(each, upward, NOW) == memberships(each, whole, NOW)
                assert members(each, around, NOW) >= members(each, whole, NOW)
                assert {who for who, _ in members(each, around, NOW)} == {who for who, _ in members(each, whole, NOW)}
        known = people.known(connection, EVERYONE, NOW)
        for each, found in known.items():
            assert found.memberships == memberships(each, whole, NOW)
            assert found.members == {one.standing for _, one in members(each, whole, NOW)}
    database.close()
