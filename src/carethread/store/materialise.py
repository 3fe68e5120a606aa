"""From the journal to the repositories on disk, in rounds.

A round takes the records that have waited longest, all of their pending commits at once: it writes their objects and
files, makes them durable with one `syncfs`, moves the branches, makes those durable, and then moves the synced marks.
So a branch never names what is not durable, and a crash anywhere is repaired by doing the round again. One process at
a time flushes a data directory.
"""

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from carethread.clock import Clock
from carethread.errors import CarethreadError, IntegrityError, StorageError, UnknownRecordError
from carethread.git.repository import Prepared, Step, prepare, publish, retire, sync_filesystem
from carethread.ids import CoordinationId
from carethread.record.model import Progress
from carethread.store import statements
from carethread.store.database import Database
from carethread.store.journal import read_changes
from carethread.store.locks import FileLock

log = logging.getLogger(__name__)

ROUND_RECORDS = 256
ROUND_STEPS = 2_000
ROUND_BYTES = 64 * 1024 * 1024
# Between two rounds of the background thread: rounds that share more cost less.
PAUSE_S = 0.2
# After a round that failed.
FAILURE_PAUSE_S = 1.0
FLUSH_LOCK_TIMEOUT_S = 60.0
# More acknowledged commits than this without a repository, and writes are refused.
BACKLOG_LIMIT = 200_000


class Backlog(Struct, frozen=True):
    """What is acknowledged and not yet in the repositories. `lag_ms` is how long the oldest has waited."""

    commits: int
    lag_ms: int


class _Work(Struct):
    key: int
    path: Path
    upto: int
    prepared: Prepared


def record_path(root: Path, coordination_id: CoordinationId) -> Path:
    """Return where a record's repository is: sharded by the first two pairs of its id's digits."""
    return root / coordination_id[0:2] / coordination_id[2:4] / coordination_id


class Materialiser:
    """Writes the repositories of one data directory, in the background and on demand."""

    def __init__(self, database: Database, data_dir: Path, clock: Clock, *, prunes: bool) -> None:
        """Take the journal's database and the place of the repositories. `prunes` drops what is flushed."""
        self._database = database
        self.root = data_dir / "coordination"
        self._clock = clock
        self._prunes = prunes
        self.lock = FileLock(data_dir / "locks" / "flush.lock")
        self.faults: dict[CoordinationId, str] = {}
        self.failure: CarethreadError | OSError | None = None
        self.backlog_full = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # ── In the background ─────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to flush in the background, with what an earlier process may have left."""
        self._wake.set()
        self._thread = threading.Thread(target=self._run, name="carethread-materialiser", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to flush."""
        self._wake.set()

    def close(self) -> None:
        """Stop the background thread, after a last round. What could not be flushed stays in the journal."""
        if self._thread is not None:
            self._stop.set()
            self._wake.set()
            self._thread.join()
            self._attempt()
        self.lock.close()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stop.is_set():
                return
            self._stop.wait(PAUSE_S if self._attempt() else FAILURE_PAUSE_S)

    def _attempt(self) -> bool:
        """Do a round; say whether it went well. What is left to do wakes the thread again."""
        try:
            if self.round():
                self._wake.set()
        except (CarethreadError, OSError) as error:
            log.warning("flushing failed, and will be tried again: %s", error)
            self.failure = error
            self._wake.set()
            return False
        self.failure = None
        return True

    # ── A round ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def backlog(self) -> Backlog:
        """Say how much waits, and for how long."""
        with self._database.read() as connection:
            row = connection.one(statements.count_pending)
        commits, since = (0, None) if row is None else row
        return Backlog(int(commits), 0 if since is None else max(0, self._clock() - since))

    def round(self) -> bool:
        """Flush what has waited longest; say whether there may be more.

        A record whose repository is not what its journal expects is left alone and reported in `faults`.
        """
        with self.lock.hold(FLUSH_LOCK_TIMEOUT_S):
            with self._database.read() as connection:
                pending = connection.all(statements.list_pending, count=ROUND_RECORDS + len(self.faults))
            wanted = [(row[0], CoordinationId(bytes(row[1]).hex()), row[2]) for row in pending]
            done = self._flush(each for each in wanted if each[1] not in self.faults)
        self.backlog_full = self.backlog().commits > BACKLOG_LIMIT
        return done

    def flush(self, coordination_id: CoordinationId) -> None:
        """Bring one repository up to everything that was acknowledged before this call.

        Raises:
            UnknownRecordError: there is no such record.
            RepositoryError: the repository is not what the journal expects; it is left as it is.
            StorageError: the disk failed.
        """
        self._database.check_outside()
        self.faults.pop(coordination_id, None)
        wanted = 0
        while True:
            with self.lock.hold(FLUSH_LOCK_TIMEOUT_S):
                with self._database.read() as connection:
                    row = connection.one(statements.find_pending, coordination_id=bytes.fromhex(coordination_id))
                if row is None:
                    raise UnknownRecordError(f"there is no record {coordination_id}")
                key, synced, head = row
                # What comes in while this runs is not waited for, or a busy record would never be done.
                wanted = wanted or head
                if synced >= wanted:
                    return
                try:
                    self._flush([(key, coordination_id, synced)])
                except OSError as error:
                    raise StorageError(f"record {coordination_id} could not be flushed: {error.strerror}") from error
                if coordination_id in self.faults:
                    raise IntegrityError(self.faults[coordination_id])

    def flush_all(self, progress: Progress | None = None) -> None:
        """Bring all repositories up to date.

        Raises:
            IntegrityError: some could not be; the message names them. All others are.
        """
        self._database.check_outside()
        self.faults.clear()
        total = self.backlog().commits
        more = True
        while more:
            try:
                more = self.round()
            except OSError as error:
                raise StorageError(f"flushing failed: {error.strerror}") from error
            if progress is not None:
                left = self.backlog().commits
                progress(max(0, total - left), total)
        if self.faults:
            raise IntegrityError("; ".join(sorted(self.faults.values())))

    def _flush(self, wanted: Iterable[tuple[int, CoordinationId, int]]) -> bool:
        """Flush these records (key, id, synced mark); say whether there may be more to do.

        A record whose files the machine refuses does not hold up the others: it is told of when they are done.
        """
        work: list[_Work] = []
        refusal: StorageError | None = None
        steps_taken = 0
        any_left = False
        # Whatever is journalled from here on stays pending since now at the earliest.
        began = self._clock()
        for key, coordination_id, synced in wanted:
            if steps_taken >= ROUND_STEPS:
                any_left = True
                break
            steps, upto, cut = self._steps(key, synced)
            any_left = any_left or cut
            if not steps:
                self.faults[coordination_id] = f"record {coordination_id}: its journal lacks the commit after {synced}"
                continue
            steps_taken += len(steps)
            path = record_path(self.root, coordination_id)
            try:
                work.append(_Work(key, path, upto, prepare(path, steps)))
            except IntegrityError as error:
                self.faults[coordination_id] = f"record {coordination_id}: {error}"
                log.warning("record %s cannot be flushed: %s", coordination_id, error)
            except StorageError as error:
                refusal = refusal or error
        if work:
            self._finish(work, began)
        if refusal is not None:
            raise refusal
        return any_left or len(work) >= ROUND_RECORDS

    def _finish(self, work: list[_Work], began: int) -> None:
        """Make what was prepared durable, move the branches, make that durable, and say so in the database."""
        sync_filesystem(self.root)
        for each in work:
            publish(each.prepared)
        sync_filesystem(self.root)
        self._mark(work, began)
        for each in work:
            retire(each.prepared)

    def _steps(self, key: int, synced: int) -> tuple[list[Step], int, bool]:
        """Return a record's next pending commits, the number of the last, and whether more did not fit a round."""
        with self._database.read() as connection:
            sizes = connection.all(statements.size_journal, key=key, after=synced, count=ROUND_STEPS)
            upto, total = synced, 0
            for seq, size in sizes:
                total += size
                if total > ROUND_BYTES and upto > synced:
                    break
                upto = seq
            rows = connection.all(statements.read_journal, key=key, after=synced, upto=upto)
        return (
            [Step(bytes(row[1]), bytes(row[2]), read_changes(row[3])) for row in rows],
            upto,
            len(sizes) > len(rows) or len(sizes) == ROUND_STEPS,
        )

    def _mark(self, work: list[_Work], began: int) -> None:
        # In the order in which the writers lock records, or they would wait for each other.
        marks = [
            {"key": each.key, "new_seq": each.upto, "now": began}
            for each in sorted(work, key=lambda each: each.path.name)
        ]
        with self._database.write() as connection:
            connection.many(statements.mark_synced, marks)
            if self._prunes:
                connection.many(statements.prune_journal, marks)
