"""What no single element of a FHIR value can say alone: one of a choice, what a reference may name, R4's invariants.

Generated types list their rules and keep them whenever a value is made, decoded or not.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from msgspec import Struct

# Type/id or Type/id/_history/version, or in a transaction Type?search. https://hl7.org/fhir/R4/references.html#literal
_RELATIVE = re.compile(
    r"(?P<type>[A-Z][A-Za-z]{1,63})(?:/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?|\?[!-~]+)", re.ASCII
)
_ABSOLUTE = re.compile(
    r"https?://[^\s?#]+/(?P<type>[A-Z][A-Za-z]{1,63})/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?", re.ASCII
)
_OTHER = re.compile(r"#[A-Za-z0-9.-]{0,64}|[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII)


class Fault(Struct, frozen=True):
    """What is wrong with a value.

    Attributes:
        element: where, below the value: `sender`, `recipient[1]`, or empty for the value itself.
        code: of https://hl7.org/fhir/R4/valueset-issue-type.html.
        text: for people; nothing of the value stands in it.
    """

    element: str
    code: str
    text: str


class BrokenRuleError(ValueError):
    """A FHIR value breaks its type's rules. A ValueError, so that msgspec says where in the JSON it happened."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take what is wrong."""
        super().__init__("; ".join(f"{fault.element}: {fault.text}" for fault in faults))
        self.faults = faults


class Rule(Protocol):
    """Says what is wrong with a value; nothing if it is as it should be."""

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Return what is wrong."""


class Choice(Struct, frozen=True):
    """At most one of the elements of a choice, such as `value[x]`, or exactly one."""

    element: str
    fields: tuple[str, ...]
    required: bool = False

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Count which of them the value has."""
        present = sum(1 for name in self.fields if getattr(value, name) is not None)
        if present > 1:
            return (Fault(self.element, "structure", f"only one type of {self.element}[x] may be given"),)
        if self.required and not (present or any(getattr(value, f"{name}_element", None) for name in self.fields)):
            return (Fault(self.element, "required", f"one type of {self.element}[x] must be given"),)
        return ()


class Targets(Struct, frozen=True):
    """What the references of an element may name."""

    element: str
    field: str
    types: frozenset[str]

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Look at the type of each reference, as far as it says one."""
        found = getattr(value, self.field)
        if not found:
            return ()
        if not isinstance(found, tuple):
            return self._fault(found, self.element)
        return tuple(
            fault for index, each in enumerate(found) for fault in self._fault(each, f"{self.element}[{index}]")
        )

    def _fault(self, reference: Any, element: str) -> tuple[Fault, ...]:
        literal = type_of(reference.reference) if reference.reference is not None else None
        if (literal is None or literal in self.types) and (reference.type is None or reference.type in self.types):
            return ()
        return (Fault(element, "value", f"may refer to {', '.join(sorted(self.types))} only"),)


class Invariant(Struct, frozen=True):
    """A condition of R4 on several elements together."""

    key: str
    text: str
    holds: Callable[[Any], bool]

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Ask whether it holds."""
        return () if self.holds(value) else (Fault("", "invariant", f"{self.key}: {self.text}"),)


class LiteralReference(Struct, frozen=True):
    """A reference has the form that R4 gives it, and its `type` says the same."""

    types: frozenset[str]

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Look at `reference` and `type`."""
        if value.reference is None:
            return ()
        named = type_of(value.reference)
        if named is None:
            if _OTHER.fullmatch(value.reference) is None:
                return (Fault("reference", "value", "is neither Type/id nor an absolute URL nor #id"),)
        elif named not in self.types and _RELATIVE.fullmatch(value.reference):
            return (Fault("reference", "value", "names no resource type of R4"),)
        elif value.type is not None and named in self.types and value.type != named:
            return (Fault("type", "value", "is not the type that the reference names"),)
        return ()


@lru_cache(maxsize=4096)
def type_of(reference: str) -> str | None:
    """Return the resource type that a literal reference says, None if it says none."""
    match = _RELATIVE.fullmatch(reference) or _ABSOLUTE.fullmatch(reference)
    return match["type"] if match else None


class Ruled:
    """Keeps the rules of its type whenever a value is made."""

    __slots__ = ()
    rules: ClassVar[tuple[Rule, ...]] = ()

    def __post_init__(self) -> None:
        """Look at them one after the other.

        Raises:
            BrokenRuleError: some are broken; all of them are told.
        """
        for rule in self.rules:
            if rule.faults(self):
                raise BrokenRuleError(tuple(fault for each in self.rules for fault in each.faults(self)))
