"""Who has signed in, as what they act, and for how long that holds."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import InactiveError, InvalidValueError, NotMemberError
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind

# The last use is noted when it is so much later than the one that was: a page that is read writes nothing.
NOTED_EVERY_MS = 60 * 1000
_AS = frozenset({ActorKind.AUDITOR, ActorKind.STEWARD})


class Acting(Struct, frozen=True):
    """As what somebody acts: for themselves, for a group of theirs, or as auditor or steward.

    Attributes:
        group: the organisation or team they act for.
        kind: auditor or steward; these have no groups.
        purpose: why an auditor asks.
    """

    group: ParticipantId | None = None
    kind: ActorKind | None = None
    purpose: str = ""


class Session(Struct, frozen=True):
    """That a person has signed in. The secret by which their browser shows it is not in here.

    Attributes:
        id: a UUID, the same as long as the session lasts. It opens nothing.
        person: who signed in.
        acting: as what they act now.
        csrf: what a form of theirs carries, so that no other site's form does anything. A new secret brings a new one.
        language: as in `Preferences`.
        zone: likewise.
        began_at: when they signed in.
        last_used_at: when the session was used last, to the minute.
        idle: after how many milliseconds without use it is over.
        ends_at: when it is over in any case.
    """

    id: str
    person: ParticipantId
    acting: Acting
    csrf: str
    language: str
    zone: str
    began_at: Instant
    last_used_at: Instant
    idle: int
    ends_at: Instant

    @property
    def over_at(self) -> Instant:
        """When it is over if it is not used any more."""
        return min(Instant(self.last_used_at + self.idle), self.ends_at)


def check_limits(idle: int, longest: int) -> None:
    """A session has an end.

    Raises:
        InvalidValueError: a limit is no time, or one without use is longer than the whole.
    """
    if not 0 < idle <= longest:
        raise InvalidValueError("idle", "is not between 0 and the longest a session lasts")


def check_acts(actor: Actor, acting: Acting) -> None:
    """Somebody may act so. That they are appointed was asked when they were looked up as an actor.

    Raises:
        InvalidValueError: `acting.kind` is neither auditor nor steward.
        InactiveError: they are not active.
        NotMemberError: they are no active member of the group.
    """
    if acting.kind is not None and acting.kind not in _AS:
        raise InvalidValueError("kind", "is neither auditor nor steward")
    if not actor.active:
        raise InactiveError(f"{actor.kind} {actor.id} is not active")
    if acting.group is not None and acting.group not in _groups(actor):
        raise NotMemberError(f"{actor.id} is no active member of {acting.group}")


def as_of_now(session: Session, actor: Actor) -> Session:
    """Return a session without the group it acts for, once its person has left that."""
    group = session.acting.group
    if group is None or group in _groups(actor):
        return session
    return replace(session, acting=replace(session.acting, group=None))


def _groups(actor: Actor) -> frozenset[ParticipantId]:
    return frozenset(each.group for each in actor.memberships)
