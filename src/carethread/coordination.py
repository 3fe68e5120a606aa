"""The library's core: records of coordination, their threads and messages.

`CoordinationService` applies the record's rules and trusts its caller on who acts; whether somebody may is decided
above it. Every call that records something returns when that is durable, and records nothing when it raises.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from carethread.clock import Clock, system_clock
from carethread.errors import (
    DuplicateRecordError,
    IntegrityError,
)
from carethread.git.signatures import Trust, load_signer, load_trust
from carethread.ids import (
    ClinicalId,
    CommunicationId,
    CoordinationId,
    IdSource,
    MessageId,
    ParticipantId,
    mint_coordination_id,
    mint_message_id,
    parse_clinical_id,
    parse_communication_id,
    parse_coordination_id,
    parse_message_id,
    random_uuid,
)
from carethread.record import intake, rules, transitions
from carethread.record.finding import Finding
from carethread.record.intake import check_care_location
from carethread.record.model import (
    Addressing,
    Author,
    ClientIdentifier,
    Communication,
    CoordinationStatus,
    HistoryEntry,
    Ledger,
    LedgerUpdate,
    Message,
    MessageContent,
    Participant,
    Policies,
    Progress,
    StatusUpdate,
    Visibility,
)
from carethread.record.transitions import NewThread, Occasion, Transition, made_message, made_thread
from carethread.store.archive import Archive, find_clinical
from carethread.store.backup import unpack
from carethread.store.database import Connection, Parameters
from carethread.store.identifiers import check_same, comparable, new_identifier
from carethread.store.journal import first_row
from carethread.store.materialise import Backlog
from carethread.store.state import rules_view
from carethread.store.writer import Decision, Job, View
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

    def initialise(self, author: Author, care_location: str, clinical_id: ClinicalId | str) -> "CoordinationRecord":
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

    def record(self, coordination_id: CoordinationId | str) -> "CoordinationRecord":
        """Return a record that was initialised.

        Raises:
            UnknownRecordError: there is no such record.
        """
        known = parse_coordination_id(coordination_id)
        self._archive.status(known)
        return CoordinationRecord(self._archive, known)

    def find_record(self, clinical_id: ClinicalId | str) -> "CoordinationRecord | None":
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


class CoordinationRecord:
    """The coordination record of one patient."""

    def __init__(self, archive: Archive, coordination_id: CoordinationId) -> None:
        """Use `CoordinationService.initialise` or `CoordinationService.record`."""
        self._archive = archive
        self.coordination_id = coordination_id

    @property
    def path(self) -> Path:
        """The repository of this record. `flush` first: it may be behind what was acknowledged."""
        return self._archive.path(self.coordination_id)

    def flush(self) -> None:
        """Bring the repository up to date with what was acknowledged."""
        self._archive.materialiser.flush(self.coordination_id)

    # ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def communication_create(
        self,
        author: Author,
        care_location: str,
        participants: tuple[Participant, ...] | list[Participant],
        initial_message: MessageContent | None = None,
        *,
        addressing: Addressing | None = None,
        continues: CommunicationId | None = None,
        visibility: Visibility | None = None,
        policies: Policies | None = None,
        client_identifier: ClientIdentifier | None = None,
    ) -> CommunicationId:
        """Open a thread, with or without a first message.

        Args:
            author: the individual who opens it, one of the participants.
            care_location: where that happens, in one line.
            participants: who takes part.
            initial_message: the first message.
            addressing: who asks, where replies go, and who is asked; left out, everyone writes to everyone.
            continues: the closed thread of this record that this one takes up.
            visibility: who among the members of participating groups may read.
            policies: who may become a participant.
            client_identifier: what the client calls this thread.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            RuleError: the record's rules refuse it.
            IdentifierConflictError: the client identifier stands for something else.
        """
        archive = self._archive
        new = NewThread(
            intake.check_participant_values(participants, "participants"),
            addressing,
            continues,
            intake.check_visibility_value(visibility or Visibility()),
            policies or Policies(),
        )
        if continues is not None:
            parse_communication_id(continues, "continues")
        prepared = None if initial_message is None else intake.prepare(initial_message)
        unique = archive.mint()
        message_id = mint_message_id(archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            connection, state = view.connection, view.state
            opening = None
            if prepared is not None:
                opening = (message_id, prepared, state.message(connection, prepared.content.corrects))
            continued = None if continues is None else state.ledger(connection, continues)
            return transitions.create_thread(occasion, state.status, unique, new, opening, continued)

        asked = ("communication_create", author.id, new, comparable(prepared))
        return CommunicationId(self._record(author, care_location, compose, made_thread, client_identifier, asked))

    def add_message(
        self,
        author: Author,
        care_location: str,
        thread_id: CommunicationId | str,
        content: MessageContent,
        *,
        client_identifier: ClientIdentifier | None = None,
    ) -> MessageId:
        """Append a message, or a correction, to an open thread.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            UnknownThreadError: the record has no such thread.
            UnknownMessageError: what the content corrects or answers is not there.
            RuleError: the record's rules refuse it.
            IdentifierConflictError: the client identifier stands for something else.
        """
        thread = parse_communication_id(thread_id, "thread_id")
        prepared = intake.prepare(content)
        message_id = mint_message_id(self._archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            connection, state = view.connection, view.state
            return transitions.add_message(
                occasion,
                state.status,
                rules_view(state.thread(connection, thread)),
                message_id,
                prepared,
                state.message(connection, content.corrects),
                state.message(connection, content.in_response_to),
            )

        asked = ("add_message", author.id, thread, comparable(prepared))
        return MessageId(self._record(author, care_location, compose, made_message, client_identifier, asked))

    def update_communication_ledger(
        self,
        author: Author,
        care_location: str,
        thread_id: CommunicationId | str,
        update: LedgerUpdate,
        *,
        on_behalf_of: ParticipantId | None = None,
    ) -> MessageId:
        """Change a thread's ledger; return the id of the system entry that tells of it.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            UnknownThreadError: the record has no such thread.
            RuleError: the record's rules refuse it.
        """
        thread = parse_communication_id(thread_id, "thread_id")
        checked = intake.check_update_value(update)
        message_id = mint_message_id(self._archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            current = rules_view(view.state.thread(view.connection, thread))
            return transitions.update_ledger(occasion, view.state.status, current, message_id, checked, on_behalf_of)

        return MessageId(self._record(author, care_location, compose, made_message))

    def update_coordination_status(self, author: Author, care_location: str, update: StatusUpdate) -> None:
        """Suspend, resume or close the record, or change what it accepts.

        Raises:
            RuleError: the record's rules refuse it.
        """
        checked = intake.check_status_value(update)

        def compose(view: View, occasion: Occasion) -> Transition:
            return transitions.update_status(occasion, view.state.status, checked)

        self._record(author, care_location, compose, lambda _: "")

    def _record(
        self,
        author: Author,
        care_location: str,
        compose: Callable[[View, Occasion], Transition],
        result_of: Callable[[Transition], str],
        client_identifier: ClientIdentifier | None = None,
        asked: object = None,
    ) -> str:
        """Have a transition composed under the record's lock and made durable; return the id of what it made.

        Where the client's identifier is known, nothing is recorded, and the id is of what it made before.
        """
        archive = self._archive
        person = intake.check_author_value(author)
        location = check_care_location(care_location)
        request = None if client_identifier is None else new_identifier(client_identifier, asked)

        def decide(view: View) -> Decision:
            state = view.state
            rules.check_custodian(state.status, archive.installation.custodian.id)
            if request is not None:
                known = state.identifier(view.connection, request.client, request.value)
                if known is not None:
                    check_same(request, known)
                    return Decision(known.result)
            trailers = () if request is None else request.trailers
            transition = compose(view, Occasion(person, location, archive.clock(), state.last, trailers))
            result = result_of(transition)
            return Decision(result, transition, None if request is None else replace(request, result=result))

        return archive.submit(Job(self.coordination_id, decide))

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> CoordinationStatus:
        """Return the record's status."""
        return self._archive.status(self.coordination_id)

    def communications(self) -> tuple[Ledger, ...]:
        """Return the ledgers of all threads, oldest first, archived ones too."""
        return self._archive.ledgers(self.coordination_id)

    def read_communication(self, thread_id: CommunicationId | str) -> Communication:
        """Return a thread with its messages, as acknowledged.

        Raises:
            UnknownThreadError: the record has no such thread.
        """
        found = self._archive.thread(self.coordination_id, parse_communication_id(thread_id, "thread_id"))
        return Communication(found.version, found.ledger, found.messages)

    def read_message(self, message_id: MessageId | str) -> tuple[Ledger, Message]:
        """Return a message, and the ledger of the thread it stands in.

        Raises:
            UnknownMessageError: the record has no such message.
        """
        return self._archive.message(self.coordination_id, parse_message_id(message_id))

    def history(self) -> Iterator[HistoryEntry]:
        """Return the record's commits, oldest first, as its repository has them."""
        return self._archive.history(self.coordination_id)


def _silent(done: int, total: int) -> None:
    """Report progress to nobody."""
