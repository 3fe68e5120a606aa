"""One writer a process: it decides, records and acknowledges in batches, so that callers share one fsync.

A caller hands over a decision: a function from the record as it stands to what is to be recorded. The writer takes
what has queued up, opens one transaction, locks the records in the order of their ids, lets each decision see what
the ones before it did, writes all rows, commits, and only then answers. So every rule is checked against the truth,
under the lock, by one hand: there is nothing to retry and nobody starves.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue

from msgspec import Struct

from carethread.clock import Clock
from carethread.errors import (
    BacklogFullError,
    CarethreadError,
    ConflictError,
    LockedError,
    StorageError,
    UnknownRecordError,
)
from carethread.ids import CoordinationId
from carethread.record.transitions import Transition
from carethread.store import statements
from carethread.store.database import Connection, Database, DeadlockError, Parameters, Row
from carethread.store.identifiers import NewIdentifier
from carethread.store.journal import Effect, Installation, Rows, record_transition, write_rows
from carethread.store.names import Kind, Place, find_named
from carethread.store.state import RecordState

log = logging.getLogger(__name__)

MAX_BATCH = 64
# A caller whose turn has not come by then gives up; nothing was recorded for it.
TURN_TIMEOUT_S = 30.0
CACHE_BYTES = 64 * 1024 * 1024


class View:
    """A record as a decision sees it, inside the transaction that will record the outcome."""

    def __init__(
        self, connection: Connection, state: RecordState, claimed: Mapping[tuple[Kind, str], Place] | None = None
    ) -> None:
        """Look at a record through the batch's connection; `claimed` are the resource ids that the batch gives out."""
        self.connection = connection
        self.state = state
        self._claimed = claimed or {}

    def named(self, kind: Kind, resource_id: str) -> Place | None:
        """Return what has a resource id, in whatever record."""
        return self._claimed.get((kind, resource_id)) or find_named(self.connection, kind, resource_id)


class Decision(Struct, frozen=True):
    """What is to be recorded, if anything, and what the caller is told once it is durable.

    `effects` are made from the record's commit then: what goes with it without being part of the record.
    """

    result: str
    transition: Transition | None = None
    identifier: NewIdentifier | None = None
    effects: Callable[[str], Iterable[Effect]] | None = None


Decide = Callable[[View], Decision]
# A new record's first row, and the transition that begins it.
Begin = Callable[[Connection], tuple[Parameters, Decision]]
# Rows that go with no record.
Apart = Callable[[Connection], Iterable[Effect]]


class Job:
    """One caller's decision on its way to an acknowledgement."""

    __slots__ = ("apart", "begin", "claim", "decide", "done", "error", "record", "result")

    def __init__(
        self,
        record: CoordinationId | None,
        decide: Decide | None = None,
        begin: Begin | None = None,
        apart: Apart | None = None,
    ) -> None:
        """Name the record, and the decision about it, or how it begins; or no record, and rows apart from any."""
        self.record = b"" if record is None else bytes.fromhex(record)
        self.decide = decide
        self.begin = begin
        self.apart = apart
        self.result = ""
        self.error: BaseException | None = None
        # Whoever takes the claim decides: the writer to do the job, or the caller to give it up.
        self.claim = threading.Lock()
        self.done = threading.Lock()
        self.done.acquire()


class Writer:
    """The one thread of a process that writes the journal and the index."""

    def __init__(
        self,
        database: Database,
        installation: Installation,
        clock: Clock,
        on_commit: Callable[[], None],
        backlog_full: Callable[[], bool],
    ) -> None:
        """Take what writing needs. `on_commit` is called after each batch that recorded something."""
        self._database = database
        self._installation = installation
        self._clock = clock
        self._on_commit = on_commit
        self._backlog_full = backlog_full
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._states: OrderedDict[bytes, RecordState] = OrderedDict()
        self._weights: dict[bytes, int] = {}
        self._cached = 0
        self._process = os.getpid()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="carethread-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> str:
        """Hand over a decision and wait until what it recorded is durable.

        Raises:
            CarethreadError: the decision's own error, or a storage error. Nothing was recorded.
        """
        if self._closed:
            raise StorageError("the service is closed")
        if self._process != os.getpid():
            raise StorageError("the service was opened before a fork; open it again in the child process")
        # Rows apart from any record wait for no repository: what can be recorded no more can still be read.
        if job.apart is None and self._backlog_full():
            raise BacklogFullError("too much waits to be written to the repositories; see why flushing fails")
        self._queue.put(job)
        if not job.done.acquire(timeout=TURN_TIMEOUT_S):
            if job.claim.acquire(blocking=False):
                raise LockedError("the database was locked for too long; nothing was recorded")
            job.done.acquire()
        if job.error is not None:
            raise job.error
        return job.result

    def close(self) -> None:
        """Finish what was handed over, then stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    # ── The writer's own thread ───────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch = [first]
            try:
                self._do(batch, gather=True)
            except BaseException as error:  # noqa: BLE001 - a dead writer would leave its callers waiting for ever
                self._forget(batch)
                if isinstance(error, CarethreadError) and not isinstance(error, ConflictError | DeadlockError):
                    _answer(batch, error)
                else:
                    self._do_one_by_one(batch)

    def _do_one_by_one(self, batch: list[Job]) -> None:
        """Do the jobs of a batch that failed each by itself, so that only the guilty one fails."""
        for job in batch:
            job.error = None
            try:
                self._do_again(job)
            except BaseException as error:
                self._forget([job])
                if not isinstance(error, CarethreadError):
                    log.exception("a decision failed unexpectedly", exc_info=error)
                _answer([job], error)

    def _do_again(self, job: Job) -> None:
        """Do one job by itself; where something stands in its way that was not there yet when it looked, once more.

        Another process may have recorded in the meantime what only one can have: then the job itself can say so.
        """
        try:
            self._do([job], gather=False)
        except ConflictError:
            self._forget([job])
            self._do([job], gather=False)

    def _do(self, batch: list[Job], *, gather: bool) -> None:
        # On PostgreSQL a look costs a journey: there, only a batch that was refused looks.
        rows = Rows(is_careful=self._database.is_sqlite or not gather)
        # In line, however long it takes: whoever waits for an answer may give up until its turn has come.
        with self._database.write(in_line=True) as connection:
            if gather:
                self._gather(batch)
            self._load(connection, batch)
            for job in batch:
                self._decide(connection, rows, job)
            write_rows(connection, rows, self._clock())
        # It is recorded. Whatever fails from here on must not make it happen twice.
        try:
            self._settle(batch)
        except Exception:
            log.exception("the cache of hot records is dropped")
            self._states.clear()
            self._weights.clear()
            self._cached = 0
        for job in batch:
            job.done.release()
        if rows.journal:
            self._on_commit()

    def _settle(self, batch: list[Job]) -> None:
        for job in batch:
            state = self._states.get(job.record)
            if state is not None:
                state.settle()
        self._trim(batch)

    def _gather(self, batch: list[Job]) -> None:
        """Take what has queued up. The first job's claim is taken here as well: until now it could be given up."""
        if not batch[0].claim.acquire(blocking=False):
            batch.clear()
        try:
            while len(batch) < MAX_BATCH:
                job = self._queue.get_nowait()
                if job is None:
                    self._queue.put(None)
                    return
                if job.claim.acquire(blocking=False):
                    batch.append(job)
        except Empty:
            return

    def _load(self, connection: Connection, batch: list[Job]) -> None:
        """Lock the batch's records, in the order of their ids, and have each as it stands now."""
        for record in sorted({job.record for job in batch if job.decide is not None}):
            row = self._database.lock_record(connection, record)
            state = self._states.get(record)
            if row is None:
                self._states.pop(record, None)
            elif state is None or state.head_commit != bytes(row[3]) or state.key != row[0]:
                self._states[record] = RecordState(connection, row)
            if row is not None:
                self._states.move_to_end(record)

    def _decide(self, connection: Connection, rows: Rows, job: Job) -> None:
        try:
            if job.apart is not None:
                rows.effects.extend(job.apart(connection))
                return
            if job.begin is not None:
                state, decision = self._begin(connection, job.begin)
            else:
                known = self._states.get(job.record)
                if known is None or job.decide is None:
                    raise UnknownRecordError(f"there is no record {job.record.hex()}")
                state = known
                decision = job.decide(View(connection, state, rows.claimed))
        except StorageError:
            raise
        except CarethreadError as error:
            job.error = error
            return
        if decision.transition is not None:
            record_transition(connection, rows, state, decision.transition, self._installation, decision.identifier)
        if decision.effects is not None:
            rows.effects.extend(decision.effects(state.head_commit.hex()))
        job.result = decision.result

    def _begin(self, connection: Connection, begin: Begin) -> tuple[RecordState, Decision]:
        row, decision = begin(connection)
        inserted = connection.one(statements.insert_record, **row)
        key = 0 if inserted is None else inserted[0]
        found: Row = (key, row["coordination_id"], 0, row["head_commit"], row["last_instant"], row["status"])
        state = RecordState(connection, found)
        self._states[bytes(found[1])] = state
        return state, decision

    def _forget(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._states.pop(job.record, None)
            self._cached -= self._weights.pop(job.record, 0)

    def _trim(self, batch: list[Job]) -> None:
        """Keep the hot records within bounds; the one used last always stays."""
        for record in {job.record for job in batch}:
            state = self._states.get(record)
            weight = 0 if state is None else state.weight
            self._cached += weight - self._weights.get(record, 0)
            self._weights[record] = weight
        while self._cached > CACHE_BYTES and len(self._states) > 1:
            oldest, _ = self._states.popitem(last=False)
            self._cached -= self._weights.pop(oldest, 0)


def _answer(batch: Iterable[Job], error: BaseException) -> None:
    for job in batch:
        if job.error is None:
            job.error = error
        job.done.release()
