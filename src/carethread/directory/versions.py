"""What became of the directory: the versions of an entry, and what a load did."""

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.model import Entry


class Version(Struct, frozen=True):
    """An entry as it stood from an instant on, and who recorded that. Versions of an entry count from 1."""

    number: int
    recorded_at: Instant
    recorded_by: str
    entry: Entry


class Loaded(Struct, frozen=True):
    """How many entries a load made, changed and found as they are; which elements were there and are not kept."""

    made: int
    changed: int
    unchanged: int
    not_kept: tuple[str, ...]
