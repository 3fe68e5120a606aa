"""Makes the region in a data directory of its own."""

import tempfile
from pathlib import Path

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.demonstration.playing import build
from carethread.demonstration.region import Region, keep
from carethread.demonstration.stage import Stage
from carethread.errors import ConfigurationError, StorageError
from carethread.record.model import Progress

NAME = "Quillhaven Shared Care"
DOMAIN = "quillhaven.example"


def make(directory: Path, now: Instant, progress: Progress | None = None) -> Region:
    """Make a new data directory with the region, whose last conversations end a few minutes before `now`.

    It is made beside its place and moved there when it is complete: one that was interrupted is not there at all.

    Raises:
        ConfigurationError: something is there already.
        StorageError: the disk failed.
    """
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise ConfigurationError(f"{directory} is there already, and is no demonstration: name a new directory")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as beside:
            made = Path(beside) / "data"
            region = _played(made, now, progress)
            keep(region, made)
            made.rename(directory)
    except OSError as error:
        raise StorageError(f"cannot make {directory}: {error.strerror}") from error
    return region


def _played(directory: Path, now: Instant, progress: Progress | None) -> Region:
    stage = Stage(now)
    with CoordinationService.open(
        directory, name=NAME, domain=DOMAIN, clock=stage.clock, mint=stage.mint, flushes=False
    ) as service:
        region = build(service, stage, progress)
        service.flush()
    return region
