"""What is told of the directory: versions of an entry, what surrounds it, duties, what a load did."""

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.memberships import Entries, Member
from carethread.directory.model import Duty, Entry, Membership
from carethread.ids import ParticipantId


class Version(Struct, frozen=True):
    """An entry as it stood from an instant on, and who recorded that. Versions of an entry count from 1."""

    number: int
    recorded_at: Instant
    recorded_by: str
    entry: Entry


class Appointment(Struct, frozen=True):
    """That somebody was appointed to a duty, by whom, from when to when, and who ended it."""

    person: ParticipantId
    duty: Duty
    appointed_at: Instant
    ended_at: Instant | None
    appointed_by: str
    ended_by: str | None


class Details(Struct, frozen=True):
    """An entry with what surrounds it: what it is a member of or its members, its duties, and the entries it names.

    `around` has every entry that any of this names, and more.
    """

    entry: Entry
    memberships: tuple[Membership, ...]
    members: tuple[Member, ...]
    appointments: tuple[Appointment, ...]
    around: Entries


class Loaded(Struct, frozen=True):
    """How many entries a load made, changed and found as they are; which elements were there and are not kept."""

    made: int
    changed: int
    unchanged: int
    not_kept: tuple[str, ...]
