"""What an actor is in a thread: the groups for which they count, as what, and whether they are a person who writes."""

from carethread.directory.model import Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Thread


def standings_in(actor: Actor, thread: Thread, group: ParticipantId) -> frozenset[Standing]:
    """Return what an actor is in a group, as far as it counts in this thread; nothing if no active member.

    Auditors, stewards and clients are members of nothing: they act as what they are.
    """
    raise NotImplementedError


def check_may_write(actor: Actor, thread: Thread) -> None:
    """Every write needs the right to read, and is a person's: the record names an individual author.

    Raises:
        UnknownThreadError: they may not read it.
        NotAllowedError: a client that names nobody, an auditor, or a steward.
    """
    raise NotImplementedError
