"""The database's errors in our words, its versions, its transactions."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from carethread import CoordinationService, errors
from carethread.store import migrate, statements
from carethread.store.database import Connection, Database, DeadlockError, translated
from carethread.store.schema import metadata
from tests.people import CLINICAL_ID, JANE, PLACE


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("secret detail")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    "raised,expected",
    [
        (sqlite3.IntegrityError("x"), errors.ConflictError),
        (sqlite_error("SQLITE_BUSY"), errors.LockedError),
        (sqlite_error("SQLITE_LOCKED_SHAREDCACHE"), errors.LockedError),
        (sqlite_error("SQLITE_FULL"), errors.StorageError),
        (sqlite_error("SQLITE_READONLY_DBMOVED"), errors.StorageError),
        (sqlite_error("SQLITE_CORRUPT"), errors.StorageError),
        (sqlite_error("SQLITE_IOERR_FSYNC"), errors.StorageError),
        (sqlite3.ProgrammingError("x"), errors.StorageError),
        (psycopg.errors.UniqueViolation("x"), errors.ConflictError),
        (psycopg.errors.LockNotAvailable("x"), errors.LockedError),
        (psycopg.errors.DeadlockDetected("x"), DeadlockError),
        (psycopg.errors.UndefinedTable("x"), errors.SchemaError),
        (psycopg.OperationalError("x"), errors.StorageError),
        (errors.ClockError("x"), errors.ClockError),
    ],
)
def test_errors_are_ours_and_tell_no_detail(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, translated():
        raise raised
    assert type(caught.value) is expected
    assert "secret" not in str(caught.value)


def test_a_connection_that_breaks_while_committing() -> None:
    with pytest.raises(errors.OutcomeUnknownError), translated(committing=True):
        raise psycopg.OperationalError("server closed the connection")


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://", "", "postgresql+psycopg://x"])
def test_other_databases(tmp_path: Path, url: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="database"):
        Database(url, tmp_path)


def test_a_newer_schema(tmp_path: Path) -> None:
    CoordinationService.open(tmp_path, flushes=False).close()
    with sqlite3.connect(tmp_path / "carethread.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(errors.SchemaError, match="9999"):
        CoordinationService.open(tmp_path)


def test_a_newer_schema_on_postgresql(tmp_path: Path, fresh_postgres: Callable[[], str]) -> None:
    url = fresh_postgres()
    migrate.upgrade(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(errors.SchemaError, match="9999"):
        CoordinationService.open(tmp_path, database_url=url)


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path, empty_postgres: Callable[[], str]) -> None:
    for url in (f"sqlite:///{tmp_path / 'a.sqlite'}", empty_postgres()):
        migrate.upgrade(url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            # Full text is each database's own business, and not in the metadata.
            options = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("message_text")}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        engine.dispose()


def test_patients_of_an_older_schema_are_found_by_their_date_of_birth(
    tmp_path: Path, fresh_postgres: Callable[[], str]
) -> None:
    def content(**more: str) -> str:
        return json.dumps({"kind": "Patient", **more}).encode().hex()

    for url in (f"sqlite:///{tmp_path / 'a.sqlite'}", fresh_postgres()):
        migrate.upgrade(url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        blob = "decode('{}', 'hex')" if engine.name == "postgresql" else "x'{}'"
        with engine.begin() as connection:
            for later in ("mailing", "directory_born"):
                connection.exec_driver_sql(f"DROP TABLE {later}")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0007'")
            for number, about in enumerate((content(birth_date="1956-05-27"), content(), content(birth_date="1956"))):
                row = f"{blob.format(f'{number:032x}')}, 'Patient', 'P{number}', 1, 1, '', {blob.format(about)}"
                connection.exec_driver_sql(f"INSERT INTO directory_entry VALUES ({row})")
        migrate.upgrade(url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT born, entry_id FROM directory_born ORDER BY born").all()
        assert [(born, bytes(key)[-1]) for born, key in rows] == [("1956", 2), ("1956-05-27", 0)]
        engine.dispose()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "carethread.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(errors.StorageError, match="damaged"):
        CoordinationService.open(tmp_path)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.StorageError):
        CoordinationService.open(tmp_path, database_url="postgresql://localhost:1/none?connect_timeout=2")


def test_a_data_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.StorageError):
        CoordinationService.open(tmp_path / "file")


def _prune_and_fail(connection: Connection) -> None:
    connection.run(statements.prune_journal, key=1, new_seq=10)
    raise ZeroDivisionError


def test_a_write_that_fails_is_rolled_back(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path, flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        database = service._archive.database
        with pytest.raises(ZeroDivisionError), database.write() as connection:
            _prune_and_fail(connection)
        with database.read() as connection:
            assert len(connection.all(statements.size_journal, key=1, after=0, count=9)) == 1
        record.flush()


def test_readers_are_lent_and_closed(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", tmp_path)
    database.prepare()
    with database.read() as first, database.read() as second:
        assert first.one(text("SELECT 1")) == second.one(text("SELECT 1")) == (1,)
        database.close()
    with pytest.raises(errors.StorageError), database.read() as third:
        third.text("SELECT nonsense FROM nowhere")


def test_a_file_that_another_process_is_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    refusals = [sqlite_error("SQLITE_BUSY"), sqlite_error("SQLITE_BUSY_RECOVERY")]

    class Busy(sqlite3.Connection):
        def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
            if refusals and statement.startswith("SELECT"):
                raise refusals.pop()
            return super().execute(statement, *parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(path, factory=Busy, **options))
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}", tmp_path)
    with database.read() as connection:
        assert connection.one(text("SELECT 1")) == (1,)
    refusals = [sqlite_error("SQLITE_BUSY")] * 1000
    monkeypatch.setattr("carethread.store.database.LOCK_TIMEOUT_S", 0.05)
    with pytest.raises(errors.LockedError):
        database._connect()
    database.close()
