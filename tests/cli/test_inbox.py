"""`carethread inbox` and `carethread search`."""

import pytest

from carethread.clock import format_instant, system_clock
from tests.cli.conftest import PeopleAtWork, columns, short
from tests.cli.test_terminal import on_terminal


def test_an_inbox_for_people(people: PeopleAtWork) -> None:
    asked = people.ask("\n  Can you review\n\nthe list?")
    header, row, *rest = columns(people.text("inbox", "--as", "B1"))
    assert header == ["THREAD", "PATIENT", "WITH", "LAST ACTIVITY", "STATUS", "LAST MESSAGE"]
    mark, thread, patient, others, _, status, last = row
    assert (mark, thread, patient, status) == ("●", short(asked.communication_id), "John Doe", "open")
    assert others == "Anna Visser, Riverside Pharmacy, Hill Clinic"
    assert last == "Anna Visser: Can you review"
    assert rest[-1] == ["● unread"]


def test_a_thread_without_a_message_stands_in_it(people: PeopleAtWork) -> None:
    people.text("thread", "new", "--as", "A1", "--patient", "P1", "--to", "Clinic-B")
    (line,) = people.document("inbox", "--as", "B1").threads
    assert line.last_message is None
    assert [each.name for each in line.patients] == ["John Doe"]
    assert "unread" not in people.text("inbox", "--as", "B1")


def test_mine_and_my_groups(people: PeopleAtWork) -> None:
    people.ask()
    people.document("thread", "new", "--as", "A1", "--patient", "P1", "--to", "B1", "--body", "For you alone")
    assert len(people.document("inbox", "--as", "B1").threads) == 2
    for of in ("me", "organisation:Clinic-B", "Clinic-B"):
        assert len(people.document("inbox", "--as", "B1", "--of", of).threads) == 1
    assert "is no active member" in people.fault(4, "inbox", "--as", "B1", "--of", "Pharmacy-A")
    assert "is no active member" in people.fault(4, "inbox", "--as", "B1", "--counts", "--of", "Pharmacy-A")


def test_unread_is_for_one_person(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    assert people.text("inbox", "--as", "B1", "--counts") == "1 unread\n"
    people.text("thread", "show", thread, "--as", "B1")
    assert people.document("inbox", "--as", "B1", "--counts").unread == 0
    assert people.text("inbox", "--as", "B1", "--unread") == "Nothing here.\n"
    assert people.document("inbox", "--as", "B2", "--counts").unread == 1
    assert len(people.document("inbox", "--as", "B2", "--unread").threads) == 1


def test_more_than_can_be_counted(people: PeopleAtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.cli.inbox.unread_count", lambda *_, **__: 100)
    assert people.text("inbox", "--as", "B1", "--counts") == "100 unread, or more\n"


def test_waiting_until_it_is_set_aside(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    waiting = ("inbox", "--as", "B1", "--of", "Clinic-B", "--waiting")
    assert len(people.document(*waiting).threads) == 1
    set_aside = people.document("thread", "aside", short(thread), "--as", "B2", "--of", "organisation:Clinic-B")
    assert (set_aside.communication_id, set_aside.group.name) == (thread, "Hill Clinic")
    assert people.text(*waiting) == "Nothing here.\n"
    assert "Set aside for Hill Clinic by Dr Bea Boot at " in people.text("thread", "show", thread, "--as", "B1")
    assert len(people.document("thread", "show", thread, "--as", "B1").set_aside) == 1
    assert people.document("thread", "show", thread, "--as", "A1").set_aside == ()
    people.text("message", "reply", thread, "--as", "A1", "--body", "Have you?")
    assert len(people.document(*waiting).threads) == 1
    assert "until its next message" in people.text("thread", "aside", thread, "--as", "B1", "--of", "Clinic-B")
    assert "name a group of theirs" in people.fault(4, "thread", "aside", thread, "--as", "B1", "--of", "Pharmacy-A")


def test_archived_threads_are_asked_for(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    for command in ("close", "archive"):
        people.text("thread", command, thread, "--as", "A1")
    assert people.text("inbox", "--as", "B1") == "Nothing here.\n"
    assert "archived" in people.text("inbox", "--as", "B1", "--archived")


def test_page_by_page(people: PeopleAtWork) -> None:
    threads = [people.ask(f"Question {number}").communication_id for number in range(3)]
    said = people.text("inbox", "--as", "B1", "--count", "2")
    after = said.split("--after ")[1].strip()
    assert short(threads[0]) not in said
    rest = people.document("inbox", "--as", "B1", "--count", "2", "--after", after)
    assert [each.ledger.communication_id for each in rest.threads] == [threads[0]]
    assert rest.after is None
    first = people.document("inbox", "--as", "B1", "--count", "3")
    assert first.after is None
    found = people.text("search", "question", "--as", "B1", "--count", "2")
    after = found.split("--after ")[1].strip()
    assert threads[0] in people.text("search", "question", "--as", "B1", "--count", "2", "--after", after)
    last = people.document("search", "question", "--as", "B1", "--count", "1", "--after", after)
    assert last.after is None
    place = people.document("inbox", "--as", "B1", "--count", "1").after
    assert people.text("inbox", "--as", "B1", "--unread", "--after", f"{0:016x}{place[16:]}") == "Nothing more.\n"
    assert people.text("search", "question", "--as", "B1", "--after", "1") == "Nothing more.\n"


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("inbox", "--waiting", "--unread"), 2, "takes one of"),
        (("inbox", "--count", "0"), 2, "count: is not from 1 to 200"),
        (("inbox", "--count", "x"), 2, "Invalid value for '--count'"),
        (("inbox", "--after", "x"), 2, "after: is no place in this list"),
        (("inbox", "--of", "A1"), 2, "of: is a practitioner"),
        (("inbox", "--unattended"), 4, "listed for stewards and auditors"),
        (("inbox", "--unattended", "--after", "x"), 2, "after: is not 8-4-4-4-12"),
        (("search",), 2, "says nothing to look for"),
        (("search", "!"), 2, "holds no word"),
        (("search", "word", "--since", "yesterday"), 2, "since: is not a UTC time"),
        (("search", "word", "--until", "2026-02-30"), 2, "until: is not a time that exists"),
        (("search", "word", "--author", "Clinic-B"), 2, "author: is an organisation"),
        (("search", "word", "--patient", "P9"), 3, "the directory has no P9"),
    ],
)
def test_what_cannot_be_asked(people: PeopleAtWork, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, *arguments, "--as", "B1")


def test_inboxes_that_nobody_has(people: PeopleAtWork) -> None:
    people.ask()
    unattended = ("inbox", "--as", "N1", "--steward", "--unattended")
    assert people.text(*unattended) == "Every inbox has somebody.\n"
    said = people.text(*unattended, "--count", "1")
    assert "There is more: give the same command with --after " in said
    assert people.document(*unattended, "--after", said.split("--after ")[1].strip()).groups == ()


def test_searching(people: PeopleAtWork) -> None:
    asked = people.ask()
    thread = asked.communication_id
    people.text("message", "reply", thread, "--as", "B1", "--body", "The potassium was 3.1")
    now = format_instant(system_clock())
    for given in (
        ("potassium",),
        ("potas*", "--patient", "P1"),
        ('"potassium was"', "--organisation", "Pharmacy-A", "--author", "person:B1"),
        ("--author", "B1"),
        ("potassium", "--since", "2026-01-01", "--until", "2999-01-01T00:00:00Z"),
    ):
        (hit,) = people.document("search", *given, "--as", "A1").hits
        assert (hit.communication_id, hit.message.body) == (thread, "The potassium was 3.1")
    said = people.text("search", "potassium", "--as", "A1")
    assert said.splitlines()[1].startswith(f"{thread}  ")
    assert "Dr Bo Bell: The potassium was 3.1" in said
    nothing = (("potassium", "--since", now), ("potassium", "--patient", "P2"), ("sodium",))
    for given in nothing:
        assert people.text("search", *given, "--as", "A1") == "Nothing found.\n"
    assert people.text("search", "potassium", "--as", "C1") == "Nothing found.\n"
    assert len(people.document("search", "potassium", "--as", "N1", "--auditor", "--purpose", "Test").hits) == 1


def test_on_a_terminal_lines_are_cut_to_fit(people: PeopleAtWork) -> None:
    people.ask("A question that is a great deal longer than what is left of the line")
    code, shown = on_terminal(people, "inbox", "--as", "B1", COLUMNS="110")
    assert code == 0
    assert "Anna Visser: A " in shown
    assert "…" in shown
    assert all(len(line) <= 110 for line in shown.split("\n") if "\x1b" not in line)
    _, narrow = on_terminal(people, "inbox", "--as", "B1", COLUMNS="60")
    assert "Last message   Anna Visser: A question that is a great deal longer than what is left of the line" in narrow
