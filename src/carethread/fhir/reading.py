"""Reads JSON against the types, slowly, and says everything that is wrong and where.

msgspec stops at the first fault, and does not see all of them. This reads what it refused, or what is doubtful, element
by element, and goes on after a fault.
"""

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from msgspec import inspect

from carethread.fhir import types
from carethread.fhir.errors import Issue
from carethread.fhir.rules import Choice, ExtensionValue, Rule, Targets
from carethread.fhir.types import primitives

MAX_ISSUES = 50

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
# Enough for 32 bits, with a sign; a longer one is read as a decimal.
_INTEGER_DIGITS = 11


class _Unreadable:
    """Stands for what could not be read, so that the rules of what is around it can be asked all the same."""

    def __getattr__(self, name: str) -> None:
        return None


_UNREADABLE: Final = _Unreadable()


class _Twice(dict[str, Any]):
    """An object with a name that occurs more than once."""


class _EnoughIssuesError(Exception):
    """There are so many that nobody reads more."""


def faults_of(data: bytes, spoken: frozenset[str]) -> tuple[Issue, ...]:
    """Return what is wrong with JSON that should be a resource of one of the types `spoken`; at most MAX_ISSUES."""
    try:
        # First, because it is stricter than the one that tells when a name occurs twice.
        msgspec.json.decode(data)
        value = json.loads(data, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer)
    except (ValueError, RecursionError):
        return (Issue("structure", "Resource", "is not JSON in UTF-8"),)
    reader = _Reader()
    with suppress(_EnoughIssuesError):
        reader.resource(value, "", spoken)
    return tuple(reader.issues)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    return read if len(read) == len(pairs) else _Twice(read)


def _decimal(text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:
        return _UNREADABLE


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _INTEGER_DIGITS else Decimal(text)


@cache
def _struct(kind: type) -> inspect.StructType:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101 - all types are generated as structs
    return found


_RESOURCES: Final = {name: getattr(types, name) for name in (each.__name__ for each in types.AnyResource.__args__)}


@cache
def _expressions(kind: type) -> dict[str, str]:
    """Return what FHIRPath calls each field: without the type of a choice, without an underscore."""
    found = {field.name: field.encode_name.removeprefix("_") for field in _struct(kind).fields}
    for rule in _rules(kind):
        choice = rule.choice if isinstance(rule, ExtensionValue) else rule
        if isinstance(choice, Choice):
            found |= dict.fromkeys(choice.fields + choice.elements, choice.element)
    return found


def _rules(kind: type) -> tuple[Rule, ...]:
    rules: tuple[Rule, ...] = getattr(kind, "rules", ())
    return rules


def _primitive_types() -> list[tuple[str, inspect.Type]]:
    return [(name, inspect.type_info(kind)) for name, kind in vars(primitives).items() if hasattr(kind, "__metadata__")]


# What the text of each expression is called; `uri` for those that look alike.
_PATTERNS: Final = {
    info.pattern: name[:1].lower() + name[1:] for name, info in _primitive_types() if isinstance(info, inspect.StrType)
}


class _Reader:
    """Keeps the issues, and what a resource contains and refers to inside."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        # Of the resource that is being read, with those in it: each "#id" that is referred to, with the place, ...
        self._local: list[tuple[str, str]] = []
        # ... and each that is named by a URI.
        self._uris: set[str] = set()

    def _issue(self, code: str, path: str, text: str) -> None:
        self.issues.append(Issue(code, path, text))
        if len(self.issues) >= MAX_ISSUES:
            raise _EnoughIssuesError

    def resource(self, value: Any, path: str, spoken: frozenset[str], *, contained: bool = False) -> Any:
        """Read a resource at a path; at no path, it is the outermost and begins one."""
        if not isinstance(value, dict):
            self._issue("structure", path or "Resource", "must be an object")
            return _UNREADABLE
        name = value.get("resourceType")
        if not isinstance(name, str):
            self._issue("required", path or "Resource", "resourceType must be given")
            return _UNREADABLE
        if name not in spoken or name not in _RESOURCES:
            self._issue("not-supported", path or "Resource", "is of a type that is not taken here")
            return _UNREADABLE
        if contained:
            return self._object(value, _struct(_RESOURCES[name]), path)
        outer, self._local, self._uris = (self._local, self._uris), [], set()
        read = self._object(value, _struct(_RESOURCES[name]), path or name)
        if isinstance(value.get("contained", ()), list | tuple):
            self._contained(value.get("contained", ()), path or name)
        self._local, self._uris = outer
        return read

    def _contained(self, contained: Any, path: str) -> None:
        """Check what R4 says of contained resources: dom-2 to dom-5, and ref-1."""
        read = [self.resource(each, f"{path}.contained[{i}]", _ALL, contained=True) for i, each in enumerate(contained)]
        ids = {each.id for each in read if isinstance(each.id, str)}
        named = {name for _, name in self._local} | self._uris
        for place, name in self._local:
            if name not in ("#", *(f"#{each}" for each in ids)):
                self._issue("invariant", place, "ref-1: no contained resource has this id")
        for index, (each, raw) in enumerate(zip(read, contained, strict=True)):
            if each is _UNREADABLE:
                continue
            where = f"{path}.contained[{index}]"
            if "contained" in raw:
                self._issue("invariant", where, "dom-2: a contained resource contains no others")
            if f"#{each.id}" not in named and "#" not in named:
                self._issue("invariant", where, "dom-3: the resource that contains it does not refer to it")
            if each.meta is not None and (each.meta.version_id is not None or each.meta.last_updated is not None):
                self._issue("invariant", where, "dom-4: a contained resource has no version")
            if each.meta is not None and each.meta.security:
                self._issue("invariant", where, "dom-5: a contained resource has no security label")

    def _object(self, value: Any, info: inspect.StructType, path: str) -> Any:
        if not isinstance(value, dict):
            self._issue("structure", path, "must be an object")
            return _UNREADABLE
        if isinstance(value, _Twice):
            self._issue("structure", path, "has an element of the same name twice")
        before = len(self.issues)
        read, readable = self._fields(value, info, path)
        self._unknown(value, info, path)
        if not value.keys() - {"id"}:
            self._issue("invariant", path, "ele-1: must have a value or children")
        own = len(self.issues) == before or readable
        for rule in _rules(info.cls):
            if own or isinstance(rule, Choice | ExtensionValue | Targets):
                for fault in rule.faults(read):
                    self._issue(fault.code, f"{path}.{fault.element}" if fault.element else path, fault.text)
        return read

    def _fields(self, value: dict[str, Any], info: inspect.StructType, path: str) -> tuple[SimpleNamespace, bool]:
        """Read the elements that are known; tell too whether all could be read as what they are."""
        read: dict[str, Any] = {"__struct_fields__": tuple(field.name for field in info.fields)}
        readable = True
        for field in info.fields:
            where = f"{path}.{_expressions(info.cls)[field.name]}"
            repeats = _repeats(field.type)
            if field.encode_name not in value:
                read[field.name] = () if repeats else None
                if field.required:
                    self._issue("required", where, "must be given")
                    readable = False
                continue
            read[field.name] = self._value(value[field.encode_name], field.type, where)
            readable = readable and read[field.name] is not _UNREADABLE
        return SimpleNamespace(**read), readable

    def _unknown(self, value: dict[str, Any], info: inspect.StructType, path: str) -> None:
        known = {field.encode_name for field in info.fields}
        if info.tag_field is not None:
            known.add(info.tag_field)
        for name in value.keys() - known:
            where = f"{path}.{name}" if _NAME.fullmatch(name) else path
            self._issue("structure", where, "R4 has no element of this name here")

    def _value(self, value: Any, info: inspect.Type, path: str) -> Any:
        if isinstance(info, inspect.UnionType):
            kinds = [each for each in info.types if not isinstance(each, inspect.NoneType)]
            if len(kinds) > 1:
                return self.resource(value, path, _ALL)
            info = kinds[0]
        if isinstance(info, inspect.VarTupleType):
            return self._list(value, info, path)
        if isinstance(info, inspect.StructType):
            read = self._object(value, info, path)
            if info.cls is types.Reference and isinstance(read.reference, str) and read.reference.startswith("#"):
                self._local.append((path, read.reference))
            return read
        return self._primitive(value, info, path)

    def _list(self, value: Any, info: inspect.VarTupleType, path: str) -> Any:
        if not isinstance(value, list):
            self._issue("structure", path, "must be an array")
            return _UNREADABLE
        if not value:
            self._issue("structure", path, "must not be an empty array")
        item = info.item_type
        if isinstance(item, inspect.RawType):
            # Read with the whole resource, which they may refer to.
            return tuple(value)
        nullable = isinstance(item, inspect.UnionType)
        return tuple(
            None if each is None and nullable else self._value(each, item, f"{path}[{index}]")
            for index, each in enumerate(value)
        )

    def _primitive(self, value: Any, info: inspect.Type, path: str) -> Any:
        code, fault = "value", ""
        if isinstance(info, inspect.LiteralType):
            if not isinstance(value, str) or value not in info.values:
                code, fault = "code-invalid", "must be one of the codes that R4 allows here"
        elif isinstance(info, inspect.StrType):
            fault = _fault_of_text(value, info)
            if not fault and info.pattern is not None and value.startswith("#"):
                self._uris.add(value)
        elif isinstance(info, inspect.BoolType):
            fault = "" if isinstance(value, bool) else "must be true or false"
        elif isinstance(info, inspect.DecimalType):
            number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            fault = "" if number else "must be a number"
        elif isinstance(info, inspect.IntType):
            fault = _fault_of_integer(value, info)
        if fault:
            self._issue(code, path, fault)
            return _UNREADABLE
        return Decimal(value) if isinstance(info, inspect.DecimalType) else value


def _repeats(info: inspect.Type) -> bool:
    return isinstance(info, inspect.VarTupleType)


def _fault_of_text(value: Any, info: inspect.StrType) -> str:
    if not isinstance(value, str):
        return "must be a string"
    if not value:
        return "must not be empty"
    if _CONTROL.search(value):
        return "must not hold control characters"
    if info.pattern is not None and re.search(info.pattern, value) is None:
        return f"must be in the form of a FHIR {_PATTERNS[info.pattern]}"
    return ""


def _fault_of_integer(value: Any, info: inspect.IntType) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be a whole number of 32 bits"
    low, high = info.ge or 0, info.le or 0
    return "" if low <= value <= high else f"must be a whole number from {low} to {high}"


_ALL: Final = frozenset(_RESOURCES)
