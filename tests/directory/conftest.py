"""A directory on each kind of database."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from carethread.store.database import Database
from carethread.store.directory import Directory
from tests.people import Ticking, mint_from, seeded_ids

SEED = (Path(__file__).parent / "seed.json").read_bytes()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'directory.sqlite'}"
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("fresh_postgres")
        url = make()
    database = Database(url, tmp_path)
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def directory(database: Database, clock: Ticking) -> Directory:
    return Directory(database, clock, partial(mint_from, seeded_ids()))


@pytest.fixture
def seeded(directory: Directory) -> Directory:
    directory.load(SEED, by="operator")
    return directory
