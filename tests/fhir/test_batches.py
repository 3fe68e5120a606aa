"""Bundles of type batch over HTTP: each entry by itself, as if it had been sent alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from carethread.fhir import bundles, doing
from carethread.fhir.interactions import Interaction
from carethread.fhir.submitted import MOST_ENTRIES
from tests.fhir.bundles import (
    PATIENT,
    THREAD,
    Entry,
    bundle,
    get,
    message,
    patient,
    post,
    put,
    ref,
    sent,
    statuses,
    thread,
)
from tests.fhir.served import JSON, Served, good, issue, resources, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as made:
        yield made


def refusal(entry: Entry) -> dict[str, Any]:
    """Return why an entry was not done."""
    assert "resource" not in entry
    found: dict[str, Any] = entry["response"]["outcome"]["issue"][0]
    return found


def test_a_condition_in_any_letters(server: Served) -> None:
    unless = {"ifNoneExist": "identifier=urn:t|é€"}
    named = thread(identifier=[{"system": "urn:t", "value": "é€"}])
    for kind in ("batch", "transaction"):
        made = sent(server.as_("Practitioner/A1"), kind, post(named, **unless), get("Patient/123"))
        assert [each[:3] for each in statuses(made)] == ["201" if kind == "batch" else "200", "200"]


def test_each_by_itself(server: Served) -> None:
    asking = server.as_("Practitioner/A1")
    unless = {"ifNoneExist": "identifier=urn:t|batch"}
    named = thread(identifier=[{"system": "urn:t", "value": "batch"}])
    made = sent(
        asking,
        "batch",
        post(thread()),
        post(thread(requester=ref("Practitioner/B1"))),
        post(named, **unless),
        post(named, **unless),
        put(thread(id="batch-1")),
        put(thread(id="batch-1", status="completed", meta={"versionId": "1"})),
        put(thread(id="batch-1", status="revoked"), ifMatch='W/"1"'),
        get("CommunicationRequest/batch-1"),
        get("CommunicationRequest/batch-1/_history/1"),
        get("Communication?sender=Practitioner/A1&_count=1"),
        get("Patient/nobody"),
        get("metadata"),
        get("/Patient/123?_elements=name", "HEAD"),
        {"request": {"method": "DELETE", "url": "Patient/123"}},
        get(f"{server.base}/Patient/123?_elements=name"),
        {"request": {"method": "GET", "url": "Patient/123", "ifNoneMatch": 'W/"1"'}},
        post(bundle("batch", []), url="/"),
        get("Patient/123?colour=red"),
    )
    assert [each[:3] for each in statuses(made)] == [
        *(
            "201",
            "403",
            "201",
            "200",
            "201",
            "200",
            "412",
            "200",
            "200",
            "200",
            "404",
            "200",
            "200",
            "405",
            "200",
            "400",
            "400",
            "400",
        )
    ]
    assert made[2]["resource"]["id"] == made[3]["resource"]["id"]
    assert made[0]["response"]["location"].endswith(f"/CommunicationRequest/{made[0]['resource']['id']}/_history/1")
    assert (made[5]["response"]["etag"], made[8]["response"]["etag"]) == ('W/"2"', 'W/"1"')
    assert made[5]["response"]["lastModified"] == made[5]["resource"]["meta"]["lastUpdated"]
    assert refusal(made[1])["expression"] == ["CommunicationRequest.requester"]
    assert refusal(made[6])["code"] == "conflict"
    assert made[9]["resource"]["type"] == "searchset"
    assert len(resources(made[9]["resource"])) == 1
    assert made[11]["resource"]["resourceType"] == "CapabilityStatement"
    assert "resource" not in made[12]
    assert set(made[14]["resource"]) == {"resourceType", "id", "meta", "name"}


def test_entries_do_not_know_each_other(server: Served) -> None:
    made = sent(server.as_("Practitioner/A1"), "batch", post(thread(), THREAD), post(message(THREAD, "Hi")))
    assert [each[:3] for each in statuses(made)] == ["201", "422"]
    assert "transaction" in refusal(made[1])["diagnostics"]


def test_what_is_not_valid_spoils_its_own_entry_alone(server: Served) -> None:
    asking = server.as_("Practitioner/A1")
    entries = [
        post(thread()),
        post(thread(colour="red")),
        post(thread(status=7)),
        post(thread(status="odd")),
        post(thread()),
    ]
    assert [each[:3] for each in statuses(sent(asking, "batch", *entries))] == ["201", "400", "400", "400", "201"]
    twice = json.dumps(bundle("batch", [post(thread(text="once"))])).replace(
        '"status": "active"', '"status": "active", "status": "active"'
    )
    made = good(asking.post("", content=twice))
    assert refusal(made["entry"][0])["code"] == "structure"


def test_rights_are_those_of_each(server: Served) -> None:
    scoped = server.as_("Practitioner/A1", "user/CommunicationRequest.c")
    made = sent(scoped, "batch", post(thread()), get("Patient/123"), post(patient(), PATIENT))
    assert [each[:3] for each in statuses(made)] == ["201", "403", "403"]
    hub = server.system()
    made = sent(hub, "batch", post(patient()), post(message("CommunicationRequest/nothing", "Hi")))
    assert [each[:3] for each in statuses(made)] == ["201", "422"]
    assert issue(server.asking({}).post("", json=bundle("batch", [])), 401)["code"] == "login"


@pytest.mark.parametrize(
    ("body", "status", "expression"),
    [
        (b"{", 400, "Resource"),
        (b"[]", 400, "Resource"),
        (b'{"resourceType":"Bundle"}', 400, "Bundle.type"),
        (b'{"resourceType":"Patient"}', 400, "Resource"),
        (b'{"resourceType":"Bundle","type":"collection"}', 400, "Bundle.type"),
        (b'{"resourceType":"Bundle","type":"history"}', 400, "Bundle.type"),
        (b'{"resourceType":"Bundle","type":"batch","entry":{}}', 400, "Bundle.entry"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[]}', 400, "Bundle.entry"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[7]}', 400, "Bundle.entry[0]"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:x"}]}', 400, "Bundle.entry[0]"),
        (b'{"resourceType":"Bundle","type":"batch","colour":"red"}', 400, "Bundle.colour"),
        (
            b'{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"a","url":"b"}}]}',
            400,
            "Bundle.entry[0].request",
        ),
        (
            b'{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"a"},"request":{}}]}',
            400,
            "Bundle.entry[0]",
        ),
        (b'{"resourceType":"Bundle","type":"batch","entry":' + b"[" * 100 + b"]" * 100 + b"}", 400, "Resource"),
        (b'{"resourceType":"Bundle","type":"batch","entry":' + b"[" * 100_000, 400, "Resource"),
    ],
)
def test_what_is_no_bundle_of_requests(server: Served, body: bytes, status: int, expression: str) -> None:
    answer = server.as_("Practitioner/A1").post("", content=body, headers=JSON)
    assert issue(answer, status)["expression"] == [expression]


def test_a_bundle_is_json(server: Served) -> None:
    assert issue(server.as_("Practitioner/A1").post("", content=b"x", headers={"content-type": "text/plain"}), 415)


def test_there_are_not_too_many(server: Served) -> None:
    asking = server.as_("Practitioner/A1")
    many = [get("Patient/123")] * MOST_ENTRIES
    assert set(statuses(sent(asking, "batch", *many))) == {"200 OK"}
    assert issue(asking.post("", json=bundle("batch", [*many, get("Patient/123")])), 413)["code"] == "too-costly"


def test_answers_have_an_end(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "LARGEST_ANSWER", 2000)
    made = sent(server.as_("Practitioner/A1"), "batch", *[get("Patient/123")] * 9)
    assert statuses(made)[0] == "200 OK"
    assert statuses(made)[-1].startswith("413 ")
    assert refusal(made[-1])["code"] == "too-costly"


def test_a_fault_of_ours_spoils_its_own_entry_alone(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(doing.INTERACTIONS, ("Patient", Interaction.READ), failing)
    made = sent(server.as_("Practitioner/A1"), "batch", get("Patient/123"), get("Practitioner/A1"))
    assert [each[:3] for each in statuses(made)] == ["500", "200"]
    assert "secret" not in json.dumps(made)


def test_what_is_answered_as_preferred(server: Served) -> None:
    asking = server.as_("Practitioner/A1")
    (made,) = sent(asking, "batch", post(thread()), prefer="return=minimal")
    assert set(made) == {"response"}
    (made,) = sent(asking, "batch", post(thread()), prefer="return=OperationOutcome")
    assert made["response"]["outcome"]["issue"][0]["code"] == "informational"
    validated = {"request": {"method": "POST", "url": "CommunicationRequest/$validate"}, "resource": thread()}
    (made,) = sent(asking, "batch", validated, prefer="return=minimal")
    assert made["resource"]["resourceType"] == "OperationOutcome"
