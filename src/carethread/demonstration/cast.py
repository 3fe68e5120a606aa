"""Whom one can be in the region, in the words in which they are offered."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct


class Part(Struct, frozen=True):
    """Somebody one can be: their short name, what they are called, and what they are in a few words."""

    short: str
    name: str
    about: str


Cast = tuple[tuple[str, tuple[Part, ...]], ...]

_DUTIES = {"helen": "also auditor", "joost": "also steward"}


def cast() -> Cast:
    """Return everybody who is active in the region, under headings: by organisation, then patients, then carers.

    Somebody who works at several organisations stands where they are named first.
    """
    loaded = [*_resources("people.json")]
    gone = {each["id"] for each in _resources("departures.json")}
    called = {f"{each['resourceType']}/{each['id']}": _name(each) for each in loaded if "name" in each}
    works: dict[str, list[dict[str, Any]]] = {}
    for each in loaded:
        if each["resourceType"] == "PractitionerRole" and each["id"] not in gone:
            works.setdefault(each["practitioner"]["reference"], []).append(each)
    found: dict[str, list[Part]] = {}
    for person, roles in works.items():
        first, *others = (each["organization"]["reference"] for each in roles)
        short = person.removeprefix("Practitioner/")
        about = [roles[0]["code"][0]["text"], *(f"also at {called[each]}" for each in others)]
        about += [_DUTIES[short]] if short in _DUTIES else []
        found.setdefault(called[first], []).append(Part(short, called[person], ", ".join(about)))
    for each in loaded:
        if each["resourceType"] == "Patient":
            found.setdefault("Patients", []).append(Part(each["id"], _name(each), f"born {each['birthDate']}"))
    for each in loaded:
        if each["resourceType"] == "RelatedPerson":
            related = f"{each['relationship'][0]['text']} of {called[each['patient']['reference']]}"
            found.setdefault("Carers", []).append(Part(each["id"], _name(each), related))
    return tuple((heading, tuple(parts)) for heading, parts in found.items())


def _name(resource: dict[str, Any]) -> str:
    name = resource["name"]
    return str(name if isinstance(name, str) else name[0]["text"])


def _resources(name: str) -> Iterator[dict[str, Any]]:
    bundle = (files("carethread.demonstration") / name).read_bytes()
    return (each["resource"] for each in msgspec.json.decode(bundle)["entry"])
