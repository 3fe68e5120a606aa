"""Git's index: what Git believes the worktree holds, so that `git status` need not read it.

Version 2 in a SHA-256 repository (gitformat-index): per file its state on disk, mode, blob id and path, sorted by
path; then extensions, which are Git's own caches and are dropped when a file changes.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from hashlib import sha256

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.objects import ID_SIZE, MODE_FILE

_HEADER = struct.Struct(">4sII")
_STATE = struct.Struct(">10I")
_FLAGS_AT = _STATE.size + ID_SIZE
_NAME_AT = _FLAGS_AT + 2
_SIGNATURE = b"DIRC"


class IndexedFile(Struct, frozen=True):
    """A file as the index knows it: its 40 bytes of state, and its blob."""

    state: bytes
    blob: bytes


UNKNOWN_STATE = _STATE.pack(0, 0, 0, 0, 0, 0, MODE_FILE, 0, 0, 0)
"""The state of a file that Git is to look at for itself."""


def file_state(status: os.stat_result) -> bytes:
    """Write a file's state: times, device, inode, mode, owner, size, each cut to 32 bits."""
    seconds, nanoseconds = divmod(status.st_ctime_ns, 1_000_000_000)
    modified, modified_nanoseconds = divmod(status.st_mtime_ns, 1_000_000_000)
    return _STATE.pack(
        seconds & 0xFFFFFFFF, nanoseconds, modified & 0xFFFFFFFF, modified_nanoseconds,
        status.st_dev & 0xFFFFFFFF, status.st_ino & 0xFFFFFFFF, MODE_FILE,
        status.st_uid & 0xFFFFFFFF, status.st_gid & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF,
    )  # fmt: skip


def _encode_entry(path: bytes, file: IndexedFile) -> bytes:
    size = _NAME_AT + len(path)
    flags = min(len(path), 0xFFF).to_bytes(2, "big")
    return b"".join((file.state, file.blob, flags, path, b"\0" * (8 - size % 8)))


def encode_index(files: Mapping[bytes, IndexedFile]) -> bytes:
    """Write an index of version 2 without extensions."""
    body = _HEADER.pack(_SIGNATURE, 2, len(files))
    body += b"".join([_encode_entry(path, files[path]) for path in sorted(files)])
    return body + sha256(body).digest()


def _entries(raw: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Return path, start and end of every entry of an index of version 2.

    Raises:
        RepositoryError: another version, or damaged.
    """
    if len(raw) < _HEADER.size + ID_SIZE or sha256(memoryview(raw)[:-ID_SIZE]).digest() != raw[-ID_SIZE:]:
        raise RepositoryError("index: checksum does not match")
    signature, version, count = _HEADER.unpack_from(raw)
    if signature != _SIGNATURE or version != 2:
        raise RepositoryError(f"index: version {version} is not read")
    start, last = _HEADER.size, len(raw) - ID_SIZE
    for _ in range(count):
        zero = raw.find(b"\0", start + _NAME_AT, last)
        if zero < 0:
            raise RepositoryError("index: is truncated")
        end = start + (zero - start + 8) // 8 * 8
        yield raw[start + _NAME_AT : zero], start, end
        start = end


def decode_index(raw: bytes) -> dict[bytes, IndexedFile]:
    """Read an index of version 2, extensions left out.

    Raises:
        RepositoryError: another version, or damaged.
    """
    return {
        path: IndexedFile(raw[start : start + _STATE.size], raw[start + _STATE.size : start + _FLAGS_AT])
        for path, start, _ in _entries(raw)
    }


def updated_index(raw: bytes, files: Mapping[bytes, IndexedFile]) -> bytes:
    """Return an index of version 2 with some files changed or added, and without its extensions.

    Raises:
        RepositoryError: another version, or damaged; then make a new one.
    """
    waiting = sorted(files, reverse=True)
    parts = [b""]
    count, kept = 0, _HEADER.size
    end = _HEADER.size
    for path, start, end in _entries(raw):
        count += 1
        while waiting and waiting[-1] <= path:
            name = waiting.pop()
            parts += (raw[kept:start], _encode_entry(name, files[name]))
            kept = end if name == path else start
            count += name != path
    count += len(waiting)
    parts.append(raw[kept:end])
    parts += [_encode_entry(name, files[name]) for name in reversed(waiting)]
    parts[0] = _HEADER.pack(_SIGNATURE, 2, count)
    body = b"".join(parts)
    return body + sha256(body).digest()
