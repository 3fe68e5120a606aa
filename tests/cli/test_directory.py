"""`carethread directory`."""

import getpass
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, columns
from tests.directory.resources import bundle, organization, practitioner, role

SEED = Path(__file__).parents[1] / "directory" / "seed.json"
NOBODY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def seeded(cli: CommandLine) -> CommandLine:
    cli.text("directory", "load", str(SEED), "--by", "operator")
    return cli


def test_a_bundle_is_loaded_once(cli: CommandLine) -> None:
    said = cli.text("directory", "load", str(SEED))
    assert said.startswith("Made 16, changed 0, left as they are 0.\nNot kept: Organization.telecom, ")
    told = cli.document("directory", "load", str(SEED))
    assert (told.made, told.changed, told.unchanged) == (0, 0, 16)
    assert "Patient.address" in told.not_kept


def test_a_bundle_comes_from_standard_input(cli: CommandLine) -> None:
    assert cli.text("directory", "load", "-", stdin=bundle(organization())) == (
        "Made 1, changed 0, left as they are 0.\n"
    )


@pytest.mark.parametrize(
    "resources, code, said",
    [
        ((practitioner(active=7),), 2, "entry[0].resource.active"),
        ((role(),), 2, "entry[0].resource.practitioner: names Practitioner/ann, which is neither loaded nor known"),
        ((organization(), organization()), 5, "entry[1].resource.id: clinic is the id of entry[0].resource too"),
    ],
)
def test_what_is_not_in_order_is_not_loaded(
    cli: CommandLine, tmp_path: Path, resources: tuple[dict[str, object], ...], code: int, said: str
) -> None:
    file = tmp_path / "people.json"
    file.write_bytes(bundle(*resources))
    assert said in cli.fault(code, "directory", "load", str(file))
    assert cli.document("directory", "search").entries == ()


def test_what_cannot_be_loaded(cli: CommandLine, tmp_path: Path) -> None:
    assert "cannot read" in cli.fault(2, "directory", "load", str(tmp_path / "none.json"))
    assert "by: is empty" in cli.fault(2, "directory", "load", str(SEED), "--by", "")
    assert "load what it names before, or with it" in cli.fault(2, "directory", "load", "-", stdin=bundle(role()))


def test_a_person_is_shown(seeded: CommandLine) -> None:
    shown = seeded.text("directory", "show", "A1")
    about, table = shown.split("\n\n")
    pairs = dict(line.split("  ", 1) for line in about.split("\n"))
    assert pairs["Name"].strip() == "Ms Eleanor May Whitfield"
    assert pairs["Entry"].strip() == "Practitioner/A1"
    headers, *rows = columns(table)
    assert headers == ["MEMBER OF", "STANDING", "ONLY FOR", "ID"]
    assert sorted(list(row[:2]) for row in rows) == [
        ["Care network of Willem Bakker", "clinician"],
        ["Diabetesteam De Linde", "clinician"],
        ["Riverside Pharmacy", "clinician"],
    ]
    told = seeded.document("directory", "show", "Practitioner:A1")
    assert {each.person for each in told.memberships} == {told.entry.id}
    assert told.names == ()


def test_a_group_is_shown(seeded: CommandLine) -> None:
    shown = seeded.text("directory", "show", "CareTeam/123-network")
    assert "Patient  Willem Bakker (Patient/123)\n" in shown
    assert "Member   PractitionerRole/B1-at-Clinic-B\n" in shown
    assert "Anneke Bakker             patient associate  Patient/123" in shown
    told = seeded.document("directory", "show", "CareTeam/123-network")
    assert [each.field for each in told.names] == ["patient", "member", "member", "member", "member"]
    assert told.start == "2025-01-01T00:00:00.000Z"
    assert {each.group for each in told.memberships} == {told.entry.id}
    assert len(told.memberships) == 5


def test_other_entries_are_shown(seeded: CommandLine) -> None:
    assert "Replaced by      Willem Bakker (Patient/123)" in seeded.text("directory", "show", "123-old")
    told = seeded.document("directory", "show", "B1-at-Clinic-B")
    assert (told.entry.name, told.standing, told.clinical_id) == (None, "clinician", None)


def test_an_entry_is_shown_as_it_stood(seeded: CommandLine) -> None:
    (first,) = seeded.document("directory", "history", "A1").versions
    seeded.text("directory", "load", "-", stdin=bundle(practitioner("A1", "Eleanor Marsh")))
    then = ("--at", first.recorded_at)
    assert "Eleanor May Whitfield" in seeded.text("directory", "show", "A1", *then)
    assert "no A1 at that time" in seeded.fault(3, "directory", "show", "A1", "--at", "2020-01-01T00:00:00.000Z")


def test_the_versions_of_an_entry(seeded: CommandLine) -> None:
    seeded.text("directory", "load", "-", "--by", "Bo", stdin=bundle(practitioner("A1", "Eleanor Marsh", active=False)))
    headers, first, second = columns(seeded.text("directory", "history", "A1"))
    assert headers == ["VERSION", "RECORDED", "BY", "NAME", "ENTRY", "STATE", "ID"]
    assert [first[0], *first[2:6]] == ["1", "operator", "Ms Eleanor May Whitfield", "Practitioner/A1", "active"]
    assert [second[0], *second[2:6]] == ["2", "Bo", "Eleanor Marsh", "Practitioner/A1", "inactive"]
    told = seeded.document("directory", "history", "A1").versions
    assert [(each.version, each.recorded_by, each.entry.active) for each in told] == [
        (1, "operator", True),
        (2, "Bo", False),
    ]


def test_names_are_searched(seeded: CommandLine) -> None:
    headers, row = columns(seeded.text("directory", "search", "WHIT", "el"))
    assert headers == ["NAME", "ENTRY", "STATE", "ID"]
    assert row[:3] == ["Ms Eleanor May Whitfield", "Practitioner/A1", "active"]
    assert "Nobody found" in seeded.text("directory", "search", "nobody")
    kinds = seeded.document("directory", "search", "--kind", "CareTeam").entries
    assert [each.reference for each in kinds] == ["CareTeam/123-network", "CareTeam/Diabetes-B"]
    assert [each.name for each in seeded.document("directory", "search", "bakker", "w", "--active").entries] == [
        "Care network of Willem Bakker",
        "Willem Bakker",
    ]
    assert "kind: is none of Organization" in seeded.fault(2, "directory", "search", "--kind", "Group")
    assert "count: is not between" in seeded.fault(2, "directory", "search", "--count", "0")


def test_pages_follow_each_other(seeded: CommandLine) -> None:
    first = seeded.text("directory", "search", "--count", "5")
    after = first.strip().rpartition(" ")[2]
    assert first.endswith(f"There may be more: --after {after}\n")
    rest = seeded.document("directory", "search", "--after", after).entries
    assert len(rest) == 12 - 5


def test_the_directory_goes_elsewhere_with_its_ids(seeded: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    assert seeded.text("directory", "export", str(file)) == f"Wrote the directory to {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert seeded.document("directory", "export", str(tmp_path / "again.json")).size == file.stat().st_size
    assert "already" in seeded.fault(2, "directory", "export", str(file))
    assert "cannot write" in seeded.fault(7, "directory", "export", str(tmp_path / "none" / "people.json"))
    before = seeded.document("directory", "show", "Patient/123")
    seeded.environment["CARETHREAD_DATA"] = str(tmp_path / "elsewhere")
    assert seeded.document("directory", "load", str(file)).made == 16
    assert seeded.document("directory", "show", "Patient/123") == before


def test_somebody_is_appointed_and_dismissed(seeded: CommandLine) -> None:
    person = seeded.document("directory", "show", "B2").entry.id
    assert (
        seeded.text("directory", "appoint", "B2", "auditor", "--by", "board") == f"{person} is appointed as auditor.\n"
    )
    assert seeded.text("directory", "appoint", "B2", "auditor") == f"{person} is appointed as auditor, as before.\n"
    (held,) = seeded.document("directory", "show", "B2").appointments
    assert (held.duty, held.appointed_by, held.ended_at) == ("auditor", "board", None)
    told = seeded.document("directory", "dismiss", "B2", "auditor", "--by", "board")
    assert (told.person, told.duty, told.changed) == (person, "auditor", True)
    assert seeded.text("directory", "dismiss", "B2", "auditor") == f"{person} is no longer auditor, as before.\n"
    assert "by board, until " in seeded.text("directory", "show", "B2")


def test_who_cannot_be_appointed(seeded: CommandLine) -> None:
    assert "duty: is none of auditor, steward" in seeded.fault(2, "directory", "appoint", "B2", "director")
    assert "`carethread directory search`" in seeded.fault(3, "directory", "appoint", NOBODY, "auditor")
    seeded.text("directory", "load", "-", stdin=bundle(practitioner("gone", active=False)))
    assert "is not active" in seeded.fault(4, "directory", "appoint", "gone", "auditor")


def test_whoever_is_logged_in_is_recorded(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jane")
    cli.text("directory", "load", "-", stdin=bundle(organization()))

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    cli.text("directory", "load", "-", stdin=bundle(organization(name="West Clinic")))
    versions = cli.document("directory", "history", "clinic").versions
    assert [each.recorded_by for each in versions] == ["jane", f"uid {os.getuid()}"]


def test_the_same_on_postgresql(cli: CommandLine, fresh_postgres: Callable[[], str]) -> None:
    cli.environment["CARETHREAD_DATABASE_URL"] = fresh_postgres()
    assert cli.document("directory", "load", str(SEED)).made == 16
    assert [each.reference for each in cli.document("directory", "search", "WHIT").entries] == ["Practitioner/A1"]
    assert len(cli.document("directory", "show", "A1").memberships) == 3
