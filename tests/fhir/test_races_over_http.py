"""Many clients at once, and a server that is killed: one does what only one may, and nothing is left in halves."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from carethread import CoordinationService
from carethread.clock import system_clock
from carethread.fhir.local_key import Granted, load_key, mint
from carethread.reads import ClientChange
from tests.durability.forked import forked
from tests.fhir.bundles import PATIENT, THREAD, bundle, message, patient, post, ref, thread
from tests.fhir.racing import serve
from tests.fhir.served import SEED, Served, good, ids, served

AT_ONCE = 16


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, fresh_postgres: Callable[[], str]) -> str | None:
    return fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def server(tmp_path: Path, database_url: str | None) -> Iterator[Served]:
    with served(tmp_path, database_url=database_url) as made:
        yield made


def at_once(server: Served, person: str, ask: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """Ask as often as AT_ONCE says, each over a connection of its own that is open already."""
    answers: dict[int, httpx.Response] = {}
    barrier = threading.Barrier(AT_ONCE)
    asking = [server.as_(person) if person else server.system() for _ in range(AT_ONCE)]

    def one(number: int) -> None:
        asking[number].get("/metadata")
        barrier.wait()
        answers[number] = ask(asking[number], number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return [answers[number] for number in range(AT_ONCE)]


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


def test_of_many_who_create_unless_it_is_there_one_does(server: Served) -> None:
    """A thread that begins a record, a message, an entry of the directory."""
    named: dict[str, Any] = {"identifier": [{"system": "urn:race", "value": "1"}]}
    condition = {"if-none-exist": "identifier=urn:race|1"}
    made = at_once(
        server,
        "Practitioner/A1",
        lambda asking, _: asking.post("/CommunicationRequest", json=thread(**named), headers=condition),
    )
    assert statuses(made) == {201: 1, 200: AT_ONCE - 1}
    (opened,) = {each.json()["id"] for each in made}
    body = message(f"CommunicationRequest/{opened}", "Once", "Practitioner/A1", **named)
    made = at_once(
        server, "Practitioner/A1", lambda asking, _: asking.post("/Communication", json=body, headers=condition)
    )
    assert statuses(made) == {201: 1, 200: AT_ONCE - 1}
    assert len({each.json()["id"] for each in made}) == 1
    somebody = patient("race")
    headers = {"if-none-exist": "identifier=urn:test:patients|race"}
    made = at_once(server, "", lambda asking, _: asking.post("/Patient", json=somebody, headers=headers))
    assert statuses(made) == {201: 1, 200: AT_ONCE - 1}
    assert len({each.json()["id"] for each in made}) == 1


def test_of_many_transactions_one_creates(server: Served) -> None:
    entries = [
        post(patient("race"), PATIENT, ifNoneExist="identifier=urn:test:patients|race"),
        post(
            thread(PATIENT, identifier=[{"system": "urn:race", "value": "1"}]),
            THREAD,
            ifNoneExist="identifier=urn:race|1",
        ),
    ]
    made = at_once(server, "", lambda asking, _: asking.post("", json=bundle("transaction", entries)))
    assert statuses(made) == {200: AT_ONCE}
    found = Counter(tuple(each["response"]["status"][:3] for each in one.json()["entry"]) for one in made)
    assert found == {("201", "201"): 1, ("200", "200"): AT_ONCE - 1}
    assert len(ids(good(server.as_("Practitioner/A1").get("/CommunicationRequest")))) == 1


def test_of_many_who_change_a_version_one_does(server: Served) -> None:
    opened = good(server.as_("Practitioner/A1").post("/CommunicationRequest", json=thread()), 201)
    body = opened | {"status": "completed"}
    version = {"if-match": 'W/"1"'}
    made = at_once(
        server,
        "Practitioner/A1",
        lambda asking, _: asking.put(f"/CommunicationRequest/{opened['id']}", json=body, headers=version),
    )
    assert statuses(made) == {200: 1, 412: AT_ONCE - 1}
    clinic = good(server.system().get("/Organization/Clinic-B"))
    version = {"if-match": f'W/"{clinic["meta"]["versionId"]}"'}
    made = at_once(
        server,
        "",
        lambda asking, number: asking.put(
            "/Organization/Clinic-B", json=clinic | {"name": f"De Linde {number}"}, headers=version
        ),
    )
    assert statuses(made) == {200: 1, 412: AT_ONCE - 1}
    (won,) = [each.json()["name"] for each in made if each.status_code == 200]
    assert good(server.system().get("/Organization/Clinic-B"))["name"] == won


def test_of_many_who_put_under_one_id_one_creates(server: Served) -> None:
    """The others have sent the same, or are told that the id is taken."""
    made = at_once(
        server,
        "Practitioner/A1",
        lambda asking, _: asking.put("/CommunicationRequest/one", json=thread(id="one")),
    )
    assert statuses(made) == {201: 1, 200: AT_ONCE - 1}
    made = at_once(
        server,
        "Practitioner/A1",
        lambda asking, number: asking.put(
            "/Communication/one",
            json=message("CommunicationRequest/one", f"Text {number}", "Practitioner/A1", id="one"),
        ),
    )
    assert statuses(made) == {201: 1, 405: AT_ONCE - 1}


# ── Killed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.soak
def test_a_transaction_is_there_or_is_not(tmp_path: Path, database_url: str | None, soaking: bool) -> None:
    """Killed at any instant: a patient, their thread and its messages are all there, or none; what was answered is."""
    with CoordinationService.open(tmp_path, database_url=database_url, name="A", domain="care.example") as service:
        service.directory.load(SEED.read_bytes(), by="tests")
        organisations = ("Organization/Pharmacy-A", "Organization/Clinic-B")
        service.clients.add("hub", ClientChange(name="Hub", speaks_for=organisations, manages_all=True), by="tests")
        custodian = service.archive.installation.custodian.id
    granted = Granted("system/*.cruds", 86_400, "", "hub", "")
    token = mint(load_key(tmp_path), custodian, granted, system_clock()).text
    answered: set[str] = set()
    dice = random.Random("killed in a transaction")
    number = 0
    for kill in range(60 if soaking else 3):
        with forked(serve, str(tmp_path), database_url) as process:
            process.wait_for(1)
            killing = threading.Thread(target=process.kill, args=(dice.uniform(0, 0.3),))
            headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
            with httpx.Client(base_url=process.said[0].result, headers=headers, timeout=30) as hub:
                while True:
                    number += 1
                    try:
                        answer = hub.post("", json=whole(str(number)))
                    except httpx.TransportError:
                        break
                    assert answer.status_code == 200, answer.text
                    answered.add(str(number))
                    if not killing.ident:
                        killing.start()
            killing.join()
        _wait_for_server(database_url)
        with CoordinationService.open(tmp_path, database_url=database_url, flushes=False) as service:
            there = found(service)
            assert set(there.values()) <= {(1, 1, 3)}, there
            assert answered <= set(there)
            assert len(there) <= len(answered) + kill + 1
            service.flush()
            assert list(service.verify()) == []
    assert answered


def whole(number: str) -> dict[str, Any]:
    """Return a patient with a thread and two messages."""
    asked = thread(PATIENT, identifier=[{"system": "urn:number", "value": number}], text=f"{number} opens")
    return bundle(
        "transaction",
        [
            post(message(THREAD, f"{number} first")),
            post(message(THREAD, f"{number} second", recipient=[ref("Organization/Pharmacy-A")])),
            post(asked, THREAD),
            post(patient(number), PATIENT),
        ],
    )


def found(service: CoordinationService) -> dict[str, tuple[int, int, int]]:
    """Return of each number how many records, threads and messages there are, and that it has its patient."""
    made: dict[str, tuple[int, int, int]] = {}
    patients = 0
    for status in service.records():
        record = service.record(status.coordination_id)
        threads = record.communications()
        read = [record.read_communication(each.communication_id) for each in threads]
        bodies = [each.body for one in read for each in one.messages]
        (number,) = {each.split()[0] for each in bodies}
        made[number] = (made.get(number, (0, 0, 0))[0] + 1, len(threads), len(bodies))
        patients += 1
    with service.archive.database.read() as connection:
        cursor: Any = connection._cursor
        rows = cursor.execute("SELECT count(*) FROM directory_identifier WHERE system = 'urn:test:patients'").fetchone()
    assert rows[0] == patients
    return made


def _wait_for_server(database_url: str | None) -> None:
    """Wait until PostgreSQL has finished what it was doing for a process that is gone."""
    if database_url is None:
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            time.sleep(0.01)
