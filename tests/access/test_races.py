"""Rights that change while they are used: what was acknowledged holds for every call that begins after it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Semaphore, Thread

import pytest

from carethread import (
    CarethreadError,
    ClientIdentifier,
    CoordinationService,
    MessageContent,
    Policies,
    Visibility,
)
from carethread.ids import CommunicationId
from carethread.reads import read_thread
from carethread.writes import ThreadChange, change_thread, post_message
from tests.access.racing import Race, post_on, post_on_alone, read_on, read_on_alone, together
from tests.durability.callers import Said
from tests.durability.forked import forked
from tests.region import Region, role

WARM = 12
CALLERS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> tuple[Path, str | None]:
    return tmp_path / "home", fresh_postgres() if request.param == "postgresql" else None


@pytest.fixture
def service(place: tuple[Path, str | None]) -> Iterator[CoordinationService]:
    """With the clock of the machine, which all processes share."""
    with CoordinationService.open(place[0], database_url=place[1], flushes=False) as opened:
        yield opened


@pytest.fixture
def race(region: Region, place: tuple[Path, str | None], tmp_path: Path) -> Race:
    thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A", others=("A2", "B1"))
    return Race(str(place[0]), place[1], region.id("B2"), thread, str(tmp_path / "acknowledged"))


def in_threads(
    service: CoordinationService,
    race: Race,
    work: Callable[[CoordinationService, Race, Callable[[Said], None]], None],
    change: Callable[[], object],
) -> list[Said]:
    """Let several do the work; change something once all are at it; return what was said."""
    said: list[Said] = []
    heard = Semaphore(0)

    def say(each: Said) -> None:
        said.append(each)
        heard.release()

    working = [Thread(target=work, args=(service, race, say)) for _ in range(CALLERS)]
    for each in working:
        each.start()
    for _ in range(WARM):
        assert heard.acquire(timeout=60)
    change()
    Path(race.acknowledged).touch()
    for each in working:
        each.join()
    return said


def in_processes(race: Race, work: Callable[..., None], change: Callable[[], object]) -> list[Said]:
    with ExitStack() as stack:
        working = [stack.enter_context(forked(work, race)) for _ in range(2)]
        for each in working:
            each.wait_for(WARM // 2)
        change()
        Path(race.acknowledged).touch()
        return [said for each in working for said in each.finish()]


def check_posted(region: Region, race: Race, said: list[Said]) -> None:
    """All that was acknowledged is there, nothing else of theirs, and nothing was asked for too late."""
    acknowledged = [each for each in said if each.kind == "post"]
    assert len(acknowledged) >= WARM - CALLERS
    assert [each for each in acknowledged if each.error] == []
    messages = read_thread(region.service, region.auditor, race.thread).messages
    theirs = [each.id for each in messages if each.author_id == race.person]
    assert sorted(theirs) == sorted(each.result for each in acknowledged)
    assert list(region.service.verify()) == []


def check_read(said: list[Said]) -> None:
    assert [each for each in said if each.error and each.result == "shown"] == []
    assert sum(each.result == "shown" for each in said) >= WARM - CALLERS
    assert any(each.error for each in said)


def test_nobody_posts_once_they_are_no_member(region: Region, race: Race) -> None:
    def revoke() -> None:
        region.load(role("B2", "Clinic-B", "doctor", active=False))

    check_posted(region, race, in_threads(region.service, race, post_on, revoke))


def test_nobody_posts_from_another_process_once_they_are_no_member(region: Region, race: Race) -> None:
    def revoke() -> None:
        region.load(role("B2", "Clinic-B", "doctor", active=False))

    check_posted(region, race, in_processes(race, post_on_alone, revoke))


def narrow(region: Region, thread: CommunicationId) -> None:
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(visibility=Visibility(restricted=True)))


def test_nothing_is_served_once_it_is_narrowed(region: Region, race: Race) -> None:
    check_read(in_threads(region.service, race, read_on, lambda: narrow(region, race.thread)))


def test_nothing_is_served_by_another_process_once_it_is_narrowed(region: Region, race: Race) -> None:
    check_read(in_processes(race, read_on_alone, lambda: narrow(region, race.thread)))


def test_first_threads_of_one_patient(region: Region) -> None:
    def ask() -> CommunicationId:
        return region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")

    made = together([ask] * 8)
    (status,) = region.service.records()
    threads = region.service.record(status.coordination_id).communications()
    assert sorted(map(str, made)) == sorted(each.communication_id for each in threads)
    assert list(region.service.verify()) == []


def test_one_identifier_makes_one_message(region: Region) -> None:
    thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
    identifier = ClientIdentifier("race", "the one")

    def post() -> str:
        content = MessageContent("Once")
        return post_message(region.service, region.caller("B1"), thread, content, client_identifier=identifier)

    made = together([post] * 8)
    assert [made[0]] == [each.id for each in read_thread(region.service, region.auditor, thread).messages[1:]]
    assert len(set(map(str, made))) == 1


def test_a_policy_and_whom_it_excludes(region: Region) -> None:
    """Whichever comes first, nobody takes part whom the policies exclude."""
    service = region.service
    for _ in range(6):
        thread = region.open("A1", ("Clinic-B",), "Hello", on_behalf_of="Pharmacy-A")
        without = ThreadChange(policies=Policies(allow_patient_participation=False))
        adding = ThreadChange(add=region.ids("P1"))
        deeds: list[Callable[[], object]] = [
            lambda thread=thread, without=without: change_thread(service, region.caller("A1"), thread, without),  # type: ignore[misc]
            lambda thread=thread, adding=adding: change_thread(service, region.caller("A2"), thread, adding),  # type: ignore[misc]
        ]
        results = together(deeds)
        ledger = read_thread(service, region.auditor, thread).ledger
        takes_part = region.id("P1") in [each.id for each in ledger.participants]
        assert takes_part is ledger.policies.allow_patient_participation
        assert sum(isinstance(each, CarethreadError) for each in results) == 1
