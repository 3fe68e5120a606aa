"""What stock Git says about a repository."""

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(path: Path, *arguments: str) -> str:
    """Run stock Git in a repository; return what it printed, complaints included."""
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        cwd=path,
        env=_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)} in {path}: {done.stdout}"
    return done.stdout


def check_repository(path: Path) -> None:
    """Have stock Git check every object, and that index and worktree are what the branch says."""
    assert git(path, "fsck", "--full", "--strict", "--no-progress") == ""
    assert git(path, "status", "--porcelain", "--ignored", "--untracked-files=all") == ""


def check_nothing_left_behind(path: Path) -> None:
    """Check that no object is there in vain, and no file that Git does not know."""
    assert git(path, "fsck", "--full", "--unreachable", "--no-progress") == ""
    counted = git(path, "count-objects", "--verbose").splitlines()
    assert {"garbage: 0", "prune-packable: 0"} <= set(counted), counted
    known = {"HEAD", "config", "index", "objects", "refs", "packed-refs", "shallow"}
    assert {each.name for each in (path / ".git").iterdir()} <= known
    assert [each.name for each in (path / ".git/refs/heads").iterdir()] == ["main"]


def age_lone_packs(path: Path) -> None:
    """Make packs without an index look as if they had been so for an hour: then they are nobody's."""
    packs = path / ".git/objects/pack"
    for each in packs.glob("*.pack"):
        if not each.with_suffix(".idx").exists():
            before = each.stat().st_mtime - 3600
            os.utime(each, (before, before))
