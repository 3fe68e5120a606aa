"""A region with people in it, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from carethread import CoordinationService
from tests.access.racing import Services
from tests.people import Ticking, mint_from, seeded_ids
from tests.region import Region


@pytest.fixture(params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]
) -> Iterator[CoordinationService]:
    url = fresh_postgres() if request.param == "postgresql" else None
    mint = partial(mint_from, seeded_ids())
    with CoordinationService.open(
        tmp_path / "home", database_url=url, clock=Ticking(), mint=mint, flushes=False
    ) as opened:
        yield opened


@pytest.fixture
def region(service: CoordinationService) -> Region:
    return Region(service)


@pytest.fixture
def services(service: CoordinationService) -> Iterator[Services]:
    """Two services on one database, as two processes have: each writes by itself."""
    archive = service.archive
    with CoordinationService.open(
        archive.data_dir, database_url=archive.database.url, clock=Ticking(), flushes=False
    ) as second:
        yield service, second
