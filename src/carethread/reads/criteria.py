"""What a search asks for: a conjunction of clauses, each a list of alternatives.

References stand as the client wrote them. One that is unknown and one that is hidden match nothing, alike.
"""

from enum import Enum, StrEnum, auto

from msgspec import Struct

from carethread.clock import Instant


class Field(StrEnum):
    """What a clause looks at. The comment says which values it takes, and of what: M messages, T threads."""

    ID = "id"  # M T: `str`, a resource id
    IDENTIFIER = "identifier"  # M T: `Token`
    SUBJECT = "subject"  # M T: `Ref` or `ByIdentifier` to a patient
    RECIPIENT = "recipient"  # M T: `Ref` or `ByIdentifier`
    SENDER = "sender"  # M: the author; T: the individual or organisation replies go to
    STATUS = "status"  # M T: `str`, FHIR's code: completed; active, completed
    LAST_UPDATED = "last_updated"  # M T: `Between`
    TAG = "tag"  # M: `str`, corrected; T: archived
    SECURITY = "security"  # M T: `str`, N, R or V, of the thread

    THREAD = "thread"  # M: `Ref` to a thread
    SENT = "sent"  # M: `Between`
    CATEGORY = "category"  # M: `str`, a `MessageType`
    IN_RESPONSE_TO = "in_response_to"  # M: `Ref` to a message
    CORRECTS = "corrects"  # M: `Ref` to a message
    CONTENT = "content"  # M: `str`, words as for full text
    THREAD_RECIPIENT = "thread_recipient"  # M: `Ref` or `ByIdentifier`; these four are of the message's thread
    THREAD_REQUESTER = "thread_requester"  # M: likewise
    THREAD_SENDER = "thread_sender"  # M: likewise
    THREAD_STATUS = "thread_status"  # M: `str`

    REQUESTER = "requester"  # T: `Ref` or `ByIdentifier`
    SENDER_CARE_TEAM = "sender_care_team"  # T: likewise; the care team replies go to
    AUTHORED = "authored"  # T: `Between`
    MESSAGE_SENDER = "message_sender"  # T: `Ref` or `ByIdentifier`; who wrote one of its messages


class Ref(Struct, frozen=True):
    """A reference by resource id. Without a type, whatever has this id there."""

    type: str | None
    id: str


class ByIdentifier(Struct, frozen=True):
    """Somebody of a type by a business identifier. Without a system, of any."""

    type: str
    system: str | None
    value: str


class Token(Struct, frozen=True):
    """A business identifier of the thread or message itself. Without a system, of any; without a value, any of it."""

    system: str | None
    value: str | None


class Between(Struct, frozen=True):
    """A range of instants: `since` counts, `until` does not."""

    since: Instant | None = None
    until: Instant | None = None


Value = Ref | ByIdentifier | Token | Between | str


class Clause(Struct, frozen=True):
    """One of `values` must be so; none of them, if `negated`."""

    field: Field
    values: tuple[Value, ...]
    negated: bool = False


class Criteria(Struct, frozen=True):
    """All clauses must hold. None: everything."""

    clauses: tuple[Clause, ...] = ()


class MessageOrder(Enum):
    """The order of found messages; ties are in the order of the record."""

    SENT = auto()
    NEWEST_SENT = auto()
    LAST_UPDATED = auto()
    NEWEST_UPDATED = auto()


class ThreadOrder(Enum):
    """The order of found threads."""

    AUTHORED = auto()
    NEWEST_AUTHORED = auto()
    LAST_UPDATED = auto()
    NEWEST_UPDATED = auto()


class Total(Enum):
    """Whether what is found is counted. It is counted up to a bound; beyond, the answer says no number."""

    NONE = auto()
    ACCURATE = auto()


class Include(Enum):
    """What comes with a page. It never counts, and shows nothing that may not be read."""

    THREAD = auto()  # M: their threads
    MESSAGES = auto()  # T: their messages, the first ones of each, up to a bound
    CORRECTIONS = auto()  # M: what corrects them
    SENDER = auto()  # M T: entries of the directory
    RECIPIENT = auto()  # M T
    SUBJECT = auto()  # M T
    REQUESTER = auto()  # T


class Kind(Enum):
    """Of what a feed is."""

    MESSAGE = auto()
    THREAD = auto()
