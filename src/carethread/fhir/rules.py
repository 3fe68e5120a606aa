"""What no single element of a FHIR value can say alone: one of a choice, what a reference may name, R4's invariants.

Generated types list their rules, and keep them whenever a value is made, decoded or not. Most often it is plain that
they are kept; a type asks that first, since it is asked for every value that comes in or goes out.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import astuple

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
    """At most one of the elements of a choice, such as `value[x]`, or exactly one.

    `fields` are those of the values; `elements` hold what primitive values have besides, for the same types.
    """

    element: str
    fields: tuple[str, ...]
    required: bool = False
    elements: tuple[str, ...] = ()

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Count which of them the value has."""
        names = self.fields + self.elements
        present = len(names) - _read(names)(value).count(None)
        if present == 1 or (present == 0 and not self.required):
            return ()
        if present == 0:
            return (Fault(self.element, "required", f"one type of {self.element}[x] must be given"),)
        if len({name.removesuffix("_element") for name in names if getattr(value, name) is not None}) == 1:
            return ()
        return (Fault(self.element, "structure", f"only one type of {self.element}[x] may be given"),)


class ExtensionValue(Struct, frozen=True):
    """An extension has a value or extensions of its own: ext-1."""

    choice: Choice

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Count the values, as its choice does, and look for extensions."""
        names = self.choice.fields + self.choice.elements
        valued = _read(names)(value).count(None) < len(names)
        if valued and value.extension:
            return (Fault("", "invariant", "ext-1: Must have either extensions or value[x], not both"),)
        if not valued and not value.extension:
            return (Fault("", "invariant", "ext-1: must have extensions or value[x]"),)
        return self.choice.faults(value) if valued else ()


class Aligned(Struct, frozen=True):
    """The values of a primitive element that repeats, and what they have besides, stand in pairs."""

    element: str
    field: str

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Look for a place where there is neither, and for different lengths."""
        values = getattr(value, self.field)
        besides = getattr(value, f"{self.field}_element")
        if not values and not besides:
            return ()
        if values and besides and len(values) != len(besides):
            text = f"as many values as in _{self.element} must be given, with null where there is none"
            return (Fault(self.element, "structure", text),)
        places = zip(values or besides, besides or values, strict=True)
        return tuple(
            Fault(f"{self.element}[{index}]", "structure", "has neither a value nor extensions")
            for index, (one, other) in enumerate(places)
            if one is None and other is None
        )


class Base64(Struct, frozen=True):
    """Bytes are written in base64: whole groups of four, padded, whitespace only between."""

    element: str
    field: str

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Look at every character, without decoding."""
        text = getattr(value, self.field)
        if text is None or _is_base64(text):
            return ()
        return (Fault(self.element, "value", "must be base64Binary"),)


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
        literal = type_of(reference.reference) if isinstance(reference.reference, str) else None
        kind = reference.type if isinstance(reference.type, str) else None
        if (literal is None or literal in self.types) and (kind is None or kind in self.types):
            return ()
        return (Fault(element, "value", f"may refer to {', '.join(sorted(self.types))} only"),)


class Invariant(Struct, frozen=True):
    """A condition of R4 on several elements together, or on the value of one `element`."""

    key: str
    text: str
    holds: Callable[[Any], bool]
    element: str = ""
    field: str = ""

    def faults(self, value: Any) -> tuple[Fault, ...]:
        """Ask whether it holds, for each value of the element."""
        if not self.field:
            return () if self.holds(value) else (self._fault(""),)
        found = getattr(value, self.field)
        if isinstance(found, tuple):
            return tuple(self._fault(f"[{index}]") for index, each in enumerate(found) if not self.holds(each))
        return () if found is None or self.holds(found) else (self._fault(""),)

    def _fault(self, index: str) -> Fault:
        return Fault(f"{self.element}{index}", "invariant", f"{self.key}: {self.text}")


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


# Longer ones are looked at each time, so that nobody fills the memory with them.
_MAX_CACHED = 200


def type_of(reference: str) -> str | None:
    """Return the resource type that a literal reference says, None if it says none."""
    return _type_of(reference) if len(reference) <= _MAX_CACHED else _type_of.__wrapped__(reference)


@lru_cache(maxsize=4096)
def _type_of(reference: str) -> str | None:
    match = _RELATIVE.fullmatch(reference) or _ABSOLUTE.fullmatch(reference)
    return match["type"] if match else None


def names_one_of(reference: Any, types: frozenset[str]) -> bool:
    """Tell whether it is plain that a reference may stand here; if not, it may still."""
    return reference.type is None and reference.reference is not None and type_of(reference.reference) in types


def all_name_one_of(references: tuple[Any, ...], types: frozenset[str]) -> bool:
    """Tell the same of each."""
    for each in references:  # noqa: SIM110 - all() costs as much again
        if not names_one_of(each, types):
            return False
    return True


def has_one_value(extension: Any) -> bool:
    """Tell whether it is plain that an extension has one value and nothing else: all but three of its fields are None.

    The three are the value, `url`, and `extension`, which is empty.
    """
    return (
        extension.id is None
        and not extension.extension
        and extension.value_base64_binary is None
        and astuple(extension).count(None) == len(extension.__struct_fields__) - 3
    )


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MOST_PADDING = 2


def _is_base64(text: str) -> bool:
    if not text.isascii():
        return False
    # Whitespace stands between groups of four, so that without it nothing else has moved.
    symbols = text.encode("ascii").translate(None, b" \t\r\n")
    digits = symbols.rstrip(b"=")
    padding = len(symbols) - len(digits)
    return bool(digits) and len(symbols) % 4 == 0 and padding <= _MOST_PADDING and not digits.translate(None, _BASE64)


@lru_cache(maxsize=256)
def _read(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what reads these attributes at once: two or more, as a choice has."""
    return attrgetter(*names)


def keep_rules(value: Any) -> None:
    """Look at the rules of a value's type one after the other.

    Raises:
        BrokenRuleError: some are broken; all of them are told.
    """
    faults = tuple(fault for rule in value.rules for fault in rule.faults(value))
    if faults:
        raise BrokenRuleError(faults)
