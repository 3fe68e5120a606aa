"""PURE: what a token lets its bearer do: SMART on FHIR scopes, version 2, and those of version 1 in its words.

`user/Communication.crs` is a context, a type of resource (or `*`), and the first letters of create, read, update,
delete, search. Version 1 said `read` for `rs`, `write` for `cud`, and `*` for all of them.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

A scope that is restricted by a query, or written in any other way, grants nothing: what cannot be held to is not
promised. Scopes only narrow. What somebody may do is for the policy to say.
"""

import re
from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Self

from msgspec import Struct

from carethread.fhir.refusals import InsufficientScopeError

_CLINICAL = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{0,63})\."
    r"(?:(?P<letters>(?=[cruds])c?r?u?d?s?)|(?P<first>read|write|\*))",
    re.ASCII,
)
_FIRST_VERSION = {"read": "rs", "write": "cud", "*": "cruds"}
_ANY = "*"

# What each interaction needs. History is served like what it is the history of; a search beside a create, and a
# chain through another type, find out what is there, which is searching.
NEEDED: Mapping[str, str] = {
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "history-type": "s",
    "search-type": "s",
    "create": "c",
    "conditional-create": "cs",
    "update": "u",
    "update-create": "cu",
    "patch": "u",
    "delete": "d",
    "validate": "c",
    "include": "r",
    "chain": "s",
}


class Context(StrEnum):
    """For whom a scope is granted."""

    PATIENT = "patient"
    USER = "user"
    SYSTEM = "system"


class Reach(Enum):
    """How far scopes let an interaction go."""

    NONE = auto()
    PATIENT = auto()  # as far as it concerns the one patient whom the token names
    ALL = auto()


class Scopes(Struct, frozen=True):
    """What was granted: for each context and type of resource, the letters.

    Attributes:
        grants: the letters by `context/Type`; only what can be held to.
    """

    grants: Mapping[str, frozenset[str]]

    @classmethod
    def parse(cls, text: str, contexts: frozenset[Context] = frozenset(Context)) -> Self:
        """Read scopes separated by spaces; those of other contexts grant nothing."""
        grants: dict[str, frozenset[str]] = {}
        for each in text.split(" "):
            found = _CLINICAL.fullmatch(each)
            if found is None or Context(found["context"]) not in contexts:
                continue
            place = f"{found['context']}/{found['type']}"
            letters = found["letters"] or _FIRST_VERSION[found["first"]]
            grants[place] = grants.get(place, frozenset()) | frozenset(letters)
        return cls(grants)

    def reach(self, resource_type: str, letters: str) -> Reach:
        """Return how far everything that is needed may go: as far as the least of it."""
        if not letters:
            return Reach.NONE
        found = [self._reach(resource_type, letter) for letter in letters]
        if Reach.NONE in found:
            return Reach.NONE
        return Reach.PATIENT if Reach.PATIENT in found else Reach.ALL

    def allows(self, resource_type: str, letters: str) -> bool:
        """Return whether the letters are granted, be it for one patient only."""
        return self.reach(resource_type, letters) is not Reach.NONE

    def check(self, resource_type: str, interaction: str) -> Reach:
        """Return how far an interaction may go.

        Args:
            resource_type: such as `Communication`.
            interaction: one of `NEEDED`, as the CapabilityStatement calls it.

        Raises:
            InsufficientScopeError: nowhere; it names a scope that would do.
        """
        letters = NEEDED[interaction]
        found = self.reach(resource_type, letters)
        if found is Reach.NONE:
            system = any(each.startswith(Context.SYSTEM) for each in self.grants)
            raise InsufficientScopeError(f"{Context.SYSTEM if system else Context.USER}/{resource_type}.{letters}")
        return found

    def _reach(self, resource_type: str, letter: str) -> Reach:
        if self._grants(Context.USER, resource_type, letter) or self._grants(Context.SYSTEM, resource_type, letter):
            return Reach.ALL
        return Reach.PATIENT if self._grants(Context.PATIENT, resource_type, letter) else Reach.NONE

    def _grants(self, context: Context, resource_type: str, letter: str) -> bool:
        return any(letter in self.grants.get(f"{context}/{each}", ()) for each in (resource_type, _ANY))
