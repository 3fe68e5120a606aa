"""`carethread thread refile` and `emergency`, and people who left."""

import pytest

from tests.cli.conftest import PeopleAtWork
from tests.cli.test_terminal import on_terminal
from tests.region import role

READERS = ("--reader", "person:A2", "--reader", "B2")


def test_a_message_in_the_wrong_record_is_set_right(people: PeopleAtWork) -> None:
    asked = people.ask("Jane Roe takes 40 mg")
    refile = ("thread", "refile", asked.message_id, "--as", "A1", "--patient", "P2", *READERS)
    told = people.fault(2, *refile)
    assert "yes: is needed where nobody can be asked: the message is corrected where it stands" in told
    assert "Doe" not in told
    code, shown = on_terminal(people, *refile, answer="n\n", COLUMNS="200")
    assert code == 2
    for step in (
        "stands in the record of John Doe and concerns Jane Roe",
        "1. In the record of John Doe, a correction:",
        "2. In the record of Jane Roe, a new thread",
        "archived, and read by Adam Novak, Dr Bea Boot alone.",
    ):
        assert step in shown
    assert len(people.document("thread", "show", asked.communication_id, "--as", "B1").messages) == 1
    code, shown = on_terminal(people, *refile, answer="y\n", COLUMNS="200")
    assert code == 0
    assert "Recorded correction" in shown
    (line,) = people.document("inbox", "--as", "B1").threads
    assert ([each.name for each in line.patients], line.last_message.body) == (["Jane Roe"], "Jane Roe takes 40 mg")
    people.fault(3, "thread", "show", asked.communication_id, "--as", "B1")
    kept = people.document("thread", "show", asked.communication_id, "--as", "B2")
    assert (kept.ledger.status, kept.ledger.restricted) == ("archived", True)
    assert kept.messages[1].corrects == asked.message_id


def test_a_message_may_be_named_within_its_thread(people: PeopleAtWork) -> None:
    asked = people.ask()
    refile = ("thread", "refile", asked.communication_id, asked.message_id[:6], "--as", "A1", "--patient", "P2")
    _, shown = on_terminal(people, *refile, answer="n\n")
    assert "read by those named in it already alone" in shown
    refiled = people.document(
        *refile, *READERS, "--to", "organisation:Hospital-C", "--on-behalf-of", "Pharmacy-A", "--yes"
    )  # fmt: skip
    assert people.document("thread", "show", refiled.communication_id, "--as", "C1").coordination_id == (
        refiled.coordination_id
    )


@pytest.mark.parametrize(
    "given, code, said",
    [
        (("--as", "A1", "--patient", "P1"), 4, "stands in the record of patient"),
        (("--as", "A1", "--patient", "B1"), 2, "patient: is a practitioner"),
        (("--as", "A1", "--patient", "P2"), 4, "with --reader when refiling"),
        (("--as", "A1", "--patient", "P2", "--reader", "Clinic-B"), 2, "reader: is an organisation"),
        (("--as", "B1", "--patient", "P2"), 4, "its author corrects it"),
        (("--as", "C1", "--patient", "P2"), 3, "there is no message"),
    ],
)
def test_what_is_not_refiled(people: PeopleAtWork, given: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, "thread", "refile", people.ask().message_id, *given, "--yes")


def test_emergency_access_is_loud_and_logged(people: PeopleAtWork) -> None:
    thread = people.document(
        "thread", "new", "--as", "A1", "--patient", "P1", "--to", "Clinic-B", "--to", "B1", "--restricted",
        "--body", "On warfarin",
    ).communication_id  # fmt: skip
    emergency = ("thread", "emergency", thread, "--as", "B2", "--reason")
    people.fault(3, "thread", "show", thread, "--as", "B2")
    told = people.run(*emergency, "Unconscious, medication unknown")
    assert told.exit_code == 0
    assert "EMERGENCY ACCESS" in told.stderr
    assert "listed for auditors" in told.stderr
    assert "    On warfarin" in told.stdout
    assert "Missing option '--reason'" in people.fault(2, "thread", "emergency", thread, "--as", "B2")
    assert "in an emergency with --reason TEXT" in people.fault(4, *emergency, "")
    assert "there is no thread" in people.fault(3, "thread", "emergency", thread, "--as", "B9", "--reason", "Curious")
    listed = people.document("access-log", "list", "--as", "N1", "--purpose", "Review", "--action", "emergency")
    assert listed.lines[0].purpose == "Unconscious, medication unknown"


def test_somebody_who_left(people: PeopleAtWork) -> None:
    asked = people.ask()
    thread = asked.communication_id
    with people.region() as region:
        region.load(role("A1", "Pharmacy-A", "pharmacist", active=False))
    assert people.text("inbox", "--as", "A1") == "Nothing here.\n"
    people.fault(3, "thread", "show", thread, "--as", "A1")
    assert people.document("thread", "show", thread, "--as", "A2").messages[0].author == "Anna Visser"
