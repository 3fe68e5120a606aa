"""Threads and messages written over HTTP: created, created once, changed where they may, refused where not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.fhir.served import Served, good, ids, issue, served


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


def thread(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "subject": ref("Patient/123"),
        "requester": ref("Practitioner/A1"),
        "sender": ref("Organization/Pharmacy-A"),
        "recipient": [ref("Organization/Clinic-B")],
        **more,
    }


def message(thread_id: str, sender: str = "B1", text: str = "Yes.", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "basedOn": [ref(f"CommunicationRequest/{thread_id}")],
        "sender": ref(f"Practitioner/{sender}"),
        "payload": [{"contentString": text}],
        **more,
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("writing"), database_url=database_url) as made:
        yield made


@pytest.fixture(scope="module")
def pharmacist(server: Served) -> httpx.Client:
    return server.as_("Practitioner/A1")


@pytest.fixture(scope="module")
def doctor(server: Served) -> httpx.Client:
    return server.as_("Practitioner/B1")


@pytest.fixture
def opened(pharmacist: httpx.Client) -> dict[str, Any]:
    return good(pharmacist.post("/CommunicationRequest", json=thread()), 201)


def test_a_thread_is_opened_and_says_where_it_is(pharmacist: httpx.Client) -> None:
    answer = pharmacist.post("/CommunicationRequest", json=thread(id="ignored"))
    made = good(answer, 201)
    assert made["id"] != "ignored"
    assert answer.headers["location"] == f"{pharmacist.base_url}CommunicationRequest/{made['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert good(pharmacist.get(answer.headers["location"])) == made


def test_a_message_is_posted_and_answered_as_preferred(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    for prefer, kind in (("", "Communication"), ("return=representation", "Communication"), ("return=minimal", "")):
        answer = doctor.post("/Communication", json=message(opened["id"]), headers={"prefer": prefer})
        assert answer.status_code == 201
        assert "location" in answer.headers
        assert (answer.json()["resourceType"] if answer.content else "") == kind
    answer = doctor.post(
        "/Communication", json=message(opened["id"]), headers={"prefer": "return=OperationOutcome"}
    )  # fmt: skip
    assert good(answer, 201)["resourceType"] == "OperationOutcome"


def test_either_dialect_links_a_message(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    by_part = message(opened["id"])
    by_part["partOf"] = by_part.pop("basedOn")
    made = good(doctor.post("/Communication", json=by_part), 201)
    assert made["basedOn"][0]["reference"] == made["partOf"][0]["reference"] == by_part["partOf"][0]["reference"]
    both = good(doctor.get(f"/Communication?part-of=CommunicationRequest/{opened['id']}"))
    assert ids(both) == ids(good(doctor.get(f"/Communication?based-on={opened['id']}")))


def test_a_reply_goes_where_replies_go(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    made = good(doctor.post("/Communication", json=message(opened["id"])), 201)
    assert [each["reference"] for each in made["recipient"]] == ["Organization/Pharmacy-A"]


# ── Refusals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_writes_in_another_name(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    found = issue(doctor.post("/Communication", json=message(opened["id"], "A1")), 403)
    assert (found["code"], found["expression"]) == ("forbidden", ["Communication.sender"])
    found = issue(doctor.post("/CommunicationRequest", json=thread()), 403)
    assert found["expression"] == ["CommunicationRequest.requester"]


def test_what_is_hidden_and_what_is_missing_are_answered_alike(server: Served, pharmacist: httpx.Client) -> None:
    hidden = good(
        pharmacist.post(
            "/CommunicationRequest",
            json=thread(recipient=[ref("Practitioner/A2")], sender=ref("Practitioner/A1"), id="x"),
        ),
        201,
    )["id"]
    doctor = server.as_("Practitioner/B1")
    for address in (
        "/CommunicationRequest/{}",
        "/CommunicationRequest/{}/_history",
        "/CommunicationRequest/{}/_history/1",
    ):
        answers = [doctor.get(address.format(each)) for each in (hidden, "nothing")]
        assert [each.status_code for each in answers] == [404, 404]
        told = [each.text.replace(hidden, "ID").replace("nothing", "ID") for each in answers]
        assert told[0] == told[1]
    posts = [doctor.post("/Communication", json=message(each)) for each in (hidden, "nothing")]
    assert [each.status_code for each in posts] == [422, 422]
    assert posts[0].json() == posts[1].json()
    puts = [doctor.put("/Communication/new-1", json=message(each, id="new-1")) for each in (hidden, "nothing")]
    assert puts[0].json() == puts[1].json() == posts[0].json()
    once = [
        doctor.post("/Communication", json=message(each), headers={"if-none-exist": "identifier=urn:x|1"})
        for each in (hidden, "nothing")
    ]
    assert once[0].json() == once[1].json() == posts[0].json()


@pytest.mark.parametrize(
    ("change", "status", "code", "expression"),
    [
        ({"status": "bogus"}, 400, None, "Communication.status"),
        ({"unknown": 1}, 400, None, "Communication.unknown"),
        ({"status": None}, 400, None, "Communication.status"),
        ({"status": "preparation"}, 422, None, "Communication.status"),
        ({"priority": "urgent"}, 422, None, "Communication.priority"),
        ({"sender": ref("Organization/Clinic-B")}, 422, None, "Communication.sender.reference"),
        ({"recipient": [ref("Organization/Nowhere")]}, 422, "not-found", "Communication.recipient[0]"),
        ({"subject": ref("Patient/123-old")}, 422, "business-rule", "Communication.subject"),
        ({"recipient": [ref("Practitioner/A2")]}, 422, "business-rule", None),
    ],
)
def test_what_is_refused_says_where(
    doctor: httpx.Client, opened: dict[str, Any], change: dict[str, Any], status: int, code: str | None,
    expression: str | None,
) -> None:  # fmt: skip
    body = {name: value for name, value in (message(opened["id"]) | change).items() if value is not None}
    found = issue(doctor.post("/Communication", json=body), status)
    if code is not None:
        assert found["code"] == code
    if expression is not None:
        assert found["expression"] == [expression]


def test_what_is_no_resource_is_refused(doctor: httpx.Client) -> None:
    issue(doctor.post("/Communication", content=b"{"), 400)
    issue(doctor.post("/Communication", content=b"<x/>", headers={"content-type": "application/fhir+xml"}), 415)
    issue(doctor.post("/Communication", json={"resourceType": "Patient"}), 400)
    issue(doctor.post("/Communication", content=b"[" * 100), 400)


# ── PUT on messages ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_put_once(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    body = message(opened["id"], id="put-1", text="Once.")
    assert good(doctor.put("/Communication/put-1", json=body), 201)["id"] == "put-1"
    again = doctor.put("/Communication/put-1", json=body)
    assert good(again, 200)["id"] == "put-1"
    assert good(doctor.put("/Communication/put-1", json=again.json()), 200)["id"] == "put-1"
    answer = doctor.put("/Communication/put-1", json=message(opened["id"], id="put-1", text="Twice."))
    assert "corrects" in issue(answer, 405)["diagnostics"]
    assert answer.headers["allow"] == "GET, HEAD"
    issue(doctor.put("/Communication/put-2", json=body), 400)
    issue(doctor.delete("/Communication/put-1"), 405)


def test_an_id_that_is_taken_out_of_sight_is_taken(
    server: Served, pharmacist: httpx.Client, doctor: httpx.Client
) -> None:
    hidden = thread(id="taken", recipient=[ref("Practitioner/A2")], sender=ref("Practitioner/A1"))
    good(pharmacist.put("/CommunicationRequest/taken", json=hidden), 201)
    body = thread(id="taken", requester=ref("Practitioner/B1"), sender=ref("Organization/Clinic-B"),
                  recipient=[ref("Organization/Pharmacy-A")])  # fmt: skip
    assert issue(doctor.put("/CommunicationRequest/taken", json=body), 409)["code"] == "duplicate"


def test_a_correction_is_a_message_and_the_old_one_says_so(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    wrong = good(doctor.post("/Communication", json=message(opened["id"], text="50 mg")), 201)
    url = "https://carethread.example/fhir/StructureDefinition/corrects"
    body = message(
        opened["id"],
        text="5 mg",
        extension=[{"url": url, "valueReference": ref(f"Communication/{wrong['id']}")}],
    )
    right = good(doctor.post("/Communication", json=body), 201)
    answer = doctor.get(f"/Communication/{wrong['id']}")
    assert answer.headers["etag"] == 'W/"2"'
    assert [each["code"] for each in good(answer)["meta"]["tag"]] == ["corrected"]
    assert ids(good(doctor.get(f"/Communication?corrects=Communication/{wrong['id']}"))) == [right["id"]]
    versions = good(doctor.get(f"/Communication/{wrong['id']}/_history"))
    assert [each["response"]["etag"] for each in versions["entry"]] == ['W/"2"', 'W/"1"']
    assert "tag" not in good(doctor.get(f"/Communication/{wrong['id']}/_history/1"))["meta"]
    issue(doctor.get(f"/Communication/{wrong['id']}/_history/3"), 404)
    found = good(doctor.get(f"/Communication?_id={wrong['id']}&_revinclude=Communication:corrects"))
    assert ids(found, "include") == [right["id"]]


# ── Once ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def identified(number: int) -> dict[str, Any]:
    return {"identifier": [{"system": "urn:x", "value": str(number)}]}


def test_what_is_there_is_not_made_again(doctor: httpx.Client, opened: dict[str, Any]) -> None:
    once = {"if-none-exist": "identifier=urn:x|41"}
    body = message(opened["id"], **identified(41))
    first = good(doctor.post("/Communication", json=body, headers=once), 201)
    assert good(doctor.post("/Communication", json=body, headers=once), 200)["id"] == first["id"]
    good(doctor.post("/Communication", json=body), 201)
    assert issue(doctor.post("/Communication", json=body, headers=once), 412)["code"] == "multiple-matches"
    issue(doctor.post("/Communication", json=body, headers={"if-none-exist": "_count=1"}), 400)
    issue(doctor.post("/Communication", json=body, headers={"if-none-exist": "nonsense=1"}), 400)


@pytest.mark.parametrize("kind", ["Communication", "CommunicationRequest"])
def test_of_sixteen_at_once_one_is_made(
    server: Served, doctor: httpx.Client, pharmacist: httpx.Client, opened: dict[str, Any], kind: str
) -> None:
    asking = doctor if kind == "Communication" else pharmacist
    body = message(opened["id"], **identified(42)) if kind == "Communication" else thread(**identified(42))

    def post(_: int) -> httpx.Response:
        return asking.post(f"/{kind}", json=body, headers={"if-none-exist": "identifier=urn:x|42"})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(post, range(16)))
    assert sorted(each.status_code for each in answers) == [200] * 15 + [201]
    assert len({each.json()["id"] for each in answers}) == 1


# ── Changing a thread ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_is_changed_at_the_version_that_is_named(pharmacist: httpx.Client, opened: dict[str, Any]) -> None:
    place = f"/CommunicationRequest/{opened['id']}"
    closed = opened | {"status": "completed"}
    bare = {name: value for name, value in closed.items() if name != "meta"}
    assert issue(pharmacist.put(place, json=bare), 428)["code"] == "required"
    issue(pharmacist.put(place, json=bare, headers={"if-match": 'W/"7"'}), 412)
    issue(pharmacist.put(place, json=bare, headers={"if-match": "7"}), 400)
    answer = pharmacist.put(place, json=closed)
    assert (good(answer)["status"], answer.headers["etag"]) == ("completed", 'W/"2"')
    issue(pharmacist.put(place, json=closed | {"status": "revoked"}), 412)
    archived = good(pharmacist.put(place, json=bare | {"status": "revoked"}, headers={"if-match": 'W/"2"'}))
    assert [each["code"] for each in archived["meta"]["tag"]] == ["archived"]
    versions = good(pharmacist.get(f"{place}/_history"))
    assert [each["resource"]["status"] for each in versions["entry"]] == ["completed", "completed", "active"]
    assert good(pharmacist.get(f"{place}/_history/1"))["status"] == "active"


def test_a_thread_sent_back_as_it_is_stays(pharmacist: httpx.Client, opened: dict[str, Any]) -> None:
    answer = pharmacist.put(f"/CommunicationRequest/{opened['id']}", json=opened)
    assert good(answer) == opened
    assert answer.headers["etag"] == 'W/"1"'


def test_what_does_not_change_is_refused(pharmacist: httpx.Client, opened: dict[str, Any]) -> None:
    other = opened | {"subject": ref("Patient/123-old")}
    issue(pharmacist.put(f"/CommunicationRequest/{opened['id']}", json=other), 422)


def test_somebody_is_added(pharmacist: httpx.Client, opened: dict[str, Any]) -> None:
    more = opened | {"recipient": [ref("Organization/Clinic-B"), ref("CareTeam/Diabetes-B")]}
    changed = good(pharmacist.put(f"/CommunicationRequest/{opened['id']}", json=more))
    assert [each["reference"] for each in changed["recipient"]] == ["Organization/Clinic-B", "CareTeam/Diabetes-B"]
    assert (
        issue(
            pharmacist.put(
                f"/CommunicationRequest/{opened['id']}",
                json=changed | {"recipient": [*changed["recipient"], ref("Practitioner/Nobody")]},
            ),
            422,
        )["code"]
        == "not-found"
    )


def test_of_several_who_change_a_version_one_does(pharmacist: httpx.Client, opened: dict[str, Any]) -> None:
    closed = opened | {"status": "completed"}

    def put(_: int) -> int:
        return pharmacist.put(f"/CommunicationRequest/{opened['id']}", json=closed).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(put, range(8)))
    assert statuses == [200, *[412] * 7]


def test_a_message_to_a_closed_thread_is_told_what_to_do(
    pharmacist: httpx.Client, doctor: httpx.Client, opened: dict[str, Any]
) -> None:
    good(pharmacist.put(f"/CommunicationRequest/{opened['id']}", json=opened | {"status": "completed"}))
    found = issue(doctor.post("/Communication", json=message(opened["id"])), 422)
    assert "replaces" in found["diagnostics"]
    again = thread(replaces=[ref(f"CommunicationRequest/{opened['id']}")], payload=[{"contentString": "Still?"}])
    made = good(pharmacist.post("/CommunicationRequest", json=again), 201)
    assert made["replaces"][0]["reference"] == f"CommunicationRequest/{opened['id']}"


# ── Systems ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_system_writes_for_members_of_its_organisations(server: Served, opened: dict[str, Any]) -> None:
    hub = server.system()
    made = good(hub.post("/Communication", json=message(opened["id"])), 201)
    assert made["sender"]["reference"] == "Practitioner/B1"
    found = good(hub.get(f"/Communication/{made['id']}"))
    assert found == made


def test_a_system_that_is_not_known_asks_nothing(server: Served) -> None:
    issue(server.system("stranger").get("/Communication"), 401)
