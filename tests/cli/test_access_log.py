"""`carethread access-log`."""

import csv
import io
import os
import stat
from pathlib import Path

import msgspec
import pytest

from carethread.access_log import AccessEntry, Action
from carethread.cli.access_export import COLUMNS, Format, write_lines
from carethread.cli.people_documents import AccessLineDocument
from carethread.errors import CarethreadError
from carethread.ids import ParticipantId
from tests.cli.conftest import PeopleAtWork, columns
from tests.cli.test_terminal import on_terminal

AS_AUDITOR = ("--as", "N1", "--purpose", "Complaint 17")
LIST = ("access-log", "list", *AS_AUDITOR)


def test_lines_for_people(people: PeopleAtWork) -> None:
    asked = people.ask()
    people.text("inbox", "--as", "B1")
    header, written, served, listed, own = columns(people.text(*LIST))
    assert header == ["NO", "AT", "WHO", "AS", "FOR", "ACTION", "OUTCOME", "WHAT", "THREAD", "PURPOSE"]
    assert written[2:] == ["Anna Visser", "practitioner", "Riverside Pharmacy", "written", "done", "thread",
                           asked.communication_id]  # fmt: skip
    assert served[2:5] == ["Anna Visser", "practitioner", "served"]
    assert listed[-1] == asked.communication_id
    assert own[-1] == "Complaint 17"
    people.ask()
    people.text("inbox", "--as", "B1")
    assert "2 threads" in people.text(*LIST)
    assert "earlier lines are not shown" in people.text(*LIST, "--count", "2")
    assert people.document(*LIST, "--count", "2").earlier > 5


def test_lines_are_narrowed(people: PeopleAtWork) -> None:
    asked = people.ask()
    people.fault(3, "thread", "show", asked.communication_id, "--as", "C1")
    for given, number in (
        (("--person", "A1"), 2),
        (("--person", "C1", "--outcome", "unknown", "--action", "served"), 2),
        (("--thread", asked.communication_id, "--record", asked.coordination_id[:6]), 2),
        (("--since", "2026-01-01", "--until", "2999-01-01", "--action", "written"), 1),
        (("--until", "2026-01-01"), 0),
    ):
        assert len(people.document(*LIST, *given).lines) == number, given
    assert people.text(*LIST, "--until", "2026-01-01") == "No line is like that.\n"


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("list", "--as", "N1"), 2, "Missing option '--purpose'"),
        (("list", "--purpose", "x"), 2, "Missing option '--as'"),
        (("list", "--as", "B1", "--purpose", "x"), 4, "is not appointed as auditor"),
        (("list", "--as", "N1", "--purpose", ""), 4, "say why with --purpose"),
        ((*LIST[1:], "--action", "looked"), 2, "action: is none of served, listed"),
        ((*LIST[1:], "--outcome", "good"), 2, "outcome: is none of done"),
        ((*LIST[1:], "--thread", "550e"), 2, "thread: is not a time"),
        ((*LIST[1:], "--record", "0000"), 3, "no record's id begins"),
        ((*LIST[1:], "--count", "0"), 2, "Invalid value for '--count'"),
        (("export", *AS_AUDITOR, "--format", "pdf"), 2, "format: is none of jsonl, csv"),
        (("export", *AS_AUDITOR, "--output", "/nowhere/log.csv"), 2, "output: cannot write /nowhere/log.csv"),
        (("export", "--as", "A1", "--purpose", "x", "--output", "/nowhere/log"), 4, "is not appointed"),
        (("reconstruct", "B1", *AS_AUDITOR), 2, "Missing option '--at'"),
        (("reconstruct", "B1", "--at", "noon", *AS_AUDITOR), 2, "at: is not a UTC time"),
        (("reconstruct", "B0", "--at", "2026-01-11", *AS_AUDITOR), 3, "the directory has no B0"),
        (("reconstruct", "Clinic-B", "--at", "2026-01-11", *AS_AUDITOR), 2, "person: is an organisation"),
        (("reconstruct", "B1", "--at", "2026-01-11", "--as", "B1", "--purpose", "x"), 4, "not appointed"),
    ],
)
def test_what_is_not_answered(people: PeopleAtWork, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, "access-log", *arguments)


def test_an_export(people: PeopleAtWork, tmp_path: Path) -> None:
    asked = people.ask()
    export = ("access-log", "export", *AS_AUDITOR)
    lines = people.text(*export).splitlines()
    first = msgspec.json.decode(lines[0], type=AccessLineDocument)
    assert (first.action, first.communication_id) == ("written", asked.communication_id)
    file = tmp_path / "log.csv"
    assert people.text(*export, "--format", "csv", "--output", str(file)) == f"Wrote 4 lines to {file}\n"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600  # noqa: PTH116 - as it is
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1]["served"].startswith(f"{asked.communication_id}@")
    assert "name a new file" in people.fault(2, *export, "--output", str(file))
    other = tmp_path / "log.jsonl"
    document = people.document(*export, "--output", str(other))
    assert (document.place, len(other.read_text(encoding="utf-8").splitlines())) == (str(other), document.lines)
    assert "output: is missing" in people.run(*export, "--json").stderr


def test_no_cell_is_a_formula() -> None:
    entry = AccessEntry(
        actor=ParticipantId("00000000-0000-0000-0000-000000000000"),
        actor_kind="@kind",
        action=Action.SEARCHED,
        detail="=HYPERLINK(1)",
        query="+1",
        purpose="-1",
        client="\tx",
        request_id="x=1",
    )
    written = io.StringIO()
    told: list[int] = []
    assert write_lines([entry] * 100, written, Format.CSV, told.append) == 100
    row = next(csv.DictReader(io.StringIO(written.getvalue())))
    assert [row[each] for each in ("actor_kind", "detail", "query", "purpose", "client", "request_id")] == [
        "'@kind", "'=HYPERLINK(1)", "'+1", "'-1", "'\tx", "x=1",
    ]  # fmt: skip
    assert told == [100]


def test_a_file_that_is_not_complete_is_removed(
    people: PeopleAtWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise CarethreadError("the disk is full")

    monkeypatch.setattr("carethread.cli.access_log.write_lines", fail)
    file = tmp_path / "log.jsonl"
    people.run("access-log", "export", *AS_AUDITOR, "--output", str(file))
    assert not file.exists()


def test_a_long_export_and_a_reconstruction_show_their_progress(people: PeopleAtWork, tmp_path: Path) -> None:
    for _ in range(2):
        people.ask()
    file = tmp_path / "log.jsonl"
    code, shown = on_terminal(people, "access-log", "export", *AS_AUDITOR, "--output", str(file), COLUMNS="200")
    assert (code, "Exporting" in shown) == (0, True)
    code, shown = on_terminal(people, "access-log", "export", *AS_AUDITOR)
    assert (code, "Exporting" in shown) == (0, False)
    code, shown = on_terminal(people, "access-log", "reconstruct", "B1", "--at", "2999-01-01", *AS_AUDITOR)
    assert (code, "Reconstructing" in shown) == (0, True)


def test_what_somebody_could_see(people: PeopleAtWork) -> None:
    asked = people.ask()
    people.text("thread", "show", asked.communication_id, "--as", "B1")
    look = ("access-log", "reconstruct", "B1", *AS_AUDITOR)
    at = people.document("thread", "show", asked.communication_id, "--as", "B1").messages[0].timestamp
    found = people.document(*look, "--at", "2999-01-01T00:00:00Z", "--record", asked.coordination_id)
    assert [each.ledger.communication_id for each in found.visible] == [asked.communication_id]
    assert [each.action for each in found.served] == ["served", "served"]
    assert (found.person.name, found.at) == ("Dr Bo Bell", "2999-01-01T00:00:00.000Z")
    said = people.text(*look, "--at", "2999-01-01")
    assert said.startswith("What Dr Bo Bell could read at 2999-01-01 00:00:00.000 UTC\nRECORD")
    assert asked.communication_id in said
    people.text("thread", "close", asked.communication_id, "--as", "A1")
    past = people.document(*look, "--at", at)
    assert [each.ledger.status for each in past.visible] == ["open"]
    nothing = people.text("access-log", "reconstruct", "C1", "--at", at, *AS_AUDITOR)
    assert nothing.count("Nothing.") == 2
