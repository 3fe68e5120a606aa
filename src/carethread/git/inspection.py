"""What somebody who trusts nothing asks of a repository, beyond its history.

Nothing here stops at the first fault; each function returns what it found.
"""

import os
import re
import stat
from pathlib import Path

from carethread.errors import RepositoryError
from carethread.git.disk import directory, names_in, read_file
from carethread.git.layout import LARGEST_TEXT, git_directory, read_packed_refs

# Files by which Git shows another history or other content than the objects say, or runs programs.
_DECEIVING = (
    "commondir",
    "gitdir",
    "info/attributes",
    "info/grafts",
    "info/sparse-checkout",
    "modules",
    "objects/info/alternates",
    "objects/info/http-alternates",
    "refs/replace",
    "shallow",
    "worktrees",
)
_DECEIVING_SETTING = re.compile(
    rb"^\s*(?:\[\s*include|(?:worktree|hookspath|attributesfile|partialclone|promisor|sparsecheckout|fsmonitor"
    rb"|sshcommand|excludesfile|textconv|command|program|clean|smudge|process)\s*(?:=|$))",
    re.IGNORECASE | re.MULTILINE,
)
_OBJECT_FORMAT = re.compile(rb"^\[extensions\]\n(?:\t[^\n]*\n)*?\tobjectformat = sha256$", re.MULTILINE)
_REF_CONTENT = re.compile(rb"([0-9a-f]{64})\n")


def head_target(path: Path) -> str:
    """Return what `HEAD` holds, without the line's end: `ref: refs/heads/main` in every record.

    Raises:
        RepositoryError: there is no repository.
    """
    with git_directory(path) as git:
        return read_file("HEAD", git, LARGEST_TEXT).decode(errors="replace").removesuffix("\n")


def list_refs(path: Path) -> dict[str, bytes | None]:
    """Return all branches, tags and other references by full name, loose before packed; None for one that is no id.

    Raises:
        RepositoryError: there is no repository, or `packed-refs` is malformed.
    """
    with git_directory(path) as git:
        refs: dict[str, bytes | None] = dict(read_packed_refs(git, str(path)))
        for folder, folders, names, descriptor in os.fwalk("refs", dir_fd=git):
            # Git follows links where we do not.
            linked = [name for name in folders if stat.S_ISLNK(os.lstat(name, dir_fd=descriptor).st_mode)]
            for name in linked + names:
                if name.endswith(".lock"):
                    continue
                try:
                    match = _REF_CONTENT.fullmatch(read_file(name, descriptor, LARGEST_TEXT))
                except (OSError, RepositoryError):
                    match = None
                refs[f"{folder}/{name}"] = None if match is None else bytes.fromhex(match[1].decode())
        return refs


def deceiving_files(path: Path) -> list[str]:
    """Return files below `.git` that make Git show something else than the record, or run a program.

    Raises:
        RepositoryError: there is no repository.
    """
    with git_directory(path) as git:
        found = [name for name in _DECEIVING if _exists(name, git)]
        if "hooks" in names_in(git):
            with directory("hooks", git) as hooks:
                found += [f"hooks/{name}" for name in names_in(hooks) if not name.endswith(".sample")]
        for name in ("config", "config.worktree"):
            if _exists(name, git):
                content = read_file(name, git, LARGEST_TEXT)
                if _DECEIVING_SETTING.search(content) or not (_OBJECT_FORMAT.search(content) or name != "config"):
                    found.append(name)
        if "config" not in names_in(git):
            found.append("config")
        return sorted(found)


def _exists(name: str, git: int) -> bool:
    try:
        os.stat(name, dir_fd=git, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
