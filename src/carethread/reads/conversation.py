"""Everything that a page of a thread needs, in one snapshot and with one line of the log."""

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.possible import Possible, Way
from carethread.reads.banners import Banner
from carethread.reads.readers import Readers
from carethread.reads.thread import ThreadView


class Conversation(Struct, frozen=True):
    """A thread with what a page says of it.

    Attributes:
        view: the thread, with the messages that were asked for.
        entries: how many messages it has in all.
        patients: those of its record: whoever stands for them now first, then those merged into them.
        possible: what whoever asks may do; of messages, what of those in `view`.
        speaking: the ways in which they can speak, in the order of the ledger, themselves first. A closed thread
            has them too: `possible.post` says whether it takes messages.
        readers: who can read it.
        waiting: the groups of theirs on which it waits, and that have not set it aside since.
    """

    view: ThreadView
    entries: int
    patients: tuple[Banner, ...]
    possible: Possible
    speaking: tuple[Way, ...]
    readers: Readers
    waiting: frozenset[ParticipantId]


def conversation(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    *,
    opens: bool = True,
    after: int = 0,
    patient_side_opens: bool = True,
) -> Conversation:
    """Return a thread with everything that a page of it needs.

    Args:
        service: the installation.
        caller: who asks.
        thread_id: which thread.
        opens: whether it counts as opened by whoever asks, as far as it goes now.
        after: how many messages they have already: only those after them are returned.
        patient_side_opens: whether this installation lets patients and related persons open threads.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it: the answer is the same.
        InvalidValueError: `after` is less than 0.
    """
    raise NotImplementedError
