"""A pharmacy in the teams of many patients: to know who takes part, members and teams are not multiplied."""

from functools import partial
from pathlib import Path

import pytest

from carethread.directory import memberships
from carethread.directory.model import CareTeam, Membership, Standing
from carethread.store import people
from carethread.store.database import Database
from carethread.store.directory import Directory
from tests.directory.resources import bundle, organization, patient, practitioner, reference, role, team
from tests.people import Ticking, mint_from, seeded_ids

_STAFF, _PATIENTS = 300, 300


def test_a_pharmacy_in_the_teams_of_many_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", tmp_path)
    database.prepare()
    clock = Ticking()
    directory = Directory(database, clock, partial(mint_from, seeded_ids()))
    numbers = range(_PATIENTS)
    staff = [each for n in range(_STAFF) for each in (practitioner(f"p{n}"), role(f"r{n}", f"p{n}"))]
    patients = [patient(f"x{n}") for n in numbers]
    teams = [team(f"t{n}", "Organization/clinic", subject=reference(f"Patient/x{n}")) for n in numbers]
    directory.load(bundle(organization(), *staff, *patients, *teams), by="test")
    ids = [directory.find(each).id for each in ("clinic", "t5", "p5")]
    steps = []
    through = memberships._through

    def counted(scene: memberships._Scene, named: CareTeam, inner: Membership) -> Membership | None:
        steps.append(inner)
        return through(scene, named, inner)

    monkeypatch.setattr(memberships, "_through", counted)
    with database.read() as connection:
        clinic, network, somebody = people.known(connection, ids, clock()).values()
    # Multiplied, that would be 90,000.
    assert len(steps) <= _STAFF + _PATIENTS
    assert clinic.members == network.members == {Standing.CLINICIAN}
    assert len(somebody.memberships) == _PATIENTS + 1
    database.close()
