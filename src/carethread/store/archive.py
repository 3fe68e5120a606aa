"""One data directory: its database, its writer, its repositories. What the layers above see of the store."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from carethread.clock import Clock, Instant, system_clock
from carethread.errors import (
    IntegrityError,
    StorageError,
    UnknownMessageError,
    UnknownRecordError,
    UnknownThreadError,
)
from carethread.git.history import commits, open_repository
from carethread.git.signatures import Signer
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, IdSource, MessageId, ParticipantId, random_uuid
from carethread.record.commit_message import COMMUNICATION_ID, MESSAGE_ID, parse_commit_message
from carethread.record.finding import Finding
from carethread.record.ledger_yaml import parse_ledger
from carethread.record.model import CoordinationStatus, HistoryEntry, Ledger, Message, Progress
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import parse_entry
from carethread.store import installation, statements
from carethread.store.backup import backup, load_tables
from carethread.store.changes import begin_where_moved
from carethread.store.clients import Clients
from carethread.store.database import Connection, Database, Row
from carethread.store.journal import Installation
from carethread.store.keys import key_of
from carethread.store.locks import FileLock
from carethread.store.materialise import FLUSH_LOCK_TIMEOUT_S, Materialiser, record_path
from carethread.store.rebuild import audit, realign, rebuild
from carethread.store.trees import file_names
from carethread.store.waking import Waking
from carethread.store.watch import Watch, watch_of
from carethread.store.writer import Job, Writer

DATABASE_FILE = "carethread.sqlite"
_PAGE = 500
# How long to wait for another process that makes the tables.
OPEN_TIMEOUT_S = 30.0


class StoredThread(Struct, frozen=True):
    """A thread as the index has it. `version` is the id of the record's commit it was read at."""

    version: str
    ledger: Ledger
    messages: tuple[Message, ...]


class Archive:
    """The store of one data directory, opened."""

    def __init__(
        self,
        data_dir: Path,
        *,
        database_url: str | None = None,
        name: str | None = None,
        domain: str | None = None,
        signer: Signer | None = None,
        clock: Clock = system_clock,
        mint: IdSource = random_uuid,
        flushes: bool = True,
    ) -> None:
        """Open a data directory, and make it where there is none.

        Raises:
            ConfigurationError: a setting is wrong.
            SchemaError: the database is of a newer version.
            StorageError: the disk or the database cannot be used.
        """
        self.data_dir = data_dir
        self.clock = clock
        self.mint = mint
        locks = data_dir / "locks"
        try:
            locks.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make the data directory {data_dir}: {error.strerror}") from error
        opening = FileLock(locks / "open.lock")
        with closing(opening), opening.hold(OPEN_TIMEOUT_S):
            custodian, found_domain = installation.load_or_make(data_dir, name, domain, mint)
            self.database = Database(database_url or f"sqlite:///{data_dir / DATABASE_FILE}", locks)
            self.database.prepare()
            if not self.database.is_sqlite:
                with self.database.write() as connection:
                    begin_where_moved(connection)
        self.clients = Clients(self.database, clock, mint)
        self.installation = Installation(custodian, found_domain, signer)
        self.materialiser = Materialiser(self.database, data_dir, clock, prunes=self.database.is_sqlite)
        self.waking = Waking(self.database, data_dir)
        self.writer = Writer(
            self.database,
            self.installation,
            clock,
            self.materialiser.wake,
            lambda: self.materialiser.backlog_full,
            self.waking,
        )
        if flushes:
            self.materialiser.start()

    def close(self) -> None:
        """Finish what was handed over, do a last round if a thread flushes, and let go of everything."""
        self.writer.close()
        self.materialiser.close()
        self.waking.close()
        self.database.close()

    def submit(self, job: Job) -> str:
        """Record what a job decides; return once that is durable."""
        return self.writer.submit(job)

    def submit_refusal(self, job: Job) -> None:
        """Record the line of a refusal, which stays whatever becomes of what was refused."""
        self.submit(job)

    def watch(self, name: str = "watch") -> Watch:
        """Return a watch of this installation, which one process at a time has; it is not taken yet.

        `watch` is that of the notifications, `mailing` that of the e-mail.
        """
        return watch_of(self.database, name)

    # ── The whole directory ───────────────────────────────────────────────────────────────────────────────────────────

    def flush_all(self, progress: Progress | None) -> None:
        """Bring every repository up to date."""
        self.materialiser.flush_all(progress)

    def rebuild(self, progress: Progress) -> int:
        """Make the index anew from the repositories; return the number of records."""
        self.flush_all(None)
        with self.materialiser.lock.hold(FLUSH_LOCK_TIMEOUT_S):
            must_flush = realign(self.database, self.materialiser.root)
        if must_flush:
            self.flush_all(None)
        with self.materialiser.lock.hold(FLUSH_LOCK_TIMEOUT_S):
            return rebuild(self.database, self.materialiser.root, self.installation.custodian.id, progress)

    def audit(self, coordination_id: CoordinationId) -> Iterator[Finding]:
        """Compare journal and index with a record's repository."""
        return audit(self.database, self.materialiser.root, self.installation.custodian.id, coordination_id)

    def backup(self, target: Path, progress: Progress) -> None:
        """Write a backup of every record, and of what no record holds, while others may write."""
        records = [status.coordination_id for status in self.records()]
        backup(self.materialiser, self.database, self.data_dir, records, target, progress)

    def load_tables(self) -> None:
        """Fill a new database with the tables of a backup that was unpacked here."""
        load_tables(self.database, self.data_dir)

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def path(self, coordination_id: CoordinationId) -> Path:
        """Return where a record's repository is."""
        return record_path(self.materialiser.root, coordination_id)

    def status(self, coordination_id: CoordinationId) -> CoordinationStatus:
        """Return a record's status.

        Raises:
            UnknownRecordError: there is no such record.
        """
        with self.database.read() as connection:
            return parse_status(bytes(_find(connection, coordination_id)[5]))

    def records(self) -> Iterator[CoordinationStatus]:
        """Return every record's status, in the order of their ids."""
        after = b""
        while True:
            with self.database.read() as connection:
                rows = connection.all(statements.list_records, after=after, count=_PAGE)
            yield from (parse_status(bytes(row[5])) for row in rows)
            if len(rows) < _PAGE:
                return
            after = bytes(rows[-1][1])

    def find_clinical(self, clinical_id: ClinicalId) -> CoordinationId | None:
        """Return the record this installation keeps for a clinical record, if there is one."""
        with self.database.read() as connection:
            return find_clinical(connection, clinical_id, self.installation.custodian.id)

    def ledgers(self, coordination_id: CoordinationId) -> tuple[Ledger, ...]:
        """Return the ledgers of a record's threads, in the order of their ids, which is that of their making."""
        with self.database.snapshot() as connection:
            row = _find(connection, coordination_id)
            return tuple(parse_ledger(bytes(each[0])) for each in connection.all(statements.list_ledgers, key=row[0]))

    def thread(self, coordination_id: CoordinationId, thread_id: CommunicationId) -> StoredThread:
        """Return a thread as it stands.

        Raises:
            UnknownRecordError: there is no such record.
            UnknownThreadError: the record has no such thread.
        """
        with self.database.snapshot() as connection:
            row = _find(connection, coordination_id)
            thread = connection.one(statements.find_thread, key=row[0], communication_id=thread_id)
            if thread is None:
                raise UnknownThreadError(f"record {coordination_id} has no thread {thread_id}")
            entries = connection.all(statements.read_entries, key=row[0], no=thread[0])
        messages = tuple(parse_entry(bytes(each[0])) for each in entries)
        return StoredThread(bytes(row[3]).hex(), parse_ledger(bytes(thread[3])), messages)

    def message(self, coordination_id: CoordinationId, message_id: MessageId) -> tuple[Ledger, Message]:
        """Return a message, with the ledger of its thread.

        Raises:
            UnknownRecordError: there is no such record.
            UnknownMessageError: the record has no such message.
        """
        with self.database.snapshot() as connection:
            row = _find(connection, coordination_id)
            found = connection.one(statements.find_message, key=row[0], message_id=key_of(message_id))
        if found is None:
            raise UnknownMessageError(f"record {coordination_id} has no message {message_id}")
        return parse_ledger(bytes(found[1])), parse_entry(bytes(found[0]))

    def attachment(self, coordination_id: CoordinationId, thread_id: CommunicationId, path: str) -> bytes:
        """Return the content of a message's file, as the record has it. `path` begins with `attachments/`.

        Raises:
            IntegrityError: the repository lacks it.
        """
        with self.database.read() as connection:
            row = _find(connection, coordination_id)
            thread = connection.one(statements.find_thread, key=row[0], communication_id=thread_id)
        names = {} if thread is None else file_names(bytes(thread[5]))
        blob = names.get(path.removeprefix("attachments/").encode())
        if blob is None:
            raise IntegrityError(f"thread {thread_id} has no file {path}")
        self.materialiser.flush(coordination_id)
        with open_repository(self.path(coordination_id)) as repository:
            return repository.blob(blob)

    def history(self, coordination_id: CoordinationId) -> Iterator[HistoryEntry]:
        """Return a record's commits, oldest first, as its repository has them."""
        self.materialiser.flush(coordination_id)
        with open_repository(self.path(coordination_id)) as repository:
            for commit_id, commit in commits(repository):
                message = parse_commit_message(commit.message)
                trailers = dict(message.trailers)
                yield HistoryEntry(
                    commit=commit_id.hex(),
                    at=Instant(commit.committer.seconds * 1000),
                    author_name=commit.author.name,
                    author_id=commit.author.email.partition("@")[0],
                    summary=message.summary.value,
                    care_location=message.care_location,
                    thread_id=trailers.get(COMMUNICATION_ID),
                    message_id=trailers.get(MESSAGE_ID),
                    signed=commit.signature is not None,
                )


def _find(connection: Connection, coordination_id: CoordinationId) -> Row:
    row = connection.one(statements.find_record, coordination_id=bytes.fromhex(coordination_id))
    if row is None:
        raise UnknownRecordError(f"there is no record {coordination_id}")
    return row


def find_clinical(
    connection: Connection, clinical_id: ClinicalId, custodian_id: ParticipantId
) -> CoordinationId | None:
    """Return the record that a custodian keeps for a clinical record, if there is one."""
    row = connection.one(statements.find_clinical, clinical_id=key_of(clinical_id), custodian_id=key_of(custodian_id))
    return None if row is None else CoordinationId(bytes(row[0]).hex())
