"""One database, SQLite or PostgreSQL: connections, transactions, and errors in our own words."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import Dialect, Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError

from carethread.errors import (
    CarethreadError,
    ConfigurationError,
    ConflictError,
    LockedError,
    OutcomeUnknownError,
    SchemaError,
    StorageError,
)
from carethread.store import migrate
from carethread.store.locks import FileLock
from carethread.store.statements import compiled, find_record, lock_record

# How long a statement waits for somebody else's lock before it gives up.
LOCK_TIMEOUT_S = 10.0
_READERS = 16
_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_RECOVERY"})
_BUSY_PAUSE_S = 0.02
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL loses acknowledged commits when the power fails
    "wal_autocheckpoint = 8000",
    "cache_size = -65536",
    "temp_store = MEMORY",
)

Row = tuple[Any, ...]
Parameters = dict[str, Any]


class Cursor(Protocol):
    """What both drivers' cursors have in common, as far as we use it."""

    rowcount: int

    def execute(self, statement: Any, parameters: Any = ..., /) -> Any:
        """Run a statement."""

    def executemany(self, statement: Any, parameters: Any, /) -> Any:
        """Run a statement once per set of parameters."""

    def fetchone(self) -> Any:
        """Return the next row, if there is one."""

    def fetchall(self) -> Any:
        """Return all rows that are left."""

    def close(self) -> Any:
        """Let go of what the last statement holds."""


class DeadlockError(LockedError):
    """Two transactions waited for each other, and this one was given up. Doing it again may well succeed."""


class Connection:
    """A driver's connection that runs the compiled statements of one dialect."""

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        """Wrap a driver's connection in autocommit mode."""
        self._driver = driver
        self._dialect = dialect
        self._cursor: Cursor = driver.cursor()
        self.is_sqlite = isinstance(dialect, SQLiteDialect_pysqlite)
        # What was looked up and stays as it is: while nobody else's commit can be seen, there is somewhere to note it.
        self.noted: dict[str, int] | None = None

    def one(self, statement: Executable, **parameters: Any) -> Row | None:
        """Return the first row, if there is one."""
        self._cursor.execute(compiled(statement, self._dialect), parameters)
        row: Row | None = self._cursor.fetchone()
        return row

    def all(self, statement: Executable, **parameters: Any) -> list[Row]:
        """Return all rows."""
        self._cursor.execute(compiled(statement, self._dialect), parameters)
        rows: list[Row] = self._cursor.fetchall()
        return rows

    def planned(self, statement: Executable, **parameters: Any) -> list[Row]:
        """Return all rows of a statement that is to be planned for its parameters, each time.

        PostgreSQL makes one plan for all parameters of what it is asked often. Where a few rows match it must begin
        with these, where half of them do with the order: what is good for one reads everything for the other.
        """
        if self.is_sqlite:
            return self.all(statement, **parameters)
        cursor: Cursor = self._driver.execute(compiled(statement, self._dialect), parameters, prepare=False)
        rows: list[Row] = cursor.fetchall()
        return rows

    def run(self, statement: Executable, **parameters: Any) -> int:
        """Run a statement; return how many rows it touched."""
        self._cursor.execute(compiled(statement, self._dialect), parameters)
        return self._cursor.rowcount

    def many(self, statement: Executable, rows: list[Parameters]) -> None:
        """Run a statement once per row."""
        if rows:
            self._cursor.executemany(compiled(statement, self._dialect), rows)

    def text(self, statement: str) -> None:
        """Run a statement that needs no parameters."""
        self._cursor.execute(statement)

    def pipeline(self) -> AbstractContextManager[Any]:
        """Send what follows without waiting for each answer, where the driver can."""
        if isinstance(self._driver, psycopg.Connection):
            return self._driver.pipeline()
        return nullcontext()

    def close(self) -> None:
        """Close the driver's connection."""
        # An open cursor would keep SQLite's files and locks until it is collected.
        self._cursor.close()
        self._driver.close()


class Database:
    """Connections to one database. Readers share a small pool; whoever writes holds the write lock."""

    def __init__(self, url: str, locks: Path) -> None:
        """Name a database: `sqlite:///path` or `postgresql://…`. Nothing is opened yet."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite:///")
        if not self.is_sqlite and not url.startswith(("postgresql://", "postgres://")):
            raise ConfigurationError("database: give sqlite:///PATH or postgresql://USER@HOST/NAME")
        self._dialect: Dialect = (
            SQLiteDialect_pysqlite(paramstyle="named") if self.is_sqlite else PGDialect_psycopg()  # type: ignore[no-untyped-call]
        )
        self.locks = locks
        self._write_lock = FileLock(locks / "write.lock")
        self._here = threading.local()
        self._writing: Connection | None = None
        self._idle: list[Connection] = []
        self._guard = threading.Lock()
        self._closed = False

    # ── Connections ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _connect(self) -> Connection:
        with translated():
            if self.is_sqlite:
                return Connection(_open_sqlite(self.url.removeprefix("sqlite:///")), self._dialect)
            return Connection(psycopg.connect(self.url, autocommit=True), self._dialect)

    def prepare(self) -> None:
        """Make the tables, or bring those of an older version up to date.

        Raises:
            SchemaError: the tables are of a newer version than this program knows.
        """
        with self.exclusive(), translated():
            try:
                migrate.upgrade(self.url)
            except DBAPIError as error:
                raise (error.orig or error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection for reading; each statement sees what is committed."""
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._connect()
        sound = False
        try:
            with translated():
                yield connection
            sound = True
        except CarethreadError as error:
            sound = not isinstance(error, StorageError)
            raise
        finally:
            self._give_back(connection, sound=sound)

    def _give_back(self, connection: Connection, *, sound: bool) -> None:
        if sound:
            with self._guard:
                if len(self._idle) < _READERS and not self._closed:
                    self._idle.append(connection)
                    return
        connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection whose statements all see the same state."""
        with self.read() as connection:
            connection.text("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.noted = {}
            try:
                yield connection
            finally:
                connection.noted = None
                connection.text("ROLLBACK")

    @contextmanager
    def exclusive(self, *, in_line: bool = False) -> Iterator[None]:
        """Hold the write lock of this data directory, without a transaction.

        SQLite's own waiting starves writers when several processes write; the kernel's lock queues those who wait
        for it without a timeout: `in_line`.

        Raises:
            StorageError: this thread is writing already.
        """
        self.check_outside()
        with self._write_lock.hold(None if in_line else LOCK_TIMEOUT_S):
            yield

    @contextmanager
    def write(self, *, in_line: bool = False) -> Iterator[Connection]:
        """Run one write transaction: commit at the end, roll back on any error.

        `in_line` waits for other processes as long as it takes.

        Raises:
            StorageError: nothing was recorded.
            OutcomeUnknownError: the connection broke while committing.
        """
        self.check_outside()
        with self.exclusive(in_line=in_line) if self.is_sqlite else nullcontext():
            connection = self._keep_for_writing(None) or self._connect()
            self._here.is_writing = True
            try:
                with translated():
                    connection.text("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
                    # On PostgreSQL each statement sees what others have committed meanwhile.
                    connection.noted = {} if self.is_sqlite else None
                    yield connection
                with translated(committing=True):
                    connection.text("COMMIT")
            except BaseException:
                # A connection that has failed once is not trusted again.
                with suppress(sqlite3.Error, psycopg.Error):
                    connection.text("ROLLBACK")
                connection.close()
                raise
            finally:
                connection.noted = None
                self._here.is_writing = False
            spare = self._keep_for_writing(connection)
            if spare is not None:
                spare.close()

    def check_outside(self) -> None:
        """This thread is in no write transaction, so that it may wait for one.

        Raises:
            StorageError: it is in one, and would wait for itself.
        """
        if getattr(self._here, "is_writing", False):
            raise StorageError("this cannot be done as a part of something that is being recorded")

    def bound(self, connection: Connection, seconds: float, lock_seconds: float) -> None:
        """Let no statement of a transaction, and no pause between two, take longer, nor wait longer for a lock.

        On SQLite there is one writer, and nothing to wait for.
        """
        if not self.is_sqlite:
            longest = int(seconds * 1000)
            connection.text(
                f"SET LOCAL lock_timeout = {int(lock_seconds * 1000)};"
                f"SET LOCAL statement_timeout = {longest};"
                f"SET LOCAL idle_in_transaction_session_timeout = {longest}"
            )

    def _keep_for_writing(self, connection: Connection | None) -> Connection | None:
        """Keep a connection for the next write, or none; return the one that was kept."""
        with self._guard:
            kept, self._writing = self._writing, connection
        return kept

    def lock_record(self, connection: Connection, coordination_id: bytes) -> Row | None:
        """Return a record's row, locked against other writers until the transaction ends."""
        return connection.one(find_record if self.is_sqlite else lock_record, coordination_id=coordination_id)

    def close(self) -> None:
        """Close all connections."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._writing is not None:
                idle.append(self._writing)
                self._writing = None
        for connection in idle:
            connection.close()
        self._write_lock.close()


def _open_sqlite(path: str) -> sqlite3.Connection:
    """Open the file and look into it.

    While the last connection of another process closes it, SQLite answers "busy" without having waited.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorname not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return connection


@contextmanager
def translated(*, committing: bool = False) -> Iterator[None]:
    """Turn the drivers' errors into ours; ours pass through."""
    try:
        yield
    except CarethreadError:
        raise
    except (sqlite3.IntegrityError, psycopg.IntegrityError) as error:
        raise ConflictError("something with this id exists already") from error
    except sqlite3.Error as error:
        raise _sqlite_error(error) from error
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise DeadlockError("the database gave up one of two transactions that were in each other's way") from error
    except psycopg.errors.LockNotAvailable as error:
        raise LockedError("the database is locked by somebody else") from error
    except psycopg.errors.UndefinedTable as error:
        raise SchemaError("the database has not been initialised") from error
    except psycopg.Error as error:
        if committing and isinstance(error, psycopg.OperationalError):
            raise OutcomeUnknownError("the connection to the database broke while committing") from error
        raise StorageError(f"the database failed: {type(error).__name__}") from error


def _sqlite_error(error: sqlite3.Error) -> CarethreadError:
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockedError("the database is locked by another program")
    if name == "SQLITE_FULL":
        return StorageError("the disk of the database is full; nothing was recorded")
    if name.startswith("SQLITE_READONLY"):
        return StorageError("the database is read-only; nothing was recorded")
    if name in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        return StorageError("the database file is damaged; restore it, or rebuild from the repositories")
    return StorageError(f"the database failed: {name}")
