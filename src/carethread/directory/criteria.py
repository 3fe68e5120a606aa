"""What is asked of the directory: entries of one kind of which several things hold.

A search is clauses that must all hold, each with alternatives of which one must. What names an entry that is not there
holds of nobody.
"""

from enum import StrEnum

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.model import EntryKind


class EntryField(StrEnum):
    """What a clause is about. The values are FHIR's names of search parameters, where FHIR has one."""

    ID = "_id"
    LAST_UPDATED = "_lastUpdated"
    IDENTIFIER = "identifier"
    NAME = "name"
    ACTIVE = "active"
    PART_OF = "partof"
    PRACTITIONER = "practitioner"
    ORGANIZATION = "organization"
    PATIENT = "patient"
    PARTICIPANT = "participant"
    LINK = "link"
    STATUS = "status"
    BIRTH_DATE = "birthdate"


class Matching(StrEnum):
    """How text is compared: FHIR's default, and its modifiers `:exact` and `:contains`."""

    STARTS = "starts"
    EXACT = "exact"
    CONTAINS = "contains"


class Text(Struct, frozen=True):
    """Part of a name. Only `EXACT` minds case and accents; the others mind neither, nor what is no letter or digit."""

    text: str
    matching: Matching = Matching.STARTS


class Token(Struct, frozen=True):
    """An identifier, a code or an id. `None` is any system, or any value of a system."""

    value: str | None
    system: str | None = None


class Named(Struct, frozen=True):
    """An entry that is named: by its FHIR id or UUID, or by an identifier of its own. `None` is any kind."""

    id: str = ""
    kind: EntryKind | None = None
    identifier: Token | None = None


class Span(Struct, frozen=True):
    """From an instant until before another. `None` is open.

    `within` says that all of what is compared lies in it, as FHIR's `eq` has it; else some of it does: a birth date may
    be that of a whole year.
    """

    since: Instant | None = None
    until: Instant | None = None
    within: bool = True


Wanted = Text | Token | Named | Span


class EntryClause(Struct, frozen=True):
    """One condition: any of `values` holds, or, negated, none does."""

    field: EntryField
    values: tuple[Wanted, ...]
    negated: bool = False


# Which fields each kind has, and what kind of value each takes.
FIELDS: dict[EntryKind, frozenset[EntryField]] = {
    EntryKind.ORGANIZATION: frozenset({EntryField.NAME, EntryField.ACTIVE, EntryField.PART_OF}),
    EntryKind.PRACTITIONER: frozenset({EntryField.NAME, EntryField.ACTIVE}),
    EntryKind.PRACTITIONER_ROLE: frozenset({EntryField.ACTIVE, EntryField.PRACTITIONER, EntryField.ORGANIZATION}),
    EntryKind.RELATED_PERSON: frozenset({EntryField.NAME, EntryField.ACTIVE, EntryField.PATIENT}),
    EntryKind.PATIENT: frozenset({EntryField.NAME, EntryField.ACTIVE, EntryField.BIRTH_DATE, EntryField.LINK}),
    EntryKind.CARE_TEAM: frozenset({EntryField.STATUS, EntryField.PATIENT, EntryField.PARTICIPANT}),
}
EVERY_KIND = frozenset({EntryField.ID, EntryField.LAST_UPDATED, EntryField.IDENTIFIER})
VALUES: dict[EntryField, type[Text | Token | Named | Span]] = {
    EntryField.ID: Token,
    EntryField.LAST_UPDATED: Span,
    EntryField.IDENTIFIER: Token,
    EntryField.NAME: Text,
    EntryField.ACTIVE: Token,
    EntryField.PART_OF: Named,
    EntryField.PRACTITIONER: Named,
    EntryField.ORGANIZATION: Named,
    EntryField.PATIENT: Named,
    EntryField.PARTICIPANT: Named,
    EntryField.LINK: Named,
    EntryField.STATUS: Token,
    EntryField.BIRTH_DATE: Span,
}
