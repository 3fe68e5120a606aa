"""A region on SQLite and PostgreSQL, and a mail server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carethread import CoordinationService
from tests.mailing.servers import PostOffice, free_port, open_at
from tests.region import Region

Place = tuple[str, str | None]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> Place:
    return str(tmp_path / "home"), fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def region(place: Place) -> Iterator[Region]:
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as service:
        yield Region(service)


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.web.mailing._GATHER_S", 0.02)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def office(port: int) -> Iterator[PostOffice]:
    made = PostOffice()
    with open_at(port, made):
        yield made
