"""PURE: a search as it was asked, read with the table: parameters, their modifiers and chains, and how to answer."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from carethread.fhir.dates import read_date
from carethread.fhir.interactions import Kind, Parameter, Reverse, Support
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.shape import SHAPE, Shape, read_shape
from carethread.fhir.table import BY_TYPE
from carethread.fhir.values import (
    Text,
    Value,
    read_identifier,
    read_reference,
    read_token,
    split,
    unescape,
)

CURSOR = "_cursor"
MOST_PARAMETERS = 40
MOST_VALUES = 50
LONGEST_VALUE = 1000
MOST_COUNT = 1000
USUAL_COUNT = 50
TOTALS = ("none", "estimate", "accurate")
_REPEATED = frozenset({"_include", "_revinclude"})
# What is about the answer and not about what is found. Each may be said once, but includes.
ABOUT_ANSWER = ("_sort", "_count", "_total", *sorted(_REPEATED), *SHAPE, CURSOR)

Pairs = tuple[tuple[str, str], ...]
_WHOLE = Shape()


class Given(Struct, frozen=True):
    """One parameter of a search: all of them must hold, and of each one of its values.

    Attributes:
        name: as it was written, with modifiers and chain.
        parameter: of the type that is searched; of a reverse one, of the type that refers to it.
        values: at least one.
        negated: with `:not`.
        target: the type that a chain leads through.
        chained: the parameter of that type.
        reverse: of `_has`.
    """

    name: str
    parameter: Parameter
    values: tuple[Value, ...]
    negated: bool = False
    target: str = ""
    chained: Parameter | None = None
    reverse: Reverse | None = None


class Query(Struct, frozen=True, kw_only=True):
    """A search, read.

    Attributes:
        given: what must hold.
        sort: one of the type's, or empty.
        count: how many on a page at most.
        total: whether they are counted.
        includes: the parameters of `_include`.
        revincludes: those of `_revinclude`, as (type, parameter).
        shape: how resources are shown.
        cursor: where the page before ended, as it was signed.
        pairs: everything that was heard but the cursor, for links.
        unheard: what was not, where whoever asks wants to be answered nevertheless.
    """

    given: tuple[Given, ...] = ()
    sort: str = ""
    count: int = USUAL_COUNT
    total: str = "none"
    includes: tuple[str, ...] = ()
    revincludes: tuple[tuple[str, str], ...] = ()
    shape: Shape = Shape()
    cursor: str = ""
    pairs: Pairs = ()
    unheard: tuple[str, ...] = ()


def read_pairs(text: bytes) -> Pairs:
    """Return the parameters of a query string or form.

    Raises:
        RefusedError: too many, not UTF-8, or a value is too long.
    """
    if not text:
        return ()
    parts = text.split(b"&")
    if len(parts) > MOST_PARAMETERS:
        raise bad("too-costly", f"there are more than {MOST_PARAMETERS} parameters")
    return tuple(_pair(each) for each in parts if each)


def _pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    return _decoded(name), _decoded(value)


def _decoded(text: bytes) -> str:
    if len(text) > 3 * LONGEST_VALUE:
        raise bad("too-long", "a parameter is too long")
    if b"+" in text:
        text = text.replace(b"+", b" ")
    try:
        decoded = (unquote_to_bytes(text) if b"%" in text else text).decode()
    except UnicodeDecodeError:
        raise bad("invalid", "a parameter is not UTF-8") from None
    if "\0" in decoded:
        # No FHIR value has it, and not every database takes it.
        raise bad("invalid", "a parameter has a character that no text has")
    return decoded


def shape_of(query: bytes) -> Shape:
    """Return how an answer is to be shown, of anything that is asked.

    Raises:
        RefusedError: it cannot be shown so.
    """
    if b"_" not in query:
        return _WHOLE
    return read_shape({name: value for name, value in read_pairs(query) if name in SHAPE and value})


def bad(code: str, text: str, *expression: str, instead: str = "") -> RefusedError:
    """Return the refusal of a request that cannot be understood."""
    return RefusedError(400, Issue(code=code, text=text, expression=expression, instead=instead))


def read_query(support: Support, pairs: Pairs, base: str, *, lenient: bool = False) -> Query:
    """Read a search for one type.

    Args:
        support: the type, with what it may be asked.
        pairs: parameters as they came.
        base: the FHIR base, for absolute references.
        lenient: parameters that are not known are left out and said, instead of refused.

    Raises:
        RefusedError: something is not known or not in order.
    """
    given: list[Given] = []
    about: dict[str, list[str]] = {}
    heard: list[tuple[str, str]] = []
    unheard: list[str] = []
    for name, value in pairs:
        plain = name.partition(":")[0]
        if plain in ABOUT_ANSWER and name == plain:
            about.setdefault(name, []).append(value)
        elif not value:
            continue  # R4: a parameter without a value is as if it was not there
        else:
            found = _given(support, name, value, base)
            if found is None:
                unheard.append(name)
                continue
            given.append(found)
        if name != CURSOR:
            heard.append((name, value))
    if unheard and not lenient:
        raise bad(
            "not-supported",
            f"{support.type} is not searched by this",
            *unheard,
            instead="See GET metadata for what there is; Prefer: handling=lenient leaves out what is not known.",
        )
    return Query(
        given=tuple(given), pairs=tuple(heard), unheard=tuple(unheard), **_about(support, about)
    )  # fmt: skip


# ── What is looked for ────────────────────────────────────────────────────────────────────────────────────────────────


def _given(support: Support, name: str, value: str, base: str) -> Given | None:
    """Return one parameter; `None` if there is no such thing."""
    for reverse in support.reverse:
        if name == reverse.name:
            parameter = BY_TYPE[reverse.type].parameter(reverse.parameter)
            if parameter is None:  # pragma: no cover - the table names what there is
                return None
            return Given(name, parameter, _values(name, parameter, "", value, base), reverse=reverse)
    head, dot, tail = name.partition(".")
    plain, _, modifier = head.partition(":")
    parameter = support.parameter(plain)
    if parameter is None:
        return None
    if dot:
        return _chain(name, parameter, modifier, tail, value, base)
    if not _takes(parameter, modifier):
        return None
    return Given(
        name, parameter, _values(name, parameter, modifier, value, base), negated=modifier == "not"
    )  # fmt: skip


def _takes(parameter: Parameter, modifier: str) -> bool:
    return not modifier or modifier in parameter.modifiers or modifier in parameter.targets


def _chain(name: str, parameter: Parameter, target: str, tail: str, value: str, base: str) -> Given | None:
    plain, _, modifier = tail.partition(":")
    types = dict.fromkeys(of for of, each in parameter.chains if each == plain and target in {"", of})
    if not types:
        return None
    if len(types) > 1:
        raise bad("invalid", "leads to several types", name, instead=f"Say which: {parameter.name}:{next(iter(types))}")
    of = next(iter(types))
    chained = BY_TYPE[of].parameter(plain)
    if chained is None or not _takes(chained, modifier):
        return None
    return Given(name, parameter, _values(name, chained, modifier, value, base), target=of, chained=chained)


def _values(name: str, parameter: Parameter, modifier: str, text: str, base: str) -> tuple[Value, ...]:
    parts = split(text, ",") if "," in text else [text]
    if len(parts) > MOST_VALUES:
        raise bad("too-costly", f"there are more than {MOST_VALUES} values", name)
    return tuple(found for each in parts for found in _value(name, parameter, modifier, each, base))


def _value(name: str, parameter: Parameter, modifier: str, text: str, base: str) -> tuple[Value, ...]:
    if not text or len(text) > LONGEST_VALUE:
        raise bad("value", "a value is empty or too long", name)
    found = _read(parameter, modifier, text, base)
    if found is None:
        raise bad("value", _WRONG[parameter.kind], name)
    return found if isinstance(found, tuple) else (found,)


def _read(parameter: Parameter, modifier: str, text: str, base: str) -> Value | tuple[Value, ...] | None:
    kind = parameter.kind
    if kind is Kind.REFERENCE and modifier == "identifier":
        return read_identifier(text, "")
    if kind is Kind.REFERENCE:
        return read_reference(text, modifier, base)
    if kind is Kind.TOKEN:
        return read_token(text)
    if kind is Kind.DATE:
        return read_date(text)
    return Text(unescape(text), exact=modifier == "exact", contains=modifier == "contains")


_WRONG: Mapping[Kind, str] = {
    Kind.REFERENCE: "a value is no reference of a type that is searched: Type/id, or an id",
    Kind.TOKEN: "a value is no code: code, system|code, |code or system|",
    Kind.DATE: "a value is no date: eq, ne, gt, lt, ge or le before 2026, 2026-01, 2026-01-11 or a time; + is %2B",
    Kind.STRING: "a value is no text",
    Kind.URI: "a value is no URI",
}


# ── How it is answered ────────────────────────────────────────────────────────────────────────────────────────────────


def _about(support: Support, about: Mapping[str, list[str]]) -> dict[str, Any]:
    for name, values in about.items():
        if len(values) > 1 and name not in _REPEATED:
            raise bad("invalid", "is said more than once", name)
    single = {name: values[0] for name, values in about.items() if values[0]}
    said: dict[str, Any] = {"shape": read_shape(single), "cursor": single.get(CURSOR, "")}
    if "_sort" in single:
        said["sort"] = _one_of("_sort", single["_sort"], support.sorts)
    if "_total" in single:
        said["total"] = _one_of("_total", single["_total"], TOTALS)
    if "_count" in single:
        said["count"] = _count(single["_count"])
    said["includes"] = tuple(dict.fromkeys(_included(support, each) for each in about.get("_include", ()) if each))
    said["revincludes"] = tuple(
        dict.fromkeys(_reverse(support, each) for each in about.get("_revinclude", ()) if each)
    )  # fmt: skip
    return said


def _one_of(name: str, value: str, known: Collection[str]) -> str:
    if value not in known:
        raise bad("not-supported", f"is one of {', '.join(known)}" if known else "is not known here", name)
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - no number that matters is longer
        raise bad("value", "is no number from 0", "_count")
    return min(int(text), MOST_COUNT)


def _included(support: Support, value: str) -> str:
    parts = value.split(":")
    if len(parts) in {2, 3} and parts[0] == support.type and parts[1] in support.includes:
        parameter = support.parameter(parts[1])
        # A third part narrows to a type; that is granted where it is the only one.
        if parameter is not None and (len(parts) == 2 or parameter.targets == (parts[2],)):  # noqa: PLR2004
            return parts[1]
    known = ", ".join(f"{support.type}:{each}" for each in support.includes)
    raise bad("not-supported", f"is one of {known}" if known else "is not known here", "_include")


def _reverse(support: Support, value: str) -> tuple[str, str]:
    type_name, _, name = value.partition(":")
    if (type_name, name) not in support.revincludes:
        known = ", ".join(f"{of}:{each}" for of, each in support.revincludes)
        raise bad("not-supported", f"is one of {known}" if known else "is not known here", "_revinclude")
    return type_name, name
