"""Whom an entry names."""

from carethread.directory.model import CareTeam, Entry
from carethread.ids import ParticipantId

# The fields that hold one id. What a team names is a `member`.
FIELDS = ("practitioner", "organization", "patient", "replaced_by", "part_of", "managing_organization")
MEMBER = "member"


def relations(entry: Entry) -> tuple[tuple[str, ParticipantId], ...]:
    """Return the ids an entry names, each with the field that does."""
    named = [(field, getattr(entry, field, None)) for field in FIELDS]
    if isinstance(entry, CareTeam):
        named += [(MEMBER, each.member) for each in entry.members]
    return tuple((field, target) for field, target in named if target is not None)
