"""The Git trees of a record, kept as raw bytes so that one more message costs a few hashes.

A record's root holds `.gitattributes`, the status file and `communications`; that holds one tree a thread; a
thread's holds `attachments` (when there are any), `ledger.yaml` and `thread.md`.
"""

from bisect import bisect_left
from collections.abc import Iterable

from carethread.git.objects import object_id
from carethread.record.transitions import ATTRIBUTES

_FILE = b"100644 "
_FOLDER = b"40000 "
ATTRIBUTES_BLOB = object_id(b"blob", ATTRIBUTES)


def root_tree(status_blob: bytes, communications: bytes | None) -> bytes:
    """Return the id of a record's root; a record without threads has no `communications`."""
    parts = [_FILE, b".gitattributes\0", ATTRIBUTES_BLOB, _FILE, b"COORDINATION_STATUS.yaml\0", status_blob]
    if communications is not None:
        parts += [_FOLDER, b"communications\0", communications]
    return object_id(b"tree", b"".join(parts))


def thread_tree(attachments: bytes, ledger_blob: bytes, thread_blob: bytes) -> bytes:
    """Return the id of a thread's folder; `attachments` is that folder's raw tree, or empty."""
    parts = [_FILE, b"ledger.yaml\0", ledger_blob, _FILE, b"thread.md\0", thread_blob]
    if attachments:
        parts = [_FOLDER, b"attachments\0", object_id(b"tree", attachments), *parts]
    return object_id(b"tree", b"".join(parts))


def file_names(tree: bytes) -> dict[bytes, bytes]:
    """Return the names and ids in a raw tree of plain files."""
    names = {}
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        names[tree[at + len(_FILE) : end]] = tree[end + 1 : end + 33]
        at = end + 33
    return names


def with_files(tree: bytes, added: dict[bytes, bytes]) -> bytes:
    """Return a raw tree of plain files with some more in it."""
    names = file_names(tree) | added
    return b"".join(b"%b%b\0%b" % (_FILE, name, names[name]) for name in sorted(names))


class Communications:
    """The tree of all threads of a record. Their names have one length, so an id is found by counting."""

    def __init__(self, threads: Iterable[tuple[str, bytes]]) -> None:
        """Take the threads' ids and trees, in order of their ids."""
        self._names: list[str] = []
        self._raw = bytearray()
        for name, tree in threads:
            self._names.append(name)
            self._raw += b"%b%b\0%b" % (_FOLDER, name.encode(), tree)
        self._width = len(self._raw) // len(self._names) if self._names else 0

    def id_with(self, name: str, tree: bytes) -> bytes:
        """Return the id this tree has once a thread's folder is `tree`, and keep it so."""
        at = bisect_left(self._names, name)
        if at == len(self._names) or self._names[at] != name:
            entry = b"%b%b\0%b" % (_FOLDER, name.encode(), tree)
            self._names.insert(at, name)
            self._width = len(entry)
            self._raw[at * self._width : at * self._width] = entry
        else:
            end = (at + 1) * self._width
            self._raw[end - len(tree) : end] = tree
        return self.id() or b""

    def id(self) -> bytes | None:
        """Return the id of this tree, or nothing where there is no thread."""
        return object_id(b"tree", self._raw) if self._names else None

    def __len__(self) -> int:
        """Return the number of threads."""
        return len(self._names)
