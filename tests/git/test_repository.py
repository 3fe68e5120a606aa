"""Putting commits into repositories, with stock Git as the judge of every result.

Long because one repository is followed through everything that happens to it, with the same few fixtures.
"""

import os
import shutil
import time
from pathlib import Path

import pytest
from msgspec import structs

from carethread.errors import CleanUpError, RepositoryError, StorageError
from carethread.git import packing, repository
from carethread.git.history import open_repository
from carethread.git.layout import open_objects
from carethread.git.objects import Commit, commit_links, decode_commit, encode_commit, object_id
from carethread.git.pack_writer import SHORT_CHAIN
from carethread.git.repository import (
    FileChange,
    Step,
    prepare,
    publish,
    read_head,
    restore_worktree,
    retire,
    sync_filesystem,
)
from tests.git.histories import Journal, check_with_git, conversation, flush, git, pack_names


def test_a_record_is_made_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "ab" / "cd" / "record"
    journal = Journal()
    journal.initialise()
    assert read_head(path) is None
    flush(path, journal.steps)
    assert read_head(path) == journal.head
    check_with_git(path, journal)
    folders = [journal.thread() for _ in range(3)]
    flush(path, journal.steps[1:])
    check_with_git(path, journal)
    for number in range(40):
        journal.message(folders[number % 3])
        if number % 7 == 0:
            journal.step((f"{folders[0]}attachments/{number:064x}.pdf", False, os.urandom(3000)))
        if number % 5 == 0:
            # As after a restart: some of these steps are there already.
            flush(path, journal.steps[max(0, len(journal.steps) - 12) :])
    flush(path, journal.steps[-12:])
    check_with_git(path, journal)
    for name, content in journal.files.items():
        assert git(path, "show", f"HEAD:{name}") == content


def test_nothing_refers_to_new_commits_until_they_are_published(tmp_path: Path) -> None:
    journal = conversation(5)
    path = tmp_path / "record"
    first = prepare(path, journal.steps[:3])
    assert read_head(path) is None
    publish(first)
    assert read_head(path) == first.commit_id == journal.steps[2].commit_id
    second = prepare(path, journal.steps[3:])
    assert read_head(path) == first.commit_id
    for _ in range(2):
        publish(second)
    sync_filesystem(path)
    before = pack_names(path)
    for _ in range(2):
        retire(second)
    assert len(pack_names(path)) == len(before) - 2 == 2
    check_with_git(path, journal)


def test_steps_that_are_there_are_passed_over(tmp_path: Path) -> None:
    journal = conversation(10)
    path = tmp_path / "record"
    flush(path, journal.steps[:6])
    again = prepare(path, journal.steps[:6])
    assert (again.pack, again.retired, again.commit_id) == (None, (), journal.steps[5].commit_id)
    publish(again)
    retire(again)
    # Some there, some not; and some that were never the newest.
    assert prepare(path, journal.steps[2:6]).pack is None
    flush(path, journal.steps[3:])
    check_with_git(path, journal)


def test_a_long_thread_takes_little_room(tmp_path: Path) -> None:
    journal = conversation(600)
    path = tmp_path / "record"
    for at in range(0, len(journal.steps), 50):
        flush(path, journal.steps[at : at + 50])
    check_with_git(path, journal)
    size = sum(each.stat().st_size for each in (path / ".git/objects/pack").iterdir())
    assert size < 1200 * 600
    assert sum(name.endswith(".pack") for name in pack_names(path)) <= 4


def test_packs_stay_few_and_whole_however_they_are_merged(tmp_path: Path) -> None:
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    folders = [journal.thread() for _ in range(4)]
    flush(path, journal.steps)
    for number in range(120):
        journal.message(folders[number % 4], 2000)
        if number % 30 == 0:
            journal.step((f"{folders[0]}attachments/{number:064x}.jpg", False, os.urandom(60_000)))
            flush(path, journal.steps[-2:])
        else:
            flush(path, journal.steps[-1:])
    check_with_git(path, journal)
    assert sum(name.endswith(".pack") for name in pack_names(path)) <= 6
    # Merged, older versions are beginnings of the newest again, whichever pack they came from.
    with open_objects(path) as reader:
        fulls = 0
        for pack in reader.packs:
            ids, _, starts = pack.entries()
            for identifier, start in zip(ids, starts, strict=False):
                header, _ = pack.header_at(start)
                fulls += header.type == 3 and bytes(reader.read(identifier).content[:10]) == b"# Messages"
    assert fulls <= 4 * len(reader.packs)


def test_chains_of_deltas_end(tmp_path: Path) -> None:
    journal = conversation(3 * SHORT_CHAIN)
    path = tmp_path / "record"
    flush(path, journal.steps)
    (name,) = [name for name in pack_names(path) if name.endswith(".idx")]
    lines = git(path, "verify-pack", "-v", f".git/objects/pack/{name}").decode().splitlines()
    lengths = [int(line.split()[3].rstrip(":")) for line in lines if line.startswith("chain length")]
    assert max(lengths) == SHORT_CHAIN - 1


def test_a_file_may_be_written_and_grow_in_turn(tmp_path: Path) -> None:
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    status = "COORDINATION_STATUS.yaml"
    flush(path, journal.steps)
    for append, content in ((False, b""), (False, b"a: b\n"), (True, b"c: d\n"), (False, b"e: f\n"), (True, b"g: h\n")):
        journal.step((status, append, content))
    flush(path, journal.steps[1:4])
    flush(path, journal.steps[4:])
    check_with_git(path, journal)
    journal = Journal()
    journal.initialise()
    for append, content in ((False, b""), (False, b"a: b\n"), (True, b"c: d\n"), (False, b"e: f\n"), (True, b"g: h\n")):
        journal.step((status, append, content))
    flush(tmp_path / "at once", journal.steps)
    check_with_git(tmp_path / "at once", journal)


@pytest.mark.parametrize("command", [("gc", "--quiet"), ("repack", "-adf", "--quiet"), ("pack-refs", "--all")])
def test_flushing_goes_on_after_stock_git_tidied_up(tmp_path: Path, command: tuple[str, ...]) -> None:
    journal = conversation(60)
    path = tmp_path / "record"
    flush(path, journal.steps[:30])
    git(path, *command)
    assert read_head(path) == journal.steps[29].commit_id
    for at in range(30, 62, 8):
        flush(path, journal.steps[at : at + 8])
        git(path, *command)
    check_with_git(path, journal)


def test_flushing_goes_on_from_a_clone(tmp_path: Path) -> None:
    journal = conversation(20)
    flush(tmp_path / "record", journal.steps[:10])
    git(tmp_path, "clone", "--quiet", str(tmp_path / "record"), "clone")
    flush(tmp_path / "clone", journal.steps[10:])
    check_with_git(tmp_path / "clone", journal)


def test_packs_somebody_marked_are_left_alone(tmp_path: Path) -> None:
    journal = conversation(12)
    path = tmp_path / "record"
    flush(path, journal.steps[:6])
    (name,) = [name[:-5] for name in pack_names(path) if name.endswith(".pack")]
    (path / f".git/objects/pack/{name}.keep").touch()
    flush(path, journal.steps[6:])
    assert f"{name}.pack" in pack_names(path)
    check_with_git(path, journal)


def test_an_index_over_several_packs_goes_with_the_packs_it_names(tmp_path: Path) -> None:
    journal = conversation(12)
    path = tmp_path / "record"
    flush(path, journal.steps[:6])
    git(path, "multi-pack-index", "write")
    assert "multi-pack-index" in pack_names(path)
    flush(path, journal.steps[6:])
    assert "multi-pack-index" not in pack_names(path)
    check_with_git(path, journal)


def test_a_file_written_back_to_what_it_was_is_the_same_object(tmp_path: Path) -> None:
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    active = journal.files["COORDINATION_STATUS.yaml"]
    flush(path, journal.steps)
    for state in (b"suspended\n", active, b"suspended\n", active):
        journal.step(("COORDINATION_STATUS.yaml", False, state))
        flush(path, journal.steps[-1:])
    journal.step(("COORDINATION_STATUS.yaml", False, b"closed\n"))
    journal.step(("COORDINATION_STATUS.yaml", False, active))
    flush(path, journal.steps[-2:])
    check_with_git(path, journal)


def test_threads_with_the_same_content_share_it(tmp_path: Path) -> None:
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    folders = [journal.thread() for _ in range(3)]
    flush(path, journal.steps)
    entry = b"\n## Message\n\nthe same\n"
    for folder in folders:
        journal.step((f"{folder}thread.md", True, entry))
    journal.thread()
    flush(path, journal.steps[4:])
    # Appending nothing changes a commit only.
    journal.step((f"{folders[0]}thread.md", True, b""), (f"{folders[1]}thread.md", True, entry))
    flush(path, journal.steps[-1:])
    journal.step((f"{folders[0]}thread.md", True, entry))
    flush(path, journal.steps[-1:])
    check_with_git(path, journal)


def test_a_thread_may_be_written_anew(tmp_path: Path) -> None:
    journal = conversation(4)
    path = tmp_path / "record"
    flush(path, journal.steps)
    (name,) = [name for name in journal.files if name.endswith("thread.md")]
    journal.step((name, False, b"# Messages\n"))
    journal.step((name, True, b"\nmore\n"))
    journal.step((name, False, b"# Messages\n\nother\n"))
    flush(path, journal.steps[-3:])
    check_with_git(path, journal)


def test_a_large_file_written_anew_is_stored_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST_DIFFERENCE", 100)
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    for size in (50, 90, 200, 300, 80):
        journal.step(("COORDINATION_STATUS.yaml", False, b"x" * size))
    flush(path, journal.steps)
    check_with_git(path, journal)


# ── What contradicts itself is refused, and nothing is changed ────────────────────────────────────────────────────────


def _snapshot(path: Path) -> dict[str, bytes]:
    return {str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()}


def _changed(step: Step, **values: object) -> Step:
    """Return the step with its first change changed."""
    first, *others = step.changes
    return structs.replace(step, changes=(structs.replace(first, **values), *others))


def _commit_with(step: Step, **values: object) -> Step:
    raw = encode_commit(structs.replace(decode_commit(step.commit), **values))
    return Step(object_id(b"commit", raw), raw, step.changes)


def test_steps_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    before = _snapshot(path)
    good = journal.steps[4]
    commit = decode_commit(good.commit)
    (name,) = [name for name in journal.files if name.endswith("thread.md")]
    cases = {
        "another id": structs.replace(good, commit_id=bytes(32)),
        "parent is not": _commit_with(good, parents=(bytes(32), bytes(32))),
        "do not make the tree": _commit_with(good, tree=bytes(32)),
        "has no place": _changed(good, path="../thread.md"),
        "changed twice": structs.replace(good, changes=good.changes * 2),
        "content has another id": _changed(good, data=b"other"),
        "where the journal goes on": _commit_with(good, parents=()),
    }
    for fault, step in cases.items():
        with pytest.raises(RepositoryError, match=fault):
            prepare(path, [step])
    with pytest.raises(RepositoryError, match="parent is not"):
        prepare(path, [good, good])
    with pytest.raises(RepositoryError, match="where the journal goes on"):
        prepare(path, journal.steps[5:])
    with pytest.raises(RepositoryError, match="do not make the tree"):
        prepare(
            path, [structs.replace(good, changes=(structs.replace(good.changes[0], path=name[:-9] + "ledger.yaml"),))]
        )
    assert len(commit.parents) == 1
    assert _snapshot(path) == before


@pytest.mark.parametrize(
    "path",
    [
        "",
        "thread.md",
        "/etc/passwd",
        ".git/config",
        "communications/../.git/config",
        "communications/20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000/thread.md\n",
        "communications/20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000/other.md",
        "communications/20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000/attachments/x.pdf",
        "communications/x/thread.md",
    ],
)
def test_paths_that_have_no_place_in_a_record_are_refused(tmp_path: Path, path: str) -> None:
    journal = Journal()
    journal.initialise()
    with pytest.raises(RepositoryError, match="has no place"):
        prepare(tmp_path / "record", [_changed(journal.steps[0], path=path)])
    assert not (tmp_path / "record").exists()


def test_a_file_where_a_directory_should_be_is_refused(tmp_path: Path) -> None:
    journal = Journal()
    journal.initialise()
    path = tmp_path / "record"
    flush(path, journal.steps)
    for name, kind, fault in (
        ("communications", "100644", "is not a directory"),
        ("COORDINATION_STATUS.yaml", "120000", "is not a plain file"),
    ):
        blob = git(path, "rev-parse", "HEAD:.gitattributes").decode().strip()
        git(path, "update-index", "--add", "--cacheinfo", f"{kind},{blob},{name}")
        git(path, "commit", "--quiet", "--message", "tampered")
        head = read_head(path)
        assert head is not None
        change = FileChange("COORDINATION_STATUS.yaml", True, b"x", bytes(32))
        if name == "communications":
            other = conversation(0)
            change = other.steps[1].changes[0]
        raw = encode_commit(structs.replace(decode_commit(journal.steps[0].commit), parents=(head,)))
        with pytest.raises(RepositoryError, match=fault):
            prepare(path, [Step(object_id(b"commit", raw), raw, (change,))])


def test_another_branch_or_a_broken_one_is_refused(tmp_path: Path) -> None:
    journal = conversation(3)
    path = tmp_path / "record"
    flush(path, journal.steps[:2])
    main, head = path / ".git/refs/heads/main", path / ".git/HEAD"
    for file, content in ((main, b""), (main, b"ref: refs/heads/other\n"), (head, b"ref: refs/heads/other\n")):
        sound = file.read_bytes()
        file.write_bytes(content)
        with pytest.raises(RepositoryError):
            prepare(path, journal.steps)
        file.write_bytes(sound)
    packed = path / ".git/packed-refs"
    main.unlink()
    packed.write_bytes(b"# pack-refs with: peeled\nnonsense\n")
    with pytest.raises(RepositoryError, match="line 2"):
        prepare(path, journal.steps)
    packed.unlink()
    # A repository without the branch, but not one that was being made.
    (path / ".git/refs/heads/other").write_bytes(journal.head.hex().encode() + b"\n")
    with pytest.raises(RepositoryError, match="no new record holds: other"):
        prepare(path, journal.steps)
    (path / ".git/refs/heads/other").unlink()
    flush(path, journal.steps)
    check_with_git(path, journal)


def test_a_damaged_repository_is_refused_and_left_alone(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    (name,) = [name for name in pack_names(path) if name.endswith(".pack")]
    pack = path / ".git/objects/pack" / name
    sound = pack.read_bytes()
    for damaged in (sound[:200], sound[:60] + b"\xff" + sound[61:], sound[:-100] + b"\0" + sound[-99:]):
        pack.write_bytes(damaged)
        before = _snapshot(path)
        with pytest.raises(RepositoryError):
            prepare(path, journal.steps[4:])
        assert _snapshot(path) == before
    pack.write_bytes(sound)
    flush(path, journal.steps[4:])
    check_with_git(path, journal)


def test_links_in_the_worktree_are_not_followed(tmp_path: Path) -> None:
    journal = conversation(3)
    path, elsewhere = tmp_path / "record", tmp_path / "elsewhere"
    flush(path, journal.steps[:4])
    (path / "communications").rename(elsewhere)
    (path / "communications").symlink_to(elsewhere)
    before = _snapshot(elsewhere)
    with pytest.raises(RepositoryError, match="Not a directory"):
        prepare(path, journal.steps[4:])
    assert _snapshot(elsewhere) == before
    (path / "communications").unlink()
    elsewhere.rename(path / "communications")
    (thread,) = path.rglob("thread.md")
    (tmp_path / "target").write_bytes(b"precious")
    thread.unlink()
    thread.symlink_to(tmp_path / "target")
    with pytest.raises(RepositoryError, match="symbolic links"):
        prepare(path, journal.steps[4:])
    assert (tmp_path / "target").read_bytes() == b"precious"
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(RepositoryError):
        prepare(tmp_path / "link", journal.steps[4:])


# ── Making a record ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_directory_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    journal = conversation(1)
    path = tmp_path / "record"
    path.mkdir()
    (path / "notes.txt").write_text("precious")
    with pytest.raises(RepositoryError, match=r"notes\.txt"):
        prepare(path, journal.steps)
    assert (path / "notes.txt").read_text() == "precious"


def test_what_an_interrupted_attempt_left_is_replaced(tmp_path: Path) -> None:
    journal = conversation(3)
    path = tmp_path / "record"
    prepare(path, journal.steps[:2])
    (path / ".git/HEAD").unlink()
    shutil.rmtree(path / ".git/refs")
    flush(path, journal.steps)
    check_with_git(path, journal)
    other = tmp_path / "other"
    other.mkdir()
    (other / "communications").mkdir()
    flush(other, journal.steps)
    check_with_git(other, journal)


def test_a_failed_attempt_to_make_a_record_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = conversation(1)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(repository, "update_files", fail)
    with pytest.raises(StorageError, match="No space"):
        prepare(tmp_path / "record", journal.steps)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "rmtree", fail)
    with pytest.raises(CleanUpError, match=r"record: could not be removed .* after: .*No space"):
        prepare(tmp_path / "record", journal.steps)


def test_a_failed_flush_takes_its_pack_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = conversation(8)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    before = _snapshot(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(repository, "update_files", fail)
        with pytest.raises(StorageError, match="No space"):
            prepare(path, journal.steps[4:])
        assert _snapshot(path) == before
    flush(path, journal.steps[4:])
    check_with_git(path, journal)


def test_publishing_what_was_not_prepared_is_refused(tmp_path: Path) -> None:
    journal = conversation(4)
    path = tmp_path / "record"
    flush(path, journal.steps[:3])
    first = prepare(path, journal.steps[3:4])
    second = prepare(path, journal.steps[3:])
    with pytest.raises(RepositoryError, match="prepared anew since"):
        publish(first)
    pack = path / f".git/objects/pack/tmp_carethread_{second.pack}.pack.part"
    content = pack.read_bytes()
    pack.unlink()
    with pytest.raises(RepositoryError, match="No such file"):
        publish(second)
    pack.write_bytes(content)
    publish(second)
    check_with_git(path, journal)
    journal.step(("COORDINATION_STATUS.yaml", False, b"closed\n"))
    third = prepare(path, journal.steps[-1:])
    (path / ".git/tmp_carethread_main").unlink()
    with pytest.raises(RepositoryError, match="No such file"):
        publish(third)
    shutil.rmtree(path)
    with pytest.raises(RepositoryError):
        publish(third)
    with pytest.raises(RepositoryError):
        retire(structs.replace(third, retired=("pack-x",)))


# ── Git's index and the worktree ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["missing", "empty", "version 4", "with a tree cache", "zeroed"])
def test_an_index_of_any_form_is_brought_up_to_date(tmp_path: Path, command: str) -> None:
    journal = conversation(4)
    path = tmp_path / "record"
    flush(path, journal.steps[:4])
    index = path / ".git/index"
    if command == "missing":
        index.unlink()
    elif command == "empty":
        index.write_bytes(b"")
    elif command == "version 4":
        git(path, "update-index", "--index-version=4")
    elif command == "with a tree cache":
        git(path, "read-tree", "HEAD")
    else:
        index.write_bytes(bytes(index.stat().st_size))
    flush(path, journal.steps[4:])
    check_with_git(path, journal)


def test_the_index_says_what_is_on_disk(tmp_path: Path) -> None:
    journal = conversation(4)
    path = tmp_path / "record"
    flush(path, journal.steps)
    # Without touching content: everything must be known to be up to date from its state alone.
    lines = git(path, "ls-files", "--debug").decode()
    for name in journal.files:
        status = (path / name).stat()
        for number in (status.st_ino & 0xFFFFFFFF, status.st_size):
            assert f" {number}\t" in lines.replace("\n", "\t") or f": {number}" in lines
    time.sleep(0)
    assert git(path, "diff-files", "--name-only") == b""


@pytest.mark.parametrize("content", [None, b"", b"# Messages\nshorter", b"# Messages\n" + bytes(100_000)])
def test_a_thread_that_is_not_what_it_should_be_is_put_right(tmp_path: Path, content: bytes | None) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:5])
    (thread,) = path.rglob("thread.md")
    if content is None:
        thread.unlink()
    else:
        thread.write_bytes(content)
    flush(path, journal.steps[5:])
    check_with_git(path, journal)


def test_a_thread_is_written_on_not_written_anew(tmp_path: Path) -> None:
    journal = conversation(6)
    path = tmp_path / "record"
    flush(path, journal.steps[:5])
    (thread,) = path.rglob("thread.md")
    node, size = thread.stat().st_ino, thread.stat().st_size
    with thread.open("ab") as file:
        file.write(b"left by an attempt that was cut short" * 1000)
    flush(path, journal.steps[5:])
    assert thread.stat().st_ino == node
    assert thread.stat().st_size > size
    check_with_git(path, journal)


def test_the_newest_version_is_not_deflated_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = conversation(30)
    path = tmp_path / "record"
    flush(path, journal.steps[:10])
    monkeypatch.delattr(packing, "begin_stream")
    flush(path, journal.steps[10:20])
    # Also where the pack that holds it is too large to be taken in.
    monkeypatch.setattr(packing, "choose_packs", lambda *_: [])
    flush(path, journal.steps[20:])
    check_with_git(path, journal)


def test_restoring_writes_what_is_missing_or_changed_and_reports_the_rest(tmp_path: Path) -> None:
    journal = conversation(3)
    path = tmp_path / "record"
    with pytest.raises(RepositoryError, match="not a repository"):
        restore_worktree(path)
    flush(path, journal.steps)
    assert restore_worktree(path) == []
    (thread,) = path.rglob("thread.md")
    ledger = thread.with_name("ledger.yaml")
    thread.write_bytes(thread.read_bytes() + b"forged")
    ledger.unlink()
    shutil.rmtree(thread.parent)
    (path / "COORDINATION_STATUS.yaml").write_bytes(b"")
    (path / ".git/index").unlink()
    (path / "notes.txt").touch()
    (path / "communications/other").mkdir()
    assert restore_worktree(path) == ["communications/other/", "notes.txt"]
    (path / "notes.txt").unlink()
    check_with_git(path, journal)


def test_restoring_does_not_write_through_links(tmp_path: Path) -> None:
    journal = conversation(1)
    path = tmp_path / "record"
    flush(path, journal.steps)
    (thread,) = path.rglob("thread.md")
    (tmp_path / "target").touch()
    thread.unlink()
    thread.symlink_to(tmp_path / "target")
    with pytest.raises(RepositoryError):
        restore_worktree(path)
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.parametrize(("name", "mode"), [("link", "120000"), ("program", "100755"), ("\udcff", "100644")])
def test_restoring_writes_plain_files_only(tmp_path: Path, name: str, mode: str) -> None:
    journal = conversation(1)
    path = tmp_path / "record"
    flush(path, journal.steps)
    blob = git(path, "rev-parse", "HEAD:.gitattributes").strip()
    entry = mode.encode() + b" " + blob + b"\t" + name.encode(errors="surrogateescape") + b"\0"
    git(path, "update-index", "-z", "--index-info", stdin=entry)
    git(path, "commit", "--quiet", "--message", "tampered")
    before = _snapshot(path)
    with pytest.raises(RepositoryError, match=r"not a plain file|not UTF-8"):
        restore_worktree(path)
    assert _snapshot(path) == before


def test_two_records_with_the_same_steps_are_the_same_to_the_byte(tmp_path: Path) -> None:
    journal = conversation(20)
    for name in ("one", "two"):
        flush(tmp_path / name, journal.steps[:7])
        flush(tmp_path / name, journal.steps[7:])
    assert pack_names(tmp_path / "one") == pack_names(tmp_path / "two")
    with open_repository(tmp_path / "one") as repository_:
        assert commit_links(repository_.raw_commit(journal.head))[1] == (journal.steps[-2].commit_id,)
    assert isinstance(decode_commit(journal.steps[0].commit), Commit)
