"""What runs at the same time as a change of who may do what, in threads or in processes of its own.

A file says that the change has been acknowledged. Whoever sees it before a call must be refused; nobody waits for time
to pass.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Barrier, Thread

from msgspec import Struct

from carethread import CarethreadError, CoordinationService, MessageContent, errors
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import inbox, read_thread, search
from carethread.reads.looking import Looking
from carethread.writes import post_message
from tests.durability.callers import Said, Say

# Two on one database, as two processes have: each writes by itself.
Services = tuple[CoordinationService, CoordinationService]
# Nobody gets so far: whoever does was never refused.
MANY = 10_000


class Race(Struct, frozen=True):
    """Where, who, and the file that says that they may no more."""

    data_dir: str
    database_url: str | None
    person: ParticipantId
    thread: CommunicationId
    acknowledged: str


def post_on(service: CoordinationService, race: Race, say: Say) -> None:
    """Post until that is refused; say of each message whether it was asked for too late."""
    caller = Caller(race.person, client="race")
    for number in range(MANY):
        late = Path(race.acknowledged).exists()
        try:
            made = post_message(service, caller, race.thread, MessageContent(f"{number}"))
        except errors.UnknownThreadError:
            say(Said("end", number, 1, result="refused"))
            return
        say(Said("post", number, 1, result=made, error="late" if late else ""))
    raise AssertionError("never refused")


def read_on(service: CoordinationService, race: Race, say: Say) -> None:
    """Read, list and search until nothing is shown any more; say of each answer whether it was given too late."""
    caller = Caller(race.person, client="race")
    for number in range(MANY):
        late = Path(race.acknowledged).exists()
        shown = [race.thread in (each.ledger.communication_id for each in inbox(service, caller).lines)]
        shown.append(race.thread in (each.thread for each in search(service, caller, Looking("hello")).hits))
        try:
            read_thread(service, caller, race.thread)
            shown.append(True)
        except errors.UnknownThreadError:
            shown.append(False)
        say(Said("read", number, 1, result="shown" if any(shown) else "nothing", error="late" if late else ""))
        if late:
            return
    raise AssertionError("never told")


def post_on_alone(race: Race, say: Say) -> None:
    """Post from a process of its own."""
    with CoordinationService.open(race.data_dir, database_url=race.database_url, flushes=False) as service:
        post_on(service, race, say)


def read_on_alone(race: Race, say: Say) -> None:
    """Read from a process of its own."""
    with CoordinationService.open(race.data_dir, database_url=race.database_url, flushes=False) as service:
        read_on(service, race, say)


def together(deeds: Sequence[Callable[[], object]]) -> list[object]:
    """Do things at once; return what each gave, or the error."""
    barrier = Barrier(len(deeds))
    results: list[object] = [None] * len(deeds)

    def do(number: int) -> None:
        barrier.wait()
        try:
            results[number] = deeds[number]()
        except CarethreadError as error:
            results[number] = error

    doing = [Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for each in doing:
        each.start()
    for each in doing:
        each.join()
    return results
