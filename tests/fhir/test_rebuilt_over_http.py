"""The index is lost and made again from the repositories: every answer of the gateway is the same, byte for byte."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct
from sqlalchemy import text

from carethread.store import text_index
from tests.access.test_rebuilt import DERIVED
from tests.fhir.served import Served, good, ids, served
from tests.fhir.test_writing import message, ref, thread

OURS = "https://carethread.example/fhir/StructureDefinition"
RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
READERS = ("Practitioner/A1", "Practitioner/B2", "Patient/123")
KINDS = ("CommunicationRequest", "Communication")
# What another moment changes in an answer, whatever it is about.
_OF_THE_MOMENT = {"date", "x-request-id"}
_CARETHREAD = Path(sys.executable).with_name("carethread")


class Answer(Struct, frozen=True):
    """What a client was answered, to the byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@pytest.fixture
def server(tmp_path: Path, database_url: str | None) -> Iterator[Served]:
    with served(tmp_path / "data", database_url=database_url) as made:
        yield made


def file(content: bytes) -> dict[str, Any]:
    said = {"contentType": "text/plain", "title": "Überweisung.txt", "data": base64.b64encode(content).decode()}
    return {"contentAttachment": said}


def said(words: str) -> list[dict[str, Any]]:
    return [{"contentString": words}]


def called(number: int) -> dict[str, Any]:
    return {"identifier": [{"system": "urn:x", "value": f"v{number}"}, {"system": "urn:y", "value": "all"}]}


def converse(server: Served) -> None:
    """Have a bit of everything that can be written: under ids of the server and of clients, changed and corrected."""
    anna, bea, hub = server.as_("Practitioner/A1"), server.as_("Practitioner/B1"), server.system()
    # Under the client's own ids, with an opening message that is then known under a second id.
    asked = thread(id="own-thread", payload=[*said("Metformin?"), file(b"list")], **called(1))
    good(anna.put("/CommunicationRequest/own-thread", json=asked), 201)
    first = message("own-thread", "A1", "", id="own-opening", **called(2)) | {"payload": asked["payload"]}
    good(anna.put("/Communication/own-opening", json=first), 200)
    wrong = message("own-thread", text="50 mg", id="own-wrong", sent="2020-02-29T12:00:00.123+01:00", **called(3))
    good(bea.put("/Communication/own-wrong", json=wrong), 201)
    for number in range(2):
        corrects = [{"url": f"{OURS}/corrects", "valueReference": ref("Communication/own-wrong")}]
        right = message("own-thread", text=f"5.{number} mg", id=f"own-right-{number}", extension=corrects)
        good(bea.put(f"/Communication/own-right-{number}", json=right), 201)
    answer = message("own-thread", "A2", "Thanks", id="own-answer", inResponseTo=[ref("Communication/own-wrong")])
    good(server.as_("Practitioner/A2").put("/Communication/own-answer", json=answer), 201)
    good(hub.post("/Communication", json=message("own-thread", text="By a hub", payload=[file(b"a"), file(b"b")])), 201)
    # Closed, archived, and gone on with, each as a version of its own.
    place = "/CommunicationRequest/own-thread"
    changed = good(anna.get(place))
    changed["recipient"].append(ref("CareTeam/Diabetes-B"))
    for change in ({}, {"status": "completed"}, {"status": "revoked"}):
        changed = good(anna.put(place, json=changed | change))
    continued = thread(replaces=[ref("CommunicationRequest/own-thread")], payload=said("Again?"))
    good(anna.post("/CommunicationRequest", json=continued), 201)
    # Under ids of the server: silent, confidential, for a team, and with somebody of the family.
    silent = good(anna.post("/CommunicationRequest", json=thread(**called(1))), 201)
    good(bea.post("/Communication", json=message(silent["id"])), 201)
    hidden = thread(requester=ref("Practitioner/B1"), sender=ref("Organization/Clinic-B"), payload=said("Quietly"))
    hidden |= {"recipient": [ref("Organization/Clinic-B")], "meta": {"security": [RESTRICTED]}}
    good(bea.post("/CommunicationRequest", json=hidden), 201)
    with_patient = thread(
        requester=ref("Practitioner/B1"), sender=ref("Practitioner/B1"), recipient=[ref("Patient/123")]
    )
    opened = good(bea.put("/CommunicationRequest/with-patient", json=with_patient | {"id": "with-patient"}), 201)
    theirs = message(opened["id"], text="I am better.", id="from-the-patient") | {"sender": ref("Patient/123")}
    good(server.as_("Patient/123").put("/Communication/from-the-patient", json=theirs), 201)


def as_it_is(asking: httpx.Client, address: str) -> Answer:
    answer = asking.get(address)
    headers = sorted(each for each in answer.headers.items() if each[0] not in _OF_THE_MOMENT)
    return Answer(answer.status_code, tuple(headers), answer.content)


def addresses(everything: dict[str, list[str]]) -> Iterator[str]:
    """Return where everything is: each resource in each version, histories, searches, files."""
    for kind, known in everything.items():
        yield from (f"/{kind}/{each}{rest}" for each in known for rest in ("", "/_history"))
        yield from (f"/{kind}/{each}/_history/{version}" for each in known for version in range(1, 6))
        yield from (f"/{kind}/_history{rest}" for rest in ("", "?_count=3"))
        yield from (f"/{kind}?_total=accurate&_sort={sort}" for sort in ("", "_lastUpdated", "-_lastUpdated"))
        yield from (f"/{kind}?identifier={each}" for each in ("urn:x|v1", "v2", "urn:y|all", "urn:y|v1"))
        yield f"/{kind}?status=completed&_count=2"
        yield f"/{kind}?_tag=archived,corrected"
    yield "/Communication?_sort=sent&_count=1000&_include=Communication:based-on&_include=Communication:sender"
    yield "/Communication?based-on.status=completed&_revinclude=Communication:corrects"
    yield "/Communication?in-response-to=own-wrong"
    yield "/Communication?_content=metformin"
    yield "/CommunicationRequest?_revinclude=Communication:based-on&_has:Communication:based-on:sender=A2"
    for each in everything["Communication"]:
        for number in (1, 2):
            yield f"/Binary/{each}.{number}"


def following(asking: httpx.Client) -> Iterator[str]:
    """Return links to a next page, which clients keep."""
    for kind in KINDS:
        for address in (f"/{kind}?_count=2", f"/{kind}?_count=1&_sort=_lastUpdated", f"/{kind}/_history?_count=2"):
            yield next(each["url"] for each in good(asking.get(address))["link"] if each["relation"] == "next")


def every_answer(server: Served, everything: dict[str, list[str]], kept: list[str]) -> dict[tuple[str, str], Answer]:
    found = {}
    for who in READERS:
        asking = server.as_(who)
        # The first takes part in nearly everything; of the others, what they read now will do.
        asked = [*addresses(everything), *kept] if who == READERS[0] else _now(addresses(everything))
        for address in asked:
            found[who, address] = as_it_is(asking, address)
    return found


def _now(asked: Iterable[str]) -> list[str]:
    return [each for each in asked if "_history" not in each]


def lose_the_index(server: Served, *kept: str) -> None:
    """Leave the repositories, the directory, the log and the feed; nothing of what is derived."""
    server.service.flush()
    with server.service.archive.database.write() as connection:
        text_index.clear(connection)
        for table in sorted({"resource_identifier", "resource_name", *DERIVED}.difference(kept)):
            connection.run(text(f"DELETE FROM {table}"))


def rebuild(server: Served, database_url: str | None) -> None:
    """Run the command, as whoever operates the installation does, while it is served."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARETHREAD_")}
    environment["CARETHREAD_DATA"] = str(server.service.archive.data_dir)
    if database_url is not None:
        environment["CARETHREAD_DATABASE_URL"] = database_url
    subprocess.run([str(_CARETHREAD), "rebuild"], env=environment, check=True, capture_output=True)


def test_every_answer_is_the_same(server: Served, database_url: str | None) -> None:
    converse(server)
    everybody = [server.as_(each) for each in READERS]
    everything = {
        kind: sorted({found for each in everybody for found in ids(good(each.get(f"/{kind}?_count=1000")))})
        for kind in KINDS
    }
    # A message's other ids find it as well, with the thread's opening message among them.
    everything["Communication"].append("own-opening")
    kept = list(following(everybody[0]))
    before = every_answer(server, everything, kept)
    # Else this would show little: what is found, hidden, changed, corrected, and more than a page.
    assert {each.status for each in before.values()} == {200, 404}
    assert before["Practitioner/A1", "/CommunicationRequest/own-thread/_history/4"].status == 200
    assert before["Practitioner/A1", "/Communication/own-wrong/_history/3"].status == 200
    assert before["Practitioner/A1", "/Communication/own-opening"].status == 200
    lose_the_index(server, "record")
    assert "entry" not in good(everybody[0].get("/Communication"))
    rebuild(server, database_url)
    assert every_answer(server, everything, kept) == before
    # Without the records' numbers a link may begin a page earlier. Everything else is as it was.
    lose_the_index(server)
    rebuild(server, database_url)
    before = {asked: answer for asked, answer in before.items() if asked[1] not in kept}
    assert every_answer(server, everything, []) == before
    # And it is gone on with where it was.
    good(server.as_("Practitioner/B1").put("/Communication/late", json=message("with-patient", id="late")), 201)
