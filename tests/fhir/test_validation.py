"""What is refused, where, and as what; and that nothing that comes in can do more than be refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir import reading, types, validation
from carethread.fhir.errors import InvalidResourceError, Issue
from carethread.fhir.rules import BrokenRuleError

SPOKEN = frozenset({"Communication", "Patient", "Bundle", "AuditEvent", "Organization", "Parameters"})
MESSAGE: dict[str, Any] = {
    "resourceType": "Communication",
    "status": "completed",
    "subject": {"reference": "Patient/1"},
    "sender": {"reference": "Practitioner/A1"},
    "recipient": [{"reference": "Organization/P"}, {"reference": "https://elsewhere.example/fhir/CareTeam/2"}],
    "payload": [{"contentString": 'Text: {} "" [] null é'}],
}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": "Vries", "given": ["A", "B"]}]}


def found(resource: Any) -> list[tuple[str, str]]:
    data = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return [(each.code, each.expression) for each in validation.issues(data, types=SPOKEN)]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"status": "bogus"}, "code-invalid", "Communication.status"),
    ({"status": 1}, "code-invalid", "Communication.status"),
    ({"sender": {"reference": "CareTeam/1"}}, "value", "Communication.sender"),
    ({"sender": {"reference": "Banana/1"}}, "value", "Communication.sender.reference"),
    ({"sender": {"reference": "nowhere"}}, "value", "Communication.sender.reference"),
    ({"sender": {"reference": "Practitioner/1", "type": "Patient"}}, "value", "Communication.sender.type"),
    ({"sender": {"type": "CareTeam", "display": "x"}}, "value", "Communication.sender"),
    ({"sender": {"reference": "#a"}}, "invariant", "Communication.sender"),
    ({"recipient": [{"reference": "Patient/1"}, {"reference": "Account/1"}]}, "value", "Communication.recipient[1]"),
    ({"recipient": {"reference": "Patient/1"}}, "structure", "Communication.recipient"),
    ({"recipient": []}, "structure", "Communication.recipient"),
    ({"subject": [{"reference": "Patient/1"}]}, "structure", "Communication.subject"),
    ({"subject": None}, "structure", "Communication.subject"),
    ({"subject": {}}, "invariant", "Communication.subject"),
    ({"subject": {"id": "a"}}, "invariant", "Communication.subject"),
    ({"payload": [{}]}, "required", "Communication.payload[0].content"),
    ({"payload": [{"contentString": ""}]}, "value", "Communication.payload[0].content"),
    ({"payload": [{"contentString": 5}]}, "value", "Communication.payload[0].content"),
    ({"payload": [{"contentString": "\u0007"}]}, "value", "Communication.payload[0].content"),
    (
        {"payload": [{"contentString": "a", "contentReference": {"reference": "Binary/1"}}]},
        "structure",
        "Communication.payload[0].content",
    ),
    ({"payload": [{"contentAttachment": {"data": "YQ=="}}]}, "invariant", "Communication.payload[0].content"),
    (
        {"payload": [{"contentAttachment": {"contentType": "a/b", "data": "Y"}}]},
        "value",
        "Communication.payload[0].content.data",
    ),
    ({"sent": "yesterday"}, "value", "Communication.sent"),
    ({"sent": "2026-01-01T10:00:00"}, "value", "Communication.sent"),
    ({"unheardOf": 1}, "structure", "Communication.unheardOf"),
    ({"not plain": 1}, "structure", "Communication"),
    ({"id": "a b"}, "value", "Communication.id"),
    ({"extension": [{"url": "urn:a:b"}]}, "invariant", "Communication.extension[0]"),
    ({"extension": [{"valueString": "a"}]}, "required", "Communication.extension[0].url"),
    (
        {"extension": [{"url": "urn:a:b", "valueString": "a", "valueCode": "b"}]},
        "structure",
        "Communication.extension[0].value",
    ),
    ({"extension": [{"url": "urn:a:b", "valueDecimal": "1.5"}]}, "value", "Communication.extension[0].value"),
    ({"extension": [{"url": "urn:a:b", "valueInteger": 2**31}]}, "value", "Communication.extension[0].value"),
    ({"extension": [{"url": "urn:a:b", "valueInteger": 10**30}]}, "value", "Communication.extension[0].value"),
    ({"extension": [{"url": "urn:a:b", "valueBoolean": "true"}]}, "value", "Communication.extension[0].value"),
    (
        {"extension": [{"url": "urn:a:b", "valuePeriod": {"start": "2026-02", "end": "2026-01"}}]},
        "invariant",
        "Communication.extension[0].value",
    ),
    ({"contained": [{"resourceType": "Patient", "id": "p"}]}, "invariant", "Communication.contained[0]"),
    ({"contained": [{"resourceType": "Banana"}]}, "not-supported", "Communication.contained[0]"),
    ({"contained": [7]}, "structure", "Communication.contained[0]"),
]


@pytest.mark.parametrize(("change", "code", "expression"), REFUSED)
def test_a_fault_is_told_where_it_is(change: dict[str, Any], code: str, expression: str) -> None:
    assert (code, expression) in found(MESSAGE | change)


def test_each_fault_is_told() -> None:
    wrong = MESSAGE | {"status": "bogus", "sender": {"reference": "CareTeam/1"}, "sent": "x", "unheardOf": 1}
    assert sorted(found(wrong)) == [
        ("code-invalid", "Communication.status"),
        ("structure", "Communication.unheardOf"),
        ("value", "Communication.sender"),
        ("value", "Communication.sent"),
    ]


def test_what_is_valid_comes_out_as_it_came_in() -> None:
    assert found(MESSAGE) == []
    data = json.dumps(MESSAGE, ensure_ascii=False, indent=1).encode()
    read = validation.parse(data, types=SPOKEN)
    assert json.loads(validation.encode(read)) == MESSAGE
    validation.check(read)


def test_a_value_made_here_is_checked_as_if_it_came_in() -> None:
    with pytest.raises(InvalidResourceError):
        validation.check(types.Communication(status="completed", sent="yesterday"))
    with pytest.raises(BrokenRuleError):
        types.Communication(status="completed", sender=types.Reference(reference="CareTeam/1"))


def test_what_a_primitive_has_besides_stands_in_pairs() -> None:
    extension = {"extension": [{"url": "urn:a:b", "valueCode": "IN"}]}
    name = {"given": ["A", None], "_given": [None, extension]}
    assert found(PATIENT | {"name": [name]}) == []
    assert found(PATIENT | {"birthDate": "2001-02-03", "_birthDate": extension}) == []
    assert found(PATIENT | {"name": [name | {"given": ["A", None, "C"]}]}) == [("structure", "Patient.name[0].given")]
    assert found(PATIENT | {"name": [{"given": ["A", None]}]}) == [("structure", "Patient.name[0].given[1]")]
    assert found(PATIENT | {"_birthDate": {"id": "a"}}) == [("invariant", "Patient.birthDate")]


@pytest.mark.parametrize("number", ["1.00", "0.1", "100000000000000000000.10", "-7", "1E-30"])
def test_a_decimal_keeps_its_digits(number: str) -> None:
    data = b'{"resourceType":"Patient","extension":[{"url":"urn:a:b","valueDecimal":%b}]}' % number.encode()
    read = validation.parse(data, types=SPOKEN)
    assert isinstance(read, types.Patient)
    assert str(read.extension[0].value_decimal) == number
    assert validation.encode(read) == data


@pytest.mark.parametrize(
    ("data", "code", "expression"),
    [
        (b"", "structure", "Resource"),
        (b"\xff", "structure", "Resource"),
        (b"[]", "structure", "Resource"),
        (b"{}", "required", "Resource"),
        (b'{"resourceType":"Banana"}', "not-supported", "Resource"),
        (b'{"resourceType":"Device"}', "not-supported", "Resource"),
        (b'{"resourceType":"Patient","id":"a","id":"b"}', "structure", "Patient"),
        (b'{"resourceType":"Patient","id":"a","\\u0069d" :"b"}', "structure", "Patient"),
        (b'{"resourceType":"Patient","active":true,"active" :"\\u003a"}', "structure", "Patient"),
        (b"[" * 1_000_000, "too-costly", "Resource"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too-costly", "Resource"),
        (b'{"a":1}' * (validation.MAX_ELEMENTS + 1), "too-costly", "Resource"),
        (b" " * (validation.MAX_BYTES + 1), "too-long", "Resource"),
    ],
    ids=range(13),
)
def test_json_that_is_no_resource(data: bytes, code: str, expression: str) -> None:
    assert (code, expression) in found(data)


def test_brackets_in_text_are_not_deep() -> None:
    assert found(MESSAGE | {"payload": [{"contentString": '\\"[{' * 100}]}) == []


def test_contained_resources_are_referred_to_and_have_no_version() -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    held = MESSAGE | {"subject": {"reference": "#p"}}
    assert found(held | {"contained": [patient]}) == []
    labelled = patient | {"meta": {"versionId": "1", "security": [{"code": "R"}]}, "contained": [patient]}
    assert found(held | {"contained": [labelled]}) == [("invariant", "Communication.contained[0]")] * 3
    elsewhere = held | {"contained": [patient], "about": [{"reference": "#q"}], "instantiatesUri": ["#r"]}
    assert found(elsewhere) == [("invariant", "Communication.about[0]")]


def test_a_bundle_is_read_with_its_resources() -> None:
    entry = {"fullUrl": "urn:uuid:a", "resource": MESSAGE, "request": {"method": "POST", "url": "Communication"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert found(bundle) == []
    wrong = bundle | {"entry": [entry | {"resource": MESSAGE | {"status": "bogus"}}]}
    assert found(wrong) == [("code-invalid", "Bundle.entry[0].resource.status")]
    assert found(bundle | {"type": "searchset"}) == [("invariant", "Bundle")]


def test_no_more_faults_than_anybody_reads() -> None:
    assert len(found(MESSAGE | {"note": [{}] * 100})) == reading.MAX_ISSUES


def test_no_text_says_what_stands_in_the_resource() -> None:
    for change, _, _ in REFUSED:
        for each in validation.issues(json.dumps(MESSAGE | change).encode(), types=SPOKEN):
            assert not any(word in each.text for word in ("bogus", "Banana", "yesterday", "nowhere"))


def test_what_only_one_of_both_readers_refuses_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "faults_of", lambda *_: ())
    assert validation.issues(b"{", types=SPOKEN) == (Issue("invalid", "Resource", "is not valid R4"),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MESSAGE, "id", "url"]), inner),
    max_leaves=20,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_is_refused_or_read(data: bytes) -> None:
    for each in validation.issues(data, types=SPOKEN):
        assert each.text != "is not valid R4"


@given(st.sampled_from(sorted({*MESSAGE, "extension", "contained", "sent", "meta", "_status"})), JSON)
def test_any_value_of_an_element_is_read_alike_by_both_readers(key: str, value: Any) -> None:
    data = json.dumps(MESSAGE | {key: value}).encode()
    told = validation.issues(data, types=SPOKEN)
    assert "is not valid R4" not in {each.text for each in told}
    assert reading.faults_of(data, SPOKEN) == told


def test_numbers_are_decimals() -> None:
    assert reading._decimal("1e99999999999999999999") is reading._UNREADABLE
    assert reading._integer("1" * 30) == Decimal("1" * 30)
