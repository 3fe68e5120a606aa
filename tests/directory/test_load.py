"""Loading: matching, idempotence, versions, and everything that is refused."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.directory.model import CareTeam, Identifier, Organization, Patient, Practitioner, Standing
from carethread.errors import (
    DanglingReferenceError,
    DirectoryError,
    DuplicateIdentifierError,
    UnknownPersonError,
)
from carethread.store.database import Database
from carethread.store.directory import Directory
from carethread.store.directory_entries import generation
from tests.directory.conftest import SEED
from tests.directory.resources import (
    CLINICAL,
    OWN,
    REGISTER,
    Json,
    bundle,
    code,
    identifier,
    organization,
    patient,
    practitioner,
    reference,
    related,
    role,
    team,
)
from tests.people import Ticking, mint_from, seeded_ids

UUID = "11111111-2222-4333-8444-555555555555"
OTHER_UUID = "99999999-2222-4333-8444-555555555555"
JOHNS = "a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12"


def load(directory: Directory, *resources: Json) -> tuple[int, int, int]:
    """Load resources; return how many entries were made, changed, and there already."""
    found = directory.load(bundle(*resources), by="test")
    return found.made, found.changed, found.unchanged


def at(full_url: str, resource: Json) -> Json:
    return {"fullUrl": full_url, "resource": resource}


# ── Once, twice, changed ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_seed_is_loaded_once(directory: Directory, database: Database) -> None:
    told: list[tuple[int, int]] = []
    first = directory.load(SEED, by="operator", progress=lambda done, total: told.append((done, total)))
    assert (first.made, first.changed, first.unchanged) == (16, 0, 0)
    assert "Organization.telecom" in first.not_kept
    assert told[0] == (0, 16)
    assert told[-1] == (16, 16)
    with database.read() as connection:
        assert generation(connection) == 1
    again = directory.load(SEED, by="operator")
    assert (again.made, again.changed, again.unchanged) == (0, 0, 16)
    with database.read() as connection:
        assert generation(connection) == 1
    assert len(directory.history("Practitioner/A1")) == 1


def test_the_ids_of_the_seed_are_kept(seeded: Directory) -> None:
    for named in ("Organization/Pharmacy-A", "Organization/Clinic-B", "Practitioner/A1", "Practitioner/B1"):
        entry = seeded.find(named)
        assert entry.fhir_id == named.partition("/")[2]
        assert seeded.find(entry.id) == entry
    john = seeded.find("Patient/123")
    assert isinstance(john, Patient)
    assert john.clinical_id == JOHNS


def test_versions_are_kept(directory: Directory, clock: Ticking) -> None:
    load(directory, organization())
    assert load(directory, organization(name="Hill Clinic")) == (0, 1, 0)
    clock.now = 5
    assert load(directory, organization(active=False)) == (0, 1, 0)
    first, second, third = directory.history("clinic")
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert [each.entry.active for each in (first, second, third)] == [True, True, False]
    assert [each.recorded_by for each in (first, second, third)] == ["test"] * 3
    # The clock went back; the versions of an entry do not.
    assert first.recorded_at < second.recorded_at == third.recorded_at
    assert directory.find("clinic") == third.entry
    assert isinstance(third.entry, Organization)
    assert third.entry.name == "Clinic"


def test_an_export_is_loaded_elsewhere_with_the_same_ids(seeded: Directory, tmp_path: Path) -> None:
    exported = seeded.export()
    assert seeded.load(exported, by="test").unchanged == 16
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "locks")
    database.prepare()
    other = Directory(database, seeded._clock, seeded._mint)
    assert other.load(exported, by="test").made == 16
    assert other.export() == exported
    assert other.find("A1") == seeded.find("A1")
    database.close()


# ── Which entry it is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_is_found_again_by_an_identifier(directory: Directory) -> None:
    load(directory, practitioner("ann", identifier=[identifier("7")]))
    assert load(directory, practitioner("other", "Ann Bee", identifier=[identifier("7")])) == (0, 1, 0)
    found = directory.find("Practitioner/ann")
    assert isinstance(found, Practitioner)
    assert found.name == "Ann Bee"
    assert found.identifiers == (Identifier(REGISTER, "7"),)
    # In the same load, both ids name it.
    assert load(
        directory,
        organization(),
        practitioner("other", "Ann Bee", identifier=[identifier("7")]),
        role(who="other"),
        role("second", who="ann"),
    ) == (3, 0, 1)


def test_an_id_that_is_a_uuid_is_the_entrys_unless_another_has_it(directory: Directory) -> None:
    load(directory, practitioner(UUID), organization(UUID))
    assert directory.find(f"Practitioner/{UUID}").id == UUID
    assert directory.find(f"Organization/{UUID}").id != UUID
    assert isinstance(directory.find(UUID), Practitioner)
    assert load(directory, practitioner(UUID), organization(UUID)) == (0, 0, 2)


def test_without_an_id_the_urn_of_a_resource_is_its_id(directory: Directory) -> None:
    anonymous = at(f"urn:uuid:{UUID}", practitioner(None))
    assert load(directory, anonymous) == (1, 0, 0)
    assert load(directory, anonymous) == (0, 0, 1)
    found = directory.find(UUID)
    assert (found.id, found.fhir_id) == (UUID, UUID)


def test_the_urn_of_a_resource_with_an_id_is_the_entrys_id(directory: Directory) -> None:
    load(directory, at(f"urn:uuid:{UUID}", practitioner("ann")))
    assert directory.find("ann").id == UUID
    assert load(directory, at(f"urn:uuid:{UUID}", practitioner(None, "Ann Bee"))) == (0, 1, 0)
    # Another kind of resource under the same urn is another entry.
    assert load(directory, at(f"urn:uuid:{UUID}", organization(None))) == (1, 0, 0)
    assert directory.find(f"Organization/{UUID}").id != UUID


def test_a_resource_with_an_identifier_alone_is_given_an_id(directory: Directory) -> None:
    assert load(directory, organization(None, identifier=[identifier("7")])) == (1, 0, 0)
    assert load(directory, organization(None, identifier=[identifier("7")])) == (0, 0, 1)
    (found,) = directory.search("clinic")
    assert found.fhir_id == found.id


def test_an_identifier_goes_over_to_another_entry(directory: Directory) -> None:
    load(directory, practitioner("ann", identifier=[identifier("7")]), practitioner("bo"))
    load(directory, practitioner("ann"), practitioner("bo", identifier=[identifier("7")]))
    assert directory.find("bo").identifiers == (Identifier(REGISTER, "7"),)
    assert directory.find("ann").identifiers == ()


# ── Patients ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clinical_id_is_minted_and_stays(directory: Directory) -> None:
    load(directory, patient())
    before = directory.find("john")
    assert isinstance(before, Patient)
    assert load(directory, patient()) == (0, 0, 1)
    assert load(directory, patient(identifier=[identifier(before.clinical_id, CLINICAL)])) == (0, 0, 1)
    with pytest.raises(DirectoryError, match=r"entry\[0\]\.resource\.identifier: the clinical id .* never changes"):
        load(directory, patient(identifier=[identifier(JOHNS, CLINICAL)]))


def test_a_patient_is_found_by_the_clinical_id(directory: Directory) -> None:
    load(directory, patient(identifier=[identifier(JOHNS, CLINICAL)]))
    assert load(directory, patient("again", "J. Doe", identifier=[identifier(JOHNS, CLINICAL)])) == (0, 1, 0)
    named: Json = {"patient": {"identifier": identifier(JOHNS, CLINICAL)}}
    assert load(directory, related(**named)) == (1, 0, 0)


def test_a_clinical_id_belongs_to_one_patient(directory: Directory) -> None:
    load(directory, patient(identifier=[identifier(JOHNS, CLINICAL)]), patient("jack"))
    with pytest.raises(DuplicateIdentifierError):
        load(directory, patient(), patient("new", identifier=[identifier(JOHNS, CLINICAL)]))
    with pytest.raises(DuplicateIdentifierError, match=r"entry\[1\].*entry\[0\].resource has one"):
        load(directory, *(patient(each, identifier=[identifier(UUID, CLINICAL)]) for each in ("a", "b")))


def test_patients_are_merged_and_not_in_a_circle(directory: Directory) -> None:
    def replaced_by(other: str) -> Json:
        return {"link": [{"type": "replaced-by", "other": reference(f"Patient/{other}")}]}

    load(directory, patient("a"), patient("b", **replaced_by("a")), patient("c", **replaced_by("b")))
    with pytest.raises(DirectoryError, match=r"\.link: says that a patient is replaced by themself"):
        load(directory, patient("a", **replaced_by("c")))
    with pytest.raises(DirectoryError, match="names the resource itself"):
        load(directory, patient("a", **replaced_by("a")))
    assert load(directory, patient("b"), patient("a", **replaced_by("c"))) == (0, 2, 0)


# ── References ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "named",
    [
        reference("Practitioner/ann"),
        reference(f"urn:uuid:{UUID}"),
        {"identifier": identifier("7")},
        {"identifier": identifier("7"), "type": "Practitioner"},
    ],
)
def test_a_reference_may_name_what_is_loaded_or_known(directory: Directory, named: Json) -> None:
    ann = at(f"urn:uuid:{UUID}", practitioner("ann", identifier=[identifier("7")]))
    load(directory, organization(), ann, role(practitioner=named))
    assert load(directory, role("later", practitioner=named)) == (1, 0, 0)


def test_a_reference_may_be_the_url_of_what_is_loaded(directory: Directory) -> None:
    url = "https://directory.example/fhir/Practitioner/ann"
    load(directory, organization(), at(url, practitioner("ann")), role(practitioner=reference(url)))
    with pytest.raises(DanglingReferenceError, match="/fhir/Practitioner/ann, which is neither"):
        load(directory, role(practitioner=reference(url)))


@pytest.mark.parametrize(
    "named",
    [reference("Practitioner/nobody"), reference(f"urn:uuid:{UUID}"), {"identifier": identifier("8")}],
)
def test_a_reference_that_names_nobody(directory: Directory, database: Database, named: Json) -> None:
    with pytest.raises(DanglingReferenceError, match=r"^entry\[1\]\.resource\.practitioner: ") as caught:
        load(directory, organization(), role(practitioner=named))
    assert caught.value.code == "dangling-reference"
    with pytest.raises(UnknownPersonError):
        directory.find("clinic")
    with database.read() as connection:
        assert generation(connection) == 0


def test_a_reference_that_names_another_kind(directory: Directory) -> None:
    load(directory, at(f"urn:uuid:{UUID}", organization()))
    with pytest.raises(DirectoryError, match=r"practitioner: is Organization, and must be Practitioner"):
        load(directory, role(practitioner=reference(f"urn:uuid:{UUID}")))


def test_an_identifier_of_two_kinds(directory: Directory) -> None:
    load(
        directory,
        organization(identifier=[identifier("7")]),
        practitioner(identifier=[identifier("7")]),
    )
    either = {"member": {"identifier": identifier("7")}}
    with pytest.raises(DirectoryError, match="may mean more than one entry: say its type"):
        load(directory, team(participant=[either]))


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "resources, said",
    [
        (
            (practitioner("known"), practitioner("known")),
            r"entry\[1\]\.resource: is the same entry as entry\[0\]\.resource",
        ),
        (
            (practitioner("a", identifier=[identifier("1")]), practitioner("b", identifier=[identifier("1")])),
            r"entry\[1\]\.resource\.identifier: entry\[0\]\.resource has one",
        ),
        ((practitioner("new", identifier=[identifier("7"), identifier("8")]),), "has identifiers of 2 entries"),
        ((practitioner("known", identifier=[identifier("8")]),), "has one that entry .* has already"),
        (
            (practitioner("other", identifier=[identifier("7")]), practitioner("known")),
            r"entry\[1\]\.resource: is the same entry",
        ),
    ],
)
def test_duplicates(directory: Directory, resources: tuple[Json, ...], said: str) -> None:
    load(
        directory,
        practitioner("known", identifier=[identifier("7")]),
        practitioner("second", identifier=[identifier("8")]),
    )
    with pytest.raises(DuplicateIdentifierError, match=said):
        load(directory, *resources)
    assert len(directory.search("")) == 2


def test_new_resources_with_the_same_id(directory: Directory) -> None:
    with pytest.raises(DuplicateIdentifierError, match=r"entry\[1\]\.resource\.id: ann is the id of entry\[0\]"):
        load(directory, practitioner("ann"), practitioner("ann"))


@pytest.mark.parametrize(
    "resource, said",
    [
        (practitioner(None), r"entry\[0\]\.resource\.id: is missing"),
        (organization(name="Clinic <b>"), r"entry\[0\]\.resource\.name: a pointed bracket"),
        (practitioner(name="x" * 201), r"entry\[0\]\.resource\.name: is longer than 200"),
        (team(participant=[{"member": reference("CareTeam/team")}]), "participant.*member: names the resource itself"),
        (organization(partOf=reference("Organization/clinic")), "partOf: names the resource itself"),
        (
            team(participant=[{"member": reference("Organization/known"), "role": [code(OWN, "clinician")]}]),
            "of practitioners only",
        ),
    ],
)
def test_what_is_not_in_order(directory: Directory, resource: Json, said: str) -> None:
    load(directory, organization("known"))
    with pytest.raises(DirectoryError, match=said):
        load(directory, resource)
    assert len(directory.search("")) == 1


def test_a_team_is_stored_as_it_says(seeded: Directory) -> None:
    found = seeded.find("CareTeam/Diabetes-B")
    assert isinstance(found, CareTeam)
    assert [each.standing for each in found.members] == [Standing.CLINICIAN, None, None]
    assert found.managing_organization == seeded.find("Organization/Clinic-B").id


# ── Any order, any number of times ────────────────────────────────────────────────────────────────────────────────────

_ALL = (
    organization(),
    organization("west", name="West Clinic", partOf=reference("Organization/clinic")),
    practitioner(identifier=[identifier("1")]),
    practitioner("bo", "Bo Bell"),
    role(),
    role("bo-role", who="bo", where="west", active=False),
    patient(),
    related(),
    team("team", "Patient/john", "RelatedPerson/mary", subject=reference("Patient/john")),
)


@settings(max_examples=25)
@given(st.permutations(_ALL), st.lists(st.sampled_from(_ALL), max_size=4, unique_by=lambda each: each["id"]))
def test_what_is_loaded_again_in_any_order_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[Json], some: list[Json]
) -> None:
    folder = tmp_path_factory.mktemp("any-order")
    database = Database(f"sqlite:///{folder / 'a.sqlite'}", folder)
    database.prepare()
    directory = Directory(database, lambda: Instant(1), partial(mint_from, seeded_ids()))
    assert load(directory, *order) == (len(_ALL), 0, 0)
    before = directory.export()
    assert load(directory, *some) == (0, 0, len(some))
    assert load(directory, *reversed(order)) == (0, 0, len(_ALL))
    assert directory.export() == before
    database.close()
