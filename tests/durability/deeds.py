"""What a process does until it is stopped in the middle of it. Each says something once it begins."""

from itertools import count
from pathlib import Path

from msgspec.structs import replace

from carethread import CoordinationService
from tests.durability.callers import Said, Say, clinical_id
from tests.durability.tripwire import die, tripwire
from tests.people import JANE, PLACE

_BEGUN = Said("begun", 0, 0)


def begin(data_dir: str, say: Say) -> None:
    """Make a data directory and begin records in it, one after the other."""
    say(_BEGUN)
    with CoordinationService.open(data_dir) as service:
        for number in count(1):
            attempt = Said("record", 1, number)
            say(attempt)
            made = service.initialise(JANE, PLACE, clinical_id(1, number))
            say(replace(attempt, result=made.coordination_id))


def flush(data_dir: str, say: Say) -> None:
    """Flush everything."""
    with CoordinationService.open(data_dir, flushes=False) as service:
        say(_BEGUN)
        service.flush()


def flush_until(data_dir: str, at: int, say: Say) -> None:
    """Flush everything, and die at the n-th call that changes something."""
    with CoordinationService.open(data_dir, flushes=False) as service:
        say(_BEGUN)
        with tripwire(at, die):
            service.flush()


def open_and_close(data_dir: str, say: Say) -> None:
    """Open a data directory, and make it where there is none."""
    say(_BEGUN)
    with CoordinationService.open(data_dir, flushes=False):
        pass


def rebuild(data_dir: str, say: Say) -> None:
    """Make the index anew."""
    with CoordinationService.open(data_dir, flushes=False) as service:
        service.flush()
        say(_BEGUN)
        service.rebuild()


def backup(data_dir: str, target: str, say: Say) -> None:
    """Back everything up."""
    with CoordinationService.open(data_dir, flushes=False) as service:
        say(_BEGUN)
        service.backup(Path(target))
