"""Records to tamper with, made once."""

from pathlib import Path

import pytest

from carethread.verify import checker
from tests.verify.everything import Scribe, write_everything, write_small
from tests.verify.histories import Step, load


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes the records of these tests meanwhile, but where a test says so."""
    monkeypatch.setattr(checker, "PATIENCE_S", 0.0)
    monkeypatch.setattr(checker, "PAUSE_S", 0.001)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small record's repository, to be copied and left as it is."""
    scribe = Scribe(tmp_path_factory.mktemp("small"))
    write_small(scribe)
    return scribe.finish()


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository of a record with whatever a record can hold, to be left as it is."""
    scribe = Scribe(tmp_path_factory.mktemp("everything"))
    write_everything(scribe)
    return scribe.finish()


@pytest.fixture(scope="session")
def steps(small: Path) -> list[Step]:
    """Return the small record's history, to be forged."""
    return load(small)
