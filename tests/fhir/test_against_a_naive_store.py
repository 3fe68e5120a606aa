"""Generated searches over HTTP, answered as plain dicts are searched: ids, order, pages, what comes along."""

import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from tests.fhir.naive_store import NaiveStore, Resource, pages, reference_of
from tests.fhir.served import SEED as REGION
from tests.fhir.served import Served, good, issue, served
from tests.fhir.test_writing import ref

OURS = "https://carethread.example/fhir"
HL7 = "http://hl7.org/fhir"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
# Each who writes, the groups they write for, and what all of these read.
GROUPS = {
    "A1": ("Organization/Pharmacy-A", "CareTeam/Diabetes-B"),
    "A2": ("Organization/Pharmacy-A",),
    "B1": ("Organization/Clinic-B", "CareTeam/Diabetes-B"),
    "B2": ("Organization/Clinic-B", "CareTeam/Diabetes-B"),
}
ADDRESSED = [
    *("Organization/Clinic-B", "Organization/Pharmacy-A", "CareTeam/Diabetes-B"),
    *("Practitioner/A1", "Practitioner/A2", "Practitioner/B1", "Practitioner/B2"),
]
PATIENTS = ("Patient/123", "Patient/124")
THREADS, MESSAGES = 9, 45
# All on one page.
MOST = 1000
# Of an instant, `2024-02-28T23:59:10.100Z`: year, month, day, minute, second, a tenth, all of it.
LENGTHS = (4, 7, 10, 16, 19, 21, 23)
# The same conversations in each run, but where many searches are tried.
USUAL = 20
DICE = random.randrange(1 << 32) if os.environ.get("CARETHREAD_FUZZ") == "1" else USUAL


class Scene(Struct):
    """What is served, and the same in a naive store."""

    server: Served
    store: NaiveStore
    clients: dict[str, httpx.Client]

    def may_read(self, who: str) -> Callable[[Resource], bool]:
        """Say what they read: the threads in which they take part, or a group of theirs does."""

        def may_read(resource: Resource) -> bool:
            if resource["resourceType"] == "Communication":
                return may_read(self.store.resources[resource["basedOn"][0]["reference"]])
            if resource["resourceType"] != "CommunicationRequest":
                return True
            asking, asked = sides(resource)
            return bool(parties(who) & (asking | asked))

        return may_read


# ── What is said ──────────────────────────────────────────────────────────────────────────────────────────────────────


def called(number: int) -> list[dict[str, str]]:
    return [{"system": f"urn:{'xy'[number % 2]}", "value": f"v{number % 5}"}]


def thread(dice: random.Random, number: int) -> tuple[str, Resource]:
    """Return who opens a thread, and the thread."""
    who = dice.choice(list(GROUPS))
    side = dice.choice([f"Practitioner/{who}", *GROUPS[who]])
    others = [each for each in ADDRESSED if each not in (side, f"Practitioner/{who}")]
    resource: Resource = {
        "resourceType": "CommunicationRequest",
        "id": f"t{number}",
        "status": "active",
        "subject": ref(PATIENTS[number % 3 % 2]),
        "requester": ref(f"Practitioner/{who}"),
        "recipient": [ref(each) for each in dice.sample(others, dice.randint(1, 2))],
        "identifier": called(number),
        "meta": {"security": [{"system": CONFIDENTIALITY, "code": "N"}]},
    }
    if side.startswith("CareTeam"):
        resource["extension"] = [
            {"url": f"{OURS}/StructureDefinition/sender-care-team", "valueReference": ref(side)}
        ]  # fmt: skip
    elif side.startswith("Organization"):
        resource["sender"] = ref(side)
    if dice.random() < 0.7:
        resource["payload"] = [{"contentString": f"Question {number}"}]
    return who, resource


def message(dice: random.Random, number: int, within: Resource, before: list[Resource]) -> Resource:
    """Return the next message of a thread. At times two are sent at one instant, or come in late."""
    resource: Resource = {
        "resourceType": "Communication",
        "id": f"m{number}",
        "status": dice.choice(["completed", "in-progress"]),
        dice.choice(["basedOn", "partOf"]): [ref(reference_of(within))],
        "payload": [{"contentString": f"Words {number}"}],
    }
    if dice.random() < 0.6:
        # The patients' messages never at the same instant: whose comes first then is said nowhere.
        odd = within["subject"]["reference"] == PATIENTS[1]
        second, zone = dice.randint(10, 11), dice.choice(["Z", "+01:00"])
        month = dice.choice(["02", "12"])
        resource["sent"] = f"2024-{month}-2{dice.randint(8, 9)}T23:59:{second}.{1 if odd else 0}00{zone}"
    if dice.random() < 0.5:
        resource["identifier"] = called(number)
    if before and dice.random() < 0.4:
        resource["inResponseTo"] = [ref(reference_of(dice.choice(before)))]
    return resource


def parties(who: str) -> set[str]:
    """Return as whom somebody reads."""
    return {f"Practitioner/{who}", *GROUPS[who]}


def sides(within: Resource) -> tuple[set[str], set[str]]:
    """Return who asks in a thread, and who is asked."""
    team = [each["valueReference"] for each in within.get("extension", ()) if "valueReference" in each]
    asking = [within["requester"], *team, *([within["sender"]] if "sender" in within else [])]
    return {each["reference"] for each in asking}, {each["reference"] for each in within["recipient"]}


def converse(scene: Scene, dice: random.Random) -> dict[str, Resource]:
    """Have threads and messages of all kinds; return what clients have said, by reference."""
    said: dict[str, Resource] = {}
    threads: list[Resource] = []
    for number in range(THREADS):
        who, opened = thread(dice, number)
        good(scene.clients[who].put(f"/CommunicationRequest/t{number}", json=opened), 201)
        said[reference_of(opened)] = opened
        threads.append(opened)
    messages: dict[str, list[Resource]] = {each["id"]: [] for each in threads}
    for number in range(MESSAGES):
        within = dice.choice(threads)
        scene.store.put(within)
        who = dice.choice([each for each in GROUPS if scene.may_read(each)(within)])
        before = messages[within["id"]]
        sent = message(dice, number, within, before) | {"sender": ref(f"Practitioner/{who}")}
        own = [each for each in before if each["sender"] == sent["sender"]]
        if own and "inResponseTo" not in sent and dice.random() < 0.4:
            corrects = {"url": f"{OURS}/StructureDefinition/corrects", "valueReference": ref(reference_of(own[0]))}
            sent["extension"] = [corrects]
        asking, asked = sides(within)
        if dice.random() < 0.5 or len({bool(asking & parties(who)), bool(asked & parties(who))}) == 1:
            # Who is on both sides, or on none, must say to which it goes. Others may.
            others = sorted(dice.choice([asking - asked, asked - asking]) - parties(who))
            named = [ref(each) for each in dice.sample(others, min(len(others), dice.randint(1, 2)))]
            sent |= {"recipient": named} if named else {}
        answer = scene.clients[who].put(f"/Communication/m{number}", json=sent)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            # On several sides, or an answer or a correction that goes elsewhere. That is not what is asked here.
            assert issue(answer, 422)["details"]["coding"][0]["code"] in {"ambiguous-side", "reply", "correction"}
            continue
        good(answer, 201)
        said[reference_of(sent)] = sent
        before.append(sent)
    for number, status in ((0, "completed"), (1, "revoked"), (2, "completed")):
        opener = scene.clients[said[f"CommunicationRequest/t{number}"]["requester"]["reference"][-2:]]
        current = good(opener.get(f"/CommunicationRequest/t{number}"))
        for each in ("completed", status)[: 1 + (status == "revoked")]:
            current = good(opener.put(f"/CommunicationRequest/t{number}", json=current | {"status": each}))
    return said


def recorded(asking: httpx.Client, kind: str) -> Iterator[Resource]:
    """Return what somebody reads, from the history of its type: no search has a part in it."""
    address, more = f"/{kind}/_history?_count=50", True
    while more:
        page = good(asking.get(address))
        more = "entry" in page
        for entry in page.get("entry", ()):
            yield entry["resource"]
        address = next(each["url"] for each in page["link"] if each["relation"] == "next")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Iterator[Scene]:
    with served(tmp_path_factory.mktemp("naive"), database_url=database_url) as server:
        store = NaiveStore(server.base)
        hub = server.system()
        clinical = [{"system": "urn:test", "value": "00124"}]
        other = {"resourceType": "Patient", "id": "124", "active": True, "name": [{"text": "Jan Smit"}]}
        good(hub.put("/Patient/124", json=other | {"identifier": clinical}), 201)
        made = Scene(server, store, {who: server.as_(f"Practitioner/{who}") for who in GROUPS})
        said = converse(made, random.Random(DICE))
        for each in [entry["resource"] for entry in json.loads(REGION.read_bytes())["entry"]]:
            store.put(each)
        store.put(other | {"identifier": clinical})
        store.forget("CommunicationRequest")
        for kind in ("CommunicationRequest", "Communication"):
            found = {each["id"]: each for asking in made.clients.values() for each in recorded(asking, kind)}
            for each in sorted(found.values(), key=lambda each: str(each["meta"]["lastUpdated"])):
                store.put(each)
        for reference, sent in said.items():
            as_said(store.resources[reference], sent)
        yield made


def as_said(kept: Resource, sent: Resource) -> None:
    """Check that a resource is what its client said, but for what may change and what is spelled otherwise."""
    for name in sent.keys() - {"status", "basedOn", "partOf", "sent", "meta", "extension", "payload"}:
        assert _bare(kept[name]) == _bare(sent[name]), name
    link = (sent.get("basedOn") or sent.get("partOf") or [None])[0]
    assert link is None or _bare(kept["basedOn"]) == _bare(kept["partOf"]) == [link]
    if "payload" in sent:
        assert kept["payload"][0]["contentString"] == sent["payload"][0]["contentString"]


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(each) for each in value]
    return {"reference": value["reference"]} if isinstance(value, dict) and "reference" in value else value


# ── What is asked ─────────────────────────────────────────────────────────────────────────────────────────────────────


def one_of(*values: str) -> Any:
    return st.sampled_from(values)


def some_of(one: Any) -> Any:
    """Return one value, at times several with commas between."""
    return st.lists(one, min_size=1, max_size=3).map(",".join)


def reference(kind: str, ids: tuple[str, ...]) -> Any:
    """Return a reference as it may be written; `@` stands for the server's base."""
    return st.builds(lambda form, each: form.format(kind, each), one_of("{0}/{1}", "{1}", "@/{0}/{1}"), one_of(*ids))


PROFESSIONALS = reference("Practitioner", ("A1", "A2", "B1", "B2", "Nobody"))
ANYBODY = st.one_of(
    PROFESSIONALS,
    reference("Organization", ("Clinic-B", "Pharmacy-A", "Region", "None")),
    reference("CareTeam", ("Diabetes-B", "123-network")),
    reference("Patient", ("123",)),
)
THREAD = reference("CommunicationRequest", tuple(f"t{number}" for number in range(THREADS + 1)))
MESSAGE = reference("Communication", tuple(f"m{number}" for number in range(MESSAGES + 1)))
PATIENT = reference("Patient", ("123", "124", "125"))
OF_PATIENT = one_of("https://example.org/fhir/patient|00123", "00123", "00124", "urn:test|00124", "urn:x|1")
OF_PERSON = one_of("https://example.org/fhir/register|REG-1001", "REG-2001", "|REG-2001", "urn:x|REG-1001")
OF_GROUP = one_of("https://example.org/fhir/pharmacy|P-0417", "C-2208", "P-0417", "urn:x|C-2208")
CALLED = one_of("urn:x|v1", "urn:y|v1", "v2", "|v3", "urn:x|", "urn:z|v1", "v9")
WHEN = st.builds(
    lambda prefix, date: prefix + date,
    one_of("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"),
    one_of(
        *("2024", "2024-01", "2024-02", "2024-12", "2024-02-28", "2024-02-29", "2024-12-31", "2025-01", "2023"),
        *("2024-02-29T23:59Z", "2024-02-29T23:59:10Z", "2024-01-28T23:59:11+01:00", "2024-12-28T23:59:12-05:30"),
        *("2024-02-28T23:59:10.100Z", "2024-02-28T23:59:10.0Z", "2024-01-29T23:59:13.000+01:00", "2024-12-28T23:59:12"),
        *("2020", "2100", "2100-12"),
    ),
)
TAG = one_of(
    "archived", "corrected", f"{OURS}/CodeSystem/tag|corrected", f"{OURS}/CodeSystem/tag|", "urn:x|corrected", "urn:x|"
)
SECURITY = one_of("N", "R", f"{CONFIDENTIALITY}|N", f"{CONFIDENTIALITY}|", "urn:x|N")
CATEGORIES = f"{OURS}/CodeSystem/message-category"
_BOTH: dict[str, Any] = {
    "_tag": TAG,
    "_security": SECURITY,
    "_lastUpdated": WHEN,
    "subject": PATIENT,
    "patient": PATIENT,
    "subject:Patient": one_of("123", "124"),
    "subject:identifier": OF_PATIENT,
    "subject.identifier": OF_PATIENT,
    "patient:Patient.identifier": OF_PATIENT,
    "recipient": ANYBODY,
    "recipient:Organization": one_of("Clinic-B", "Pharmacy-A", "Diabetes-B"),
    "recipient:Practitioner": one_of("A1", "B1", "Clinic-B"),
    "recipient:identifier": st.one_of(OF_PERSON, OF_GROUP),
    "recipient:Organization.identifier": st.one_of(OF_PERSON, OF_GROUP),
    "recipient:Practitioner.identifier": OF_PERSON,
    "identifier": CALLED,
}
OF_MESSAGES: dict[str, Any] = {
    **_BOTH,
    "_id": one_of(*(f"m{number}" for number in range(MESSAGES + 1)), "t1"),
    "based-on": THREAD,
    "part-of": THREAD,
    "sender": PROFESSIONALS,
    "sender:Practitioner": one_of("A1", "A2", "B1"),
    "sender:identifier": OF_PERSON,
    "sender:Practitioner.identifier": OF_PERSON,
    "sent": WHEN,
    "status": one_of("completed", "in-progress", f"{HL7}/event-status|completed", f"{HL7}/event-status|"),
    "category": one_of("clinician", "system", "correction", f"{CATEGORIES}|clinician", f"{CATEGORIES}|", "|system"),
    "in-response-to": MESSAGE,
    "corrects": MESSAGE,
    "based-on.recipient": ANYBODY,
    "based-on.requester": PROFESSIONALS,
    "part-of:CommunicationRequest.sender": st.one_of(PROFESSIONALS, one_of("Organization/Pharmacy-A", "Clinic-B")),
    "based-on.status": one_of("active", "completed", f"{HL7}/request-status|", f"{HL7}/event-status|active"),
}
OF_THREADS: dict[str, Any] = {
    **_BOTH,
    "_id": one_of(*(f"t{number}" for number in range(THREADS + 1)), "m1"),
    "requester": PROFESSIONALS,
    "requester:identifier": OF_PERSON,
    "sender": st.one_of(PROFESSIONALS, one_of("Organization/Pharmacy-A", "Clinic-B", "Organization/Clinic-B")),
    "sender:Organization.identifier": OF_GROUP,
    "sender-care-team": one_of("CareTeam/Diabetes-B", "Diabetes-B", "CareTeam/123-network"),
    "status": one_of("active", "completed", "revoked", f"{HL7}/request-status|completed", f"{HL7}/request-status|"),
    "authored": WHEN,
    "_has:Communication:based-on:sender": PROFESSIONALS,
}
ALONG = {
    "Communication": ["based-on", "part-of", "sender", "recipient", "subject"],
    "CommunicationRequest": ["requester", "sender", "recipient", "subject"],
}
SORTS = {
    "Communication": ["sent", "-sent", "_lastUpdated", "-_lastUpdated"],
    "CommunicationRequest": ["authored", "-authored", "_lastUpdated", "-_lastUpdated"],
}


@st.composite
def searches(draw: Any) -> tuple[str, list[tuple[str, str]], int]:
    """Return a type, parameters, and how many there are on a page."""
    kind = draw(one_of("Communication", "Communication", "CommunicationRequest"))
    values = OF_MESSAGES if kind == "Communication" else OF_THREADS
    # Dates more often: each has nine prefixes, and is as long as it is exact.
    dates = ["sent" if kind == "Communication" else "authored"] * (len(values) // 3)
    names = draw(st.lists(st.sampled_from(sorted([*values, *dates])), max_size=3))
    pairs = [(each, draw(some_of(values[each]))) for each in names]
    if draw(st.booleans()):
        pairs.append(("_sort", draw(st.sampled_from(SORTS[kind]))))
    along = draw(st.lists(st.sampled_from(ALONG[kind]), max_size=2, unique=True))
    pairs += [("_include", f"{kind}:{each}") for each in along]
    if draw(st.integers(0, 3)) == 0:
        back = "Communication:corrects" if kind == "Communication" else "Communication:based-on"
        pairs.append(("_revinclude", back))
    return kind, pairs, draw(st.sampled_from([1, 2, 7, 50, 1000]))


def answered(asking: httpx.Client, kind: str, pairs: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield every page, by the links to the next."""
    page = good(asking.get(f"/{kind}", params=tuple(pairs)))
    yield page
    for _ in range(THREADS + 2 * MESSAGES):
        following = [each["url"] for each in page["link"] if each["relation"] == "next"]
        if not following:
            return
        page = good(asking.get(following[0]))
        yield page
    raise AssertionError("it never ends")


def check(scene: Scene, who: str, kind: str, pairs: list[tuple[str, str]], count: int) -> int:
    """Ask the server and the naive store for the same; return how many match."""
    may_read = scene.may_read(who)
    matches = scene.store.search(kind, pairs, may_read)
    expected = [
        ([each["id"] for each in page], scene.store.included(page, pairs, may_read)) for page in pages(matches, count)
    ]
    asked = f"{who} asks for {kind} with {pairs}, {count} at a time; dice {DICE}"
    found = []
    for page in answered(scene.clients[who], kind, [*pairs, ("_count", str(count)), ("_total", "accurate")]):
        entries = page.get("entry", [])
        along = [reference_of(each["resource"]) for each in entries if each["search"]["mode"] == "include"]
        assert len(along) == len(set(along))
        found.append(([e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"], set(along)))
        assert page["total"] == len(matches), asked
    assert found == expected, asked
    return len(matches)


@given(who=st.sampled_from(sorted(GROUPS)), search=searches())
def test_every_search_finds_the_same(
    scene: Scene, who: str, search: tuple[str, list[tuple[str, str]], int]
) -> None:  # fmt: skip
    kind, generated, count = search
    check(scene, who, kind, [(name, value.replace("@", scene.server.base)) for name, value in generated], count)


@pytest.mark.parametrize("kind, name", [("Communication", "sent"), ("CommunicationRequest", "authored")])
@pytest.mark.parametrize("prefix", ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
def test_every_prefix_with_every_length(scene: Scene, kind: str, name: str, prefix: str) -> None:
    """Dates as long as they may be, of instants that are recorded: at the bounds is where prefixes differ."""
    element = {"authored": "authoredOn"}.get(name, name)
    instants = sorted({each[element] for each in scene.store.of(kind) if scene.may_read("B1")(each)})
    # Of those in one minute, the first: at its second others begin to be outside.
    crowded = next((a for a, b in pairwise(instants) if a[:16] == b[:16] and a[:19] != b[:19]), instants[0])
    for instant in {crowded, instants[len(instants) // 2], instants[-1]}:
        for length in LENGTHS:
            zone = "Z" if length > len("2024-02-28") else ""
            check(scene, "B1", kind, [(name, f"{prefix}{instant[:length]}{zone}")], MOST)
        for hours in (1, -3):
            there = datetime.fromisoformat(instant).astimezone(timezone(timedelta(hours=hours)))
            check(scene, "B1", kind, [(name, f"{prefix}{there.isoformat(timespec='milliseconds')}")], MOST)


@pytest.mark.parametrize("kind", sorted(SORTS))
def test_every_order_with_pages_of_every_size(scene: Scene, kind: str) -> None:
    for order in SORTS[kind]:
        there = check(scene, "B1", kind, [("_sort", order)], MOST)
        for count in (1, 2, there - 1, there, there + 1):
            assert check(scene, "B1", kind, [("_sort", order)], count) == there


@pytest.mark.skipif(DICE != USUAL, reason="other conversations may show less")
def test_the_scene_shows_something(scene: Scene) -> None:
    """Else the searches would agree on nothing."""
    of = scene.store.of
    readable = {who: len([each for each in of("Communication") if scene.may_read(who)(each)]) for who in GROUPS}
    assert len(set(readable.values())) > 2
    assert {each["code"] for each in _tags(scene)} == {"archived", "corrected"}
    assert sum("inResponseTo" in each for each in of("Communication")) > 3
    assert {coding["code"] for each in of("Communication") for coding in each["category"][0]["coding"]} == {
        "clinician",
        "correction",
        "system",
    }
    sent = [each["sent"] for each in of("Communication")]
    assert len(set(sent)) < len(sent)


def _tags(scene: Scene) -> Iterator[dict[str, str]]:
    for each in scene.store.resources.values():
        yield from each.get("meta", {}).get("tag", ())
