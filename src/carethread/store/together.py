"""All or nothing: work of several steps that is recorded in one transaction, or leaves nothing but its refusals.

The work is given an archive that looks like any other. What is submitted to it is done at once, and whatever reads
from it sees that; so everything that works on an archive works inside, the directory's loads too. What needs a
repository does not: nothing of this is in one yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import text

from carethread.errors import IntegrityError, UnknownPersonError
from carethread.git.history import open_repository
from carethread.ids import CommunicationId, CoordinationId, ParticipantId
from carethread.store import directory_statements, statements
from carethread.store.archive import Archive, find_clinical
from carethread.store.database import Connection, Database
from carethread.store.journal import read_changes
from carethread.store.people import surviving_patient
from carethread.store.steps import Steps
from carethread.store.trees import file_names
from carethread.store.writer import Job

Result = TypeVar("Result")

_take_turn = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class _LentDatabase(Database):
    """The one connection of a transaction under way, lent to whoever reads or writes."""

    def __init__(self, lender: Database, steps: Steps[Job]) -> None:
        super().__init__(lender.url, lender.locks)
        self._steps = steps

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend the connection. On PostgreSQL, each statement sees what others have committed meanwhile."""
        with self._steps.reading() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend the connection. What the work has written to, or taken its turn for, stands still."""
        with self._steps.reading() as connection:
            yield connection

    @contextmanager
    def write(self, *, in_line: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - it is in already
        """Lend the connection. Nothing is committed at the end; an error fails the whole work."""
        with self._steps.all_or_nothing() as connection:
            yield connection

    def close(self) -> None:
        """Close nothing: it is lent."""


class Joined(Archive):
    """An archive inside the writer's transaction, for the work that it was given to, and no longer."""

    def __init__(self, lender: Archive, steps: Steps[Job], refused: list[Job]) -> None:
        """Lend an archive; `refused` takes the lines of what is refused."""
        self.data_dir = lender.data_dir
        self.clock = lender.clock
        self.mint = lender.mint
        # As it stands for everybody: no work of several steps changes it.
        self.clients = lender.clients
        self.installation = lender.installation
        self.materialiser = lender.materialiser
        self.writer = lender.writer
        self.waking = lender.waking
        self.database = _LentDatabase(lender.database, steps)
        self.steps = steps
        self.refused = refused

    def close(self) -> None:
        """Close nothing: it is lent."""

    def submit(self, job: Job) -> str:
        """Do a job at once, in the transaction."""
        return self.steps.submit(job)

    def submit_refusal(self, job: Job) -> None:
        """Keep the line of a refusal, which is stored however the work ends."""
        self.refused.append(job)

    def attachment(self, coordination_id: CoordinationId, thread_id: CommunicationId, path: str) -> bytes:
        """Return the content of a message's file, from the journal if it is in no repository yet."""
        with self.database.read() as connection:
            row = connection.one(statements.find_pending, coordination_id=bytes.fromhex(coordination_id))
            key, synced, head = (0, 0, 0) if row is None else row
            thread = connection.one(statements.find_thread, key=key, communication_id=thread_id)
            names = {} if thread is None else file_names(bytes(thread[5]))
            wanted = names.get(path.removeprefix("attachments/").encode())
            if wanted is None:
                raise IntegrityError(f"thread {thread_id} has no file {path}")
            pending = connection.all(statements.read_journal, key=key, after=synced, upto=head)
        for entry in pending:
            for change in read_changes(entry[3]):
                if change.blob == wanted:
                    return change.data
        with open_repository(self.path(coordination_id)) as repository:
            return repository.blob(wanted)


def together(archive: Archive, work: Callable[[Joined], Result]) -> Result:
    """Do work of several steps: all of it becomes durable, or none.

    It is done while all other writers wait: it must not wait for anything itself, least of all for another thread.
    It may be begun anew, after everything was rolled back, where the database prefers another transaction. Inside
    such work, further such work joins it, and fails all of it if it fails.

    Raises:
        TooMuchError: it takes more steps, bytes or time than others are made to wait.
        CarethreadError: what the work raises. Nothing was recorded but its refusals.
    """
    if isinstance(archive, Joined):
        with archive.steps.all_or_nothing():
            return work(archive)
    refused: list[Job] = []

    def whole(steps: Steps[Job]) -> Result:
        refused.clear()
        result = work(Joined(archive, steps, refused))
        # The work has got over them: they are recorded with what it did instead.
        for job in refused:
            steps.submit(job)
        return result

    try:
        return archive.writer.together(whole)
    except BaseException:
        for job in refused:
            archive.submit(job)
        raise


def take_turn(archive: Archive, patient: ParticipantId | None) -> None:
    """Let nobody else do what takes the same turn, until the transaction ends: about a patient, or in the directory.

    Ask for it before anything is read that decides. A patient's record stands still from then on, if there is one. On
    SQLite, whoever writes is alone.
    """
    with archive.database.read() as connection:
        if connection.is_sqlite:
            return
        if patient is None:
            # What a load of the directory takes, too.
            connection.one(directory_statements.lock_generation, one=1)
            return
        try:
            clinical_id = surviving_patient(connection, patient).clinical_id
        except UnknownPersonError:
            # What is wanted will be refused, in its own words.
            return
        take_turn_as(connection, clinical_id)
        record = find_clinical(connection, clinical_id, archive.installation.custodian.id)
        if record is not None:
            archive.database.lock_record(connection, bytes.fromhex(record))


def take_turn_as(connection: Connection, name: str) -> None:
    """Let nobody else take the turn of this name, until the transaction ends."""
    if not connection.is_sqlite:
        connection.one(_take_turn, name=name)
