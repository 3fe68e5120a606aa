"""PURE values: who was served what, when, why, at which version.

The log says *served*, never *read*: what was put before somebody, not what they made of it. It is append-only, kept
apart from the record, and no participant sees another's entries.
"""

from enum import StrEnum

from msgspec import Struct

from carethread.clock import Instant
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId


class Action(StrEnum):
    """What was asked for."""

    SERVED = "served"  # a thread or a message
    LISTED = "listed"  # an inbox, or the threads of a patient
    SEARCHED = "searched"
    WRITTEN = "written"
    EXPORTED = "exported"
    EMERGENCY = "emergency"  # a restricted thread, opened with a reason


class Outcome(StrEnum):
    """How it ended. What may not be read is `unknown`, like what does not exist."""

    DONE = "done"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Served(Struct, frozen=True):
    """A thread as somebody got it: at which commit of its record, and how many entries of it.

    `entries` is 0 where only the line of a list was shown.
    """

    thread: CommunicationId
    version: str
    entries: int = 0


class ServedEntry(Struct, frozen=True):
    """An entry of the directory as somebody got it, or wrote it: which version."""

    entry: ParticipantId
    version: int


class AccessEntry(Struct, frozen=True, kw_only=True):
    """One line of the log.

    `actor` is the person (or, without one, the client); `acting_for` the organisation or team they acted for;
    `detail` says in one word or more what was done, such as `message` or `visibility`, or the code of the error.
    `query` holds a search's parameters. `served` lists what an answer showed, `entries` which entries of the directory
    it showed or what was written there. `number` and `at` are the log's own.
    """

    actor: ParticipantId
    actor_kind: str
    action: Action
    outcome: Outcome = Outcome.DONE
    detail: str = ""
    acting_for: ParticipantId | None = None
    record: CoordinationId | None = None
    thread: CommunicationId | None = None
    message: MessageId | None = None
    version: str = ""
    served: tuple[Served, ...] = ()
    entries: tuple[ServedEntry, ...] = ()
    query: str = ""
    purpose: str = ""
    client: str = ""
    request_id: str = ""
    at: Instant = Instant(0)
    number: int = 0
