"""What is told of the directory: versions of an entry, what surrounds it, duties, what a load did."""

from collections.abc import Mapping

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


class EntryProjection(Struct, frozen=True):
    """An entry as it is served.

    Attributes:
        entry: what it says; without what whoever asks may not know of.
        version: which version that is, from 1.
        recorded_at: when that version was recorded.
        names: `Type/fhir-id` of every entry it names.
        is_partial: something was left out: whom somebody of the patient's side does not know.
    """

    entry: Entry
    version: int
    recorded_at: Instant
    names: Mapping[ParticipantId, str]
    is_partial: bool = False


class EntryPage(Struct, frozen=True):
    """Part of what was found. `after` asks for the next part; empty at the end.

    A part may be short, or empty, and not the last: what a call looks at is bounded. `total` is known where one part
    is all there is.
    """

    entries: tuple[EntryProjection, ...]
    after: str = ""
    total: int | None = None


class WrittenEntry(Struct, frozen=True):
    """An entry as it was written. `changed` says whether there is a new version, `not_kept` which elements are not."""

    projection: EntryProjection
    made: bool
    changed: bool
    not_kept: tuple[str, ...] = ()


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
