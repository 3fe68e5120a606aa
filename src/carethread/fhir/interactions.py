"""PURE: what the gateway can be asked: the words in which its table is written.

The table itself is in `table`; it routes requests, and CapabilityStatement and OpenAPI description are made from it.
"""

from enum import StrEnum

from msgspec import Struct


class Interaction(StrEnum):
    """An interaction with one type, by its code: https://hl7.org/fhir/R4/valueset-type-restful-interaction.html."""

    READ = "read"
    VREAD = "vread"
    UPDATE = "update"
    CREATE = "create"
    HISTORY_INSTANCE = "history-instance"
    HISTORY_TYPE = "history-type"
    SEARCH = "search-type"


class Kind(StrEnum):
    """What the values of a search parameter are: https://hl7.org/fhir/R4/valueset-search-param-type.html."""

    DATE = "date"
    REFERENCE = "reference"
    STRING = "string"
    TOKEN = "token"  # noqa: S105 - a code, no secret
    URI = "uri"


class Parameter(Struct, frozen=True):
    """A search parameter of one type.

    Attributes:
        name: as in a query, such as `based-on`.
        kind: how its values read.
        meaning: what it finds, in a sentence.
        targets: of a reference: the types it may lead to.
        modifiers: those that may follow the name, without the types of a reference, which always may.
        chains: of a reference: the parameters of a target that may follow it, as (type, name).
        own: whether it is ours and not R4's.
    """

    name: str
    kind: Kind
    meaning: str
    targets: tuple[str, ...] = ()
    modifiers: frozenset[str] = frozenset()
    chains: tuple[tuple[str, str], ...] = ()
    own: bool = False


class Reverse(Struct, frozen=True):
    """A parameter of another type by which a type is found: `_has:Communication:based-on:sender`."""

    type: str
    reference: str
    parameter: str

    @property
    def name(self) -> str:
        """As in a query."""
        return f"_has:{self.type}:{self.reference}:{self.parameter}"


class Support(Struct, frozen=True, kw_only=True):
    """What can be asked about one type.

    Attributes:
        type: the resource type.
        interactions: what may be done.
        meaning: what stands behind it here, in a sentence or two.
        parameters: what it is searched by.
        reverse: the same, by what refers to it.
        includes: what `_include` brings along, by the parameter's name.
        revincludes: what `_revinclude` brings along, as (type, parameter).
        sorts: what a search may be sorted by.
        conditional_create: whether `If-None-Exist` is heard.
        update_creates: whether a PUT to an id that is not in use creates.
        validates: whether there is `$validate`.
        profiles: profiles that instances may claim.
    """

    type: str
    interactions: tuple[Interaction, ...]
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    reverse: tuple[Reverse, ...] = ()
    includes: tuple[str, ...] = ()
    revincludes: tuple[tuple[str, str], ...] = ()
    sorts: tuple[str, ...] = ()
    conditional_create: bool = False
    update_creates: bool = False
    validates: bool = True
    profiles: tuple[str, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of this name."""
        return next((each for each in self.parameters if each.name == name), None)
