"""`$validate` over HTTP: what would be refused is told, and nothing is recorded."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from carethread.access_log import AccessEntry, Outcome
from carethread.fhir import validation
from carethread.fhir.profiles import (
    COMMUNICATION,
    COMMUNICATION_REQUEST,
    ORGANIZATION_COMMUNICATION,
    ORGANIZATION_COMMUNICATION_REQUEST,
    PROFILES,
)
from carethread.fhir.table import TABLE
from carethread.store import access
from tests.fhir.bundles import counted, message, patient, ref, thread
from tests.fhir.served import Served, good, issue, served

HERE = "CommunicationRequest/there"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as made:
        good(made.as_("Practitioner/A1").put(f"/{HERE}", json=thread(id="there")), 201)
        yield made


@pytest.fixture
def pharmacist(server: Served) -> httpx.Client:
    return server.as_("Practitioner/A1")


def lines(server: Served) -> list[AccessEntry]:
    with server.service.archive.database.read() as connection:
        return list(access.lines(connection, access.Filter()))


def told(asking: httpx.Client, address: str, resource: Any, **headers: str) -> list[tuple[str, str, str]]:
    """Return severity, code and expression of everything that is said of a resource."""
    sending = {"content": resource} if isinstance(resource, bytes) else {"json": resource}
    answer = asking.post(f"/{address}", headers=headers, **sending)
    outcome = good(answer)
    validation.parse(answer.content, types=frozenset({"OperationOutcome"}))
    return [(each["severity"], each["code"], each.get("expression", [""])[0]) for each in outcome["issue"]]


GOOD = [("information", "informational", "")]


def parameters(resource: Any = None, **said: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [] if resource is None else [{"name": "resource", "resource": resource}]
    parts += [{"name": name, "valueUri" if name == "profile" else "valueCode": value} for name, value in said.items()]
    return {"resourceType": "Parameters", "parameter": parts}


@pytest.mark.parametrize("address", ["CommunicationRequest/$validate", "$validate"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_good(pharmacist: httpx.Client, address: str, wrapped: bool) -> None:
    resource = thread()
    assert told(pharmacist, address, parameters(resource) if wrapped else resource) == GOOD
    assert told(pharmacist, address, parameters(resource, mode="create")) == GOOD
    assert told(pharmacist, f"{address}?mode=create&_pretty=true", resource) == GOOD


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (thread(status="odd"), ("code-invalid", "CommunicationRequest.status")),
        (thread(colour="red"), ("structure", "CommunicationRequest.colour")),
        (thread(priority="urgent"), ("business-rule", "CommunicationRequest.priority")),
        (thread(status="completed"), ("business-rule", "CommunicationRequest.status")),
        (message(HERE, "Hi"), ("not-supported", "Resource")),
        (b"{", ("structure", "Resource")),
    ],
)
def test_what_is_wrong_by_itself(pharmacist: httpx.Client, resource: Any, expected: tuple[str, str]) -> None:
    for address in ("CommunicationRequest/$validate", "CommunicationRequest/$validate?mode=create"):
        assert told(pharmacist, address, resource) == [("error", *expected)]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (thread("Patient/nobody"), ("not-found", "CommunicationRequest.subject")),
        (thread(requester=ref("Practitioner/B1")), ("forbidden", "CommunicationRequest.requester")),
        (thread(sender=ref("Organization/Clinic-B")), ("forbidden", "")),
        (
            message("CommunicationRequest/nothing", "Hi", sender="Practitioner/A1"),
            ("not-found", "Communication.basedOn[0]"),
        ),
        (patient(), ("forbidden", "")),
    ],
)
def test_what_cannot_be_done(
    server: Served, pharmacist: httpx.Client, resource: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Without a mode, only what stands in a resource counts; with one, whether it could be written now."""
    address = f"{resource['resourceType']}/$validate"
    before, logged = counted(server), len(lines(server))
    assert told(pharmacist, address, resource) == GOOD
    assert told(pharmacist, f"{address}?mode=create", resource) == [("error", *expected)]
    assert counted(server) == before
    assert len(lines(server)) == logged + 2


def test_nothing_is_recorded_of_what_is_good(server: Served, pharmacist: httpx.Client) -> None:
    before, logged = counted(server), len(lines(server))
    assert told(pharmacist, "CommunicationRequest/$validate?mode=create", thread()) == GOOD
    assert (
        told(pharmacist, "Communication/$validate?mode=create", message(HERE, "Hi", sender="Practitioner/A1")) == GOOD
    )
    assert told(server.system(), "Patient/$validate?mode=create", patient()) == GOOD
    assert counted(server) == before
    new = lines(server)[logged:]
    assert [(each.outcome, each.detail, each.query) for each in new] == [
        (Outcome.DONE, "validate", f'{{"validate":"{kind}","mode":"create"}}')
        for kind in ("CommunicationRequest", "Communication", "Patient")
    ]


def test_a_change(server: Served, pharmacist: httpx.Client) -> None:
    before = counted(server)
    address = f"{HERE}/$validate"
    current = good(pharmacist.get(f"/{HERE}"))
    for mode in ("", "?mode=update"):
        assert told(pharmacist, address + mode, current | {"status": "completed"}) == GOOD
        assert told(pharmacist, address + mode, thread(id="there", status="completed")) == [("error", "required", "")]
        stale = thread(id="there", status="completed")
        assert told(pharmacist, address + mode, stale, **{"if-match": 'W/"7"'}) == [("error", "conflict", "")]
        assert told(pharmacist, address + mode, thread(id="other")) == [("error", "value", "CommunicationRequest.id")]
        requester = current | {"requester": ref("Practitioner/A2")}
        assert told(pharmacist, address + mode, requester)[0][2] == "CommunicationRequest.requester"
    issue(pharmacist.post("/CommunicationRequest/free/$validate?mode=update", json=thread(id="free")), 404)
    assert counted(server) == before


def test_what_is_there(pharmacist: httpx.Client) -> None:
    assert told(pharmacist, f"{HERE}/$validate", b"") == GOOD
    assert told(pharmacist, f"{HERE}/$validate", parameters(mode="profile", profile=COMMUNICATION_REQUEST)) == GOOD
    assert issue(pharmacist.post("/CommunicationRequest/nothing/$validate"), 404)


def test_nothing_is_deleted(pharmacist: httpx.Client) -> None:
    assert told(pharmacist, f"{HERE}/$validate?mode=delete", b"") == [("error", "not-supported", "")]


def test_a_hidden_thread_is_one_that_is_not_there(server: Served) -> None:
    hidden = thread(id="hidden", recipient=[ref("Practitioner/A2")], sender=ref("Practitioner/A1"))
    good(server.as_("Practitioner/A1").put("/CommunicationRequest/hidden", json=hidden), 201)
    other = server.as_("Practitioner/B1")
    there, nowhere = (
        told(other, "Communication/$validate?mode=create", message(f"CommunicationRequest/{each}", "Hi"))
        for each in ("hidden", "nothing")
    )
    assert there == nowhere
    for mode in ("", "?mode=update"):
        taken, free = (
            other.post(f"/CommunicationRequest/{each}/$validate{mode}", json=thread(id=each))
            for each in ("hidden", "nothing")
        )
        assert (taken.status_code, free.status_code) == (404, 404)
        assert taken.json()["issue"][0]["code"] == free.json()["issue"][0]["code"]
        assert taken.text.replace("hidden", "nothing") == free.text


def test_what_is_not_kept(server: Served) -> None:
    hub, resource = server.system(), {**patient(), "maritalStatus": {"text": "married"}}
    expected = ("not-supported", "Patient.maritalStatus")
    for mode in ("", "?mode=create"):
        assert told(hub, f"Patient/$validate{mode}", resource) == [("error", *expected)]
        assert told(hub, f"Patient/$validate{mode}", resource, prefer="handling=lenient") == [("warning", *expected)]


@pytest.mark.parametrize(
    ("resource", "profile", "expected"),
    [
        (thread(), COMMUNICATION_REQUEST, GOOD),
        (thread(), ORGANIZATION_COMMUNICATION_REQUEST, GOOD),
        (
            thread(recipient=[ref("Organization/Clinic-B"), ref("Patient/123")]),
            ORGANIZATION_COMMUNICATION_REQUEST,
            [("error", "business-rule", "CommunicationRequest.recipient[1]")],
        ),
        (
            thread(requester=ref("https://elsewhere.example/fhir/Patient/123")),
            COMMUNICATION_REQUEST,
            [("error", "value", "CommunicationRequest.requester.reference")],
        ),
        (message(HERE, "Hi"), COMMUNICATION, GOOD),
        (
            message(HERE, "Hi", sender="Patient/123"),
            ORGANIZATION_COMMUNICATION,
            [("error", "business-rule", "Communication.sender")],
        ),
        (patient(), "http://example.org/profile", [("error", "not-found", "profile")]),
        (message(HERE, "Hi"), COMMUNICATION_REQUEST, [("error", "not-found", "profile")]),
    ],
)
def test_profiles(
    pharmacist: httpx.Client, resource: dict[str, Any], profile: str, expected: list[tuple[str, str, str]]
) -> None:
    address = f"{resource['resourceType']}/$validate"
    assert told(pharmacist, address, parameters(resource, profile=profile)) == expected
    assert told(pharmacist, address, parameters(resource, profile=profile, mode="profile")) == expected
    claiming = resource | {"meta": {"profile": [profile]}}
    if expected[0][1] == "not-found":
        kind = resource["resourceType"]
        assert told(pharmacist, address, claiming) == [("warning", "not-found", f"{kind}.meta.profile[0]")]
    else:
        assert told(pharmacist, address, claiming) == expected


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("CommunicationRequest/$validate", parameters(), 400),
        ("CommunicationRequest/$validate", parameters(thread(), mode="odd"), 400),
        ("CommunicationRequest/$validate", parameters(thread(), mode="update"), 400),
        ("CommunicationRequest/$validate", parameters(thread(), mode="profile"), 400),
        ("CommunicationRequest/$validate", parameters(thread(), colour="red"), 400),
        ("CommunicationRequest/$validate", {"resourceType": "Parameters", "parameter": [7]}, 400),
        ("CommunicationRequest/$validate?colour=red", thread(), 400),
        (f"{HERE}/$validate", parameters(thread(), mode="create"), 400),
        (f"{HERE}/$validate", parameters(mode="update"), 400),
        ("$validate", {"resourceType": "Task"}, 400),
        ("$validate", {"resourceType": 7}, 400),
        ("$validate", {"resourceType": "Binary", "contentType": "text/plain"}, 400),
        ("$validate", [], 400),
        ("Task/$validate", {"resourceType": "Task"}, 404),
        ("Binary/$validate", {"resourceType": "Binary"}, 405),
    ],
)  # fmt: skip
def test_what_is_not_asked(pharmacist: httpx.Client, address: str, body: Any, status: int) -> None:
    issue(pharmacist.post(f"/{address}", json=body), status)


def test_a_resource_is_json(pharmacist: httpx.Client) -> None:
    issue(pharmacist.post("/Patient/$validate", content=b"x", headers={"content-type": "text/plain"}), 415)


def test_scopes(server: Served) -> None:
    reading = server.as_("Practitioner/A1", "user/*.rs")
    issue(reading.post("/CommunicationRequest/$validate", json=thread()), 403)
    creating = server.as_("Practitioner/A1", "user/*.c")
    assert told(creating, "CommunicationRequest/$validate?mode=create", thread()) == GOOD
    issue(creating.post(f"/{HERE}/$validate?mode=update", json=thread(id="there")), 403)


@pytest.mark.parametrize("support", [each for each in TABLE if each.validates], ids=lambda each: each.type)
def test_every_type(server: Served, support: Any) -> None:
    """It says something of each, be it that nothing is right with it."""
    found = told(server.system(), f"{support.type}/$validate?mode=create", {"resourceType": support.type})
    assert {severity for severity, _, _ in found} == {"error"} or found == GOOD
    assert support.profiles == PROFILES.get(support.type, ())
