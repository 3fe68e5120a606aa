"""R4's invariants, each with a value that keeps it and one that breaks it, written by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from carethread.fhir import invariants
from carethread.fhir import types as t
from carethread.fhir.rules import BrokenRuleError

UCUM = "http://unitsofmeasure.org"
ONE = Decimal(1)
PERSON = t.Reference(reference="Patient/1")
ENTRY = t.BundleEntry(full_url="urn:uuid:1", resource=t.Patient())
ASKED = t.BundleEntry(request=t.BundleEntryRequest(method="GET", url="Patient"))
ANSWERED = t.BundleEntry(response=t.BundleEntryResponse(status="200"))
FOUND = t.BundleEntry(resource=t.Patient(), search=t.BundleEntrySearch(mode="match"))
PAST = t.BundleEntry(request=ASKED.request, response=ANSWERED.response)
REST = t.CapabilityStatementRest(mode="server")
PATIENTS = t.CapabilityStatementRestResource(type="Patient")
NAME = t.CapabilityStatementRestResourceSearchParam(name="name", type="string")
SOFTWARE = t.CapabilityStatementSoftware(name="x")
HERE = t.CapabilityStatementImplementation(description="x")
DATA = (t.DataRequirement(type="Patient"),)


def _statement(kind: Any, **others: Any) -> t.CapabilityStatement:
    given = {"rest": (REST,), "description": "x"} | others
    return t.CapabilityStatement(
        status="draft", date="2026", kind=kind, fhir_version="4.0.1", format=("json",), **given
    )


def _parameter(**others: Any) -> t.SearchParameter:
    given: dict[str, Any] = {"type": "reference"} | others
    base: Any = ("Patient",)
    return t.SearchParameter(url="urn:a:b", name="X", status="draft", description="x", code="x", base=base, **given)


CASES: dict[str, tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]] = {
    "age-1": (t.Age, {"value": ONE, "code": "a", "system": UCUM}, {"value": Decimal(0), "code": "a", "system": UCUM}),
    "att-1": (t.Attachment, {"data": "YQ==", "content_type": "text/plain"}, {"data": "YQ=="}),
    "bdl-1": (t.Bundle, {"type": "searchset", "total": 0}, {"type": "batch", "total": 0}),
    "bdl-2": (t.Bundle, {"type": "searchset", "entry": (FOUND,)}, {"type": "collection", "entry": (FOUND,)}),
    "bdl-3": (t.Bundle, {"type": "batch", "entry": (ASKED,)}, {"type": "batch", "entry": (ENTRY,)}),
    "bdl-4": (t.Bundle, {"type": "history", "entry": (PAST, PAST)}, {"type": "history", "entry": (ASKED,)}),
    "bdl-5": (t.BundleEntry, {"resource": t.Patient()}, {"full_url": "urn:uuid:1"}),
    "bdl-7": (t.Bundle, {"type": "collection", "entry": (ENTRY,)}, {"type": "collection", "entry": (ENTRY, ENTRY)}),
    "bdl-8": (
        t.BundleEntry,
        {"resource": t.Patient(), "full_url": "https://a/Patient/1"},
        {"resource": t.Patient(), "full_url": "https://a/Patient/1/_history/2"},
    ),
    "cnt-3": (t.Count, {"value": ONE, "code": "1", "system": UCUM}, {"value": Decimal("1.5"), "code": "1"}),
    "cpb-1": (_statement, {"kind": "capability", "software": SOFTWARE}, {"kind": "capability", "rest": ()}),
    "cpb-2": (_statement, {"kind": "requirements"}, {"kind": "requirements", "description": None}),
    "cpb-9": (
        t.CapabilityStatementRest,
        {"mode": "server", "resource": (PATIENTS,)},
        {"mode": "server", "resource": (PATIENTS, PATIENTS)},
    ),
    "cpb-12": (
        t.CapabilityStatementRestResource,
        {"type": "Patient", "search_param": (NAME,)},
        {"type": "Patient", "search_param": (NAME, NAME)},
    ),
    "cpb-14": (_statement, {"kind": "instance", "implementation": HERE}, {"kind": "instance"}),
    "cpb-15": (_statement, {"kind": "capability", "software": SOFTWARE}, {"kind": "capability"}),
    "cpb-16": (_statement, {"kind": "requirements"}, {"kind": "requirements", "software": SOFTWARE}),
    "cpt-2": (t.ContactPoint, {"value": "1", "system": "phone"}, {"value": "1"}),
    "dis-1": (t.Distance, {"value": ONE, "code": "m", "system": UCUM}, {"value": ONE}),
    "drq-1": (t.DataRequirementCodeFilter, {"path": "a"}, {"path": "a", "search_param": "b"}),
    "drq-2": (t.DataRequirementDateFilter, {"search_param": "b"}, {"id": "a"}),
    "drt-1": (t.Duration, {"value": ONE, "code": "s", "system": UCUM}, {"code": "s", "system": UCUM}),
    "exp-1": (t.Expression, {"language": "text/cql", "expression": "a"}, {"language": "text/cql"}),
    "ext-1": (
        t.Extension,
        {"url": "urn:a:b", "extension": (t.Extension(url="c", value_code="d"),)},
        {"url": "urn:a:b", "value_code": "d", "extension": (t.Extension(url="c", value_code="d"),)},
    ),
    "inv-1": (
        t.ParametersParameter,
        {"name": "a", "resource": t.Patient()},
        {"name": "a", "resource": t.Patient(), "value_string": "b"},
    ),
    "org-1": (t.Organization, {"name": "a"}, {"active": True}),
    "org-2": (
        t.Organization,
        {"name": "a", "address": (t.Address(use="work"),)},
        {"name": "a", "address": (t.Address(use="home"),)},
    ),
    "org-3": (
        t.Organization,
        {"name": "a", "telecom": (t.ContactPoint(use="work"),)},
        {"name": "a", "telecom": (t.ContactPoint(use="home"),)},
    ),
    "pat-1": (t.PatientContact, {"name": t.HumanName(text="a")}, {"gender": "other"}),
    "per-1": (t.Period, {"start": "2026-01", "end": "2026-01-05"}, {"start": "2026-02", "end": "2026-01-05"}),
    "qty-3": (t.Quantity, {"code": "a", "system": UCUM}, {"code": "a"}),
    "rat-1": (t.Ratio, {"numerator": t.Quantity(value=ONE), "denominator": t.Quantity(value=ONE)}, {"id": "a"}),
    "rng-2": (
        t.Range,
        {"low": t.Quantity(value=ONE), "high": t.Quantity(value=ONE)},
        {"low": t.Quantity(value=ONE), "high": t.Quantity(value=Decimal(0))},
    ),
    "sev-1": (t.AuditEventEntity, {"name": "a"}, {"name": "a", "query": "YQ=="}),
    "spd-1": (_parameter, {"xpath": "a", "xpath_usage": "normal"}, {"xpath": "a"}),
    "spd-2": (_parameter, {"chain": ("a",)}, {"chain": ("a",), "type": "token"}),
    "tim-1": (t.TimingRepeat, {"duration": ONE, "duration_unit": "s"}, {"duration": ONE}),
    "tim-2": (t.TimingRepeat, {"period": ONE, "period_unit": "d"}, {"period": ONE}),
    "tim-4": (t.TimingRepeat, {"count": 1}, {"duration": -ONE, "duration_unit": "s"}),
    "tim-5": (t.TimingRepeat, {"count": 1}, {"period": -ONE, "period_unit": "d"}),
    "tim-6": (t.TimingRepeat, {"count": 1}, {"period_max": ONE}),
    "tim-7": (t.TimingRepeat, {"count": 1}, {"duration_max": ONE}),
    "tim-8": (t.TimingRepeat, {"count": 1, "count_max": 2}, {"count_max": 2}),
    "tim-10": (t.TimingRepeat, {"when": ("MORN",)}, {"when": ("MORN",), "time_of_day": ("10:00:00",)}),
    "trd-1": (
        t.TriggerDefinition,
        {"type": "periodic", "timing_date": "2026"},
        {"type": "periodic", "timing_date": "2026", "data": DATA},
    ),
    "trd-2": (
        t.TriggerDefinition,
        {"type": "named-event", "name": "a"},
        {"type": "named-event", "condition": t.Expression(language="text/cql", expression="a")},
    ),
}


@pytest.mark.parametrize("key", CASES)
def test_an_invariant_is_kept_or_told(key: str) -> None:
    make, kept, broken = CASES[key]
    make(**kept)
    with pytest.raises(BrokenRuleError) as told:
        make(**broken)
    assert key in [fault.text.partition(":")[0] for fault in told.value.faults]


def test_each_invariant_has_its_case() -> None:
    named = {name.replace("_", "-") for name in vars(invariants) if name[:1].isalpha() and name[-1:].isdigit()}
    assert named | {"ext-1"} == set(CASES)


@pytest.mark.parametrize(
    ("start", "end", "valid"),
    [
        ("2026-01-02T00:30:00+02:00", "2026-01-01T23:00:00Z", True),
        ("2026-01-02T01:30:00+02:00", "2026-01-01T23:00:00Z", False),
        ("2026-01-01T23:59:60Z", "2026-01-01T23:59:60Z", True),
        ("2026-02-30T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("2026-01-01", "2026-01-01T00:00:00Z", True),
        ("2027", "2026-12-31", False),
        ("2027", None, True),
    ],
)
def test_periods_are_compared_as_far_as_both_say(start: str, end: str | None, valid: bool) -> None:
    if valid:
        t.Period(start=start, end=end)
    else:
        with pytest.raises(BrokenRuleError):
            t.Period(start=start, end=end)


def test_ranges_of_different_units_are_not_compared() -> None:
    t.Range(low=t.Quantity(value=ONE, unit="kg"), high=t.Quantity(value=Decimal(0), unit="g"))
    t.Range(low=t.Quantity(value=ONE), high=None)


def test_a_resource_of_a_bundle_counts_with_its_version() -> None:
    entries = tuple(
        t.BundleEntry(full_url="urn:uuid:1", resource=t.Patient(meta=t.Meta(version_id=version))) for version in "12"
    )
    t.Bundle(type="collection", entry=entries)


@pytest.mark.parametrize("text", ["é===", "YQ=", "Y===", "=", "Y=Q=", "YQ-_"])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(BrokenRuleError):
        t.Binary(content_type="a/b", data=text)
