"""Threads, actors and changes of any kind, out of few people and groups, so that they meet."""

from hypothesis import strategies as st
from msgspec.structs import replace

from carethread import Addressing, LedgerUpdate, Participant, Policies, Role, Sensitivity, ThreadStatus, Visibility
from carethread.clock import Instant
from carethread.directory.model import Membership, Standing
from carethread.policy.actor import Actor, ActorKind, Known, Thread
from carethread.record.model import GROUP_ROLES, INDIVIDUAL_ROLES, Ledger
from tests.people import person
from tests.policy.scene import (
    ASKED_KEEPER,
    COLLEAGUE,
    EXTRA,
    HOME_KEEPER,
    LABORATORY,
    OTHER_PATIENT,
    PATIENT,
    STRANGER,
    THREAD_ID,
    VISIBILITIES,
    Scene,
    known,
    scene,
)

PEOPLE = tuple(
    Participant(person(number), role, f"Person {number}")
    for number, role in enumerate((*sorted(INDIVIDUAL_ROLES), Role.CLINICIAN, Role.CLINICIAN), 60)
)
GROUPS = tuple(
    Participant(person(number), role, f"Group {number}")
    for number, role in enumerate((Role.ORGANISATION, Role.ORGANISATION, Role.CARE_TEAM, Role.CARE_TEAM), 160)
)
# The last two groups are the teams of the patient and of another one.
BOUND = {GROUPS[2].id: PATIENT, GROUPS[3].id: OTHER_PATIENT}
KINDS = {Role.PATIENT: ActorKind.PATIENT, Role.PATIENT_ASSOCIATE: ActorKind.RELATED_PERSON}

visibilities = st.builds(Visibility, st.sampled_from(Sensitivity), st.booleans())
policies = st.builds(Policies, st.booleans(), st.booleans())
patients = st.frozensets(st.sampled_from([PATIENT, OTHER_PATIENT]), max_size=2)
memberships = st.lists(
    st.builds(
        lambda group, standing: Membership(group.id, standing, BOUND.get(group.id)),
        st.sampled_from(GROUPS),
        st.sampled_from(Standing),
    ),
    max_size=3,
    unique=True,
).map(tuple)


@st.composite
def actors(draw: st.DrawFn) -> Actor:
    """Somebody, mostly as what they are, sometimes as a client, an auditor or a steward."""
    listed = draw(st.sampled_from(PEOPLE))
    kind = KINDS.get(listed.role, ActorKind.PRACTITIONER)
    if draw(st.sampled_from([True, *[False] * 5])):
        kind = draw(st.sampled_from([ActorKind.CLIENT, ActorKind.AUDITOR, ActorKind.STEWARD]))
    return Actor(
        listed.id,
        kind,
        listed.name,
        memberships=draw(memberships),
        patients=draw(patients),
        standings=draw(st.frozensets(st.sampled_from([Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR]))),
        purpose=draw(st.sampled_from(["", "complaint"])),
    )


@st.composite
def threads(draw: st.DrawFn) -> Thread:
    """A thread as the record's rules allow it: whoever is addressed takes part."""
    participants = tuple(draw(st.lists(st.sampled_from(PEOPLE + GROUPS), min_size=3, unique=True)))
    individuals = [each.id for each in participants if each.role not in GROUP_ROLES]
    ids = [each.id for each in participants]
    addressing = None
    plain: bool = draw(st.sampled_from([True, False, False, False]))
    if individuals and not plain:
        addressing = Addressing(
            draw(st.sampled_from(individuals)),
            tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True))),
            draw(st.none() | st.sampled_from(ids)),
        )
    ledger = Ledger(
        THREAD_ID,
        Instant(0),
        Instant(0),
        participants,
        status=draw(st.sampled_from(ThreadStatus)),
        addressing=addressing,
        visibility=draw(visibilities),
        policies=Policies(allow_patient_participation=draw(st.booleans())),
    )
    return Thread(ledger, frozenset({PATIENT}), deserted=draw(st.booleans()))


@st.composite
def companies(draw: st.DrawFn) -> dict[str, Known]:
    """What the directory may know of all of them."""
    found = {}
    for each in PEOPLE + GROUPS:
        group = each.role in GROUP_ROLES
        found[each.id] = Known(
            each.id,
            each.role,
            each.name,
            active=draw(st.sampled_from([False, *[True] * 4])),
            patient=BOUND.get(each.id) if group or each.role not in KINDS else PATIENT,
            memberships=() if group else draw(memberships),
            members=draw(st.frozensets(st.sampled_from(Standing))) if group else frozenset(),
        )
    return found  # type: ignore[return-value]  # the ids are of one type


@st.composite
def updates(draw: st.DrawFn) -> LedgerUpdate:
    """A change of one thing or of several."""
    people = st.lists(st.sampled_from(PEOPLE + GROUPS), max_size=2, unique=True)
    ids = [each.id for each in PEOPLE + GROUPS]
    addressing = st.builds(
        Addressing,
        st.sampled_from(ids),
        st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True).map(tuple),
        st.none() | st.sampled_from(ids),
    )
    whole = LedgerUpdate(
        status=draw(st.none() | st.sampled_from(ThreadStatus)),
        add_participants=tuple(draw(people)),
        remove_participants=tuple(each.id for each in draw(people)),
        visibility=draw(st.none() | visibilities),
        policies=draw(st.none() | policies),
        addressing=draw(st.none() | addressing),
    )
    if draw(st.booleans()):
        return whole
    name = draw(st.sampled_from(LedgerUpdate.__struct_fields__))
    return replace(LedgerUpdate(), **{name: getattr(whole, name)})


@st.composite
def changes(draw: st.DrawFn) -> tuple[Scene, LedgerUpdate]:
    """A scene of the table, and a change that may be allowed in it."""
    asked = scene(
        draw(st.sampled_from(["clinician", "administrator", "last_steward"])),
        draw(st.sampled_from(["home", "home_named", "opener", "requester", "plain_named", "asked_named"])),
        draw(st.sampled_from(list(VISIBILITIES))),
        draw(st.sampled_from(ThreadStatus)),
    )
    asked = replace(asked, company=asked.company | {LABORATORY.id: known(LABORATORY)})
    addressing = asked.thread.ledger.addressing
    one_more = None
    if addressing is not None:
        more = draw(st.sampled_from([LABORATORY, EXTRA, STRANGER, HOME_KEEPER]))
        one_more = replace(addressing, recipients=(*addressing.recipients, more.id))
    removable = [HOME_KEEPER.id, ASKED_KEEPER.id, EXTRA.id]
    parts: dict[str, object] = {
        "status": draw(st.sampled_from(ThreadStatus)),
        "add_participants": (draw(st.sampled_from([COLLEAGUE, STRANGER, LABORATORY, EXTRA])),),
        "remove_participants": tuple(draw(st.lists(st.sampled_from(removable), min_size=1, unique=True))),
        "visibility": draw(visibilities),
        "policies": draw(policies),
        "addressing": one_more,
    }
    names = draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, max_size=3, unique=True))
    return asked, replace(LedgerUpdate(), **{name: parts[name] for name in names})
