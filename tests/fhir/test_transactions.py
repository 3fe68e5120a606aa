"""Bundles of type transaction over HTTP: all of it is recorded, in whatever order it stands, or nothing is."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carethread.access_log import AccessEntry, Outcome
from carethread.fhir.linking import Links
from carethread.fhir.submitted import MOST_ENTRIES, Request
from carethread.store import access
from tests.fhir.bundles import (
    FIRST,
    ORGANIZATION,
    PATIENT,
    PRACTITIONER,
    RELATED,
    ROLE,
    SECOND,
    TEAM,
    THREAD,
    Entry,
    bundle,
    counted,
    get,
    message,
    patient,
    post,
    put,
    ref,
    sent,
    statuses,
    thread,
)
from tests.fhir.served import Served, good, issue, served

CORRECTS = "https://carethread.example/fhir/StructureDefinition/corrects"
PARTICIPANT = "https://carethread.example/fhir/StructureDefinition/participant"
KNOWN = "https://example.org/fhir/patient|00123"


@pytest.fixture(params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fresh_postgres: Callable[[], str]
) -> Iterator[Served]:
    url = fresh_postgres() if request.param == "postgresql" else None
    with served(tmp_path_factory.mktemp("served"), database_url=url) as made:
        yield made


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """On SQLite alone: for what no database has a part in."""
    with served(tmp_path_factory.mktemp("served")) as made:
        yield made


def everything() -> list[Entry]:
    """Return a patient with all that belongs to them, and a conversation about them."""
    organization = {"resourceType": "Organization", "active": True, "name": "Nieuwe Praktijk"}
    practitioner = {"resourceType": "Practitioner", "active": True, "name": [{"family": "Nieuwenhuis"}]}
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": ref(PRACTITIONER),
        "organization": ref(ORGANIZATION),
    }
    related = {"resourceType": "RelatedPerson", "active": True, "patient": ref(PATIENT), "name": [{"family": "Zus"}]}
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "name": "Rond de patiënt",
        "subject": ref(PATIENT),
        "participant": [{"member": ref(PRACTITIONER)}, {"member": ref("Practitioner/A1")}],
    }
    asked = thread(
        PATIENT,
        recipient=[ref(ORGANIZATION), ref("Organization/Clinic-B")],
        extension=[{"url": PARTICIPANT, "valueReference": ref(TEAM)}],
    )
    first = message(THREAD, "Better.", subject=ref(PATIENT), partOf=[ref(THREAD)])
    second = message(
        THREAD,
        "Much better.",
        extension=[{"url": CORRECTS, "valueReference": ref(FIRST)}],
        inResponseTo=[],
    )
    del second["inResponseTo"]
    return [
        post(patient(), PATIENT),
        post(organization, ORGANIZATION),
        post(practitioner, PRACTITIONER),
        post(role, ROLE),
        post(related, RELATED),
        post(team, TEAM),
        post(asked, THREAD),
        post(first, FIRST),
        post(second, SECOND),
    ]


def lines(server: Served) -> list[AccessEntry]:
    with server.service.archive.database.read() as connection:
        return list(access.lines(connection, access.Filter()))


def refused(server: Served, status: int, *entries: Entry, as_: str = "", scope: str = "") -> dict[str, Any]:
    """Return why a transaction is not done; nothing of it is recorded but a line of the log."""
    before, logged = counted(server), len(lines(server))
    asking = (
        server.as_(as_, **({"scope": scope} if scope else {}))
        if as_
        else server.system(scope=scope or "system/*.cruds")
    )
    found = issue(asking.post("", json=bundle("transaction", entries)), status)
    assert counted(server) == before
    new = lines(server)[logged:]
    assert Outcome.DONE not in {each.outcome for each in new}
    assert new
    return found


def test_everything_at_once_in_whatever_order(server: Served) -> None:
    hub = server.system()
    entries = everything()
    random.Random(7).shuffle(entries)
    made = sent(hub, "transaction", *entries)
    assert set(statuses(made)) == {"201 Created"}
    by = {entry["fullUrl"]: answer["resource"] for entry, answer in zip(entries, made, strict=True)}
    assert by[THREAD]["subject"]["reference"] == f"Patient/{by[PATIENT]['id']}"
    assert {each["reference"] for each in by[THREAD]["recipient"]} == {
        f"Organization/{by[ORGANIZATION]['id']}",
        "Organization/Clinic-B",
    }
    assert by[FIRST]["partOf"] == by[FIRST]["basedOn"] == by[SECOND]["basedOn"]
    assert by[FIRST]["basedOn"][0]["reference"] == f"CommunicationRequest/{by[THREAD]['id']}"
    corrects = [each for each in by[SECOND]["extension"] if each["url"] == CORRECTS]
    assert corrects[0]["valueReference"]["reference"] == f"Communication/{by[FIRST]['id']}"
    for entry, answer in zip(entries, made, strict=True):
        response = answer["response"]
        kind = entry["resource"]["resourceType"]
        assert response["location"].startswith(f"{server.base}/{kind}/{answer['resource']['id']}/_history/")
        assert response["etag"] == f'W/"{answer["resource"]["meta"]["versionId"]}"'
        assert response["lastModified"] == answer["resource"]["meta"]["lastUpdated"]
    found = good(server.as_("Practitioner/A1").get(f"/Communication?based-on={by[THREAD]['id']}&_sort=sent"))
    assert [each["resource"]["payload"][0]["contentString"] for each in found["entry"]] == [
        "How is she?",
        "Better.",
        "Much better.",
    ]
    server.service.flush()
    assert list(server.service.verify()) == []


@pytest.mark.parametrize("last", ["nobody", "no right", "no rule"])
def test_nothing_of_it_if_the_last_is_refused(server: Served, last: str) -> None:
    fault = {
        "nobody": message(THREAD, "Hello", sender="Practitioner/nobody"),
        "no right": message(THREAD, "Hello", sender="Practitioner/B1", inResponseTo=[ref("Communication/nothing")]),
        "no rule": message(THREAD, "Hello", priority="urgent"),
    }[last]
    entries = [*everything(), post(fault)]
    # In front, but it needs what comes after.
    found = refused(server, 422, entries[-1], *entries[:-1])
    assert found["expression"][0].startswith("Bundle.entry[0].resource.")
    # And it goes without.
    assert len(sent(server.system(), "transaction", *entries[:-1])) == 9


def test_the_log_has_one_line_for_each_or_for_the_refusal(server: Served) -> None:
    before = len(lines(server))
    sent(server.system(), "transaction", *everything())
    assert [each.outcome for each in lines(server)[before:]] == [Outcome.DONE] * 9
    before = len(lines(server))
    refused(server, 403, post(patient(), PATIENT), post(thread(PATIENT, requester=ref("Patient/123"))))
    (line,) = lines(server)[before:]
    assert line.outcome is not Outcome.DONE


def test_entries_under_ids_of_their_own(server: Served) -> None:
    hub = server.system()
    made = sent(
        hub,
        "transaction",
        get("CommunicationRequest/t-1"),
        put(message("CommunicationRequest/t-1", "Better.", id="m-1")),
        put(thread("Patient/p-1", id="t-1"), "https://elsewhere.example/fhir/CommunicationRequest/t-1"),
        put(patient(id="p-1")),
        post(message("https://elsewhere.example/fhir/CommunicationRequest/t-1", "Much better.")),
    )
    assert statuses(made) == ["200 OK", "201 Created", "201 Created", "201 Created", "201 Created"]
    # It is read as it is at the end.
    assert made[0]["resource"]["meta"]["versionId"] == "3"
    assert made[4]["resource"]["basedOn"][0]["reference"] == "CommunicationRequest/t-1"


def test_relative_references_within_another_servers_addresses(here: Served) -> None:
    made = sent(
        here.system(),
        "transaction",
        post(thread("Patient/77"), "https://old.example/fhir/CommunicationRequest/5"),
        post(patient(), "https://old.example/fhir/Patient/77"),
    )
    assert made[0]["resource"]["subject"]["reference"] == f"Patient/{made[1]['resource']['id']}"


def test_who_is_named_by_a_search(server: Served) -> None:
    hub = server.system()
    made = sent(hub, "transaction", post(thread(f"Patient?identifier={KNOWN}"), THREAD), post(message(THREAD, "Hi")))
    assert made[0]["resource"]["subject"]["reference"] == "Patient/123"
    none = refused(server, 422, post(thread("Patient?identifier=https://example.org/fhir/patient|9")))
    assert (none["code"], none["expression"]) == ("not-found", ["Bundle.entry[0].resource.subject.reference"])
    many = refused(server, 412, post(thread(recipient=[ref("Organization?active=true")])))
    assert (many["code"], many["expression"]) == (
        "multiple-matches",
        ["Bundle.entry[0].resource.recipient[0].reference"],
    )
    unknown = refused(server, 400, post(thread(recipient=[ref("Device?status=active")])))
    assert unknown["code"] == "not-supported"


def test_what_is_searched_is_what_was_there_before(here: Served) -> None:
    """Whatever order it stands in, a search never finds what the same Bundle brings."""
    found = refused(here, 422, post(patient("950"), PATIENT), post(thread("Patient?identifier=urn:test:patients|950")))
    assert found["code"] == "not-found"


def test_created_unless_it_is_there(server: Served) -> None:
    hub = server.system()
    condition = "identifier=urn:test:patients|960"
    entries = [
        post(patient("960"), PATIENT, ifNoneExist=condition),
        post(thread(PATIENT, identifier=[{"system": "urn:t", "value": "1"}]), THREAD, ifNoneExist="identifier=urn:t|1"),
    ]
    first = sent(hub, "transaction", *entries)
    again = sent(hub, "transaction", *entries)
    assert (statuses(first), statuses(again)) == (["201 Created"] * 2, ["200 OK"] * 2)
    assert [each["resource"]["id"] for each in first] == [each["resource"]["id"] for each in again]


def test_a_file_that_goes_with_a_message(here: Served) -> None:
    file = {"resourceType": "Binary", "contentType": "application/pdf", "data": "JVBERg=="}
    asked = thread(payload=[{"contentAttachment": {"url": PATIENT, "title": "a.pdf"}}])
    hub = here.as_("Practitioner/A1")
    made = sent(hub, "transaction", post(asked, THREAD), post(file, PATIENT))
    attached = made[0]["resource"]["payload"][0]["contentAttachment"]
    assert hub.get(f"/{attached['url']}", headers={"accept": "application/pdf"}).content == b"%PDF"


def test_a_thread_that_is_changed(server: Served) -> None:
    pharmacist = server.as_("Practitioner/A1")
    (made,) = sent(pharmacist, "transaction", post(thread()))
    found = made["resource"]
    closed = put(found | {"status": "completed"}, ifMatch='W/"1"')
    stale = refused(server, 412, put(found | {"status": "completed"}, ifMatch='W/"7"'), as_="Practitioner/A1")
    assert stale["expression"] == ["Bundle.entry[0]"]
    changed = sent(pharmacist, "transaction", closed)
    assert changed[0]["resource"]["status"] == "completed"
    assert statuses(changed) == ["200 OK"]


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_entry_that_is_refused_is_named(here: Served) -> None:
    good_one = post(patient(), PATIENT)
    bad = refused(here, 400, good_one, post({**thread(PATIENT), "status": "nonsense"}))
    assert bad["expression"] == ["Bundle.entry[1].resource.status"]
    header = refused(here, 400, good_one, put(patient(id="x"), ifMatch="seven"))
    assert header["expression"] == ["Bundle.entry[1].request.ifMatch"]
    condition = refused(here, 400, good_one, post(patient(), ifNoneExist="colour=red"))
    assert condition["expression"] == ["Bundle.entry[1].request.url"]
    empty = refused(here, 400, good_one, post(patient(), ifNoneExist="_id="))
    assert empty["expression"] == ["Bundle.entry[1].request.ifNoneExist"]
    missing = refused(here, 404, good_one, get("Patient/nobody"))
    assert missing["expression"] == ["Bundle.entry[1]"]


@pytest.mark.parametrize(
    ("status", "entry"),
    [
        (405, {"request": {"method": "DELETE", "url": "Patient/123"}}),
        (405, {"request": {"method": "PATCH", "url": "Patient/123"}, "resource": patient()}),
        (405, {"request": {"method": "PUT", "url": "Patient?identifier=x"}, "resource": patient()}),
        (404, get("Task")),
        (404, get("Patient/a_b")),
        (404, get("Patient/caf\xe9")),
        (400, get("https://elsewhere.example/fhir/Patient/123")),
        (400, {"request": {"method": "POST", "url": "Patient"}}),
        (400, {"request": {"method": "GET", "url": "Patient/123"}, "resource": patient()}),
        (400, {"request": {"method": "POST", "url": "Practitioner"}, "resource": patient()}),
        (400, {"request": {"method": "POST", "url": ""}, "resource": patient()}),
        (400, {"request": {"method": "POST", "url": "/"}, "resource": patient()}),
        (422, {"request": {"method": "POST", "url": "Patient/$validate"}, "resource": patient()}),
        (400, {"request": {"method": "GET", "url": "Patient/123", "ifModifiedSince": "2026-01-01T00:00:00Z"}}),
        (400, get("Patient/123?colour=red")),
        (422, get("metadata")),
        (422, get("Patient/123/_history")),
        (422, get("Patient/123/_history/1")),
        (422, get("CommunicationRequest/_history")),
        (422, post(thread("urn:uuid:12345678-0000-4000-8000-000000000000"))),
    ],
)  # fmt: skip
def test_what_no_entry_can_be(here: Served, status: int, entry: Entry) -> None:
    found = refused(here, status, post(patient()), entry) if entry["request"]["url"] else None
    if found is None:
        # R4 itself wants an address.
        issue(here.system().post("", json=bundle("transaction", [entry])), status)
    else:
        assert found["expression"][0].startswith("Bundle.entry[1]")


def test_circles(here: Served) -> None:
    first = message("CommunicationRequest/x", "One", inResponseTo=[ref(SECOND)])
    second = message("CommunicationRequest/x", "Two", inResponseTo=[ref(FIRST)])
    third = message("CommunicationRequest/x", "Three", inResponseTo=[ref(SECOND)])
    found = refused(here, 422, post(third), post(patient()), post(first, FIRST), post(second, SECOND))
    assert found["expression"] == ["Bundle.entry[2]", "Bundle.entry[3]"]
    alone = refused(here, 422, post(message("CommunicationRequest/x", "One", inResponseTo=[ref(FIRST)]), FIRST))
    assert alone["expression"] == ["Bundle.entry[0]"]


def test_the_same_resource_twice(here: Served) -> None:
    found = refused(here, 422, put(patient(id="same")), put(patient(id="same")))
    assert (found["code"], found["expression"]) == ("duplicate", ["Bundle.entry[1]"])
    unless = {"ifNoneExist": f"identifier={KNOWN}"}
    found = refused(here, 422, post(patient(), **unless), post(patient(), **unless))
    assert (found["code"], found["expression"]) == ("duplicate", ["Bundle.entry[1]"])
    twice = refused(here, 400, post(patient(), PATIENT), post(patient(), PATIENT))
    assert twice["code"] == "invariant"


def test_one_record_at_most(server: Served) -> None:
    found = refused(server, 422, post(patient(), PATIENT), post(thread(PATIENT)), post(thread("Patient/123")))
    assert found["code"] == "business-rule"
    assert found["expression"] == ["Bundle.entry[2]"]
    # Two threads of one patient, and two patients of whom one has none, are fine.
    entries = (post(patient(), PATIENT), post(patient()), post(thread(PATIENT)), post(thread(PATIENT)))
    assert len(sent(server.system(), "transaction", *entries)) == 4


def test_each_entry_has_the_rights_it_would_have_alone(here: Served) -> None:
    """Of its client, of its person, and of its token."""
    person = refused(here, 403, post(patient(), PATIENT), post(thread(PATIENT)), as_="Practitioner/A1")
    assert person["expression"] == ["Bundle.entry[0]"]
    another = refused(here, 403, post(thread(requester=ref("Practitioner/B1"))), as_="Practitioner/A1")
    assert another["expression"] == ["Bundle.entry[0].resource.requester"]
    scope = "user/CommunicationRequest.c"
    token = refused(here, 403, post(thread(), THREAD), post(message(THREAD, "Hi")), as_="Practitioner/A1", scope=scope)
    assert (token["code"], token["expression"]) == ("forbidden", ["Bundle.entry[1]"])
    search = refused(here, 403, post(thread(f"Patient?identifier={KNOWN}")), as_="Practitioner/A1", scope=scope)
    assert search["expression"] == ["Bundle.entry[0]"]


def test_a_hidden_thread_is_one_that_is_not_there(here: Served) -> None:
    (made,) = sent(
        here.as_("Practitioner/A1"),
        "transaction",
        post(thread(recipient=[ref("Practitioner/A2")], sender=ref("Practitioner/A1"))),
    )
    hidden = message(f"CommunicationRequest/{made['resource']['id']}", "Hi")
    missing = message("CommunicationRequest/nothing", "Hi")
    found = [refused(here, 422, post(each), as_="Practitioner/B1") for each in (hidden, missing)]
    assert found[0] == found[1]


def test_many_entries(here: Served) -> None:
    hub = here.system()
    many = [post(message(THREAD, f"Number {number}")) for number in range(MOST_ENTRIES)]
    answer = hub.post("", json=bundle("transaction", [post(thread(), THREAD), *many]))
    assert issue(answer, 413)["expression"] == ["Bundle.entry"]
    made = sent(hub, "transaction", post(thread(), THREAD), *many[:50], prefer="return=minimal")
    assert {tuple(each) for each in made} == {("response",)}
    assert good(here.as_("Practitioner/A1").get("/Communication?_content=Number&_count=0"))["total"] == 50


def test_what_is_answered_as_preferred(here: Served) -> None:
    hub = here.system()
    (made,) = sent(hub, "transaction", post(thread()), prefer="return=OperationOutcome")
    assert made["response"]["outcome"]["resourceType"] == "OperationOutcome"
    kept = {**patient(), "maritalStatus": {"text": "married"}}
    assert refused(here, 422, post(kept))["code"] == "not-supported"
    (made,) = sent(hub, "transaction", post(kept), prefer="handling=lenient")
    assert "maritalStatus" not in made["resource"]


def test_what_was_served_is_sent_back(here: Served) -> None:
    """With all that the server says of it."""
    hub = here.system()
    found = good(hub.get("/Organization/Clinic-B"))
    (made,) = sent(hub, "transaction", put(found | {"name": "De Linde"}, ifMatch=f'W/"{found["meta"]["versionId"]}"'))
    assert made["resource"]["name"] == "De Linde"
    (again,) = sent(hub, "transaction", put(made["resource"]))
    assert again["resource"] == made["resource"]


def test_numbers_keep_their_digits(here: Served) -> None:
    """Where references are replaced, nothing else is."""
    position = {"latitude": 51.50, "longitude": 4.0}
    odd = json.dumps(bundle("transaction", [post(patient(), PATIENT), post(thread(PATIENT, position=position))]))
    requests = [
        Request(number=0, method="POST", url="Patient", full_url=PATIENT, body=b"{}"),
        Request(number=1, method="POST", url="X", body=odd.replace("51.5", "51.500").encode()),
    ]
    rewritten = Links(requests, here.base).rewritten(requests[1], {0: "Patient/7"}, {})
    assert b"51.500" in rewritten
    assert b'"reference":"Patient/7"' in rewritten


def test_an_empty_one(here: Served) -> None:
    assert sent(here.system(), "transaction") == []


def test_reading_in_it(here: Served) -> None:
    hub = here.system()
    made = sent(
        hub,
        "transaction",
        get("Communication?based-on=CommunicationRequest/t-9&_sort=sent"),
        get("CommunicationRequest/t-9"),
        get("Patient/123", "HEAD"),
        put(thread(id="t-9")),
        post(message("CommunicationRequest/t-9", "Hi")),
    )
    assert [each["resource"]["payload"][0]["contentString"] for each in made[0]["resource"]["entry"]] == [
        "How is she?",
        "Hi",
    ]
    assert made[1]["resource"]["id"] == "t-9"
    assert "resource" not in made[2]
