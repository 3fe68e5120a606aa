"""What a thread and a message look like, element by element, written down by hand."""

from typing import Any

import pytest

from carethread.clock import Instant
from carethread.directory.model import Organization
from carethread.fhir.mapping.communication import communication
from carethread.fhir.mapping.entries import entry_resource
from carethread.fhir.mapping.request import communication_request
from carethread.record.model import (
    Addressing,
    Attachment,
    BusinessIdentifier,
    MessageType,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from tests.fhir.threads import (
    A1,
    A2,
    AT,
    B1,
    CLINIC,
    CONFIDENTIALITY,
    DAUGHTER,
    EARLIER,
    M1,
    M3,
    NAMES,
    OURS,
    OZO,
    PATIENT,
    PEOPLE,
    PHARMACY,
    QUESTION,
    TEAM,
    THREAD,
    as_json,
    message,
    opening,
    party,
    ref,
    thread,
)

POLICIES = {
    "url": f"{OURS}/policies",
    "extension": [
        {"url": "allow-patient-participation", "valueBoolean": True},
        {"url": "allow-external-organisations", "valueBoolean": True},
    ],
}


def security(code: str, display: str) -> dict[str, Any]:
    return {"system": CONFIDENTIALITY, "code": code, "display": display}


def category(code: str, display: str) -> list[dict[str, Any]]:
    coding = {"system": "https://carethread.example/fhir/CodeSystem/message-category", "code": code, "display": display}
    return [{"coding": [coding]}]


def test_a_thread_in_full() -> None:
    assert as_json(communication_request(thread(), NAMES)) == {
        "resourceType": "CommunicationRequest",
        "id": "thread-pharmacy-to-clinic",
        "meta": {
            "versionId": "3",
            "lastUpdated": "2026-01-11T14:35:23.045Z",
            "security": [security("N", "normal")],
        },
        "extension": [
            {"url": f"{OURS}/participant", "valueReference": ref("RelatedPerson/D1", "D. Ochter")},
            POLICIES,
        ],
        "status": "active",
        "subject": ref("Patient/123"),
        "payload": [{"contentString": QUESTION}],
        "authoredOn": "2026-01-11T14:35:22.045Z",
        "requester": ref("Practitioner/A1", "Anna Apotheker"),
        "recipient": [ref("Organization/Clinic-B", "Clinic B")],
        "sender": ref("Organization/Pharmacy-A", "Pharmacy A"),
    }


def test_a_message_in_full() -> None:
    thread_reference = ref("CommunicationRequest/thread-pharmacy-to-clinic")
    files = (Attachment("ab" * 32, "application/pdf", 3, "list.pdf"), Attachment("cd" * 32, "x/y", 10**14, "huge"))
    shown = message(
        attachments=files,
        identifiers=(BusinessIdentifier("urn:his", "77"),),
        corrected_by=("c1", "c2"),
        version=3,
        visibility=Visibility(Sensitivity.CONFIDENTIAL),
    )
    assert as_json(communication(shown, NAMES)) == {
        "resourceType": "Communication",
        "id": "msg-2-clinic-response",
        "meta": {
            "versionId": "3",
            "lastUpdated": "2026-01-11T14:36:22.045Z",
            "security": [security("R", "restricted")],
            "tag": [
                {
                    "system": "https://carethread.example/fhir/CodeSystem/tag",
                    "code": "corrected",
                    "display": "There is a correction of this message",
                }
            ],
        },
        "extension": [
            {"url": f"{OURS}/on-behalf-of", "valueReference": ref("Organization/Clinic-B", "Clinic B")},
            {"url": f"{OURS}/corrected-by", "valueReference": ref("Communication/c1")},
            {"url": f"{OURS}/corrected-by", "valueReference": ref("Communication/c2")},
        ],
        "identifier": [{"system": "urn:his", "value": "77"}],
        "basedOn": [thread_reference],
        "partOf": [thread_reference],
        "inResponseTo": [ref("Communication/msg-1-pharmacy-question")],
        "status": "completed",
        "category": category("clinician", "Written by a professional"),
        "subject": ref("Patient/123"),
        "sent": "2026-01-11T14:36:12.045Z",
        "recipient": [ref("Organization/Pharmacy-A", "Pharmacy A")],
        "sender": ref("Practitioner/B1", "Dr Bea Kliniek"),
        "payload": [
            {"contentString": "Yes, I'll review it today."},
            {
                "contentAttachment": {
                    "contentType": "application/pdf",
                    "url": "Binary/550e8400-e29b-41d4-a716-446655440102.1",
                    "size": 3,
                    "title": "list.pdf",
                    "creation": "2026-01-11T14:36:12.045Z",
                }
            },
            {
                "contentAttachment": {
                    "contentType": "x/y",
                    "url": "Binary/550e8400-e29b-41d4-a716-446655440102.2",
                    "title": "huge",
                    "creation": "2026-01-11T14:36:12.045Z",
                }
            },
        ],
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": ThreadStatus.OPEN}, {"status": "active"}),
        ({"status": ThreadStatus.CLOSED}, {"status": "completed"}),
        ({"status": ThreadStatus.ARCHIVED}, {"status": "completed"}),
        ({"continues": EARLIER}, {"replaces": None}),  # Which they may not read.
        (
            {"continues": EARLIER, "shown_continues": "earlier"},
            {"replaces": [ref("CommunicationRequest/earlier")]},
        ),
        (
            {"identifiers": (BusinessIdentifier("urn:x", "1"),)},
            {"identifier": [{"system": "urn:x", "value": "1"}]},
        ),
        ({"opening": None}, {"payload": None}),
        (
            {"opening": opening(body="", attachments=(Attachment("ab" * 32, "x/y", 3, "f"),))},
            {
                "payload": [
                    {
                        "contentAttachment": {
                            "contentType": "x/y",
                            "url": f"Binary/{M1}.1",
                            "size": 3,
                            "title": "f",
                            "creation": "2026-01-11T14:35:22.045Z",
                        }
                    }
                ]
            },
        ),
        ({"addressing": Addressing(A1, (CLINIC,), None)}, {"sender": None}),
    ],
)
def test_a_thread_changed(change: dict[str, Any], expected: dict[str, Any]) -> None:
    shown = as_json(communication_request(thread(**change), NAMES))
    assert {name: shown.get(name) for name in expected} == expected


def test_an_archived_thread_is_tagged() -> None:
    assert as_json(communication_request(thread(status=ThreadStatus.ARCHIVED), NAMES))["meta"]["tag"] == [
        {
            "system": "https://carethread.example/fhir/CodeSystem/tag",
            "code": "archived",
            "display": "The thread is archived",
        }
    ]


@pytest.mark.parametrize(
    ("sensitivity", "restricted", "code", "display"),
    [
        (Sensitivity.STANDARD, False, "N", "normal"),
        (Sensitivity.CONFIDENTIAL, False, "R", "restricted"),
        (Sensitivity.RESTRICTED, False, "V", "very restricted"),
        (Sensitivity.STANDARD, True, "V", "very restricted"),
        (Sensitivity.CONFIDENTIAL, True, "V", "very restricted"),
        (Sensitivity.RESTRICTED, True, "V", "very restricted"),
    ],
)
def test_who_may_read_is_a_label(sensitivity: Sensitivity, restricted: bool, code: str, display: str) -> None:
    visibility = Visibility(sensitivity, restricted)
    shown = as_json(communication_request(thread(visibility=visibility), NAMES))
    assert shown["meta"]["security"] == [security(code, display)]
    told = as_json(communication(message(visibility=visibility), NAMES))
    assert told["meta"]["security"] == [security(code, display)]


@pytest.mark.parametrize(
    ("reply_to", "sender", "teams"),
    [
        (None, None, []),
        (PHARMACY, ref("Organization/Pharmacy-A", "Pharmacy A"), []),
        (A2, ref("Practitioner/A2", "Adam Apotheker"), []),
        (PATIENT, ref("Patient/123", "P. Atient"), []),
        (DAUGHTER, ref("RelatedPerson/D1", "D. Ochter"), []),
        (TEAM, None, [f"{OURS}/sender-care-team", OZO]),
    ],
)
def test_where_replies_go(reply_to: Any, sender: Any, teams: list[str]) -> None:
    projection = thread(participants=tuple(PEOPLE.values()), addressing=Addressing(A1, (CLINIC, B1), reply_to))
    shown = as_json(communication_request(projection, NAMES))
    assert shown.get("sender") == sender
    found = {each["url"]: each.get("valueReference") for each in shown["extension"]}
    assert [each for each in found if each in (f"{OURS}/sender-care-team", OZO)] == teams
    assert all(found[each] == ref("CareTeam/Team-1", "Team 1") for each in teams)
    others = [
        each["valueReference"]["reference"] for each in shown["extension"] if each["url"].endswith("/participant")
    ]
    everybody = {NAMES[each] for each in PEOPLE}
    assert set(others) == everybody - {NAMES[each] for each in (A1, CLINIC, B1, reply_to) if each}


def test_policies_are_always_said() -> None:
    shown = as_json(communication_request(thread(policies=Policies(False, True)), NAMES))
    assert shown["extension"][-1]["extension"] == [
        {"url": "allow-patient-participation", "valueBoolean": False},
        {"url": "allow-external-organisations", "valueBoolean": True},
    ]


@pytest.mark.parametrize(
    ("change", "requester", "recipients"),
    [
        ({}, ref("Practitioner/A1", "Anna Apotheker"), ["Organization/Pharmacy-A", "Practitioner/B1"]),
        # Without a first message, the first individual is taken for who opened it.
        ({"opening": None}, ref("Practitioner/A1", "Anna Apotheker"), ["Organization/Pharmacy-A", "Practitioner/B1"]),
        (
            {"opening": opening(author_id=B1, author_name="Dr Bea Kliniek")},
            ref("Practitioner/B1", "Dr Bea Kliniek"),
            ["Organization/Pharmacy-A", "Practitioner/A1"],
        ),
        # Who opened it may have left since.
        (
            {"opening": opening(author_id=A2, author_name="Adam as he was called")},
            ref("Practitioner/A2", "Adam as he was called"),
            ["Organization/Pharmacy-A", "Practitioner/A1", "Practitioner/B1"],
        ),
        ({"opening": None, "participants": (PEOPLE[PHARMACY],)}, None, ["Organization/Pharmacy-A"]),
    ],
)
def test_a_plain_thread_is_addressed_to_everyone_but_who_opened_it(
    change: dict[str, Any], requester: Any, recipients: list[str]
) -> None:
    plain = thread(**{"participants": tuple(PEOPLE[each] for each in (PHARMACY, A1, B1)), "addressing": None} | change)
    shown = as_json(communication_request(plain, NAMES))
    assert shown.get("requester") == requester
    assert [each["reference"] for each in shown["recipient"]] == recipients
    assert "sender" not in shown


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"type": MessageType.PATIENT}, category("patient", "Written by the patient or somebody close to them")),
        (
            {"type": MessageType.SYSTEM, "author_role": Role.CLINICIAN},
            category("system", "Tells of a change to the thread"),
        ),
        (
            {"type": MessageType.CORRECTION, "author_role": Role.CLINICIAN},
            category("correction", "Corrects another message"),
        ),
    ],
)
def test_what_a_message_is(change: dict[str, Any], expected: Any) -> None:
    assert as_json(communication(message(**change), NAMES))["category"] == expected


def test_a_system_entry_goes_to_nobody_in_particular() -> None:
    entry = message(
        type=MessageType.SYSTEM,
        author_role=Role.CLINICIAN,
        body="The thread was closed.",
        to=(),
        sent=None,
        in_response_to=None,
        answers=None,
    )
    shown = as_json(communication(entry, NAMES))
    assert "recipient" not in shown
    assert "inResponseTo" not in shown
    assert shown["sent"] == shown["meta"]["lastUpdated"] == "2026-01-11T14:36:22.045Z"


def test_a_message_for_a_team_is_understood_by_both_dialects() -> None:
    shown = as_json(communication(message(on_behalf_of=party(TEAM)), NAMES))
    assert shown["extension"] == [
        {"url": url, "valueReference": ref("CareTeam/Team-1", "Team 1")} for url in (f"{OURS}/on-behalf-of", OZO)
    ]


def test_a_correction_names_what_it_corrects_where_that_may_be_read() -> None:
    correction = {"type": MessageType.CORRECTION, "author_role": Role.CLINICIAN, "corrected": M3, "on_behalf_of": None}
    assert "extension" not in as_json(communication(message(**correction), NAMES))
    assert as_json(communication(message(**correction, corrects="wrong-dose"), NAMES))["extension"] == [
        {"url": f"{OURS}/corrects", "valueReference": ref("Communication/wrong-dose")}
    ]


def test_an_entry_of_the_directory_says_its_version() -> None:
    pharmacy = Organization(PHARMACY, "Pharmacy-A", "Pharmacy A", part_of=CLINIC)
    found = entry_resource(pharmacy, 2, Instant(AT), NAMES)
    assert found == {
        "resourceType": "Organization",
        "id": "Pharmacy-A",
        "meta": {"versionId": "2", "lastUpdated": "2026-01-11T14:35:22.045Z"},
        "active": True,
        "name": "Pharmacy A",
        "partOf": {"reference": "Organization/Clinic-B"},
    }
    assert list(found)[:3] == ["resourceType", "id", "meta"]


def test_a_message_keeps_the_id_of_its_thread_apart_from_the_records() -> None:
    assert THREAD not in str(as_json(communication(message(), NAMES)))
