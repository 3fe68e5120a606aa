"""Processes are killed at random instants; whoever opens the data directory next finds what was acknowledged."""

import random
from pathlib import Path

import pytest

from carethread import CoordinationService
from tests.durability.callers import Task, make_places, write
from tests.durability.forked import forked
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
