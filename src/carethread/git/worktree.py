"""A record's files as they lie open for everybody to read, and Git's index of them.

They are brought up to date in place: a thread is written on at the length it had, and cut at the length it shall
have, so that what an interrupted attempt left behind goes and megabytes that are right stay untouched.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carethread.errors import RepositoryError
from carethread.git.disk import (
    directory,
    faults_of,
    names_in,
    open_directory,
    open_file,
    read_file,
    read_range,
    replace_file,
    write_all,
    write_file,
)
from carethread.git.index_file import UNKNOWN_STATE, IndexedFile, decode_index, encode_index, file_state, updated_index
from carethread.git.layout import read_head
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import MODE_FILE, commit_links, parse_tree
from carethread.git.packing import Content
from carethread.git.plan import FileGrowth

_LARGEST_INDEX = 256 << 20


@contextmanager
def folder_of(path: str, root: int, *, create: bool) -> Iterator[tuple[int, str]]:
    """Open the directory a path of the record lies in; give it with the file's name."""
    *folders, name = path.split("/")
    descriptor = os.dup(root)
    try:
        for folder in folders:
            below = open_directory(folder, descriptor, create=create)
            os.close(descriptor)
            descriptor = below
        yield descriptor, name
    finally:
        os.close(descriptor)


def read_beginning(path: str, root: int, size: int) -> bytes | None:
    """Return the first `size` bytes of a file, or None if it is missing, shorter, or cannot be read."""
    try:
        with folder_of(path, root, create=False) as (folder, name):
            descriptor = open_file(name, folder)
            try:
                found = read_range(descriptor, 0, size)
            finally:
                os.close(descriptor)
    except OSError:
        return None
    return found if len(found) == size else None


def _write_on(path: str, root: int, size: int, added: bytes) -> os.stat_result:
    """Write `added` after the first `size` bytes of a file, the last thing it then holds."""
    with folder_of(path, root, create=True) as (folder, name):
        descriptor = open_file(name, folder, os.O_WRONLY)
        try:
            write_all(descriptor, [added], size)
            status = os.fstat(descriptor)
            if status.st_size != size + len(added):
                os.ftruncate(descriptor, size + len(added))
                status = os.fstat(descriptor)
            return status
        finally:
            os.close(descriptor)


def _write_whole(path: str, root: int, content: bytes) -> os.stat_result:
    with folder_of(path, root, create=True) as (folder, name):
        return write_file(name, folder, [content])


def update_files(growths: list[FileGrowth], contents: list[Content], root: int) -> dict[bytes, IndexedFile]:
    """Bring the files that grew to their newest content; return what Git's index is to say of them.

    Raises:
        OSError: the machine refused.
    """
    files = {}
    newest = {growth.path: number for number, growth in enumerate(growths)}
    for path, number in newest.items():
        growth, content = growths[number], contents[number]
        if growth.old is not None and not content.repair:
            status = _write_on(path, root, growth.old_size, content.added)
        else:
            status = _write_whole(path, root, b"".join((content.old, content.added)))
        files[path.encode()] = IndexedFile(file_state(status), growth.versions[-1][0])
    return files


def index_with(files: dict[bytes, IndexedFile], git: int, before: tuple[ObjectReader, bytes] | None) -> bytes:
    """Return Git's index with these files brought up to date.

    `before` is the tree that was, and where to read it, in case the index is missing or of a form we do not read.

    Raises:
        RepositoryError: that tree is damaged.
        OSError: the machine refused.
    """
    if before is None:
        return encode_index(files)
    try:
        return updated_index(read_file("index", git, _LARGEST_INDEX), files)
    except (RepositoryError, FileNotFoundError):
        # Git looks at the others once, and finds them as they should be.
        blobs = _files_below(*before, "")
        return encode_index({path: IndexedFile(UNKNOWN_STATE, blob) for path, blob in blobs.items()} | files)


def repair_index(path: Path, root: int, head: bytes) -> None:
    """Write Git's index anew if it is not about the files of the branch's commit.

    Raises:
        RepositoryError: the commit is missing or damaged.
        OSError: the machine refused.
    """
    with (
        directory(".git", root) as git,
        directory("objects", git) as objects,
        ObjectReader(objects, f"{path}/.git/objects") as reader,
    ):
        blobs = _files_below(reader, commit_links(reader.read_kind(head, b"commit"))[0], "")
        try:
            found = decode_index(read_file("index", git, _LARGEST_INDEX))
        except (RepositoryError, FileNotFoundError):
            found = {}
        if blobs != {name: file.blob for name, file in found.items()}:
            files = {name: IndexedFile(UNKNOWN_STATE, blob) for name, blob in blobs.items()}
            replace_file("index", git, [encode_index(files)], "index.lock")


def _files_below(reader: ObjectReader, tree: bytes, folder: str) -> dict[bytes, bytes]:
    """Return all files below a directory, by path, with their blobs."""
    files: dict[bytes, bytes] = {}
    for name, entry in parse_tree(reader.read_kind(tree, b"tree")).items():
        try:
            path = folder + name.decode()
        except UnicodeDecodeError:
            raise RepositoryError(f"{folder}{name!r}: is not UTF-8") from None
        if entry.is_directory:
            files |= _files_below(reader, entry.id, f"{path}/")
        elif entry.mode == MODE_FILE:
            files[path.encode()] = entry.id
        else:
            raise RepositoryError(f"{path}: is not a plain file")
    return files


def restore_worktree(path: Path) -> list[str]:
    """Write all files of a record, and Git's index of them, anew from the commit its branch names.

    Files that are right already are left as they are. What does not belong there is left too, and returned: paths in
    order, a directory with a slash at its end.

    Raises:
        RepositoryError: there is no repository or no commit, or it is damaged, or something that is no plain file
            stands in the way.
        StorageError: the machine refused.
    """
    head = read_head(path)
    if head is None:
        raise RepositoryError(f"{path}: is not a repository with a commit")
    with (
        faults_of(str(path)),
        directory(path) as root,
        directory(".git", root) as git,
        directory("objects", git) as objects,
        ObjectReader(objects, f"{path}/.git/objects") as reader,
    ):
        blobs = _files_below(reader, commit_links(reader.read_kind(head, b"commit"))[0], "")
        files = {}
        for path_bytes, blob in blobs.items():
            name, content = path_bytes.decode(), reader.read_kind(blob, b"blob")
            status = _status_if(name, root, content) or _write_whole(name, root, content)
            files[path_bytes] = IndexedFile(file_state(status), blob)
        replace_file("index", git, [encode_index(files)], "index.lock")
        return _unexpected(root, "", {name.decode() for name in blobs})


def _status_if(path: str, root: int, content: bytes) -> os.stat_result | None:
    """Return the state of a file that holds exactly this content; None for any other."""
    try:
        with folder_of(path, root, create=False) as (folder, name):
            descriptor = open_file(name, folder)
            try:
                status = os.fstat(descriptor)
                right = status.st_size == len(content) and read_range(descriptor, 0, len(content)) == content
            finally:
                os.close(descriptor)
    except OSError:
        return None
    return status if right else None


def _unexpected(folder: int, prefix: str, expected: set[str]) -> list[str]:
    folders = {path.removeprefix(prefix).partition("/")[0] for path in expected if path.startswith(prefix)}
    found = []
    for name in names_in(folder):
        path = prefix + name
        if path in expected or path == ".git":
            continue
        is_folder = stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        if is_folder and name in folders:
            with directory(name, folder) as below:
                found += _unexpected(below, f"{path}/", expected)
        else:
            found.append(f"{path}/" if is_folder else path)
    return found
