"""A record's directories, followed from commit to commit: what changed, and whether it may be there at all."""

import re
from collections.abc import Iterator

from msgspec import Struct, field

from carethread.errors import InvalidValueError, RepositoryError
from carethread.git.objects import (
    ID_SIZE,
    MODE_DIRECTORY,
    MODE_FILE,
    Tree,
    TreeEntry,
    object_id,
    parse_tree,
)
from carethread.ids import CommunicationId, parse_communication_id
from carethread.record.transitions import ATTRIBUTES, ATTRIBUTES_PATH, STATUS_PATH
from carethread.verify.codes import Code
from carethread.verify.objects import Objects
from carethread.verify.report import Report

_STATUS = STATUS_PATH.encode()
_ATTRIBUTES = ATTRIBUTES_PATH.encode()
_COMMUNICATIONS = b"communications"
_ROOT = {_ATTRIBUTES: MODE_FILE, _STATUS: MODE_FILE, _COMMUNICATIONS: MODE_DIRECTORY}

_THREAD, _LEDGER, _ATTACHMENTS = b"thread.md", b"ledger.yaml", b"attachments"
_FOLDER = {_THREAD: MODE_FILE, _LEDGER: MODE_FILE, _ATTACHMENTS: MODE_DIRECTORY}

_ATTACHMENT_NAME = re.compile(rb"[0-9a-f]{64}\.[a-z0-9]+")
_ATTRIBUTES_BLOB = object_id(b"blob", ATTRIBUTES)



class ThreadChange(Struct):
    """What a commit changed in a thread's folder, as ids of blobs; `files` are attachments by name."""

    thread_id: CommunicationId
    thread: bytes | None = None
    ledger: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)


class Changes(Struct):
    """What a commit changed.

    `faulty` if the layout itself is at fault, `unreadable` if a part could not be read; either is reported.
    """

    status: bytes | None = None
    attributes: bool = False
    threads: list[ThreadChange] = field(default_factory=list)
    faulty: bool = False
    unreadable: bool = False


def _changed(old: Tree, new: Tree) -> Iterator[tuple[bytes, TreeEntry | None]]:
    for name, entry in new.items():
        if old.get(name) != entry:
            yield name, entry
    for name in old.keys() - new.keys():
        yield name, None


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def _is_thread_id(name: bytes) -> bool:
    try:
        parse_communication_id(name.decode())
    except (InvalidValueError, UnicodeDecodeError):
        return False
    return True


class Trees:
    """The directories of a record as of the last commit that was followed."""

    def __init__(self, objects: Objects, report: Report) -> None:
        """Begin with an empty record."""
        self.objects = objects
        self._report = report
        self._changes = Changes()
        self._malformed: set[str] = set()
        self._root_id = b""
        self._root: Tree = {}
        self._raw_threads = b""
        self._threads: Tree = {}
        self._last_thread = b""
        self._folders: dict[bytes, Tree] = {}
        self._files: dict[bytes, Tree] = {}

    def files(self) -> dict[str, bytes]:
        """Return the blob of every file there should be, by path."""
        levels = [("", self._root)]
        for name in self._threads:
            folder = f"communications/{_text(name)}/"
            levels.append((folder, self._folders.get(name, {})))
            levels.append((f"{folder}attachments/", self._files.get(name, {})))
        return {
            folder + _text(name): entry.id
            for folder, tree in levels
            for name, entry in tree.items()
            if entry.mode == MODE_FILE
        }

    def follow(self, root: bytes, hint: bytes) -> Changes:
        """Go on to a commit's root. `hint` is the thread that probably changed: a guess that only saves time."""
        changes = self._changes = Changes()
        if root == self._root_id:
            return changes
        tree = self._read(root, "")
        if tree is None:
            return changes
        for name, found in _changed(self._root, tree):
            entry = self._allowed(name, found, _ROOT, "")
            if entry is None:
                continue
            if name == _STATUS:
                changes.status = entry.id
            elif name == _COMMUNICATIONS:
                self._follow_threads(entry.id, hint)
            elif entry.id == _ATTRIBUTES_BLOB:
                changes.attributes = True
            else:
                self._fault(Code.TREE_ATTRIBUTES, "The file says something else than '* -text'.", ATTRIBUTES_PATH)
        self._root, self._root_id = tree, root
        return changes

    # ── All threads ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_threads(self, identifier: bytes, hint: bytes) -> None:
        content = self._content(identifier, "communications")
        if content is None:
            return
        entry = self._only_change(content, hint)
        if entry is not None:
            self._threads[hint] = entry
            self._raw_threads = content
            self._follow_folder(hint, entry.id)
            return
        tree = self._parse(content, "communications")
        if tree is None:
            return
        for name, found in _changed(self._threads, tree):
            path = f"communications/{_text(name)}"
            if not _is_thread_id(name):
                if found is not None:
                    self._fault(Code.TREE_PATH, "This name is not a thread's id.", path)
                continue
            entry = self._expected(found, MODE_DIRECTORY, path)
            if entry is not None:
                self._follow_folder(name, entry.id)
        self._threads, self._raw_threads = tree, content
        self._last_thread = next(reversed(tree))

    def _only_change(self, content: bytes, name: bytes) -> TreeEntry | None:
        """Return the new entry of a thread if nothing else in the directory of all threads changed.

        It spares reading what may be thousands of entries. A thread's id has no space and is longer than an object's
        id, so its entry cannot be mistaken for a part of others.
        """
        start = b"40000 %b\0" % name
        begin = content.find(start) + len(start)
        if begin < len(start) or not _is_thread_id(name):
            return None
        identifier = content[begin : begin + ID_SIZE]
        old = self._raw_threads
        if name in self._threads:
            if old[:begin] + identifier + old[begin + ID_SIZE :] != content:
                return None
        else:
            if old + start + identifier != content or name <= self._last_thread:
                return None
            self._last_thread = name
        return TreeEntry(MODE_DIRECTORY, identifier)

    # ── One thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_folder(self, name: bytes, identifier: bytes) -> None:
        folder = f"communications/{_text(name)}"
        change = ThreadChange(CommunicationId(name.decode()))
        self._changes.threads.append(change)
        tree = self._read(identifier, folder)
        if tree is None:
            return
        before = self._folders.get(name)
        if before is None:
            for file in (_THREAD, _LEDGER):
                if file not in tree:
                    self._fault(Code.TREE_MISSING, "The thread has no such file.", f"{folder}/{_text(file)}")
        for file, found in _changed(before or {}, tree):
            entry = self._allowed(file, found, _FOLDER, f"{folder}/")
            if entry is None:
                continue
            if file == _THREAD:
                change.thread = entry.id
            elif file == _LEDGER:
                change.ledger = entry.id
            else:
                self._follow_attachments(name, entry.id, change)
        self._folders[name] = tree

    def _follow_attachments(self, name: bytes, identifier: bytes, change: ThreadChange) -> None:
        folder = f"communications/{_text(name)}/attachments"
        tree = self._read(identifier, folder)
        if tree is None:
            return
        for file, found in _changed(self._files.get(name, {}), tree):
            path = f"{folder}/{_text(file)}"
            if _ATTACHMENT_NAME.fullmatch(file) is None:
                if found is not None:
                    self._fault(Code.TREE_PATH, "This name is not a digest and an extension.", path)
                continue
            entry = self._expected(found, MODE_FILE, path)
            if entry is not None:
                change.files[file.decode()] = entry.id
        self._files[name] = tree

    # ── Shared by the above ───────────────────────────────────────────────────────────────────────────────────────────

    def _allowed(self, name: bytes, found: TreeEntry | None, names: dict[bytes, int], folder: str) -> TreeEntry | None:
        """Return an entry if its name and mode are among those there may be."""
        path = folder + _text(name)
        mode = names.get(name)
        if mode is not None:
            return self._expected(found, mode, path)
        if found is not None:
            self._fault(Code.TREE_PATH, "This has no place in a record.", path)
        return None

    def _expected(self, found: TreeEntry | None, mode: int, path: str) -> TreeEntry | None:
        if found is None:
            self._fault(Code.TREE_MISSING, "This was there before, and nothing is ever deleted or renamed.", path)
            return None
        if found.mode != mode:
            self._fault(Code.TREE_MODE, f"The mode is {found.mode:o}, not {mode:o}.", path)
            return None
        return found

    def _read(self, identifier: bytes, path: str) -> Tree | None:
        content = self._content(identifier, path)
        return None if content is None else self._parse(content, path)

    def _content(self, identifier: bytes, path: str) -> bytes | None:
        content = self.objects.read(identifier, b"tree", path)
        if content is None:
            self._changes.unreadable = True
            return None
        return bytes(content)

    def _parse(self, content: bytes, path: str) -> Tree | None:
        fault = "it is empty"
        try:
            tree = parse_tree(content)
        except RepositoryError as error:
            fault, tree = str(error), {}
        if tree:
            self._malformed.discard(path)
            return tree
        self._changes.unreadable = True
        # Whatever follows contains the same fault again.
        if path not in self._malformed:
            self._malformed.add(path)
            self._fault(Code.TREE_MALFORMED, f"Git would not write this directory: {fault}.", path)
        return None

    def _fault(self, code: Code, sentence: str, path: str) -> None:
        self._changes.faulty = True
        self._report.add(code, sentence, path)
