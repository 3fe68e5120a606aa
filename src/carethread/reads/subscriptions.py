"""Subscriptions of whoever asks; and what has happened that a subscription is about."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, NotFoundError, PolicyError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.subscriptions import Status, Subscription, check_is_owner, check_may_subscribe, owner_of
from carethread.reads.criteria import Criteria, Kind
from carethread.reads.meaning import Meaning
from carethread.reads.projecting import Projecting
from carethread.store import subscriptions
from carethread.store.asking import Asking, Shown, actor_for, answer, line
from carethread.store.changes import Change, changes_after, is_held_back
from carethread.store.clients import CurrentRights
from carethread.store.keys import is_uuid

MOST_ON_A_PAGE = 500
# Changes that one look takes in.
MOST_LOOKED_AT = 200


class SubscriptionPage(Struct, frozen=True):
    """Subscriptions in the order of their ids; `after` is where the next page begins, or empty at the end."""

    subscriptions: tuple[Subscription, ...]
    total: int
    after: str


class Matches(Struct, frozen=True):
    """What happened that a subscription is about.

    Attributes:
        places: the place in the feed after each change that is.
        place: up to where was looked.
        looked_at: how many changes that were.
        is_end: there was nothing more.
        is_held_back: something more is there, and cannot be looked at before a transaction ends.
    """

    places: tuple[str, ...]
    place: str
    looked_at: int
    is_end: bool
    is_held_back: bool = False


# ── For whoever asks ──────────────────────────────────────────────────────────────────────────────────────────────────


def read_subscription(service: CoordinationService, caller: Caller, subscription_id: str) -> Subscription:
    """Return a subscription to its owner.

    Raises:
        UnknownSubscriptionError: they have no such subscription.
        NotAllowedError, InactiveError: they have none at all.
    """
    asked = subscriptions.asked_about(caller, Action.SERVED, subscription_id)

    def work(asking: Asking) -> tuple[Subscription, Shown]:
        check_may_subscribe(asking.actor)
        found = subscriptions.find(asking.connection, subscription_id)
        return check_is_owner(owner_of(caller), subscription_id, found), Shown(asked)

    return answer(service.archive, asked, caller, work)


def search_subscriptions(
    service: CoordinationService,
    caller: Caller,
    wanted: Callable[[Subscription], bool],
    *,
    after: str = "",
    count: int = 50,
    query: str = "",
) -> SubscriptionPage:
    """Return those of their own subscriptions that are wanted.

    Args:
        service: the installation.
        caller: who asks.
        wanted: says which.
        after: where the page before ended.
        count: how many at most; 0 only counts.
        query: what was asked, as the log keeps it.

    Raises:
        InvalidValueError: `after` or `count` is not in order.
        NotAllowedError, InactiveError: they have none at all.
    """
    asked = replace(line(caller, Action.SEARCHED), detail="subscription", query=query)

    def work(asking: Asking) -> tuple[SubscriptionPage, Shown]:
        check_may_subscribe(asking.actor)
        if not 0 <= count <= MOST_ON_A_PAGE:
            raise InvalidValueError("count", f"is not from 0 to {MOST_ON_A_PAGE}")
        if after and not is_uuid(after):
            raise InvalidValueError("after", "is no place in this list: leave it out to begin")
        found = [each for each in subscriptions.of_owner(asking.connection, owner_of(caller)) if wanted(each)]
        rest = [each for each in found if each.id > after]
        page = tuple(rest[:count])
        return SubscriptionPage(page, len(found), page[-1].id if 0 < count < len(rest) else ""), Shown(asked)

    return answer(service.archive, asked, caller, work)


# ── For whoever serves them ───────────────────────────────────────────────────────────────────────────────────────────


def active_subscriptions(service: CoordinationService) -> tuple[Subscription, ...]:
    """Return all that are to be served, whosever they are. For nobody to see."""
    with service.archive.database.read() as connection:
        return subscriptions.active(connection)


def matches(service: CoordinationService, of: Subscription, kind: Kind, criteria: Criteria, after: str) -> Matches:
    """Return what happened after a place that a subscription is about, and that its owner may read now.

    A message counts when it is recorded and when it is corrected; a thread in the version it has now. An owner who is
    not there any more, or not active, or whose client is not, may read nothing. Nothing is served by this, so nothing
    is logged. Of a version that is over, nothing happened.

    Raises:
        InvalidValueError: `after` is no place in the feed, or the criteria are not in order.
    """
    archive = service.archive
    with archive.database.snapshot() as connection:
        now = subscriptions.find(connection, of.id)
        if now is None or now.version != of.version or now.status is not Status.ACTIVE:
            return Matches((), after, 0, is_end=True)
        changes, place = changes_after(connection, after, MOST_LOOKED_AT)
        is_end = len(changes) < MOST_LOOKED_AT
        held_back = is_end and is_held_back(connection, place)
        caller = _caller(archive.clients.current(), of) if changes else None
        matching: Iterable[Change] = ()
        if caller is not None:
            try:
                asking = Asking(connection, actor_for(connection, caller, archive.clock()), archive.clock())
            except (NotFoundError, PolicyError):
                asking = None
            if asking is not None and asking.actor.active:
                matching = _matching(asking, archive.installation.custodian.id, kind, criteria, changes)
        places = tuple(each.cursor for each in matching)
    return Matches(places, place, len(changes), is_end, held_back)


def _caller(now: CurrentRights, of: Subscription) -> Caller | None:
    """Return an owner as one who asks now; nobody, if a program in between has lost its rights."""
    through = now.client(of.client)
    if through is not None and not through.active:
        return None
    if of.owner.system is None:
        return Caller(of.owner.person, client=of.client)
    registered = now.client_of(of.owner.system)
    if registered is None or not registered.active:
        return None
    return Caller(of.owner.person, system=registered.system, client=of.client)


def _matching(
    asking: Asking, custodian: ParticipantId, kind: Kind, criteria: Criteria, changes: list[Change]
) -> Iterable[Change]:
    projecting = Projecting(asking)
    meaning = Meaning(asking, projecting, custodian)
    return (_of_messages if kind is Kind.MESSAGE else _of_threads)(projecting, meaning, criteria, changes)


def _of_messages(
    projecting: Projecting, meaning: Meaning, criteria: Criteria, changes: list[Change]
) -> Iterator[Change]:  # fmt: skip
    checks = meaning.message_checks(criteria)
    ids = {each for change in changes for each in (change.message, change.corrects) if each is not None}
    found = projecting.reading.messages_by_own_id(ids)
    for change in changes:
        held = [found[each] for each in (change.message, change.corrects) if each in found]
        if any(
            projecting.judge.may_read(each.thread.stored) and all(check(each) for check in checks) for each in held
        ):  # fmt: skip
            yield change


def _of_threads(
    projecting: Projecting, meaning: Meaning, criteria: Criteria, changes: list[Change]
) -> Iterator[Change]:  # fmt: skip
    checks = meaning.of_threads(criteria).checks
    found = projecting.reading.threads_by_own_id({each.thread for each in changes})
    for change in changes:
        held = found.get(change.thread)
        # Of the versions before, nobody could read anything but this one.
        if held is None or held.stored.versions != change.thread_version:
            continue
        if projecting.judge.may_read(held.stored) and all(check(held) for check in checks):
            yield change
