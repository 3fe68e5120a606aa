"""Processes are killed at random instants; whoever opens the data directory next finds what was acknowledged."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carethread import CoordinationService
from tests.durability import deeds
from tests.durability.backlog import make_backlog
from tests.durability.callers import Task, make_places, write
from tests.durability.forked import Target, forked
from tests.durability.promises import Promises

_KILLS_A_SERIES = 5
# After the others, the next process begins with what the killed one left.
_CHECKED_THROUGHOUT = {1, 4}


def _series(soaking: bool) -> int:
    return 40 if soaking else 4


@pytest.mark.soak
@pytest.mark.parametrize("number", range(4))
def test_writers(tmp_path: Path, number: int, soaking: bool) -> None:
    """Four callers write, and the repositories follow in the background."""
    for series in range(number, _series(soaking), 4):
        data_dir = tmp_path / f"series-{series}"
        with CoordinationService.open(data_dir, flushes=False) as service:
            places = make_places(service, records=3, threads=2)
        promises = Promises(places)
        dice = random.Random(f"writers {series}")
        for kill in range(_KILLS_A_SERIES):
            task = Task(str(data_dir), places, first_caller=1 + 10 * kill, seed=series)
            with forked(write, task) as writer:
                writer.wait_for(1)
                writer.kill(dice.uniform(0, 0.5))
                promises.hear(writer.said)
            with CoordinationService.open(data_dir, flushes=False) as service:
                promises.check(service)
                if kill in _CHECKED_THROUGHOUT:
                    promises.check_everything(service)
                promises.try_again(service)
        assert promises.acknowledged


@pytest.mark.soak
def test_writers_on_postgresql(tmp_path: Path, fresh_postgres: Callable[[], str], soaking: bool) -> None:
    url = fresh_postgres()
    with CoordinationService.open(tmp_path, database_url=url, flushes=False) as service:
        places = make_places(service, records=2, threads=2)
    promises = Promises(places)
    dice = random.Random("writers on postgresql")
    for kill in range(20 if soaking else 2):
        task = Task(str(tmp_path), places, database_url=url, first_caller=1 + 10 * kill, seed=kill)
        with forked(write, task) as writer:
            writer.wait_for(1)
            writer.kill(dice.uniform(0, 0.5))
            promises.hear(writer.said)
        _wait_for_server(url)
        with CoordinationService.open(tmp_path, database_url=url, flushes=False) as service:
            promises.check_everything(service)
            promises.try_again(service)
    assert promises.acknowledged


def _wait_for_server(url: str) -> None:
    """Wait until the server has finished what it was doing for a process that is gone."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            time.sleep(0.01)


@pytest.mark.soak
@pytest.mark.parametrize("deed", [deeds.flush, deeds.rebuild])
def test_flushing_and_rebuilding(tmp_path: Path, deed: Target, soaking: bool) -> None:
    promises = make_backlog(tmp_path / "template", records=4)
    takes_s = _time(deed, _copy(tmp_path))
    dice = random.Random(f"killed in {deed.__name__}")
    for _ in range(50 if soaking else 3):
        data_dir = _copy(tmp_path)
        _kill(deed, data_dir, after_s=dice.uniform(0, takes_s))
        with CoordinationService.open(data_dir, flushes=False) as service:
            promises.check_everything(service)


@pytest.mark.soak
def test_backing_up(tmp_path: Path, soaking: bool) -> None:
    """A backup is there as a whole, or not at all."""
    promises = make_backlog(tmp_path / "template", records=4)
    data_dir = _copy(tmp_path)
    target = tmp_path / "backup.tar"
    takes_s = _time(deeds.backup, data_dir, str(target))
    dice = random.Random("killed in backup")
    for number in range(50 if soaking else 3):
        target.unlink(missing_ok=True)
        _kill(deeds.backup, data_dir, str(target), after_s=dice.uniform(0, takes_s))
        with CoordinationService.open(data_dir, flushes=False) as service:
            promises.check(service)
            if not target.exists():
                service.backup(target)
        with CoordinationService.restore(target, tmp_path / f"restored-{number}") as service:
            promises.check_everything(service)


@pytest.mark.soak
def test_the_first_opening(tmp_path: Path, soaking: bool) -> None:
    """Whoever opens next finds a whole schema, or makes one."""
    takes_s = _time(deeds.open_and_close, str(tmp_path / "first"))
    dice = random.Random("killed in the first opening")
    for number in range(50 if soaking else 5):
        data_dir = tmp_path / str(number)
        _kill(deeds.open_and_close, str(data_dir), after_s=dice.uniform(0, takes_s))
        with CoordinationService.open(data_dir, flushes=False) as service:
            promises = Promises(make_places(service, records=1, threads=1))
            promises.write_one_more(service, caller=1)
            promises.check_everything(service)


def _copy(folder: Path) -> str:
    shutil.rmtree(folder / "copy", ignore_errors=True)
    shutil.copytree(folder / "template", folder / "copy")
    return str(folder / "copy")


def _time(deed: Target, *arguments: Any) -> float:
    """Return how long a deed takes from its beginning when nobody interrupts it."""
    with forked(deed, *arguments) as process:
        process.wait_for(1)
        began = time.monotonic()
        process.finish()
    return time.monotonic() - began


def _kill(deed: Target, *arguments: Any, after_s: float) -> None:
    with forked(deed, *arguments) as process:
        process.wait_for(1)
        process.kill(after_s)
