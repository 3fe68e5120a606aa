"""`carethread client`."""

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, columns

SEED = Path(__file__).parents[1] / "directory" / "seed.json"
UUID = "11111111-2222-4333-8444-555555555555"
ADD = ("client", "add", "ehr", "--name", "EHR", "--speaks-for", "Pharmacy-A", "--manages", "Pharmacy-A", "--id", UUID)


@pytest.fixture
def seeded(cli: CommandLine) -> CommandLine:
    cli.text("directory", "load", str(SEED), "--by", "operator")
    return cli


def test_a_client_from_beginning_to_end(seeded: CommandLine) -> None:
    assert seeded.text("client", "list") == "No program may ask: `carethread client add` makes one known.\n"
    assert seeded.text(*ADD, "--by", "Ann") == f"ehr may ask. In records it is {UUID}.\n"
    assert seeded.text("client", "change", "ehr", "--name", "EHR 2", "--by", "Bob") == "ehr may ask.\n"
    assert seeded.text("client", "change", "ehr", "--speaks-for", "Clinic-B", "--by", "Bob") == "ehr may ask.\n"
    assert seeded.text("client", "change", "ehr", "--manages-all", "--by", "Bob") == "ehr may ask.\n"
    assert seeded.text("client", "revoke", "ehr", "--by", "Bob") == "ehr asks no more.\n"
    assert seeded.text("client", "revoke", "ehr", "--by", "Bob") == "ehr asks no more, as before.\n"
    _, row = columns(seeded.text("client", "list"))
    assert row == [
        "ehr",
        "EHR 2",
        "inactive",
        "Clinic-B",
        "everything",
        UUID,
    ]
    history = list(columns(seeded.text("client", "history", "ehr")))
    assert [(row[0], row[2], row[-2]) for row in history[1:]] == [
        ("1", "Ann", "Pharmacy-A"),
        ("2", "Bob", "Pharmacy-A"),
        ("3", "Bob", "Pharmacy-A"),
        ("4", "Bob", "everything"),
        ("5", "Bob", "everything"),
    ]
    again = seeded.document("client", "change", "ehr", "--active", "--speaks-for-nobody", "--manages-nothing")
    assert again.changed
    assert (again.client.active, again.client.speaks_for, again.client.manages) == (True, (), ())
    assert not again.client.manages_all


def test_documents(seeded: CommandLine) -> None:
    made = seeded.document(*ADD)
    assert (made.client.client_id, made.client.id, made.changed) == ("ehr", UUID, True)
    assert [each.reference for each in made.client.speaks_for] == ["Organization/Pharmacy-A"]
    (listed,) = seeded.document("client", "list").clients
    assert listed.name == "EHR"
    (version,) = seeded.document("client", "history", "ehr").versions
    assert (version.number, version.client.client_id) == (1, "ehr")


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("client", "revoke", "nobody"), 3, "no client nobody"),
        (ADD, 5, "client ehr already"),
        (("client", "add", "a b", "--name", "X"), 2, "client_id"),
        (("client", "add", "x", "--name", "X", "--id", "7"), 2, "id"),
        (("client", "add", "x", "--name", "X", "--manages", "Nowhere"), 3, "no Nowhere"),
        (("client", "change", "ehr", "--manages-nothing", "--manages-all"), 2, "two different things"),
        (("client", "change", "ehr", "--speaks-for", "Clinic-B", "--speaks-for-nobody"), 2, "two different things"),
    ],
)
def test_what_is_refused(seeded: CommandLine, arguments: tuple[str, ...], code: int, said: str) -> None:
    seeded.text(*ADD)
    result = seeded.run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr
