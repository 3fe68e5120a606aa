"""What an operator does: log, verify, flush, rebuild, backup, restore."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from carethread import CoordinationRecord, CoordinationService, Finding
from carethread.errors import StorageError
from tests.cli.conftest import CLINICAL_ID, TOM, CommandLine, Conversation, columns


def repository(cli: CommandLine, record: str) -> Path:
    return Path(cli.document("record", "show", record).path)


def forge(repository: Path) -> None:
    """Change a message, and commit that."""
    (file,) = repository.glob("communications/*/thread.md")
    file.write_bytes(file.read_bytes().replace(b"No acute", b"Some acute"))
    someone = ("-c", "user.name=Somebody", "-c", "user.email=somebody@care.example")
    subprocess.run(["git", "-C", repository, *someone, "commit", "--quiet", "--all", "--message=x"], check=True)


def test_the_log_tells_who_did_what_newest_first(cli: CommandLine, conversation: Conversation) -> None:
    headers, *rows = columns(cli.text("log", conversation.record[:6]))
    assert headers == ["COMMIT", "AT", "AUTHOR", "WHAT", "WHERE"]
    assert [row[2:] for row in rows] == [
        ["Dr Tom Patel", "Added message to thread", "Oxford University Hospitals"],
        ["Dr Jane Smith", "Created messaging thread", "Oxford University Hospitals"],
        ["Dr Jane Smith", "Created coordination record", "Oxford University Hospitals"],
    ]
    commits = cli.document("log", conversation.record).commits
    assert [each.commit[:12] for each in reversed(commits)] == [row[0] for row in rows]
    assert (commits[2].author_id, commits[2].message_id) == (TOM, conversation.answer)
    assert commits[0].communication_id is None
    assert commits[1].communication_id == conversation.thread
    assert not commits[0].signed


def test_the_log_is_that_of_stock_git(cli: CommandLine, conversation: Conversation) -> None:
    place = repository(cli, conversation.record)
    by_git = subprocess.run(["git", "-C", place, "log", "--format=%H"], check=True, capture_output=True, text=True)
    commits = cli.document("log", conversation.record).commits
    assert by_git.stdout.split() == [each.commit for each in reversed(commits)]


def test_verify_says_in_words_that_nothing_was_found(cli: CommandLine, conversation: Conversation) -> None:
    assert cli.text("verify") == "Checked 1 record: nothing found.\n"
    assert cli.document("verify").findings == ()
    cli.text("record", "init", TOM)
    assert cli.text("verify") == "Checked 2 records: nothing found.\n"
    assert cli.text("verify", conversation.record[:5], conversation.record[:5]) == "Checked 1 record: nothing found.\n"


def test_verify_reports_each_finding_and_exits_with_6(cli: CommandLine, conversation: Conversation) -> None:
    forge(repository(cli, conversation.record))
    result = cli.run("verify")
    *lines, last = result.stdout.strip().split("\n")
    assert (result.exit_code, result.stderr) == (6, "")
    assert lines
    assert all(line.startswith(conversation.record) for line in lines)
    assert last == f"Checked 1 record: {len(lines)} finding{'s' * (len(lines) > 1)}."
    document = cli.document("verify", conversation.record, code=6)
    assert (document.records, len(document.findings)) == (1, len(lines))
    assert {each.record for each in document.findings} == {conversation.record}


def test_verify_knows_no_other_record(cli: CommandLine, conversation: Conversation) -> None:
    assert "no record's id begins" in cli.fault(3, "verify", "0000" if conversation.record[:4] != "0000" else "1111")


def new_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Make an SSH key, and a file that allows it to sign."""
    key = Ed25519PrivateKey.generate()
    private, allowed = folder / name, folder / f"{name}.allowed"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    allowed.write_bytes(b"records@care.example " + public + b"\n")
    return private, allowed


def test_signatures_are_checked_if_the_settings_say_whose_count(cli: CommandLine, tmp_path: Path) -> None:
    (key, allowed), (_, others) = new_key(tmp_path, "ours"), new_key(tmp_path, "theirs")
    cli.text("record", "init", CLINICAL_ID, CARETHREAD_SIGNING_KEY=str(key))
    record = cli.document("record", "list").records[0].coordination_id
    assert cli.document("log", record).commits[0].signed
    assert cli.text("verify") == "Checked 1 record: nothing found.\n"
    said = cli.text("verify", CARETHREAD_ALLOWED_SIGNERS=str(allowed))
    assert said == "Checked 1 record, signatures too: nothing found.\n"
    result = cli.run("verify", CARETHREAD_ALLOWED_SIGNERS=str(others))
    assert result.exit_code == 6
    assert "signature" in result.stdout


def test_rebuilding_changes_no_answer(cli: CommandLine, conversation: Conversation) -> None:
    before = cli.document("thread", "show", conversation.record, conversation.thread)
    assert cli.text("rebuild") == "Rebuilt the index of 1 record.\n"
    assert cli.document("rebuild").records == 1
    assert cli.document("thread", "show", conversation.record, conversation.thread) == before


def test_flushing_says_how_many_records_are_up_to_date(cli: CommandLine, conversation: Conversation) -> None:
    assert cli.text("flush") == "Up to date: 1 record.\n"
    assert cli.document("flush").records == 1


def test_a_repository_that_cannot_be_written_does_not_undo_what_was_recorded(
    cli: CommandLine, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: CoordinationRecord) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(CoordinationRecord, "flush", fail)
        result = cli.run("message", "add", conversation.record, conversation.thread, "--body", "Hello")
    assert (result.exit_code, result.stdout[:17]) == (0, "Recorded message ")
    assert result.stderr == (
        "carethread: recorded, but not yet in the repository: the disk is full (`carethread flush` tries again)\n"
    )
    place = repository(cli, conversation.record) / "communications" / conversation.thread / "thread.md"
    assert b"Hello" not in place.read_bytes()
    cli.text("flush")
    assert b"Hello" in place.read_bytes()


def test_a_backup_is_restored_and_verified(cli: CommandLine, conversation: Conversation, tmp_path: Path) -> None:
    target, restored = tmp_path / "backup.tar", tmp_path / "restored"
    assert cli.text("backup", str(target)) == f"Backed up 1 record to {target}\n"
    assert "exists already" in cli.fault(2, "backup", str(target))
    said = cli.text("restore", str(target), "--data", str(restored))
    assert said == f"Restored 1 record to {restored} and verified them: nothing found.\n"
    there = ("--data", str(restored))
    shown = cli.document("thread", "show", conversation.record, conversation.thread, *there)
    assert shown == cli.document("thread", "show", conversation.record, conversation.thread)
    cli.text("message", "add", conversation.record, conversation.thread, "--body", "After all.", *there)
    assert "is not empty" in cli.fault(2, "restore", str(target), *there)


def test_backup_and_restore_answer_in_json(cli: CommandLine, conversation: Conversation, tmp_path: Path) -> None:
    target, restored = tmp_path / "backup.tar", tmp_path / "restored"
    assert cli.document("backup", str(target)).place == str(target)
    restoration = cli.document("restore", str(target), "--data", str(restored))
    assert (restoration.records, restoration.place) == (1, str(restored))


def test_what_is_no_backup_is_not_restored(cli: CommandLine, tmp_path: Path) -> None:
    assert "there is no file" in cli.fault(2, "restore", str(tmp_path / "absent.tar"))
    (tmp_path / "other.tar").write_bytes(b"not a tar file, but long enough to look at" * 100)
    cli.fault(6, "restore", str(tmp_path / "other.tar"))


def test_a_forged_record_is_not_restored_as_if_nothing_were(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    forge(repository(cli, conversation.record))
    cli.text("backup", str(tmp_path / "backup.tar"))
    restore = ("restore", str(tmp_path / "backup.tar"), "--data", str(tmp_path / "restored"))
    assert cli.run(*restore).exit_code == 6


def test_what_is_found_after_restoring_is_shown(
    cli: CommandLine, conversation: Conversation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.text("backup", str(tmp_path / "backup.tar"))
    found = Finding(conversation.record, "test", "Something is wrong.")
    monkeypatch.setattr(CoordinationService, "verify", lambda *_, **__: iter([found]))
    result = cli.run("restore", str(tmp_path / "backup.tar"), "--data", str(tmp_path / "restored"))
    assert result.exit_code == 6
    assert f"{conversation.record}: test: Something is wrong.\n" in result.stdout
    assert "verified them: 1 finding" in result.stdout


def test_a_disk_that_fails_is_not_the_callers_fault(
    cli: CommandLine, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> CoordinationService:
        raise StorageError("the disk is full")

    monkeypatch.setattr(CoordinationService, "open", fail)
    assert "the disk is full" in cli.fault(7, "record", "init", CLINICAL_ID)
