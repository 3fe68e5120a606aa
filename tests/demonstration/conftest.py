"""The invented region, recorded once for the tests that look at it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import Struct

from carethread import CoordinationService
from carethread.access_log import AccessEntry
from carethread.clock import Instant, parse_instant
from carethread.demonstration import DOMAIN, NAME, Region, Stage, build
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import Filter, ThreadView, access_log, read_thread

# A Tuesday.
NOW = parse_instant("2026-11-24T14:00:00.000Z")


class Recorded(Struct, frozen=True):
    """A region, with the service that it is in."""

    service: CoordinationService
    region: Region

    @property
    def auditor(self) -> Caller:
        return Caller(self.region.people["helen"], ActorKind.AUDITOR, "to test")

    def log(self) -> list[AccessEntry]:
        """Return the access log of the region; whatever tests do is done later."""
        return [each for each in access_log(self.service, self.auditor, Filter()) if each.at < NOW]

    def views(self) -> Mapping[str, ThreadView]:
        """Return every thread as an auditor gets it, by its short name."""
        return {
            name: read_thread(self.service, self.auditor, thread) for name, thread in self.region.threads.items()
        }  # fmt: skip


def recorded(directory: Path, now: Instant = NOW, database_url: str | None = None) -> Iterator[Recorded]:
    stage = Stage(now)
    with CoordinationService.open(
        directory,
        database_url=database_url,
        name=NAME,
        domain=DOMAIN,
        clock=stage.clock,
        mint=stage.mint,
        flushes=False,
    ) as service:
        region = build(service, stage)
        stage.enter_at(now, "tests")
        yield Recorded(service, region)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    yield from recorded(tmp_path_factory.mktemp("region") / "data")


@pytest.fixture
def on_postgres(tmp_path: Path, fresh_postgres: Callable[[], str]) -> Iterator[Recorded]:
    yield from recorded(tmp_path / "data", database_url=fresh_postgres())


@pytest.fixture(scope="session")
def views(on_sqlite: Recorded) -> Mapping[str, ThreadView]:
    return on_sqlite.views()
