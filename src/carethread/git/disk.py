"""Files of a repository, reached name by name from an open directory, never through a symbolic link.

Whoever can plant a link in a record must not make us read or write elsewhere: every step opens with `O_NOFOLLOW`
relative to the directory before it. What is missing or of another kind is a `RepositoryError`; what the machine
refuses (full disk, no permission) is a `StorageError`.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from carethread.errors import RepositoryError, StorageError
from carethread.git.objects import Octets

_WRONG_KIND = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO}


@contextmanager
def faults_of(place: str) -> Iterator[None]:
    """Turn the operating system's errors into ours, with the place."""
    try:
        yield
    except OSError as error:
        kind = RepositoryError if error.errno in _WRONG_KIND else StorageError
        raise kind(f"{place}: {os.strerror(error.errno) if error.errno else error}") from error


def open_directory(name: str | Path, parent: int | None = None, *, create: bool = False) -> int:
    """Open a directory that is no symbolic link, made first if `create` says so."""
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, 0o777, dir_fd=parent)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


@contextmanager
def directory(name: str | Path, parent: int | None = None, *, create: bool = False) -> Iterator[int]:
    """Keep a directory open for the length of a block."""
    descriptor = open_directory(name, parent, create=create)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_file(name: str, parent: int, flags: int = os.O_RDONLY) -> int:
    """Open a regular file that is no symbolic link.

    Raises:
        OSError: with `ELOOP` for whatever is not a regular file.
    """
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    return descriptor


def read_range(descriptor: int, offset: int, size: int) -> bytes:
    """Read a range of an open file; shorter only if the file ends."""
    data = os.pread(descriptor, size, offset)
    if len(data) == size or not data:
        return data
    parts = [data]
    done = len(data)
    while done < size:
        data = os.pread(descriptor, size - done, offset + done)
        if not data:
            break
        parts.append(data)
        done += len(data)
    return b"".join(parts)


def read_file(name: str, parent: int, limit: int) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises:
        RepositoryError: it is larger.
        OSError: it cannot be opened or read.
    """
    descriptor = open_file(name, parent)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise RepositoryError(f"{name}: has {size} bytes, more than the limit of {limit}")
        return read_range(descriptor, 0, size)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, chunks: list[Octets], offset: int) -> None:
    """Write chunks one after the other from an offset on."""
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            done = os.pwrite(descriptor, rest, offset)
            rest = rest[done:]
            offset += done


def write_file(name: str, parent: int, chunks: list[Octets]) -> os.stat_result:
    """Write a whole regular file in place and return its new state; what it held before is gone."""
    descriptor = open_file(name, parent, os.O_WRONLY | os.O_CREAT)
    try:
        write_all(descriptor, chunks, 0)
        size = sum(map(len, chunks))
        status = os.fstat(descriptor)
        if status.st_size > size:
            os.ftruncate(descriptor, size)
            status = os.fstat(descriptor)
        return status
    finally:
        os.close(descriptor)


def replace_file(name: str, parent: int, chunks: list[Octets], temporary: str) -> None:
    """Write a file under a temporary name and move it into its place: readers see the old or the new one."""
    remove_file(temporary, parent)
    write_file(temporary, parent, chunks)
    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)


def remove_file(name: str, parent: int) -> None:
    """Remove a file if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)


def names_in(descriptor: int) -> list[str]:
    """Return the names in an open directory, sorted."""
    return sorted(os.listdir(descriptor))
