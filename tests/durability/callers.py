"""Callers who write to a data directory, and say so as they go, from a process that may die at any moment.

Before each call a caller says what it attempts, after it what was acknowledged. Each of these is one line in a
pipe: what was said stays said, whatever becomes of the process.
"""

import os
import random
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread import (
    AttachmentContent,
    CarethreadError,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    Participant,
    Role,
)
from carethread.ids import CommunicationId, ParticipantId
from tests.people import JANE, PLACE, TOM, listed

# What callers do, as often as it stands here.
KINDS = (*["message"] * 24, *["identified", "attachment", "ledger"] * 4, "thread", "thread", "record")


class Said(Struct, frozen=True, array_like=True):
    """One line: an attempt; with `result`, its acknowledgement; with `error`, that it failed.

    `caller` is unique among all processes of a test; `number` counts a caller's attempts from 1.
    """

    kind: str
    caller: int
    number: int
    record: str = ""
    thread: str = ""
    result: str = ""
    error: str = ""

    @property
    def tag(self) -> str:
        """How this attempt is known in whatever it writes."""
        return f"Caller {self.caller} entry {self.number}"


class Place(Struct, frozen=True):
    """A thread that callers write to."""

    record: str
    thread: str


class Task(Struct, frozen=True):
    """What a process is to do.

    Caller i of a process is number `first_caller` + i, and does `entries` things, or goes on for ever.
    """

    data_dir: str
    places: tuple[Place, ...]
    database_url: str | None = None
    callers: int = 4
    first_caller: int = 1
    entries: int | None = None
    kinds: tuple[str, ...] = KINDS
    seed: int = 0
    flushes: bool = True
    signing_key: str | None = None


Say = Callable[[Said], None]


def say_into(descriptor: int) -> Say:
    """Return what writes lines into a pipe. A short line goes in whole or not at all, from any thread."""

    def say(said: Said) -> None:
        os.write(descriptor, msgspec.json.encode(said) + b"\n")

    return say


def make_places(service: CoordinationService, records: int, threads: int) -> tuple[Place, ...]:
    """Begin records with threads in them."""
    places = []
    for number in range(records):
        record = service.initialise(JANE, PLACE, clinical_id(0, number))
        for _ in range(threads):
            thread = record.communication_create(JANE, PLACE, listed(JANE, TOM))
            places.append(Place(record.coordination_id, thread))
    return tuple(places)


def clinical_id(caller: int, number: int) -> str:
    """Return the clinical id under which a caller begins a record. No caller is number 0 here."""
    return f"{caller:08x}-0000-4000-8000-{number:012x}"


def observer(caller: int) -> Participant:
    """Return the participant whom a caller adds to threads and removes again."""
    return Participant(ParticipantId(f"{caller:08x}-0000-4000-9000-000000000000"), Role.CLINICIAN, f"Caller {caller}")


def file_of(said: Said) -> bytes:
    """Return the file that an attempt attaches."""
    return f"{said.tag}\n".encode() * (1 + said.number % 500)


def write(task: Task, say: Say) -> None:
    """Open the data directory and let all callers write to it, each in a thread."""
    with ExitStack() as stack:
        service = stack.enter_context(
            CoordinationService.open(
                task.data_dir,
                database_url=task.database_url,
                flushes=task.flushes,
                signing_key=None if task.signing_key is None else Path(task.signing_key),
            )
        )
        say(Said("open", task.first_caller, 0))
        threads = [
            threading.Thread(target=_call, args=(service, task, task.first_caller + number, say))
            for number in range(task.callers)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    say(Said("closed", task.first_caller, 0))


def _call(service: CoordinationService, task: Task, caller: int, say: Say) -> None:
    dice = random.Random(f"{task.seed} {caller}")
    records: dict[str, CoordinationRecord] = {}
    number = 0
    while task.entries is None or number < task.entries:
        number += 1
        place = dice.choice(task.places)
        attempt = Said(dice.choice(task.kinds), caller, number, place.record, place.thread)
        if attempt.kind == "record":
            attempt = replace(attempt, record="", thread="")
        elif attempt.kind == "thread":
            attempt = replace(attempt, thread="")
        say(attempt)
        try:
            if place.record not in records:
                records[place.record] = service.record(place.record)
            say(replace(attempt, result=act(service, records[place.record], attempt)))
        except CarethreadError as error:
            say(replace(attempt, error=f"{error.code}: {error}"))
            return


def act(service: CoordinationService, record: CoordinationRecord, attempt: Said) -> str:
    """Do what an attempt says; return the id that was acknowledged."""
    thread = CommunicationId(attempt.thread)
    text = MessageContent(attempt.tag + "\n\nReviewed this morning. Saturations are better, the cough is not.")
    match attempt.kind:
        case "message":
            return record.add_message(JANE, PLACE, thread, text)
        case "identified":
            known = ClientIdentifier("durability", attempt.tag)
            return record.add_message(JANE, PLACE, thread, text, client_identifier=known)
        case "attachment":
            file = AttachmentContent(file_of(attempt), "text/plain", f"{attempt.tag}.txt")
            return record.add_message(TOM, PLACE, thread, replace(text, attachments=(file,)))
        case "ledger":
            return record.update_communication_ledger(JANE, PLACE, thread, _come_or_go(record, attempt))
        case "thread":
            return record.communication_create(JANE, PLACE, listed(JANE, TOM), text)
        case "record":
            clinical = clinical_id(attempt.caller, attempt.number)
            return service.initialise(JANE, PLACE, clinical).coordination_id
        case other:
            raise AssertionError(other)


def _come_or_go(record: CoordinationRecord, attempt: Said) -> LedgerUpdate:
    who = observer(attempt.caller)
    takes_part = who in record.read_communication(attempt.thread).ledger.participants
    return LedgerUpdate(remove_participants=(who.id,)) if takes_part else LedgerUpdate(add_participants=(who,))


def heard(lines: Iterable[bytes]) -> list[Said]:
    """Read back what was said."""
    return [msgspec.json.decode(line, type=Said) for line in lines]
