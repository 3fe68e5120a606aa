"""Stock Git, as whoever tampers with a record has it at hand."""

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Mallory",
    "GIT_AUTHOR_EMAIL": "mallory@example.org",
    "GIT_COMMITTER_NAME": "Mallory",
    "GIT_COMMITTER_EMAIL": "mallory@example.org",
    "GIT_AUTHOR_DATE": "1768150000 +0000",
    "GIT_COMMITTER_DATE": "1768150000 +0000",
}


def git(repository: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
    """Run stock Git in a repository; return what it printed, without the last line's end."""
    done = run(repository, *arguments, stdin=stdin, **environment)
    return done.decode().removesuffix("\n")


def run(repository: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> bytes:
    """Run stock Git in a repository; return the very bytes it printed."""
    return subprocess.run(
        ["git", *arguments],
        cwd=repository,
        input=stdin,
        capture_output=True,
        check=True,
        env=_ENVIRONMENT | environment,
    ).stdout
