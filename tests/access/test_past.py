"""What somebody could see at an instant, told afterwards, is what they were shown then."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carethread import (
    Author,
    CarethreadError,
    CoordinationService,
    LifecycleState,
    MessageContent,
    StatusUpdate,
    Visibility,
    errors,
)
from carethread.clock import Instant
from carethread.ids import CoordinationId
from carethread.reads import read_thread, reconstruct
from carethread.record.model import Sensitivity
from carethread.writes import ThreadChange, change_thread, post_message
from tests.people import PLACE, Ticking, mint_from, seeded_ids
from tests.region import PATIENTS, PRACTITIONERS, RELATED, Region, reference, role, team

PEOPLE = [*PRACTITIONERS, *PATIENTS, *RELATED]
# How long after what was before: within the millisecond, within the second, later.
WAITS = (0, 0, 1, 300, 700, 2_000)
DEEDS = ("open", "post", "post", "narrow", "employ", "dismiss", "team", "merge", "status", "see", "see")

Seen = dict[str, set[tuple[str, str, int]]]


def do(region: Region, deed: str, number: int) -> None:
    """Change something, or let it be refused."""
    service = region.service
    threads = [
        (status.coordination_id, each.communication_id)
        for status in service.records()
        for each in service.record(status.coordination_id).communications()
    ]
    operator = Author(region.id("N1"), "Nobody Now")
    if deed == "open":
        asking, to, more = (
            ("A1", ("Clinic-B",), {"on_behalf_of": "Pharmacy-A"}),
            ("R1", ("Network-P1",), {}),
            ("C1", ("Wounds", "Network-P2"), {"patient": "P2"}),
        )[number % 3]
        region.open(asking, to, **more)
    elif deed == "employ":
        region.load(role(("C1", "B2", "A2")[number % 3], "Clinic-B", "doctor"))
    elif deed == "dismiss":
        region.load(role(("C1", "B2", "B1")[number % 3], "Clinic-B", "doctor", active=False))
    elif deed == "team":
        resource = team("Network-P1")
        resource["participant"] = [{"member": reference(each)} for each in ("P1", "R1", "A9", "Wounds")[number % 3 :]]
        region.load(resource)
    elif deed == "merge":
        link = [{"other": reference("P1"), "type": "replaced-by"}]
        region.load({"resourceType": "Patient", "id": "P2", "name": [{"text": "Jane Roe"}], "link": link})
    elif threads:
        record, thread = threads[number % len(threads)]
        if deed == "post":
            post_message(service, region.caller(PEOPLE[number % len(PEOPLE)]), thread, MessageContent("x"))
        elif deed == "narrow":
            asked = ThreadChange(visibility=Visibility(list(Sensitivity)[number % 3]))
            change_thread(service, region.caller("A1"), thread, asked)
        elif deed == "status":
            state = LifecycleState.SUSPENDED if number % 2 else LifecycleState.ACTIVE
            service.record(record).update_coordination_status(operator, PLACE, StatusUpdate(state))


def seen(region: Region) -> Seen:
    """Return what everybody is shown now: of each thread, at which version, how much."""
    service = region.service
    found: Seen = {each: set() for each in PEOPLE}
    for status in service.records():
        for ledger in service.record(status.coordination_id).communications():
            for each in PEOPLE:
                try:
                    view = read_thread(service, region.caller(each), ledger.communication_id, opens=False)
                except errors.UnknownThreadError:
                    continue
                found[each].add((ledger.communication_id, view.version, len(view.messages)))
    return found


@given(
    deeds=st.lists(
        st.tuples(st.sampled_from(DEEDS), st.integers(0, 100), st.sampled_from(WAITS)), min_size=4, max_size=16
    )
)
@settings(max_examples=max(1, settings().max_examples // 8), deadline=None)
def test_told_afterwards_is_what_was_shown(deeds: list[tuple[str, int, int]]) -> None:
    clock = Ticking(step=0)
    with (
        tempfile.TemporaryDirectory(prefix="carethread-past-") as folder,
        CoordinationService.open(
            Path(folder), clock=clock, mint=partial(mint_from, seeded_ids(5)), flushes=False
        ) as service,
    ):
        region = Region(service)
        looks: list[tuple[Instant, Seen]] = []
        clock.now += 1
        for deed, number, wait in [("open", 0, 1), *deeds, ("see", 0, 0)]:
            clock.now += wait
            if deed == "see":
                looks.append((Instant(clock.now), seen(region)))
                # Whatever follows comes later than what was looked at.
                clock.now += 1
                continue
            try:
                do(region, deed, number)
            except CarethreadError:
                continue
        clock.now += 5_000
        # A commit of the status counts from the beginning of its second: it may be named instead of the one before
        # it, which holds the same threads.
        exact = "status" not in [deed for deed, _, _ in deeds]
        for at, shown in looks:
            for each in PEOPLE:
                told = reconstruct(service, region.auditor, region.id(each), at)
                found = {(one.ledger.communication_id, one.version, one.entries) for one in told.visible}
                assert {(thread, count) for thread, _, count in found} == {
                    (thread, count) for thread, _, count in shown[each]
                }
                assert not exact or found == shown[each]
                assert all(entry.at <= at for entry in told.served)


def _visible(region: Region, who: str, at: int, **more: Any) -> list[int]:
    told = reconstruct(region.service, region.auditor, region.id(who), Instant(at), **more)
    return [each.entries for each in told.visible]


def test_a_status_of_the_same_second_shows_nothing_later(region: Region) -> None:
    """Its commit has a time to the second; the message before it has one to the millisecond."""
    service = region.service
    clock = service.archive.clock
    assert isinstance(clock, Ticking)
    clock.step, clock.now = 0, 1_768_142_300_000
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    clock.now += 400
    post_message(service, region.caller("B1"), thread, MessageContent("Later"))
    clock.now += 100
    (status,) = service.records()
    author = Author(region.id("N1"), "Nobody Now")
    service.record(status.coordination_id).update_coordination_status(author, PLACE, StatusUpdate(record_open=False))
    clock.now += 10_000
    record = status.coordination_id
    assert _visible(region, "B1", 1_768_142_300_399, record=record) == [1]
    assert _visible(region, "B1", 1_768_142_300_400) == [2]
    assert _visible(region, "B1", 1_768_142_300_900) == [2]
    assert _visible(region, "B1", 1_768_142_299_999) == []


def test_progress_is_told(region: Region) -> None:
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    told: list[tuple[int, int]] = []
    at = region.service.archive.clock()
    reconstruct(
        region.service, region.auditor, region.id("B1"), at, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(0, 1), (1, 1)]


def test_what_the_directory_or_the_archive_never_had(region: Region) -> None:
    at = region.service.archive.clock()
    with pytest.raises(errors.UnknownPersonError):
        reconstruct(region.service, region.auditor, region.id("B1"), Instant(1))
    with pytest.raises(errors.UnknownPersonError):
        reconstruct(region.service, region.auditor, region.id("Clinic-B"), at)
    with pytest.raises(errors.CarethreadError):
        reconstruct(region.service, region.auditor, region.id("B1"), at, record=CoordinationId("0" * 32))
