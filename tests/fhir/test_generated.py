"""The generated types say what HL7's definitions say: written again they are the same, and others read them alike."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from fhirclient import models
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from carethread.fhir import types, validation
from carethread.fhir.types import codes
from carethread.fhir.types.search_parameters import OFFICIAL_PARAMETERS
from tests.fhir.definitions import children, is_invariant, needs_definitions, resources, schema
from tools.fhir_definitions import ROOT
from tools.fhir_types import TYPES

NAMES = sorted(each.__name__ for each in get_args(types.AnyResource))
# Struct field names for them; FHIR's own for the rest.
MODELS = {each.name for each in pkgutil.iter_modules(models.__path__)}


@needs_definitions
def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "tools/fhir_types.py", str(tmp_path)], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)}
    )
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.py")}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in TYPES.glob("*.py")}


@pytest.mark.parametrize("name", NAMES)
def test_another_client_knows_the_same_elements(name: str) -> None:
    """Fhirclient generated its models from the same release, with a program of its own."""
    model = getattr(pkgutil.resolve_name(f"fhirclient.models.{name.lower()}"), name)
    theirs = {(each[1], each[3], each[5]) for each in model().elementProperties()}
    ours = set()
    info = inspect.type_info(getattr(types, name))
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        if not field.encode_name.startswith("_"):
            ours.add((field.encode_name, isinstance(field.type, inspect.VarTupleType), field.required))
    optional_in_a_choice = {(element, many, False) for element, many, _ in theirs}
    assert {each[:2] for each in ours} == {each[:2] for each in theirs}
    assert {each for each in ours if each[2]} <= theirs
    assert {each for each in ours if not each[2]} <= optional_in_a_choice


@needs_definitions
@pytest.mark.parametrize("name", [*NAMES, "Meta", "Identifier", "HumanName", "Attachment", "Extension", "Reference"])
def test_the_official_schema_has_the_same_properties(name: str) -> None:
    kinds = [kind for kind in vars(types).values() if isinstance(kind, type) and kind.__name__.startswith(name)]
    for kind in kinds:
        known = schema().get(kind.__name__) or schema().get(f"{name}_{kind.__name__.removeprefix(name)}")
        if known is None:
            continue
        fields = set(kind.__struct_encode_fields__)  # type: ignore[attr-defined]  # each is a struct
        # It forgot what canonicals in lists have besides, and describes another element of OperationOutcome as this.
        besides = {each for each in fields if each.startswith("_")}
        if name != "OperationOutcome":
            assert fields - besides == {each for each in known["properties"] if each[0] != "_"} - {"resourceType"}, kind
            assert {each for each in known["properties"] if each[0] == "_"} <= besides | {"_id", "_div", "_url"}, kind


@needs_definitions
@pytest.mark.parametrize("name", [each for each in NAMES if each not in ("Bundle", "Parameters")])
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
