"""The disk is full, or fails, at any one step of a flush: nothing is lost, and the next flush puts all right."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path

import pytest

from carethread import CoordinationService, MessageContent
from carethread.errors import StorageError
from carethread.ids import CommunicationId
from tests.durability.backlog import make_backlog
from tests.durability.deeds import flush_until
from tests.durability.forked import forked
from tests.durability.promises import Promises, ask_everything
from tests.durability.stock_git import age_lone_packs, check_nothing_left_behind, git
from tests.durability.tripwire import die, fail, tripwire
from tests.people import JANE, PLACE


@contextmanager
def _copied(template: Path, data_dir: Path) -> Iterator[CoordinationService]:
    shutil.copytree(template, data_dir)
    with CoordinationService.open(data_dir, flushes=False) as service:
        yield service
    shutil.rmtree(data_dir)


def _count(template: Path, data_dir: Path) -> int:
    with _copied(template, data_dir) as service, tripwire(None, die) as wire:
        service.flush()
    return wire.calls


def _check_readable(service: CoordinationService) -> None:
    """Whatever is published stands by itself, even while something beside it is half done."""
    for status in service.records():
        path = service.record(status.coordination_id).path
        if (path / ".git/refs/heads/main").exists():
            git(path, "fsck", "--full", "--strict", "--no-progress")


def _check_recovered(service: CoordinationService, promises: Promises) -> None:
    """Check everything; then that one more message a thread takes away whatever was left lying about."""
    promises.check_everything(service)
    paths = [service.record(status.coordination_id).path for status in service.records()]
    for path in paths:
        age_lone_packs(path)
    promises.write_one_more(service, caller=90)
    service.flush()
    for path in paths:
        check_nothing_left_behind(path)


def _steps(count: int, first: int, *, soaking: bool) -> list[int]:
    """Choose which steps go wrong: all, or a few of the many that prepare, and half of those that finish."""
    if soaking:
        return list(range(1, count + 1))
    return [*range(1 + first, count - 12, 12), *range(count - 12 + first, count + 1, 3)]


@pytest.mark.soak
@pytest.mark.parametrize(("number", "first"), [(errno.ENOSPC, 0), (errno.EIO, 1)], ids=["full", "failing"])
def test_a_step_of_a_flush_fails(tmp_path: Path, number: int, first: int, soaking: bool) -> None:
    promises = make_backlog(tmp_path / "template")
    count = _count(tmp_path / "template", tmp_path / "copy")
    kinds = set()
    for at in _steps(count, first, soaking=soaking):
        with _copied(tmp_path / "template", tmp_path / "copy") as service:
            with tripwire(at, fail(number)) as wire, suppress(StorageError):
                service.flush()
            kinds.add(wire.sprung)
            _check_readable(service)
            _check_recovered(service, deepcopy(promises))
    assert None not in kinds
    assert kinds >= {"pwrite", "sql", "unlink"}


@pytest.mark.soak
@pytest.mark.parametrize("first", [0, 1])
def test_killed_at_a_step_of_a_flush(tmp_path: Path, first: int, soaking: bool) -> None:
    promises = make_backlog(tmp_path / "template")
    count = _count(tmp_path / "template", tmp_path / "copy")
    for at in _steps(count, first, soaking=soaking)[:: 1 if soaking else 2]:
        shutil.copytree(tmp_path / "template", tmp_path / "copy")
        with forked(flush_until, str(tmp_path / "copy"), at) as process:
            process.wait_until_gone()
        with CoordinationService.open(tmp_path / "copy", flushes=False) as service:
            _check_readable(service)
            _check_recovered(service, deepcopy(promises))
        shutil.rmtree(tmp_path / "copy")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "failing"])
@pytest.mark.parametrize("step", range(1, 7))
def test_a_step_of_recording_fails(tmp_path: Path, number: int, step: int) -> None:
    """What was refused is not there, and neither is anything of it."""
    promises = make_backlog(tmp_path)
    with CoordinationService.open(tmp_path, flushes=False) as service:
        before = promises.check(service)
        place = next(iter(before.communications))
        record = service.record(place.record)
        content = MessageContent("Not to be found.")
        writer = service._archive.writer._thread.ident
        with tripwire(step, fail(number), writer) as wire, pytest.raises(StorageError, match=r"full|failed"):
            record.add_message(JANE, PLACE, CommunicationId(place.thread), content)
        assert wire.sprung == "sql"
        assert ask_everything(service) == before
        promises.write_one_more(service, caller=90)
        promises.check_everything(service)
