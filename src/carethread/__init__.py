"""Clinical conversations as a record: immutable, in Git, one repository per patient, readable without us.

```pycon
>>> from carethread import Author, CoordinationService

```
"""

from carethread.coordination import CoordinationRecord, CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.record.finding import Finding
from carethread.record.model import (
    Addressing,
    Attachment,
    AttachmentContent,
    Author,
    BusinessIdentifier,
    ClientIdentifier,
    Communication,
    CoordinationStatus,
    HistoryEntry,
    Ledger,
    LedgerUpdate,
    LifecycleState,
    Message,
    MessageContent,
    MessageType,
    Naming,
    Participant,
    Party,
    Policies,
    Progress,
    Role,
    Sensitivity,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)

__all__ = [
    "Addressing",
    "Attachment",
    "AttachmentContent",
    "Author",
    "BusinessIdentifier",
    "CarethreadError",
    "ClientIdentifier",
    "ClinicalId",
    "Communication",
    "CommunicationId",
    "CoordinationId",
    "CoordinationRecord",
    "CoordinationService",
    "CoordinationStatus",
    "Finding",
    "HistoryEntry",
    "Ledger",
    "LedgerUpdate",
    "LifecycleState",
    "Message",
    "MessageContent",
    "MessageId",
    "MessageType",
    "Naming",
    "Participant",
    "ParticipantId",
    "Party",
    "Policies",
    "Progress",
    "Role",
    "Sensitivity",
    "StatusUpdate",
    "ThreadStatus",
    "Visibility",
]
