"""Whose turn it is: for each participant, the last message addressed to it and the last one from its side.

Derived from `thread.md` and `ledger.yaml` alone, as everything in the index. Nothing here claims that somebody has
taken note of anything: it compares positions. Corrections and system entries do not count.
"""

from collections.abc import Iterable

from msgspec import Struct

from carethread.ids import ParticipantId
from carethread.record.model import Addressing, Ledger, Message, MessageType

_COUNTED = frozenset({MessageType.CLINICIAN, MessageType.PATIENT})


class Turn(Struct):
    """Positions in the thread, from 1; 0 where there is none."""

    addressed: int = 0
    answered: int = 0


Turns = dict[ParticipantId, Turn]


def turns_of(ledger: Ledger, messages: Iterable[Message]) -> Turns:
    """Return the turns of a thread, from all of its entries."""
    turns: Turns = {each.id: Turn() for each in ledger.participants}
    for position, message in enumerate(messages, 1):
        take(turns, ledger, position, message)
    return turns


def take(turns: Turns, ledger: Ledger, position: int, message: Message) -> None:
    """Take one more entry into account."""
    if message.type not in _COUNTED:
        return
    speakers = {message.author_id} if message.on_behalf_of is None else {message.author_id, message.on_behalf_of.id}
    if ledger.addressing is None:
        addressed = {each.id for each in message.to} or turns.keys() - speakers
        answered = speakers
    else:
        addressed = {each.id for each in message.to}
        answered = speakers | _side(ledger.addressing, message, addressed)
    for each in addressed & turns.keys():
        turns[each].addressed = position
    for each in answered & turns.keys():
        turns[each].answered = position


def _side(addressing: Addressing, message: Message, addressed: set[ParticipantId]) -> set[ParticipantId]:
    """Return the side a message was written from, as far as the record alone says so."""
    asking = {addressing.requester} if addressing.reply_to is None else {addressing.requester, addressing.reply_to}
    asked = set(addressing.recipients)
    if message.on_behalf_of is not None:
        is_asking, is_asked = message.on_behalf_of.id == addressing.reply_to, message.on_behalf_of.id in asked
    else:
        is_asking, is_asked = message.author_id in asking, message.author_id in asked
        if message.author_id == addressing.requester:
            is_asked = False
    if is_asking is is_asked:
        # A member who takes part by name, or somebody on both sides: whom they wrote to tells.
        is_asking, is_asked = bool(addressed & asked), bool(addressed & asking)
    if is_asking is is_asked:
        return set()
    return asking if is_asking else asked
