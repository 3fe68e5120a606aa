"""Putting acknowledged commits into a record's repository, safely at any instant.

Three calls make a round, and the caller syncs the file system after each of the first two:

1. `prepare` writes pack, files and index, all but the files under names that Git passes over.
2. `publish` gives them their names, the branch last.
3. `retire` deletes packs whose content the new one took in.

Whatever was cut short is repaired by calling `prepare` again with the same steps, or with more.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, structs

from carethread.errors import CarethreadError, CleanUpError, RepositoryError
from carethread.git.disk import directory, faults_of, names_in, read_file, remove_file, write_file
from carethread.git.layout import (
    LARGEST_TEXT,
    git_directory,
    make_repository,
    read_branch,
    read_head,
    sync_filesystem,
)
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import commit_links, object_id
from carethread.git.packing import Content, build_pack
from carethread.git.plan import Existing, FileChange, FileGrowth, Step, check_steps, make_plan
from carethread.git.recovery import STAGED, remove_fragments, remove_pack, superseded, unclaimed
from carethread.git.worktree import index_with, read_beginning, repair_index, restore_worktree, update_files

__all__ = [
    "FileChange", "Prepared", "Step", "prepare", "publish", "read_head", "restore_worktree", "retire",
    "sync_filesystem",
]  # fmt: skip

_STAGED_BRANCH = f"{STAGED}main"
_STAGED_INDEX = f"{STAGED}index"
_OURS = {".git", ".gitattributes", "COORDINATION_STATUS.yaml", "communications"}


class Prepared(Struct, frozen=True):
    """What `prepare` left ready: publish it, then retire what it made superfluous."""

    path: Path
    commit_id: bytes
    """The commit the branch names after publishing."""
    pack: str | None
    """The name of the pack written, without extension; None if there was nothing to do."""
    retired: tuple[str, ...]
    """The names of the packs that are then superfluous."""


def _remaining(path: Path, head: bytes | None, steps: Sequence[Step], parents: tuple[bytes, ...]) -> int:
    """Return how many of the steps the repository has already."""
    for number, step in enumerate(steps):
        if step.commit_id == head:
            return number + 1
    if parents != (() if head is None else (head,)):
        found = "no commit" if head is None else f"commit {head.hex()}"
        raise RepositoryError(f"{path}: has {found}, which is not where the journal goes on")
    return 0


def prepare(path: Path, steps: Sequence[Step]) -> Prepared:
    """Write what the steps add to the record at `path`, which is made if the first step has no parent.

    Steps that the repository has already are passed over. On an error nothing refers to anything new; a record that
    was to be made leaves nothing behind.

    Raises:
        RepositoryError: steps that contradict themselves or the repository, or a damaged repository.
        StorageError: the machine refused; try again later.
        CleanUpError: what a failed attempt to make a record left behind could not be removed.
    """
    links = check_steps(steps)
    head = read_head(path)
    done = _remaining(path, head, steps, links[0][1])
    trees = [tree for tree, _ in links[done:]]
    if head is None:
        return _make(path, steps, trees)
    with faults_of(str(path)), directory(path) as root:
        if done == 0:
            return _write(path, root, head, steps, trees)
        # An interrupted round is being repeated.
        spare = set(_superseded(path, root))
        if done == len(steps):
            repair_index(path, root, head)
            return Prepared(path, head, None, tuple(sorted(spare)))
        prepared = _write(path, root, head, steps[done:], trees)
        return structs.replace(prepared, retired=tuple(sorted(spare.union(prepared.retired) - {prepared.pack})))


def _superseded(path: Path, root: int) -> list[str]:
    """Return the packs that an interrupted round may have left to be retired."""
    with (
        directory(".git", root) as git,
        directory("objects", git) as objects,
        directory("pack", objects) as packs,
        ObjectReader(objects, f"{path}/.git/objects") as reader,
    ):
        return [pack.name for pack in superseded(unclaimed(reader.packs, names_in(packs)))]


def _make(path: Path, steps: Sequence[Step], trees: Sequence[bytes]) -> Prepared:
    with faults_of(str(path)):
        _clear(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with directory(path, create=True) as root:
                make_repository(root)
                return _write(path, root, None, steps, trees)
        except BaseException as error:
            try:
                _clear(path)
            except (OSError, CarethreadError) as left:
                raise CleanUpError(f"{path}: could not be removed ({left}) after: {error}") from error
            raise


def _clear(path: Path) -> None:
    """Remove what an interrupted attempt to make this record left behind."""
    try:
        with directory(path) as root:
            unexpected = set(names_in(root)) - _OURS
            if not unexpected and ".git" in names_in(root):
                with directory(".git", root) as git:
                    unexpected = _refs_in(git)
    except FileNotFoundError:
        return
    if unexpected:
        raise RepositoryError(f"{path}: holds what no new record holds: {min(unexpected)}")
    shutil.rmtree(path)


def _refs_in(git: int) -> set[str]:
    """Return what refers to objects in a repository without a branch `main`: then it is no leftover of ours."""
    names = set(names_in(git)) & {"packed-refs", "logs"}
    if "refs" in names_in(git):
        for _, folders, files, _ in os.fwalk("refs", dir_fd=git):
            names.update(files, set(folders) - {"heads", "tags"})
    return names


def _write(path: Path, root: int, head: bytes | None, steps: Sequence[Step], trees: Sequence[bytes]) -> Prepared:
    with (
        directory(".git", root) as git,
        directory("objects", git) as objects,
        directory("pack", objects, create=True) as packs,
        ObjectReader(objects, f"{path}/.git/objects") as reader,
    ):
        parent = None if head is None else (head, reader.read_kind(head, b"commit"))
        existing = Existing(lambda tree: reader.read_kind(tree, b"tree"), reader.size_of)
        plan = make_plan(steps, trees, parent, existing)
        contents = [_content(growth, root, reader) for growth in plan.growths]
        writer, absorbed = build_pack(plan, contents, unclaimed(reader.packs, remove_fragments(packs)), reader)
        name, parts, index = writer.finish()
        commit_id = steps[-1].commit_id
        try:
            write_file(_staged(f"{name}.pack"), packs, parts)
            write_file(_staged(f"{name}.idx"), packs, [index])
            write_file(_STAGED_BRANCH, git, [_branch_content(commit_id)])
            before = None if parent is None else (reader, commit_links(parent[1])[0])
            entries = update_files(plan.growths, contents, root)
            write_file(_STAGED_INDEX, git, [index_with(entries, git, before)])
        except BaseException:
            # Make room again. What files got ahead, the next attempt puts right.
            with suppress(OSError):
                remove_fragments(packs)
                for name in (_STAGED_BRANCH, _STAGED_INDEX):
                    remove_file(name, git)
            raise
        return Prepared(path, commit_id, name, tuple(pack.name for pack in absorbed if pack.name != name))


def _branch_content(commit_id: bytes) -> bytes:
    return commit_id.hex().encode() + b"\n"


def _content(growth: FileGrowth, root: int, reader: ObjectReader) -> Content:
    """Return the newest content of a growth, compared with its id; from the worktree where that is right."""
    added = b"".join(growth.chunks)
    newest = growth.versions[-1][0]
    old = b"" if growth.old is None else read_beginning(growth.path, root, growth.old_size)
    repair = False
    if growth.old is not None and (old is None or object_id(b"blob", old, added) != newest):
        old, repair = reader.read_kind(growth.old, b"blob"), True
    if (growth.old is None or repair) and object_id(b"blob", old or b"", added) != newest:
        raise RepositoryError(f"{growth.path}: content has another id than {newest.hex()}")
    return Content(old or b"", added, repair)


def publish(prepared: Prepared) -> None:
    """Make the prepared pack and index Git's own, then move the branch. Doing it twice does no harm.

    Only names change, and nothing that is needed before the file system was synced; file systems that keep a journal
    or write copies make the changes durable in this order.

    Raises:
        StorageError: the machine refused; the branch is where it was.
        RepositoryError: the repository is gone, was not prepared, or was prepared anew since.
    """
    if prepared.pack is None:
        return
    with (
        git_directory(prepared.path) as git,
        directory("objects", git) as objects,
        directory("pack", objects) as packs,
        directory("refs", git) as refs,
        directory("heads", refs, create=True) as heads,
    ):
        try:
            staged = read_file(_STAGED_BRANCH, git, LARGEST_TEXT)
        except FileNotFoundError:
            if read_branch(git, str(prepared.path)) == prepared.commit_id:
                return
            raise
        if staged != _branch_content(prepared.commit_id):
            raise RepositoryError(f"{prepared.path}: was prepared anew since")
        for name in (f"{prepared.pack}.pack", f"{prepared.pack}.idx"):
            _move(_staged(name), packs, name, packs)
        _move(_STAGED_INDEX, git, "index", git)
        os.rename(_STAGED_BRANCH, "main", src_dir_fd=git, dst_dir_fd=heads)


def _staged(name: str) -> str:
    """Return what a file among the packs is called until it is published: stock Git opens all that end in `.idx`."""
    return f"{STAGED}{name}.part"


def _move(staged: str, source: int, name: str, target: int) -> None:
    try:
        os.rename(staged, name, src_dir_fd=source, dst_dir_fd=target)
    except FileNotFoundError:
        # An interrupted attempt got this far; otherwise it must not be missing.
        os.stat(name, dir_fd=target, follow_symlinks=False)


def retire(prepared: Prepared) -> None:
    """Delete the packs that the published one replaces. Doing it twice does no harm.

    Raises:
        StorageError: the machine refused; the packs stay and are taken in another time.
    """
    if not prepared.retired:
        return
    with (
        git_directory(prepared.path) as git,
        directory("objects", git) as objects,
        directory("pack", objects) as packs,
    ):
        for name in prepared.retired:
            remove_pack(name, packs)
