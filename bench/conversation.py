"""Who writes to whom in a run, threads of a length made quickly, and callers who write at once."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from sqlalchemy import bindparam, delete, select

from bench.prose import bodies
from carethread import (
    Author,
    CoordinationRecord,
    CoordinationService,
    Message,
    MessageContent,
    MessageType,
    Participant,
)
from carethread.clock import system_clock
from carethread.ids import CommunicationId, ParticipantId, mint_message_id, random_uuid
from carethread.record.thread_md import render_entry
from carethread.store.archive import DATABASE_FILE
from carethread.store.database import Database
from carethread.store.derive import Derived, add_thread
from carethread.store.rebuild import insert_derived
from carethread.store.schema import participation, record, thread

JANE = Author(ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"), "Dr Jane Smith")
TOM = Author(ParticipantId("77ab3f1e-5a4d-4c1b-9d2e-3e8f7a6b5c4d"), "Dr Tom Patel")
PLACE = "Oxford University Hospitals"
PARTICIPANTS = tuple(Participant(each.id, each.role, each.name) for each in (JANE, TOM))
_PREPARING_CALLERS = 64
_record = select(*record.columns).where(record.c.coordination_id == bindparam("id"))
_thread = select(thread.c.ledger, thread.c.tree_id).where(thread.c.record_key == bindparam("key"))
_CONTENTS = [MessageContent(each) for each in bodies(1, 500)]


class Spot(Struct, frozen=True):
    """A thread to write to."""

    record: CoordinationRecord
    thread: CommunicationId


class Run(Struct, frozen=True):
    """What callers did: how many messages in how long, and how long each took."""

    messages: int
    seconds: float
    latencies_ms: list[float]

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


# Given a caller's number and how many messages it has written, where the next one goes.
Where = Callable[[int, int], Spot]


def write(callers: int, where: Where, *, seconds: float = 60.0, each: int | None = None) -> Run:
    """Let so many callers write at once, for so long or so many messages each."""
    together = threading.Barrier(callers + 1)
    latencies: list[list[float]] = [[] for _ in range(callers)]

    def call(caller: int) -> None:
        own = latencies[caller]
        contents = _CONTENTS[caller * 7 :] + _CONTENTS[: caller * 7]
        together.wait()
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until and (each is None or len(own) < each):
            spot = where(caller, len(own))
            spot.record.add_message(JANE, PLACE, spot.thread, contents[len(own) % len(contents)])
            own.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    for running in threads:
        running.start()
    together.wait()
    began = time.perf_counter()
    for running in threads:
        running.join()
    took = time.perf_counter() - began
    together_ms = [one for own in latencies for one in own]
    return Run(len(together_ms), took, together_ms)


def make_spots(service: CoordinationService, count: int, threads: int = 1) -> list[Spot]:
    """Begin so many records with so many threads in each."""
    spots: list[Spot] = []

    def make(share: int) -> None:
        for _ in range(share):
            made = service.initialise(JANE, PLACE, str(random_uuid()))
            spots.extend(Spot(made, made.communication_create(JANE, PLACE, PARTICIPANTS)) for _ in range(threads))

    callers = min(count, _PREPARING_CALLERS)
    shares = [count // callers + (caller < count % callers) for caller in range(callers)]
    makers = [threading.Thread(target=make, args=(share,)) for share in shares]
    for running in makers:
        running.start()
    for running in makers:
        running.join()
    return spots


def fill(spots: Sequence[Spot], messages: int) -> None:
    """Write so many messages into each thread, through the library."""
    callers = min(len(spots), _PREPARING_CALLERS)
    if callers == 1:
        # Several callers share the cost of syncing, on one thread too.
        callers = 16
        write(callers, lambda _caller, _done: spots[0], each=messages // callers)
        write(1, lambda _caller, _done: spots[0], each=messages % callers)
        return
    for first in range(0, len(spots), callers):
        some = spots[first : first + callers]
        write(len(some), lambda caller, _done, some=some: some[caller], each=messages)  # type: ignore[misc]


def open_filled(data_dir: Path, database_url: str | None, threads: int, messages: int) -> "Filled":
    """Make a data directory with so many threads of so many messages each, and open it.

    The messages are put straight into the index, as if they had been written and flushed long ago: appending needs
    no more, and they are there in seconds. Nothing is flushed here.
    """
    with CoordinationService.open(data_dir, database_url=database_url, flushes=False) as service:
        spots = make_spots(service, threads)
    url = database_url or f"sqlite:///{data_dir / DATABASE_FILE}"
    with closing(Database(url, data_dir / "locks")) as database:
        for spot in spots:
            _fill_index(database, spot, messages)
    opened = CoordinationService.open(data_dir, database_url=database_url, flushes=False)
    return Filled(opened, [Spot(opened.record(each.record.coordination_id), each.thread) for each in spots])


def _fill_index(database: Database, spot: Spot, messages: int) -> None:
    dice = random.Random(spot.thread)
    texts = bodies(2, 100)
    coordination_id = spot.record.coordination_id
    with database.write() as connection:
        held = connection.all(_record, id=bytes.fromhex(coordination_id))[0]
        key = held[0]
        begun = connection.all(_thread, key=key)[0]
        said = [
            Message(
                mint_message_id(random_uuid),
                MessageType.CLINICIAN,
                system_clock(),
                TOM.id,
                TOM.name,
                dice.choice(texts),
            )
            for _ in range(messages)
        ]
        row = dict(zip((each.name for each in record.columns), held, strict=True))
        del row["record_key"]
        derived = Derived(coordination_id, row, [])
        add_thread(
            derived,
            number=1,
            tree_id=bytes(begun[1]),
            ledger_bytes=bytes(begun[0]),
            entries=[render_entry(each) for each in said],
            attachments=b"",
            commits=dict.fromkeys((each.id for each in said), 2),
            versions=1 + len(said),
        )
        for table in (thread, participation, record):
            connection.run(delete(table).where(table.c.record_key == bindparam("key")), key=key)
        insert_derived(connection, derived, key)


class Filled:
    """A service whose threads have a length, and callers who write to one or to all of them."""

    def __init__(self, service: CoordinationService, spots: list[Spot]) -> None:
        """Take an opened service."""
        self.service = service
        self.spots = spots
        self._next = 0

    def to_one(self, messages: int) -> Where:
        """Send everybody to one thread; after so many messages, to the next one."""
        start, self._next = self._next, self._next + 1
        written = 0

        def where(_caller: int, _done: int) -> Spot:
            nonlocal written
            written += 1
            return self.spots[(start + written // messages) % len(self.spots)]

        return where

    def to_each_its_own(self, callers: int, messages: int) -> Where:
        """Send each caller to a thread of its own; after so many messages, to another."""
        start, self._next = self._next, self._next + callers

        def where(caller: int, done: int) -> Spot:
            return self.spots[(start + caller + callers * (done // messages)) % len(self.spots)]

        return where

    def to_all(self, threads: int) -> Where:
        """Send the callers round so many threads."""

        def where(caller: int, done: int) -> Spot:
            return self.spots[(caller + done) % min(threads, len(self.spots))]

        return where

    def warm_up(self) -> None:
        """Let the writer load what it keeps of each thread."""
        write(min(16, len(self.spots)), self.to_all(len(self.spots)), each=1 + len(self.spots) // 16)

    def close(self) -> None:
        """Close the service."""
        self.service.close()
