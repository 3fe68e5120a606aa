"""A record's repository on disk: where things lie in it, its branch, and how it is made.

The record's directory is the worktree; `.git` holds the rest. What is read through here is what stock Git would
read, as far as a record needs it: branch `main`, loose or packed.
"""

import ctypes
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from carethread.errors import RepositoryError
from carethread.git.disk import directory, faults_of, open_directory, open_file, read_file, write_file
from carethread.git.object_reader import ObjectReader

BRANCH = "refs/heads/main"

HEAD_CONTENT = b"ref: refs/heads/main\n"
CONFIG_CONTENT = b"""\
[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = false
\tlogallrefupdates = false
[extensions]
\tobjectformat = sha256
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""

# Text files of `.git` are a few lines; packed-refs holds one line per branch or tag.
LARGEST_TEXT = 1 << 20
_HEAD = re.compile(rb"ref: refs/[^\n]+\n|[0-9a-f]{64}\n")
_REF_CONTENT = re.compile(rb"([0-9a-f]{64})\n")
_PACKED_REF = re.compile(rb"([0-9a-f]{64}) (refs/[^\n ]+)")


def make_repository(root: int) -> None:
    """Make an empty `.git` in an open directory: enough for stock Git, and nothing it would not need.

    Raises:
        OSError: the machine refused.
    """
    with directory(".git", root, create=True) as git:
        with directory("objects", git, create=True) as objects:
            os.close(open_directory("pack", objects, create=True))
        with directory("refs", git, create=True) as refs:
            os.close(open_directory("heads", refs, create=True))
        write_file("HEAD", git, [HEAD_CONTENT])
        write_file("config", git, [CONFIG_CONTENT])


@contextmanager
def git_directory(path: Path) -> Iterator[int]:
    """Keep a record's `.git` open for the length of a block.

    Raises:
        RepositoryError: there is none, or a link stands in its place.
    """
    with faults_of(str(path)), directory(path) as root, directory(".git", root) as git:
        yield git


@contextmanager
def open_objects(path: Path, *, check_ids: bool = True, tolerant: bool = False) -> Iterator[ObjectReader]:
    """Keep a reader of a record's objects open for the length of a block.

    Raises:
        RepositoryError: there is no repository, or it is damaged.
    """
    with git_directory(path) as git:
        descriptor = open_directory("objects", git)
        try:
            reader = ObjectReader(descriptor, f"{path}/.git/objects", check_ids=check_ids, tolerant=tolerant)
        finally:
            os.close(descriptor)
    with reader:
        yield reader


def read_head(path: Path) -> bytes | None:
    """Return the commit that `main` names, or None if there is no repository or no commit yet.

    Raises:
        RepositoryError: `HEAD` names another branch, or something is malformed.
    """
    with faults_of(str(path)), ExitStack() as stack:
        try:
            root = stack.enter_context(directory(path))
            git = stack.enter_context(directory(".git", root))
        except FileNotFoundError:
            return None
        return read_branch(git, str(path))


def read_branch(git: int, place: str) -> bytes | None:
    """Return the commit that `main` names in an open `.git`, or None.

    Raises:
        RepositoryError: `HEAD` names another branch, or something is malformed.
        OSError: the machine refused.
    """
    try:
        head = read_file("HEAD", git, LARGEST_TEXT)
    except FileNotFoundError:
        return None
    branch = _read_main(git, place) or read_packed_refs(git, place).get(BRANCH)
    # Before the first commit, a crash may have left a `HEAD` that says nothing.
    if head != HEAD_CONTENT and (branch is not None or _HEAD.fullmatch(head) is not None):
        raise RepositoryError(f"{place}/.git/HEAD: does not name the branch main")
    return branch


def _read_main(git: int, place: str) -> bytes | None:
    with suppress(FileNotFoundError), directory("refs", git) as refs, directory("heads", refs) as heads:
        match = _REF_CONTENT.fullmatch(read_file("main", heads, LARGEST_TEXT))
        if match is None:
            raise RepositoryError(f"{place}/.git/{BRANCH}: is not an id")
        return bytes.fromhex(match[1].decode())
    return None


def read_packed_refs(git: int, place: str) -> dict[str, bytes]:
    """Return what `packed-refs` holds, by full name.

    Raises:
        RepositoryError: it is malformed.
        OSError: the machine refused.
    """
    try:
        content = read_file("packed-refs", git, LARGEST_TEXT)
    except FileNotFoundError:
        return {}
    refs = {}
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        if line[:1] in {b"#", b"^"}:
            continue
        match = _PACKED_REF.fullmatch(line)
        if match is None:
            raise RepositoryError(f"{place}/.git/packed-refs, line {number}: malformed")
        refs[match[2].decode(errors="surrogateescape")] = bytes.fromhex(match[1].decode())
    return refs


def sync_filesystem(path: Path) -> None:
    """Return when everything written to the file system that holds `path` is on its disk.

    Uses `syncfs`, which waits for all files at once; where that is missing, every file below `path` in turn.

    Raises:
        StorageError: the disk failed; what was written may be lost.
    """
    with faults_of(str(path)), directory(path.resolve()) as root:
        if not _syncfs(root):
            _sync_walk(root)


def _syncfs(descriptor: int) -> bool:
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except AttributeError:
        return False
    if function(descriptor) == 0:
        return True
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        return False
    raise OSError(number, os.strerror(number))


def _sync_walk(root: int) -> None:
    for _, _, names, descriptor in os.fwalk(dir_fd=root):
        for name in names:
            if stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                opened = open_file(name, descriptor)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)
        os.fsync(descriptor)
