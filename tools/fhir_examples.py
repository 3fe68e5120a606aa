"""Write the examples of the implementation guide from what a server answers.

    PYTHONPATH=. python tools/fhir_examples.py

A server is really started, on a clock that stands still between the steps; a pharmacy asks a clinic, as the guide's
page on organisations has it, and what the server then serves becomes `ig/input/fsh/examples.fsh`. The tests do it
again and compare.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from carethread import CoordinationService
from carethread.app import Application, Serve, bind, run, server_of
from carethread.clock import Instant, parse_instant
from carethread.fhir.local_key import Granted, load_key, mint
from carethread.fhir.mapping import terms
from carethread.settings import Settings

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "ig" / "input" / "fsh" / "examples.fsh"
DIRECTORY = ROOT / "tests" / "directory" / "seed.json"
_HEAD = """\
// Written by tools/fhir_examples.py from what a server answered; the tests compare.
"""
_PROFILES = {
    "CommunicationRequest": "CarethreadOrganizationCommunicationRequest",
    "Communication": "CarethreadOrganizationCommunication",
}
_SLICES = {
    terms.POLICIES: "policies",
    terms.PARTICIPANT: "participant",
    terms.SENDER_CARE_TEAM: "senderCareTeam",
    terms.ON_BEHALF_OF: "onBehalfOf",
    terms.CORRECTS: "corrects",
    terms.CORRECTED_BY: "correctedBy",
    terms.ALLOW_PATIENT_PARTICIPATION: terms.ALLOW_PATIENT_PARTICIPATION,
    terms.ALLOW_EXTERNAL_ORGANISATIONS: terms.ALLOW_EXTERNAL_ORGANISATIONS,
}
# What FSH writes without quotes: codes, and moments.
_CODES = frozenset({"status", "code"})
_MOMENTS = frozenset({"lastUpdated", "sent", "authoredOn"})

THREAD = "thread-pharmacy-to-clinic"
_QUESTION = "Can you review the patient's medication list?"
# What is put, when, by whom, and what the guide says of it.
STEPS: tuple[tuple[str, str, str, Json], ...] = (
    (
        "2026-01-13T09:02:11.120Z",
        "A pharmacy asks a clinic",
        "A pharmacist opens the thread. Replies go to the pharmacy, whoever is there.",
        {
            "resourceType": "CommunicationRequest",
            "id": THREAD,
            "status": "active",
            "subject": {"reference": "Patient/123"},
            "requester": {"reference": "Practitioner/A1"},
            "sender": {"reference": "Organization/Pharmacy-A"},
            "recipient": [{"reference": "Organization/Clinic-B"}],
            "payload": [{"contentString": _QUESTION}],
        },
    ),
    (
        "2026-01-13T09:02:12.050Z",
        "The question",
        "The first message of the thread, as a message. Posted as well, it is the one that is there, and has its name.",
        {
            "resourceType": "Communication",
            "id": "msg-1-pharmacy-question",
            "status": "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{THREAD}"}],
            "sender": {"reference": "Practitioner/A1"},
            "recipient": [{"reference": "Organization/Clinic-B"}],
            "payload": [{"contentString": _QUESTION}],
        },
    ),
    (
        "2026-01-13T09:47:30.904Z",
        "The clinic replies",
        "Somebody of the clinic answers. Where the reply goes is read from the thread.",
        {
            "resourceType": "Communication",
            "id": "msg-2-clinic-response",
            "status": "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{THREAD}"}],
            "inResponseTo": [{"reference": "Communication/msg-1-pharmacy-question"}],
            "sender": {"reference": "Practitioner/B1"},
            "recipient": [{"reference": "Organization/Pharmacy-A"}],
            "payload": [{"contentString": "Yes, I'll review it today and follow up by EOD"}],
        },
    ),
    (
        "2026-01-13T10:03:58.377Z",
        "A colleague follows up",
        "Another pharmacist goes on, under their own name, for the same pharmacy.",
        {
            "resourceType": "Communication",
            "id": "msg-3-pharmacy-followup",
            "status": "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{THREAD}"}],
            "inResponseTo": [{"reference": "Communication/msg-2-clinic-response"}],
            "sender": {"reference": "Practitioner/A2"},
            "recipient": [{"reference": "Organization/Clinic-B"}],
            "payload": [{"contentString": "Thank you for the quick response!"}],
        },
    ),
)


# ── A conversation ────────────────────────────────────────────────────────────────────────────────────────────────────


def converse(folder: Path) -> list[Json]:
    """Have the conversation on a server of its own; return its resources as they are served at the end."""
    now = [parse_instant("2026-01-13T09:00:00.000Z")]

    def clock() -> Instant:
        return now[0]

    service = CoordinationService.open(folder, name="De Linde", domain="care.example", clock=clock)
    service.directory.load(DIRECTORY.read_bytes(), by="examples")
    key, custodian = load_key(folder), service.archive.installation.custodian.id
    listening = bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    server = server_of(Application(service, Settings(), Serve(base)))
    thread = threading.Thread(target=run, args=(server, listening))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=base, headers={"content-type": "application/fhir+json"}, timeout=30) as client:

            def asked(method: str, resource: Json, content: Json | None = None) -> Json:
                person = (resource.get("requester") or resource["sender"])["reference"]
                token = mint(key, custodian, Granted("user/*.crus", 3600, person, "examples"), clock()).text
                answer = client.request(
                    method,
                    f"/{resource['resourceType']}/{resource['id']}",
                    json=content,
                    headers={"authorization": f"Bearer {token}"},
                )
                assert answer.is_success, answer.text
                found: Json = answer.json()
                return found

            for at, _, _, resource in STEPS:
                now[0] = parse_instant(at)
                asked("PUT", resource, resource)
            return [asked("GET", resource) for _, _, _, resource in STEPS]
    finally:
        server.should_exit = True
        thread.join()


# ── As FSH ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fsh(resources: list[Json]) -> str:
    """Return resources as instances of the guide's profiles."""
    return _HEAD + "".join(
        f"\n{_instance(title, description, resource)}"
        for (_, title, description, _), resource in zip(STEPS, resources, strict=True)
    )


def _instance(title: str, description: str, resource: Json) -> str:
    lines = [
        f"Instance: {resource['id']}",
        f"InstanceOf: {_PROFILES[resource['resourceType']]}",
        "Usage: #example",
        f"Title: {json.dumps(title)}",
        f"Description: {json.dumps(description)}",
    ]
    lines += (f"* {rule}" for name, value in resource.items() if name not in {"resourceType", "id"}
              for rule in _rules(name, name, value))  # fmt: skip
    return "\n".join(lines) + "\n"


def _rules(path: str, name: str, value: Any) -> Iterator[str]:
    if name == "extension":
        for each in value:
            inner = f"{path}[{_SLICES[each['url']]}]"
            yield from (
                rule for key, held in each.items() if key != "url" for rule in _rules(f"{inner}.{key}", key, held)
            )
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _rules(f"{path}[{number}]", name, each)
    elif isinstance(value, dict):
        for key, held in value.items():
            yield from _rules(f"{path}.{key}", key, held)
    else:
        yield f"{path} = {_literal(name, value)}"


def _literal(name: str, value: Any) -> str:
    if name in _CODES:
        return f"#{value}"
    return str(value) if name in _MOMENTS else json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write the examples into their place."""
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES.write_text(fsh(converse(Path(folder) / "data")), encoding="utf-8")


if __name__ == "__main__":
    main()
