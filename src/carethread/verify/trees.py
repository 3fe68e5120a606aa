"""A record's directories, followed from commit to commit: what changed, and whether it may be there at all."""

import re

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


class ThreadChange(Struct, gc=False):
    """What a commit changed in a thread's folder, as ids of blobs; `files` are attachments by name.

    `unsure` says that a part of the folder cannot be read, now or when it last changed.
    """

    thread_id: CommunicationId
    thread: bytes | None = None
    ledger: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    unsure: bool = False


class Changes(Struct, gc=False):
    """What a commit changed.

    `faulty` if the layout itself is at fault, `unreadable` if a part could not be read; either is reported.
    """

    status: bytes | None = None
    attributes: bool = False
    threads: list[ThreadChange] = field(default_factory=list)
    faulty: bool = False
    unreadable: bool = False


_Changed = list[tuple[bytes, TreeEntry | None]]
# A name with its mode, and how its entry begins.
_Expected = tuple[tuple[bytes, int, bytes], ...]


def _expect(names: dict[bytes, int], *wanted: bytes) -> _Expected:
    return tuple((name, names[name], b"%o %b\0" % (names[name], name)) for name in wanted)


class _Directory(Struct):
    """A directory as of the last commit that was followed."""

    raw: bytes = b""
    tree: Tree = field(default_factory=dict)

    def replace(self, raw: bytes, tree: Tree) -> _Changed:
        """Become what was read; return what changed, with nothing for what is gone."""
        old = self.tree
        self.raw, self.tree = raw, tree
        changed: _Changed = [(name, entry) for name, entry in tree.items() if old.get(name) != entry]
        return changed + [(name, None) for name in old.keys() - tree.keys()]

    def patch(self, raw: bytes, expected: _Expected) -> _Changed | None:
        """Become what was read if only these entries changed, and return them; else nothing.

        This spares reading the rest, which may be thousands of entries. An entry's beginning cannot be mistaken for a
        part of an id: all ids but those of paths that are reported anyway are digests of what was read.
        """
        old = self.raw
        changed = []
        done = 0
        for name, mode, start in expected:
            begin = raw.find(start, done) + len(start)
            if begin < len(start) or raw[done:begin] != old[done:begin]:
                return None
            done = begin + ID_SIZE
            identifier = raw[begin:done]
            if identifier != old[begin:done]:
                changed.append((name, TreeEntry(mode, identifier)))
        if raw[done:] != old[done:]:
            return None
        self.raw = raw
        self.tree.update(changed)
        return [*changed]


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def _is_thread_id(name: bytes) -> bool:
    try:
        parse_communication_id(name.decode())
    except (InvalidValueError, UnicodeDecodeError):
        return False
    return True


_ROOT_GOES_ON = _expect(_ROOT, _COMMUNICATIONS)
_THREAD_GOES_ON = _expect(_FOLDER, _LEDGER, _THREAD)


class Trees:
    """The directories of a record as of the last commit that was followed."""

    def __init__(self, objects: Objects, report: Report) -> None:
        """Begin with an empty record."""
        self.strange: set[str] = set()
        self._objects = objects
        self._report = report
        self._changes = Changes()
        self._malformed: set[str] = set()
        self._unread: set[bytes] = set()
        self._root_id = b""
        self._root = _Directory()
        self._threads = _Directory()
        self._last_thread = b""
        self._folders: dict[bytes, _Directory] = {}
        self._files: dict[bytes, _Directory] = {}

    def files(self) -> dict[str, bytes]:
        """Return the blob of every file there should be, by path. What lies in `strange` paths is not looked at."""
        levels = [("", self._root)]
        for name in self._threads.tree.keys() & self._folders.keys():
            folder, directory = f"communications/{_text(name)}/", self._folders[name]
            levels.append((folder, directory))
            if _ATTACHMENTS in directory.tree:
                levels.append((f"{folder}attachments/", self._files.get(name, _Directory())))
        return {
            folder + _text(name): entry.id
            for folder, directory in levels
            for name, entry in directory.tree.items()
            if not entry.is_directory
        }

    def follow(self, root: bytes, hint: bytes) -> Changes:
        """Go on to a commit's root. `hint` is the thread that probably changed: a guess that only saves time."""
        changes = self._changes = Changes()
        if root == self._root_id:
            return changes
        changed = self._read(root, self._root, _ROOT_GOES_ON, "")
        if changed is None:
            return changes
        self._root_id = root
        for name, found in changed:
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
        return changes

    # ── All threads ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_threads(self, identifier: bytes, hint: bytes) -> None:
        content = self._content(identifier, "communications")
        if content is None:
            return
        changed = self._patch_threads(content, hint)
        if changed is None:
            tree = self._parse(content, "communications")
            if tree is None:
                return
            changed = self._threads.replace(content, tree)
            self._last_thread = next(reversed(tree))
        for name, found in changed:
            path = f"communications/{_text(name)}"
            if not (name in self._folders or _is_thread_id(name)):
                self._strange(found, "This name is not a thread's id.", path)
                continue
            entry = self._expected(found, MODE_DIRECTORY, path)
            if entry is not None:
                self._follow_folder(name, entry.id)

    def _patch_threads(self, content: bytes, name: bytes) -> _Changed | None:
        """Take one thread's change, or a new one with the last name."""
        start = b"40000 %b\0" % name
        if name in self._threads.tree:
            return self._threads.patch(content, ((name, MODE_DIRECTORY, start),))
        end = len(content) - ID_SIZE
        if content[:end] != self._threads.raw + start or name <= self._last_thread or not _is_thread_id(name):
            return None
        self._last_thread = name
        entry = self._threads.tree[name] = TreeEntry(MODE_DIRECTORY, content[end:])
        self._threads.raw = content
        return [(name, entry)]

    # ── One thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_folder(self, name: bytes, identifier: bytes) -> None:
        folder = f"communications/{_text(name)}"
        change = ThreadChange(CommunicationId(name.decode()), unsure=name in self._unread)
        self._unread.discard(name)
        is_new = name not in self._folders
        directory = self._folders.setdefault(name, _Directory())
        changed = self._read(identifier, directory, _THREAD_GOES_ON, folder)
        if changed is None:
            self._unread.add(name)
            return
        if is_new:
            for file in (_THREAD, _LEDGER):
                if file not in directory.tree:
                    self._fault(Code.TREE_MISSING, "The thread has no such file.", f"{folder}/{_text(file)}")
        for file, found in changed:
            entry = self._allowed(file, found, _FOLDER, f"{folder}/")
            if entry is None:
                continue
            if file == _THREAD:
                change.thread = entry.id
            elif file == _LEDGER:
                change.ledger = entry.id
            else:
                self._follow_attachments(name, entry.id, change)
        if change.thread is not None or change.ledger is not None or change.files:
            self._changes.threads.append(change)

    def _follow_attachments(self, name: bytes, identifier: bytes, change: ThreadChange) -> None:
        folder = f"communications/{_text(name)}/attachments"
        directory = self._files.setdefault(name, _Directory())
        changed = self._read(identifier, directory, (), folder)
        if changed is None:
            change.unsure = True
            self._unread.add(name)
            return
        for file, found in changed:
            path = f"{folder}/{_text(file)}"
            if _ATTACHMENT_NAME.fullmatch(file) is None:
                self._strange(found, "This name is not a digest and an extension.", path)
                continue
            entry = self._expected(found, MODE_FILE, path)
            if entry is not None:
                change.files[file.decode()] = entry.id

    # ── Shared by the above ───────────────────────────────────────────────────────────────────────────────────────────

    def _allowed(self, name: bytes, found: TreeEntry | None, names: dict[bytes, int], folder: str) -> TreeEntry | None:
        """Return an entry if its name and mode are among those there may be."""
        path = folder + _text(name)
        mode = names.get(name)
        if mode is not None:
            return self._expected(found, mode, path)
        self._strange(found, "This has no place in a record.", path)
        return None

    def _strange(self, found: TreeEntry | None, sentence: str, path: str) -> None:
        self.strange.add(path)
        if found is not None:
            self._fault(Code.TREE_PATH, sentence, path)

    def _expected(self, found: TreeEntry | None, mode: int, path: str) -> TreeEntry | None:
        if found is None:
            self._fault(Code.TREE_MISSING, "This was there before, and nothing is ever deleted or renamed.", path)
            return None
        if found.mode != mode:
            self._fault(Code.TREE_MODE, f"The mode is {found.mode:o}, not {mode:o}.", path)
            return None
        return found

    def _read(self, identifier: bytes, directory: _Directory, expected: _Expected, path: str) -> _Changed | None:
        """Read a directory's next version; return what changed in it, or nothing if that cannot be told."""
        content = self._content(identifier, path)
        if content is None:
            return None
        changed = directory.patch(content, expected)
        if changed is not None:
            return changed
        tree = self._parse(content, path)
        return None if tree is None else directory.replace(content, tree)

    def _content(self, identifier: bytes, path: str) -> bytes | None:
        content = self._objects.read(identifier, b"tree", path)
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
