"""The guide's examples are what a server answers, and what a server answers is what the guide's profiles allow."""

from collections.abc import Iterator
from typing import Any

import pytest

from carethread.fhir.capability import definition
from carethread.fhir.mapping import terms
from carethread.fhir.outcome import CODES
from carethread.fhir.table import TABLE
from tests.fhir.served import Served, good, served
from tests.guide.profiles import faults
from tools import fhir_errors, fhir_examples

Json = dict[str, Any]
PROFILES = f"{terms.STRUCTURES}/carethread"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """What a server serves of the conversation in the guide."""
    return fhir_examples.converse(tmp_path_factory.mktemp("examples") / "data")


def kebab(type_name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in type_name).removeprefix("-")


# ── Examples ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_examples_are_what_a_server_answers(examples: list[Json]) -> None:
    written = fhir_examples.EXAMPLES.read_text(encoding="utf-8")
    assert written == fhir_examples.fsh(examples), "write them again: PYTHONPATH=. python tools/fhir_examples.py"


def test_what_is_compiled_is_what_was_served(guide: dict[str, Json], examples: list[Json]) -> None:
    for each in examples:
        compiled = guide[f"{each['resourceType']}/{each['id']}"]
        profile = f"{PROFILES}-organization-{kebab(each['resourceType'])}"
        assert compiled == {**each, "meta": {**each["meta"], "profile": [profile]}}


def test_the_codes_of_errors_are_the_programs() -> None:
    written = fhir_errors.ERRORS.read_text(encoding="utf-8")
    assert written == fhir_errors.fsh(), "write them again: PYTHONPATH=. python tools/fhir_errors.py"


# ── What is served ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pair", ["organization-", ""])
def test_the_examples_do_what_both_profiles_allow(guide: dict[str, Json], examples: list[Json], pair: str) -> None:
    for each in examples:
        profile = guide[f"StructureDefinition/carethread-{pair}{kebab(each['resourceType'])}"]
        assert faults(each, profile) == []


def ref(text: str) -> Json:
    return {"reference": text}


def link(url: str, text: str) -> Json:
    return {"url": url, "valueReference": ref(text)}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which most was said once that resources can say, and a thread was archived and continued."""
    with served(tmp_path_factory.mktemp("busy")) as server:
        anna = server.as_("Practitioner/A1")
        named = {"identifier": [{"system": "https://his.example/thread", "value": "77"}]}
        opened: Json = {
            "resourceType": "CommunicationRequest",
            "id": "first",
            "status": "active",
            "subject": ref("Patient/123"),
            "requester": ref("Practitioner/A1"),
            "sender": ref("Organization/Pharmacy-A"),
            "recipient": [ref("Organization/Clinic-B"), ref("Practitioner/B2")],
            "extension": [
                link(terms.PARTICIPANT, "Practitioner/A2"),
                {"url": terms.POLICIES, "extension": [
                    {"url": terms.ALLOW_PATIENT_PARTICIPATION, "valueBoolean": False}]},
            ],
            "meta": {"security": [{"system": terms.CONFIDENTIALITY, "code": "R"}]},
            "payload": [
                {"contentString": "See the list."},
                {"contentAttachment": {"contentType": "text/plain", "data": "MjAgbWc=", "title": "list.txt"}},
            ],
        }  # fmt: skip
        made = good(anna.put("/CommunicationRequest/first", json=opened | named), 201)
        message: Json = {
            "resourceType": "Communication",
            "status": "completed",
            "basedOn": [ref("CommunicationRequest/first")],
            "sender": ref("Practitioner/A1"),
            "payload": [{"contentString": "40 mg"}],
        }
        first = good(anna.post("/Communication", json=message | named), 201)
        corrects = {"extension": [link(terms.CORRECTS, f"Communication/{first['id']}")]}
        good(anna.post("/Communication", json=message | corrects | {"payload": [{"contentString": "20 mg"}]}), 201)
        current = good(anna.get("/CommunicationRequest/first"))
        good(anna.put("/CommunicationRequest/first", json=current | {"status": "completed"}))
        again = {key: opened[key] for key in opened if key not in {"id", "extension", "meta", "payload"}}
        good(anna.post("/CommunicationRequest", json=again | {"replaces": [ref("CommunicationRequest/first")]}), 201)
        current = good(anna.get("/CommunicationRequest/first"))
        good(anna.put("/CommunicationRequest/first", json=current | {"status": "revoked"}))
        patient = server.as_("Patient/123")
        asked = {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "subject": ref("Patient/123"),
            "requester": ref("Patient/123"),
            "recipient": [ref("CareTeam/Diabetes-B"), ref("Organization/Pharmacy-A")],
            "payload": [{"contentString": "May I eat before the test?"}],
        }
        good(patient.post("/CommunicationRequest", json=asked), 201)
        for_team = {
            "requester": ref("Practitioner/A1"),
            "recipient": [ref("Patient/123"), ref("Organization/Clinic-B")],
        }
        team = {"extension": [link(terms.OZO_SENDER_CARE_TEAM, "CareTeam/123-network")]}
        good(anna.post("/CommunicationRequest", json=asked | for_team | team), 201)
        assert made["id"] == "first"
        yield server


@pytest.mark.parametrize("type_name", ["CommunicationRequest", "Communication"])
def test_whatever_is_served_does_what_the_general_profiles_allow(
    guide: dict[str, Json], busy: Served, type_name: str
) -> None:
    profile = guide[f"StructureDefinition/carethread-{kebab(type_name)}"]
    anna = busy.as_("Practitioner/A1")
    found = [each["resource"] for each in good(anna.get(f"/{type_name}?_count=100"))["entry"]]
    histories = [good(anna.get(f"/{type_name}/{each['id']}/_history"))["entry"] for each in found]
    everything = [*found, *(each["resource"] for entries in histories for each in entries)]
    assert len(found) >= 2
    assert [fault for each in everything for fault in faults(each, profile)] == []


# ── The same addresses and words ──────────────────────────────────────────────────────────────────────────────────────

OURS = {
    name: value
    for name, value in vars(terms).items()
    if isinstance(value, str)
    and value.startswith(f"{terms.CANONICAL}/")
    and value not in (terms.STRUCTURES, terms.CODE_SYSTEMS)
}


def test_every_address_of_ours_is_in_the_guide(guide: dict[str, Json]) -> None:
    there = {each["url"]: each["resourceType"] for each in guide.values() if "url" in each}
    assert {name: there.get(url) for name, url in OURS.items()} == {
        name: "StructureDefinition" if "/StructureDefinition/" in url else "CodeSystem" for name, url in OURS.items()
    }


def test_every_extension_and_code_system_of_the_guide_is_the_programs(guide: dict[str, Json]) -> None:
    described = {
        each["url"]
        for each in guide.values()
        if each["resourceType"] == "CodeSystem" or each.get("type") == "Extension"
    }
    spoken = {*OURS.values(), CODES, "urn:carethread:standing"}
    assert described == spoken


def test_the_parts_of_the_policies_are_the_programs(guide: dict[str, Json]) -> None:
    elements = guide["StructureDefinition/policies"]["snapshot"]["element"]
    parts = {each["sliceName"] for each in elements if each["path"] == "Extension.extension" and "sliceName" in each}
    assert parts == {terms.ALLOW_PATIENT_PARTICIPATION, terms.ALLOW_EXTERNAL_ORGANISATIONS}


@pytest.mark.parametrize(
    ("system", "words"),
    [("message-category", {str(key): value for key, value in terms.MESSAGE_CATEGORIES.items()}), ("tag", terms.TAGS)],
)
def test_a_code_is_displayed_as_the_program_displays_it(
    guide: dict[str, Json], system: str, words: dict[str, str]
) -> None:
    assert {each["code"]: each["display"] for each in guide[f"CodeSystem/{system}"]["concept"]} == words


def test_our_search_parameters_are_in_the_guide_under_the_addresses_that_are_claimed(guide: dict[str, Json]) -> None:
    described = {
        each["url"]: (each["base"], each["code"], each["type"], sorted(each["target"]))
        for each in guide.values()
        if each["resourceType"] == "SearchParameter"
    }
    claimed = {
        definition(support.type, each): ([support.type], each.name, each.kind.value, sorted(each.targets))
        for support in TABLE
        for each in support.parameters
        if each.own
    }
    assert described == claimed
