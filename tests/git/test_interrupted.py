"""A flush that is cut short anywhere, and what the next attempt makes of it."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from carethread.errors import CleanUpError, RepositoryError, StorageError
from carethread.git import repository
from carethread.git.layout import open_objects
from carethread.git.repository import prepare, publish, read_head
from tests.git.histories import Journal, check_with_git, conversation, flush, git, pack_names

_CHANGING = ("ftruncate", "mkdir", "pwrite", "rename", "unlink", "rmdir")


class Killed(BaseException):
    """The process ends here: no further call has any effect."""


class _Wire:
    """Counts calls that change something; from the one numbered `at` on, fails or kills."""

    def __init__(self, at: int, *, kills: bool) -> None:
        self.calls = 0
        self.at = at
        self.kills = kills

    def step(self) -> bool:
        """Count a call; say whether it is the one."""
        self.calls += 1
        if self.kills and self.calls > self.at:
            raise Killed
        return self.calls == self.at

    def go_wrong(self) -> None:
        if self.kills:
            raise Killed
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _wired(wire: _Wire) -> Iterator[None]:
    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **named)
            if wire.step():
                if name == "pwrite":
                    descriptor, content, offset = arguments
                    real(descriptor, bytes(content)[: len(content) // 2], offset)
                wire.go_wrong()
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in (*_CHANGING, "open"):
            patch.setattr(os, name, wrap(name, getattr(os, name)))
        yield


def _points(path: Path, attempt: Callable[[], object], *, kills: bool) -> Iterator[_Wire]:
    """Attempt again and again on copies of what is at `path`, going wrong one call later each time."""
    kept = path.with_name("kept")
    if path.exists():
        shutil.copytree(path, kept)
    at = 0
    while True:
        at += 1
        shutil.rmtree(path, ignore_errors=True)
        if kept.exists():
            shutil.copytree(kept, path)
        wire = _Wire(at, kills=kills)
        try:
            with _wired(wire):
                attempt()
        except (Killed, StorageError):
            yield wire
        else:
            # Some faults do no harm, as of making a directory that is there.
            if wire.calls < at:
                return


def _check(path: Path, journal: Journal, *, thoroughly: bool) -> None:
    """Hold the repository to the journal; with stock Git only now and then, for it takes its time."""
    assert read_head(path) == journal.head
    if thoroughly:
        check_with_git(path, journal)
    else:
        for name, content in journal.files.items():
            assert (path / name).read_bytes() == content
        assert not any(name.startswith("tmp_") for name in pack_names(path))


@pytest.mark.parametrize("kills", [False, True], ids=["disk full", "killed"])
def test_making_a_record_survives_going_wrong_anywhere(tmp_path: Path, kills: bool) -> None:
    journal = conversation(2)
    path = tmp_path / "made" / "record"
    path.parent.mkdir()
    points = 0
    for wire in _points(path, lambda: flush(path, journal.steps[:2]), kills=kills):
        points += 1
        if not kills and read_head(path) is None:
            assert not path.exists() or (path / ".git/tmp_carethread_main").exists(), "nothing is left behind"
        # The same steps again, or more of them.
        flush(path, journal.steps[:2] if wire.at % 2 else journal.steps)
        if wire.at % 2:
            flush(path, journal.steps)
        _check(path, journal, thoroughly=wire.at % 5 == 0)
    assert points > 20


@pytest.mark.parametrize("kills", [False, True], ids=["disk full", "killed"])
def test_a_flush_survives_going_wrong_anywhere(tmp_path: Path, kills: bool) -> None:
    journal = conversation(7)
    other = journal.thread()
    journal.message(other)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    flush(path, journal.steps[4:6])
    points = 0
    for wire in _points(path, lambda: flush(path, journal.steps[6:9]), kills=kills):
        points += 1
        assert read_head(path) in {journal.steps[5].commit_id, journal.steps[8].commit_id}
        if wire.at % 5 == 0:
            assert git(path, "fsck", "--full", "--strict", "--no-dangling") == b""
        flush(path, journal.steps[6:9] if wire.at % 2 else journal.steps[6:])
        if wire.at % 2:
            flush(path, journal.steps[6:])
        _check(path, journal, thoroughly=wire.at % 5 == 1)
        assert sum(name.endswith(".idx") for name in pack_names(path)) <= 2
    assert points > 12


def test_an_attempt_that_cannot_clean_up_after_itself_says_so(tmp_path: Path) -> None:
    journal = conversation(1)
    path = tmp_path / "record"
    faults = 0

    def attempt() -> None:
        nonlocal faults
        try:
            prepare(path, journal.steps)
        except CleanUpError:
            faults += 1
            raise

    for wire in _points(path, attempt, kills=False):
        # From the first fault on, every removal fails too.
        shutil.rmtree(path, ignore_errors=True)
        again = _Wire(wire.at, kills=False)
        again.step = lambda again=again: _from_then_on(again)  # type: ignore[method-assign, misc]
        with pytest.raises(StorageError), _wired(again):
            attempt()
    assert faults > 5
    shutil.rmtree(path, ignore_errors=True)
    flush(path, journal.steps)
    check_with_git(path, journal)


def _from_then_on(wire: _Wire) -> bool:
    wire.calls += 1
    return wire.calls >= wire.at


# ── Power loss: what was not synced may hold anything ─────────────────────────────────────────────────────────────────


def _files(path: Path) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}


@pytest.mark.parametrize("damage", ["emptied", "cut", "zeroed", "gone"])
@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_unsynced_files_may_hold_anything(tmp_path: Path, damage: str, rounds: int) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    for number in range(rounds):
        flush(path, journal.steps[2 * number : 2 * number + 2])
    done = 2 * rounds
    kept = tmp_path / "kept"
    if rounds:
        shutil.copytree(path, kept)
    before = _files(path)
    prepare(path, journal.steps[done : done + 2])
    written = [str(each.relative_to(path)) for each, content in _files(path).items() if before.get(each) != content]
    assert len(written) == (6 if rounds else 10)
    for names in [[name] for name in written] + [written]:
        shutil.rmtree(path)
        if rounds:
            shutil.copytree(kept, path)
        prepare(path, journal.steps[done : done + 2])
        for name in names:
            content = (path / name).read_bytes()
            if damage == "gone":
                (path / name).unlink()
            else:
                wrong = {"emptied": b"", "cut": content[: len(content) // 2], "zeroed": bytes(len(content))}[damage]
                (path / name).write_bytes(wrong)
        flush(path, journal.steps[done:])
        check_with_git(path, journal)


def test_a_damaged_pack_that_the_record_needs_stays_where_it_is(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    (name,) = [name for name in pack_names(path) if name.endswith(".idx")]
    index = path / ".git/objects/pack" / name
    sound = index.read_bytes()
    index.write_bytes(sound[:-1] + bytes((sound[-1] ^ 1,)))
    with pytest.raises(RepositoryError, match="checksum"):
        prepare(path, journal.steps[4:])
    assert index.exists()
    index.write_bytes(sound)
    flush(path, journal.steps[4:])
    check_with_git(path, journal)


def test_a_pack_that_was_there_already_is_not_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = conversation(8)
    path = tmp_path / "record"
    flush(path, journal.steps)
    before = pack_names(path)
    (path / ".git/refs/heads/main").write_text(journal.steps[4].commit_id.hex() + "\n")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(repository, "update_files", fail)
        with pytest.raises(StorageError):
            # Everything is there, so the new pack is the old one.
            prepare(path, journal.steps[5:])
    assert pack_names(path) == before
    flush(path, journal.steps[5:])
    assert pack_names(path) == before
    check_with_git(path, journal)


def test_a_branch_moved_back_costs_nothing(tmp_path: Path) -> None:
    # The pack that holds the steps to come holds everything else too: it is no leftover.
    journal = conversation(8)
    path = tmp_path / "record"
    flush(path, journal.steps)
    (path / ".git/refs/heads/main").write_text(journal.steps[4].commit_id.hex() + "\n")
    flush(path, journal.steps[5:])
    check_with_git(path, journal)


# ── Between publishing and retiring ───────────────────────────────────────────────────────────────────────────────────


def test_packs_that_were_not_retired_are_retired_later(tmp_path: Path) -> None:
    journal = conversation(9)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    publish(prepare(path, journal.steps[4:6]))
    assert sum(name.endswith(".pack") for name in pack_names(path)) == 2
    # A restart replays the same steps, or the same and more.
    again = prepare(path, journal.steps[4:6])
    assert (again.pack, len(again.retired)) == (None, 1)
    publish(prepare(path, journal.steps[6:8]))
    flush(path, journal.steps[6:])
    assert sum(name.endswith(".pack") for name in pack_names(path)) == 1
    check_with_git(path, journal)


def test_an_index_that_was_not_published_with_its_branch_is_made_anew(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    index = (path / ".git/index").read_bytes()
    flush(path, journal.steps[4:])
    for content in (index, b"", None):
        if content is None:
            (path / ".git/index").unlink()
        else:
            (path / ".git/index").write_bytes(content)
        assert prepare(path, journal.steps[4:]).pack is None
        check_with_git(path, journal)


def test_nothing_is_retired_for_a_pack_that_is_damaged(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    prepared = prepare(path, journal.steps[4:6])
    publish(prepared)
    pack = path / f".git/objects/pack/{prepared.pack}.pack"
    content = pack.read_bytes()
    pack.write_bytes(content[:40] + b"x" + content[41:])
    with pytest.raises(RepositoryError, match="checksum"):
        prepare(path, journal.steps[4:6])
    assert sum(name.endswith(".pack") for name in pack_names(path)) == 2


def test_lone_packs_go_when_they_are_old(tmp_path: Path) -> None:
    journal = conversation(4)
    path = tmp_path / "record"
    flush(path, journal.steps[:3])
    folder = path / ".git/objects/pack"
    (folder / "tmp_carethread_pack").write_bytes(b"PACK")
    for name, age in (("pack-" + "0" * 64, 0), ("pack-" + "1" * 64, 3600)):
        (folder / f"{name}.pack").write_bytes(b"PACK")
        moment = (folder / f"{name}.pack").stat().st_mtime - age
        os.utime(folder / f"{name}.pack", (moment, moment))
    flush(path, journal.steps[3:])
    left = pack_names(path)
    # Stock Git may just be moving the younger one into place.
    assert f"pack-{'0' * 64}.pack" in left
    assert f"pack-{'1' * 64}.pack" not in left
    assert "tmp_carethread_pack" not in left
    check_with_git(path, journal)


def test_merging_refuses_a_damaged_pack(tmp_path: Path) -> None:
    journal = conversation(12)
    path = tmp_path / "record"
    flush(path, journal.steps[:8])
    with open_objects(path) as reader:
        (pack,) = reader.packs
        # A file nobody reads while flushing.
        offset = pack.index.offset_of(journal.blobs[".gitattributes"])
        assert offset is not None
        file = path / f".git/objects/pack/{pack.name}.pack"
    content = file.read_bytes()
    file.write_bytes(content[: offset + 8] + b"x" + content[offset + 9 :])
    with pytest.raises(RepositoryError, match="checksum"):
        prepare(path, journal.steps[8:])
    assert read_head(path) == journal.steps[7].commit_id
