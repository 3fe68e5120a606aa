"""What `--json` answers: one document per command, with keys that stay.

Times are texts such as `2026-01-11T14:36:15.234Z`. A key is always there; what does not apply is `null` or empty.
"""

from typing import Self

from msgspec import Struct

from carethread import Finding, HistoryEntry
from carethread.clock import format_instant
from carethread.directory.fhir_write import fhir_name
from carethread.directory.model import Entry
from carethread.record.model import Addressing, CoordinationStatus, Ledger, Message, Participant, Party


class InstallationDocument(Struct, frozen=True):
    """The installation that writes a record."""

    id: str
    name: str


class RecordDocument(Struct, frozen=True):
    """A record. `path` is its repository."""

    coordination_id: str
    clinical_id: str
    custodian: InstallationDocument
    lifecycle_state: str
    record_open: bool
    record_queryable: bool
    record_modifiable: bool
    path: str

    @classmethod
    def of(cls, status: CoordinationStatus, path: str) -> Self:
        """Describe a record by its status."""
        return cls(
            status.coordination_id,
            status.clinical_id,
            InstallationDocument(status.custodian.id, status.custodian.name),
            status.lifecycle_state.value,
            status.record_open,
            status.record_queryable,
            status.record_modifiable,
            path,
        )


class RecordsDocument(Struct, frozen=True):
    """All records, in the order of their ids."""

    records: tuple[RecordDocument, ...]


class PartyDocument(Struct, frozen=True):
    """Somebody, with the name they had."""

    id: str
    name: str

    @classmethod
    def of(cls, party: Party) -> Self:
        """Describe somebody."""
        return cls(party.id, party.name)


class ParticipantDocument(Struct, frozen=True):
    """Somebody, or a group, who takes part in a thread."""

    participant_id: str
    role: str
    display_name: str

    @classmethod
    def of(cls, participant: Participant) -> Self:
        """Describe a participant."""
        return cls(participant.id, participant.role.value, participant.name)


class AddressingDocument(Struct, frozen=True):
    """Who asked, where replies go, and who was asked; ids of participants."""

    requester: str
    reply_to: str | None
    recipients: tuple[str, ...]

    @classmethod
    def of(cls, addressing: Addressing) -> Self:
        """Describe an addressing."""
        return cls(addressing.requester, addressing.reply_to, addressing.recipients)


class LedgerDocument(Struct, frozen=True):
    """A thread's ledger. In a plain thread, `addressing` is `null`."""

    communication_id: str
    status: str
    created_at: str
    last_updated_at: str
    participants: tuple[ParticipantDocument, ...]
    addressing: AddressingDocument | None
    continues: str | None
    sensitivity: str
    restricted: bool
    allow_patient_participation: bool
    allow_external_organisations: bool

    @classmethod
    def of(cls, ledger: Ledger) -> Self:
        """Describe a ledger."""
        return cls(
            ledger.communication_id,
            ledger.status.value,
            format_instant(ledger.created_at),
            format_instant(ledger.last_updated_at),
            tuple(ParticipantDocument.of(each) for each in ledger.participants),
            None if ledger.addressing is None else AddressingDocument.of(ledger.addressing),
            ledger.continues,
            ledger.visibility.sensitivity.value,
            ledger.visibility.restricted,
            ledger.policies.allow_patient_participation,
            ledger.policies.allow_external_organisations,
        )


class AttachmentDocument(Struct, frozen=True):
    """A file that a message carries; `size` in bytes."""

    sha256: str
    media_type: str
    size: int
    file_name: str


class MessageDocument(Struct, frozen=True):
    """One entry of a thread. `author_role` is `null` where `type` says it; `to` is empty in a plain thread."""

    message_id: str
    type: str
    timestamp: str
    author_id: str
    author: str
    author_role: str | None
    on_behalf_of: PartyDocument | None
    to: tuple[PartyDocument, ...]
    in_response_to: str | None
    corrects: str | None
    sent: str | None
    via: PartyDocument | None
    attachments: tuple[AttachmentDocument, ...]
    body: str

    @classmethod
    def of(cls, message: Message) -> Self:
        """Describe a message."""
        return cls(
            message.id,
            message.type.value,
            format_instant(message.timestamp),
            message.author_id,
            message.author_name,
            None if message.author_role is None else message.author_role.value,
            None if message.on_behalf_of is None else PartyDocument.of(message.on_behalf_of),
            tuple(PartyDocument.of(each) for each in message.to),
            message.in_response_to,
            message.corrects,
            None if message.sent is None else format_instant(message.sent),
            None if message.via is None else PartyDocument.of(message.via),
            tuple(
                AttachmentDocument(each.sha256, each.media_type, each.size, each.file_name)
                for each in message.attachments
            ),
            message.body,
        )


class ThreadsDocument(Struct, frozen=True):
    """A record's threads, oldest first; for a person, a patient's, newest activity first, without `coordination_id`."""

    coordination_id: str | None
    threads: tuple[LedgerDocument, ...]


class CorrectionDocument(Struct, frozen=True):
    """That the message `corrects` is corrected in another thread."""

    corrects: str
    communication_id: str
    message_id: str


class AsideDocument(Struct, frozen=True):
    """That a thread is set aside for a group until its next message, by whom, and when; ids of the directory."""

    communication_id: str
    group: str
    person: str
    at: str


class ThreadDocument(Struct, frozen=True):
    """A thread with its messages. `version` is the commit that was read.

    What is elsewhere, and who has set it aside, is only said to a person, as far as they may read it.
    """

    coordination_id: str
    version: str
    ledger: LedgerDocument
    messages: tuple[MessageDocument, ...]
    corrected_elsewhere: tuple[CorrectionDocument, ...] = ()
    continued_by: tuple[str, ...] = ()
    set_aside: tuple[AsideDocument, ...] = ()


class LedgerOfRecordDocument(Struct, frozen=True):
    """A thread's ledger, and the system entry that tells of its change, if it was changed now.

    Whoever changed it so that they may not read it any more is told the id of the entry alone.
    """

    coordination_id: str | None
    message_id: str | None
    ledger: LedgerDocument | None


class RecordedDocument(Struct, frozen=True):
    """What was recorded. `message_id` is `null` for a thread that was opened without a message."""

    coordination_id: str
    communication_id: str
    message_id: str | None


class MessageOfRecordDocument(Struct, frozen=True):
    """A message, and where it stands."""

    coordination_id: str
    communication_id: str
    message: MessageDocument


class CommitDocument(Struct, frozen=True):
    """One commit of a record; its time is to the second."""

    commit: str
    at: str
    author_id: str
    author: str
    summary: str
    care_location: str
    communication_id: str | None
    message_id: str | None
    signed: bool

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """Describe a commit."""
        return cls(
            entry.commit,
            format_instant(entry.at),
            entry.author_id,
            entry.author_name,
            entry.summary,
            entry.care_location,
            entry.thread_id,
            entry.message_id,
            entry.signed,
        )


class HistoryDocument(Struct, frozen=True):
    """A record's commits, oldest first."""

    coordination_id: str
    commits: tuple[CommitDocument, ...]


class IdentifierDocument(Struct, frozen=True):
    """A business identifier; `system` is a URI."""

    system: str
    value: str


class EntryDocument(Struct, frozen=True):
    """An entry of the directory. `reference` is such as `Practitioner/A1`; a practitioner's role has no name."""

    id: str
    reference: str
    name: str | None
    active: bool
    identifiers: tuple[IdentifierDocument, ...]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Describe an entry."""
        return cls(
            entry.id,
            fhir_name(entry),
            getattr(entry, "name", None),
            entry.active,
            tuple(IdentifierDocument(each.system, each.value) for each in entry.identifiers),
        )


class EntriesDocument(Struct, frozen=True):
    """A page of entries, by name. The next page is `after` the last one's id."""

    entries: tuple[EntryDocument, ...]


class NamedEntryDocument(Struct, frozen=True):
    """That an entry names another, in a field such as `organization`."""

    field: str
    entry: EntryDocument


class MembershipDocument(Struct, frozen=True):
    """That a person is a member of a group, as what; in the records of one patient only, if there is a `patient`."""

    person: str
    group: str
    standing: str
    patient: str | None


class AppointmentDocument(Struct, frozen=True):
    """That somebody is, or was, an auditor or steward."""

    duty: str
    appointed_at: str
    appointed_by: str
    ended_at: str | None
    ended_by: str | None


class EntryDetailsDocument(Struct, frozen=True):
    """An entry with what surrounds it. What its kind does not have is `null` or empty; `start` and `end` are a period.

    `memberships` are those of a person, or those in a group.
    """

    entry: EntryDocument
    standing: str | None
    clinical_id: str | None
    birth_date: str | None
    start: str | None
    end: str | None
    names: tuple[NamedEntryDocument, ...]
    memberships: tuple[MembershipDocument, ...]
    appointments: tuple[AppointmentDocument, ...]


class LoadedDocument(Struct, frozen=True):
    """How many entries were made, changed and left as they are; which elements were there and are not kept."""

    made: int
    changed: int
    unchanged: int
    not_kept: tuple[str, ...]


class ExportedDocument(Struct, frozen=True):
    """Where a Bundle of all entries was written, and its size in bytes."""

    place: str
    size: int


class VersionDocument(Struct, frozen=True):
    """An entry as it stood from a time on."""

    version: int
    recorded_at: str
    recorded_by: str
    entry: EntryDocument


class VersionsDocument(Struct, frozen=True):
    """The versions of an entry, oldest first."""

    versions: tuple[VersionDocument, ...]


class AppointedDocument(Struct, frozen=True):
    """Whose duty begins or ends; `changed` says whether it was not so before."""

    person: str
    duty: str
    changed: bool


class ClientDocument(Struct, frozen=True):
    """A program that may ask: for the members of which organisations, and whose entries of the directory it writes."""

    client_id: str
    id: str
    name: str
    speaks_for: tuple[EntryDocument, ...]
    manages: tuple[EntryDocument, ...]
    manages_all: bool
    active: bool


class ClientsDocument(Struct, frozen=True):
    """All clients, by what they are called in tokens."""

    clients: tuple[ClientDocument, ...]


class ChangedClientDocument(Struct, frozen=True):
    """A client as it is now; `changed` says whether it was not so before."""

    client: ClientDocument
    changed: bool


class ClientVersionDocument(Struct, frozen=True):
    """A client as it was from then on, and who recorded that."""

    number: int
    recorded_at: str
    recorded_by: str
    client: ClientDocument


class ClientVersionsDocument(Struct, frozen=True):
    """All versions of a client, oldest first."""

    versions: tuple[ClientVersionDocument, ...]


class FindingDocument(Struct, frozen=True):
    """One fault. What does not apply is empty, or 0 for `line`."""

    code: str
    record: str
    commit: str
    path: str
    line: int
    sentence: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Describe a finding."""
        return cls(finding.code, finding.record, finding.commit, finding.path, finding.line, finding.sentence)


class VerificationDocument(Struct, frozen=True):
    """How many records were checked, and what was found."""

    records: int
    findings: tuple[FindingDocument, ...]


class OperationDocument(Struct, frozen=True):
    """Work on `records` records; `place` is what was written, where there is one."""

    records: int
    place: str | None


class ServingDocument(Struct, frozen=True):
    """That it is served: the FHIR base as clients know it, and where it listens."""

    base_url: str
    address: str
    port: int
