"""When what is posted is what is recorded already."""

import base64
import hashlib
from typing import Any

import pytest

from carethread.fhir.mapping.communication import communication, read_communication
from carethread.fhir.mapping.same import same_message, same_opening
from carethread.record.model import Attachment, BusinessIdentifier, MessageType, Role
from tests.fhir.threads import (
    M1,
    M2,
    NAMES,
    OURS,
    QUESTION,
    THREAD,
    as_communication,
    as_json,
    message,
    opening,
    parsed,
    thread,
)

WHO = {(text.split("/")[0], text.split("/")[1]): each for each, text in NAMES.items()}
DATA = b"%PDF-1.7"
FILE = Attachment(hashlib.sha256(DATA).hexdigest(), "application/pdf", len(DATA), "list.pdf")
INLINE = {"contentType": "application/pdf", "title": "list.pdf", "data": base64.b64encode(DATA).decode()}
OPENING = {"sender": {"reference": "Practitioner/A1"}, "recipient": None, "payload": [{"contentString": QUESTION}]}


def ext(name: str, reference: str) -> list[dict[str, Any]]:
    return [{"url": f"{OURS}/{name}", "valueReference": {"reference": reference}}]


def refs(*texts: str) -> list[dict[str, str]]:
    return [{"reference": each} for each in texts]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"id": "msg-1-pharmacy-question", "identifier": [{"system": "urn:x", "value": "1"}]}, True),
        ({"sent": "2026-01-11T14:30:00Z"}, True),
        ({"subject": {"reference": "Patient/123"}}, True),
        ({"subject": {"reference": "Patient/124"}}, False),
        ({"recipient": refs("Organization/Clinic-B")}, True),
        ({"recipient": refs("Organization/Pharmacy-A")}, False),
        ({"recipient": refs("Organization/Clinic-B", "Practitioner/B1")}, False),
        ({"extension": ext("on-behalf-of", "Organization/Pharmacy-A")}, True),
        ({"extension": ext("on-behalf-of", "Organization/Clinic-B")}, False),
        ({"extension": ext("corrects", "Communication/1")}, False),
        ({"sender": {"reference": "Practitioner/A2"}}, False),
        ({"sender": {"reference": "Practitioner/unknown"}}, False),
        ({"payload": [{"contentString": f"{QUESTION} \n"}]}, True),
        ({"payload": [{"contentString": QUESTION.lower()}]}, False),
        ({"payload": [{"contentString": QUESTION}, {"contentAttachment": INLINE}]}, False),
        ({"inResponseTo": refs("Communication/1")}, False),
    ],
)
def test_an_opening_message_posted_again(change: dict[str, Any], same: bool) -> None:
    draft = read_communication(as_communication(**(OPENING | change)))
    assert same_opening(draft, thread(), WHO, wrote_before=False) is same
    assert not same_opening(draft, thread(), WHO, wrote_before=True)
    assert not same_opening(draft, thread(opening=None), WHO, wrote_before=False)


@pytest.mark.parametrize(
    ("attachments", "same"),
    [
        ([INLINE], True),
        ([{**INLINE, "title": "other.pdf"}], False),
        ([{**INLINE, "contentType": "x/y"}], False),
        ([{**INLINE, "data": base64.b64encode(b"%PDF-1.6").decode()}], False),
        ([{"url": f"Binary/{M1}.1"}], True),
        ([{"url": f"Binary/{M1}.1", "size": 8, "title": "list.pdf", "contentType": "application/pdf"}], True),
        ([{"url": f"Binary/{M1}.1", "size": 9}], False),
        ([{"url": f"Binary/{M1}.2"}], False),
        ([{"url": f"Binary/{M2}.1"}], False),
        ([{"url": "Binary/upload"}], False),
        ([INLINE, INLINE], False),
        ([], False),
    ],
)
def test_its_files(attachments: list[Any], same: bool) -> None:
    payload = [{"contentString": QUESTION}, *({"contentAttachment": each} for each in attachments)]
    draft = read_communication(as_communication(**(OPENING | {"payload": payload})))
    begun = thread(opening=opening(attachments=(FILE,)))
    assert same_opening(draft, begun, WHO, wrote_before=False) is same


def served(change: dict[str, Any], **shown: Any) -> Any:
    body = as_json(communication(message(**shown), NAMES))
    body.update(change)
    return read_communication(parsed(body))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"partOf": None}, True),
        ({"basedOn": None, "partOf": refs(f"CommunicationRequest/{THREAD}")}, True),
        ({"basedOn": None, "partOf": refs("CommunicationRequest/other")}, False),
        ({"recipient": None, "extension": None, "subject": None, "sent": None, "category": None}, True),
        ({"sent": "2026-01-11T14:36:12.045Z"}, True),
        ({"sent": "2026-01-11T14:36:12.046Z"}, False),
        ({"inResponseTo": None}, False),
        ({"inResponseTo": refs(f"Communication/{M1}")}, True),
        ({"inResponseTo": refs("Communication/other")}, False),
        ({"extension": ext("corrects", "Communication/1"), "category": None}, False),
        ({"identifier": None}, False),
        ({"identifier": [{"system": "urn:x", "value": "2"}]}, False),
        ({"subject": {"reference": "Patient/124"}}, False),
        ({"sender": {"reference": "Practitioner/A1"}}, False),
        ({"recipient": refs("Organization/Clinic-B")}, False),
        ({"payload": [{"contentString": "No"}]}, False),
        ({"id": "whatever"}, True),  # Which one it is compared with is not said by the draft.
    ],
)
def test_a_message_sent_again(change: dict[str, Any], same: bool) -> None:
    shown = {"identifiers": (BusinessIdentifier("urn:x", "1"),), "attachments": (FILE,)}
    assert same_message(served(change, **shown), message(**shown), WHO) is same


def test_a_correction_sent_again() -> None:
    correction = {"type": MessageType.CORRECTION, "author_role": Role.CLINICIAN, "corrected": M1, "corrects": "wrong"}
    draft = served({}, **correction)
    assert same_message(draft, message(**correction), WHO)
    assert not same_message(draft, message(), WHO)
    # Sent back by somebody who may not read what it corrects.
    hidden = {**correction, "corrects": None}
    assert same_message(served({"category": None}, **hidden), message(**hidden), WHO)
