"""Bundles as clients send them, and what is answered."""

import itertools
from collections.abc import Sequence
from typing import Any

import httpx

from carethread.fhir import validation
from tests.fhir.served import Served, good

URN = "urn:uuid:00000000-0000-4000-8000-00000000000{}"
PATIENT, RELATED, ORGANIZATION, PRACTITIONER, ROLE, TEAM, THREAD, FIRST, SECOND = (URN.format(n) for n in range(1, 10))

_NUMBERS = itertools.count(1)

Entry = dict[str, Any]


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


def post(resource: dict[str, Any], full_url: str = "", **request: str) -> Entry:
    """Return an entry that creates."""
    made: Entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return made | ({"fullUrl": full_url} if full_url else {})


def put(resource: dict[str, Any], full_url: str = "", **request: str) -> Entry:
    """Return an entry that writes under its resource's id."""
    url = f"{resource['resourceType']}/{resource['id']}"
    made: Entry = {"resource": resource, "request": {"method": "PUT", "url": url, **request}}
    return made | ({"fullUrl": full_url} if full_url else {})


def get(url: str, method: str = "GET") -> Entry:
    return {"request": {"method": method, "url": url}}


def bundle(kind: str, entries: Sequence[Entry]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, **({"entry": list(entries)} if entries else {})}


def sent(asking: httpx.Client, kind: str, *entries: Entry, **headers: str) -> list[Entry]:
    """Send a Bundle; return the entries of its answer, which is valid R4."""
    answer = asking.post("", json=bundle(kind, entries), headers=headers)
    made = good(answer)
    assert made["type"] == f"{kind}-response"
    validation.parse(answer.content, types=frozenset({"Bundle"}))
    found: list[Entry] = made.get("entry", [])
    assert len(found) == len(entries)
    return found


def statuses(entries: Sequence[Entry]) -> list[str]:
    return [each["response"]["status"] for each in entries]


def patient(identifier: str = "", **more: Any) -> dict[str, Any]:
    """Return somebody new."""
    value = identifier or f"new-{next(_NUMBERS)}"
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": "urn:test:patients", "value": value}],
        "name": [{"family": "Nieuw"}],
        **more,
    }


def thread(subject: str = "Patient/123", text: str = "How is she?", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "subject": ref(subject),
        "requester": ref("Practitioner/A1"),
        "sender": ref("Organization/Pharmacy-A"),
        "recipient": [ref("Organization/Clinic-B")],
        "payload": [{"contentString": text}],
        **more,
    }


def message(based_on: str, text: str, sender: str = "Practitioner/B1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "basedOn": [ref(based_on)],
        "sender": ref(sender),
        "payload": [{"contentString": text}],
        **more,
    }


def counted(server: Served) -> dict[str, int]:
    """Return how much there is, apart from the access log."""
    tables = ("record", "thread", "message", "directory_entry", "directory_version", "change", "upload")
    with server.service.archive.database.read() as connection:
        cursor: Any = connection._cursor
        return {each: cursor.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables}
