"""Which side of a thread an author is on, and where a reply goes."""

from enum import StrEnum

from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Thread


class Side(StrEnum):
    """The two sides of an addressed thread."""

    REPLY_TO = "reply_to"
    RECIPIENT = "recipient"


def side_of(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None, named: tuple[ParticipantId, ...]
) -> Side | None:
    """Return the side an author is on; `None` for who was added later, and in a plain thread.

    `named` are the recipients the author named, empty if nobody.

    Raises:
        AmbiguousSideError: they belong to both sides, and nothing says for which they write.
    """
    raise NotImplementedError


def recipients_for(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None, named: tuple[ParticipantId, ...]
) -> tuple[ParticipantId, ...]:
    """Return whom a message goes to; empty in a plain thread, where it goes to everyone taking part.

    Not for a correction, which goes where the original went: leave its recipients to the record's rules.

    Raises:
        NotParticipantError: somebody named does not take part.
        AmbiguousSideError: they belong to both sides, or nobody else takes part.
    """
    raise NotImplementedError
