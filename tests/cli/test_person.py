"""A person of the directory acts: whom `--as` means, what they may, and what they are not told."""

import subprocess
import sys

import pytest

from carethread.access_log import Action, Outcome
from carethread.reads import finding
from tests.cli.conftest import PeopleAtWork, short


@pytest.mark.parametrize("named", ["A1", "Practitioner/A1", "practitioner:A1", "person:A1"])
def test_a_person_is_named_as_the_directory_knows_them(people: PeopleAtWork, named: str) -> None:
    assert people.text("inbox", "--as", named) == "Nothing here.\n"


def test_a_person_may_stand_in_the_environment(people: PeopleAtWork) -> None:
    with people.region() as region:
        identifier = region.id("A1")
    assert people.text("inbox", CARETHREAD_AS=identifier) == "Nothing here.\n"


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("inbox",), 2, "Missing option '--as'"),
        (("inbox", "--as", "Nobody"), 3, "the directory has no Nobody (`carethread directory search`"),
        (("inbox", "--as", "Clinic-B"), 2, "as: is an organisation of the directory"),
        (("inbox", "--as", "team:A1"), 3, "no entry 'A1' that is a team"),
        (("inbox", "--as", "A1", "--auditor", "--steward"), 2, "act as one of them"),
        (("inbox", "--as", "A1", "--auditor"), 4, "an auditor states a purpose (say why with --purpose"),
        (("inbox", "--as", "A1", "--auditor", "--purpose", "Curious"), 4, "is not appointed as auditor"),
        (("thread", "show", "550e", "550f", "--auditor"), 2, "name them with --as, or set CARETHREAD_AS"),
        (("thread", "show", "--as", "A1"), 2, "THREAD: is missing"),
        (("thread", "show", "7f4c"), 2, "THREAD: is missing"),
        (("thread", "show", "55", "--as", "A1"), 2, "give at least 4 characters"),
        (("thread", "show", "550e8400", "--as", "A1"), 3, "there is no thread whose id's UUID begins with '550e8400'"),
        (("thread", "show", "wxyz", "--as", "A1"), 3, "there is no thread whose id's UUID begins with 'wxyz'"),
        (("thread", "show", "550e8400", "--as", "N1", "--steward"), 2, "give the whole id: a steward has no inbox"),
        (("thread", "list", "--as", "A1"), 2, "say whose with --patient"),
        (("thread", "list", "--as", "A1", "--patient", "B1"), 2, "patient: is a practitioner of the directory, not"),
        (("message", "show", "--as", "A1"), 2, "MESSAGE: is missing"),
        (("message", "show", "550e", "--as", "A1"), 2, "give the whole id, or the thread"),
    ],
)
def test_what_cannot_be_meant(people: PeopleAtWork, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, *arguments)


def test_what_may_not_be_read_is_answered_like_what_does_not_exist(people: PeopleAtWork) -> None:
    asked = people.ask()
    absent = asked.communication_id.replace(short(asked.communication_id), "00000000")
    for command in (("thread", "show"), ("ledger", "show"), ("thread", "participants"), ("thread", "close")):
        hidden = people.fault(3, *command, asked.communication_id, "--as", "C1")
        assert hidden.replace(asked.communication_id, "ID") == people.fault(3, *command, absent, "--as", "C1").replace(
            absent, "ID"
        )
        # What is short is looked for among their own.
        assert asked.communication_id not in people.fault(3, *command, short(asked.communication_id), "--as", "C1")
    assert asked.message_id in people.fault(3, "message", "show", asked.message_id, "--as", "C1")
    assert people.text("thread", "list", "--as", "C1", "--patient", "P1") == (
        "No threads about this patient that you can read.\n"
    )
    refused = people.log(outcome=Outcome.UNKNOWN)
    assert {each.record for each in refused} == {None}


def test_a_beginning_that_says_not_which_lists_only_what_they_may_read(
    people: PeopleAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = people.ask(to="organisation:Hospital-C").communication_id
    monkeypatch.setattr(finding, "SHORTEST", 1)
    threads: dict[str, list[str]] = {}
    # Sixteen digits, so at most seventeen threads.
    while not (alike := [each for each in threads.values() if len(each) > 1]):
        thread = people.ask().communication_id
        threads.setdefault(short(thread)[0], []).append(thread)
    told = people.run("thread", "show", short(alike[0][0])[0], "--as", "B1")
    assert told.exit_code == 2
    assert "may be any of 2" in told.stderr
    assert all(each in told.stderr for each in alike[0])
    assert hidden not in told.stderr


def test_operators_are_logged_as_such(people: PeopleAtWork) -> None:
    asked = people.ask()
    record, thread = asked.coordination_id, asked.communication_id
    before = len(people.log())
    people.text("thread", "show", record, thread)
    people.text("thread", "list", record)
    people.text("thread", "participants", record, thread)
    people.text("ledger", "show", record, thread)
    people.text("message", "show", record, asked.message_id)
    people.text("log", record)
    people.text("record", "list")
    lines = people.log()[before:]
    assert [(each.actor_kind, each.action, each.detail) for each in lines] == [
        ("operator", Action.SERVED, "thread"),
        ("operator", Action.LISTED, "record"),
        ("operator", Action.SERVED, "ledger"),
        ("operator", Action.SERVED, "ledger"),
        ("operator", Action.SERVED, "message"),
        ("operator", Action.SERVED, "log"),
    ]
    assert {each.actor for each in lines} == {"00000000-0000-0000-0000-000000000000"}
    assert {each.client for each in lines} == {"carethread-cli"}
    assert lines[0].served[0].entries == 1
    assert lines[4].message == asked.message_id


def test_a_command_runs_in_a_process_of_its_own(people: PeopleAtWork) -> None:
    asked = people.ask()
    told = subprocess.run(
        [sys.executable, "-c", "from carethread.cli import main; main()", "inbox", "--as", "B1"],
        env={"CARETHREAD_DATA": str(people.data), "PATH": ""},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert short(asked.communication_id) in told.stdout
    assert "●" in told.stdout
