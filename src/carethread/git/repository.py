"""Putting acknowledged commits into a record's repository, safely at any instant.

Three calls make a round, and the caller syncs the file system after each of the first two:

1. `prepare` writes pack, files and index. Nothing refers to the new commits yet.
2. `publish` moves the branch: one rename.
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
from carethread.git.disk import directory, faults_of, names_in, remove_file, replace_file, write_file
from carethread.git.layout import BRANCH_LOCK, git_directory, make_repository, read_branch, read_head, sync_filesystem
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import commit_links, object_id
from carethread.git.pack_reader import Pack
from carethread.git.packing import Content, build_pack
from carethread.git.plan import Existing, FileChange, FileGrowth, Plan, Step, check_steps, make_plan
from carethread.git.recovery import (
    TEMPORARY,
    are_spare,
    remove_damaged,
    remove_fragments,
    remove_pack,
    superseded,
    unclaimed,
    unpublished,
)
from carethread.git.worktree import read_beginning, restore_worktree, update_worktree

__all__ = [
    "FileChange", "Prepared", "Step", "prepare", "publish", "read_head", "restore_worktree", "retire",
    "sync_filesystem",
]  # fmt: skip

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
        if done == len(steps):
            return Prepared(path, head, None, _superseded(path, root))
        prepared = _write(path, root, head, steps[done:], trees)
        if done:
            spare = set(prepared.retired) | set(_superseded(path, root))
            return structs.replace(prepared, retired=tuple(sorted(spare - {prepared.pack})))
        return prepared


def _superseded(path: Path, root: int) -> tuple[str, ...]:
    """Return what an interrupted round may have left to be retired."""
    with (
        directory(".git", root) as git,
        directory("objects", git) as objects,
        directory("pack", objects) as packs,
        ObjectReader(objects, f"{path}/.git/objects", tolerant=True) as reader,
    ):
        return tuple(pack.name for pack in superseded(unclaimed(reader.packs, names_in(packs))))


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
            names.update(set(files) - {BRANCH_LOCK}, set(folders) - {"heads", "tags"})
    return names


def _write(path: Path, root: int, head: bytes | None, steps: Sequence[Step], trees: Sequence[bytes]) -> Prepared:
    with (
        directory(".git", root) as git,
        directory("objects", git) as objects,
        directory("pack", objects, create=True) as packs,
        directory("refs", git) as refs,
        directory("heads", refs, create=True) as heads,
    ):
        names = remove_fragments(packs)
        with ObjectReader(objects, f"{path}/.git/objects", tolerant=True) as reader:
            remove_damaged(reader, head, packs)
            # What an interrupted attempt left may be damaged inside: read elsewhere if possible.
            suspects = unpublished(reader, steps[0].commit_id)
            reader.packs.sort(key=lambda pack: pack in suspects)
            parent = None if head is None else (head, reader.read_kind(head, b"commit"))
            plan = _plan(reader, steps, trees, parent)
            _remove_spare(reader, suspects, plan, packs)
            contents = [_content(growth, root, reader) for growth in plan.growths]
            writer, absorbed = build_pack(plan, contents, unclaimed(reader.packs, names), reader)
            name, parts, index = writer.finish()
            commit_id = steps[-1].commit_id
            try:
                replace_file(f"{name}.pack", packs, parts, f"{TEMPORARY}pack")
                replace_file(f"{name}.idx", packs, [index], f"{TEMPORARY}idx")
                # Publishing is then one rename, of a file that is on the disk.
                remove_file(BRANCH_LOCK, heads)
                write_file(BRANCH_LOCK, heads, [commit_id.hex().encode() + b"\n"])
                before = None if parent is None else (reader, commit_links(parent[1])[0])
                update_worktree(plan.growths, contents, root, git, before)
            except BaseException:
                with suppress(OSError):
                    _take_back(name, [pack.name for pack in reader.packs], packs, heads)
                raise
            return Prepared(path, commit_id, name, tuple(pack.name for pack in absorbed if pack.name != name))


def _take_back(name: str, kept: Sequence[str], packs: int, heads: int) -> None:
    """Make room again after a failure. What the worktree got ahead, the next attempt puts right."""
    remove_file(f"{TEMPORARY}pack", packs)
    remove_file(f"{TEMPORARY}idx", packs)
    if name not in kept:
        remove_pack(name, packs)
    remove_file(BRANCH_LOCK, heads)


def _plan(
    reader: ObjectReader, steps: Sequence[Step], trees: Sequence[bytes], parent: tuple[bytes, bytes] | None
) -> Plan:
    existing = Existing(lambda tree: reader.read_kind(tree, b"tree"), reader.size_of)
    return make_plan(steps, trees, parent, existing)


def _remove_spare(reader: ObjectReader, suspects: Sequence[Pack], plan: Plan, packs: int) -> None:
    """Delete packs of an interrupted attempt, unless they hold anything that is not about to be written."""
    planned = {version.id for version in (*plan.commits, *plan.trees)}
    planned.update(identifier for growth in plan.growths for identifier, _ in growth.versions)
    if are_spare(suspects, reader, planned):
        reader.packs = [pack for pack in reader.packs if pack not in suspects]
        for pack in suspects:
            remove_pack(pack.name, packs)


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
    """Move the branch to the prepared commit. Doing it twice does no harm.

    Raises:
        StorageError: the machine refused; the branch is where it was.
        RepositoryError: the repository is gone, or was not prepared.
    """
    if prepared.pack is None:
        return
    with (
        git_directory(prepared.path) as git,
        directory("refs", git) as refs,
        directory("heads", refs) as heads,
    ):
        try:
            os.rename(BRANCH_LOCK, "main", src_dir_fd=heads, dst_dir_fd=heads)
        except FileNotFoundError:
            if read_branch(git, str(prepared.path)) != prepared.commit_id:
                raise


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
