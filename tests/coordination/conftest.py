"""A service on each backend."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from carethread import CoordinationRecord, CoordinationService
from tests.people import CLINICAL_ID, JANE, PLACE, Ticking, mint_from, seeded_ids


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path: Path, clock: Ticking) -> Iterator[CoordinationService]:
    url = None
    if request.param == "postgres":
        make: Callable[[], str] = request.getfixturevalue("fresh_postgres")
        url = make()
    mint = partial(mint_from, seeded_ids())
    with CoordinationService.open(tmp_path / "home", database_url=url, clock=clock, mint=mint, flushes=False) as opened:
        yield opened


@pytest.fixture
def record(service: CoordinationService) -> CoordinationRecord:
    return service.initialise(JANE, PLACE, CLINICAL_ID)
