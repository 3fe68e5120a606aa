"""The feed of changes: nothing is passed over, whatever happens."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from carethread import CoordinationRecord, CoordinationService, LedgerUpdate, MessageContent, Naming, errors
from carethread.store import changes
from carethread.store.changes import START, Change, changes_after, is_held_back, last_cursor
from tests.people import CLINICAL_ID, JANE, PLACE, PLAIN, Ticking, mint_from, seeded_ids


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CoordinationService]:
    url = None
    if request.param == "postgres":
        make: Callable[[], str] = request.getfixturevalue("fresh_postgres")
        url = make()
    mint = partial(mint_from, seeded_ids())
    with CoordinationService.open(
        tmp_path / "home", database_url=url, clock=Ticking(), mint=mint, flushes=False
    ) as opened:
        yield opened


def after(service: CoordinationService, cursor: str = START, count: int = 100) -> tuple[list[Change], str]:
    with service.archive.database.read() as connection:
        return changes_after(connection, cursor, count)


def held_back(service: CoordinationService, cursor: str = START) -> bool:
    with service.archive.database.read() as connection:
        return is_held_back(connection, cursor)


def last(service: CoordinationService) -> str:
    with service.archive.database.read() as connection:
        return last_cursor(connection)


def told(service: CoordinationService, cursor: str = START) -> list[tuple[int, int, bool, bool]]:
    """Return what is told: number of the commit, version, whether it has an entry, whether that corrects."""
    return [
        (each.seq, each.thread_version, each.message is not None, each.corrects is not None)
        for each in after(service, cursor)[0]
    ]


def test_every_version_is_told_of_in_order(service: CoordinationService, record: CoordinationRecord) -> None:
    assert after(service) == ([], START)
    assert last(service) == START
    assert not held_back(service)
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    plain = record.communication_create(JANE, PLACE, PLAIN)
    message = record.add_message(JANE, PLACE, plain, MessageContent("Two"))
    record.name_message(JANE, PLACE, message, Naming("two"))
    correction = record.add_message(JANE, PLACE, plain, MessageContent("Too", corrects=message))
    record.update_communication_ledger(JANE, PLACE, thread, LedgerUpdate(status="closed"))
    found, cursor = after(service)
    assert told(service) == [
        (2, 1, True, False), (3, 1, False, False), (4, 2, True, False), (6, 3, True, True), (7, 2, True, False)
    ]  # fmt: skip
    assert [each.thread for each in found] == [thread, plain, plain, plain, thread]
    assert (found[3].message, found[3].corrects, found[3].record) == (correction, message, record.coordination_id)
    assert found[0].at == record.read_communication(thread).messages[0].timestamp
    assert cursor == last(service) == found[-1].cursor
    assert after(service, cursor) == ([], cursor)
    pieces, cursor = [], START
    for _ in range(5):
        (piece,), cursor = after(service, cursor, 1)
        pieces.append(piece)
    assert pieces == found


@pytest.mark.parametrize("cursor", ["x", "1", "0.1", "1.", "01.1", "1.1 ", "1.-1", f"{1 << 63}.0", f"1.{1 << 63}"])
def test_a_cursor_that_nobody_gave_out(service: CoordinationService, cursor: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="cursor: is none that was given out"):
        after(service, cursor)


def test_a_rebuild_tells_nothing_twice(service: CoordinationService, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    before = after(service)
    service.rebuild()
    assert after(service) == before
    record.add_message(JANE, PLACE, thread, MessageContent("Two"))
    assert told(service, before[1]) == [(3, 2, True, False)]


def test_what_the_database_lost_is_told_of_again(service: CoordinationService, record: CoordinationRecord) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN)
    message = record.add_message(JANE, PLACE, thread, MessageContent("One"))
    record.add_message(JANE, PLACE, thread, MessageContent("Two", corrects=message))
    before, cursor = after(service)
    with service.archive.database.write() as connection:
        connection.text("DELETE FROM change WHERE seq > 2")
    service.rebuild()
    again, _ = after(service, cursor)
    strip = [(each.at, each.seq, each.thread_version, each.message, each.corrects) for each in before[1:]]
    assert [(each.at, each.seq, each.thread_version, each.message, each.corrects) for each in again] == strip
    with service.archive.database.write() as connection:
        connection.text("DELETE FROM change")
    service.rebuild()
    assert len(after(service, cursor)[0]) == 3


def test_what_no_repository_has_is_forgotten(service: CoordinationService, record: CoordinationRecord) -> None:
    record.communication_create(JANE, PLACE, PLAIN)
    with service.archive.database.write() as connection:
        connection.text("UPDATE change SET seq = 9")
    service.rebuild()
    assert told(service) == []


@pytest.mark.parametrize("into", ["sqlite", "postgres"])
def test_cursors_outlive_a_restored_backup(
    service: CoordinationService,
    record: CoordinationRecord,
    tmp_path: Path,
    fresh_postgres: Callable[[], str],
    into: str,
) -> None:
    thread = record.communication_create(JANE, PLACE, PLAIN, MessageContent("One"))
    before, kept = after(service)
    service.backup(tmp_path / "backup.tar")
    record.add_message(JANE, PLACE, thread, MessageContent("Lost"))
    lost = last(service)
    url = fresh_postgres() if into == "postgres" else None
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "again", database_url=url) as again:
        assert after(again)[0] == before
        again.record(record.coordination_id).add_message(JANE, PLACE, thread, MessageContent("Two"))
        for cursor in (kept, lost):
            assert told(again, cursor) == [(3, 2, True, False)]


def test_a_transaction_that_ends_late_is_not_passed_over(tmp_path: Path, fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    with (
        CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service,
        psycopg.connect(url) as early,
    ):
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        early.execute(
            "INSERT INTO change SELECT base + pg_current_xact_id()::text::bigint, 0, 1, '\\x00', 1, 'early', 1 "
            "FROM change_state"
        )
        record.communication_create(JANE, PLACE, PLAIN)
        assert after(service) == ([], START)
        assert last(service) == START
        assert held_back(service)
        early.commit()
        assert not held_back(service)
        found, cursor = after(service)
        assert [each.thread == "early" for each in found] == [True, False]
        assert cursor == last(service)


def test_numbers_from_another_server_are_gone_beyond(tmp_path: Path, fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        thread = record.communication_create(JANE, PLACE, PLAIN)
        with service.archive.database.write() as connection:
            connection.text("UPDATE change SET txid = txid + 1000000000000000")
        assert after(service) == ([], START)
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as service:
        _, cursor = after(service)
        service.record(record.coordination_id).add_message(JANE, PLACE, thread, MessageContent("One"))
        assert told(service) == [(2, 1, False, False), (3, 2, True, False)]
        assert told(service, cursor) == [(3, 2, True, False)]


def test_numbers_begin_above_those_of_an_earlier_beginning(service: CoordinationService) -> None:
    with service.archive.database.write() as connection:
        changes.begin(connection)
        changes.begin_where_moved(connection)
        row = {"at": 1, "coordination_id": bytes(16), "seq": 1, "communication_id": "x", "thread_version": 1}
        changes.add(connection, [{**row, "message_id": None, "corrects": None}] * 3)
        changes.begin(connection)
    assert len(after(service)[0]) == 3
