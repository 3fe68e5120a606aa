"""The implementation guide compiles without a word, says what the program says, and constrains what it is for."""

import re
from typing import Any

import pytest

from carethread.access_log import Action
from carethread.directory.fhir_codes import STANDING_CODES, STANDING_SYSTEM
from carethread.policy.actor import ActorKind
from carethread.record.model import MessageType
from tests.guide.profiles import faults, targets
from tools.fhir_guide import GUIDE

Json = dict[str, Any]
PAGES = sorted((GUIDE / "input" / "pagecontent").glob("*.md"))
INDIVIDUALS = {"Practitioner", "RelatedPerson"}

THREAD: Json = {
    "resourceType": "CommunicationRequest",
    "status": "active",
    "subject": {"reference": "Patient/123"},
    "requester": {"reference": "Practitioner/A1"},
    "sender": {"reference": "Organization/Pharmacy-A"},
    "recipient": [{"reference": "Organization/Clinic-B"}],
    "payload": [{"contentString": "Can you review the patient's medication list?"}],
}
MESSAGE: Json = {
    "resourceType": "Communication",
    "status": "completed",
    "basedOn": [{"reference": "CommunicationRequest/thread-pharmacy-to-clinic"}],
    "sender": {"reference": "Practitioner/B1"},
    "recipient": [{"reference": "Organization/Pharmacy-A"}],
    "payload": [{"contentString": "Yes, I'll review it today and follow up by EOD"}],
}


def extension(name: str, target: str) -> Json:
    return {
        "url": f"https://carethread.example/fhir/StructureDefinition/{name}",
        "valueReference": {"reference": target},
    }


# ── The table of who may be what ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("profile", "element", "allowed"),
    [
        ("organization-communication-request", "CommunicationRequest.requester", INDIVIDUALS),
        ("organization-communication-request", "CommunicationRequest.sender", INDIVIDUALS | {"Organization"}),
        (
            "organization-communication-request",
            "CommunicationRequest.recipient",
            INDIVIDUALS | {"CareTeam", "Organization"},
        ),
        ("organization-communication", "Communication.sender", INDIVIDUALS),
        ("organization-communication", "Communication.recipient", INDIVIDUALS | {"CareTeam", "Organization"}),
        ("communication-request", "CommunicationRequest.requester", INDIVIDUALS | {"Patient"}),
        ("communication-request", "CommunicationRequest.sender", INDIVIDUALS | {"Patient", "Organization"}),
        (
            "communication-request",
            "CommunicationRequest.recipient",
            INDIVIDUALS | {"Patient", "CareTeam", "Organization"},
        ),
        ("communication", "Communication.sender", INDIVIDUALS | {"Patient"}),
        ("communication", "Communication.recipient", INDIVIDUALS | {"Patient", "CareTeam", "Organization"}),
    ],
)
def test_who_may_be_what(guide: dict[str, Json], profile: str, element: str, allowed: set[str]) -> None:
    assert targets(guide[f"StructureDefinition/carethread-{profile}"], element) == allowed


@pytest.mark.parametrize(
    ("profile", "resource", "changes", "found"),
    [
        ("organization-communication-request", THREAD, {}, []),
        ("communication-request", THREAD, {}, []),
        ("communication-request", THREAD, {"requester": {"reference": "Patient/123"}}, []),
        (
            "organization-communication-request",
            THREAD,
            {"requester": {"reference": "Patient/123"}},
            ["CommunicationRequest.requester: names a Patient"],
        ),
        (
            "organization-communication-request",
            THREAD,
            {"requester": {"reference": "Organization/Pharmacy-A"}},
            ["CommunicationRequest.requester: names a Organization"],
        ),
        ("communication-request", THREAD, {"requester": None}, ["CommunicationRequest.requester: is missing"]),
        ("communication-request", THREAD, {"recipient": None}, ["CommunicationRequest.recipient: is missing"]),
        ("communication-request", THREAD, {"subject": None}, ["CommunicationRequest.subject: is missing"]),
        (
            "communication-request",
            THREAD,
            {"priority": "urgent"},
            ["CommunicationRequest.priority: is not what the profile fixes"],
        ),
        ("communication-request", THREAD, {"priority": "routine"}, []),
        (
            "communication-request",
            THREAD,
            {"payload": [{"contentString": "a"}, {"contentString": "b"}]},
            ["CommunicationRequest: ct-one-text"],
        ),
        (
            "communication-request",
            THREAD,
            {"payload": [{"contentReference": {"reference": "Observation/1"}}]},
            ["CommunicationRequest.payload.content[x]: is there 1000 times"],
        ),
        (
            "communication-request",
            THREAD,
            {"extension": [extension("sender-care-team", "CareTeam/a"), extension("sender-care-team", "CareTeam/b")]},
            ["CommunicationRequest.extension: is there 2 times"],
        ),
        ("communication-request", THREAD, {"note": [{"text": "x"}]}, ["CommunicationRequest.note: is there 1 times"]),
        ("organization-communication", MESSAGE, {}, []),
        ("communication", MESSAGE, {"sender": {"reference": "Patient/123"}}, []),
        (
            "organization-communication",
            MESSAGE,
            {"sender": {"reference": "Patient/123"}},
            ["Communication.sender: names a Patient"],
        ),
        (
            "communication",
            MESSAGE,
            {"sender": {"reference": "Organization/Clinic-B"}},
            ["Communication.sender: names a Organization"],
        ),
        ("communication", MESSAGE, {"basedOn": None}, ["Communication: ct-in-a-thread"]),
        ("communication", MESSAGE, {"basedOn": None, "partOf": MESSAGE["basedOn"]}, []),
        ("communication", MESSAGE, {"partOf": MESSAGE["basedOn"]}, []),
        (
            "communication",
            MESSAGE,
            {"partOf": [{"reference": "CommunicationRequest/other"}]},
            ["Communication: ct-same-thread"],
        ),
        (
            "communication",
            MESSAGE,
            {"received": "2026-01-11T14:35:22Z"},
            ["Communication.received: is there 1 times"],
        ),
    ],
)
def test_what_a_profile_allows(
    guide: dict[str, Json], profile: str, resource: Json, changes: Json, found: list[str]
) -> None:
    changed = {key: value for key, value in (resource | changes).items() if value is not None}
    assert faults(changed, guide[f"StructureDefinition/carethread-{profile}"]) == found


# ── The same words as the program ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("message-category", set(MessageType)),
        ("access-action", set(Action)),
        ("actor-kind", {*ActorKind, "person", "operator"}),
        ("standing", set(STANDING_CODES)),
    ],
)
def test_a_code_system_has_the_programs_words(guide: dict[str, Json], system: str, words: set[str]) -> None:
    assert {each["code"] for each in guide[f"CodeSystem/{system}"]["concept"]} == words


def test_the_directorys_code_system_has_its_own_name(guide: dict[str, Json]) -> None:
    assert guide["CodeSystem/standing"]["url"] == STANDING_SYSTEM


# ── The pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_page_is_in_the_guide(guide: dict[str, Json]) -> None:
    pages = guide["ImplementationGuide/carethread.fhir"]["definition"]["page"]["page"]
    assert {each["nameUrl"].removesuffix(".html") for each in pages} == {each.stem for each in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_links_to_what_is_there(guide: dict[str, Json], page: Any) -> None:
    there = {f"{name.replace('/', '-')}.html" for name in guide} | {f"{each.stem}.html" for each in PAGES}
    links = set(re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")))
    assert links <= there
