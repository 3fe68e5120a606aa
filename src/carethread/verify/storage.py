"""What lies in `.git` beside the objects: nothing there may make Git show anything but this record."""

from pathlib import Path

from msgspec import Struct, field

from carethread.errors import CarethreadError, RepositoryError, StorageError
from carethread.git.inspection import deceiving_files, head_target, list_refs
from carethread.git.layout import BRANCH
from carethread.git.object_reader import ObjectReader
from carethread.verify.codes import Code
from carethread.verify.report import Report

_HEAD = f"ref: {BRANCH}"
_REMOTES = "refs/remotes/"
_REPLACE = "refs/replace"
_CONFIGURATION = ("config", "config.worktree")
# Objects are not looked for where these say.
_STOPS_READING = ("commondir", "objects/info/alternates", "objects/info/http-alternates")


class Storage(Struct):
    """Where the history ends, and the commits that remote branches name, which must be a part of it."""

    head: bytes
    remotes: dict[str, bytes] = field(default_factory=dict)


def read_storage(path: Path, report: Report) -> Storage | None:
    """Check everything in `.git` but the objects; return nothing where there is no history to go on with."""
    try:
        target = head_target(path)
        if target != _HEAD:
            report.add(Code.GIT_HEAD, "It does not name the branch main.", ".git/HEAD")
        deceiving = deceiving_files(path)
        for name in deceiving:
            code = Code.GIT_CONFIG if name in _CONFIGURATION else Code.GIT_DETOUR
            report.add(code, "It makes Git read or show something else than this record.", f".git/{name}")
        storage = _check_refs(list_refs(path), _REPLACE in deceiving, report)
    except (RepositoryError, StorageError) as error:
        report.add(Code.GIT_UNREADABLE, f"The repository cannot be read: {error}.")
        return None
    return None if set(_STOPS_READING) & set(deceiving) else storage


def read_main(path: Path) -> bytes | None:
    """Return the commit that the branch names now, if that can be told."""
    try:
        return list_refs(path).get(BRANCH)
    except (RepositoryError, StorageError):
        return None


def _check_refs(refs: dict[str, bytes | None], replaces: bool, report: Report) -> Storage | None:  # noqa: FBT001
    remotes = {}
    for name, identifier in refs.items():
        if name == BRANCH:
            continue
        if name.startswith(_REMOTES):
            # A clone remembers where it came from; its HEAD there names a branch, which is listed by itself.
            if identifier is not None:
                remotes[name] = identifier
            elif not name.endswith("/HEAD"):
                report.add(Code.GIT_REF, "The remote branch does not name a commit.", f".git/{name}")
        elif not name.startswith(_REPLACE):
            report.add(Code.GIT_REF, "A record has the branch main, and nothing else.", f".git/{name}")
        elif not replaces:
            report.add(Code.GIT_DETOUR, "It makes Git show another object than the one that is there.", f".git/{name}")
    head = refs.get(BRANCH)
    if head is None:
        if BRANCH in refs:
            report.add(Code.GIT_REF, "The branch does not name a commit.", f".git/{BRANCH}")
        else:
            report.add(Code.HISTORY_EMPTY, "The branch main has no commit.")
        return None
    return Storage(head, remotes)


def check_packs(objects: ObjectReader, report: Report) -> None:
    """Compare every pack and index with their checksums."""
    faults: list[CarethreadError] = list(objects.damaged.values())
    for pack in objects.packs:
        try:
            pack.check()
        except (RepositoryError, StorageError) as error:
            faults.append(error)
    for fault in faults:
        report.add(Code.GIT_PACK, f"A pack is damaged: {fault}.")
