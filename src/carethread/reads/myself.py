"""Who somebody is here: for whom they may act, and as what."""

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.directory.model import Duty, Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import ActorKind, Caller
from carethread.record.model import Role
from carethread.reads.banners import Banner


class OwnGroup(Struct, frozen=True):
    """A group of which somebody is an active member now.

    `standings` is what they are in it. `patient` is whose team it is; it counts in that patient's threads only.
    """

    id: ParticipantId
    role: Role
    name: str
    standings: frozenset[Standing]
    patient: ParticipantId | None = None


class Myself(Struct, frozen=True):
    """Who somebody is.

    Attributes:
        id: their id.
        kind: practitioner, related person or patient: what they are when they act as nothing else.
        name: their name.
        active: an inactive person does nothing, and is a member of nothing.
        groups: organisations, then teams, by name.
        duties: what they are appointed to now, and may act as.
        patients: for the patient's side, whose records they count in; for everybody else empty.
    """

    id: ParticipantId
    kind: ActorKind
    name: str
    active: bool
    groups: tuple[OwnGroup, ...]
    duties: frozenset[Duty]
    patients: tuple[Banner, ...]


def who_am_i(service: CoordinationService, caller: Caller) -> Myself:
    """Return who somebody is, for whom they may act and as what, as the directory stands.

    It tells them of nothing but themselves, and a page asks it before anything else, so nothing is logged.

    Raises:
        UnknownPersonError: the directory has no such person.
        PolicyError: they may not ask as what they say.
    """
    raise NotImplementedError
