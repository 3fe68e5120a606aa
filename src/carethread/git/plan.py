"""What a run of commits adds to a repository: trees, file versions, commits. Pure but for reading what is there.

Every commit names a tree; the tree that results from its changes must be that one, to the byte.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.objects import (
    MODE_DIRECTORY,
    MODE_FILE,
    TreeEntry,
    commit_links,
    find_in_tree,
    object_id,
    patch_tree,
)

_COMMUNICATION = r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(
    r"\.gitattributes|COORDINATION_STATUS\.yaml"
    rf"|communications/{_COMMUNICATION}/(?:thread\.md|ledger\.yaml|attachments/[0-9a-f]{{64}}\.[a-z0-9]{{1,16}})",
    re.ASCII,
)


class FileChange(Struct, frozen=True):
    """One file of a commit: `data` is appended to what it held, or is all it holds; `blob` is the id of the result."""

    path: str
    append: bool
    data: bytes
    blob: bytes


class Step(Struct, frozen=True):
    """One commit to put into a repository: its id, its raw object, signed or not, and what it changes."""

    commit_id: bytes
    commit: bytes
    changes: tuple[FileChange, ...]


class Version(Struct, frozen=True):
    """An object as one of a row of versions; `previous` is the id of the one before it, if there is one."""

    id: bytes
    content: bytes
    previous: bytes | None = None
    previous_content: bytes = b""


class FileGrowth(Struct):
    """A file's content that only grows: what was there, what is added, and the versions on the way.

    `old` and `old_size` are the blob before the first addition, None and 0 for a file that is new or written anew.
    `versions` are blob ids and sizes, the newest last. `replaces` is the blob a file written anew had before.
    """

    path: str
    old: bytes | None
    old_size: int
    chunks: list[bytes]
    versions: list[tuple[bytes, int]]
    replaces: bytes | None


class Plan(Struct):
    """All that a run of commits adds, each list oldest first."""

    commits: list[Version]
    trees: list[Version]
    growths: list[FileGrowth]
    """Several for one path if it was written anew; the last one is what the worktree gets."""


class Existing(Struct, frozen=True):
    """How to read what the repository holds: content of trees and commits, sizes of blobs."""

    tree: Callable[[bytes], bytes]
    size: Callable[[bytes], int]


def check_steps(steps: Sequence[Step]) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """Return each step's tree and parents, after comparing ids, parents and paths.

    Raises:
        RepositoryError: a commit with another id, a parent that is not the step before, a path that has no place in
            a record, or one path twice in a step.
    """
    links = []
    for number, step in enumerate(steps):
        if object_id(b"commit", step.commit) != step.commit_id:
            raise RepositoryError(f"step {number}: commit has another id than {step.commit_id.hex()}")
        tree, parents = commit_links(step.commit)
        if len(parents) > 1 or (number and parents != (steps[number - 1].commit_id,)):
            raise RepositoryError(f"commit {step.commit_id.hex()}: parent is not the commit before")
        paths = [change.path for change in step.changes]
        for path in paths:
            if _PATH.fullmatch(path) is None:
                raise RepositoryError(f"commit {step.commit_id.hex()}: {path!r} has no place in a record")
        if len(set(paths)) != len(paths):
            raise RepositoryError(f"commit {step.commit_id.hex()}: a path is changed twice")
        links.append((tree, parents))
    return links


class _Folder(Struct):
    """A directory while commits pass by: its entries now, and as last written."""

    raw: bytes
    written: bytes
    id: bytes | None


class _Folders:
    """The directories of a record, each loaded when it is first touched; the root's name is empty."""

    def __init__(self, root: bytes | None, load: Callable[[bytes], bytes]) -> None:
        self._load = load
        self._folders: dict[str, _Folder] = {}
        self._root = root
        self._touched: set[str] = set()

    def _entry(self, path: str) -> TreeEntry | None:
        folder, _, name = path.rpartition("/")
        return find_in_tree(self._folder(folder).raw, name.encode())

    def _folder(self, path: str) -> _Folder:
        folder = self._folders.get(path)
        if folder is None:
            identifier = self._root
            if path:
                entry = self._entry(path)
                if entry is not None and not entry.is_directory:
                    raise RepositoryError(f"{path}: is not a directory")
                identifier = None if entry is None else entry.id
            raw = b"" if identifier is None else self._load(identifier)
            folder = self._folders[path] = _Folder(raw, raw, identifier)
        return folder

    def blob_of(self, path: str) -> bytes | None:
        entry = self._entry(path)
        if entry is not None and entry.mode != MODE_FILE:
            raise RepositoryError(f"{path}: is not a plain file")
        return None if entry is None else entry.id

    def set(self, path: str, entry: TreeEntry) -> None:
        parent, _, name = path.rpartition("/")
        folder = self._folder(parent)
        folder.raw = patch_tree(folder.raw, name.encode(), entry)
        self._touched.add(parent)

    def write(self) -> tuple[bytes | None, list[Version]]:
        """Return the root's id, and the directories that changed since the last time."""
        versions = []
        while self._touched:
            # The longest name is never a parent of another one; setting it in its parent touches that.
            path = max(self._touched, key=len)
            self._touched.remove(path)
            folder = self._folders[path]
            identifier = object_id(b"tree", folder.raw)
            if identifier != folder.id:
                versions.append(Version(identifier, folder.raw, folder.id, folder.written))
                folder.written, folder.id = folder.raw, identifier
                if path:
                    self.set(path, TreeEntry(MODE_DIRECTORY, identifier))
        return self._folder("").id, versions


def _add_change(change: FileChange, last: dict[str, FileGrowth], blobs: _Folders, existing: Existing) -> FileGrowth:
    """Continue the file's growth or begin a new one, which is then in `last`."""
    growth = last.get(change.path)
    if change.append and growth is not None:
        growth.chunks.append(change.data)
        growth.versions.append((change.blob, growth.versions[-1][1] + len(change.data)))
        return growth
    previous = growth.versions[-1][0] if growth is not None else blobs.blob_of(change.path)
    old = previous if change.append else None
    old_size = 0 if old is None else existing.size(old)
    versions = [(change.blob, old_size + len(change.data))]
    replaces = previous if old is None else None
    last[change.path] = FileGrowth(change.path, old, old_size, [change.data], versions, replaces)
    return last[change.path]


def make_plan(
    steps: Sequence[Step], trees: Sequence[bytes], parent: tuple[bytes, bytes] | None, existing: Existing
) -> Plan:
    """Work out what the steps add after `parent`, a commit's id and raw object, or to nothing.

    Raises:
        RepositoryError: a step's changes do not make the tree its commit names.
    """
    folders = _Folders(None if parent is None else commit_links(parent[1])[0], existing.tree)
    plan = Plan([], [], [])
    last: dict[str, FileGrowth] = {}
    before, before_content = parent or (None, b"")
    for step, tree in zip(steps, trees, strict=True):
        for change in step.changes:
            growth = _add_change(change, last, folders, existing)
            if len(growth.versions) == 1:
                plan.growths.append(growth)
            folders.set(change.path, TreeEntry(MODE_FILE, change.blob))
        root, versions = folders.write()
        if root != tree:
            raise RepositoryError(f"commit {step.commit_id.hex()}: its changes do not make the tree it names")
        plan.trees += versions
        plan.commits.append(Version(step.commit_id, step.commit, before, before_content))
        before, before_content = step.commit_id, step.commit
    return plan
