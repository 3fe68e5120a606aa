"""Several at once, in threads and processes: one creates, nothing is seen in halves, and nobody waits for ever."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from carethread import CoordinationService
from carethread.reads import read_thread
from tests.access.creating import Place, create, create_alone, cross, post_pairs
from tests.durability.forked import forked
from tests.region import Region


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> tuple[str, str | None]:
    return str(tmp_path / "home"), fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def service(home: tuple[str, str | None]) -> Iterator[CoordinationService]:
    """With the clock of the machine, which all processes share."""
    with CoordinationService.open(home[0], database_url=home[1], flushes=False) as opened:
        yield opened


@pytest.fixture
def place(region: Region, home: tuple[str, str | None]) -> Place:
    person, group, recipient, patient = region.ids("A1", "Pharmacy-A", "Clinic-B", "P1")
    return Place(*home, person, group, recipient, patient)


@pytest.mark.parametrize("has_record", [False, True])
def test_one_is_made(region: Region, place: Place, has_record: bool) -> None:
    """Where the patient has a record already, and where it is the first thread that begins it."""
    if has_record:
        # Of no concern to who asks.
        region.open("C1", ("HomeCare-D",), on_behalf_of="Hospital-C")
    with ExitStack() as stack:
        working = [stack.enter_context(forked(create_alone, place)) for _ in range(2)]
        create(region.service, place, lambda _: None)
        said = [each for process in working for each in process.finish()]
    assert [each for each in said if each.error] == []
    assert len(said) == 32
    (status,) = region.service.records()
    threads = region.service.record(status.coordination_id).communications()
    theirs = [each for each in threads if region.id("A1") in [person.id for person in each.participants]]
    assert len(theirs) == 1
    made = [each.thread for each in said if each.result == "made"]
    assert made in ([], [theirs[0].communication_id])
    region.service.flush()
    assert list(region.service.verify()) == []


def test_nobody_dies_in_the_middle(region: Region, place: Place, soaking: bool) -> None:
    """Killed at any instant, a pair is there or is not; and whatever was acknowledged is."""
    thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
    before = 0
    for round_number in range(40 if soaking else 3):
        with forked(post_pairs, replace(place, threads=(thread,))) as working:
            working.wait_for(12)
            working.kill(0.003 * round_number)
            said = working.said
        bodies = [each.body for each in read_thread(region.service, region.auditor, thread).messages]
        new = bodies[1 + before :]
        pairs = Counter(tuple(each.split()[1:3]) for each in new if each.startswith("pair"))
        assert set(pairs.values()) <= {2}
        for one in (each for each in new if each.endswith("one")):
            assert new[new.index(one) + 1] == one.removesuffix("one") + "two"
        acknowledged = {(str(each.caller), str(each.number - 1)) for each in said if each.caller % 2}
        assert acknowledged <= set(pairs)
        before = len(bodies) - 1
    region.service.flush()
    assert list(region.service.verify()) == []


def test_two_records_in_either_order(region: Region, place: Place) -> None:
    threads = [
        region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A", patient=patient)
        for patient in ("P1", "P2")
    ]
    both = replace(place, threads=tuple(threads))
    with forked(cross, both) as one, forked(cross, both) as two:
        said = one.finish() + two.finish()
    assert sum(each.kind == "done" for each in said) == 2 * 4 * 8
    for thread in threads:
        assert len(read_thread(region.service, region.auditor, thread).messages) == 1 + 2 * 4 * 8
    region.service.flush()
    assert list(region.service.verify()) == []
