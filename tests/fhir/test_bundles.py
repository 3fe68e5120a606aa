"""Batches and transactions: each for itself, or all of them or none."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fhir.served import Served, good, ids, issue, served
from tests.fhir.test_writing import message, ref, thread


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("bundles"), database_url=database_url) as made:
        yield made


@pytest.fixture(scope="module")
def hub(server: Served) -> httpx.Client:
    return server.system()


def entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full_url: str = "", **more: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    if full_url:
        made["fullUrl"] = full_url
    if resource is not None:
        made["resource"] = resource
    return made


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(answer: dict[str, Any]) -> list[str]:
    return [each["response"]["status"] for each in answer["entry"]]


PATIENT = {"resourceType": "Patient", "active": True, "name": [{"text": "Jan Smit"}]}
NURSE = {"resourceType": "Practitioner", "active": True, "name": [{"text": "Ada Bos"}]}


def everything(number: int) -> dict[str, Any]:
    """A patient, somebody, a thread and two messages, in the wrong order."""
    asked = thread(subject=ref("urn:uuid:patient"), id=f"thread-{number}")
    first = message("x", "A1", "First.", basedOn=[ref("urn:uuid:thread")])
    second = message("x", "B1", "Second.", basedOn=[ref("urn:uuid:thread")], inResponseTo=[ref("urn:uuid:first")])
    return bundle(
        "transaction",
        entry("POST", "Communication", second),
        entry("POST", "Communication", first, "urn:uuid:first"),
        entry("GET", f"CommunicationRequest/thread-{number}"),
        entry("PUT", f"CommunicationRequest/thread-{number}", asked, "urn:uuid:thread"),
        entry("POST", "Practitioner", NURSE, "urn:uuid:nurse"),
        entry(
            "POST", "Patient", PATIENT | {"identifier": [{"system": "urn:p", "value": str(number)}]}, "urn:uuid:patient"
        ),
    )


def test_everything_at_once(server: Served, hub: httpx.Client) -> None:
    answer = good(hub.post("/", json=everything(1)))
    assert answer["type"] == "transaction-response"
    assert statuses(answer) == ["201", "201", "200", "201", "201", "201"]
    patient = answer["entry"][5]["response"]["location"].split("/")[-3]
    doctor = server.as_("Practitioner/B1")
    found = good(doctor.get("/Communication?based-on=thread-1&_sort=sent"))
    assert [each["resource"]["payload"][0]["contentString"] for each in found["entry"]] == ["First.", "Second."]
    assert found["entry"][1]["resource"]["inResponseTo"][0]["reference"] == f"Communication/{ids(found)[0]}"
    assert found["entry"][0]["resource"]["subject"]["reference"] == f"Patient/{patient}"


def test_all_or_nothing(server: Served, hub: httpx.Client) -> None:
    wrong = everything(2)
    wrong["entry"][0]["resource"]["status"] = "bogus"
    found = issue(hub.post("/", json=wrong), 400)
    assert found["expression"] == ["Bundle.entry[0].resource.status"]
    issue(server.as_("Practitioner/A1").get("/CommunicationRequest/thread-2"), 404)
    assert "entry" not in good(server.as_("Practitioner/A1").get("/Patient?identifier=urn:p|2"))


def test_a_rule_takes_everything_back(server: Served, hub: httpx.Client) -> None:
    wrong = everything(3)
    wrong["entry"][0]["resource"]["sender"] = ref("RelatedPerson/123-daughter")
    answer = hub.post("/", json=wrong)
    assert answer.status_code in {403, 422}
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[0]")
    issue(server.as_("Practitioner/A1").get("/CommunicationRequest/thread-3"), 404)
    assert "entry" not in good(server.as_("Practitioner/A1").get("/Patient?identifier=urn:p|3"))


def test_one_record_at_most(hub: httpx.Client) -> None:
    two = bundle(
        "transaction",
        entry("POST", "CommunicationRequest", thread()),
        entry("POST", "Patient", PATIENT, "urn:uuid:p"),
        entry("POST", "CommunicationRequest", thread(subject=ref("urn:uuid:p"))),
    )
    assert issue(hub.post("/", json=two), 422)["code"] == "business-rule"


def test_a_circle_is_refused(hub: httpx.Client) -> None:
    first = message("x", basedOn=[ref("CommunicationRequest/t")], inResponseTo=[ref("urn:uuid:b")])
    second = message("x", basedOn=[ref("CommunicationRequest/t")], inResponseTo=[ref("urn:uuid:a")])
    asked = bundle(
        "transaction",
        entry("POST", "Communication", first, "urn:uuid:a"),
        entry("POST", "Communication", second, "urn:uuid:b"),
    )
    assert "circle" in issue(hub.post("/", json=asked), 400)["details"]["text"]


def test_each_of_a_batch_for_itself(server: Served, hub: httpx.Client) -> None:
    asked = bundle(
        "batch",
        entry("POST", "Organization", {"resourceType": "Organization", "name": "New", "active": True}),
        entry("GET", "Patient/nobody"),
        entry("DELETE", "Patient/123"),
        entry("GET", "Patient?_id=123"),
        entry("POST", "", bundle("batch")),
        entry("GET", "metadata"),
        entry("POST", "Patient", {"resourceType": "Patient", "bogus": 1}),
        entry("GET", "Patient/123", ifNoneMatch='W/"1"'),
    )
    answer = good(hub.post("/", json=asked))
    assert statuses(answer) == ["201", "404", "400", "200", "400", "400", "400", "400"]
    assert answer["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert answer["entry"][3]["resource"]["type"] == "searchset"
    assert "location" in answer["entry"][0]["response"]


def test_conditions_in_a_transaction(server: Served, hub: httpx.Client) -> None:
    once = bundle(
        "transaction",
        entry("POST", "Patient", PATIENT | {"identifier": [{"system": "urn:p", "value": "once"}]}, "urn:uuid:p",
              ifNoneExist="identifier=urn:p|once"),
        entry("POST", "CommunicationRequest", thread(subject=ref("urn:uuid:p"))),
    )  # fmt: skip
    assert statuses(good(hub.post("/", json=once))) == ["201", "201"]
    assert statuses(good(hub.post("/", json=once))) == ["200", "201"]


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle", "type": "searchset"},
        {"resourceType": "Patient", "type": "batch"},
        {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {}}]},
        {"resourceType": "Bundle", "type": "batch", "entry": {}},
        [],
        bundle("batch", *[entry("GET", "Patient/1")] * 201),
    ],
)
def test_what_is_no_bundle_of_requests(hub: httpx.Client, body: object) -> None:
    issue(hub.post("/", json=body), 400)


def test_preferences_count_for_each(hub: httpx.Client) -> None:
    asked = bundle(
        "batch", entry("POST", "Organization", {"resourceType": "Organization", "name": "N", "active": True})
    )
    minimal = good(hub.post("/", json=asked, headers={"prefer": "return=minimal"}))
    assert "resource" not in minimal["entry"][0]
    assert good(hub.post("/", json=asked))["entry"][0]["resource"]["name"] == "N"
