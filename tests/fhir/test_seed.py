"""The conversation that this project began with, over HTTP, with its own ids; and its three queries, to the letter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fhir.served import Served, good, ids, resources, served

QUESTION = "Can you review the patient's medication list?"
THREAD = "thread-pharmacy-to-clinic"


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


THREAD_RESOURCE: dict[str, Any] = {
    "resourceType": "CommunicationRequest",
    "id": THREAD,
    "status": "active",
    "subject": ref("Patient/123"),
    "requester": ref("Practitioner/A1"),
    "sender": ref("Organization/Pharmacy-A"),
    "recipient": [ref("Organization/Clinic-B")],
    "payload": [{"contentString": QUESTION}],
}


def message(identifier: str, sender: str, recipient: str, text: str, answers: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Communication",
        "id": identifier,
        "status": "completed",
        "basedOn": [ref(f"CommunicationRequest/{THREAD}")],
        "sender": ref(f"Practitioner/{sender}"),
        "recipient": [ref(f"Organization/{recipient}")],
        "payload": [{"contentString": text}],
    }
    return made | ({"inResponseTo": [ref(f"Communication/{answers}")]} if answers else {})


MESSAGES = (
    message("msg-1-pharmacy-question", "A1", "Clinic-B", QUESTION),
    message(
        "msg-2-clinic-response",
        "B1",
        "Pharmacy-A",
        "Yes, I'll review it today and follow up by EOD",
        "msg-1-pharmacy-question",
    ),
    message("msg-3-pharmacy-followup", "A2", "Clinic-B", "Thank you for the quick response!", "msg-2-clinic-response"),
)
IDS = [each["id"] for each in MESSAGES]


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Iterator[Served]:
    """The seed's three steps, each put by its own author under its own id."""
    folder: Path = tmp_path_factory.mktemp("seed")
    with served(folder, database_url=database_url) as server:
        good(server.as_("Practitioner/A1").put(f"/CommunicationRequest/{THREAD}", json=THREAD_RESOURCE), 201)
        for each, status in zip(MESSAGES, (200, 201, 201), strict=True):
            # The first is the question the thread was opened with: it is there, and now has its name.
            answer = server.as_(each["sender"]["reference"]).put(f"/Communication/{each['id']}", json=each)
            assert good(answer, status)["id"] == each["id"]
        yield server


def test_each_message_is_found_under_its_own_id(conversation: Served) -> None:
    clinic = conversation.as_("Practitioner/B1")
    for each in MESSAGES:
        found = good(clinic.get(f"/Communication/{each['id']}"))
        for name in ("id", "status"):
            assert found[name] == each[name]
        assert found["sender"]["reference"] == each["sender"]["reference"]
        assert [one["reference"] for one in found["recipient"]] == [one["reference"] for one in each["recipient"]]
        assert found["basedOn"][0]["reference"] == f"CommunicationRequest/{THREAD}"
        assert found["partOf"][0]["reference"] == f"CommunicationRequest/{THREAD}"
        assert found["payload"] == each["payload"]
        assert found["subject"]["reference"] == "Patient/123"


def test_the_thread_says_where_replies_go(conversation: Served) -> None:
    found = good(conversation.as_("Practitioner/B1").get(f"/CommunicationRequest/{THREAD}"))
    assert found["requester"]["reference"] == "Practitioner/A1"
    assert found["sender"]["reference"] == "Organization/Pharmacy-A"
    assert [each["reference"] for each in found["recipient"]] == ["Organization/Clinic-B"]
    assert found["payload"] == THREAD_RESOURCE["payload"]


def test_what_was_sent_to_an_organisation_with_its_threads(conversation: Served) -> None:
    pharmacy = conversation.as_("Practitioner/A1")
    found = good(pharmacy.get("/Communication?recipient=Organization/Pharmacy-A&_include=Communication:based-on"))
    assert ids(found) == ["msg-2-clinic-response"]
    assert ids(found, "include") == [THREAD]
    assert resources(found, "include")[0]["resourceType"] == "CommunicationRequest"


def test_what_somebody_sent(conversation: Served) -> None:
    found = good(conversation.as_("Practitioner/A1").get("/Communication?sender=Practitioner/A1"))
    assert ids(found) == ["msg-1-pharmacy-question"]


def test_a_thread_in_the_order_of_sending(conversation: Served) -> None:
    for person in ("A1", "A2", "B1", "B2"):
        asking = conversation.as_(f"Practitioner/{person}")
        found = good(asking.get(f"/Communication?based-on=CommunicationRequest/{THREAD}&_sort=sent"))
        assert ids(found) == IDS


def test_the_same_again_is_there_already(conversation: Served) -> None:
    for each in MESSAGES:
        answer = conversation.as_(each["sender"]["reference"]).put(f"/Communication/{each['id']}", json=each)
        assert good(answer)["id"] == each["id"]
    found = good(
        conversation.as_("Practitioner/A1").get(f"/Communication?based-on=CommunicationRequest/{THREAD}&_sort=sent")
    )
    assert ids(found) == IDS
