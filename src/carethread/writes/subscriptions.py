"""Subscriptions, made and changed by their owner; and what whoever serves them has to keep."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import VersionConflictError
from carethread.policy.actor import Caller
from carethread.policy.subscriptions import (
    Status,
    Subscription,
    Wish,
    begun,
    changed,
    check_is_owner,
    check_may_subscribe,
    owner_of,
)
from carethread.store import subscriptions
from carethread.store.access import logged
from carethread.store.asking import actor_for
from carethread.store.changes import last_cursor
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.together import Joined, together
from carethread.store.writer import Job
from carethread.writes.acting import performed

# What is kept from an instant on, and the row of it.
Make = Callable[[Connection, Instant], tuple[Subscription, Effect]]


def subscribe(service: CoordinationService, caller: Caller, wish: Wish) -> Subscription:
    """Begin to tell somebody of what is recorded from now on.

    Raises:
        IllegalTransitionError: it is not requested.
        InvalidValueError: something of it is too long, or its end is over.
        TooMuchError: they have as many as anybody may.
        NotAllowedError, InactiveError, UnknownPersonError: they may not subscribe.
    """
    subscription_id = str(service.archive.mint())
    asked = subscriptions.asked_about(caller, Action.WRITTEN, subscription_id)

    def make(connection: Connection, at: Instant) -> tuple[Subscription, Effect]:
        new = begun(subscription_id, owner_of(caller), caller.client, wish, last_cursor(connection), at)
        subscriptions.check_room(connection, new)
        return new, subscriptions.made(new)

    return _kept(service, caller, asked, make)


def change_subscription(
    service: CoordinationService,
    caller: Caller,
    subscription_id: str,
    wish: Wish,
    *,
    expected_version: int | None = None,
) -> Subscription:
    """Change a subscription, end it, or begin it again: see `policy.subscriptions.changed`.

    Args:
        service: the installation.
        caller: who asks.
        subscription_id: which.
        wish: what it is to be.
        expected_version: the version that was changed; left out, whatever it is at.

    Raises:
        UnknownSubscriptionError: they have no such subscription.
        VersionConflictError: it is at another version.
        IllegalTransitionError: it cannot become what is asked.
        InvalidValueError: something of it is too long, or its end is over.
        TooMuchError: they have as many active ones as anybody may.
        NotAllowedError, InactiveError, UnknownPersonError: they may not subscribe.
    """
    asked = subscriptions.asked_about(caller, Action.WRITTEN, subscription_id, "subscription change")

    def make(connection: Connection, at: Instant) -> tuple[Subscription, Effect]:
        found = subscriptions.find(connection, subscription_id, lock=True)
        before = check_is_owner(owner_of(caller), subscription_id, found)
        if expected_version is not None and expected_version != before.version:
            raise VersionConflictError(f"subscription {before.id}", expected_version, before.version)
        after = changed(before, wish, last_cursor(connection), at)
        subscriptions.check_room(connection, after)
        return after, subscriptions.changed(after)

    return _kept(service, caller, asked, make)


def _kept(service: CoordinationService, caller: Caller, asked: AccessEntry, make: Make) -> Subscription:
    archive = service.archive
    kept: list[Subscription] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        actor = actor_for(connection, caller, at)
        check_may_subscribe(actor)
        subscription, effect = make(connection, at)
        kept[:] = [subscription]
        yield effect
        yield logged(replace(asked, actor_kind=actor.kind.value), at)

    def work(joined: Joined) -> None:
        # In a transaction of its own, so that those there are already are counted exactly.
        joined.submit(Job(None, apart=effects))

    performed(archive, asked, lambda: together(archive, work))
    return kept[0]


# ── For whoever serves them ───────────────────────────────────────────────────────────────────────────────────────────


def note_told(service: CoordinationService, of: Subscription, place: str) -> None:
    """Keep that a receiver has taken everything up to a place; in its version that was served, if it is still served.

    Raises:
        StorageError: it could not be kept. The receiver may be told again.
    """
    _keep(service, subscriptions.told(of, place))


def note_failed(service: CoordinationService, of: Subscription, at: Instant) -> None:
    """Keep that a receiver fails, since an instant if it did not before; likewise.

    Raises:
        StorageError: it could not be kept.
    """
    _keep(service, subscriptions.failed(of, at))


def end_subscription(service: CoordinationService, of: Subscription, status: Status, error: str = "") -> None:
    """End a subscription, because its time is over or its receiver fails for too long; likewise.

    Raises:
        StorageError: it could not be kept.
    """
    _keep(service, subscriptions.ended(of, status, error, service.archive.clock()))


def _keep(service: CoordinationService, effect: Effect) -> None:
    service.archive.submit(Job(None, apart=lambda _: (effect,)))
