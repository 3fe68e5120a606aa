"""Threads and messages as they are served: what a record says of them, with the ids that clients know them by.

Pure values between those who read (`reads`) and those who show (`fhir`, `web`). An `id` here is a resource id: what the
client that created it called it, else the communication or message id itself.
"""

from msgspec import Struct

from carethread.clock import Instant
from carethread.ids import CommunicationId, CoordinationId, ParticipantId
from carethread.record.model import BusinessIdentifier, Ledger, Message, Visibility


class MessageProjection(Struct, frozen=True, kw_only=True):
    """A message, or a system entry, as it is served.

    Attributes:
        id: its resource id.
        message: the entry itself.
        record: the record it stands in.
        thread: its thread.
        thread_id: the resource id of its thread.
        patient: whom the record is about: the patient that stands now, where some were merged.
        visibility: that of its thread, as that stands now.
        version: 1, and one more for each correction, wherever that stands.
        answers: the resource id of the message it answers.
        corrects: the resource id of the message it corrects.
        corrected_by: the resource ids of its corrections, oldest first, as far as whoever asks may read them.
        identifiers: what clients call it besides.
    """

    id: str
    message: Message
    record: CoordinationId
    thread: CommunicationId
    thread_id: str
    patient: ParticipantId
    visibility: Visibility
    version: int = 1
    answers: str | None = None
    corrects: str | None = None
    corrected_by: tuple[str, ...] = ()
    identifiers: tuple[BusinessIdentifier, ...] = ()


class ThreadProjection(Struct, frozen=True, kw_only=True):
    """A thread as it is served, without its messages but the opening one.

    Attributes:
        id: its resource id.
        ledger: what its ledger says.
        record: the record it stands in.
        patient: whom the record is about: the patient that stands now, where some were merged.
        version: how many versions its ledger has had: one at the beginning, one more with each later entry.
        updated: when it last changed.
        opening: the message it was opened with, if it was.
        continues: the resource id of the closed thread it takes up, as far as whoever asks may read that.
        identifiers: what clients call it besides.
    """

    id: str
    ledger: Ledger
    record: CoordinationId
    patient: ParticipantId
    version: int
    updated: Instant
    opening: Message | None = None
    continues: str | None = None
    identifiers: tuple[BusinessIdentifier, ...] = ()
