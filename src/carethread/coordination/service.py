"""An installation, opened: its records as a whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from carethread.clock import Clock, system_clock
from carethread.coordination.record import CoordinationRecord
from carethread.errors import DuplicateRecordError, IntegrityError
from carethread.git.signatures import Trust, load_signer, load_trust
from carethread.ids import (
    ClinicalId,
    CoordinationId,
    IdSource,
    mint_coordination_id,
    parse_clinical_id,
    parse_coordination_id,
    random_uuid,
)
from carethread.record import intake, transitions
from carethread.record.finding import Finding
from carethread.record.intake import check_care_location
from carethread.record.model import Author, CoordinationStatus, Progress
from carethread.record.transitions import Occasion
from carethread.store.archive import Archive, find_clinical
from carethread.store.backup import unpack
from carethread.store.clients import Clients
from carethread.store.database import Connection, Parameters
from carethread.store.directory import Directory
from carethread.store.journal import first_row
from carethread.store.materialise import Backlog
from carethread.store.writer import Decision, Job
from carethread.verify import verify_record


class CoordinationService:
    """One data directory, opened for reading and writing.

    Thread-safe, and usable by several processes at once on one data directory. Open it after a fork, not before.
    """

    def __init__(self, archive: Archive) -> None:
        """Use `CoordinationService.open`."""
        self._archive = archive

    @classmethod
    def open(
        cls,
        data_dir: str | Path,
        *,
        database_url: str | None = None,
        name: str | None = None,
        domain: str | None = None,
        signing_key: Path | None = None,
        signing_certificate: Path | None = None,
        clock: Clock = system_clock,
        mint: IdSource = random_uuid,
        flushes: bool = True,
    ) -> Self:
        """Open a data directory, and make it where there is none.

        Args:
            data_dir: where the records are.
            database_url: a PostgreSQL database; left out, SQLite in the data directory.
            name: what the installation is called, said once when it is made.
            domain: the right side of people's addresses in commits, said once likewise.
            signing_key: a PEM or OpenSSH private key with which every commit is signed.
            signing_certificate: the PEM certificate for a CMS signature; without it, the key signs as SSH does.
            clock: what time it is.
            mint: where new UUIDs come from.
            flushes: whether a thread of this process writes the repositories in the background.

        Raises:
            ConfigurationError: a setting is wrong; the message names it.
            SchemaError: the data directory is of a newer version.
            StorageError: the disk or the database cannot be used.
        """
        signer = None if signing_key is None else load_signer(signing_key, signing_certificate)
        return cls(
            Archive(
                Path(data_dir),
                database_url=database_url,
                name=name,
                domain=domain,
                signer=signer,
                clock=clock,
                mint=mint,
                flushes=flushes,
            )
        )

    @property
    def directory(self) -> Directory:
        """The people and organisations this installation knows."""
        return Directory(self._archive.database, self._archive.clock, self._archive.mint)

    @property
    def clients(self) -> Clients:
        """The programs this installation knows."""
        return self._archive.clients

    @property
    def archive(self) -> Archive:
        """The store underneath, for what stands beside the record: reads, writes, the application."""
        return self._archive

    @classmethod
    def restore(
        cls,
        source: Path,
        data_dir: Path,
        *,
        database_url: str | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Unpack a backup into a new data directory, make its index, and open it.

        Raises:
            ConfigurationError: the directory is not empty.
            IntegrityError: the backup is damaged.
            StorageError: the disk failed.
        """
        unpack(source, data_dir, progress or _silent)
        service = cls.open(data_dir, database_url=database_url)
        try:
            service.archive.load_tables()
            service.rebuild(progress)
        except BaseException:
            service.close()
            raise
        return service

    def __enter__(self) -> Self:
        """Use the service in a `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the service."""
        self.close()

    def close(self) -> None:
        """Finish what was handed over and let go of everything. What is not flushed stays in the journal."""
        self._archive.close()

    def initialise(self, author: Author, care_location: str, clinical_id: ClinicalId | str) -> CoordinationRecord:
        """Begin the coordination record of a patient.

        Raises:
            InvalidValueError: a value is not in order.
            DuplicateRecordError: this installation keeps a record for this clinical id.
        """
        archive = self._archive
        clinical = parse_clinical_id(clinical_id)
        person = intake.check_author_value(author)
        location = check_care_location(care_location)
        coordination_id = mint_coordination_id(archive.mint)
        custodian = archive.installation.custodian
        status = CoordinationStatus(coordination_id, clinical, custodian)

        def begin(connection: Connection) -> tuple[Parameters, Decision]:
            if find_clinical(connection, clinical, custodian.id) is not None:
                raise DuplicateRecordError(f"clinical record {clinical} has a coordination record already")
            now = archive.clock()
            transition = transitions.initialise(Occasion(person, location, now, now), status)
            return first_row(transition, status), Decision(coordination_id, transition)

        archive.submit(Job(coordination_id, None, begin))
        return CoordinationRecord(archive, coordination_id)

    def record(self, coordination_id: CoordinationId | str) -> CoordinationRecord:
        """Return a record that was initialised.

        Raises:
            UnknownRecordError: there is no such record.
        """
        known = parse_coordination_id(coordination_id)
        self._archive.status(known)
        return CoordinationRecord(self._archive, known)

    def find_record(self, clinical_id: ClinicalId | str) -> CoordinationRecord | None:
        """Return the record of a patient, if there is one."""
        found = self._archive.find_clinical(parse_clinical_id(clinical_id))
        return None if found is None else CoordinationRecord(self._archive, found)

    def records(self) -> Iterator[CoordinationStatus]:
        """Return the status of every record, in the order of their ids."""
        return self._archive.records()

    def flush(self, progress: Progress | None = None) -> None:
        """Bring every repository up to date with what was acknowledged.

        Raises:
            IntegrityError: some repository is not what the journal expects; all others are up to date.
            StorageError: the disk failed.
        """
        self._archive.flush_all(progress)

    def verify(
        self,
        coordination_ids: Sequence[CoordinationId] | None = None,
        progress: Progress | None = None,
        *,
        trusted_certificates: Path | None = None,
        allowed_signers: Path | None = None,
    ) -> Iterator[Finding]:
        """Check records: their whole history by itself, then journal and index against it.

        Args:
            coordination_ids: which records; left out, every record.
            progress: told how many records are done, of how many.
            trusted_certificates: PEM certificates of authorities. With these or the next, every commit must be signed.
            allowed_signers: SSH keys in the form of ssh-keygen's file of allowed signers.

        Raises:
            ConfigurationError: a file of trust cannot be read.
        """
        asks_for_signatures = trusted_certificates is not None or allowed_signers is not None
        trust = load_trust(trusted_certificates, allowed_signers) if asks_for_signatures else None
        wanted = coordination_ids
        if wanted is None:
            wanted = [status.coordination_id for status in self.records()]
        report = progress or _silent
        for done, coordination_id in enumerate(wanted):
            report(done, len(wanted))
            yield from self._verify(coordination_id, trust)
        report(len(wanted), len(wanted))

    def _verify(self, coordination_id: CoordinationId, trust: Trust | None) -> Iterator[Finding]:
        archive = self._archive
        try:
            archive.materialiser.flush(coordination_id)
        except IntegrityError as error:
            yield Finding(coordination_id, "journal-flush", f"The journal cannot be flushed: {error}")
        yield from verify_record(archive.path(coordination_id), coordination_id=coordination_id, trust=trust)
        yield from archive.audit(coordination_id)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make the index anew from the repositories; return the number of records.

        Raises:
            IntegrityError: a repository cannot be read or is missing; the index is left as it was.
        """
        return self._archive.rebuild(progress or _silent)

    def backup(self, target: Path, progress: Progress | None = None) -> None:
        """Write a backup to a new file, while others may write.

        Raises:
            ConfigurationError: the file exists.
            IntegrityError: a repository is not what the journal expects.
            StorageError: the disk failed.
        """
        self._archive.backup(target, progress or _silent)

    def backlog(self) -> Backlog:
        """Say how much is acknowledged and not yet in the repositories."""
        return self._archive.materialiser.backlog()


def _silent(done: int, total: int) -> None:
    """Report progress to nobody."""
