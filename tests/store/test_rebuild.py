"""The index made anew, and compared with its repository."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from carethread import (
    AttachmentContent,
    BusinessIdentifier,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    Naming,
    StatusUpdate,
    errors,
)
from carethread.ids import CommunicationId
from carethread.store import text_index
from carethread.store.archive import Archive
from carethread.store.finding import document_of, search_key
from carethread.store.rebuild import repositories
from carethread.store.words import thread_tokens
from tests.people import CLINICAL_ID, JANE, PLACE, PLAIN, TOM, listed


@pytest.fixture
def eventful(record: CoordinationRecord) -> CoordinationRecord:
    """A record with something in every table."""
    name = ClientIdentifier("system", "thread 1")
    naming = Naming("thread-1", (BusinessIdentifier("urn:x", "1"),))
    opening = MessageContent("One")
    thread = record.communication_create(JANE, PLACE, PLAIN, opening, client_identifier=name, naming=naming)
    file = AttachmentContent(b"x", "text/plain", "x.txt")
    content = MessageContent("Two", attachments=(file,))
    two = Naming("message-2", (BusinessIdentifier("", "2"), BusinessIdentifier("urn:x", "2")))
    record.add_message(
        TOM, PLACE, thread, content, client_identifier=ClientIdentifier("system", "message 1"), naming=two
    )  # fmt: skip
    one = record.read_communication(thread).messages[0].id
    record.name_message(JANE, PLACE, one, Naming("message-1", (BusinessIdentifier("urn:x", "one"),)))
    record.name_message(JANE, PLACE, one, Naming("alias-1"))
    record.communication_create(TOM, PLACE, listed(TOM))
    record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="closed"))
    record.update_coordination_status(JANE, PLACE, StatusUpdate(record_queryable=False))
    record.flush()
    return record


def found(archive: Archive, record: CoordinationRecord) -> set[str]:
    return {finding.code for finding in archive.audit(record.coordination_id)}


def test_what_followed_along_equals_what_is_derived(archive: Archive, eventful: CoordinationRecord) -> None:
    assert found(archive, eventful) == set()
    archive.rebuild(lambda _done, _total: None)
    assert found(archive, eventful) == set()


@pytest.mark.parametrize(
    "statement,code",
    [
        ("UPDATE record SET status = x'00'", "index-record"),
        ("UPDATE record SET head_commit = zeroblob(32)", "index-record"),
        ("UPDATE record SET synced_seq = 99", "journal-mark"),
        ("DELETE FROM record", "index-record"),
        ("INSERT INTO journal VALUES (1, 99, x'', x'', x'')", "journal-ahead"),
        ("UPDATE thread SET ledger = x'00' WHERE thread_no = 1", "index-thread"),
        ("DELETE FROM thread WHERE thread_no = 2", "index-thread"),
        ("INSERT INTO thread VALUES (1, 3, 'x', 'open', 0, 0, 0, 0, x'', x'', x'', NULL, 1, NULL, NULL)",
         "index-thread"),
        ("UPDATE thread SET versions = versions + 1", "index-thread"),
        ("UPDATE thread SET resource_id = 'other'", "index-thread"),
        ("UPDATE message SET resource_id = NULL, identifiers = NULL", "index-message"),
        ("UPDATE resource_name SET position = 2 WHERE kind = 'message'", "index-resource_name"),
        ("DELETE FROM resource_name", "index-resource_name"),
        ("INSERT INTO resource_name VALUES ('thread', 'other', 1, 1, 0)", "index-resource_name"),
        ("DELETE FROM resource_identifier", "index-resource_identifier"),
        ("UPDATE resource_identifier SET system = 'urn:other' WHERE kind = 'thread'", "index-resource_identifier"),
        ("UPDATE message SET entry = entry || x'20' WHERE position = 1", "index-message"),
        ("DELETE FROM message WHERE position = 2", "index-message index-text"),
        ("INSERT INTO message VALUES (1, 1, 9, x'00', 1, NULL, 0, 1, x'', NULL, NULL)", "index-message"),
        ("UPDATE message SET search_key = 7 WHERE position = 1 AND thread_no = 1", "index-text"),
        ("UPDATE thread SET last_message = 9 WHERE thread_no = 1", "index-thread"),
        ("UPDATE message SET recorded_at = recorded_at - 1 WHERE position = 1", "index-message"),
        ("UPDATE message SET seq = seq + 1 WHERE position = 2", "index-message"),
        ("UPDATE message SET corrects = message_id WHERE position = 2", "index-message"),
        ("UPDATE participation SET created_at = 7", "index-participation"),
        ("UPDATE participation SET thread_uuid = zeroblob(16)", "index-participation"),
        ("UPDATE resource_identifier SET position = 9 WHERE kind = 'message'", "index-resource_identifier"),
        ("UPDATE participation SET reach = 3", "index-participation"),
        ("UPDATE participation SET answered = 0, waiting = 1", "index-participation"),
        ("DELETE FROM participation WHERE thread_no = 2", "index-participation"),
        ("INSERT INTO message_text (message_text) VALUES ('delete-all')", "index-text"),
        ("INSERT INTO message_text (rowid, words, tokens) SELECT 5, 'x', 'r' || hex(coordination_id) FROM record",
         "index-text"),
        ("UPDATE identifier SET result = 'x'", "index-identifier"),
        ("DELETE FROM identifier", "index-identifier"),
    ],
)  # fmt: skip
def test_an_index_that_says_something_else(
    archive: Archive, eventful: CoordinationRecord, service: CoordinationService, statement: str, code: str
) -> None:
    with archive.database.write() as connection:
        connection.text(statement)
    assert found(archive, eventful) == set(code.split())
    if code.startswith("index"):
        service.rebuild()
        assert found(archive, eventful) == set()


def test_a_repository_that_cannot_be_read(archive: Archive, eventful: CoordinationRecord) -> None:
    for pack in (eventful.path / ".git" / "objects" / "pack").iterdir():
        pack.unlink()
    assert found(archive, eventful) == {"index-repository"}
    with pytest.raises(errors.IntegrityError, match=eventful.coordination_id):
        archive.rebuild(lambda _done, _total: None)
    # The index is as it was.
    assert len(eventful.communications()) == 2


def commit(record: CoordinationRecord, message: str, status: bytes | None = None) -> None:
    """Commit with stock git, as somebody would who has no business doing so."""
    if status is not None:
        (record.path / "COORDINATION_STATUS.yaml").write_bytes(status)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "add", "-A"], cwd=record.path, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], cwd=record.path, check=True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: commit(record, "not one of ours"),
        lambda record: commit(record, "coordination:update: Added message to thread\n\nCare-Location: x\n",
                              b""),
        lambda record: (record.path / ".git" / "HEAD").write_text("nowhere\n"),
        lambda record: shutil.rmtree(record.path / ".git"),
    ],
)  # fmt: skip
def test_repositories_that_are_no_records(
    archive: Archive, eventful: CoordinationRecord, spoil: Callable[[CoordinationRecord], None]
) -> None:
    spoil(eventful)
    assert found(archive, eventful) & {"index-repository"}


def test_a_repository_in_the_place_of_another(service: CoordinationService, eventful: CoordinationRecord) -> None:
    other = service.initialise(JANE, PLACE, "b4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    other.flush()
    shutil.rmtree(other.path)
    shutil.copytree(eventful.path, other.path)
    with pytest.raises(errors.IntegrityError, match=f"holds record {eventful.coordination_id}"):
        service.rebuild()


def test_a_thread_that_was_cut_by_hand(archive: Archive, eventful: CoordinationRecord) -> None:
    thread = eventful.communications()[0].communication_id
    path = eventful.path / "communications" / thread / "thread.md"
    path.write_bytes(path.read_bytes().replace(b"**ID:**", b"**Id:**", 1))
    commit(eventful, f"coordination:update: Updated thread ledger\n\nCare-Location: x\nCommunication-ID: {thread}\n")
    assert found(archive, eventful) == {"index-repository"}


def test_only_folders_in_their_place_are_records(tmp_path: Path) -> None:
    good = "7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"
    for name in (f"7f/4c/{good}", f"7f/4d/{good}", "7f/4c/notes", "7f/4c/7f4c"):
        (tmp_path / name).mkdir(parents=True)
    assert repositories(tmp_path) == [good]
    assert repositories(tmp_path / "none") == []


def test_rebuilding_with_commits_still_in_the_journal(
    archive: Archive, record: CoordinationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive.materialiser, "flush_all", lambda _progress: None)
    with pytest.raises(errors.IntegrityError, match="flush first"):
        archive.rebuild(lambda _done, _total: None)


def test_a_lost_index_is_made_from_the_repositories(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
        before = record.read_communication(thread)
    for file in tmp_path.glob("carethread.sqlite*"):
        file.unlink()
    with CoordinationService.open(tmp_path) as service:
        assert list(service.records()) == []
        calls: list[tuple[int, int]] = []
        assert service.rebuild(lambda done, total: calls.append((done, total))) == 1
        assert calls[-1] == (1, 1)
        assert service.record(record.coordination_id).read_communication(thread) == before


def test_a_record_whose_repository_is_gone(service: CoordinationService, eventful: CoordinationRecord) -> None:
    shutil.rmtree(eventful.path)
    with pytest.raises(errors.IntegrityError, match="restore it first"):
        service.rebuild()
    assert len(eventful.communications()) == 2


def older_copy(record: CoordinationRecord, tmp_path: Path) -> Callable[[], None]:
    """Copy a repository; return what puts the copy back."""
    shutil.copytree(record.path, tmp_path / "copy")

    def put_back() -> None:
        shutil.rmtree(record.path)
        shutil.copytree(tmp_path / "copy", record.path)

    return put_back


def test_an_older_copy_where_the_journal_was_kept(
    service: CoordinationService, archive: Archive, record: CoordinationRecord, tmp_path: Path
) -> None:
    archive.materialiser._prunes = False
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    record.flush()
    put_back = older_copy(record, tmp_path)
    record.add_message(JANE, PLACE, thread, MessageContent("Two"))
    record.add_message(JANE, PLACE, thread, MessageContent("Three"))
    record.flush()
    put_back()
    assert service.rebuild() == 1
    assert [each.body for each in record.read_communication(thread).messages] == ["One", "Two", "Three"]
    record.add_message(JANE, PLACE, thread, MessageContent("Four"))
    assert list(service.verify()) == []


def test_an_older_copy_where_the_journal_was_pruned(
    service: CoordinationService, record: CoordinationRecord, tmp_path: Path
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    record.flush()
    put_back = older_copy(record, tmp_path)
    record.add_message(JANE, PLACE, thread, MessageContent("Two"))
    record.flush()
    put_back()
    with pytest.raises(errors.IntegrityError, match="lacks what was acknowledged"):
        service.rebuild()
    assert len(record.read_communication(thread).messages) == 2


def test_repositories_ahead_of_an_older_index(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
    shutil.copy(tmp_path / "carethread.sqlite", tmp_path / "older")
    with CoordinationService.open(tmp_path) as service:
        thread = service.record(record.coordination_id).communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    for file in tmp_path.glob("carethread.sqlite*"):
        file.unlink()
    shutil.move(tmp_path / "older", tmp_path / "carethread.sqlite")
    with CoordinationService.open(tmp_path) as service:
        service.rebuild()
        assert len(service.record(record.coordination_id).read_communication(thread).messages) == 1
        assert list(service.verify()) == []


def test_a_message_that_whoever_may_find_it_would_not(archive: Archive, eventful: CoordinationRecord) -> None:
    ledger = eventful.communications()[0]
    message = eventful.read_communication(ledger.communication_id).messages[0]
    whole = document_of(
        search_key(eventful.coordination_id, message), thread_tokens(ledger), eventful.coordination_id, message
    )
    with archive.database.write() as connection:
        text_index.remove(connection, [whole])
        text_index.add(connection, [replace(whole, tokens=whole.tokens[1:])])
    assert found(archive, eventful) == {"index-text"}


def test_files_that_are_not_there(archive: Archive, eventful: CoordinationRecord) -> None:
    (thread, *_) = eventful.communications()
    for thread_id in (thread.communication_id, CommunicationId("20260111T143522.045Z-none")):
        with pytest.raises(errors.IntegrityError, match=r"no file attachments/none\.txt"):
            archive.attachment(eventful.coordination_id, thread_id, "attachments/none.txt")
