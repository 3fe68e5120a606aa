"""Inboxes, unread counts and searches, in a small region and in one a hundred times as large.

Threads are put straight into the index, on the way a rebuild takes, and people into the directory as a Bundle. What is
measured is everything up to the line of the access log, whose fsync would hide the rest.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import quantiles
from unittest import mock

from msgspec import Struct, field

from bench.figures import Figures, Target
from bench.ground import Cell, Ground
from bench.prose import bodies
from carethread import (
    Addressing,
    CoordinationService,
    CoordinationStatus,
    Ledger,
    Message,
    MessageContent,
    MessageType,
    Participant,
    Party,
    Role,
)
from carethread.clock import Instant
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM
from carethread.ids import (
    ClinicalId,
    CommunicationId,
    ParticipantId,
    mint_communication_id,
    mint_coordination_id,
    mint_message_id,
    random_uuid,
)
from carethread.policy.actor import Caller
from carethread.reads import (
    Clause,
    Criteria,
    Field,
    Include,
    Looking,
    Ref,
    inbox,
    search,
    search_messages,
    unread_count,
)
from carethread.record.ledger_yaml import render_ledger
from carethread.record.status_yaml import render_status
from carethread.record.thread_md import render_entry
from carethread.store import text_index
from carethread.store.derive import Derived, add_thread
from carethread.store.inbox import Wanted
from carethread.store.rebuild import insert_derived
from carethread.writes import post_message

SECTION = "find"
_THREADS_A_PLACE = 20
_THREADS_A_RECORD = 10
_MESSAGES_A_THREAD = 5
_RECORDS_A_TRANSACTION = 200
_CALLS = 300
# As many people are at work in either region: what is remembered of them is the same.
_AT_WORK = 100
_BEGIN = 1_768_000_000_000
_MINUTE = 60_000
_MOST_GROWTH = Target(1.5, at_most=True)
_SEARCH_MS = Target(5, at_most=True)
_DOCTOR = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/practitioner-role", "code": "doctor"}]}]
SMALL, LARGE = "10,000 messages", "1,000,000 messages"


# Where people work, by the FHIR id of the place.
_WORKS_AT: dict[ParticipantId, str] = {}


class Region(Struct):
    """An installation, a clinician in each of its places (`p0` at `o0`, …), and how fast it was filled.

    `patients` are by their clinical ids, one for each record. `longer` are threads that are long, by their length.
    """

    service: CoordinationService
    people: list[Participant]
    places: list[Participant]
    patients: list[ClinicalId]
    loaded: float = 0.0
    filled: float = 0.0
    threads: list[tuple[ParticipantId, CommunicationId]] = field(default_factory=list)
    longer: dict[int, list[tuple[ParticipantId, CommunicationId]]] = field(default_factory=dict)


@contextmanager
def region_of(folder: Path, places: int, longer: Sequence[int] = ()) -> Iterator[Region]:
    """Fill an installation with so many places, and open it. `longer` are the lengths of threads besides."""
    with CoordinationService.open(folder, flushes=False) as service:
        patients = [ClinicalId(str(random_uuid())) for _ in range(places * _THREADS_A_PLACE // _THREADS_A_RECORD)]
        began = time.perf_counter()
        service.directory.load(_bundle(places, patients), by="bench")
        loaded = (3 * places + len(patients)) / (time.perf_counter() - began)
        people, organisations = ([_participant(service, kind, each) for each in range(places)] for kind in "po")
        region = Region(service, people, organisations, patients, loaded)
        _WORKS_AT.update((each.id, f"o{number}") for number, each in enumerate(people))
        began = time.perf_counter()
        region.filled = _fill(region, longer) / (time.perf_counter() - began)
        yield region


def _bundle(places: int, patients: Sequence[ClinicalId]) -> bytes:
    """Return so many organisations, each with one doctor; and patients."""
    resources: list[dict[str, object]] = []
    for each in range(places):
        resources.append({"resourceType": "Organization", "id": f"o{each}", "active": True, "name": f"Place {each}"})
        person = {"resourceType": "Practitioner", "id": f"p{each}", "active": True}
        resources.append({**person, "name": [{"text": f"Person {each}"}]})
        role = {"resourceType": "PractitionerRole", "id": f"r{each}", "active": True, "code": _DOCTOR}
        named = {"practitioner": {"reference": f"Practitioner/p{each}"}}
        resources.append({**role, **named, "organization": {"reference": f"Organization/o{each}"}})
    for number, clinical_id in enumerate(patients):
        called = {"name": [{"text": f"Patient {number}"}], "birthDate": f"{1930 + number % 90}-04-09"}
        identifiers = [{"system": CLINICAL_ID_SYSTEM, "value": clinical_id}]
        patient = {"resourceType": "Patient", "id": f"pt{number}", "active": True}
        resources.append({**patient, **called, "identifier": identifiers})
    entries = [{"resource": each} for each in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _participant(service: CoordinationService, kind: str, number: int) -> Participant:
    entry = service.directory.find(f"{'Practitioner' if kind == 'p' else 'Organization'}/{kind}{number}")
    role = Role.CLINICIAN if kind == "p" else Role.ORGANISATION
    return Participant(entry.id, role, f"{'Person' if kind == 'p' else 'Place'} {number}")


def _fill(region: Region, longer: Sequence[int]) -> int:
    """Let each place ask others and be asked; return the number of messages."""
    archive = region.service.archive
    dice = random.Random(len(region.people))
    texts = bodies(3, 500)
    records = len(region.patients)
    lengths = iter(longer)
    minute = 0
    for first in range(0, records, _RECORDS_A_TRANSACTION):
        with archive.database.write() as connection:
            for clinical_id in region.patients[first : first + _RECORDS_A_TRANSACTION]:
                derived = _record(region, clinical_id)
                for number in range(1, _THREADS_A_RECORD + 1):
                    minute += 1
                    made = _thread(region, derived, number, Instant(_BEGIN + minute * _MINUTE), dice, texts)
                    region.threads.append(made)
                for length in islice(lengths, 1):
                    at = Instant(_BEGIN + minute * _MINUTE)
                    made = _thread(region, derived, _THREADS_A_RECORD + 1, at, dice, texts, length)
                    region.longer.setdefault(length, []).append(made)
                insert_derived(connection, derived, None)
    with archive.database.write() as connection:
        text_index.optimise(connection)
    return records * _THREADS_A_RECORD * _MESSAGES_A_THREAD + sum(longer)


def _record(region: Region, clinical_id: ClinicalId) -> Derived:
    custodian = region.service.archive.installation.custodian
    identifier = mint_coordination_id(random_uuid)
    row = {
        "coordination_id": bytes.fromhex(identifier),
        "clinical_id": bytes.fromhex(clinical_id.replace("-", "")),
        "custodian_id": bytes.fromhex(custodian.id.replace("-", "")),
        "status": render_status(CoordinationStatus(identifier, clinical_id, custodian)),
        "head_seq": 1,
        "head_commit": bytes(32),
        "last_instant": _BEGIN,
        "synced_seq": 1,
        "pending_since": 0,
    }
    return Derived(identifier, row, [])


def _thread(
    region: Region,
    derived: Derived,
    number: int,
    at: Instant,
    dice: random.Random,
    texts: list[str],
    length: int = _MESSAGES_A_THREAD,
) -> tuple[ParticipantId, CommunicationId]:
    """Add a thread; return who opened it, and its id."""
    asking, asked = dice.sample(range(len(region.people)), 2)
    person, home, other = region.people[asking], region.places[asking], region.places[asked]
    said = []
    for step in range(length):
        ours = step % 2 == 0
        author, group, to = (person, home, other) if ours else (region.people[asked], other, home)
        said.append(
            Message(
                mint_message_id(random_uuid),
                MessageType.CLINICIAN,
                Instant(at + step * 1000),
                author.id,
                author.name,
                dice.choice(texts),
                on_behalf_of=Party(group.id, group.name),
                to=(Party(to.id, to.name),),
            )
        )
    thread = mint_communication_id(at, random_uuid)
    ledger = Ledger(
        communication_id=thread,
        created_at=at,
        last_updated_at=said[-1].timestamp,
        participants=(person, home, other),
        addressing=Addressing(person.id, (other.id,), home.id),
    )
    add_thread(
        derived,
        number=number,
        tree_id=bytes(32),
        ledger_bytes=render_ledger(ledger),
        entries=[render_entry(each) for each in said],
        attachments=b"",
        commits=dict.fromkeys((each.id for each in said), 1),
        versions=len(said),
    )
    return person.id, thread


# ── What is measured ──────────────────────────────────────────────────────────────────────────────────────────────────


def _inbox(service: CoordinationService, caller: Caller, _word: str) -> None:
    inbox(service, caller)


def _waiting(service: CoordinationService, caller: Caller, _word: str) -> None:
    inbox(service, caller, wanted=Wanted(waiting=True))


def _unread(service: CoordinationService, caller: Caller, _word: str) -> None:
    unread_count(service, caller)


def _search(service: CoordinationService, caller: Caller, word: str) -> None:
    search(service, caller, Looking(words=word))


def _communications(service: CoordinationService, caller: Caller, _word: str) -> None:
    """What a FHIR client asks most: what came to its organisation, with the threads."""
    if caller.person is not None:
        place = Ref("Organization", _WORKS_AT[caller.person])
        search_messages(service, caller, Criteria((Clause(Field.RECIPIENT, (place,)),)), includes=_WITH_THREADS)


_WITH_THREADS = frozenset({Include.THREAD})
_ASKED = {
    "inbox page": _inbox,
    "waiting on us": _waiting,
    "unread count": _unread,
    "messages to an organisation, with threads": _communications,
    "full-text search": _search,
}


def _p99_ms(region: Region, ask: Callable[[CoordinationService, Caller, str], None], dice: random.Random) -> float:
    """Let many people ask; return what all but one in a hundred waited less than."""
    words = sorted({word for text in bodies(3, 20) for word in text.lower().split() if word.isalpha()})
    took = []
    with mock.patch("carethread.store.asking.log"):
        for _ in range(_CALLS):
            caller = Caller(dice.choice(region.people[:_AT_WORK]).id)
            word = dice.choice(words)
            began = time.perf_counter()
            ask(region.service, caller, word)
            took.append((time.perf_counter() - began) * 1000)
    return quantiles(took, n=100)[98]


def _callers(count: int) -> str:
    return "1 caller" if count == 1 else f"{count} callers"


def _posts(region: Region, callers: int, seconds: float) -> float:
    """Let so many people post at once, each to threads they opened; return messages a second."""
    until = time.perf_counter() + seconds
    done = [0] * callers

    def post(number: int) -> None:
        dice = random.Random(number)
        while time.perf_counter() < until:
            person, thread = dice.choice(region.threads)
            post_message(region.service, Caller(person), thread, MessageContent(f"Answer {done[number]}"))
            done[number] += 1

    began = time.perf_counter()
    running = [threading.Thread(target=post, args=(number,)) for number in range(callers)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    return sum(done) / (time.perf_counter() - began)


@contextmanager
def cells(ground: Ground) -> Iterator[list[Cell]]:
    """Fill both regions, and offer what is asked of them."""
    sizes = {SMALL: 100, LARGE: 1_000 if ground.quick else 10_000}
    dice = random.Random(1)
    with ExitStack() as stack:
        regions = {
            name: stack.enter_context(region_of(ground.new_folder(f"find-{places}"), places))
            for name, places in sizes.items()
        }
        found = [
            Cell(
                f"{what}, p99, {name}",
                "ms",
                partial(_p99_ms, region, ask, dice),
                _SEARCH_MS if ask is _search else None,
            )
            for what, ask in _ASKED.items()
            for name, region in regions.items()
        ]
        large = regions[LARGE]
        found.append(Cell("directory entries loaded", "/s", lambda: [large.loaded]))
        found.append(Cell("messages put into the index", "/s", lambda: [large.filled]))
        found.extend(
            Cell(f"posts through directory, policy and log, {_callers(callers)}, {name}", "/s", measure)
            for callers in (1, 16)
            for name, region in regions.items()
            for measure in [partial(_posts, region, callers, ground.slice_s)]
        )
        yield found


def conclude(figures: Figures) -> None:
    """Say how much a hundred times the messages cost."""
    for what, ask in _ASKED.items():
        name = f"{what}, large to small"
        target = None if ask is _search else _MOST_GROWTH
        figures.add_ratio(
            SECTION, name, (SECTION, f"{what}, p99, {LARGE}"), (SECTION, f"{what}, p99, {SMALL}"), target
        )  # fmt: skip
