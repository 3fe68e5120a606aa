"""A data directory with the region: whole or not at all, and known by its mark."""

from pathlib import Path

import pytest

from carethread import CoordinationService
from carethread.demonstration import Region, kept, make, making
from carethread.errors import ConfigurationError, StorageError
from tests.demonstration.conftest import NOW, Recorded


def test_a_region_is_made_and_found_again(tmp_path: Path, on_sqlite: Recorded) -> None:
    told: list[tuple[int, int]] = []
    directory = tmp_path / "deep" / "region"
    made = make(directory, NOW, lambda done, total: told.append((done, total)))
    assert made == on_sqlite.region
    assert kept(directory) == made
    assert [path.name for path in directory.parent.iterdir()] == ["region"]
    assert told[-1][0] == told[-1][1] == len(told)
    with CoordinationService.open(directory, flushes=False) as service:
        assert service.backlog().commits == 0
        assert service.archive.installation.custodian.name == "Quillhaven Shared Care"


def test_an_empty_directory_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "build", _nobody)
    (tmp_path / "region").mkdir()
    make(tmp_path / "region", NOW)
    assert kept(tmp_path / "region") == Region({}, {}, {}, {})


def test_what_is_there_already_stays_untouched(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path / "data", flushes=False):
        pass
    assert kept(tmp_path / "data") is None
    for place in (tmp_path / "data", tmp_path / "data" / "installation.yaml"):
        with pytest.raises(ConfigurationError, match="is no demonstration: name a new directory"):
            make(place, NOW)


def test_one_that_was_interrupted_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Region:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "region", NOW)
    assert list(tmp_path.iterdir()) == []
    assert kept(tmp_path / "region") is None


def test_where_nothing_can_be_made_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot make"):
        make(tmp_path / "file" / "region", NOW)


def test_a_mark_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demonstration.json").write_text('{"people": []}')
    with pytest.raises(ConfigurationError, match="keep the demonstration in a new directory"):
        kept(tmp_path)


def _nobody(*_: object) -> Region:
    return Region({}, {}, {}, {})
