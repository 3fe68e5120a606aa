"""`carethread record`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from carethread import CoordinationService
from tests.cli.conftest import CLINICAL_ID, TOM, CommandLine, Conversation, columns


def test_a_record_begins_and_is_in_its_repository_at_once(cli: CommandLine) -> None:
    said = cli.text("record", "init", CLINICAL_ID)
    path = Path(said.split(" in ")[1].strip())
    assert f"clinical_id: {CLINICAL_ID}" in (path / "COORDINATION_STATUS.yaml").read_text(encoding="utf-8")


def test_ids_may_be_given_in_capitals(cli: CommandLine) -> None:
    made = cli.document("record", "init", CLINICAL_ID.upper())
    assert cli.document("record", "show", made.coordination_id.upper()).clinical_id == CLINICAL_ID


def test_a_second_record_for_a_patient_is_a_conflict(cli: CommandLine, record: str) -> None:
    assert CLINICAL_ID in cli.fault(5, "record", "init", CLINICAL_ID)


@pytest.mark.parametrize(
    "option, value, said",
    [
        ("--author-id", "nobody", "author-id: is not 8-4-4-4-12"),
        ("--author-role", "wizard", "author-role: is none of"),
        ("--author-name", "two\nlines", "author.name: a line break"),
        ("--care-location", " ", "care_location: begins or ends with a space"),
    ],
)
def test_wrong_values_begin_nothing(cli: CommandLine, record: str, option: str, value: str, said: str) -> None:
    assert said in cli.fault(2, "record", "init", TOM, option, value)
    assert len(cli.document("record", "list").records) == 1


def test_a_group_cannot_act(cli: CommandLine) -> None:
    assert "organisation" in cli.fault(4, "record", "init", CLINICAL_ID, "--author-role", "organisation")


def test_who_acts_must_be_said(cli: CommandLine) -> None:
    said = cli.fault(2, "record", "init", CLINICAL_ID, CARETHREAD_AUTHOR_ID=None)
    assert "--author-id" in said
    assert "CARETHREAD_AUTHOR_ID" in said
    assert "`carethread record init --help` says how" in said


def test_records_are_listed(cli: CommandLine, conversation: Conversation) -> None:
    headers, row = columns(cli.text("record", "list"))
    assert headers == ["RECORD", "CLINICAL RECORD", "STATE"]
    assert row == [conversation.record, CLINICAL_ID, "active"]
    (document,) = cli.document("record", "list").records
    assert document.coordination_id == conversation.record


def test_without_records_the_list_says_how_to_begin(cli: CommandLine) -> None:
    CoordinationService.open(cli.data).close()
    assert "carethread record init" in cli.text("record", "list")
    assert cli.document("record", "list").records == ()


def test_a_record_is_shown(cli: CommandLine, record: str) -> None:
    shown = dict(line.split("  ", 1) for line in cli.text("record", "show", record).strip().split("\n"))
    assert shown["Record"].strip() == record
    assert shown["State"].strip() == "active"
    assert shown["Threads"].strip() == "0"
    document = cli.document("record", "show", record)
    assert shown["Repository"].strip() == document.path
    assert (Path(document.path) / ".git").is_dir()


@pytest.mark.parametrize("data", ["absent", "empty", __file__])
def test_reading_makes_no_data_directory(cli: CommandLine, tmp_path: Path, data: str) -> None:
    (tmp_path / "empty").mkdir()
    assert "carethread record init" in cli.fault(2, "record", "list", "--data", str(tmp_path / data))
    assert [each.name for each in tmp_path.rglob("*")] == ["empty"]


def test_without_a_data_directory_the_error_says_how_to_name_one(cli: CommandLine) -> None:
    said = cli.fault(2, "record", "list", CARETHREAD_DATA=None)
    assert "--data" in said
    assert "CARETHREAD_DATA" in said
    assert "--data is empty" in cli.fault(2, "record", "init", CLINICAL_ID, "--data", "")


def test_the_same_on_postgresql(cli: CommandLine, empty_postgres: Callable[[], str], tmp_path: Path) -> None:
    cli.environment["CARETHREAD_DATABASE_URL"] = empty_postgres()
    record = cli.document("record", "init", CLINICAL_ID).coordination_id
    thread = cli.document("thread", "new", record, "--body", "Hello").communication_id
    cli.text("message", "add", record, thread, "--body", "Once more.")
    assert cli.text("verify") == "Checked 1 record: nothing found.\n"
    cli.text("backup", str(tmp_path / "backup.tar"))
    cli.environment["CARETHREAD_DATABASE_URL"] = empty_postgres()
    assert "nothing found" in cli.text("restore", str(tmp_path / "backup.tar"), "--data", str(tmp_path / "restored"))
