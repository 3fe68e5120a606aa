"""Access beside the usual: an emergency, and a system that asks for a person."""

from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Thread


def check_may_open_in_emergency(actor: Actor, thread: Thread, reason: str) -> None:
    """A clinician of a participating organisation opens a restricted thread, stating why.

    Raises:
        UnknownThreadError: it is not restricted or they are no such clinician, and they may not read it.
        NotAllowedError: the same, and they may read it anyway.
        PurposeError: the reason is empty.
    """
    raise NotImplementedError


def check_may_assert(client: Actor, person: Actor, organizations: frozenset[ParticipantId]) -> None:
    """A system client asks for a person who is a current member of an organisation it is bound to.

    `organizations` are those the client is bound to: teams in which they have a part do not count.

    Raises:
        InactiveError: the client or the person is not active.
        NotAllowedError: whoever asserts is no client, or asserts nobody who writes.
        NotMemberError: the person is no current member of any of them.
    """
    raise NotImplementedError
