"""What no repository holds goes with a backup, from either database into either."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from carethread import CoordinationService, MessageContent, errors
from carethread.clock import Instant, system_clock
from carethread.reads import (
    ClientChange,
    DraftContent,
    Preferences,
    ReplyIn,
    access_log,
    current_rights,
    inbox,
    preferences,
    read_draft,
    read_thread,
    session,
    unread_count,
)
from carethread.store.access import Filter
from carethread.store.inbox import Wanted
from carethread.writes import begin_session, keep_draft, keep_preferences, post_message, set_aside
from tests.people import Ticking
from tests.region import Region


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_directory_log_and_marks_are_restored(
    region: Region, tmp_path: Path, fresh_postgres: Callable[[], str], into: str
) -> None:
    service = region.service
    first = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    region.open("A2", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    read_thread(service, region.caller("B1"), first)
    set_aside(service, region.caller("B2"), first, region.id("Clinic-B"))
    with pytest.raises(errors.UnknownThreadError):
        read_thread(service, region.caller("D1"), first)
    change = ClientChange("EHR", ("Pharmacy-A",), ("Pharmacy-A",))
    service.clients.add("ehr", change, by="test")
    service.clients.revoke_token("stolen", Instant(99_999_999_999_999), by="test")
    service.backup(tmp_path / "backup.tar")
    wanted = Wanted(waiting=True)
    before = [
        inbox(service, region.caller("B1"), wanted=wanted),
        unread_count(service, region.caller("B1")),
        service.directory.export(),
    ]
    log = list(access_log(service, region.auditor, Filter()))
    url = fresh_postgres() if into == "postgresql" else None
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again", database_url=url) as restored:
        assert not (tmp_path / "again" / "tables").exists()
        assert current_rights(restored).clients == current_rights(service).clients
        assert current_rights(restored).is_revoked("stolen")
        assert restored.clients.history("ehr") == service.clients.history("ehr")
        again = list(access_log(restored, region.auditor, Filter()))
        # The backup was taken before the two lists, their count and the log itself were asked for.
        assert again[:-1] == log[: len(again) - 1]
        assert again[-1].number == len(again)
        assert [
            inbox(restored, region.caller("B1"), wanted=wanted),
            unread_count(restored, region.caller("B1")),
            restored.directory.export(),
        ] == before
        post_message(restored, region.caller("B1"), first, MessageContent("Still here"))
        assert list(restored.verify()) == []


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_drafts_and_preferences_are_restored_and_nobody_is_signed_in(
    region: Region, tmp_path: Path, fresh_postgres: Callable[[], str], into: str
) -> None:
    service, a1 = region.service, region.caller("A1")
    clock = service.archive.clock
    assert isinstance(clock, Ticking)
    # What is restored lives by the clock of the machine.
    clock.now = system_clock()
    place = ReplyIn(region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A"))
    kept = keep_draft(service, a1, place, DraftContent("Half a sentence, für"), expected=0)
    keep_preferences(service, a1, Preferences("nl", "Europe/Amsterdam"))
    _, secret = begin_session(service, region.id("A1"), idle=1_000_000, longest=1_000_000)
    service.backup(tmp_path / "backup.tar")
    assert service.rebuild() == 1
    assert session(service, secret) is not None
    url = fresh_postgres() if into == "postgresql" else None
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again", database_url=url) as restored:
        for each in (service, restored):
            assert read_draft(each, a1, place) == kept
            assert preferences(each, a1) == Preferences("nl", "Europe/Amsterdam")
        assert session(restored, secret) is None
        with restored.archive.database.read() as connection:
            assert connection._cursor.execute("SELECT * FROM web_session").fetchall() == []


def test_only_into_an_empty_database(region: Region, tmp_path: Path, fresh_postgres: Callable[[], str]) -> None:
    region.service.backup(tmp_path / "backup.tar")
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "other", database_url=url) as other:
        Region(other)
    with pytest.raises(errors.ConfigurationError, match="directory_entry already"):
        CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again", database_url=url)


@pytest.mark.parametrize("content", [None, b"[1]\n", b'["x", 1]\n', b"nonsense\n"])
def test_a_backup_whose_tables_are_damaged(region: Region, tmp_path: Path, content: bytes | None) -> None:
    region.service.backup(tmp_path / "backup.tar")
    folder = tmp_path / "unpacked"
    with tarfile.open(tmp_path / "backup.tar") as archive:
        archive.extractall(folder, filter="data")
    table = folder / "tables" / "opened_mark.jsonl"
    table.unlink()
    if content is not None:
        table.write_bytes(content)
    with tarfile.open(tmp_path / "damaged.tar", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    with pytest.raises(errors.IntegrityError, match="opened_mark"):
        CoordinationService.restore(tmp_path / "damaged.tar", tmp_path / "again")


def test_more_rows_than_a_page(region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.store.tables._PAGE", 2)
    before = region.service.directory.export()
    region.service.backup(tmp_path / "backup.tar")
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again") as restored:
        assert restored.directory.export() == before
