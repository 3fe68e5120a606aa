"""Whatever is refused to somebody we know has one line in the access log, and says no more than it must."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from carethread.access_log import AccessEntry
from carethread.store.access import Filter, lines
from tests.fhir.served import Served, good, served

THREAD: dict[str, Any] = {
    "resourceType": "CommunicationRequest",
    "id": "ours",
    "status": "active",
    "subject": {"reference": "Patient/123"},
    "requester": {"reference": "Practitioner/A1"},
    "sender": {"reference": "Organization/Pharmacy-A"},
    "recipient": [{"reference": "Organization/Clinic-B"}],
    "payload": [{"contentString": "Can you review the patient's medication list?"}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("noting") / "data") as made:
        hidden = {**THREAD, "id": "hidden", "sender": {"reference": "Practitioner/A1"}}
        hidden["recipient"] = [{"reference": "Practitioner/A2"}]
        for each in (THREAD, hidden):
            good(made.as_("Practitioner/A1").put(f"CommunicationRequest/{each['id']}", json=each), 201)
        yield made


def message(thread: str = "ours", sender: str = "Practitioner/B1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "basedOn": [{"reference": f"CommunicationRequest/{thread}"}],
        "sender": {"reference": sender},
        "payload": [{"contentString": "The words of a patient"}],
        **more,
    }


def written(server: Served) -> list[AccessEntry]:
    with server.service.archive.database.read() as connection:
        return list(lines(connection, Filter()))


def told(server: Served, answer: httpx.Response, before: int) -> list[tuple[str, str, str]]:
    """Return what the log says of one request, but for what leaves no doubt."""
    new = written(server)[before:]
    assert {each.request_id for each in new} == {answer.headers["x-request-id"]}
    assert "words of a patient" not in repr(new)
    return [(each.action.value, each.outcome.value, each.detail) for each in new]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "line"),
    [
        ("POST", "Communication", message(sender="Practitioner/A1"), 403, ("written", "refused", "refused")),
        ("POST", "Communication", message(priority="stat"), 422, ("written", "refused", "resource-refused")),
        ("POST", "Communication", {"resourceType": "Communication"}, 400, ("written", "refused", "invalid-resource")),
        ("POST", "Communication", message("hidden"), 422, ("written", "unknown", "unknown-thread")),
        ("POST", "Communication", message("nowhere"), 422, ("written", "unknown", "unknown-thread")),
        ("GET", "Communication/nowhere", None, 404, ("served", "unknown", "unknown-message")),
        ("GET", "Communication?no-such=1", None, 400, ("served", "refused", "refused")),
        ("DELETE", "Communication/nowhere", None, 405, ("written", "refused", "refused")),
        ("POST", "", {"resourceType": "Bundle", "type": "searchset"}, 400, ("written", "refused", "refused")),
    ],
)
def test_a_refusal_has_one_line(
    server: Served, method: str, path: str, body: Any, status: int, line: tuple[str, str, str]
) -> None:
    before = len(written(server))
    answer = server.as_("Practitioner/B1").request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert told(server, answer, before) == [line]


def test_a_scope_that_does_not_reach_has_one_line(server: Served) -> None:
    before = len(written(server))
    answer = server.as_("Practitioner/B1", "user/Patient.rs").get("Communication/nowhere")
    assert answer.status_code == 403
    assert told(server, answer, before) == [("served", "refused", "insufficient-scope")]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_entry_that_is_refused_has_one_line(server: Served, kind: str) -> None:
    before = len(written(server))
    entries = [
        {"resource": message(sender="Practitioner/A1"), "request": {"method": "POST", "url": "Communication"}},
    ]
    answer = server.as_("Practitioner/B1").post(
        "", json={"resourceType": "Bundle", "type": kind, "entry": entries}
    )  # fmt: skip
    assert answer.status_code == (200 if kind == "batch" else 403)
    assert told(server, answer, before) == [("written", "refused", "refused")]


def test_hidden_and_missing_threads_leave_the_same_line(server: Served) -> None:
    found = []
    for thread in ("hidden", "nowhere"):
        for more in ({}, {"If-None-Exist": "identifier=urn:x|1"}):
            before = len(written(server))
            server.as_("Practitioner/B1").post("Communication", json=message(thread), headers=more)
            (entry,) = written(server)[before:]
            found.append((entry.action, entry.outcome, entry.detail, entry.record, entry.message, entry.query))
    assert len(set(found)) == 1


def test_nobody_has_no_line(server: Served, tmp_path: Path) -> None:
    before = len(written(server))
    for method in ("GET", "DELETE"):
        server.asking({}).request(method, "Communication/nowhere")
    assert len(written(server)) == before
