"""Sessions: how long they last, and as what somebody acts in one."""

import pytest

from carethread import errors
from carethread.clock import Instant
from carethread.directory.model import Membership, Standing
from carethread.policy.actor import Actor, ActorKind
from carethread.policy.sessions import Acting, Session, as_of_now, check_acts, check_limits
from tests.people import person

GROUP, OTHER = person(101), person(102)
MEMBER = Actor(person(1), ActorKind.PRACTITIONER, "Jane", memberships=(Membership(GROUP, Standing.CLINICIAN),))


def session(**more: object) -> Session:
    fields: dict[str, object] = {
        "id": "7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88", "person": person(1), "acting": Acting(), "csrf": "",
        "language": "", "zone": "", "began_at": Instant(0), "last_used_at": Instant(5), "idle": 10,
        "ends_at": Instant(100), **more,
    }  # fmt: skip
    return Session(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("last, over", [(5, 15), (90, 100), (95, 100)])
def test_over_when_left_unused_and_in_any_case(last: int, over: int) -> None:
    assert session(last_used_at=Instant(last)).over_at == over


@pytest.mark.parametrize("idle, longest", [(0, 1), (-1, 1), (2, 1)])
def test_every_session_has_an_end(idle: int, longest: int) -> None:
    with pytest.raises(errors.InvalidValueError):
        check_limits(idle, longest)
    check_limits(1, 1)


@pytest.mark.parametrize("acting", [Acting(), Acting(GROUP), Acting(kind=ActorKind.STEWARD)])
def test_as_what_somebody_acts(acting: Acting) -> None:
    check_acts(MEMBER, acting)


@pytest.mark.parametrize(
    "actor, acting, error",
    [
        (MEMBER, Acting(OTHER), errors.NotMemberError),
        (Actor(person(1), ActorKind.AUDITOR, "Jane"), Acting(GROUP, ActorKind.AUDITOR, "x"), errors.NotMemberError),
        (MEMBER, Acting(kind=ActorKind.PRACTITIONER), errors.InvalidValueError),
        (Actor(person(1), ActorKind.PATIENT, "John", active=False), Acting(), errors.InactiveError),
    ],
)
def test_as_what_they_do_not(actor: Actor, acting: Acting, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_acts(actor, acting)


def test_a_group_that_was_left_is_not_acted_for() -> None:
    assert as_of_now(session(acting=Acting(GROUP)), MEMBER) == session(acting=Acting(GROUP))
    assert as_of_now(session(acting=Acting(OTHER)), MEMBER) == session()
    assert as_of_now(session(), MEMBER) == session()
