"""Lines of the access log as AuditEvents."""

import base64
from typing import Any

import pytest
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, Outcome, Served
from carethread.clock import Instant
from carethread.fhir.mapping.audit import Called, action_code, audit_event
from carethread.ids import ParticipantId
from carethread.record.model import Party
from tests.fhir.threads import A1, AT, CLINIC, EARLIER, M2, NAMES, PATIENT, RECORD, TEAM, THREAD, as_json, ref

COMMIT = "c" * 64
INSTALLATION = Party(ParticipantId("99999999-0000-4000-8000-000000000000"), "Region North")
CALLED = Called({THREAD: "thread-1"}, {M2: "msg-2"}, {(THREAD, COMMIT): 3}, PATIENT)
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
OBJECT = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "code": "2",
    "display": "System Object",
}
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
LINE = AccessEntry(
    actor=A1,
    actor_kind="practitioner",
    action=Action.SERVED,
    acting_for=CLINIC,
    record=RECORD,
    thread=THREAD,
    version=COMMIT,
    client="his 4.2",
    at=Instant(AT),
    number=17,
)


def shown(entry: AccessEntry, called: Called | None = CALLED) -> dict[str, Any]:
    return as_json(audit_event(entry, NAMES, observer=INSTALLATION, called=called))


def test_a_line_in_full() -> None:
    entry = replace(
        LINE,
        detail="message",
        message=M2,
        purpose="complaint 12",
        query="sender=Practitioner/A1",
        request_id="r-1",
        served=(Served(THREAD, COMMIT, 4), Served(EARLIER, COMMIT)),
    )
    commit = {"type": "commit", "valueString": COMMIT}
    domain = {"system": ROLE, "code": "4", "display": "Domain Resource"}
    assert shown(entry) == {
        "resourceType": "AuditEvent",
        "id": "17",
        "meta": {"versionId": "1", "lastUpdated": "2026-01-11T14:35:22.045Z"},
        "type": {"system": DICOM, "code": "110110", "display": "Patient Record"},
        "subtype": [
            {
                "system": "https://carethread.example/fhir/CodeSystem/access-action",
                "code": "served",
                "display": "served: message",
            }
        ],
        "action": "R",
        "recorded": "2026-01-11T14:35:22.045Z",
        "outcome": "0",
        "agent": [
            {
                "role": [
                    {
                        "coding": [
                            {
                                "system": "https://carethread.example/fhir/CodeSystem/actor-kind",
                                "code": "practitioner",
                            }
                        ]
                    }
                ],
                "who": ref("Practitioner/A1"),
                "requestor": True,
                "purposeOfUse": [{"text": "complaint 12"}],
            },
            {"who": ref("Organization/Clinic-B"), "requestor": False},
            {
                "type": {"coding": [{"system": DICOM, "code": "110150", "display": "Application"}]},
                "name": "his 4.2",
                "requestor": False,
            },
        ],
        "source": {
            "observer": {
                "type": "Device",
                "identifier": {"system": "urn:carethread:participant", "value": INSTALLATION.id},
                "display": "Region North",
            }
        },
        "entity": [
            {
                "what": ref("Patient/123"),
                "type": {**OBJECT, "code": "1", "display": "Person"},
                "role": {"system": ROLE, "code": "1", "display": "Patient"},
            },
            {
                "what": {"reference": "CommunicationRequest/thread-1/_history/3", "type": "CommunicationRequest"},
                "type": OBJECT,
                "role": domain,
                "detail": [commit, {"type": "entries", "valueString": "4"}],
            },
            {"what": ref(f"CommunicationRequest/{EARLIER}"), "type": OBJECT, "role": domain, "detail": [commit]},
            {"what": ref("Communication/msg-2"), "type": OBJECT, "role": domain},
            {
                "type": OBJECT,
                "role": {"system": ROLE, "code": "24", "display": "Query"},
                "query": base64.b64encode(b"sender=Practitioner/A1").decode(),
            },
            {"what": {"identifier": {"system": "urn:carethread:request-id", "value": "r-1"}}, "type": OBJECT},
        ],
    }


def test_as_little_as_a_line_can_say() -> None:
    found = shown(replace(LINE, acting_for=None, thread=None, version="", client=""), None)
    assert "entity" not in found
    assert len(found["agent"]) == 1
    assert found["subtype"][0]["display"] == "served"


def test_a_thread_that_was_not_found_has_no_version() -> None:
    found = shown(replace(LINE, outcome=Outcome.UNKNOWN, detail="unknown-thread", version=""), Called())
    assert found["entity"][0]["what"] == ref(f"CommunicationRequest/{THREAD}")
    assert "detail" not in found["entity"][0]
    assert found["outcomeDesc"] == "unknown-thread"


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.DONE, "0"), (Outcome.UNKNOWN, "4"), (Outcome.REFUSED, "8")])
def test_outcomes(outcome: Outcome, code: str) -> None:
    assert shown(replace(LINE, outcome=outcome))["outcome"] == code


@pytest.mark.parametrize(
    ("action", "detail", "code", "kind"),
    [
        (Action.SERVED, "message", "R", "110110"),
        (Action.LISTED, "", "E", "110112"),
        (Action.SEARCHED, "", "E", "110112"),
        (Action.WRITTEN, "thread", "C", "110110"),
        (Action.WRITTEN, "message", "C", "110110"),
        (Action.WRITTEN, "correction", "C", "110110"),
        (Action.WRITTEN, "visibility", "U", "110110"),
        (Action.WRITTEN, "set aside", "U", "110110"),
        (Action.WRITTEN, "not-member", "U", "110110"),
        (Action.EXPORTED, "access log", "R", "110106"),
        (Action.EMERGENCY, "", "R", "110110"),
    ],
)
def test_actions(action: Action, detail: str, code: str, kind: str) -> None:
    found = shown(replace(LINE, action=action, detail=detail))
    assert (found["action"], found["type"]["code"]) == (code, kind)
    assert action_code(action, detail) == code


def test_an_emergency_breaks_the_glass() -> None:
    purpose = [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                    "code": "BTG",
                    "display": "break the glass",
                }
            ],
            "text": "unconscious",
        }
    ]
    found = shown(replace(LINE, action=Action.EMERGENCY, purpose="unconscious"))
    assert found["purposeOfEvent"] == found["agent"][0]["purposeOfUse"] == purpose
    assert "purposeOfUse" not in shown(LINE)["agent"][0]


def test_whom_the_directory_does_not_have_and_teams_are_named_by_identifier() -> None:
    stranger = ParticipantId("88888888-0000-4000-8000-000000000000")
    agents = shown(replace(LINE, actor=stranger, acting_for=TEAM))["agent"]
    assert agents[0]["who"] == {"identifier": {"system": "urn:carethread:participant", "value": stranger}}
    # R4 does not let a team act.
    assert agents[1]["who"] == {
        "identifier": {"system": "urn:carethread:participant", "value": TEAM},
        "display": "CareTeam/Team-1",
    }
