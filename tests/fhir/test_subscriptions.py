"""Subscriptions over HTTP: made, read, ended and found by their owner, and served."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from carethread.fhir.mapping.drafts import ResourceRefusedError
from carethread.fhir.mapping.subscription import read_subscription
from carethread.fhir.outcome import RefusedError
from carethread.fhir.types import Subscription
from carethread.fhir.validation import parse
from carethread.fhir.watching import Watched, read_criteria
from carethread.reads import ByIdentifier, Clause, ClientChange, Criteria, Field, Kind, Ref
from carethread.settings import Settings
from tests.fhir.receiving import Receiver, receiving
from tests.fhir.served import Served, good, ids, issue, served

BASE = "https://care.example/fhir"
MISSING = "7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = Settings(notify_this_machine=True)
    with served(tmp_path_factory.mktemp("subscriptions") / "home", settings=settings) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def wanted(endpoint: str = "https://a.example/hook", **more: Any) -> dict[str, Any]:
    usual = {"type": "rest-hook", "endpoint": endpoint, "header": ["Authorization: Bearer s3cret"]}
    channel: dict[str, Any] = {**usual, **more.pop("channel", {})}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "New messages for our inbox",
        "criteria": "Communication?recipient=Organization/Clinic-B",
        "channel": {name: value for name, value in channel.items() if value is not None},
        **more,
    }


def opening(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "subject": {"reference": "Patient/123"},
        "requester": {"reference": "Practitioner/A1"},
        "sender": {"reference": "Organization/Pharmacy-A"},
        "recipient": [{"reference": "Organization/Clinic-B"}],
        "payload": [{"contentString": "May we swap?"}],
        **more,
    }


# ── Made, read, ended, found ──────────────────────────────────────────────────────────────────────────────────────────


def test_one_is_made_and_notified(server: Served, receiver: Receiver) -> None:
    doctor, pharmacist = server.as_("Practitioner/B1"), server.as_("Practitioner/A1")
    made = good(doctor.post("/Subscription", json=wanted(receiver.url)), 201)
    assert (made["status"], made["meta"]["versionId"], made["channel"]) == (
        "active",
        "1",
        {"type": "rest-hook", "endpoint": receiver.url},
    )
    good(pharmacist.post("/CommunicationRequest", json=opening()), 201)
    receiver.until_taken(1)
    path, headers, body = receiver.taken[0]
    assert (path, headers["authorization"], body) == ("/", "Bearer s3cret", b"")
    ended = good(doctor.put(f"/Subscription/{made['id']}", json={**made, "status": "off"}))
    assert (ended["status"], ended["meta"]["versionId"]) == ("off", "2")
    assert good(doctor.get(f"/Subscription/{made['id']}")) == ended
    good(pharmacist.post("/CommunicationRequest", json=opening()), 201)
    time.sleep(0.2)
    assert len(receiver.taken) == 1


def test_a_token_that_is_revoked_with_its_client_ends_it(server: Served, receiver: Receiver) -> None:
    pharmacist = server.as_("Practitioner/A1")
    change = ClientChange(name="Second hub", speaks_for=("Organization/Clinic-B",))
    server.service.clients.add("second", change, by="tests")
    good(server.system("second").post("/Subscription", json=wanted(receiver.url)), 201)
    good(pharmacist.post("/CommunicationRequest", json=opening()), 201)
    receiver.until_taken(1)
    server.service.clients.change("second", ClientChange(active=False), by="tests")
    good(pharmacist.post("/CommunicationRequest", json=opening()), 201)
    time.sleep(0.2)
    assert len(receiver.taken) == 1


def test_secrets_never_come_out(server: Served) -> None:
    doctor = server.as_("Practitioner/B1")
    answer = doctor.post("/Subscription", json=wanted())
    made = good(answer, 201)
    for each in (
        answer,
        doctor.get(f"/Subscription/{made['id']}"),
        doctor.put(f"/Subscription/{made['id']}", json=made),
        doctor.get("/Subscription"),
    ):
        assert each.status_code < 300
        assert "s3cret" not in each.text
        assert "header" not in each.text


def test_to_everybody_else_it_is_not_there(server: Served) -> None:
    made = good(server.as_("Practitioner/B1").post("/Subscription", json=wanted()), 201)
    for other in (server.as_("Practitioner/A1"), server.system()):
        answers = []
        for each in (made["id"], MISSING):
            read = other.get(f"/Subscription/{each}")
            written = other.put(f"/Subscription/{each}", json={**made, "id": each})
            answers += [issue(one, 404)["details"]["text"].replace(each, "") for one in (read, written)]
        assert len(set(answers)) == 1
        assert made["id"] not in ids(good(other.get("/Subscription")))


def test_they_are_found(server: Served) -> None:
    nurse = server.as_("Practitioner/B1", scope="user/*.cruds")
    for each in good(nurse.get("/Subscription", params={"_count": "100"})).get("entry", ()):
        good(nurse.put(each["fullUrl"], json={**each["resource"], "status": "off"}))
    first = good(nurse.post("/Subscription", json=wanted("https://a.example/one")), 201)["id"]
    second = good(
        nurse.post(
            "/Subscription", json=wanted("https://a.example/two", criteria="CommunicationRequest?status=active")
        ),
        201,
    )["id"]
    for query, found in (
        ("status=active", {first, second}),
        ("status=http://hl7.org/fhir/subscription-status|active&url=https://a.example/two", {second}),
        ("status=http://elsewhere.example|active", set()),
        ("status=active&criteria=communicationrequest", {second}),
        ("status=active&criteria:contains=recipient", {first}),
        ("criteria:exact=CommunicationRequest?status%3Dactive", {second}),
        ("criteria:exact=CommunicationRequest", set()),
        ("url=https://a.example/", set()),
        (f"_id={first},{MISSING}", {first}),
        ("status=active&_lastUpdated=gt2020", {first, second}),
        ("_lastUpdated=lt2020", set()),
    ):
        assert set(ids(good(nurse.get(f"/Subscription?{query}")))) == found, query
    page = good(nurse.get("/Subscription", params={"status": "active", "_count": "1"}))
    assert (page["total"], len(page["entry"])) == (2, 1)
    following = next(each["url"] for each in page["link"] if each["relation"] == "next")
    assert {*ids(page), *ids(good(nurse.get(following)))} == {first, second}
    assert good(nurse.get("/Subscription?status=active&_summary=count"))["total"] == 2
    issue(nurse.get("/Subscription?contact=x"), 400)


def test_versions(server: Served) -> None:
    doctor = server.as_("Practitioner/B1")
    made = good(doctor.post("/Subscription", json=wanted()), 201)
    address = f"/Subscription/{made['id']}"
    good(doctor.put(address, json={**made, "reason": "Another"}, headers={"if-match": 'W/"1"'}))
    assert issue(doctor.put(address, json=made), 412)
    assert issue(doctor.put(address, json=made, headers={"if-match": 'W/"1"'}), 412)
    # Nobody need know the version of what they end.
    del made["meta"]
    assert good(doctor.put(address, json={**made, "status": "off"}))["meta"]["versionId"] == "3"
    assert issue(doctor.put(address, json={**made, "id": MISSING}), 400)["expression"] == ["Subscription.id"]
    issue(doctor.delete(address), 405)
    issue(doctor.put(f"/Subscription/{MISSING}", json={**made, "id": MISSING}), 404)


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "expression, more",
    [
        ("Subscription.status", {"status": "off"}),
        ("Subscription.status", {"status": "error"}),
        ("Subscription.status", {"status": "active"}),
        ("Subscription.contact", {"contact": [{"system": "phone", "value": "1"}]}),
        ("Subscription.end", {"end": "2020-01-01T00:00:00Z"}),
        ("Subscription.reason", {"reason": "x" * 1001}),
        ("Subscription.criteria", {"criteria": "Patient?name=x"}),
        ("Subscription.criteria", {"criteria": "Communication?colour=red"}),
        ("Subscription.criteria", {"criteria": "Communication?sent=yesterday"}),
        ("Subscription.criteria", {"criteria": "Communication?_sort=sent"}),
        ("Subscription.criteria", {"criteria": "Communication?_include=Communication:sender"}),
        ("Subscription.criteria", {"criteria": "Communication?_content=..."}),
        ("Subscription.criteria", {"criteria": "Communication?_id=" + "x" * 3000}),
        ("Subscription.criteria", {"criteria": "Communication?" + "&".join(["_id=x"] * 41)}),
        ("Subscription.channel.type", {"channel": {"type": "email"}}),
        ("Subscription.channel.payload", {"channel": {"payload": "application/fhir+json"}}),
        ("Subscription.channel.endpoint", {"channel": {"endpoint": None}}),
        ("Subscription.channel.endpoint", {"channel": {"endpoint": "https://10.0.0.1/"}}),
        ("Subscription.channel.endpoint", {"channel": {"endpoint": "https://169.254.169.254/"}}),
        ("Subscription.channel.endpoint", {"channel": {"endpoint": "file:///etc/passwd"}}),
        ("Subscription.channel.header[0]", {"channel": {"header": ["Host: elsewhere"]}}),
        ("Subscription.channel.header[1]", {"channel": {"header": ["X-Key: 1", "no header"]}}),
    ],
)
def test_what_is_refused_and_where(server: Served, expression: str, more: dict[str, Any]) -> None:
    doctor = server.as_("Practitioner/B1")
    answer = doctor.post("/Subscription", json=wanted(**more))
    assert issue(answer, 422)["expression"] == [expression]
    told = good(doctor.post("/Subscription/$validate", json=wanted(**more)))["issue"][0]
    # What depends on what is there is said when it is written.
    if expression not in {"Subscription.end", "Subscription.reason"} and more not in (
        {"status": "off"},
        {"status": "active"},
    ):
        assert told["expression"] == [expression]


def test_what_is_no_subscription(server: Served) -> None:
    doctor = server.as_("Practitioner/B1")
    assert issue(doctor.post("/Subscription", json=wanted(status="on")), 400)["expression"] == ["Subscription.status"]
    issue(doctor.post("/Subscription", content=b"{}", headers={"content-type": "text/plain"}), 415)
    assert good(doctor.post("/Subscription/$validate", json=wanted()))["issue"][0]["severity"] == "information"


@pytest.mark.parametrize(
    "scope, criteria, is_enough",
    [
        ("user/Subscription.c user/Communication.rs", "Communication?", True),
        ("user/Subscription.c", "Communication?", False),
        ("user/Subscription.c user/Communication.r", "Communication?", False),
        ("user/Subscription.c user/Communication.rs", "CommunicationRequest?", False),
        ("user/Subscription.c user/Communication.rs", "Communication?based-on.status=active", False),
        ("user/Subscription.c user/*.s", "Communication?based-on.status=active", True),
        ("user/Subscription.r user/Communication.rs", "Communication?", False),
        ("patient/*.cruds", "Communication?", False),
        ("user/Subscription.c patient/Communication.rs", "Communication?", False),
    ],
)
def test_which_scopes_are_enough(server: Served, scope: str, criteria: str, is_enough: bool) -> None:
    more = {"patient": "P1"} if "patient/" in scope else {}
    answer = server.as_("Practitioner/B1", scope, **more).post("/Subscription", json=wanted(criteria=criteria))
    if is_enough:
        good(answer, 201)
    else:
        issue(answer, 403)


def test_an_auditor_has_none(server: Served) -> None:
    asking = server.as_("Practitioner/B1")
    answer = asking.post("/Subscription", json=wanted(), headers={"carethread-purpose": "complaint 17"})
    issue(answer, 403)


# ── Criteria ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text, watched",
    [
        ("Communication", Watched("Communication", Kind.MESSAGE, Criteria())),
        ("Communication?", Watched("Communication", Kind.MESSAGE, Criteria())),
        (
            f"CommunicationRequest?recipient={BASE}/Organization/B&status=active",
            Watched(
                "CommunicationRequest",
                Kind.THREAD,
                Criteria((Clause(Field.RECIPIENT, (Ref("Organization", "B"),)), Clause(Field.STATUS, ("active",)))),
            ),
        ),
        (
            "Communication?subject:Patient.identifier=urn:a%7C1&status:not=x",
            None,
        ),
        (
            "Communication?recipient:Organization.identifier=urn:a|1",
            Watched(
                "Communication",
                Kind.MESSAGE,
                Criteria((Clause(Field.RECIPIENT, (ByIdentifier("Organization", "urn:a", "1"),)),)),
                frozenset({"Organization"}),
            ),
        ),
    ],
)
def test_what_criteria_mean(text: str, watched: Watched | None) -> None:
    if watched is None:
        with pytest.raises(RefusedError):
            read_criteria(text, BASE)
    else:
        assert read_criteria(text, BASE) == watched


def test_criteria_that_no_text_holds() -> None:
    with pytest.raises(RefusedError):
        read_criteria("Communication?_id=\ud800", BASE)


def test_what_the_server_says_is_taken_and_replaced() -> None:
    sent = wanted(id="x", meta={"versionId": "7"}, error="down", end="2099-01-01T00:00:00Z")
    resource = parse(json.dumps(sent).encode(), types=frozenset({"Subscription"}))
    assert isinstance(resource, Subscription)
    draft = read_subscription(resource)
    assert (draft.id, draft.version, draft.headers) == ("x", "7", ("Authorization: Bearer s3cret",))
    with pytest.raises(ResourceRefusedError):
        read_subscription(parse(json.dumps({**sent, "language": "nl"}).encode(), types=frozenset({"Subscription"})))  # type: ignore[arg-type]
