"""What somebody may not read is answered over HTTP like what does not exist: status, headers and body.

The surgeon C1 and the patient P2 have no part in the threads of the scene; ids of theirs are compared with ids, as
long, that nobody gave.
"""

import json
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.installation import JSON, Installation, Json, ids, message, reply, thread

SYSTEM = "urn:example:hidden"
SECRET = "Nobody else may know of penicillin"
# What differs between any two answers.
_PASSING = {"date", "x-request-id"}


class Target(Struct, frozen=True):
    """What is asked for: there and hidden, or not there. All as long as the other's."""

    thread: str
    message: str
    file: str
    identifier: str


class Scene(Struct, frozen=True):
    """A hidden conversation, and a thread that those who ask take part in."""

    installation: Installation
    hidden: Target
    readable: dict[str, str]

    @property
    def missing(self) -> Target:
        """What is not there: never the same, so that what is written to one of them makes no other."""
        # The id of a file is that of a message of the server's, and a number.
        return _target("nobody", f"{uuid.uuid4()}{self.hidden.file[len(str(uuid.uuid4())) :]}")


def _target(kind: str, file: str = "") -> Target:
    run = uuid.uuid4().hex
    return Target(f"{kind}-t-{run}", f"{kind}-m-{run}", file, f"{kind}-i-{run}")


def _attachment() -> Json:
    return {"contentAttachment": {"contentType": "application/pdf", "title": "scan.pdf", "data": "JVBERi0="}}


@pytest.fixture(scope="module")
def scene(installation: Installation) -> Scene:
    """The pharmacy asks the clinic; then there is an answer, a file, and a correction."""
    hidden = _target("hidden")
    identifier = [{"system": SYSTEM, "value": hidden.identifier}]
    with installation.client("A1") as pharmacist, installation.client("B1") as doctor:
        opening = thread(id=hidden.thread, identifier=identifier, payload=[{"contentString": SECRET}])
        assert pharmacist.put(f"/CommunicationRequest/{hidden.thread}", json=opening).status_code == 201
        answer = reply(hidden.thread, id=hidden.message, identifier=identifier, payload=[_attachment()])
        made = doctor.put(f"/Communication/{hidden.message}", json=answer)
        assert made.status_code == 201
        file = made.json()["payload"][0]["contentAttachment"]["url"].rpartition("/")[2]
    readable = {}
    for who, reader, patient in (("C1", "Practitioner/C1", "P1"), ("P2", "Patient/P2", "P2")):
        subject = {"reference": f"Patient/{patient}"}
        with installation.client("A1") as pharmacist:
            shared = pharmacist.post(
                "/CommunicationRequest", json=thread(subject=subject, recipient=[{"reference": reader}])
            )
        assert shared.status_code == 201, shared.text
        readable[who] = shared.json()["id"]
    return Scene(installation, replace(hidden, file=file), readable)


def heard(answer: httpx.Response, target: Target) -> tuple[int, dict[str, str], str]:
    """Return an answer without what names the target or passes."""
    headers = {name: value for name, value in answer.headers.items() if name not in _PASSING}
    body = answer.text
    for name, value in zip(("thread", "message", "file", "identifier"), _names(target), strict=True):
        body = body.replace(value, name)
        headers = {each: said.replace(value, name) for each, said in headers.items()}
    return answer.status_code, headers, body


def _names(target: Target) -> tuple[str, ...]:
    # Of a file, what tells of which message it is.
    return target.thread, target.message, target.file[: len(str(uuid.uuid4()))], target.identifier


Ask = Callable[[httpx.Client, Target, str, str], httpx.Response]
READS: dict[str, str] = {
    "read a thread": "CommunicationRequest/{thread}",
    "read a message": "Communication/{message}",
    "read a thread's version": "CommunicationRequest/{thread}/_history/1",
    "read a message's version": "Communication/{message}/_history/1",
    "read a thread's later version": "CommunicationRequest/{thread}/_history/7",
    "a thread's history": "CommunicationRequest/{thread}/_history",
    "a message's history": "Communication/{message}/_history",
    "read a part": "CommunicationRequest/{thread}?_elements=status",
    "read a summary": "Communication/{message}?_summary=true",
    "read a file": "Binary/{file}",
    "find a thread by id": "CommunicationRequest?_id={thread}",
    "find a message by id": "Communication?_id={message}",
    "find by identifier": "CommunicationRequest?identifier=urn:example:hidden|{identifier}",
    "find a message by identifier": "Communication?identifier={identifier}&_total=accurate",
    "find by thread": "Communication?based-on=CommunicationRequest/{thread}&_sort=sent&_total=accurate",
    "find by part-of": "Communication?part-of={thread}",
    "count by thread": "Communication?based-on={thread}&_summary=count",
    "find what answers": "Communication?in-response-to=Communication/{message}",
    "find what corrects": "Communication?corrects=Communication/{message}&_revinclude=Communication:corrects",
    "bring along": "Communication?_id={message}&_include=Communication:based-on&_include=Communication:sender",
    "bring messages along": "CommunicationRequest?_id={thread}&_revinclude=Communication:based-on",
    "a chain": "Communication?based-on={thread}&based-on.recipient=Organization/Clinic-B",
    "a chain to a requester": "Communication?_id={message}&based-on.requester=Practitioner/A1",
    "the other way round": "CommunicationRequest?_id={thread}&_has:Communication:based-on:sender=Practitioner/B1",
    "words": "Communication?_content=penicillin&based-on={thread}",
    "a small page": "Communication?based-on={thread}&_count=1",
}


def _body(call: str, target: Target, mine: str) -> tuple[str, str, Json, dict[str, str]]:
    """Return method, path, body and headers of a request that names what is hidden, or what is not there."""
    own = {"requester": {"reference": f"{mine}"}, "sender": None}
    says = {"sender": {"reference": mine}, "recipient": None}
    of_thread = thread(id=target.thread, **own)
    of_message = message(target.thread, "x", id=target.message, **says)
    reference = {"reference": f"Communication/{target.message}"}
    replaced = [{"reference": f"CommunicationRequest/{target.thread}"}]
    return {
        "write into it": ("POST", "Communication", message(target.thread, "x", **says), {}),
        "write into it in another name": ("POST", "Communication", message(target.thread, "x"), {}),
        "write into it under a name": ("PUT", "Communication/new-in-hidden", {**of_message, "id": "new-in-hidden"}, {}),
        "write into it unless": (
            "POST", "Communication", message(target.thread, "x", **says), {"If-None-Exist": "identifier=x"},
        ),
        "write over a message": ("PUT", f"Communication/{target.message}", of_message, {}),
        "write over a message, if": ("PUT", f"Communication/{target.message}", of_message, {"If-Match": 'W/"1"'}),
        "change it in another name": ("PUT", f"CommunicationRequest/{target.thread}", thread(id=target.thread), {}),
        "change it, if": ("PUT", f"CommunicationRequest/{target.thread}", of_thread, {"If-Match": 'W/"1"'}),
        "change it, badly": ("PUT", f"CommunicationRequest/{target.thread}", {**of_thread, "priority": "stat"}, {}),
        "change it about nobody": (
            "PUT",
            f"CommunicationRequest/{target.thread}",
            {**of_thread, "subject": {"reference": "Patient/nobody"}},
            {},
        ),
        "go on with it": ("POST", "CommunicationRequest", {**thread(replaces=replaced, **own), "id": None}, {}),
        "answer": ("POST", "Communication", message("{readable}", "x", inResponseTo=[reference], **says), {}),
        "send its file on": (
            "POST",
            "Communication",
            message(
                "{readable}",
                "x",
                **says,
                payload=[{"contentAttachment": {"contentType": "application/pdf", "url": f"Binary/{target.file}"}}],
            ),
            {},
        ),
        "check it": ("POST", "CommunicationRequest/$validate", of_thread, {}),
        "check it there": ("POST", f"CommunicationRequest/{target.thread}/$validate", of_thread, {}),
    }[call]  # fmt: skip


WRITES = (
    "write into it", "write into it in another name", "write into it under a name", "write into it unless",
    "write over a message", "write over a message, if", "change it in another name", "change it, if",
    "change it, badly", "change it about nobody", "go on with it", "answer", "send its file on", "check it",
    "check it there",
)  # fmt: skip


@pytest.fixture(params=["C1", "P2"])
def asking(request: pytest.FixtureRequest, scene: Scene) -> Iterator[tuple[str, str, httpx.Client]]:
    who = str(request.param)
    with scene.installation.client(who) as client:
        yield who, {"C1": "Practitioner/C1", "P2": "Patient/P2"}[who], client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("call", READS)
def test_reading(scene: Scene, asking: tuple[str, str, httpx.Client], call: str, method: str) -> None:
    def ask(target: Target) -> tuple[int, dict[str, str], str]:
        path = READS[call].format(**{name: getattr(target, name) for name in Target.__struct_fields__})
        return heard(asking[2].request(method, f"/{path}"), target)

    assert ask(scene.hidden) == ask(scene.missing)


@pytest.mark.parametrize("call", WRITES)
def test_writing(scene: Scene, asking: tuple[str, str, httpx.Client], call: str) -> None:
    who, mine, client = asking

    def ask(target: Target) -> tuple[int, dict[str, str], str]:
        method, path, body, headers = _body(call, target, mine)
        sent = json.dumps({name: value for name, value in body.items() if value is not None})
        content = sent.replace("{readable}", scene.readable[who])
        headers = {"Content-Type": JSON, **headers}
        return heard(client.request(method, f"/{path}", content=content, headers=headers), target)

    found = ask(scene.hidden)
    assert found == ask(scene.missing)
    assert found[0] != 201


@pytest.mark.parametrize("call", READS)
def test_reading_in_a_batch(scene: Scene, asking: tuple[str, str, httpx.Client], call: str) -> None:
    def ask(target: Target) -> tuple[int, dict[str, str], str]:
        path = READS[call].format(**{name: getattr(target, name) for name in Target.__struct_fields__})
        entry = [{"request": {"method": "GET", "url": path}}]
        body = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        return heard(asking[2].post("", json=body, headers={"Content-Type": JSON}), target)

    found = ask(scene.hidden)
    assert found == ask(scene.missing)
    assert found[0] == 200


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("call", WRITES[:-2])
def test_writing_in_a_bundle(scene: Scene, asking: tuple[str, str, httpx.Client], call: str, kind: str) -> None:
    who, mine, client = asking

    def ask(target: Target) -> tuple[int, dict[str, str], str]:
        method, path, body, headers = _body(call, target, mine)
        request = {"method": method, "url": path}
        request |= {"ifMatch": headers["If-Match"]} if "If-Match" in headers else {}
        request |= {"ifNoneExist": headers["If-None-Exist"]} if "If-None-Exist" in headers else {}
        resource = {name: value for name, value in body.items() if value is not None}
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource, "request": request}]}
        content = json.dumps(bundle).replace("{readable}", scene.readable[who])
        return heard(client.post("", content=content, headers={"Content-Type": JSON}), target)

    assert ask(scene.hidden) == ask(scene.missing)


def test_a_condition_finds_nothing_hidden(scene: Scene, asking: tuple[str, str, httpx.Client]) -> None:
    """It is created, as if nothing had that identifier."""
    who, mine, client = asking
    body = message(scene.readable[who], "x", sender={"reference": mine}, recipient=None)
    headers = {"If-None-Exist": f"identifier={SYSTEM}|{scene.hidden.identifier}", "Content-Type": JSON}
    assert client.post("/Communication", json=body, headers=headers).status_code == 201


# ── Nothing leaks sideways ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        "Communication?sender=Practitioner/B1",
        "Communication?recipient=Organization/Pharmacy-A&_include=Communication:based-on",
        "Communication?based-on.recipient=Organization/Clinic-B",
        "Communication?part-of:CommunicationRequest.requester=Practitioner/A1&_include=Communication:part-of",
        "Communication?recipient:Organization.identifier=x",
        "Communication?_content=penicillin",
        "Communication?sent=ge2000&_include=Communication:based-on&_include=Communication:sender",
        "CommunicationRequest?recipient=Organization/Clinic-B&_revinclude=Communication:based-on",
        "CommunicationRequest?_has:Communication:based-on:sender=Practitioner/B1",
        "CommunicationRequest?sender=Organization/Pharmacy-A",
        "CommunicationRequest?patient=Patient/P1",
        "Communication?subject=Patient/P1",
        "Communication/_history",
        "CommunicationRequest/_history",
    ],
)
def test_searches_show_nothing_hidden(scene: Scene, asking: tuple[str, str, httpx.Client], query: str) -> None:
    who, _, client = asking
    url: str | None = f"/{query}" if "_history" in query else f"/{query}&_count=5&_total=accurate"
    shown: list[Json] = []
    while url is not None:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        assert SECRET not in answer.text
        for each in (scene.hidden.thread, scene.hidden.message, scene.hidden.file, scene.hidden.identifier):
            assert each not in answer.text
        bundle = answer.json()
        entries = bundle.get("entry", [])
        shown += [each["resource"] for each in entries]
        if "_history" not in query:
            assert bundle["total"] == len(ids(_whole(client, query)))
        links = {each["relation"]: each["url"] for each in bundle["link"]}
        # A history's link can be kept for later; there is nothing there now.
        url = links.get("next") if entries or "_history" not in query else None
    mine = scene.readable[who]
    for resource in shown:
        if resource["resourceType"] == "CommunicationRequest":
            assert resource["id"] == mine
        if resource["resourceType"] == "Communication":
            assert resource["basedOn"][0]["reference"] == f"CommunicationRequest/{mine}"


def _whole(client: httpx.Client, query: str) -> Json:
    found: Json = client.get(f"/{query}&_count=1000").json()
    return found


def test_a_link_of_somebody_elses_shows_what_one_may_read_oneself(scene: Scene) -> None:
    with scene.installation.client("A1") as pharmacist, scene.installation.client("C1") as surgeon:
        for text in ("One", "Two"):
            pharmacist.post("/Communication", json=message(scene.hidden.thread, text)).raise_for_status()
        query = "/Communication?recipient=Organization/Clinic-B&_count=1&_include=Communication:based-on"
        bundle = pharmacist.get(query).json()
        following = next(each["url"] for each in bundle["link"] if each["relation"] == "next")
        answer = surgeon.get(following)
        assert (answer.status_code, ids(answer.json())) == (200, [])
        tampered = following[:-3] + ("AAA" if following[-3:] != "AAA" else "BBB")
        assert pharmacist.get(tampered).status_code == 400
        assert pharmacist.get(following.replace("Clinic-B", "Clinic-C")).status_code == 400


def test_who_is_granted_messages_alone_gets_no_threads(scene: Scene) -> None:
    with scene.installation.client("messages") as client:
        based_on = f"based-on=CommunicationRequest/{scene.hidden.thread}"
        assert len(ids(client.get(f"/Communication?{based_on}").json())) >= 2
        for query in (
            f"{based_on}&_include=Communication:based-on",
            f"{based_on}&_include=Communication:sender",
            "based-on.requester=Practitioner/A1",
            "sender:Practitioner.identifier=x",
        ):
            answer = client.get(f"/Communication?{query}")
            assert answer.status_code == 403
            assert "insufficient_scope" in answer.headers["www-authenticate"]
        for path in (f"CommunicationRequest/{scene.hidden.thread}", "CommunicationRequest", "Organization/Pharmacy-A"):
            assert client.get(f"/{path}").status_code == 403
        assert client.post("/Communication", json=message(scene.hidden.thread, "x")).status_code == 403
