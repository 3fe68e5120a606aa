"""An archive to look into."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from carethread import CoordinationRecord, CoordinationService
from carethread.store.archive import Archive
from tests.people import CLINICAL_ID, JANE, PLACE, Ticking, mint_from, seeded_ids


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoordinationService]:
    mint = partial(mint_from, seeded_ids())
    with CoordinationService.open(tmp_path / "home", clock=Ticking(), mint=mint, flushes=False) as opened:
        yield opened


@pytest.fixture
def archive(service: CoordinationService) -> Archive:
    return service._archive


@pytest.fixture
def record(service: CoordinationService) -> CoordinationRecord:
    return service.initialise(JANE, PLACE, CLINICAL_ID)
