"""Reading a record's repository back: its commits oldest first, and what each of them changed.

For rebuilding, which trusts the repository, and for verification, which trusts nothing: merges, links, submodules
and odd modes are reported as they are, and nothing is passed over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.layout import open_objects, read_head
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import (
    Commit,
    Octets,
    Tree,
    TreeEntry,
    commit_links,
    decode_commit,
    parse_tree,
)

# Commits that are kept in memory while their history is walked; more are read again.
_KEPT = 64 << 20
_KEPT_TREES = 256


class PathChange(Struct, frozen=True):
    """A path that a commit changed: its entry before and after, None where there is none.

    Directories are not reported, only what lies in them; a directory that became a file, or the reverse, is reported
    as files that went and came.
    """

    path: str
    old: TreeEntry | None
    new: TreeEntry | None


class Revision(Struct, frozen=True):
    """A commit with what it changed against its first parent; `parents` has more than one for a merge."""

    commit_id: bytes
    raw: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    changes: tuple[PathChange, ...]

    @property
    def commit(self) -> Commit:
        """The decoded commit.

        Raises:
            RepositoryError: it is not in the form this project writes.
        """
        return decode_commit(self.raw)


class Repository:
    """A record's repository, open for reading."""

    def __init__(self, path: Path, head: bytes, objects: ObjectReader) -> None:
        """Take what `open_repository` found."""
        self.path = path
        self.head = head
        self.objects = objects

    def blob(self, identifier: bytes) -> bytes:
        """Return a file's content.

        Raises:
            RepositoryError: it is missing, damaged, or no blob.
        """
        return self.objects.read_kind(identifier, b"blob")

    def view(self, identifier: bytes) -> Octets:
        """Return a file's content without copying: a version of a growing file may be a view of a newer one.

        Raises:
            RepositoryError: it is missing, damaged, or no blob.
        """
        found = self.objects.read(identifier)
        if found.kind != b"blob":
            raise RepositoryError(f"{self.path}: object {identifier.hex()} is a {found.kind.decode()}, not a blob")
        return found.content

    def raw_tree(self, identifier: bytes) -> bytes:
        """Return a directory as Git stores it.

        Raises:
            RepositoryError: it is missing, damaged, or no tree.
        """
        return self.objects.read_kind(identifier, b"tree")

    def raw_commit(self, identifier: bytes) -> bytes:
        """Return a commit as Git stores it.

        Raises:
            RepositoryError: it is missing, damaged, or no commit.
        """
        return self.objects.read_kind(identifier, b"commit")

    def tree_of(self, commit_id: bytes) -> bytes:
        """Return the id of a commit's root directory.

        Raises:
            RepositoryError: the commit is missing or damaged.
        """
        return commit_links(self.raw_commit(commit_id))[0]


@contextmanager
def open_repository(path: Path, *, check_ids: bool = True) -> Iterator[Repository]:
    """Keep a record's repository open for the length of a block.

    `check_ids=False` does not hash what is read; for callers who compare ids for themselves.

    Raises:
        RepositoryError: there is no repository or no commit, or it is damaged.
    """
    head = read_head(path)
    if head is None:
        raise RepositoryError(f"{path}: is not a repository with a commit")
    with open_objects(path, check_ids=check_ids) as objects:
        yield Repository(path, head, objects)


def _first_parents(repository: Repository, tip: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """Return the ids and raw commits of the first-parent history, oldest first."""
    ids = []
    raws: dict[bytes, bytes] = {}
    room = _KEPT
    step = repository.head if tip is None else tip
    while True:
        raw = repository.raw_commit(step)
        ids.append(step)
        room -= len(raw)
        if room > 0:
            raws[step] = raw
        _, parents = commit_links(raw)
        if not parents:
            break
        step = parents[0]
    for identifier in reversed(ids):
        yield identifier, raws.pop(identifier, b"") or repository.raw_commit(identifier)


def commits(repository: Repository, tip: bytes | None = None) -> Iterator[tuple[bytes, Commit]]:
    """Return the ids and commits of the history, oldest first, first parents only.

    Raises:
        RepositoryError: a commit is missing, damaged, or not in the form this project writes.
    """
    for identifier, raw in _first_parents(repository, tip):
        yield identifier, decode_commit(raw)


def revisions(repository: Repository, tip: bytes | None = None) -> Iterator[Revision]:
    """Return every commit of the history with what it changed, oldest first, first parents only.

    Raises:
        RepositoryError: an object is missing or damaged.
    """
    trees = _Trees(repository)
    before: bytes | None = None
    for identifier, raw in _first_parents(repository, tip):
        tree, parents = commit_links(raw)
        changes: list[PathChange] = []
        _compare(trees, "", before, tree, changes)
        yield Revision(identifier, raw, tree, parents, tuple(changes))
        before = tree


class _Trees:
    """Directories as they come by: what one commit leaves, the next one changes."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._trees: dict[bytes, Tree] = {}

    def __getitem__(self, identifier: bytes | None) -> Tree:
        if identifier is None:
            return {}
        tree = self._trees.get(identifier)
        if tree is None:
            if len(self._trees) >= _KEPT_TREES:
                self._trees.clear()
            tree = self._trees[identifier] = parse_tree(self._repository.raw_tree(identifier))
        return tree


def _compare(trees: _Trees, folder: str, old: bytes | None, new: bytes | None, changes: list[PathChange]) -> None:
    """Add what differs between two directories; equal ones below are not opened."""
    before, after = trees[old], trees[new]
    names = [name for name, entry in after.items() if before.get(name) != entry]
    names += before.keys() - after.keys()
    for name in sorted(names):
        left, right = before.get(name), after.get(name)
        path = folder + name.decode(errors="surrogateescape")
        old_tree = left.id if left is not None and left.is_directory else None
        new_tree = right.id if right is not None and right.is_directory else None
        if old_tree is not None or new_tree is not None:
            _compare(trees, f"{path}/", old_tree, new_tree, changes)
        old_file = left if old_tree is None else None
        new_file = right if new_tree is None else None
        if old_file is not None or new_file is not None:
            changes.append(PathChange(path, old_file, new_file))
