"""Which side of a thread an author is on, and where a reply goes.

The reply-to side is the requester, and the reply-to with its members; the recipient side is the recipients with their
members. An author belongs to a side by being one of its addresses, or a member of one.
"""

from enum import StrEnum

from carethread.errors import AmbiguousSideError, NotParticipantError
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Thread
from carethread.policy.standing import groups_of
from carethread.record.model import Addressing
from carethread.record.rules import find_participant


class Side(StrEnum):
    """The two sides of an addressed thread."""

    REPLY_TO = "reply_to"
    RECIPIENT = "recipient"


def addresses_of(addressing: Addressing, side: Side) -> frozenset[ParticipantId]:
    """Return the participants that are a side, without their members."""
    if side is Side.RECIPIENT:
        return frozenset(addressing.recipients)
    return frozenset({addressing.requester, addressing.reply_to or addressing.requester})


def side_of(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None, named: tuple[ParticipantId, ...]
) -> Side | None:
    """Return the side an author is on; `None` for who was added later, and in a plain thread.

    `named` are the recipients the author named, empty if nobody.

    Raises:
        AmbiguousSideError: they belong to both sides, and nothing says for which they write.
    """
    addressing = thread.ledger.addressing
    if addressing is None:
        return None
    opened_it = actor.id == addressing.requester
    if on_behalf_of is None and opened_it:
        return Side.REPLY_TO
    speaks_as = {actor.id, *groups_of(actor, thread)} if on_behalf_of is None else {on_behalf_of}
    sides = [side for side in Side if not speaks_as.isdisjoint(addresses_of(addressing, side))]
    if len(sides) < len(Side):
        return sides[0] if sides else None
    # A group may ask itself, on both sides: then its name says nothing, and who opened the thread does.
    if opened_it:
        return Side.REPLY_TO
    others = [side for side in sides if addresses_of(addressing, side).isdisjoint(named)]
    if len(others) != 1:
        raise AmbiguousSideError(
            f"{on_behalf_of or actor.id} is on both sides of thread {thread.ledger.communication_id}: "
            "name the recipients, or say on whose behalf"
        )
    return others[0]


def recipients_for(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None, named: tuple[ParticipantId, ...]
) -> tuple[ParticipantId, ...]:
    """Return whom a message goes to; empty in a plain thread, where it goes to everyone taking part.

    Not for a correction, which goes where the original went: leave its recipients to the record's rules.

    Raises:
        NotParticipantError: somebody named does not take part.
        AmbiguousSideError: they belong to both sides, or nobody else takes part.
    """
    ledger = thread.ledger
    for each in named:
        if find_participant(ledger.participants, each) is None:
            raise NotParticipantError(f"recipient {each} does not take part in thread {ledger.communication_id}")
    addressing = ledger.addressing
    if named or addressing is None:
        return named
    side = side_of(actor, thread, on_behalf_of, named)
    if side is Side.REPLY_TO:
        return addressing.recipients
    if side is Side.RECIPIENT:
        return (addressing.reply_to or addressing.requester,)
    others = tuple(each.id for each in ledger.participants if each.id not in (actor.id, on_behalf_of))
    if not others:
        raise AmbiguousSideError(f"nobody else takes part in thread {ledger.communication_id}: name the recipients")
    return others
