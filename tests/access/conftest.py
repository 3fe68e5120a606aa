"""A region with people in it, on SQLite and on PostgreSQL."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from msgspec import Struct

from carethread import CoordinationService, errors
from tests.access.racing import Services
from tests.databases import TABLES, Databases
from tests.people import Ticking, mint_from, seeded_ids
from tests.region import Region

_WITH_REGION = "with_region"


class _Made(Struct):
    """A region that stands ready to be copied, and how far clock and source of ids were when it did."""

    home: Path
    now: int
    source: random.Random


@contextmanager
def _opened(
    home: Path, url: str | None, clock: Ticking, source: random.Random
) -> Iterator[CoordinationService]:  # fmt: skip
    mint = partial(mint_from, source)
    with CoordinationService.open(home, database_url=url, clock=clock, mint=mint, flushes=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def _region_made(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Callable[[str], _Made]:
    """Return what makes the region on a kind of database, once: loading it takes longer than copying it."""
    known: dict[str, _Made] = {}

    def make(kind: str) -> _Made:
        if kind not in known:
            url = databases.make(TABLES, _WITH_REGION) if kind == "postgresql" else None
            home, clock, source = tmp_path_factory.mktemp("region") / "home", Ticking(), seeded_ids()
            with _opened(home, url, clock, source) as service:
                Region(service)
            known[kind] = _Made(home, clock.now, source)
        return known[kind]

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases, _region_made: Callable[[str], _Made]
) -> Iterator[CoordinationService]:
    """Open an installation. Where a test asks for the region as well, its people are there."""
    home, clock, source, template = tmp_path / "home", Ticking(), seeded_ids(), TABLES
    if "region" in request.fixturenames:
        made = _region_made(request.param)
        shutil.copytree(made.home, home)
        clock.now, template = made.now, _WITH_REGION
        source.setstate(made.source.getstate())
    with databases.lent(template) as make:
        url = make() if request.param == "postgresql" else None
        with _opened(home, url, clock, source) as opened:
            yield opened


@pytest.fixture
def region(service: CoordinationService) -> Region:
    return Region(service, loaded=_has_region(service))


@pytest.fixture
def services(service: CoordinationService) -> Iterator[Services]:
    """Two services on one database, as two processes have: each writes by itself."""
    archive = service.archive
    with CoordinationService.open(
        archive.data_dir, database_url=archive.database.url, clock=archive.clock, flushes=False
    ) as second:
        yield service, second


def _has_region(service: CoordinationService) -> bool:
    """Say whether it was copied: some tests open a service of their own."""
    try:
        service.directory.find("Practitioner/N1")
    except errors.UnknownPersonError:
        return False
    return True
