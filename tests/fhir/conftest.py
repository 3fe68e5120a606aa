"""The databases on which an installation is served."""

import pytest

from tests.databases import Databases


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Return the address of a new PostgreSQL database, or none for SQLite. It goes with the server that has it."""
    if request.param == "sqlite":
        return None
    databases: Databases = request.getfixturevalue("databases")
    return databases.make()
