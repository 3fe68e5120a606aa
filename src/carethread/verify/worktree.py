"""The files that lie open beside `.git`, for everybody to read: they must be what the last commit holds."""

import os
import stat
from pathlib import Path

from carethread.errors import RepositoryError, StorageError
from carethread.git.disk import directory, faults_of, open_file, read_range
from carethread.git.object_reader import LARGEST_OBJECT
from carethread.git.objects import object_id


def differences(path: Path, files: dict[str, bytes]) -> dict[str, str]:
    """Compare a record's directory with the blobs that should be in it; return what is wrong with which path."""
    found: dict[str, str] = {}
    left = dict(files)
    try:
        with faults_of(str(path)):
            for folder, folders, names, descriptor in os.fwalk(path):
                inside = Path(folder).relative_to(path)
                if folder == str(path):
                    folders.remove(".git")
                links = [name for name in folders if stat.S_ISLNK(os.lstat(Path(folder, name)).st_mode)]
                for name in sorted(names + links):
                    file = str(inside / name)
                    blob = left.pop(file, None)
                    if blob is None:
                        found[file] = "It does not belong to the record."
                    elif _blob(name, descriptor) != blob:
                        found[file] = "It is not what the last commit holds."
    except (RepositoryError, StorageError) as error:
        found[""] = f"The record's directory cannot be read: {error}."
    return found | dict.fromkeys(left, "It is missing.")
