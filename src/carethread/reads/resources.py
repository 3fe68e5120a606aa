"""Threads and messages by what clients call them: found, read, in earlier versions, as a feed."""

from collections.abc import Collection, Mapping

from carethread.coordination import CoordinationService
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads.criteria import Criteria, Include, Kind, MessageOrder, ThreadOrder, Total
from carethread.reads.found import FeedPage, MessagePage, Names, ThreadHistory, ThreadPage
from carethread.record.projection import MessageProjection, ThreadProjection


def search_messages(
    service: CoordinationService,
    caller: Caller,
    criteria: Criteria,
    *,
    order: MessageOrder = MessageOrder.NEWEST_SENT,
    after: str = "",
    count: int = 50,
    total: Total = Total.NONE,
    includes: frozenset[Include] = frozenset(),
    query: str = "",
) -> MessagePage:
    """Return messages they may read that fulfil all criteria; system entries and archived threads as well.

    Args:
        service: the installation.
        caller: who asks.
        criteria: what is looked for.
        order: of what is found.
        after: where the page before ended.
        count: how many at most; 0 only counts.
        total: whether all that is found is counted.
        includes: what comes with the page.
        query: what was asked, as the log keeps it.

    Raises:
        InvalidValueError: `after`, `count` or a value is not in order.
    """
    raise NotImplementedError


def search_threads(
    service: CoordinationService,
    caller: Caller,
    criteria: Criteria,
    *,
    order: ThreadOrder = ThreadOrder.NEWEST_AUTHORED,
    after: str = "",
    count: int = 50,
    total: Total = Total.NONE,
    includes: frozenset[Include] = frozenset(),
    query: str = "",
) -> ThreadPage:
    """Return threads they may read, likewise."""
    raise NotImplementedError


def message_resource(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[MessageProjection, Names]:  # fmt: skip
    """Return a message by its resource id, or by its own.

    Raises:
        UnknownMessageError: there is none, or they may not read its thread.
    """
    raise NotImplementedError


def message_resource_version(
    service: CoordinationService, caller: Caller, resource_id: str, version: int
) -> tuple[MessageProjection, Names]:
    """Return a message as it was with `version - 1` corrections.

    Raises:
        UnknownMessageError: there is none, they may not read it, or it has no such version.
    """
    raise NotImplementedError


def message_resource_history(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[tuple[MessageProjection, ...], Names]:
    """Return a message in all its versions, newest first; likewise."""
    raise NotImplementedError


def thread_resource(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[ThreadProjection, Names]:  # fmt: skip
    """Return a thread by its resource id, or by its communication id.

    Raises:
        UnknownThreadError: there is none, or they may not read it.
    """
    raise NotImplementedError


def thread_resource_version(
    service: CoordinationService, caller: Caller, resource_id: str, version: int
) -> tuple[ThreadProjection, Names]:
    """Return a thread as it stood in a version.

    Raises:
        UnknownThreadError: there is none, they may not read it, or it has no such version.
    """
    raise NotImplementedError


def thread_resource_history(service: CoordinationService, caller: Caller, resource_id: str) -> ThreadHistory:
    """Return a thread in all its versions, newest first; likewise."""
    raise NotImplementedError


def feed(service: CoordinationService, caller: Caller, kind: Kind, *, after: str = "", count: int = 50) -> FeedPage:
    """Return what they may read, in the order of its commits, after a place in it.

    Whatever is committed later has a later place. One call looks at so much and no more: a page may be empty, and
    `after` still move.

    Raises:
        InvalidValueError: `after` or `count` is not in order.
    """
    raise NotImplementedError


def resolve(
    service: CoordinationService, references: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], ParticipantId | CommunicationId | MessageId]:
    """Return what references mean, given as resource type and id; what is unknown is left out.

    Nobody's rights are asked: whatever uses what is found asks them.
    """
    raise NotImplementedError
