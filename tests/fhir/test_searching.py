"""Searches over HTTP: pages to the end, what comes along, by POST as by GET, and what is told of none."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fhir.served import Served, good, ids, issue, resources, served
from tests.fhir.test_writing import message, thread

COUNT = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("searching"), database_url=database_url) as made:
        asking = made.as_("Practitioner/A1")
        for number in range(2):
            opened = good(
                asking.put(f"/CommunicationRequest/t{number}", json=thread(id=f"t{number}")), 201
            )  # fmt: skip
            assert opened["id"] == f"t{number}"
        for number in range(COUNT):
            sender = ("B1", "A2", "A1")[number % 3]
            body = message(f"t{number % 2}", sender, f"Word{number} of them", id=f"m{number}")
            body["identifier"] = [{"system": "urn:x", "value": f"v{number}"}]
            good(made.as_(f"Practitioner/{sender}").put(f"/Communication/m{number}", json=body), 201)
        yield made


@pytest.fixture(scope="module")
def doctor(server: Served) -> httpx.Client:
    return server.as_("Practitioner/B1")


def every_page(asking: httpx.Client, address: str) -> list[dict[str, Any]]:
    pages = []
    while address:
        pages.append(good(asking.get(address)))
        address = next((each["url"] for each in pages[-1]["link"] if each["relation"] == "next"), "")
    return pages


OLDEST_FIRST = [f"m{number}" for number in range(COUNT)]


@pytest.mark.parametrize("count", [1, 3, 5, 12, 50])
@pytest.mark.parametrize("sort", ["sent", "-sent", "_lastUpdated", "-_lastUpdated", ""])
def test_pages_end_and_hold_everything_once(doctor: httpx.Client, count: int, sort: str) -> None:
    found = [
        each
        for page in every_page(doctor, f"/Communication?_sort={sort}&_count={count}&_total=accurate")
        for each in ids(page)
    ]
    assert found == (OLDEST_FIRST if sort in {"sent", "_lastUpdated"} else OLDEST_FIRST[::-1])


def test_a_bundle_says_what_was_asked_and_how_many_there_are(doctor: httpx.Client) -> None:
    found = good(doctor.get("/Communication?sender=Practitioner/B1&_count=2&_total=accurate"))
    assert found["total"] == 4
    assert found["link"][0] == {
        "relation": "self",
        "url": f"{doctor.base_url}Communication?sender=Practitioner/B1&_count=2&_total=accurate",
    }
    entry = found["entry"][0]
    assert entry["fullUrl"] == f"{doctor.base_url}Communication/{entry['resource']['id']}"
    assert "total" not in good(doctor.get("/Communication?_count=2"))


@pytest.mark.parametrize("query", ["_count=0", "_summary=count"])
def test_only_a_number(doctor: httpx.Client, query: str) -> None:
    found = good(doctor.get(f"/Communication?{query}"))
    assert found["total"] == COUNT
    assert "entry" not in found


def test_each_page_brings_its_own_threads_which_do_not_count(doctor: httpx.Client) -> None:
    pages = every_page(doctor, "/Communication?_include=Communication:based-on&_count=1&_sort=sent&_total=accurate")
    assert [ids(page) for page in pages] == [[each] for each in OLDEST_FIRST]
    assert [ids(page, "include") for page in pages] == [[f"t{number % 2}"] for number in range(COUNT)]
    assert {page["total"] for page in pages} == {COUNT}


def test_people_come_along(doctor: httpx.Client) -> None:
    address = "/Communication?_id=m0&_include=Communication:sender&_include=Communication:recipient"
    found = good(doctor.get(address + "&_include=Communication:subject"))
    assert sorted(ids(found, "include")) == ["123", "B1", "Pharmacy-A"]


@pytest.mark.parametrize("search", ["Communication?_id=m1&_include=Communication:recipient",
    "CommunicationRequest?_id=t1&_include=CommunicationRequest:recipient"])  # fmt: skip
def test_who_comes_along_is_served_as_by_themselves(doctor: httpx.Client, search: str) -> None:
    """Whom an entry names, as this clinic the region it is a part of, may be named nowhere else on the page."""
    (clinic,) = resources(good(doctor.get(f"/{search}")), "include")
    assert clinic["partOf"] == {"reference": "Organization/Region"}
    assert clinic == good(doctor.get("/Organization/Clinic-B"))


def test_by_post_as_by_get(doctor: httpx.Client) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    found = good(doctor.post("/Communication/_search", content="sender=Practitioner/B1&_count=2", headers=form))
    assert found == good(doctor.get("/Communication?sender=Practitioner/B1&_count=2"))
    issue(doctor.post("/Communication/_search", json={}), 415)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("_id=m3", [3]),
        ("_id=m3,m4", [4, 3]),
        ("identifier=urn:x|v5", [5]),
        ("identifier=v5", [5]),
        ("identifier=urn:y|v5", []),
        ("identifier=urn:x|&_id=m3,m5", [5, 3]),
        ("identifier=urn:y|", []),
        ("_content=word7", [7]),
        ("sender=Practitioner/A2", [10, 7, 4, 1]),
        ("sender=A2", [10, 7, 4, 1]),
        ("sender:Practitioner=A2", [10, 7, 4, 1]),
        ("sender:Practitioner.identifier=https://example.org/fhir/register|REG-1002", [10, 7, 4, 1]),
        ("sender:identifier=https://example.org/fhir/register|REG-1002", [10, 7, 4, 1]),
        ("sender=Practitioner/Nobody", []),
        ("recipient=Organization/Pharmacy-A", [9, 6, 3, 0]),
        ("recipient:Organization.identifier=https://example.org/fhir/pharmacy|P-0417", [9, 6, 3, 0]),
        ("recipient=Organization/Pharmacy-A&based-on=CommunicationRequest/t0", [6, 0]),
        ("based-on=CommunicationRequest/t1&sender=Practitioner/B1", [9, 3]),
        ("part-of=t1&sender=B1", [9, 3]),
        ("based-on.sender=Organization/Pharmacy-A&_id=m1", [1]),
        ("based-on.recipient=Organization/Pharmacy-A", []),
        ("part-of:CommunicationRequest.requester=Practitioner/A1&_id=m1", [1]),
        ("based-on.status=active&_id=m2", [2]),
        ("based-on.status=completed", []),
        ("subject=Patient/123&_id=m1", [1]),
        ("patient=123&_id=m1", [1]),
        ("subject=Patient/other", []),
        ("status=completed&_id=m1", [1]),
        ("status=in-progress", []),
        ("status=http://hl7.org/fhir/event-status|completed&_id=m1", [1]),
        ("status=http://hl7.org/fhir/event-status|&_id=m1", [1]),
        ("status=urn:other|completed", []),
        ("category=clinician&_id=m1", [1]),
        ("category=patient", []),
        ("sent=lt2000", []),
        ("sent=gt2000&_id=m1", [1]),
        ("_lastUpdated=ge2000&_id=m1", [1]),
        ("_tag=corrected", []),
        ("_security=N&_id=m1", [1]),
        ("_security=R", []),
        ("in-response-to=Communication/m1", []),
    ],
)
def test_what_a_parameter_finds(doctor: httpx.Client, query: str, numbers: list[int]) -> None:
    assert ids(good(doctor.get(f"/Communication?{query}"))) == [f"m{number}" for number in numbers]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["t1", "t0"]),
        ("_sort=authored", ["t0", "t1"]),
        ("_sort=-_lastUpdated", None),
        ("requester=Practitioner/A1", ["t1", "t0"]),
        ("sender=Organization/Pharmacy-A", ["t1", "t0"]),
        ("sender-care-team=CareTeam/Diabetes-B", []),
        ("recipient=Organization/Clinic-B", ["t1", "t0"]),
        ("subject=Patient/123", ["t1", "t0"]),
        ("status=active", ["t1", "t0"]),
        ("status=completed", []),
        ("authored=ge2000", ["t1", "t0"]),
        ("_has:Communication:based-on:sender=Practitioner/A2", ["t1", "t0"]),
        ("_has:Communication:based-on:sender=Practitioner/B2", []),
        ("_id=t0", ["t0"]),
    ],
)
def test_what_is_found_of_threads(doctor: httpx.Client, query: str, found: list[str] | None) -> None:
    answer = ids(good(doctor.get(f"/CommunicationRequest?{query}")))
    assert sorted(answer) == ["t0", "t1"] if found is None else answer == found


def test_threads_bring_their_messages(doctor: httpx.Client) -> None:
    found = good(doctor.get("/CommunicationRequest?_id=t0&_revinclude=Communication:based-on"))
    assert ids(found) == ["t0"]
    assert ids(found, "include") == [f"m{number}" for number in range(0, COUNT, 2)]


def test_links_are_of_this_server_and_of_this_search(doctor: httpx.Client) -> None:
    page = good(doctor.get("/Communication?_count=2"))
    following = page["link"][1]["url"]
    issue(doctor.get(following.replace("_count=2", "_count=3")), 400)
    issue(doctor.get(following[:-3]), 400)
    issue(doctor.get("/Communication?_cursor=AAAA"), 400)


def test_what_is_not_known_is_refused_or_passed_over_aloud(doctor: httpx.Client) -> None:
    found = issue(doctor.get("/Communication?colour=red"), 400)
    assert found["expression"] == ["colour"]
    lenient = good(doctor.get("/Communication?colour=red&_id=m1", headers={"prefer": "handling=lenient"}))
    assert ids(lenient) == ["m1"]
    assert lenient["entry"][-1]["search"]["mode"] == "outcome"
    assert lenient["link"][0]["url"].endswith("?_id=m1")


def test_a_part_is_shown(doctor: httpx.Client) -> None:
    found = good(doctor.get("/Communication?_id=m1&_elements=sent"))["entry"][0]["resource"]
    assert set(found) == {"resourceType", "id", "meta", "status", "sent"}
    one = good(doctor.get("/Communication/m1?_summary=true"))
    assert "payload" not in one
    assert doctor.get("/Communication/m1?_pretty=true").text.startswith('{\n  "')


def test_a_history_goes_on_where_it_ended(server: Served, doctor: httpx.Client) -> None:
    seen: list[str] = []
    address = "/Communication/_history?_count=5"
    for _ in range(5):
        page = good(doctor.get(address))
        seen += [each["resource"]["id"] for each in page.get("entry", ())]
        address = page["link"][1]["url"]
    assert seen == OLDEST_FIRST
    good(doctor.put("/Communication/late", json=message("t0", id="late", text="Late.")), 201)
    assert [each["resource"]["id"] for each in good(doctor.get(address))["entry"]] == ["late"]
    threads = good(doctor.get("/CommunicationRequest/_history"))
    assert {each["resource"]["id"] for each in threads["entry"]} == {"t0", "t1"}
    issue(doctor.get("/Communication/_history?sender=1"), 400)
    issue(doctor.get("/Communication/_history?_count=0"), 400)


def test_whoever_does_not_take_part_finds_nothing(server: Served) -> None:
    daughter = server.as_("RelatedPerson/123-daughter")
    assert "entry" not in good(daughter.get("/Communication"))
    assert good(daughter.get("/Communication?_count=0"))["total"] == 0


def test_scopes_reach_as_far_as_they_say(server: Served) -> None:
    only = server.as_("Practitioner/B1", "user/Communication.s")
    assert ids(good(only.get("/Communication?_id=m1"))) == ["m1"]
    answer = only.get("/Communication/m1")
    issue(answer, 403)
    assert 'scope="user/Communication.r"' in answer.headers["www-authenticate"]
    issue(only.get("/Communication?_include=Communication:based-on"), 403)
    issue(only.get("/Communication?based-on.status=active"), 403)
    issue(only.get("/CommunicationRequest"), 403)
    issue(only.post("/Communication", json=message("t0")), 403)


def test_a_token_of_one_patient_reaches_that_patient(server: Served) -> None:
    bound = server.as_("Practitioner/B1", "patient/*.rs", patient="123")
    assert ids(good(bound.get("/Communication?_id=m1"))) == ["m1"]
    good(bound.get("/Communication/m1"))
    good(bound.get("/Patient/123"))
    issue(bound.get("/Organization/Clinic-B"), 403)
    newcomer = {"resourceType": "Patient", "id": "456", "active": True, "name": [{"text": "Jan Smit"}]}
    good(server.system().put("/Patient/456", json=newcomer), 201)
    other = server.as_("Practitioner/B1", "patient/*.rs", patient="456")
    assert "entry" not in good(other.get("/Communication?_id=m1"))
    issue(other.get("/Communication/m1"), 404)
    issue(other.get("/CommunicationRequest/t0"), 404)
    assert "entry" not in good(other.get("/Patient?_id=123"))


def test_nobody_reads_without_a_token(server: Served) -> None:
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}):
        answer = server.asking(headers).get("/Communication")
        issue(answer, 401)
        assert answer.headers["www-authenticate"].startswith('Bearer realm="carethread"')
