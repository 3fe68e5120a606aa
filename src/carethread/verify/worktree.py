"""The files that lie open beside `.git`, for everybody to read: they must be what the last commit holds."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from carethread.git.object_reader import LARGEST_OBJECT
from carethread.git.objects import object_id

# Whoever sees so many needs no list of the rest.
_MOST = 20


def differences(path: Path, files: dict[str, bytes], passed_over: Collection[str]) -> dict[str, str]:
    """Compare a record's directory with the blobs that should lie in it; return what is wrong with which path.

    A directory that holds nothing but `.git` was never checked out, and shows nobody anything. `passed_over` are paths
    that are reported already.
    """
    missing = {name: blob for name, blob in files.items() if name not in passed_over}
    found: dict[str, str] = {}
    any_file = False
    try:
        for name in _names_below(path, passed_over):
            any_file = True
            blob = missing.pop(name, None)
            if blob is None:
                found[name] = "It does not belong to the record."
            elif _blob_of(f"{path}/{name}") != blob:
                found[name] = "It is not what the last commit holds."
    except OSError as error:
        return {"": f"The record's files cannot be read: {error.strerror}."}
    if any_file:
        found |= dict.fromkeys(missing, "It is missing.")
    if len(found) > _MOST:
        more = len(found) - _MOST
        found = dict(sorted(found.items())[:_MOST]) | {"": f"The same is true of {more} more files."}
    return found


def _names_below(path: Path, passed_over: Collection[str]) -> Iterator[str]:
    """Return the path of everything that is no directory, links to directories included."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(f"{path}/{folder}"):
            name = folder + entry.name
            if name == ".git" or name in passed_over:
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
            else:
                yield name


def _blob_of(path: str) -> bytes | None:
    """Return the id of what a file holds, or a link says; nothing for anything else, which could be endless."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return object_id(b"blob", os.fsencode(Path(path).readlink()))
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_OBJECT:
        return None
    with Path(path).open("rb", buffering=0) as file:
        return object_id(b"blob", file.readall())
