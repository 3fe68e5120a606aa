"""Databases on a PostgreSQL server of the tests, and where its files are."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from carethread.store import migrate

TABLES = "with_tables"
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 2 << 30


def memory() -> Path | None:
    """Return a folder that is kept in memory, if this machine has one with room in it.

    A database is some 400 files. To make them on a disk that others use too takes longer than most tests.
    """
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED else None


class Databases:
    """Makes databases, as copies of what stands ready: that takes a tenth of the time that making tables does."""

    def __init__(self, server: str, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        """Use `Databases.on`."""
        self._server = server
        self._connection = connection
        self._done_with: list[str] = []

    @classmethod
    @contextmanager
    def on(cls, server: str) -> Iterator[Self]:
        """Make databases on the server of this URL, which names its `postgres` database."""
        with psycopg.connect(server, autocommit=True) as connection:
            databases = cls(server, connection)
            migrate.upgrade(databases.make(None, TABLES))
            yield databases

    def make(self, template: str | None = TABLES, name: str | None = None) -> str:
        """Make a database that nobody drops, a copy of a template that nobody is connected to; return its URL."""
        name = name or f"test_{uuid.uuid4().hex}"
        # The files are copied. By default the copy is written to the log block by block, for servers that must keep it.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template or "template0")))
        return self._server.replace("/postgres?", f"/{name}?", 1)

    @contextmanager
    def lent(self, template: str | None = TABLES) -> Iterator[Callable[[], str]]:
        """Lend what makes databases for the length of a block."""
        made: list[str] = []

        def make() -> str:
            made.append(f"test_{uuid.uuid4().hex}")
            return self.make(template, made[-1])

        # The server waits for the sessions of a database that is dropped. By now those of the last test have ended.
        while self._done_with:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            self._connection.execute(drop.format(sql.Identifier(self._done_with.pop())))
        try:
            yield make
        finally:
            self._done_with.extend(made)
