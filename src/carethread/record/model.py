"""The values a record is made of.

Everything here is immutable and knows nothing of files, Git or SQL. Names are the glossary's and FHIR's.
Instants are milliseconds UTC (`carethread.clock`), sizes are bytes.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from carethread.clock import Instant
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, MessageId, ParticipantId

# Told of long work: how much is done, of how much.
Progress = Callable[[int, int], None]


class Role(StrEnum):
    """What a participant is in a thread."""

    CLINICIAN = "clinician"
    CARE_ADMINISTRATOR = "care_administrator"
    PATIENT = "patient"
    PATIENT_ASSOCIATE = "patient_associate"
    ORGANISATION = "organisation"
    CARE_TEAM = "care_team"
    SYSTEM = "system"


INDIVIDUAL_ROLES = frozenset({Role.CLINICIAN, Role.CARE_ADMINISTRATOR, Role.PATIENT, Role.PATIENT_ASSOCIATE})
GROUP_ROLES = frozenset({Role.ORGANISATION, Role.CARE_TEAM})
PATIENT_SIDE_ROLES = frozenset({Role.PATIENT, Role.PATIENT_ASSOCIATE})


class MessageType(StrEnum):
    """What an entry of `thread.md` is."""

    CLINICIAN = "clinician"
    PATIENT = "patient"
    SYSTEM = "system"
    CORRECTION = "correction"


class ThreadStatus(StrEnum):
    """Where a thread is in its life: open, then closed, then archived, never back."""

    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Sensitivity(StrEnum):
    """Who among the members of participating groups may read."""

    STANDARD = "standard"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class LifecycleState(StrEnum):
    """Where a record is in its life. A suspended record takes a status change only; closed is final."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Author(Struct, frozen=True):
    """The individual who acts. `role` is one of the individual roles."""

    id: ParticipantId
    name: str
    role: Role = Role.CLINICIAN


class Participant(Struct, frozen=True):
    """Somebody, or a group, who takes part in a thread. The name is a snapshot."""

    id: ParticipantId
    role: Role
    name: str


class Party(Struct, frozen=True):
    """An id with the name it had when it was written down."""

    id: ParticipantId
    name: str


class Attachment(Struct, frozen=True):
    """A file that a message carries, as `thread.md` names it. `size` in bytes."""

    sha256: str
    media_type: str
    size: int
    file_name: str


class AttachmentContent(Struct, frozen=True):
    """A file to be recorded with a message."""

    data: bytes
    media_type: str
    file_name: str


class MessageContent(Struct, frozen=True):
    """What an author wants recorded.

    `recipients` names participants of the thread; left out, they are derived from the thread's addressing.
    `sent` is when the author sent it, if a sending system says so. `via` is that system.
    """

    body: str = ""
    corrects: MessageId | None = None
    in_response_to: MessageId | None = None
    on_behalf_of: ParticipantId | None = None
    recipients: tuple[ParticipantId, ...] = ()
    attachments: tuple[AttachmentContent, ...] = ()
    sent: Instant | None = None
    via: Party | None = None


class Message(Struct, frozen=True):
    """One entry of `thread.md`.

    `author_role` is set exactly where `type` alone does not say it. `to` is empty in a plain thread, where a
    message goes to everyone taking part.
    """

    id: MessageId
    type: MessageType
    timestamp: Instant
    author_id: ParticipantId
    author_name: str
    body: str
    author_role: Role | None = None
    on_behalf_of: Party | None = None
    to: tuple[Party, ...] = ()
    in_response_to: MessageId | None = None
    corrects: MessageId | None = None
    sent: Instant | None = None
    via: Party | None = None
    attachments: tuple[Attachment, ...] = ()


class Addressing(Struct, frozen=True):
    """Who opened a thread, where replies go, and to whom it is addressed. All are participants."""

    requester: ParticipantId
    recipients: tuple[ParticipantId, ...]
    reply_to: ParticipantId | None = None


class Visibility(Struct, frozen=True):
    """How far members of participating groups may read."""

    sensitivity: Sensitivity = Sensitivity.STANDARD
    restricted: bool = False


class Policies(Struct, frozen=True):
    """Who may become a participant."""

    allow_patient_participation: bool = True
    allow_external_organisations: bool = True


class Ledger(Struct, frozen=True):
    """What `ledger.yaml` says of a thread."""

    communication_id: CommunicationId
    created_at: Instant
    last_updated_at: Instant
    participants: tuple[Participant, ...]
    status: ThreadStatus = ThreadStatus.OPEN
    addressing: Addressing | None = None
    continues: CommunicationId | None = None
    visibility: Visibility = Visibility()
    policies: Policies = Policies()


class LedgerUpdate(Struct, frozen=True):
    """What is to change in a thread's ledger; what is left out stays."""

    status: ThreadStatus | Literal["closed", "archived"] | None = None
    add_participants: tuple[Participant, ...] = ()
    remove_participants: tuple[ParticipantId, ...] = ()
    visibility: Visibility | None = None
    policies: Policies | None = None
    addressing: Addressing | None = None


class Custodian(Struct, frozen=True):
    """The one installation that writes a record."""

    id: ParticipantId
    name: str


class CoordinationStatus(Struct, frozen=True):
    """What `COORDINATION_STATUS.yaml` says of a record."""

    coordination_id: CoordinationId
    clinical_id: ClinicalId
    custodian: Custodian
    lifecycle_state: LifecycleState = LifecycleState.ACTIVE
    record_open: bool = True
    record_queryable: bool = True
    record_modifiable: bool = True


class StatusUpdate(Struct, frozen=True):
    """What is to change in a record's status; what is left out stays."""

    lifecycle_state: LifecycleState | None = None
    record_open: bool | None = None
    record_queryable: bool | None = None
    record_modifiable: bool | None = None


class ClientIdentifier(Struct, frozen=True):
    """What a client calls what it asks for. Asked again under the same name, nothing is recorded twice.

    `client` is the acting client, `value` its own identifier; both scoped to one record.
    """

    client: str
    value: str


class BusinessIdentifier(Struct, frozen=True):
    """What something is called outside, such as a message's number in the system that sent it.

    `system` is a URI, or empty where nobody said in which system.
    """

    system: str
    value: str


class Naming(Struct, frozen=True):
    """What a client calls the thread or message it creates.

    `resource_id` is the id it is to have as a FHIR resource, unique in the installation; `identifiers` need not be.
    """

    resource_id: str | None = None
    identifiers: tuple[BusinessIdentifier, ...] = ()


class Communication(Struct, frozen=True):
    """A thread as it stands. `version` is the id of the commit that was read."""

    version: str
    ledger: Ledger
    messages: tuple[Message, ...]


class HistoryEntry(Struct, frozen=True):
    """One commit of a record, in plain words. `commit` is its full id, `at` its time to the second."""

    commit: str
    at: Instant
    author_name: str
    author_id: str
    summary: str
    care_location: str
    thread_id: str | None
    message_id: str | None
    signed: bool
