"""A small independent reading of compiled profiles: what a resource does that its profile does not allow.

It knows cardinality, types of a choice, targets of references, fixed patterns, and the invariants, which a FHIRPath
engine of other people's evaluates. Terminology and what R4 itself says of datatypes are for others.
"""

from collections.abc import Iterator
from typing import Any

from fhirpathpy import evaluate
from fhirpathpy.models import models

Json = dict[str, Any]
# Invariants of R4's own base definitions hold for every resource, and are checked where resources are read.
OUR_KEYS = "ct-"


def faults(resource: Json, profile: Json) -> list[str]:
    """Return what is wrong, as the paths of elements and words."""
    found: list[str] = []
    for element in profile["snapshot"]["element"][1:]:
        path = element["path"]
        # Extensions are the only slices; what is within one is R4's to say.
        if ":" in element["id"] and element["id"] != f"{path}:{element.get('sliceName')}":
            continue
        for holder in _holders(resource, path.split(".")[1:-1]):
            found += _element_faults(holder, element)
    for constraint in profile["snapshot"]["element"][0].get("constraint", []):
        if constraint["key"].startswith(OUR_KEYS) and evaluate(
            resource, constraint["expression"], {}, models["r4"]
        ) != [True]:
            found.append(f"{profile['type']}: {constraint['key']}")
    return found


def targets(profile: Json, path: str) -> set[str]:
    """Return the resource types that a reference may name."""
    (element,) = (each for each in profile["snapshot"]["element"] if each["id"] == path)
    return {url.rpartition("/")[2] for each in element["type"] for url in each.get("targetProfile", [])}


def _holders(value: Any, names: list[str]) -> Iterator[Json]:
    if isinstance(value, list):
        for each in value:
            yield from _holders(each, names)
    elif isinstance(value, dict):
        if names:
            yield from _holders(value.get(names[0]), names[1:])
        else:
            yield value


def _element_faults(holder: Json, element: Json) -> Iterator[str]:
    path, name = element["path"], element["path"].rpartition(".")[2]
    values = list(_values(holder, element, name))
    if "sliceName" in element:
        (url,) = element["type"][0]["profile"]
        values = [each for each in holder.get("extension", []) if each.get("url") == url]
    if len(values) < element["min"]:
        yield f"{path}: is missing"
    if element["max"] != "*" and len(values) > int(element["max"]):
        yield f"{path}: is there {len(values)} times"
    pattern = next((element[key] for key in element if key.startswith(("pattern", "fixed"))), None)
    allowed = {url.rpartition("/")[2] for each in element.get("type", []) for url in each.get("targetProfile", [])}
    for value in values:
        if pattern is not None and value != pattern:
            yield f"{path}: is not what the profile fixes"
        if allowed and isinstance(value, dict) and "reference" in value:
            kind = value["reference"].split("/")[-2]
            if kind not in allowed and "Resource" not in allowed:
                yield f"{path}: names a {kind}"


def _values(holder: Json, element: Json, name: str) -> Iterator[Any]:
    if not name.endswith("[x]"):
        value = holder.get(name, [])
        yield from value if isinstance(value, list) else [value]
        return
    stem = name.removesuffix("[x]")
    kinds = {stem + each["code"][0].upper() + each["code"][1:] for each in element["type"]}
    for key, value in holder.items():
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            if key not in kinds:
                yield from [value] * 1_000  # more than any cardinality: the profile does not have this type
            else:
                yield value
