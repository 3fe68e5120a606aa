"""Entries of the directory by id, with all that bears on what they are members of."""

from collections.abc import Iterable

from carethread.clock import Instant
from carethread.directory.model import Entry
from carethread.ids import ParticipantId
from carethread.store.database import Connection


def entries_around(
    connection: Connection, ids: Iterable[ParticipantId], as_of: Instant | None = None
) -> dict[ParticipantId, Entry]:
    """Return entries and whatever bears on their memberships; those the directory does not have are left out.

    Of a person: their roles, the groups they are in, directly or through other groups, and the patients merged. Of a
    group: its members, down through nested groups, and the groups it is in. With `as_of`, as the directory stood then.
    """
    raise NotImplementedError
