"""One writer a process: it decides, records and acknowledges in batches, so that callers share one fsync.

A caller hands over a decision: a function from the record as it stands to what is to be recorded. The writer takes
what has queued up, opens one transaction, locks the records in the order of their ids, lets each decision see what
the ones before it did, writes all rows, commits, and only then answers. So every rule is checked against the truth,
under the lock, by one hand: there is nothing to retry and nobody starves.

A piece of work that is all or nothing has a transaction to itself: its steps are written one by one, so that each sees
what those before it wrote, and committed at the end.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from typing import TypeVar

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
from carethread.store.steps import LONGEST_S, Steps
from carethread.store.waking import Waking

log = logging.getLogger(__name__)

MAX_BATCH = 64
# A caller whose turn has not come by then gives up; nothing was recorded for it.
TURN_TIMEOUT_S = 30.0
CACHE_BYTES = 64 * 1024 * 1024
# How often a piece of work is begun anew when the database gave it up for another.
WHOLE_ATTEMPTS = 4
# How long it waits for another transaction's lock the first time.
HASTY_S = 0.2

Result = TypeVar("Result")


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
# Work of several steps, in a transaction of its own.
Whole = Callable[["Steps[Job]"], None]


class Job:
    """One caller's decision on its way to an acknowledgement."""

    __slots__ = ("apart", "begin", "claim", "decide", "done", "error", "record", "result", "whole")

    def __init__(
        self,
        record: CoordinationId | None,
        decide: Decide | None = None,
        begin: Begin | None = None,
        apart: Apart | None = None,
        whole: Whole | None = None,
    ) -> None:
        """Name the record, and the decision about it, or how it begins; or no record, and rows apart, or whole work."""
        self.record = b"" if record is None else bytes.fromhex(record)
        self.decide = decide
        self.begin = begin
        self.apart = apart
        self.whole = whole
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
        waking: Waking,
    ) -> None:
        """Take what writing needs. `on_commit` is called after what wakes others, too: see `Rows.wakes`."""
        self._database = database
        self._installation = installation
        self._clock = clock
        self._on_commit = on_commit
        self._backlog_full = backlog_full
        self._waking = waking
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        # Taken from the queue, and not yet begun.
        self._next: Job | None = None
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
        self._check_backlog(job)
        self._hand_over(job)
        return job.result

    def together(self, work: Callable[[Steps[Job]], Result]) -> Result:
        """Hand over work of several steps: all of them become durable, or none; return what it returned.

        It is done by the writer's own thread, while all others wait: it must not wait for another thread. Where the
        database gives it up for another transaction it begins anew, after everything was rolled back.

        Raises:
            CarethreadError: what the work raised, or a storage error. Nothing was recorded.
        """
        results: list[Result] = []

        def whole(steps: Steps[Job]) -> None:
            results[:] = [work(steps)]

        self._hand_over(Job(None, whole=whole))
        return results[0]

    def _check_backlog(self, job: Job) -> None:
        # Rows apart from any record wait for no repository: what can be recorded no more can still be read.
        if job.apart is None and self._backlog_full():
            raise BacklogFullError("too much waits to be written to the repositories; see why flushing fails")

    def _hand_over(self, job: Job) -> None:
        if self._closed:
            raise StorageError("the service is closed")
        if self._process != os.getpid():
            raise StorageError("the service was opened before a fork; open it again in the child process")
        if threading.current_thread() is self._thread:
            raise StorageError("work that is done as one uses the service it was given, and no other")
        self._queue.put(job)
        if not job.done.acquire(timeout=TURN_TIMEOUT_S):
            if job.claim.acquire(blocking=False):
                raise LockedError("the database was locked for too long; nothing was recorded")
            job.done.acquire()
        if job.error is not None:
            raise job.error

    def close(self) -> None:
        """Finish what was handed over, then stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    # ── The writer's own thread ───────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            first = self._next or self._queue.get()
            self._next = None
            if first is None:
                return
            if first.whole is not None:
                self._do_whole(first, first.whole)
                continue
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
            wakes = rows.wakes
            if wakes:
                self._waking.prepare()
                # Last, in the pipeline: it locks what whoever begins to wait must have.
                rows.effects.extend(self._waking.effects)
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
        if wakes:
            self._committed()

    def _committed(self) -> None:
        self._on_commit()
        self._waking.wake()

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
                if job.whole is not None:
                    self._next = job
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

    # ── Work of several steps ─────────────────────────────────────────────────────────────────────────────────────────

    def _do_whole(self, job: Job, whole: Whole) -> None:
        attempt, touched = 1, list[Job]()
        while True:
            # In the order in which all others lock them, once it is known which they are.
            first, touched = touched, []
            try:
                wakes = self._do_steps(job, whole, first, touched, is_first=attempt == 1)
            except BaseException as error:  # noqa: BLE001 - as above: the caller is told, and the writer goes on
                self._forget(touched)
                if attempt == WHOLE_ATTEMPTS or not _was_given_up(error):
                    _answer([job], error)
                    return
                attempt += 1
            else:
                job.done.release()
                if wakes:
                    self._committed()
                return

    def _do_steps(self, job: Job, whole: Whole, first: list[Job], touched: list[Job], *, is_first: bool) -> bool:
        """Do the work in one transaction; say whether those who wait are woken.

        The records of `first` are locked first. `touched` takes what is submitted.
        """
        with self._database.write(in_line=True) as connection:
            if is_first and not job.claim.acquire(blocking=False):
                return False
            # Not knowing which records it will lock, it may meet another that has one and wants the next: that is not
            # waited for.
            self._database.bound(connection, LONGEST_S, HASTY_S if is_first else LONGEST_S)
            self._load(connection, first)

            wakes = False

            def take(step: Job) -> int:
                nonlocal wakes
                self._check_backlog(step)
                touched.append(step)
                rows = self._do_step(connection, step)
                wakes = wakes or rows.wakes
                return sum(len(each["changes"]) for each in rows.journal)

            steps = Steps(connection, take)
            try:
                whole(steps)
                steps.check()
                if wakes:
                    self._waking.prepare()
                    write_rows(connection, Rows(effects=list(self._waking.effects)), self._clock())
            finally:
                steps.close()
        return wakes

    def _do_step(self, connection: Connection, job: Job) -> Rows:
        """Decide and write one step, so that the next one sees it; return what it wrote."""
        rows = Rows()
        self._load(connection, [job])
        self._decide(connection, rows, job)
        if job.error is None:
            write_rows(connection, rows, self._clock())
        self._settle([job])
        return rows

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


def _was_given_up(error: BaseException) -> bool:
    """Whether the database refused a transaction because of another one: doing it again may well succeed."""
    return type(error) in {ConflictError, DeadlockError, LockedError}


def _answer(batch: Iterable[Job], error: BaseException) -> None:
    for job in batch:
        if job.error is None:
            job.error = error
        job.done.release()
