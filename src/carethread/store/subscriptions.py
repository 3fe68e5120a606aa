"""Subscriptions: whose they are, what they are about, and up to where in the feed of changes each receiver was told.

The feed is written in the transaction that records, so nothing is queued a second time. How far a receiver was told is
written as often as that changes, and leaves the version alone: that counts what its owner, or its end, made of it. What
is said of a version that is over counts for nothing.
"""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, func, insert, select, update

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.errors import TooMuchError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.subscriptions import Headers, Owner, Status, Subscription
from carethread.store.asking import line
from carethread.store.database import Connection, Parameters, Row
from carethread.store.journal import Effect
from carethread.store.keys import id_of, is_uuid, key_of, text_of
from carethread.store.schema import subscription
from carethread.store.together import take_turn_as

# Of one owner: those that are served, and all that are kept, ended ones too.
MOST_ACTIVE = 50
MOST_KEPT = 500

p = bindparam
_NOBODY = bytes(16)
_headers = msgspec.json.Decoder(Headers)
_columns = subscription.columns
_insert = insert(subscription).inline().values({each.name: p(each.name, type_=each.type) for each in _columns})
_update = (
    update(subscription)
    .where(subscription.c.subscription_id == p("key"))
    .values({each.name: p(f"new_{each.name}", type_=each.type) for each in _columns if each.name != "subscription_id"})
)
_find = select(*_columns).where(subscription.c.subscription_id == p("key"))
_lock = _find.with_for_update()
_of_owner = select(*_columns).where(subscription.c.owner == p("owner")).order_by(subscription.c.subscription_id)
_of_status = select(*_columns).where(subscription.c.status == p("status")).order_by(subscription.c.subscription_id)
_counts = (
    select(subscription.c.status, func.count())
    .where(subscription.c.owner == p("owner"), subscription.c.subscription_id != p("key"))
    .group_by(subscription.c.status)
)
_served = (
    update(subscription)
    .where(subscription.c.subscription_id == p("key"))
    .where(subscription.c.version == p("of_version"))
    .where(subscription.c.status == p("of_status"))
)
_told = _served.values(place=p("new_place"), failing_since=p("nothing"))
_failed = _served.where(subscription.c.failing_since.is_(None)).values(failing_since=p("at"))
_end = _served.values(
    status=p("new_status"), error=p("new_error"), version=p("new_version"), updated_at=p("at"), failing_since=p("since")
)


def find(connection: Connection, subscription_id: str, *, lock: bool = False) -> Subscription | None:
    """Return a subscription, whosever it is, if there is one; locked, it stays as it is until the transaction ends."""
    if not is_uuid(subscription_id):
        return None
    row = connection.one(_lock if lock else _find, key=key_of(subscription_id))
    return None if row is None else _read(row)


def of_owner(connection: Connection, owner: Owner) -> tuple[Subscription, ...]:
    """Return all that somebody has, in the order of their ids."""
    return tuple(map(_read, connection.all(_of_owner, owner=_owner_key(owner))))


def active(connection: Connection) -> tuple[Subscription, ...]:
    """Return all that are to be served, of all owners, in the order of their ids."""
    return tuple(map(_read, connection.all(_of_status, status=Status.ACTIVE.value)))


def check_room(connection: Connection, wanted: Subscription) -> None:
    """Somebody may have this one beside their others. Nobody else adds to them until the transaction ends.

    Raises:
        TooMuchError: they have as many as anybody may.
    """
    owner = _owner_key(wanted.owner)
    take_turn_as(connection, f"subscription {owner.hex()}")
    counts: dict[str, int] = dict(connection.all(_counts, owner=owner, key=key_of(wanted.id)))
    if wanted.status is Status.ACTIVE and counts.get(Status.ACTIVE.value, 0) >= MOST_ACTIVE:
        raise TooMuchError(f"more than {MOST_ACTIVE} active subscriptions of one owner are not served: end one")
    if sum(counts.values()) >= MOST_KEPT:
        raise TooMuchError(f"more than {MOST_KEPT} subscriptions of one owner are not kept: use one that has ended")


def made(new: Subscription) -> Effect:
    """Return the row of a new subscription."""
    return Effect(_insert, _row(new), wakes=True)


def changed(after: Subscription) -> Effect:
    """Return what changes a subscription, which was found locked."""
    row = _row(after)
    key = row.pop("subscription_id")
    return Effect(_update, {"key": key, **{f"new_{name}": value for name, value in row.items()}}, wakes=True)


def asked_about(caller: Caller, action: Action, subscription_id: str, detail: str = "subscription") -> AccessEntry:
    """Return the line of the log for one subscription. What cannot be an id is not kept: it may be anything."""
    known = subscription_id if is_uuid(subscription_id) else ""
    query = msgspec.json.encode({"subscription": known}).decode()
    return replace(line(caller, action), detail=detail, query=query)


# ── What whoever serves them says ─────────────────────────────────────────────────────────────────────────────────────


def told(of: Subscription, place: str) -> Effect:
    """Return what keeps that a receiver has taken everything up to a place."""
    return Effect(_told, {**_version(of), "new_place": place, "nothing": None})


def failed(of: Subscription, at: Instant) -> Effect:
    """Return what keeps that a receiver fails since an instant, if it did not before."""
    return Effect(_failed, {**_version(of), "at": at})


def ended(of: Subscription, status: Status, error: str, at: Instant) -> Effect:
    """Return what ends a subscription."""
    return Effect(
        _end,
        {
            **_version(of),
            "new_status": status.value,
            "new_error": error,
            "new_version": of.version + 1,
            "at": max(at, of.updated),
            "since": None,
        },
    )


def _version(of: Subscription) -> Parameters:
    return {"key": key_of(of.id), "of_version": of.version, "of_status": Status.ACTIVE.value}


# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _owner_key(owner: Owner) -> bytes:
    return b"".join(_NOBODY if each is None else key_of(each) for each in (owner.person, owner.system))


def _participants(key: bytes) -> Iterator[ParticipantId | None]:
    for each in (key[:16], key[16:]):
        yield None if each == _NOBODY else id_of(each)


def _row(of: Subscription) -> Parameters:
    return {
        "subscription_id": key_of(of.id),
        "owner": _owner_key(of.owner),
        "client": of.client,
        "criteria": of.criteria,
        "endpoint": of.endpoint,
        "headers": msgspec.json.encode(of.headers),
        "reason": of.reason,
        "ends_at": of.end,
        "status": of.status.value,
        "error": of.error,
        "version": of.version,
        "updated_at": of.updated,
        "place": of.place,
        "failing_since": of.failing_since,
    }


def _read(row: Row) -> Subscription:
    key, owner, client, criteria, endpoint, headers, reason, end, status, error, version, updated, place, since = row
    return Subscription(
        id=text_of(key),
        owner=Owner(*_participants(bytes(owner))),
        client=client,
        criteria=criteria,
        endpoint=endpoint,
        headers=_headers.decode(bytes(headers)),
        reason=reason,
        end=end,
        status=Status(status),
        error=error,
        version=version,
        updated=updated,
        place=place,
        failing_since=since,
    )
