"""Who writes which entry of the directory: clients, for the organisations whose directory they manage.

A role or a team entry lets somebody read, so writing one is guarded like what it opens.
"""

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.memberships import Entries
from carethread.directory.model import Entry
from carethread.ids import ParticipantId


class DirectoryRights(Struct, frozen=True):
    """Whose entries a client writes: those of some organisations, or `everything`."""

    organizations: frozenset[ParticipantId] = frozenset()
    everything: bool = False


class Surroundings(Struct, frozen=True):
    """What bears on whether an entry may be written: entries around it, when, and whether they have a duty."""

    entries: Entries
    at: Instant
    has_duty: bool = False


def check_may_write_entry(rights: DirectoryRights, before: Entry | None, after: Entry, around: Surroundings) -> None:
    """A client writes what belongs to the organisations whose directory it manages.

    Raises:
        NotAllowedError: it is not theirs, before or after.
    """
    raise NotImplementedError
