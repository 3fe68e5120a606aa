"""The tables that no repository holds, as files of a backup: directory, clients, log, marks, changes, drafts and so on.

One JSON array a row and line, in the order of the primary key; bytes as base64. Both databases write and read the same
files, so a backup of one is restored into the other.
"""

import base64
from collections.abc import Iterator
from typing import IO, Any

import msgspec
from sqlalchemy import LargeBinary, Select, Table, bindparam, delete, func, insert, select, text, tuple_

from carethread.errors import ConfigurationError, IntegrityError
from carethread.store import changes, statements
from carethread.store.database import Connection, Parameters, Row
from carethread.store.schema import (
    access_log,
    appointment,
    change,
    client,
    client_state,
    client_version,
    directory_born,
    directory_edge,
    directory_entry,
    directory_identifier,
    directory_patient,
    directory_state,
    directory_version,
    directory_word,
    draft,
    mailing,
    opened_mark,
    preference,
    revoked_token,
    set_aside,
    subscription,
)

TABLES = (
    directory_entry,
    directory_version,
    directory_identifier,
    directory_edge,
    directory_word,
    directory_patient,
    directory_born,
    directory_state,
    appointment,
    client_state,
    client,
    client_version,
    revoked_token,
    access_log,
    opened_mark,
    set_aside,
    change,
    subscription,
    preference,
    draft,
    mailing,
)
_PAGE = 1_000


def _key(table: Table) -> list[Any]:
    return list(table.primary_key.columns)


def _first(table: Table) -> Select[Any]:
    return select(*table.columns).order_by(*_key(table)).limit(bindparam("count")).offset(statements.ZERO)


def _next(table: Table) -> Select[Any]:
    bounds = [bindparam(f"after_{column.name}", type_=column.type) for column in _key(table)]
    return _first(table).where(tuple_(*_key(table)) > tuple_(*bounds))


_FIRST = {table.name: _first(table) for table in TABLES}
_NEXT = {table.name: _next(table) for table in TABLES}
_COUNT = {table.name: select(func.count()).select_from(table) for table in TABLES}
_CLEAR = {table.name: delete(table) for table in TABLES}
_INSERT = {
    table.name: insert(table)
    .inline()
    .values({each.name: bindparam(each.name, type_=each.type) for each in table.columns})
    for table in TABLES
}
_ADVANCE = text(
    "SELECT setval(pg_get_serial_sequence('access_log', 'entry_no'), coalesce(max(entry_no), 0) + 1, false) "
    "FROM access_log"
)


def dump(connection: Connection, table: Table, file: IO[bytes]) -> None:
    """Write a table's rows to a file."""
    encode = msgspec.json.Encoder().encode
    for row in _rows(connection, table):
        file.write(encode([bytes(value) if isinstance(value, memoryview) else value for value in row]) + b"\n")


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    names = [column.name for column in table.columns]
    rows = connection.all(_FIRST[table.name], count=_PAGE)
    while rows:
        yield from rows
        if len(rows) < _PAGE:
            return
        last = dict(zip(names, rows[-1], strict=True))
        after = {f"after_{column.name}": last[column.name] for column in _key(table)}
        rows = connection.all(_NEXT[table.name], count=_PAGE, **after)


def check_empty(connection: Connection) -> None:
    """A backup is restored into a database that holds nothing yet.

    Raises:
        ConfigurationError: it holds something.
    """
    for table in (directory_entry, client, access_log, opened_mark, set_aside, subscription):
        if connection.all(_COUNT[table.name])[0][0]:
            raise ConfigurationError(f"the database holds a {table.name} already; restore into an empty one")


def load(connection: Connection, table: Table, file: IO[bytes]) -> None:
    """Fill a table from a file, in a write transaction.

    Raises:
        IntegrityError: the file is damaged.
    """
    connection.run(_CLEAR[table.name])
    batch: list[Parameters] = []
    for line in file:
        batch.append(_row(table, line))
        if len(batch) == _PAGE:
            connection.many(_INSERT[table.name], batch)
            batch = []
    connection.many(_INSERT[table.name], batch)
    if table is access_log and not connection.is_sqlite:
        connection.run(_ADVANCE)
    if table is change:
        changes.begin(connection)


def _row(table: Table, line: bytes) -> Parameters:
    columns = list(table.columns)
    try:
        values = msgspec.json.decode(line, type=list[str | int | None])
        return {
            column.name: base64.b64decode(value, validate=True)
            if isinstance(column.type, LargeBinary) and isinstance(value, str)
            else value
            for column, value in zip(columns, values, strict=True)
        }
    except ValueError as error:
        raise IntegrityError(f"the backup's {table.name} is damaged") from error
