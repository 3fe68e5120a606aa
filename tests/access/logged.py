"""What the access log says, as the database has it."""

from collections.abc import Callable

from carethread.access_log import AccessEntry
from carethread.store.access import Filter, lines
from tests.region import Region


def log(region: Region) -> list[AccessEntry]:
    """Return all lines, oldest first."""
    with region.service.archive.database.read() as connection:
        return list(lines(connection, Filter()))


def newly(region: Region, does: Callable[[], object]) -> list[AccessEntry]:
    """Return the lines that something writes."""
    before = len(log(region))
    does()
    return log(region)[before:]
