"""Reading a record's repository back: its commits, oldest first, and any of its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carethread.errors import RepositoryError
from carethread.git.layout import open_objects, read_head
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import (
    Commit,
    commit_links,
    decode_commit,
)

# Commits that are kept in memory while their history is walked; more are read again.
_KEPT = 64 << 20


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
