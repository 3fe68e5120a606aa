"""Stock Git, where the demonstration shows that nothing else is needed. Nothing in Carethread depends on it."""

import os
import shutil
import subprocess
from pathlib import Path

_DATE = "format:%Y-%m-%d %H:%M"
_FORMAT = "%h  %ad  %<(14,trunc)%an  %s"
_TIMEOUT_S = 30


def log(repository: Path) -> list[str] | None:
    """Return commands and what Git answers to them; nothing where there is no Git that can read the repository."""
    shown = []
    for quoted, arguments in (
        (f"--reverse --date='{_DATE}' --format='{_FORMAT}'", ("--reverse", f"--date={_DATE}", f"--format={_FORMAT}")),
        ("-1 --stat", ("-1", "--stat=90")),
    ):
        answer = _git(repository, "log", *arguments)
        if answer is None:
            return None
        shown += [f"$ git log {quoted}", *(f"  {each}".rstrip() for each in answer.rstrip("\n").split("\n")), ""]
    return shown


def forge(original: Path, copy: Path, file: Path, change: tuple[bytes, bytes], as_in: str) -> bool:
    """Copy a data directory, change a file of a repository in the copy, and commit that as if it were `as_in`.

    Say whether it could be done.
    """
    shutil.copytree(original, copy)
    file.write_bytes(file.read_bytes().replace(*change))
    repository = file.parents[2]
    return _git(repository, "commit", "--quiet", "--all", f"--reuse-message={as_in}") is not None


def _git(repository: Path, *arguments: str) -> str | None:
    # Nobody's own configuration, language or pager.
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_COMMITTER_NAME": "Somebody",
        "GIT_COMMITTER_EMAIL": "somebody@care.example",
        "GIT_COMMITTER_DATE": "2026-01-14T08:00:00Z",
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are all made here
            ["git", "--no-pager", "-C", str(repository), *arguments],  # noqa: S607 - whichever Git is there
            env=environment,
            check=True,
            capture_output=True,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
