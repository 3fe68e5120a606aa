"""Many threads of many processes write at once: nothing is lost, doubled, or out of order for whoever wrote it."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from msgspec import Struct

from carethread import CarethreadError, ClientIdentifier, CoordinationService, MessageContent
from carethread.errors import DuplicateRecordError, IdentifierConflictError
from carethread.ids import CommunicationId
from tests.durability.callers import Place, Said, Say, Task, clinical_id, make_places, write
from tests.durability.forked import forked
from tests.durability.promises import Promises
from tests.people import JANE, PLACE, TOM, listed

_HOT = ("message",) * 5 + ("identified",)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    make: Callable[[], str] = request.getfixturevalue("fresh_postgres")
    return make()


def _race(tasks: list[Task]) -> list[Said]:
    """Run each task in a process of its own, all at once; return what was said."""
    with ExitStack() as stack:
        processes = [stack.enter_context(forked(write, task)) for task in tasks]
        return [said for process in processes for said in process.finish()]


def _tasks(data_dir: Path, places: tuple[Place, ...], database_url: str | None, **others: object) -> list[Task]:
    """Return tasks for 4 processes of 8 threads each."""
    return [
        Task(str(data_dir), places, database_url, callers=8, first_caller=1 + 100 * number, **others)  # type: ignore[arg-type]
        for number in range(4)
    ]


@pytest.mark.parametrize("hot", [True, False], ids=["one thread", "many threads"])
def test_four_processes(tmp_path: Path, database_url: str | None, hot: bool, soaking: bool) -> None:
    with CoordinationService.open(tmp_path, database_url=database_url, flushes=False) as service:
        places = make_places(service, records=1, threads=1) if hot else make_places(service, records=4, threads=4)
        promises = Promises(places)
        entries = 200 if soaking else 12
        if hot:
            tasks = _tasks(tmp_path, places, database_url, entries=entries, kinds=_HOT)
        else:
            tasks = _tasks(tmp_path, places, database_url, entries=entries)
        promises.hear(_race(tasks))
        assert promises.acknowledged == 32 * entries
        promises.check_everything(service)


def test_thirty_two_threads(tmp_path: Path, database_url: str | None) -> None:
    with CoordinationService.open(tmp_path, database_url=database_url, flushes=False) as service:
        places = make_places(service, records=2, threads=2)
    said: list[Said] = []
    write(Task(str(tmp_path), places, database_url, callers=32, entries=12), said.append)
    promises = Promises(places)
    promises.hear(said)
    assert promises.acknowledged == 32 * 12
    with CoordinationService.open(tmp_path, database_url=database_url, flushes=False) as service:
        promises.check_everything(service)


def test_signing(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    (tmp_path / "key").write_bytes(key)
    with CoordinationService.open(tmp_path / "home", flushes=False) as service:
        places = make_places(service, records=2, threads=2)
        promises = Promises(places)
        promises.hear(_race(_tasks(tmp_path / "home", places, None, entries=5, signing_key=str(tmp_path / "key"))))
        assert promises.acknowledged == 32 * 5
        promises.check_everything(service)
        history = list(service.record(places[0].record).history())
        assert sum(entry.signed for entry in history) >= len(history) - 3


# ── One thing, asked for by many ──────────────────────────────────────────────────────────────────────────────────────


class Wish(Struct, frozen=True):
    """What every caller asks for, at the same moment: `ask` names one of the functions below."""

    data_dir: str
    database_url: str | None
    ask: str
    place: Place


def wish(wanted: Wish, first_caller: int, say: Say) -> None:
    """Let 8 threads ask for the same."""
    ask = _ASKED[wanted.ask]
    with CoordinationService.open(wanted.data_dir, database_url=wanted.database_url) as service:
        together = threading.Barrier(8)

        def call(caller: int) -> None:
            together.wait()
            try:
                say(Said("wish", caller, 1, result=ask(service, wanted.place, caller)))
            except CarethreadError as error:
                say(Said("wish", caller, 1, error=error.code))

        threads = [threading.Thread(target=call, args=(first_caller + number,)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()


def _ask_for_message(service: CoordinationService, place: Place, caller: int) -> str:
    return service.record(place.record).add_message(
        JANE,
        PLACE,
        CommunicationId(place.thread),
        MessageContent("Asked for by everybody."),
        client_identifier=ClientIdentifier("races", "the one"),
    )


def _ask_for_different_messages(service: CoordinationService, place: Place, caller: int) -> str:
    return service.record(place.record).add_message(
        JANE,
        PLACE,
        CommunicationId(place.thread),
        MessageContent(f"Asked for by {caller}."),
        client_identifier=ClientIdentifier("races", "the one"),
    )


def _ask_for_thread(service: CoordinationService, place: Place, caller: int) -> str:
    return service.record(place.record).communication_create(
        JANE,
        PLACE,
        listed(JANE, TOM),
        MessageContent("Opened by everybody."),
        client_identifier=ClientIdentifier("races", "the one"),
    )


def _ask_for_record(service: CoordinationService, place: Place, caller: int) -> str:
    return service.initialise(JANE, PLACE, clinical_id(7, 7)).coordination_id


_ASKED = {
    "message": _ask_for_message,
    "different messages": _ask_for_different_messages,
    "thread": _ask_for_thread,
    "record": _ask_for_record,
}


@pytest.mark.parametrize("asked", list(_ASKED))
def test_sixteen_callers_of_two_processes_ask_for_the_same(
    tmp_path: Path, database_url: str | None, asked: str
) -> None:
    with CoordinationService.open(tmp_path, database_url=database_url, flushes=False) as service:
        (place,) = make_places(service, records=1, threads=1)
        wanted = Wish(str(tmp_path), database_url, asked, place)
        with forked(wish, wanted, 1) as one, forked(wish, wanted, 101) as other:
            said = one.finish() + other.finish()
        errors = Counter(each.error for each in said if each.error)
        results = {each.result for each in said if each.result}
        assert len(said) == 16
        assert len(results) == 1
        record = service.record(place.record)
        there: dict[str, list[str]] = {
            "message": [each.id for each in record.read_communication(place.thread).messages],
            "thread": [each.communication_id for each in record.communications()[1:]],
            "record": [each.coordination_id for each in service.records() if each.coordination_id != place.record],
        }
        assert there.get(asked, there["message"]) == list(results)
        assert sum(len(each) for each in there.values()) == 1
        assert (
            errors
            == {
                "message": {},
                "different messages": {IdentifierConflictError.code: 15},
                "thread": {},
                "record": {DuplicateRecordError.code: 15},
            }[asked]
        )
        service.flush()
        assert list(service.verify()) == []
