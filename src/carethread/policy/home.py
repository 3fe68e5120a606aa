"""The home side of a thread, and who holds its rights.

The home side is the group on whose behalf the thread was opened, or the requester alone. A plain thread does not say
who opened it: its home side are the professionals who take part by name.
"""

from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Company, Thread
from carethread.record.model import Ledger


def home_side(ledger: Ledger) -> tuple[ParticipantId, ...]:
    """Return the participants that are the home side: one group, or individuals."""
    raise NotImplementedError


def holds_home_rights(actor: Actor, thread: Thread) -> bool:
    """Say whether an actor may do what the home side may: change participants, visibility, policies and status."""
    raise NotImplementedError


def is_deserted(ledger: Ledger, company: Company) -> bool:
    """Say whether nobody active holds the rights of the home side any more, so that a steward may act.

    `company` is what the directory knows of every participant.
    """
    raise NotImplementedError
