"""Searches as they are read: what each parameter takes, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir import queries
from carethread.fhir.dates import Span
from carethread.fhir.outcome import RefusedError
from carethread.fhir.queries import Given, Query, read_pairs, read_query
from carethread.fhir.shape import Shape
from carethread.fhir.table import BY_TYPE, TABLE
from carethread.fhir.values import ByIdentifier, Reference, Text, Token, Value, split, unescape

BASE = "https://care.example/fhir"


def read(text: str, type_name: str = "Communication", *, lenient: bool = False) -> Query:
    return read_query(BY_TYPE[type_name], read_pairs(text.encode()), BASE, lenient=lenient)


def only(text: str, type_name: str = "Communication") -> Given:
    (found,) = read(text, type_name).given
    return found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("recipient=Organization/Pharmacy-A", [Reference("Organization", "Pharmacy-A")]),
        ("recipient=Organization%2FPharmacy-A", [Reference("Organization", "Pharmacy-A")]),
        ("recipient=Pharmacy-A", [Reference("", "Pharmacy-A")]),
        ("recipient:Organization=Pharmacy-A", [Reference("Organization", "Pharmacy-A")]),
        ("recipient:Organization=Organization/Pharmacy-A", [Reference("Organization", "Pharmacy-A")]),
        (f"recipient={BASE}/Organization/Pharmacy-A", [Reference("Organization", "Pharmacy-A")]),
        ("recipient=https://elsewhere.example/fhir/Organization/Pharmacy-A", [Reference("", "")]),
        ("recipient=A,Practitioner/B", [Reference("", "A"), Reference("Practitioner", "B")]),
        ("recipient:identifier=urn:x|1", [ByIdentifier("", "urn:x", "1")]),
        ("recipient:identifier=1", [ByIdentifier("", None, "1")]),
        ("status=completed", [Token(None, "completed")]),
        ("status=http://hl7.org/fhir/event-status|completed", [Token("http://hl7.org/fhir/event-status", "completed")]),
        ("identifier=|7", [Token("", "7")]),
        ("identifier=urn:x|", [Token("urn:x", None)]),
        (r"identifier=urn:x|a\,b\|c\$d\\e", [Token("urn:x", "a,b|c$d\\e")]),
        ("sent=2026-01-11", [Span(1768089600000, 1768176000000)]),  # type: ignore[arg-type]
        ("sent=ne2026-01-11", [Span(None, 1768089600000), Span(1768176000000, None)]),  # type: ignore[arg-type]
        ("_content=chest+x-ray", [Text("chest x-ray")]),
    ],
)
def test_a_parameter_takes(text: str, values: list[Value]) -> None:
    assert only(text).values == tuple(values)


def test_names_are_matched_as_r4_says() -> None:
    assert only("name=de", "Organization").values == (Text("de"),)
    assert only("name:exact=De Wit", "Organization").values == (Text("De Wit", exact=True),)
    assert only("name:contains=wit", "Organization").values == (Text("wit", contains=True),)


def test_repeated_parameters_must_all_hold() -> None:
    found = read("sent=ge2026&sent=lt2027&status=completed").given
    assert [each.name for each in found] == ["sent", "sent", "status"]


def test_a_parameter_without_a_value_is_as_if_it_was_not_there() -> None:
    assert read("status=&sender").given == ()


@pytest.mark.parametrize(
    ("text", "target", "chained", "value"),
    [
        ("based-on.recipient=Organization/A", "CommunicationRequest", "recipient", Reference("Organization", "A")),
        ("part-of:CommunicationRequest.sender=A", "CommunicationRequest", "sender", Reference("", "A")),
        ("based-on.recipient:Organization=A", "CommunicationRequest", "recipient", Reference("Organization", "A")),
        ("based-on.status=active", "CommunicationRequest", "status", Token(None, "active")),
        ("recipient:Organization.identifier=urn:x|1", "Organization", "identifier", Token("urn:x", "1")),
        ("subject:Patient.identifier=1", "Patient", "identifier", Token(None, "1")),
        ("subject.identifier=1", "Patient", "identifier", Token(None, "1")),
    ],
)
def test_a_chain_leads_through_a_type(text: str, target: str, chained: str, value: Value) -> None:
    found = only(text)
    assert found.chained is not None
    assert (found.target, found.chained.name, found.values) == (target, chained, (value,))


def test_a_reverse_chain_asks_what_refers_here() -> None:
    found = only("_has:Communication:based-on:sender=Practitioner/A1", "CommunicationRequest")
    assert found.reverse is not None
    assert found.parameter.name == "sender"
    assert found.values == (Reference("Practitioner", "A1"),)


@pytest.mark.parametrize(
    "text",
    [
        "priority=routine", "nonsense=1", "based-on.identifier=1", "based-on.recipient.name=x", "sender:exact=x",
        "status:missing=true", "sent:exact=2026", "recipient:Group=1", "recipient:Group.identifier=1", "_has:X:y:z=1",
        "sender:identifier.x=1", "_sort:x=sent", "_contained=true", "based-on.recipient:exact=x", "status.x=1",
        "_include:iterate=Communication:based-on",
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_or_said(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        read(text)
    name = text.partition("=")[0]
    assert refusal.value.status == 400
    assert refusal.value.issues[0].code == "not-supported"
    assert refusal.value.issues[0].expression == (name,)
    found = read(f"{text}&status=completed", lenient=True)
    assert found.unheard == (name,)
    assert found.pairs == (("status", "completed"),)
    assert len(found.given) == 1


@pytest.mark.parametrize(
    "text",
    [
        "sent=yesterday", "sent=ap2026", "recipient=a/b/c", "recipient:Organization=Practitioner/1", "status=a|b|c",
        "status=|", "recipient=A,,B", "recipient=" + "x" * 1001, "recipient:identifier=urn:x|", "_count=-1", "_count=x",
        "_count=²", "_sort=subject", "_sort=sent,status", "_total=some", "_summary=maybe", "_pretty=1",
        "_elements=a.b", "_include=Communication:encounter", "_include=Communication:recipient:Organization",
        "_include=*", "_revinclude=Communication:based-on",
        "_sort=sent&_sort=-sent", "_count=1&_count=2", "recipient.identifier=1", "_elements=id&_summary=true",
        "status=" + ",".join(["a"] * 51),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lenient", [False, True])
def test_what_is_not_in_order_is_refused(text: str, lenient: bool) -> None:
    with pytest.raises(RefusedError) as refusal:
        read(text, lenient=lenient)
    assert refusal.value.status == 400


def test_another_format_is_not_acceptable() -> None:
    with pytest.raises(RefusedError) as refusal:
        read("_format=xml")
    assert refusal.value.status == 406


def test_too_much_is_refused() -> None:
    assert len(read_pairs(b"&".join([b"a=b"] * queries.MOST_PARAMETERS))) == queries.MOST_PARAMETERS
    for text in (b"&".join([b"a=b"] * (queries.MOST_PARAMETERS + 1)), b"a=" + b"x" * 3001, b"a=%FF"):
        with pytest.raises(RefusedError):
            read_pairs(text)


def test_how_to_answer_is_read() -> None:
    found = read(
        "_sort=-sent&_count=20&_total=accurate&_include=Communication:based-on&_include=Communication:sender"
        "&_include=Communication:based-on:CommunicationRequest&_revinclude=Communication:corrects"
        "&_elements=id,%20sent&_pretty=true&_cursor=abc"
    )
    assert (found.sort, found.count, found.total, found.cursor) == ("-sent", 20, "accurate", "abc")
    assert found.includes == ("based-on", "sender")
    assert found.revincludes == (("Communication", "corrects"),)
    assert found.shape == Shape(pretty=True, elements=frozenset({"id", "sent"}))
    assert "_cursor" not in dict(found.pairs)


def test_without_anything_said() -> None:
    assert read("") == Query()
    assert read("_count=5000").count == queries.MOST_COUNT


@given(st.sampled_from([each for each in TABLE if each.parameters]), st.data())
def test_whatever_comes_is_read_or_refused(support: object, data: st.DataObject) -> None:
    assert isinstance(support, type(TABLE[0]))
    names = st.sampled_from([each.name for each in support.parameters]) | st.text(max_size=20)
    pairs = data.draw(st.lists(st.tuples(names, st.text(max_size=30)), max_size=4))
    status = 200
    try:
        read_query(support, tuple(pairs), BASE)
    except RefusedError as refusal:
        status = refusal.status
    assert status in {200, 400, 406}


@given(st.lists(st.text(alphabet="a,|$\\b", max_size=6), min_size=1, max_size=5))
def test_escaped_parts_come_back(parts: list[str]) -> None:
    def escape(text: str) -> str:
        for each in "\\,|$":
            text = text.replace(each, f"\\{each}")
        return text

    assert [unescape(each) for each in split(",".join(escape(each) for each in parts), ",")] == parts
