"""The databases on which an installation is served."""

import uuid

import psycopg
import pytest
from psycopg import sql


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Return the address of a new PostgreSQL database, or none for SQLite. It goes with the server that has it."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    name = f"served_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.replace("/postgres?", f"/{name}?", 1)
