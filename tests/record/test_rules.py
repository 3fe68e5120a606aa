"""The record's rules by themselves: every pair of states, written down by hand."""

import itertools

import pytest
from msgspec.structs import replace

from carethread import Addressing, LifecycleState, Policies, Role, StatusUpdate, ThreadStatus, errors
from carethread.clock import Instant
from carethread.record import rules
from carethread.record.model import CoordinationStatus, Custodian, Ledger
from tests.people import CLINIC, JANE, PHARMACIST, PHARMACY, TOM, listed, person

THREAD_MOVES = {
    ("open", "closed"): True,
    ("open", "archived"): True,
    ("closed", "archived"): True,
    ("open", "open"): False,
    ("closed", "open"): False,
    ("closed", "closed"): False,
    ("archived", "open"): False,
    ("archived", "closed"): False,
    ("archived", "archived"): False,
}
LIFECYCLE_MOVES = {
    ("active", "active"): True,  # nothing moves, and nothing is wrong with that
    ("active", "suspended"): True,
    ("active", "closed"): True,
    ("suspended", "active"): True,
    ("suspended", "suspended"): True,
    ("suspended", "closed"): True,
    ("closed", "active"): False,
    ("closed", "suspended"): False,
    ("closed", "closed"): False,
}


@pytest.mark.parametrize("before,after", list(itertools.product(ThreadStatus, repeat=2)))
def test_where_a_thread_may_go(before: ThreadStatus, after: ThreadStatus) -> None:
    if THREAD_MOVES[before, after]:
        rules.check_thread_transition(before, after)
    else:
        with pytest.raises(errors.IllegalTransitionError):
            rules.check_thread_transition(before, after)


@pytest.mark.parametrize("before,after", list(itertools.product(LifecycleState, repeat=2)))
def test_where_a_record_may_go(before: LifecycleState, after: LifecycleState) -> None:
    status = CoordinationStatus("7f" * 16, person(9), Custodian(person(8), "Here"), before)  # type: ignore[arg-type]
    if LIFECYCLE_MOVES[before, after]:
        rules.check_status_update(status, StatusUpdate(after))
    else:
        with pytest.raises(errors.IllegalTransitionError):
            rules.check_status_update(status, StatusUpdate(after))


@pytest.mark.parametrize(
    "now,last,expected", [(10_000, 9_000, 10_000), (9_000, 9_000, 9_000), (7_000, 9_000, 9_000), (6_999, 9_000, None)]
)
def test_the_time_that_is_recorded(now: int, last: int, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(errors.ClockError, match="2001 ms behind"):
            rules.recording_time(Instant(now), Instant(last))
    else:
        assert rules.recording_time(Instant(now), Instant(last)) == expected


def test_a_group_is_nobody_who_acts() -> None:
    ledger = Ledger("x", Instant(0), Instant(0), listed(JANE))  # type: ignore[arg-type]
    with pytest.raises(errors.RoleMismatchError):
        rules.check_author(ledger, replace(JANE, role=Role.CARE_TEAM))


def test_a_home_group_alone_satisfies_the_policy() -> None:
    participants = (*listed(PHARMACIST, TOM), PHARMACY)
    policies = Policies(allow_external_organisations=False)
    addressing = Addressing(PHARMACIST.id, (TOM.id,), PHARMACY.id)
    rules.check_policies(policies, addressing, participants)
    with pytest.raises(errors.PolicyContradictionError):
        rules.check_policies(policies, addressing, (*participants, CLINIC))
