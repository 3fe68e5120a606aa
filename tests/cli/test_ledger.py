"""`carethread ledger`."""

import pytest

from tests.cli.conftest import JANE, TOM, CommandLine, Conversation


def test_a_ledger_is_shown(cli: CommandLine, conversation: Conversation) -> None:
    said = cli.text("ledger", "show", conversation.record, conversation.thread)
    assert f"Thread               {conversation.thread}" in said
    assert "Visibility           standard\n" in said
    assert "Other organisations  may take part" in said
    document = cli.document("ledger", "show", conversation.record, conversation.thread)
    assert (document.message_id, document.ledger.communication_id) == (None, conversation.thread)


def test_several_changes_are_one_entry(cli: CommandLine, conversation: Conversation) -> None:
    changes = (
        "--status",
        "closed",
        "--sensitivity",
        "restricted",
        "--restricted",
        "--remove",
        "John Doe",
        "--no-patients",
    )
    changed = cli.document("ledger", "update", conversation.record, conversation.thread, *changes)
    assert changed.ledger.status == "closed"
    assert (changed.ledger.sensitivity, changed.ledger.restricted) == ("restricted", True)
    assert changed.ledger.allow_patient_participation is False
    body = cli.document("message", "show", conversation.record, changed.message_id).message.body
    assert len(body.split("\n")) == 5


def test_what_is_not_named_stays(cli: CommandLine, conversation: Conversation) -> None:
    def change(*options: str) -> tuple[str, bool, bool, bool]:
        ledger = cli.document("ledger", "update", conversation.record, conversation.thread, *options).ledger
        policies = (ledger.allow_patient_participation, ledger.allow_external_organisations)
        return (ledger.sensitivity, ledger.restricted, *policies)

    assert change("--sensitivity", "confidential") == ("confidential", False, True, True)
    assert change("--restricted") == ("confidential", True, True, True)
    assert change("--not-restricted") == ("confidential", False, True, True)
    cli.text("thread", "participants", conversation.record, conversation.thread, "--remove", "John Doe")
    assert change("--no-patients") == ("confidential", False, False, True)
    assert change("--patients") == ("confidential", False, True, True)


def test_addressing_comes_and_changes(cli: CommandLine, conversation: Conversation) -> None:
    def change(*options: str) -> tuple[str, str | None, tuple[str, ...]]:
        ledger = cli.document("ledger", "update", conversation.record, conversation.thread, *options).ledger
        return ledger.addressing.requester, ledger.addressing.reply_to, ledger.addressing.recipients

    clinic = f"{'0' * 8}{TOM[8:]}"
    added = ("--add", f"organisation:{clinic}:Clinic B")
    assert change(*added, "--to", "Clinic B") == (JANE, None, (clinic,))
    assert change("--reply-to", "Dr Jane Smith") == (JANE, JANE, (clinic,))
    assert change("--to", TOM[:4]) == (JANE, JANE, (TOM,))
    assert change("--sensitivity", "confidential") == (JANE, JANE, (TOM,))


def test_external_organisations_may_be_excluded_where_there_is_a_home(cli: CommandLine, record: str) -> None:
    pharmacy = ("--participant", "organisation:Pharmacy A", "--reply-to", "Pharmacy A", "--to", "Dr Jane Smith")
    thread = cli.document("thread", "new", record, *pharmacy).communication_id
    changed = cli.document("ledger", "update", record, thread, "--no-external-organisations")
    assert changed.ledger.allow_external_organisations is False
    changed = cli.document("ledger", "update", record, thread, "--external-organisations")
    assert changed.ledger.allow_external_organisations is True


@pytest.mark.parametrize(
    "change, code, said",
    [
        ((), 2, "say what is to change"),
        (("--status", "reopened"), 2, "open, closed, archived"),
        (("--status", "open"), 4, "already"),
        (("--sensitivity", "secret"), 2, "sensitivity: is none of"),
        (("--sensitivity", "standard"), 4, "already"),
        (("--reply-to", "Dr Jane Smith"), 2, "needs --to"),
        (("--no-patients",), 4, "patient's side"),
        (("--remove", "Nobody"), 4, "nobody who takes part"),
        (("--sensitivity", "restricted", "--on-behalf-of", "Clinic B"), 4, "nobody who takes part"),
        (("--sensitivity", "restricted", "--on-behalf-of", TOM), 4, "not an organisation"),
    ],
)
def test_bad_changes_are_refused(
    cli: CommandLine, conversation: Conversation, change: tuple[str, ...], code: int, said: str
) -> None:
    assert said in cli.fault(code, "ledger", "update", conversation.record, conversation.thread, *change)
    assert len(cli.document("thread", "show", conversation.record, conversation.thread).messages) == 2
