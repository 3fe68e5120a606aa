"""Entries of the directory written by clients: whose they are, which version was meant, and what is logged."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from carethread import CoordinationService, errors
from carethread.access_log import AccessEntry, Action, Outcome
from carethread.directory.model import Duty, EntryKind, Practitioner
from carethread.directory.versions import WrittenEntry
from carethread.policy.actor import ActorKind, Caller
from carethread.policy.directory_rights import DirectoryRights
from carethread.reads import ClientChange, read_entry
from carethread.store.access import Filter, lines
from carethread.writes import write_entry
from tests.people import person
from tests.region import Region, reference, role, team

CLIENT = person(77)
ALL = DirectoryRights(everything=True)


def log(region: Region) -> list[AccessEntry]:
    with region.service.archive.database.snapshot() as connection:
        return list(lines(connection, Filter()))


@pytest.fixture
def caller(region: Region) -> Caller:
    change = ClientChange("EHR", ("Pharmacy-A",), ("Pharmacy-A",))
    client = region.service.clients.add("ehr", change, by="test", participant=CLIENT)
    return Caller(None, system=client.system, client="ehr", request_id="7")


@pytest.fixture
def rights(region: Region) -> DirectoryRights:
    return DirectoryRights(frozenset(region.ids("Pharmacy-A")))


def write(
    region: Region, caller: Caller, rights: DirectoryRights, resource: dict[str, Any], **more: Any
) -> WrittenEntry:  # fmt: skip
    return write_entry(region.service, caller, rights, json.dumps(resource).encode(), **more)


def somebody(fhir_id: str | None = "new", name: str = "New Now", **more: Any) -> dict[str, Any]:
    found = {"resourceType": "Practitioner", "id": fhir_id, "name": [{"text": name}], **more}
    return {key: value for key, value in found.items() if value is not None}


def test_an_entry_from_beginning_to_end(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    made = write(region, caller, rights, somebody(telecom=[]))
    assert (made.made, made.changed, made.not_kept) == (True, True, ("Practitioner.telecom",))
    assert made.projection.version == 1
    again = write(region, caller, rights, somebody())
    assert (again.made, again.changed, again.projection) == (False, False, made.projection)
    works = write(region, caller, rights, role("A1", "Pharmacy-A", "doctor") | {"id": "r"})
    assert works.projection.names[region.id("A1")] == "Practitioner/A1"
    write(region, caller, rights, {**role("A1", "Pharmacy-A", "doctor"), "id": "s",
                                   "practitioner": {"reference": "Practitioner/new"}})  # fmt: skip
    changed = write(region, caller, rights, somebody(name="Newer Now"), expected_version=1)
    assert (changed.made, changed.changed, changed.projection.version) == (False, True, 2)
    by_uuid = write(region, caller, rights, somebody(made.projection.entry.id, "Newest"), expected_version=2)
    assert (by_uuid.projection.version, by_uuid.projection.entry.fhir_id) == (3, "new")
    assert [each.recorded_by for each in region.service.directory.history("Practitioner/new")] == [CLIENT] * 3
    line = log(region)[-1]
    assert (line.action, line.outcome, line.actor, line.actor_kind) == (Action.WRITTEN, Outcome.DONE, CLIENT, "client")
    assert [(each.entry, each.version) for each in line.entries] == [(made.projection.entry.id, 3)]
    assert (line.query, line.request_id) == ('{"entry":"Practitioner/new"}', "7")


def test_a_new_one_gets_an_id_here(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    found = [write(region, caller, rights, somebody("A1", "Twin"), create=True) for _ in range(2)]
    assert len({each.projection.entry.id for each in found}) == 2
    for each in found:
        assert each.made
        assert each.projection.entry.fhir_id == each.projection.entry.id
    anna = region.service.directory.find("Practitioner/A1")
    assert isinstance(anna, Practitioner)
    assert anna.name == "Anna Visser"


def test_the_version_that_is_meant(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    with pytest.raises(errors.VersionNotNamedError, match="A1 is at version 1"):
        write(region, caller, rights, somebody("A1", "Anna"))
    with pytest.raises(errors.VersionConflictError, match="not at version 2 but at 1") as caught:
        write(region, caller, rights, somebody("A1", "Anna"), expected_version=2)
    assert caught.value.current == 1
    with pytest.raises(errors.VersionConflictError, match="it is new"):
        write(region, caller, rights, somebody("none"), expected_version=1)
    with pytest.raises(errors.VersionConflictError):
        write(region, caller, rights, somebody("none"), expected_version=1, create=True)
    assert log(region)[-1].detail == "version-conflict"


def test_only_what_is_theirs(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    for resource in (
        somebody("B1"),
        somebody("N1"),
        somebody("X1"),
        role("A1", "Clinic-B", "doctor") | {"id": "z"},
        team("Pain") | {"name": "Pains"},
        {"resourceType": "Patient", "id": "P1", "name": [{"text": "J"}]},
    ):
        with pytest.raises(errors.NotAllowedError):
            write(region, caller, rights, resource, expected_version=1)
        line = log(region)[-1]
        assert (line.outcome, line.detail, line.entries) == (Outcome.REFUSED, "not-allowed", ())
    assert write(region, caller, ALL, somebody("B1", "Bo"), expected_version=1).projection.version == 2
    region.service.directory.appoint("A1", Duty.STEWARD, by="test")
    with pytest.raises(errors.NotAllowedError, match="auditor or steward"):
        write(region, caller, rights, somebody("A1", "Anna"), expected_version=1)
    region.service.directory.dismiss("A1", Duty.STEWARD, by="test")
    write(region, caller, rights, somebody("A1", "Anna"), expected_version=1)


def test_who_writes(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    region.load(team("Network-P1") | {"participant": [{"member": reference("Pharmacy-A")}]})
    system = caller.system
    with pytest.raises(errors.NotAllowedError, match="written by clients"):
        write(region, region.caller("A1"), ALL, somebody())
    with pytest.raises(errors.NotAllowedError, match="does not ask for"):
        write(region, Caller(region.id("N1"), ActorKind.AUDITOR, "x", system), ALL, somebody())
    with pytest.raises(errors.NotMemberError):
        write(region, Caller(region.id("B1"), system=system), ALL, somebody())
    written = write(region, Caller(region.id("A1"), system=system), rights, somebody())
    assert region.service.directory.history("Practitioner/new")[0].recorded_by == region.id("A1")
    assert log(region)[-1].client == CLIENT
    assert written.made


def test_a_patient_for_whom_a_client_asks(region: Region, caller: Caller) -> None:
    """No role makes a patient a member of an organisation; the rule stands for itself."""
    with pytest.raises(errors.NotMemberError):
        write(region, Caller(region.id("P1"), system=caller.system), ALL, somebody())


def test_identifiers_are_taken_from_nobody(region: Region, caller: Caller, rights: DirectoryRights) -> None:
    number = [{"system": "urn:register", "value": "7"}]
    write(region, caller, rights, somebody(identifier=number))
    for more in ({}, {"create": True}):
        with pytest.raises(errors.DuplicateIdentifierError):
            write(region, caller, ALL, somebody("second", identifier=number), **more)
    with pytest.raises(errors.DirectoryError, match="id: is missing"):
        write(region, caller, rights, somebody(None))
    with pytest.raises(errors.DanglingReferenceError):
        write(
            region, caller, ALL, {**role("A1", "Pharmacy-A", "doctor"), "practitioner": {"reference": "Practitioner/z"}}
        )
    with pytest.raises(errors.DirectoryError, match="not JSON"):
        write_entry(region.service, caller, rights, b"{")


def test_of_many_with_the_same_version_one_wins(
    region: Region, caller: Caller, rights: DirectoryRights, tmp_path: Path
) -> None:
    """Through two services on one database, as two processes have it."""
    url = region.service.archive.database.url
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as other:
        for version in range(1, 4):
            outcomes: list[str] = []
            start = threading.Barrier(8)

            def change(number: int, version: int, start: threading.Barrier, outcomes: list[str]) -> None:
                service = (region.service, other)[number % 2]
                resource = json.dumps(somebody("A1", f"Anna {version} {number}")).encode()
                start.wait()
                try:
                    write_entry(service, caller, rights, resource, expected_version=version)
                    outcomes.append("won")
                except errors.VersionConflictError as error:
                    outcomes.append(f"lost to {error.current}")

            threads = [threading.Thread(target=change, args=(each, version, start, outcomes)) for each in range(8)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert sorted(outcomes) == [*[f"lost to {version + 1}"] * 7, "won"]
        found = read_entry(other, region.caller("A1"), EntryKind.PRACTITIONER, "A1")
        assert found.version == 4
    written = [each for each in log(region) if each.action is Action.WRITTEN]
    assert sum(each.outcome is Outcome.DONE for each in written) == 3
    assert sum(each.outcome is Outcome.REFUSED for each in written) == 21
