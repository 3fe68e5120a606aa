"""Write the structure definitions of FHIR R4 as msgspec structs."""

import re
import textwrap
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from carethread.fhir import invariants
from tools.fhir_definitions import HL7, Definitions, Element

BASES = ("Element", "BackboneElement")
# Elements that say their type as FHIRPath's String; Resource.id says `string` by mistake and is an `id`.
SYSTEM = "http://hl7.org/fhirpath/System.String"
# Their codes are not HL7's to list, and the definitions do not.
OPEN_VALUE_SETS = ("http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/currencies")
# What the package has and HL7 has not, as comparing with another program's models of R4 shows.
ADDED_TO_META = ("account", "accounts", "author", "compartment", "onBehalfOf", "project")
ADDED = frozenset(("Binary.url", *(f"Meta.{name}" for name in ADDED_TO_META)))
# How each primitive type stands in JSON and in Python.
PLAIN = {"boolean": "bool", "decimal": "Decimal", "markdown": "String", "xhtml": "String"}
RESERVED = ("assert", "class", "for", "global", "import", "in", "is", "not", "from")
# Those that are written down in `carethread.fhir.invariants`.
INVARIANTS = frozenset(name.replace("_", "-") for name in vars(invariants) if re.fullmatch(r"[a-z]{3}_\d+", name))


def python_name(element: str) -> str:
    """Write `birthDate` as `birth_date`; a word that Python keeps for itself gets an underscore behind."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", element).lower()
    return f"{name}_" if name in RESERVED else name


def upper(text: str) -> str:
    """Begin with a capital."""
    return text[:1].upper() + text[1:]


class Structures:
    """Writes struct classes, and remembers which codes and targets they need."""

    def __init__(self, definitions: Definitions) -> None:
        """Take the definitions."""
        self._definitions = definitions
        self.codes: dict[str, tuple[str, ...]] = {}
        self.targets: dict[str, tuple[str, ...]] = {}

    def classes(self, name: str) -> str:
        """Return the classes of one type: those of its backbone elements first."""
        structure = self._definitions.structures[name]
        elements = [Element(raw) for raw in structure["snapshot"]["element"]]
        parents = [each for each in elements if self._has_children(each, elements)]
        return "\n\n".join(self._class(structure, each, elements) for each in reversed(parents))

    def datatypes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the datatypes that these types need, and those need, each after its base."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            structure = self._definitions.structures[todo.pop()]
            for raw in structure["snapshot"]["element"]:
                for kind in raw.get("type", ()):
                    code = kind["code"]
                    known = self._definitions.structures.get(code)
                    if known is not None and known["kind"] == "complex-type" and code not in found:
                        found.add(code)
                        todo.append(code)
        return tuple(sorted(found - set(BASES), key=lambda name: (self._depth(name), name)))

    def _depth(self, name: str) -> int:
        """Count the types it builds on: a class stands below its base."""
        base = self._definitions.structures[name].get("baseDefinition")
        return 1 + self._depth(base.removeprefix(HL7)) if base else 0

    def _has_children(self, element: Element, elements: list[Element]) -> bool:
        return any(each.path.startswith(f"{element.path}.") for each in elements)

    def _class(self, structure: dict[str, Any], parent: Element, elements: list[Element]) -> str:
        name = self._class_name(parent.path)
        base = self._base(structure, parent)
        inherited = self._inherited(base)
        children = [
            each
            for each in elements
            if each.path.rpartition(".")[0] == parent.path and each.name not in inherited and each.path not in ADDED
        ]
        rules = [*self._rules(parent, children)]
        options = ["frozen=True", "kw_only=True"]
        if structure["kind"] == "resource" and not structure["abstract"] and "." not in parent.path:
            options.append(f'tag_field="resourceType", tag="{name}"')
        lines = [f"class {name}({', '.join([base, *options])}):", self._docstring(structure, parent), ""]
        for child in children:
            lines += [f"    {line}" for line in self._fields(child)]
        if rules:
            lines += ["", "    rules: ClassVar[tuple[Rule, ...]] = ("]
            lines += [f"        {rule}," for rule, _ in rules]
            lines += ["    )", "", "    def __post_init__(self) -> None:"]
            lines += ['        """Raise BrokenRuleError unless the rules are kept."""']
            lines += [f"        {line}" for line in _kept([plain for _, plain in rules])]
        return "\n".join(lines) + "\n"

    def _class_name(self, path: str) -> str:
        return "".join(upper(part) for part in path.split("."))

    def _base(self, structure: dict[str, Any], parent: Element) -> str:
        if "." in parent.path:
            return str(parent.types[0]["code"])
        definition = structure.get("baseDefinition")
        return definition.removeprefix(HL7) if definition else "Struct"

    def _inherited(self, base: str) -> frozenset[str]:
        structure = self._definitions.structures.get(base)
        if structure is None:
            return frozenset()
        elements = structure["snapshot"]["element"]
        return frozenset(Element(raw).name for raw in elements if "." in raw["path"])

    def _docstring(self, structure: dict[str, Any], parent: Element) -> str:
        short = " ".join(str(parent.raw["short"]).split()).rstrip(".")
        text = f"{upper(short)}." if not short.endswith(("?", "!")) else upper(short)
        page = structure["id"].lower() if structure["kind"] == "resource" else f"datatypes.html#{structure['id']}"
        where = f"https://hl7.org/fhir/R4/{page}" + ("" if "#" in page else ".html")
        if "." in parent.path:
            where = parent.path
        text = text.replace("\\", "\\\\").replace('"', "'")
        first = textwrap.shorten(text, 110, placeholder=" …")
        return f'    """{first}\n\n    {where}\n    """'

    def _fields(self, child: Element) -> Iterator[str]:
        if child.is_choice:
            for kind in child.types:
                name = python_name(child.name + upper(kind["code"]))
                yield f"{name}: {self._type(child, kind)} | None = None"
                if kind["code"] in self._definitions.primitives:
                    yield f"{name}_element: Element | None = None"
            return
        name = python_name(child.name)
        kind = child.types[0] if child.types else {}
        annotation = self._type(child, kind)
        primitive = kind.get("code") in self._definitions.primitives
        if child.is_list:
            item = f"{annotation} | None" if primitive else annotation
            items = f"tuple[{item}, ...]"
            yield f"{name}: " + (f"Annotated[{items}, SOME]" if child.required else f"{items} = ()")
        else:
            yield f"{name}: {annotation}" + ("" if child.required else " | None = None")
        if primitive and kind["code"] != "xhtml":
            annotation = "tuple[Element | None, ...] = ()" if child.is_list else "Element | None = None"
            yield f"{name}_element: {annotation}"

    def _type(self, child: Element, kind: dict[str, Any]) -> str:
        reference = child.raw.get("contentReference")
        if reference is not None:
            return self._class_name(reference.removeprefix("#"))
        code = kind["code"]
        if code == SYSTEM:
            return {"Resource.id": "Id", "Extension.url": "Uri"}.get(child.path, "String")
        if code == "Resource":
            return "Raw" if child.name == "contained" else "AnyResource"
        if code in ("Element", "BackboneElement") or child.raw["path"] in self._backbones:
            return self._class_name(child.path)
        if code == "code" and (bound := self._bound(child)):
            return bound
        if code in self._definitions.primitives:
            return PLAIN.get(code, upper(code))
        return str(code)

    @cached_property
    def _backbones(self) -> frozenset[str]:
        return frozenset(
            raw["path"].rpartition(".")[0]
            for structure in self._definitions.structures.values()
            for raw in structure["snapshot"]["element"]
            if raw["path"].count(".") > 1
        )

    def _bound(self, child: Element) -> str:
        """Return the name of the codes that a required binding allows."""
        binding = child.raw.get("binding", {})
        url = binding.get("valueSet", "").partition("|")[0]
        if binding.get("strength") != "required" or url in OPEN_VALUE_SETS:
            return ""
        value_set = self._definitions.value_sets[url]
        name = re.sub(r"\W", "", value_set["name"])
        self.codes[name] = self._expanded(value_set)
        return name

    def _expanded(self, value_set: dict[str, Any]) -> tuple[str, ...]:
        compose = value_set["compose"]
        if "exclude" in compose:
            raise NotImplementedError(value_set["url"])
        codes: list[str] = []
        for include in compose["include"]:
            if "filter" in include or "valueSet" in include:
                raise NotImplementedError(value_set["url"])
            concepts = include.get("concept") or self._definitions.code_systems[include["system"]]["concept"]
            codes += _flattened(concepts)
        return tuple(dict.fromkeys(codes))

    def _rules(self, parent: Element, children: list[Element]) -> Iterator[tuple[str, str]]:
        """Return each rule, and what tells quickly that it is kept."""
        if parent.path == "Reference":
            literal = "self.type is None and self.reference is not None and type_of(self.reference) in RESOURCE_TYPES"
            yield "LiteralReference(RESOURCE_TYPES)", literal
        for child in children:
            yield from self._rules_of_child(child)
            targets = child.targets()
            if targets:
                field = python_name(child.name + ("Reference" if child.is_choice else ""))
                name = "_".join(python_name(part).upper() for part in child.path.removesuffix("[x]").split("."))
                self.targets[name] = targets
                test = "all_name_one_of" if child.is_list else "names_one_of"
                absent = f"not self.{field} or " if child.is_list else f"self.{field} is None or "
                plain = f"({'' if child.required and not child.is_choice else absent}{test}(self.{field}, {name}))"
                yield f"Targets({child.name!r}, {field!r}, {name})", plain
        yield from _invariants(parent)
        for child in children:
            if child.raw["path"] not in self._backbones:
                yield from _invariants(child, python_name(child.name))

    def _rules_of_child(self, child: Element) -> Iterator[tuple[str, str]]:
        codes = [kind["code"] for kind in child.types]
        primitive = [code for code in codes if code in self._definitions.primitives]
        field = python_name(child.name)
        if child.is_choice:
            fields = tuple(python_name(child.name + upper(code)) for code in codes)
            elements = tuple(f"{python_name(child.name + upper(code))}_element" for code in primitive)
            choice = f"Choice({child.name!r}, {fields!r}, required={child.required}, elements={elements!r})"
            if child.path == "Extension.value[x]":
                yield f"ExtensionValue({choice})", "has_one_value(self)"
            else:
                yield choice, _one_of(fields + elements, required=child.required)
        elif child.is_list and primitive:
            plain = f"(not self.{field}_element and None not in self.{field})"
            yield f"Aligned({child.name!r}, {field!r})", plain
        if "base64Binary" in codes:
            field = python_name(child.name + ("Base64Binary" if child.is_choice else ""))
            yield f"Base64({child.name!r}, {field!r})", f"self.{field} is None"


# Beyond, asking each costs as much as the rule.
_FEW = 8


def _one_of(fields: tuple[str, ...], *, required: bool) -> str:
    if len(fields) > _FEW:
        return ""
    return f"({' + '.join(f'(self.{each} is not None)' for each in fields)} {'==' if required else '<='} 1)"


def _kept(plain: list[str]) -> list[str]:
    """Return the lines that look at the rules unless each is plainly kept; some rules always have to be asked."""
    if not all(plain):
        return ["keep_rules(self)"]
    if len(plain) == 1 and plain[0].endswith("== 1)"):
        return [f"if {plain[0][1:-5]}!= 1:", "    keep_rules(self)"]
    if len(plain) == 1 and plain[0].endswith(" is None"):
        return [f"if {plain[0].removesuffix('None')}not None:", "    keep_rules(self)"]
    return [f"if not ({' and '.join(plain)}):", "    keep_rules(self)"]


def _invariants(element: Element, field: str = "") -> Iterator[tuple[str, str]]:
    where = f", {element.name!r}, {field!r}" if field else ""
    for constraint in element.raw.get("constraint", ()):
        key = constraint["key"]
        if key in INVARIANTS:
            text = " ".join(constraint["human"].split())
            name = f"invariants.{key.replace('-', '_')}"
            yield f"Invariant({key!r}, {text!r}, {name}{where})", f"not self.{field}" if field else f"{name}(self)"


def _flattened(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        # Groups of codes that are no codes themselves.
        if not any(p["code"] == "notSelectable" and p.get("valueBoolean") for p in concept.get("property", ())):
            yield concept["code"]
        yield from _flattened(concept.get("concept", ()))
