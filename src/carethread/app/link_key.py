"""The key that seals links to a next page, and sign-ins that were begun. It is no part of a backup."""

import os
from contextlib import suppress
from pathlib import Path

from carethread.errors import StorageError
from carethread.ids import random_uuid

FILE_NAME = "links.key"
_LENGTH = 32


def load_link_key(data_dir: Path) -> bytes:
    """Return the key; make it where there is none. Of several processes that begin at once, all get the same.

    Raises:
        StorageError: the file cannot be read or written.
    """
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read or write {path}: {error.strerror}") from error


def _make(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{random_uuid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, os.urandom(_LENGTH))
        os.fsync(descriptor)
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
