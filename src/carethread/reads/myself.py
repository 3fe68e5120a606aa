"""Who somebody is here: for whom they may act, and as what."""

from collections import defaultdict

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.directory.model import CareTeam, Duty, Group, Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Caller
from carethread.reads.banners import Banner, banners_in
from carethread.record.model import Role
from carethread.store.asking import actor_for
from carethread.store.called import newest_entries
from carethread.store.database import Connection
from carethread.store.people import actor_of, has_duty


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
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        acting = actor_for(connection, caller, at)
        themselves = actor_of(connection, acting.id, at) if caller.person is not None else acting
        patients, _ = banners_in(connection, themselves.patients)
        return Myself(
            id=themselves.id,
            kind=themselves.kind,
            name=themselves.name,
            active=themselves.active,
            groups=_groups(connection, themselves),
            duties=frozenset(each for each in Duty if has_duty(connection, themselves.id, each, at)),
            patients=patients,
        )


def _groups(connection: Connection, actor: Actor) -> tuple[OwnGroup, ...]:
    standings: defaultdict[ParticipantId, set[Standing]] = defaultdict(set)
    for each in actor.memberships:
        standings[each.group].add(each.standing)
    found = [
        OwnGroup(
            entry.id,
            Role.CARE_TEAM if isinstance(entry, CareTeam) else Role.ORGANISATION,
            entry.name,
            frozenset(standings[entry.id]),
            entry.patient if isinstance(entry, CareTeam) else None,
        )
        for entry, _, _ in newest_entries(connection, standings)
        if isinstance(entry, Group)
    ]
    return tuple(sorted(found, key=lambda each: (each.role is Role.CARE_TEAM, each.name, each.id)))
