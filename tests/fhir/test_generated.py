"""The generated types say what HL7's definitions say: written again they are the same, and others read them alike."""

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, inspect

from carethread.fhir import types, validation
from carethread.fhir.types import codes
from carethread.fhir.types.search_parameters import OFFICIAL_PARAMETERS
from tests.fhir.definitions import children, is_invariant, needs_definitions, resources
from tools.fhir_definitions import ROOT
from tools.fhir_types import TYPES

NAMES = sorted(each.__name__ for each in get_args(types.AnyResource))


@needs_definitions
def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "tools/fhir_types.py", str(tmp_path)], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)}
    )
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.py")}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in TYPES.glob("*.py")}


def _models() -> dict[str, Any]:
    """Return fhirclient's classes, generated from the same release with a program of its own."""
    package = importlib.import_module("fhirclient.models")
    modules = [each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.endswith("_test")]
    loaded = [importlib.import_module(f"fhirclient.models.{name}") for name in modules]
    found = {name: kind for module in loaded for name, kind in vars(module).items() if isinstance(kind, type)}
    return found | {"Reference": found["FHIRReference"]}


def test_another_program_knows_the_same_elements_and_cardinalities() -> None:
    models = _models()
    structs = [kind for kind in vars(types).values() if isinstance(kind, type) and issubclass(kind, Struct)]
    assert len(structs) > 90
    for kind in structs:
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        fields = [each for each in info.fields if not each.encode_name.startswith("_")]
        ours = {(each.encode_name, isinstance(each.type, inspect.VarTupleType), each.required) for each in fields}
        # Of a choice, it says that each type is required.
        choices = {each[1] for each in models[kind.__name__]().elementProperties() if each[4] is not None}
        theirs = {
            (each[1], each[3], each[5] and each[1] not in choices)
            for each in models[kind.__name__]().elementProperties()
        }
        assert ours == theirs, kind


# Each example is drawn from hundreds of elements; `make fuzz` draws many.
FEWER = settings(max_examples=max(20, settings().max_examples // 10))


@needs_definitions
@pytest.mark.parametrize("name", [each for each in NAMES if each not in ("Bundle", "Parameters")])
@FEWER
@given(st.data())
def test_what_follows_the_definitions_is_taken(name: str, data: st.DataObject) -> None:
    resource = data.draw(resources(name))
    found = validation.issues(json.dumps(resource).encode(), types=frozenset((name,)))
    assert [each for each in found if not is_invariant(each.text)] == []
    if not found:
        read = validation.parse(json.dumps(resource).encode(), types=frozenset((name,)))
        assert json.loads(validation.encode(read)) == resource


def _wrong(element: dict[str, Any]) -> Any:
    """Return what no element of this kind may be."""
    return {"resourceType": 1} if element["type"][0]["code"][0].islower() else "text"


@needs_definitions
@pytest.mark.parametrize("name", [each for each in NAMES if each not in ("Bundle", "Parameters")])
@FEWER
@given(st.data())
def test_what_does_not_follow_them_is_refused_where_it_is(name: str, data: st.DataObject) -> None:
    resource = data.draw(resources(name))
    plain = [each for each in children(name) if "[x]" not in each["path"] and each["path"].split(".")[1] != "id"]
    element = data.draw(st.sampled_from(plain))
    path = element["path"]
    key = path.rpartition(".")[2]
    mutation = data.draw(st.sampled_from(["type", "cardinality", "null", "empty", "unknown", "missing"]))
    repeats = element["max"] == "*"
    where = path
    if mutation == "type":
        resource[key] = [_wrong(element)] if repeats else _wrong(element)
        where = f"{path}[0]" if repeats else path
    elif mutation == "cardinality":
        resource[key] = "text" if repeats else []
    elif mutation == "null":
        resource[key] = None
    elif mutation == "empty":
        resource[key] = [] if repeats else {}
    elif mutation == "unknown":
        resource["unheardOf"] = True
        where = f"{name}.unheardOf"
    else:
        for each in [each for each in plain if each["min"] > 0]:
            del resource[each["path"].rpartition(".")[2]]
            where = each["path"]
        if where == path and element["min"] == 0:
            return
    if key == "contained" and mutation == "type":
        return
    found = validation.issues(json.dumps(resource).encode(), types=frozenset((name,)))
    assert where in {each.expression for each in found}


def test_codes_are_as_many_as_hl7_has() -> None:
    assert get_args(codes.EventStatus) == (
        *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"),
    )
    assert len(get_args(codes.ResourceType)) == 148


def test_search_parameters_are_named_once_and_about_their_resource() -> None:
    assert len({(each.base, each.name) for each in OFFICIAL_PARAMETERS}) == len(OFFICIAL_PARAMETERS)
    (based_on,) = (each for each in OFFICIAL_PARAMETERS if (each.base, each.name) == ("Communication", "based-on"))
    assert based_on.expression == "Communication.basedOn"
    assert based_on.url == "http://hl7.org/fhir/SearchParameter/Communication-based-on"
    for each in OFFICIAL_PARAMETERS:
        assert each.expression or each.name == "_content", each
