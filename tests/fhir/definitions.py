"""The official definitions, for tests: skipped where npm is missing, failing there in CI.

`resources` makes valid resources from them. It shares nothing with the generator of the types, on purpose.
"""

import functools
import json
import os
import re
from typing import Any

import pytest
from hypothesis import strategies as st

from tools.fhir_definitions import DEFINITIONS
from tools.fhir_structs import ADDED

PRESENT = DEFINITIONS.is_dir()
needs_definitions = pytest.mark.skipif(
    not PRESENT and os.environ.get("CI") != "true", reason="needs FHIR's definitions: npm, then `make definitions`"
)

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
_URIS = st.sampled_from(["https://example.org/a", "urn:oid:1.2.3", "urn:uuid:0ac3f5d1-0000-4000-8000-000000000001"])
_DATES = st.dates().map(str)
_INSTANTS = st.datetimes().map(lambda each: each.isoformat(timespec="milliseconds") + "Z")
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "base64Binary": st.sampled_from(["YQ==", "YWI=", "YWJj", "YWJj YWJj"]),
    "boolean": st.booleans(),
    "canonical": _URIS,
    "code": st.sampled_from(["a", "a-b", "two words"]),
    "date": st.one_of(_DATES, _DATES.map(lambda each: each[:7]), _DATES.map(lambda each: each[:4])),
    "dateTime": st.one_of(_DATES, _INSTANTS),
    "decimal": st.integers(1, 99),
    "id": st.from_regex(r"\A[A-Za-z0-9\-.]{1,64}\Z"),
    "instant": _INSTANTS,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "markdown": _WORDS,
    "oid": st.just("urn:oid:2.16.840.1"),
    "positiveInt": st.integers(1, 2**31 - 1),
    "string": _WORDS,
    "time": st.times().map(lambda each: each.isoformat(timespec="seconds")),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "uri": _URIS,
    "url": _URIS,
    "uuid": st.uuids().map(lambda each: f"urn:uuid:{each}"),
    "xhtml": st.just('<div xmlns="http://www.w3.org/1999/xhtml">x</div>'),
}
_ANY_TARGET = ("Patient", "Basic", "Observation")
_SYSTEM = "http://hl7.org/fhirpath/System.String"


@functools.cache
def structures() -> dict[str, dict[str, Any]]:
    found = {}
    for name in ("profiles-types", "profiles-resources"):
        for entry in json.loads((DEFINITIONS / f"{name}.json").read_text(encoding="utf-8"))["entry"]:
            found[entry["resource"]["id"]] = entry["resource"]
    return found


@functools.cache
def _terms() -> dict[str, dict[str, Any]]:
    return {
        entry["resource"]["url"]: entry["resource"]
        for name in ("valuesets", "v3-codesystems")
        for entry in json.loads((DEFINITIONS / f"{name}.json").read_text(encoding="utf-8"))["entry"]
    }


@functools.cache
def codes(value_set: str) -> tuple[str, ...]:
    """Return some of the codes of a value set: those at the top."""
    include = _terms()[value_set.partition("|")[0]]["compose"]["include"][0]
    concepts = include.get("concept") or _terms().get(include["system"], {}).get("concept", ())
    return tuple(each["code"] for each in concepts)


@functools.cache
def children(path: str) -> list[dict[str, Any]]:
    """Return the elements right below a path such as `Patient` or `Patient.contact`."""
    elements = structures()[path.partition(".")[0]]["snapshot"]["element"]
    return [each for each in elements if each["path"].rpartition(".")[0] == path and _is_hl7s(each)]


def _is_hl7s(element: dict[str, Any]) -> bool:
    return element["path"] not in ADDED


@functools.cache
def _has_children(path: str) -> bool:
    return bool(children(path))


@st.composite
def resources(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Draw a valid resource: structure, cardinality, codes, formats and targets. Invariants are left to chance."""
    return {"resourceType": name} | draw(_members(name, 3))


@st.composite
def _members(draw: st.DrawFn, path: str, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    chance = 0.25 if depth > 1 else 0.0
    for element in children(path):
        name = element["path"].rpartition(".")[2]
        wanted = element["min"] > 0 or draw(st.floats(0, 1)) < chance
        kinds = element.get("type", [])
        skipped = name in ("contained", "extension", "modifierExtension", "resource", "outcome", "id")
        skipped = skipped or [each["code"] for each in kinds] == ["Narrative"]
        if not wanted or skipped:
            continue
        kind = draw(st.sampled_from(kinds)) if kinds else {"code": ""}
        code = kind["code"]
        if element["min"] == 0 and depth <= 1 and code not in _PRIMITIVES:
            continue
        value = draw(_value(element, kind, depth - 1))
        key = name.replace("[x]", code[:1].upper() + code[1:])
        made[key] = [value] if element["max"] == "*" else value
    return made or {"extension": [{"url": "https://example.org/a", "valueBoolean": True}]}


def _value(element: dict[str, Any], kind: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if "contentReference" in element:
        return _members(element["contentReference"].removeprefix("#"), depth)
    code = kind["code"]
    binding = element.get("binding", {})
    if code == "code" and binding.get("strength") == "required" and codes(binding["valueSet"]):
        return st.sampled_from(codes(binding["valueSet"]))
    if code == _SYSTEM:
        return _URIS
    if code in _PRIMITIVES:
        return _PRIMITIVES[code]
    if code == "Reference":
        targets = [each.removeprefix(_HL7) for each in kind.get("targetProfile", ()) if each.startswith(_HL7)]
        named = _ANY_TARGET if not targets or "Resource" in targets else targets
        return st.sampled_from(named).map(lambda target: {"reference": f"{target}/a1"})
    if _has_children(element["path"]):
        return _members(element["path"], depth)
    return _members(code, depth)


def is_invariant(text: str) -> bool:
    """Tell whether an issue's text is about an invariant, which `resources` may break."""
    return re.match(r"[a-z]{3}-\d+: ", text) is not None
