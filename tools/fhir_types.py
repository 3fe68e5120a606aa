"""Generate `carethread.fhir.types` from the official definitions of FHIR R4.

make generate
python tools/fhir_types.py [folder to write into]
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from tools.fhir_definitions import ROOT, Definitions, load
from tools.fhir_search_parameters import search_parameters
from tools.fhir_structs import BASES, Structures, python_name, upper

TYPES = ROOT / "src" / "carethread" / "fhir" / "types"

RESOURCES = (
    "AuditEvent",
    "Binary",
    "CapabilityStatement",
    "CareTeam",
    "Communication",
    "CommunicationRequest",
    "OperationOutcome",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "SearchParameter",
    "Subscription",
    # These two hold any of the others, and each other.
    "Bundle",
    "Parameters",
)
HOLDERS = ("Bundle", "Parameters")
RESOURCE_BASES = ("Resource", "DomainResource")
BOUNDS = {"integer": (-(2**31), 2**31 - 1), "positiveInt": (1, 2**31 - 1), "unsignedInt": (0, 2**31 - 1)}
PATTERNS = (
    "canonical",
    "code",
    "date",
    "dateTime",
    "id",
    "instant",
    "oid",
    "time",
    "uri",
    "url",
    "uuid",
)


def _module(docstring: str, body: str, *, needs: dict[str, str]) -> str:
    """Put the imports above that the body uses."""
    words = set(re.findall(r"\w+", re.sub(r"\"\"\".*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\"", "", body, flags=re.DOTALL)))
    used = words & set(needs)
    by_module: dict[str, list[str]] = {}
    for name in sorted(used):
        by_module.setdefault(needs[name], []).append(name)
    imports = "\n".join(f"from {module} import {', '.join(names)}" for module, names in sorted(by_module.items()))
    return f'"""{docstring}"""\n\nfrom __future__ import annotations\n\n{imports}\n\n{body}'


BASE_NEEDS = {
    "Decimal": "decimal",
    "ClassVar": "typing",
    "Raw": "msgspec",
    "Struct": "msgspec",
    "Rule": "carethread.fhir.rules",
    "Choice": "carethread.fhir.rules",
    "Targets": "carethread.fhir.rules",
    "Invariant": "carethread.fhir.rules",
    "Aligned": "carethread.fhir.rules",
    "Base64": "carethread.fhir.rules",
    "ExtensionValue": "carethread.fhir.rules",
    "Annotated": "typing",
    "SOME": "carethread.fhir.types.primitives",
    "String": "carethread.fhir.types.primitives",
    "LiteralReference": "carethread.fhir.rules",
    "all_name_one_of": "carethread.fhir.rules",
    "has_one_value": "carethread.fhir.rules",
    "keep_rules": "carethread.fhir.rules",
    "names_one_of": "carethread.fhir.rules",
    "type_of": "carethread.fhir.rules",
    "invariants": "carethread.fhir",
    "RESOURCE_TYPES": "carethread.fhir.types.primitives",
    "fhir_name": "carethread.fhir.types.primitives",
} | {upper(name): "carethread.fhir.types.primitives" for name in (*PATTERNS, *BOUNDS, "base64Binary")}


def generate(definitions: Definitions) -> dict[str, str]:
    """Return the text of each file of the package, not formatted yet."""
    structures = Structures(definitions)
    names = structures.datatypes(RESOURCES)
    bodies = {"datatypes": "\n\n".join(structures.classes(each) for each in (*BASES, *names))}
    bodies["resource"] = "\n\n".join(structures.classes(each) for each in RESOURCE_BASES)
    for each in RESOURCES:
        if each not in HOLDERS:
            bodies[python_name(each)] = structures.classes(each)
    bodies["bundle"] = "\n\n".join(structures.classes(each) for each in HOLDERS)
    bodies["bundle"] += f"\n\nAnyResource = {' | '.join(RESOURCES)}\n"
    bodies["datatypes"] = bodies["datatypes"].replace(
        "class Element(Struct, frozen=True, kw_only=True):",
        "class Element(\n    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, "
        "rename=fhir_name, gc=False\n):",
    )
    bodies["resource"] = bodies["resource"].replace(
        "class Resource(Struct, frozen=True, kw_only=True):",
        "class Resource(\n    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, "
        "rename=fhir_name, gc=False\n):",
    )
    needs = BASE_NEEDS | dict.fromkeys(structures.codes, "carethread.fhir.types.codes")
    needs |= dict.fromkeys(structures.targets, "carethread.fhir.types.targets")
    for module in ("datatypes", "resource", *(name for name in bodies if name not in ("datatypes", "resource"))):
        defined = dict.fromkeys(re.findall(r"^class (\w+)\(", bodies[module], re.MULTILINE), module)
        bodies[module] = _module(
            _docstring_of(module),
            bodies[module],
            needs={name: where for name, where in needs.items() if name not in defined},
        )
        needs |= dict.fromkeys(defined, f"carethread.fhir.types.{module}")
    files = {f"{name}.py": body for name, body in bodies.items()}
    files["primitives.py"] = _primitives(definitions)
    files["codes.py"] = _codes(structures.codes)
    files["targets.py"] = _targets(structures.targets)
    files["search_parameters.py"] = search_parameters(definitions.parameters)
    files["__init__.py"] = _init(bodies, structures.codes)
    return files


GENERATED = "Generated by `make generate` from the definitions of FHIR 4.0.1; not edited by hand."


def _docstring_of(module: str) -> str:
    what = {
        "datatypes": "The datatypes of FHIR R4. Long because they hold each other, so that they cannot be told apart.",
        "resource": "What all resources of FHIR R4 have.",
        "bundle": "Bundle and Parameters, which hold any other resource, and each other.",
    }
    page = f"https://hl7.org/fhir/R4/{module.replace('_', '')}.html."
    return f"{what.get(module, page)}\n\n{GENERATED}\n"


def _primitives(definitions: Definitions) -> str:
    lines = []
    for name in PATTERNS:
        pattern = _pattern(definitions, name)
        lines.append(f"{upper(name)} = Annotated[str, Meta(pattern={_raw(pattern)})]")
    for name, (low, high) in BOUNDS.items():
        lines.append(f"{upper(name)} = Annotated[int, Meta(ge={low}, le={high})]")
    types = "".join(f"    {name!r},\n" for name in definitions.resource_types)
    return f'''"""The primitive types of FHIR R4, and the names of its resource types.

`markdown` and `xhtml` are `String`. None is ever empty, which R4 says apart from its expressions.
{GENERATED}
"""

from typing import Annotated, Final

from msgspec import Meta

{_lines(lines)}
# Which characters they may hold is looked for in the whole JSON at once, or by a rule.
String = Annotated[str, Meta(min_length=1)]
Base64Binary = String

# An element that must be there, and repeats.
SOME: Final = Meta(min_length=1)

RESOURCE_TYPES: Final = frozenset((
{types}))


def fhir_name(field: str) -> str:
    """Write `birth_date` as `birthDate`, and `birth_date_element` (what it has besides its value) as `_birthDate`."""
    first, *rest = field.removesuffix("_element").rstrip("_").split("_")
    name = first + "".join(part.capitalize() for part in rest)
    return f"_{{name}}" if field.endswith("_element") else name
'''


def _pattern(definitions: Definitions, primitive: str) -> str:
    """Return HL7's own regular expression, anchored; whitespace is ASCII's, as in the languages it was written for."""
    for raw in definitions.structures[primitive]["snapshot"]["element"]:
        if raw["path"] == f"{primitive}.value":
            for extension in raw["type"][0]["extension"]:
                if extension["url"].endswith("/regex"):
                    expression = extension["valueString"]
    expression = expression.replace(r"[^\s]", r"\S").replace(r"\S", r"[^ \t\n\r\f\v]").replace(r"\s", r"[ \t\n\r\f\v]")
    # One of them lets an empty text pass; "can never be empty" says https://hl7.org/fhir/R4/datatypes.html#primitive.
    expression = (
        re.sub(r"\*$", "+", expression) if expression.startswith("[^ ") and "(" not in expression else expression
    )
    return rf"\A(?:{expression})\Z"


def _raw(pattern: str) -> str:
    return f'r"{pattern}"'


def _codes(codes: dict[str, tuple[str, ...]]) -> str:
    lines = [f"{name} = Literal[{', '.join(map(_quoted, values))}]" for name, values in sorted(codes.items())]
    return f'''"""The codes that required bindings of FHIR R4 allow. Long because there is one line for each code.

{GENERATED}
"""

from typing import Literal

{_lines(lines)}
'''


def _targets(targets: dict[str, tuple[str, ...]]) -> str:
    lines = [f"{name}: Final = frozenset({names!r})" for name, names in sorted(targets.items())]
    return f'''"""The resource types that references of R4 may name, for each element that does not take any.

Long because there is one line for each name.
{GENERATED}
"""

from typing import Final

{_lines(lines)}
'''


def _lines(lines: list[str]) -> str:
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text)


def _init(bodies: dict[str, str], codes: dict[str, tuple[str, ...]]) -> str:
    exported = {
        module: re.findall(r"^class (\w+)\(", body, re.MULTILINE) + (["AnyResource"] if module == "bundle" else [])
        for module, body in bodies.items()
    }
    imports = [
        f"from carethread.fhir.types.{module} import {', '.join(sorted(names))}" for module, names in exported.items()
    ]
    imports.append(f"from carethread.fhir.types.codes import {', '.join(sorted(codes))}")
    names = sorted({name for each in exported.values() for name in each} | set(codes))
    listed = "".join(f"    {name!r},\n" for name in names)
    return f'''"""The resources and datatypes of FHIR R4 that are spoken here, as frozen structs.

Names. A class is called as in FHIR: `Communication`, `HumanName`. A backbone element has the names of its path put
together: `Communication.payload` is `CommunicationPayload`. A field is FHIR's element in lower case with underscores:
`basedOn` is `based_on`. A choice has a field for each of its types: `content[x]` is `content_string`,
`content_attachment` and `content_reference`, of which at most one is not None. What a primitive element has besides its
value (`_birthDate` in JSON) is in `birth_date_element`. Codes of a required binding are Literals with the name of the
value set: `EventStatus`.

Absent is None, and () for an element that repeats. Dates and instants are text as they were sent; decimals are Decimal.
`contained` holds raw JSON. A required primitive must have its value; an extension alone does not do.

Making a value checks the rules that no field says alone (`carethread.fhir.rules`) and raises BrokenRuleError.
Everything else is checked by `carethread.fhir.validation`.

{GENERATED}
"""

{_lines(imports)}

__all__ = [
{listed}]
'''


def write(folder: Path) -> None:
    """Write the package, formatted as everything here is."""
    folder.mkdir(parents=True, exist_ok=True)
    files = generate(load())
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    paths = [str(folder / name) for name in files]
    settings = ["--config", str(ROOT / "pyproject.toml"), "--quiet"]
    subprocess.run([*ruff, "check", "--select", "I", "--fix", *settings, *paths], check=True)
    subprocess.run([*ruff, "format", *settings, *paths], check=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TYPES)
