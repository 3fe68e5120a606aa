"""Subscriptions: what somebody wants to be told of, whose they are, and what becomes of them.

A subscription is its owner's alone: the person, and the system client if one asks. For everybody else it is not there.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import (
    IllegalTransitionError,
    InactiveError,
    InvalidValueError,
    NotAllowedError,
    PurposeError,
    UnknownSubscriptionError,
)
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Caller

MOST_CRITERIA = 2_000  # characters
MOST_REASON = 1_000


class Status(StrEnum):
    """Where a subscription stands, in R4's words: https://hl7.org/fhir/R4/valueset-subscription-status.html."""

    REQUESTED = "requested"  # what a client asks for; it is active at once
    ACTIVE = "active"
    ERROR = "error"  # its receiver failed for too long: whoever asks again goes on where it stopped
    OFF = "off"


class Owner(Struct, frozen=True):
    """Whose a subscription is: a person's, a system client's, or a person's for whom that client asks."""

    person: ParticipantId | None
    system: ParticipantId | None = None


class Headers(Struct, frozen=True):
    """What a receiver is sent with each notification. They are secrets: no text of this shows them."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"Headers({len(self.pairs)})"


class Wish(Struct, frozen=True, kw_only=True):
    """What a client wants a subscription to be.

    Attributes:
        status: what it is to become: requested, off, or active where it is that already.
        criteria: what it is about, such as `Communication?recipient=Organization/Pharmacy-A`. It was understood.
        endpoint: where its receiver is. It was checked.
        headers: what its receiver is sent. Left empty, they stay as they are while the endpoint does.
        reason: why, for people.
        end: when it ends by itself.
    """

    status: Status
    criteria: str
    endpoint: str
    headers: Headers = Headers()
    reason: str = ""
    end: Instant | None = None


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept.

    Attributes:
        id: a UUID.
        owner: whose it is.
        client: the program through which it was made.
        criteria, endpoint, headers, reason, end: as its owner wants them.
        status: never requested.
        error: why it is in error.
        version: counts its changes from 1.
        updated: when it became that version.
        place: up to where in the feed of changes its receiver was told.
        failing_since: since when its receiver fails, if it does.
    """

    id: str
    owner: Owner
    client: str
    criteria: str
    endpoint: str
    headers: Headers = Headers()
    reason: str = ""
    end: Instant | None = None
    status: Status = Status.ACTIVE
    error: str = ""
    version: int = 1
    updated: Instant
    place: str
    failing_since: Instant | None = None


def owner_of(caller: Caller) -> Owner:
    """Return whose a subscription is that is asked for now.

    Raises:
        PurposeError: nobody asks.
    """
    owner = Owner(caller.person, None if caller.system is None else caller.system.id)
    if owner == Owner(None):
        raise PurposeError("nobody asks: name a person or a system client")
    return owner


def check_may_subscribe(actor: Actor) -> None:
    """Whoever asks has subscriptions: everybody but who looks for a purpose, once.

    Raises:
        InactiveError: they are not active.
        NotAllowedError: they ask as an auditor or steward.
    """
    if not actor.active:
        raise InactiveError(f"{actor.kind} {actor.id} is not active")
    if actor.kind in (ActorKind.AUDITOR, ActorKind.STEWARD):
        raise NotAllowedError(f"{actor.kind} {actor.id} looks, and is told of nothing by itself")


def check_is_owner(owner: Owner, subscription_id: str, found: Subscription | None) -> Subscription:
    """Return a subscription to its owner; to everybody else it is not there.

    Raises:
        UnknownSubscriptionError: there is none, or it is another's.
    """
    if found is None or found.owner != owner:
        raise UnknownSubscriptionError(f"there is no subscription {subscription_id}")
    return found


def begun(subscription_id: str, owner: Owner, client: str, wish: Wish, place: str, at: Instant) -> Subscription:
    """Return a new subscription, which tells of what comes after a place in the feed.

    Raises:
        IllegalTransitionError: it is not requested.
        InvalidValueError: something of it is too long, or its end is over.
    """
    if wish.status is not Status.REQUESTED:
        raise IllegalTransitionError(f"a new subscription is requested, not {wish.status}")
    _check(wish, at)
    return Subscription(
        id=subscription_id,
        owner=owner,
        client=client,
        criteria=wish.criteria,
        endpoint=wish.endpoint,
        headers=wish.headers,
        reason=wish.reason,
        end=wish.end,
        updated=at,
        place=place,
    )


def changed(before: Subscription, wish: Wish, newest: str, at: Instant) -> Subscription:
    """Return a subscription as its owner wants it from now on; `newest` is where the feed ends now.

    Whoever asks again after an error goes on where it stopped: everything since is told. What was ended begins anew.

    Raises:
        IllegalTransitionError: it cannot become what is asked.
        InvalidValueError: something of it is too long, or its end is over.
    """
    status, place = before.status, before.place
    match wish.status:
        case Status.OFF:
            status = Status.OFF
        case Status.REQUESTED:
            place = newest if status is Status.OFF else place
            status = Status.ACTIVE
        case Status.ACTIVE if status is Status.ACTIVE:
            pass
        case _:
            raise IllegalTransitionError(f"a subscription that is {status} becomes requested or off, not {wish.status}")
    if status is not Status.OFF:
        _check(wish, at)
    # A secret goes to no other receiver than the one it was meant for.
    kept = before.headers if wish.endpoint == before.endpoint else Headers()
    return replace(
        before,
        criteria=wish.criteria,
        endpoint=wish.endpoint,
        headers=wish.headers if wish.headers.pairs else kept,
        reason=wish.reason,
        end=wish.end,
        status=status,
        error="",
        version=before.version + 1,
        # The clock may have gone back; versions do not.
        updated=max(at, before.updated),
        place=place,
        failing_since=None,
    )


def _check(wish: Wish, at: Instant) -> None:
    for name, text, most in (("criteria", wish.criteria, MOST_CRITERIA), ("reason", wish.reason, MOST_REASON)):
        if len(text) > most:
            raise InvalidValueError(name, f"is longer than {most} characters")
    if wish.end is not None and wish.end <= at:
        raise InvalidValueError("end", "is over already")
