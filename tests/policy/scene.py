"""The threads and people that the table of the policy is about."""

from collections.abc import Callable
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from carethread import Addressing, LedgerUpdate, Participant, Policies, Role, Sensitivity, ThreadStatus, Visibility
from carethread.clock import Instant
from carethread.directory.model import Membership, Standing
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Known, Thread
from carethread.policy.changing import check_may_change
from carethread.policy.exceptional import check_may_open_in_emergency
from carethread.policy.opening import check_may_open
from carethread.policy.reading import check_may_read
from carethread.policy.speaking import default_group
from carethread.policy.writing import check_may_correct, check_may_post, check_may_set_aside
from carethread.record.model import Ledger, Message, MessageType, Party
from carethread.record.transitions import NewThread
from tests.people import CLINIC, JOHN, PHARMACY, person

PATIENT = JOHN.id
OTHER_PATIENT = person(31)
NETWORK = Participant(person(110), Role.CARE_TEAM, "Network")
SECOND_TEAM = Participant(person(111), Role.CARE_TEAM, "Palliative Team")
FOREIGN = Participant(person(112), Role.CARE_TEAM, "Network of somebody else")
LABORATORY = Participant(person(113), Role.ORGANISATION, "Laboratory")
ELSEWHERE = person(114)
TEAMS = (NETWORK, SECOND_TEAM, FOREIGN)

ACTOR = person(50)
OPENER, HOME_KEEPER, ASKED_KEEPER, EXTRA, COLLEAGUE, STRANGER = (
    Participant(person(number), Role.CLINICIAN, name)
    for number, name in enumerate(("Opener", "Home", "Asked", "Extra", "Colleague", "Stranger"), 51)
)
MESSAGE_ID = MessageId("4c2b8f0e-7a1d-4f3b-9c5e-8d6a0b1c2d3e")
THREAD_ID = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")

ROLES = {
    "clinician": (ActorKind.PRACTITIONER, Role.CLINICIAN, Standing.CLINICIAN),
    "administrator": (ActorKind.PRACTITIONER, Role.CARE_ADMINISTRATOR, Standing.CARE_ADMINISTRATOR),
    "patient": (ActorKind.PATIENT, Role.PATIENT, Standing.PATIENT),
    "relative": (ActorKind.RELATED_PERSON, Role.PATIENT_ASSOCIATE, Standing.PATIENT_ASSOCIATE),
    "other_relative": (ActorKind.RELATED_PERSON, Role.PATIENT_ASSOCIATE, Standing.PATIENT_ASSOCIATE),
    # These four are clinicians in every group of theirs: as what they ask, it must not count.
    "client": (ActorKind.CLIENT, Role.CLINICIAN, Standing.CLINICIAN),
    "auditor": (ActorKind.AUDITOR, Role.CLINICIAN, Standing.CLINICIAN),
    "steward": (ActorKind.STEWARD, Role.CLINICIAN, Standing.CLINICIAN),
    "last_steward": (ActorKind.STEWARD, Role.CLINICIAN, Standing.CLINICIAN),
    "inactive": (ActorKind.PRACTITIONER, Role.CLINICIAN, Standing.CLINICIAN),
}
VISIBILITIES = {
    "standard": Visibility(),
    "no_patients": Visibility(),
    "confidential": Visibility(Sensitivity.CONFIDENTIAL),
    "sensitive": Visibility(Sensitivity.RESTRICTED),
    "restricted": Visibility(restricted=True),
}
NO_PATIENTS = Policies(allow_patient_participation=False)
BY_NAME = {"named", "requester", "asked_by_name", "plain_named"}
# Of which of the groups somebody in this relation is a member: of none in those that are not here.
MEMBER_OF = {
    "home_named": ("home",),
    "asked_named": ("asked",),
    "opener": ("home",),
    "home": ("home",),
    "asked": ("asked",),
    "asked_by_patient": ("asked",),
    "both": ("home", "asked"),
    "network": ("asked",),
    "added": ("added",),
    "plain_member": ("asked",),
    "foreign": ("asked",),
}


class Scene(Struct, frozen=True):
    """One actor and one thread. `group` is that of the actor, or one that takes part where they have none."""

    actor: Actor
    thread: Thread
    company: dict[ParticipantId, Known]
    group: ParticipantId
    opened_for: ParticipantId | None


def membership(group: ParticipantId, standing: Standing = Standing.CLINICIAN) -> Membership:
    """Return a membership, bound to the patient where the group is a patient's team."""
    patients = {NETWORK.id: PATIENT, SECOND_TEAM.id: PATIENT, FOREIGN.id: OTHER_PATIENT}
    return Membership(group, standing, patients.get(group))


def known(listed: Participant, *groups: ParticipantId) -> Known:
    """Return what the directory knows of somebody who is a member of these groups, or of a group."""
    if listed.role in (Role.ORGANISATION, Role.CARE_TEAM):
        bound = {NETWORK.id: PATIENT, SECOND_TEAM.id: PATIENT, FOREIGN.id: OTHER_PATIENT}.get(listed.id)
        return Known(listed.id, listed.role, listed.name, patient=bound, members=frozenset({Standing.CLINICIAN}))
    patient = PATIENT if listed.role in (Role.PATIENT, Role.PATIENT_ASSOCIATE) else None
    # Not `membership`: whoever is in a thread to read it counts there, for whichever patient.
    return Known(
        listed.id,
        listed.role,
        listed.name,
        patient=patient,
        memberships=tuple(Membership(group, Standing.CLINICIAN) for group in groups),
    )


@cache
def scene(role: str, relation: str, visibility: str, status: str) -> Scene:
    """Return the actor and the thread of one case of the table."""
    kind, listed_as, standing = ROLES[role]
    of_patient = role in ("patient", "relative", "other_relative")
    own_team = of_patient and relation in ("opener", "left", "home", "both", "home_named")
    home = NETWORK if own_team else PHARMACY
    asked = CLINIC
    if relation == "network" or (relation == "plain_member" and of_patient):
        asked = NETWORK
    elif relation == "both" and of_patient:
        asked = SECOND_TEAM
    elif relation == "foreign":
        asked = FOREIGN
    added = NETWORK if of_patient else LABORATORY
    groups = {"home": home.id, "asked": asked.id, "added": added.id}
    own_groups = tuple(groups[each] for each in MEMBER_OF.get(relation, ()))
    memberships = tuple(membership(each, standing) for each in own_groups)
    if relation in BY_NAME and not of_patient:
        memberships = (Membership(ELSEWHERE, standing),)
    actor = Actor(
        id=ACTOR,
        kind=kind,
        name="Actor",
        active=role != "inactive",
        memberships=memberships,
        patients=frozenset({OTHER_PATIENT if role == "other_relative" else PATIENT}) if of_patient else frozenset(),
        standings=frozenset() if of_patient else frozenset({standing}),
        purpose="complaint" if role == "auditor" else "",
    )
    listed = Participant(ACTOR, listed_as, "Actor")
    participants, addressing = _thread(relation, listed, home, asked, added)
    ledger = Ledger(
        THREAD_ID,
        Instant(0),
        Instant(0),
        participants,
        status=ThreadStatus(status),
        addressing=addressing,
        visibility=VISIBILITIES[visibility],
        policies=NO_PATIENTS if visibility == "no_patients" else Policies(),
    )
    asks = ("left", "opener", "home", "both", "home_named", "asked_by_name")
    own_group = groups["home" if relation in asks else "added" if relation == "added" else "asked"]
    company = {each.id: known(each) for each in (*participants, STRANGER)}
    company |= {each: known(who, group.id) for each, who, group in _keepers(home, asked) if each in company}
    company[COLLEAGUE.id] = known(COLLEAGUE, ELSEWHERE if relation in BY_NAME else own_group)
    return Scene(
        actor,
        Thread(ledger, frozenset({PATIENT}), deserted=role == "last_steward"),
        company,
        own_group,
        own_group if relation in ("opener", "left") else None,
    )


def _keepers(home: Participant, asked: Participant) -> tuple[tuple[ParticipantId, Participant, Participant], ...]:
    return (HOME_KEEPER.id, HOME_KEEPER, home), (ASKED_KEEPER.id, ASKED_KEEPER, asked)


def _thread(
    relation: str, actor: Participant, home: Participant, asked: Participant, added: Participant
) -> tuple[tuple[Participant, ...], Addressing | None]:
    """Return who takes part, and the addressing."""
    always = (HOME_KEEPER, ASKED_KEEPER, EXTRA)
    named = (actor,) if relation in ("named", "home_named", "asked_named") else ()
    if relation == "plain_named":
        return (actor, asked, *always), None
    if relation == "plain_member":
        return (asked, *always), None
    if relation == "requester":
        return (actor, asked, *always), Addressing(actor.id, (asked.id,))
    if relation == "asked_by_patient":
        patient = Participant(JOHN.id, JOHN.role, JOHN.name)
        return (patient, asked, *always), Addressing(patient.id, (asked.id,))
    if relation in ("opener", "left"):
        return (actor, home, asked, *always), Addressing(actor.id, (asked.id,), home.id)
    if relation == "asked_by_name":
        return (OPENER, home, actor, *always), Addressing(OPENER.id, (actor.id,), home.id)
    third = (added,) if relation == "added" else ()
    return (OPENER, home, asked, *third, *named, *always), Addressing(OPENER.id, (asked.id,), home.id)


# ── What is asked of it ───────────────────────────────────────────────────────────────────────────────────────────────


def _speaks_for(scene: Scene) -> ParticipantId | None:
    """Return for whom they write: a member of two groups says it."""
    if len(scene.actor.memberships) > 1:
        return scene.group
    return default_group(scene.actor, scene.thread)


def _message(author: ParticipantId, group: ParticipantId | None, kind: MessageType = MessageType.CLINICIAN) -> Message:
    party = None if group is None else Party(group, "Group")
    return Message(MESSAGE_ID, kind, Instant(0), author, "Author", "Text.", on_behalf_of=party)


def _correct(original: Callable[[Scene], Message]) -> Callable[[Scene], None]:
    def check(scene: Scene) -> None:
        found = (scene.thread, original(scene))
        check_may_correct(scene.actor, scene.thread, _speaks_for(scene), MESSAGE_ID, found)

    return check


def _change(update: Callable[[Scene], LedgerUpdate]) -> Callable[[Scene], None]:
    return lambda scene: check_may_change(scene.actor, scene.thread, update(scene), scene.company)


def _turned(scene: Scene) -> LedgerUpdate:
    allowed = scene.thread.ledger.policies.allow_patient_participation
    return LedgerUpdate(policies=Policies(allow_patient_participation=not allowed))


def _open(scene: Scene) -> None:
    ledger = scene.thread.ledger
    new = NewThread(ledger.participants, ledger.addressing, visibility=ledger.visibility, policies=ledger.policies)
    company = scene.company | {ACTOR: replace(scene.company[ACTOR], active=scene.actor.active)}
    check_may_open(
        scene.actor, new, scene.opened_for, scene.thread.patients, company, patient_side_opens=True, continued=None
    )


OPERATIONS: dict[str, Callable[[Scene], None]] = {
    "read": lambda scene: check_may_read(scene.actor, scene.thread),
    "post": lambda scene: check_may_post(scene.actor, scene.thread, _speaks_for(scene)),
    "correct_own": _correct(lambda _: _message(ACTOR, None)),
    "correct_group": _correct(lambda scene: _message(STRANGER.id, scene.group)),
    "correct_other": _correct(lambda _: _message(STRANGER.id, None)),
    "correct_system": _correct(lambda _: _message(ACTOR, None, MessageType.SYSTEM)),
    "set_aside": lambda scene: check_may_set_aside(scene.actor, scene.thread, scene.group),
    "close": _change(lambda _: LedgerUpdate(status=ThreadStatus.CLOSED)),
    "archive": _change(lambda _: LedgerUpdate(status=ThreadStatus.ARCHIVED)),
    "add_colleague": _change(lambda _: LedgerUpdate(add_participants=(COLLEAGUE,))),
    "add_other": _change(lambda _: LedgerUpdate(add_participants=(STRANGER,))),
    "remove": _change(lambda _: LedgerUpdate(remove_participants=(EXTRA.id,))),
    "narrow": _change(lambda _: LedgerUpdate(visibility=Visibility(Sensitivity.RESTRICTED, restricted=True))),
    "widen": _change(lambda _: LedgerUpdate(visibility=Visibility())),
    "policies": _change(_turned),
    "emergency": lambda scene: check_may_open_in_emergency(scene.actor, scene.thread, "unconscious, allergies unknown"),
    "open": _open,
}
