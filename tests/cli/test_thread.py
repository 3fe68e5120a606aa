"""`carethread thread`."""

from pathlib import Path

import pytest

from carethread.ids import random_uuid
from tests.cli.conftest import AS_TOM, JANE, JOHN, TOM, WITH_BOTH, CommandLine, Conversation, columns

PHARMACY = ("--participant", "organisation:Pharmacy A")
CLINIC = ("--participant", "organisation:Clinic B")


def namesakes(number: int) -> tuple[str, ...]:
    """Return options for organisations that share a name."""
    ids = (f"{each:08x}-0000-0000-0000-000000000000" for each in range(number))
    return tuple(part for each in ids for part in ("--participant", f"organisation:{each}:Clinic B"))


def test_a_thread_opens_without_a_message(cli: CommandLine, record: str) -> None:
    said = cli.text("thread", "new", record, *WITH_BOTH)
    assert "Recorded message" not in said
    assert ["Dr Jane Smith", "clinician", JANE] in list(columns(said))
    (thread,) = cli.document("thread", "list", record).threads
    assert [each.participant_id for each in thread.participants] == [JANE, TOM, JOHN]
    assert cli.document("thread", "show", record, thread.communication_id).messages == ()


def test_a_thread_opens_with_a_message_and_is_in_its_repository_at_once(cli: CommandLine, record: str) -> None:
    opened = cli.document("thread", "new", record, "--body", "Please review.")
    thread = Path(cli.document("record", "show", record).path) / "communications" / opened.communication_id
    assert f"**ID:** `{opened.message_id}`" in (thread / "thread.md").read_text(encoding="utf-8")


def test_whoever_is_named_without_an_id_is_given_one(cli: CommandLine, record: str) -> None:
    said = cli.text("thread", "new", record, "--participant", "patient:John Doe", "--body", "Hello")
    assert "Recorded message" in said
    name, role, minted = list(columns(said))[-1]
    assert (name, role) == ("John Doe", "patient")
    (thread,) = cli.document("thread", "list", record).threads
    assert thread.participants[1].participant_id == minted


def test_the_author_is_not_added_twice(cli: CommandLine, record: str) -> None:
    cli.text("thread", "new", record, "--participant", f"clinician:{JANE}:Dr Jane Smith")
    (thread,) = cli.document("thread", "list", record).threads
    assert [each.display_name for each in thread.participants] == ["Dr Jane Smith"]


def test_an_addressed_thread(cli: CommandLine, record: str) -> None:
    asked = ("--on-behalf-of", "Pharmacy A", "--reply-to", "Pharmacy A", "--to", "Clinic B")
    opened = cli.document("thread", "new", record, *PHARMACY, *CLINIC, *asked, "--body", "Can you review?")
    shown = cli.document("thread", "show", record, opened.communication_id)
    _, pharmacy, clinic = (each.participant_id for each in shown.ledger.participants)
    assert shown.ledger.addressing.requester == JANE
    assert shown.ledger.addressing.reply_to == pharmacy
    assert shown.ledger.addressing.recipients == (clinic,)
    (message,) = shown.messages
    assert message.on_behalf_of.id == pharmacy
    assert [each.name for each in message.to] == ["Clinic B"]

    said = cli.text("thread", "show", record, opened.communication_id)
    assert f"Replies go to        Pharmacy A (organisation, {pharmacy})" in said
    assert f"Addressed to         Clinic B (organisation, {clinic})" in said
    assert f"On behalf of  Pharmacy A ({pharmacy})" in said
    assert f"To            Clinic B ({clinic})" in said


def test_without_a_reply_to_replies_go_to_the_requester(cli: CommandLine, record: str) -> None:
    cli.text("thread", "new", record, *CLINIC, "--to", "Clinic B")
    (thread,) = cli.document("thread", "list", record).threads
    assert thread.addressing.reply_to is None
    assert "Replies go to" not in cli.text("thread", "show", record, thread.communication_id)


@pytest.mark.parametrize(
    "wrong, code, said",
    [
        (("--participant", "John Doe"), 2, "ROLE:ID:NAME"),
        (("--participant", "wizard:John Doe"), 2, "is none of clinician"),
        (("--participant", "patient:123:John Doe"), 2, "8-4-4-4-12"),
        (("--participant", "patient:"), 2, "name: is empty"),
        (("--participant", f"patient:{JANE}:John", "--participant", f"patient:{JANE}:Joan"), 4, "named twice"),
        (("--reply-to", "Dr Jane Smith"), 2, "needs --to"),
        (("--to", "Nobody"), 4, "nobody who takes part"),
        ((*namesakes(2), "--to", "Clinic B"), 2, "may be any of 2"),
        ((*namesakes(6), "--to", "Clinic B"), 2, "…"),
        (("--on-behalf-of", "Dr Jane Smith"), 2, "first message"),
        (("--sent", "2026-01-11T14:36:15.234Z"), 2, "first message"),
        (("--on-behalf-of", "Dr Jane Smith", "--body", "Hi"), 4, "not an organisation"),
        (("--sensitivity", "secret"), 2, "standard, confidential, restricted"),
        (("--continues", "2026"), 3, "no thread"),
        (("--no-external-organisations", *CLINIC), 4, "home group"),
        (("--no-patients", *WITH_BOTH), 4, "patient's side"),
        (("--body", "a\u202eb"), 2, "bidirectional"),
        (("--identifier", "1", "--participant", "patient:John Doe"), 2, "needs an id"),
    ],
)
def test_what_is_wrong_opens_nothing(
    cli: CommandLine, record: str, wrong: tuple[str, ...], code: int, said: str
) -> None:
    assert said in cli.fault(code, "thread", "new", record, *wrong)
    assert cli.document("thread", "list", record).threads == ()


def test_rules_may_be_set_from_the_beginning(cli: CommandLine, record: str) -> None:
    rules = ("--sensitivity", "confidential", "--restricted", "--no-patients")
    opened = cli.document("thread", "new", record, *rules)
    ledger = cli.document("ledger", "show", record, opened.communication_id).ledger
    assert (ledger.sensitivity, ledger.restricted) == ("confidential", True)
    assert (ledger.allow_patient_participation, ledger.allow_external_organisations) == (False, True)
    said = cli.text("ledger", "show", record, opened.communication_id)
    assert "Visibility           confidential, named individuals only" in said
    assert "Patients             may not take part" in said


def test_the_same_identifier_opens_one_thread(cli: CommandLine, record: str) -> None:
    asked = ("thread", "new", record, *WITH_BOTH, "--body", "Hello", "--client", "clinic", "--identifier", "7")
    assert cli.document(*asked) == cli.document(*asked)
    assert "stands for" in cli.fault(5, *asked[:-5], "Another", *asked[-4:])
    assert len(cli.document("thread", "list", record).threads) == 1


def test_a_closed_thread_is_taken_up(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    assert "still open" in cli.fault(2, "thread", "new", record, "--continues", thread)
    cli.text("thread", "close", record, thread)
    opened = cli.document("thread", "new", record, *WITH_BOTH, "--continues", thread[-36:-30])
    assert f"Continues            {thread}" in cli.text("ledger", "show", record, opened.communication_id)
    correction = ("message", "correct", record, conversation.answer, "--body", "Some changes.", *AS_TOM)
    assert "--continues" in cli.fault(4, *correction)
    assert "Recorded" in cli.text(*correction, "--thread", opened.communication_id)


def test_threads_are_listed_archived_ones_if_asked(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    headers, row = columns(cli.text("thread", "list", record))
    assert headers == ["THREAD", "STATUS", "LAST UPDATED", "PARTICIPANTS"]
    assert row[:2] == [thread, "open"]
    assert row[3] == "Dr Jane Smith, Dr Tom Patel, John Doe"
    assert cli.document("thread", "archive", record, thread).ledger.status == "archived"
    assert cli.document("thread", "list", record).threads == ()
    assert "1 archived, which --all shows" in cli.text("thread", "list", record)
    assert "archived" in cli.text("thread", "list", record, "--all")
    assert len(cli.document("thread", "list", record, "--all").threads) == 1


def test_without_threads_the_list_says_how_to_open_one(cli: CommandLine, record: str) -> None:
    assert cli.text("thread", "list", record) == "No threads yet: `carethread thread new` opens one.\n"


def test_a_thread_is_shown_as_it_was_typed(cli: CommandLine, conversation: Conversation) -> None:
    typed = "[bold]# Not a heading[/bold]\n\n\t*2*500*3 mg*  :smile:\n" + "long " * 60
    cli.text("message", "add", conversation.record, conversation.thread, "--body", typed)
    said = cli.text("thread", "show", conversation.record, conversation.thread)
    for line in typed.rstrip().split("\n"):
        assert f"    {line}".rstrip() in said.split("\n")
    assert said.count("Message  ") == 3


def test_closing_is_told_in_the_thread_and_final(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    assert "The thread was closed." in cli.text("thread", "close", record, thread)
    assert "closed and accepts no message" in cli.fault(4, "message", "add", record, thread, "--body", "More")
    assert cli.fault(4, "thread", "close", record, thread)
    assert cli.document("thread", "show", record, thread).messages[-1].body == "The thread was closed."


def test_participants_are_shown_added_and_removed(cli: CommandLine, conversation: Conversation) -> None:
    record, thread = conversation.record, conversation.thread
    nobody = {"CARETHREAD_AUTHOR_ID": None, "CARETHREAD_CARE_LOCATION": None}
    shown = list(columns(cli.text("thread", "participants", record, thread, **nobody)))
    assert shown[1:] == [
        ["Dr Jane Smith", "clinician", JANE],
        ["Dr Tom Patel", "clinician", TOM],
        ["John Doe", "patient", JOHN],
    ]
    assert cli.document("thread", "participants", record, thread).message_id is None

    change = ("--add", "care_administrator:Priya Shah", "--remove", "Dr Tom Patel")
    said = cli.text("thread", "participants", record, thread, *change)
    assert "Priya Shah (care administrator) was added to the thread." in said
    assert "Dr Tom Patel (clinician) was removed from the thread." in said
    again = cli.document("thread", "participants", record, thread, "--add", f"clinician:{TOM}:Dr Tom Patel")
    assert [each.display_name for each in again.ledger.participants][-1] == "Dr Tom Patel"
    shown_again = cli.document("message", "show", record, again.message_id).message
    assert (shown_again.type, shown_again.author_role) == ("system", "clinician")


@pytest.mark.parametrize("unsaid", ["CARETHREAD_AUTHOR_ID", "CARETHREAD_AUTHOR_NAME", "CARETHREAD_CARE_LOCATION"])
def test_who_changes_participants_must_be_said(cli: CommandLine, conversation: Conversation, unsaid: str) -> None:
    change = ("thread", "participants", conversation.record, conversation.thread, "--remove", TOM)
    assert unsaid in cli.fault(2, *change, **{unsaid: None})


@pytest.mark.parametrize(
    "change, code",
    [
        (("--add", f"clinician:{TOM}:Dr Tom Patel"), 4),
        (("--add", "Dr Tom Patel"), 2),
        (("--remove", str(random_uuid())), 4),
        (("--remove", "Nobody"), 4),
        (("--remove", "No"), 2),
    ],
)
def test_participants_cannot_be_changed_like_that(
    cli: CommandLine, conversation: Conversation, change: tuple[str, str], code: int
) -> None:
    cli.fault(code, "thread", "participants", conversation.record, conversation.thread, *change)
    assert len(cli.document("ledger", "show", conversation.record, conversation.thread).ledger.participants) == 3
