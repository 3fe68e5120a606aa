"""What is kept of a resource, what is the server's own to set, and what is refused: a row for every element."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from carethread.fhir import types
from carethread.fhir.mapping.communication import check_visibility, read_communication
from carethread.fhir.mapping.drafts import ResourceRefusedError, RuleIssue
from carethread.fhir.mapping.request import read_request
from carethread.fhir.types.primitives import fhir_name
from carethread.record.model import Sensitivity, Visibility
from tests.fhir.threads import CONFIDENTIALITY, OURS, OZO, as_communication, as_request

SECRET = "haloperidol"
CONCEPT = {"text": SECRET}
NOTE = {"text": SECRET}
PERIOD = {"start": "2026-01-01"}
CORRECTED_BY = {"url": f"{OURS}/corrected-by", "valueReference": {"reference": "Communication/9"}}
EXTENSION = {"url": "urn:x", "valueString": SECRET}


def refused(read: Callable[[], object]) -> tuple[RuleIssue, ...]:
    with pytest.raises(ResourceRefusedError) as caught:
        read()
    assert SECRET not in str(caught.value)
    assert all(SECRET not in f"{each.text}{each.instead}{each.expression}" for each in caught.value.issues)
    assert all(each.text and each.instead.endswith(".") for each in caught.value.issues)
    return caught.value.issues


def reading(kind: str, change: dict[str, Any]) -> Callable[[], object]:
    if kind == "Communication":
        return lambda: read_communication(as_communication(**change))
    return lambda: read_request(as_request(**change))


BOTH = ("Communication", "CommunicationRequest")
# Element by element, with a value that R4 allows: where the refusal says it stands, and its code.
REFUSED: list[tuple[tuple[str, ...], str, Any, str, str]] = [
    (BOTH, "implicitRules", "urn:rules", "implicitRules", "not-supported"),
    (BOTH, "language", "nl", "language", "not-supported"),
    (BOTH, "modifierExtension", [EXTENSION], "modifierExtension", "not-supported"),
    (BOTH, "extension", [EXTENSION], "extension[0]", "extension"),
    (BOTH, "priority", "urgent", "priority", "business-rule"),
    (BOTH, "priority", "asap", "priority", "business-rule"),
    (BOTH, "priority", "stat", "priority", "business-rule"),
    (BOTH, "_priority", {"extension": [EXTENSION]}, "priority.extension", "not-supported"),
    (BOTH, "statusReason", CONCEPT, "statusReason", "not-supported"),
    (BOTH, "_status", {"extension": [EXTENSION]}, "status.extension", "not-supported"),
    (BOTH, "medium", [CONCEPT], "medium", "not-supported"),
    (BOTH, "about", [{"reference": "Condition/1"}], "about", "not-supported"),
    (BOTH, "encounter", {"reference": "Encounter/1"}, "encounter", "not-supported"),
    (BOTH, "reasonCode", [CONCEPT], "reasonCode", "not-supported"),
    (BOTH, "reasonReference", [{"reference": "Condition/1"}], "reasonReference", "not-supported"),
    (BOTH, "note", [NOTE], "note", "not-supported"),
    (BOTH, "subject", {"reference": "Group/1"}, "subject.reference", "value"),
    (("Communication",), "status", "preparation", "status", "business-rule"),
    (("Communication",), "status", "not-done", "status", "business-rule"),
    (("Communication",), "status", "on-hold", "status", "business-rule"),
    (("Communication",), "status", "stopped", "status", "business-rule"),
    (("Communication",), "status", "entered-in-error", "status", "business-rule"),
    (("Communication",), "status", "unknown", "status", "business-rule"),
    (("Communication",), "instantiatesCanonical", ["urn:plan"], "instantiatesCanonical", "not-supported"),
    (("Communication",), "instantiatesUri", ["urn:plan"], "instantiatesUri", "not-supported"),
    (("Communication",), "topic", CONCEPT, "topic", "not-supported"),
    (("Communication",), "received", "2026-01-11T14:36:00Z", "received", "not-supported"),
    (("Communication",), "_sent", {"extension": [EXTENSION]}, "sent.extension", "not-supported"),
    (("Communication",), "sent", "2026-01-11", "sent", "value"),
    (("Communication",), "sent", "2026", "sent", "value"),
    (("Communication",), "sent", "1969-12-31T23:59:59Z", "sent", "value"),
    (("Communication",), "sent", "2026-01-11T14:36:60Z", "sent", "value"),
    (("Communication",), "category", [CONCEPT], "category[0].text", "not-supported"),
    (("Communication",), "category", [{"coding": [{"code": "clinician"}]}], "category[0].coding[0]", "code-invalid"),
    (("Communication",), "sender", None, "sender", "required"),
    (("Communication",), "sender", {"reference": "Organization/Pharmacy-A"}, "sender.reference", "value"),
    (("Communication",), "sender", {"reference": "PractitionerRole/1"}, "sender.reference", "value"),
    (("Communication",), "sender", {"reference": "Device/1"}, "sender.reference", "value"),
    (("Communication",), "recipient", [{"reference": "Group/1"}], "recipient[0].reference", "value"),
    (("Communication",), "payload", None, "payload", "required"),
    (("Communication",), "basedOn", None, "basedOn", "required"),
    (("Communication",), "basedOn", [{"reference": "ServiceRequest/1"}], "basedOn[0].reference", "value"),
    (("CommunicationRequest",), "status", "draft", "status", "business-rule"),
    (("CommunicationRequest",), "status", "on-hold", "status", "business-rule"),
    (("CommunicationRequest",), "status", "revoked", "status", "business-rule"),
    (("CommunicationRequest",), "status", "completed", "status", "business-rule"),
    (("CommunicationRequest",), "status", "entered-in-error", "status", "business-rule"),
    (("CommunicationRequest",), "status", "unknown", "status", "business-rule"),
    (("CommunicationRequest",), "basedOn", [{"reference": "ServiceRequest/1"}], "basedOn", "not-supported"),
    (("CommunicationRequest",), "groupIdentifier", {"value": SECRET}, "groupIdentifier", "not-supported"),
    (("CommunicationRequest",), "category", [CONCEPT], "category", "not-supported"),
    (("CommunicationRequest",), "doNotPerform", True, "doNotPerform", "business-rule"),
    (("CommunicationRequest",), "_doNotPerform", {"extension": [EXTENSION]}, "doNotPerform.extension", "not-supported"),
    (("CommunicationRequest",), "occurrenceDateTime", "2026-01-12", "occurrence", "not-supported"),
    (("CommunicationRequest",), "occurrencePeriod", PERIOD, "occurrence", "not-supported"),
    (("CommunicationRequest",), "_authoredOn", {"extension": [EXTENSION]}, "authoredOn.extension", "not-supported"),
    (("CommunicationRequest",), "requester", None, "requester", "required"),
    (("CommunicationRequest",), "requester", {"reference": "Organization/1"}, "requester.reference", "value"),
    (("CommunicationRequest",), "sender", {"reference": "HealthcareService/1"}, "sender.reference", "value"),
    (("CommunicationRequest",), "subject", None, "subject", "required"),
    (("CommunicationRequest",), "recipient", None, "recipient", "required"),
    (("CommunicationRequest",), "recipient", [{"reference": "HealthcareService/1"}], "recipient[0].reference", "value"),
    (
        ("CommunicationRequest",),
        "replaces",
        [{"reference": "CommunicationRequest/1"}, {"reference": "CommunicationRequest/2"}],
        "replaces",
        "business-rule",
    ),
]
# Taken: kept, the server's own to set, or saying no more than leaving them out.
TAKEN: list[tuple[tuple[str, ...], str, Any]] = [
    (BOTH, "id", "thread-1"),
    (BOTH, "meta", {"versionId": "9", "lastUpdated": "2026-01-01T00:00:00Z", "source": "urn:x", "profile": ["urn:p"]}),
    (BOTH, "meta", {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}),
    (BOTH, "meta", {"tag": [{"system": "https://carethread.example/fhir/CodeSystem/tag", "code": "corrected"}]}),
    (BOTH, "text", {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}),
    (BOTH, "identifier", [{"system": "urn:x", "value": "1"}]),
    (BOTH, "priority", "routine"),
    (BOTH, "subject", {"reference": "Patient/123", "type": "Patient", "display": "Not kept"}),
    (BOTH, "recipient", [{"reference": f"{kind}/1"} for kind in ("Practitioner", "RelatedPerson", "Patient")]),
    (BOTH, "recipient", [{"reference": "CareTeam/1"}, {"reference": "Organization/1"}]),
    (("Communication",), "status", "in-progress"),
    (("Communication",), "partOf", [{"reference": "CommunicationRequest/thread-pharmacy-to-clinic"}]),
    (("Communication",), "inResponseTo", [{"reference": "Communication/1"}]),
    (("Communication",), "sent", "2026-01-11T14:36:00+01:00"),
    (
        ("Communication",),
        "extension",
        [{"url": f"{OURS}/corrected-by", "valueReference": {"reference": "Communication/9"}}],
    ),
    (("CommunicationRequest",), "replaces", [{"reference": "CommunicationRequest/1"}]),
    (("CommunicationRequest",), "authoredOn", "1999"),
    (("CommunicationRequest",), "doNotPerform", False),
    (("CommunicationRequest",), "sender", {"reference": "Practitioner/A1"}),
    (("CommunicationRequest",), "payload", None),
]


@pytest.mark.parametrize(
    ("kind", "element", "value", "expression", "code"),
    [(kind, *row) for kinds, *row in REFUSED for kind in kinds],
)
def test_what_is_refused(kind: str, element: str, value: Any, expression: str, code: str) -> None:
    found = {(each.expression, each.code) for each in refused(reading(kind, {element: value}))}
    assert (f"{kind}.{expression}", code) in found


@pytest.mark.parametrize(("kind", "element", "value"), [(kind, *row) for kinds, *row in TAKEN for kind in kinds])
def test_what_is_taken(kind: str, element: str, value: Any) -> None:
    reading(kind, {element: value})()


@pytest.mark.parametrize("kind", [types.Communication, types.CommunicationRequest])
def test_the_tables_name_every_element(kind: type) -> None:
    named = {row[1] for row in (*REFUSED, *TAKEN) if kind.__name__ in row[0]}
    base = {"contained", "status", "basedOn", "requester", "recipient", "sender", "payload", "subject"}
    elements = {fhir_name(each) for each in kind.__struct_fields__}  # type: ignore[attr-defined]
    # What a primitive has beside its value is refused in one way for all; some are named, the others are alike.
    assert {each for each in elements if not each.startswith("_")} <= named | base


@pytest.mark.parametrize("kind", BOTH)
def test_a_resource_within_another_is_refused(kind: str) -> None:
    within = (msgspec.Raw(b'{"resourceType":"Patient","id":"p"}'),)
    if kind == "Communication":
        (issue,) = refused(lambda: read_communication(replace(as_communication(), contained=within)))
    else:
        (issue,) = refused(lambda: read_request(replace(as_request(), contained=within)))
    assert issue.expression == f"{kind}.contained"


def test_everything_wrong_is_told_at_once() -> None:
    issues = refused(
        lambda: read_communication(
            as_communication(priority="stat", note=[NOTE], sender={"reference": "Device/1"}, basedOn=None)
        )
    )
    assert [each.expression for each in issues] == [
        "Communication.note",
        "Communication.priority",
        "Communication.basedOn",
        "Communication.sender.reference",
    ]


# ── Labels ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "labels",
    [
        [{"system": CONFIDENTIALITY, "code": "U"}],
        [{"system": CONFIDENTIALITY, "code": "L"}],
        [{"system": CONFIDENTIALITY}],
        [{"system": "urn:x", "code": "R"}],
        [{"code": "R"}],
        [{"system": CONFIDENTIALITY, "code": "N"}, {"system": CONFIDENTIALITY, "code": "R"}],
        [{"system": CONFIDENTIALITY, "code": "R"}, {"system": "urn:x", "code": SECRET}],
    ],
)
@pytest.mark.parametrize("kind", BOTH)
def test_a_label_that_is_not_enforced_is_refused(kind: str, labels: list[dict[str, str]]) -> None:
    issues = refused(reading(kind, {"meta": {"security": labels}}))
    assert [each.code for each in issues] == ["code-invalid"]


@pytest.mark.parametrize(
    ("code", "sensitivity"),
    [("N", Sensitivity.STANDARD), ("R", Sensitivity.CONFIDENTIAL), ("V", Sensitivity.RESTRICTED)],
)
def test_a_label_is_a_visibility(code: str, sensitivity: Sensitivity) -> None:
    meta = {"security": [{"system": CONFIDENTIALITY, "code": code}]}
    assert read_request(as_request(meta=meta)).visibility == Visibility(sensitivity)
    assert read_communication(as_communication(meta=meta)).visibility == Visibility(sensitivity)


@pytest.mark.parametrize(
    ("code", "visibility", "agrees"),
    [
        (None, Visibility(Sensitivity.RESTRICTED), True),
        ("N", Visibility(), True),
        ("N", Visibility(restricted=True), False),
        ("N", Visibility(Sensitivity.CONFIDENTIAL), False),
        ("R", Visibility(Sensitivity.CONFIDENTIAL), True),
        ("R", Visibility(), False),
        ("V", Visibility(Sensitivity.RESTRICTED), True),
        ("V", Visibility(restricted=True), True),
        ("V", Visibility(), False),
    ],
)
def test_a_message_is_as_visible_as_its_thread(code: str | None, visibility: Visibility, agrees: bool) -> None:
    meta = None if code is None else {"security": [{"system": CONFIDENTIALITY, "code": code}]}
    draft = read_communication(as_communication(meta=meta))
    if agrees:
        check_visibility(draft, visibility)
    else:
        (issue,) = refused(lambda: check_visibility(draft, visibility))
        assert issue.expression == "Communication.meta.security"


@pytest.mark.parametrize("kind", BOTH)
def test_a_resource_of_which_a_part_was_served_is_refused(kind: str) -> None:
    subsetted = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    (issue,) = refused(reading(kind, {"meta": {"tag": [subsetted]}}))
    assert issue.expression == f"{kind}.meta.tag"


# ── Categories ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("category", "sender", "corrects", "taken"),
    [
        ("clinician", "Practitioner/B1", False, True),
        ("clinician", "Practitioner/B1", True, False),
        ("clinician", "RelatedPerson/D1", False, False),
        ("patient", "Patient/123", False, True),
        ("patient", "RelatedPerson/D1", False, True),
        ("patient", "Practitioner/B1", False, False),
        ("patient", "Patient/123", True, False),
        ("correction", "Practitioner/B1", True, True),
        ("correction", "Patient/123", True, True),
        ("correction", "Practitioner/B1", False, False),
        ("system", "Practitioner/B1", False, False),
        ("system", "Practitioner/B1", True, False),
    ],
)
def test_a_category_must_be_what_it_will_be(category: str, sender: str, corrects: bool, taken: bool) -> None:
    coding = {"system": "https://carethread.example/fhir/CodeSystem/message-category", "code": category}
    corrected = [{"url": f"{OURS}/corrects", "valueReference": {"reference": "Communication/1"}}]
    read = reading(
        "Communication",
        {
            "category": [{"coding": [coding]}],
            "sender": {"reference": sender},
            "extension": corrected if corrects else None,
        },
    )
    if taken:
        read()
    else:
        (issue,) = refused(read)
        assert issue.expression == "Communication.category[0].coding[0]"


# ── Extensions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def extension(name: str, reference: str) -> dict[str, Any]:
    return {"url": name if ":" in name else f"{OURS}/{name}", "valueReference": {"reference": reference}}


@pytest.mark.parametrize(
    ("kind", "extensions", "expression"),
    [
        ("Communication", [extension("on-behalf-of", "Practitioner/1")], "extension[0].value.reference"),
        (
            "Communication",
            [extension("on-behalf-of", "CareTeam/1"), extension(OZO, "CareTeam/2")],
            "extension[1].value",
        ),
        (
            "Communication",
            [extension("corrects", "Communication/1"), extension("corrects", "Communication/2")],
            "extension[1].value",
        ),
        ("Communication", [{"url": f"{OURS}/corrects", "valueString": SECRET}], "extension[0].value"),
        ("Communication", [extension("participant", "Practitioner/1")], "extension[0]"),
        (
            "CommunicationRequest",
            [extension("sender-care-team", "Organization/Pharmacy-A")],
            "extension[0].value.reference",
        ),
        (
            "CommunicationRequest",
            [extension("sender-care-team", "CareTeam/1"), extension(OZO, "CareTeam/2")],
            "extension[1].value",
        ),
        ("CommunicationRequest", [extension("sender-care-team", "CareTeam/1")], "sender"),
        ("CommunicationRequest", [extension("on-behalf-of", "CareTeam/1")], "extension[0]"),
        ("CommunicationRequest", [extension("participant", "Device/1")], "extension[0].value.reference"),
        ("CommunicationRequest", [{"url": f"{OURS}/policies", "valueBoolean": True}], "extension[0].value"),
        (
            "CommunicationRequest",
            [{"url": f"{OURS}/policies", "extension": [{"url": "x", "valueBoolean": True}]}],
            "extension[0].extension[0]",
        ),
        (
            "CommunicationRequest",
            [
                {
                    "url": f"{OURS}/policies",
                    "extension": [{"url": "allow-patient-participation", "valueBoolean": True}] * 2,
                }
            ],
            "extension[0].extension[1]",
        ),
        (
            "CommunicationRequest",
            [
                {
                    "url": f"{OURS}/policies",
                    "extension": [{"url": "allow-patient-participation", "valueString": SECRET}],
                }
            ],
            "extension[0].extension[0].value",
        ),
        (
            "CommunicationRequest",
            [{"url": f"{OURS}/policies", "extension": [{"url": "allow-patient-participation", "valueBoolean": True}]}]
            * 2,
            "extension[1]",
        ),
    ],
)
def test_an_extension_that_says_what_cannot_be(kind: str, extensions: list[Any], expression: str) -> None:
    issues = refused(reading(kind, {"extension": extensions}))
    assert f"{kind}.{expression}" in [each.expression for each in issues]
