"""Secrets that others gave, read from files."""

from pathlib import Path

from carethread.errors import ConfigurationError

_LONGEST_SECRET = 1_000


def read_secret(path: Path) -> str:
    """Return the secret in the first line of a file.

    Raises:
        ConfigurationError: the file cannot be read, or holds none there.
    """
    try:
        found = read_content(path).decode("ascii").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        found = ""
    # What is wrong with it is not repeated: it may be the secret.
    if not found or not found.isprintable() or len(found) > _LONGEST_SECRET:
        raise ConfigurationError(
            f"{path} holds no secret in its first line: write there what the provider gave, and nothing else"
        )
    return found


def read_content(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}; let the server read it") from error
