"""A data directory in the middle of its work, to be interrupted in every way."""

from pathlib import Path

from carethread import CoordinationService
from tests.durability.callers import Said, Task, make_places, write
from tests.durability.promises import Promises

_KINDS = ("message", "message", "message", "identified", "attachment", "ledger", "thread", "record")


def make_backlog(data_dir: Path, *, records: int = 1, entries: int = 8) -> Promises:
    """Make records that are partly in their repositories and partly journalled, and some that are not there at all.

    Two callers, twice, record so many entries each.
    """
    with CoordinationService.open(data_dir, flushes=False) as service:
        places = make_places(service, records=records, threads=2)
        promises = Promises(places)
        for first_caller in (1, 11):
            said: list[Said] = []
            task = Task(
                str(data_dir),
                places,
                callers=2,
                first_caller=first_caller,
                entries=entries,
                kinds=_KINDS,
                flushes=False,
            )
            write(task, said.append)
            promises.hear(said)
            if first_caller == 1:
                service.flush()
    return promises
