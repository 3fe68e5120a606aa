"""What several processes try at once: to create what only one of them may, and to do much as one until they die."""

import threading
from collections.abc import Callable

from msgspec import Struct

from carethread import CarethreadError, CoordinationService, MessageContent
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import patient_threads, read_thread
from carethread.writes import Opening, create_unless, open_thread, post_message, together
from tests.durability.callers import Said, Say


class Place(Struct, frozen=True):
    """Where, who asks whom, and about whom; the threads that there are."""

    data_dir: str
    database_url: str | None
    person: ParticipantId
    group: ParticipantId
    recipient: ParticipantId
    patient: ParticipantId
    threads: tuple[CommunicationId, ...] = ()


def in_threads(count: int, deed: Callable[[int], None]) -> None:
    """Do something several times at once."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        deed(number)

    doing = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in doing:
        each.start()
    for each in doing:
        each.join()


def create(service: CoordinationService, place: Place, say: Say) -> None:
    """Open the patient's thread unless there is one, sixteen times at once."""
    caller = Caller(place.person, client="race")

    def find(inside: CoordinationService) -> list[CommunicationId]:
        return [each.ledger.communication_id for each in patient_threads(inside, caller, place.patient)]

    def make(inside: CoordinationService) -> CommunicationId:
        opening = Opening(place.patient, (place.recipient,), place.group, message=MessageContent("Once"))
        return open_thread(inside, caller, opening)

    def deed(number: int) -> None:
        try:
            came = create_unless(service, caller, find, make, patient=place.patient)
        except CarethreadError as error:
            say(Said("create", number, 1, error=repr(error)))
        else:
            say(Said("create", number, 1, result="found" if came.made is None else "made", thread=str(came.made)))

    in_threads(16, deed)


def create_alone(place: Place, say: Say) -> None:
    """Do so from a process of its own."""
    with CoordinationService.open(place.data_dir, database_url=place.database_url, flushes=False) as service:
        create(service, place, say)


def post_pairs(place: Place, say: Say) -> None:
    """Post two messages as one, again and again, from four threads, while as many post single ones."""
    (thread,) = place.threads
    caller = Caller(place.person, client="race")

    with CoordinationService.open(place.data_dir, database_url=place.database_url, flushes=True) as service:

        def pair(number: int, count: int) -> None:
            def work(inside: CoordinationService) -> None:
                first = f"pair {number} {count} one"
                post_message(inside, caller, thread, MessageContent(first))
                assert read_thread(inside, caller, thread).messages[-1].body == first
                post_message(inside, caller, thread, MessageContent(f"pair {number} {count} two"))

            together(service, caller, work)

        def deed(number: int) -> None:
            for count in range(10_000):
                if number % 2:
                    pair(number, count)
                else:
                    post_message(service, caller, thread, MessageContent(f"single {number} {count}"))
                say(Said("post", number, count + 1))

        in_threads(8, deed)


def cross(place: Place, say: Say) -> None:
    """Write to two records as one, in one order and in the other, where two processes do so."""
    caller = Caller(place.person, client="race")
    with CoordinationService.open(place.data_dir, database_url=place.database_url, flushes=False) as service:

        def deed(number: int) -> None:
            for count in range(8):

                def work(inside: CoordinationService, text: str = f"{number} {count}") -> None:
                    for thread in place.threads if number % 2 else reversed(place.threads):
                        post_message(inside, caller, thread, MessageContent(text))

                for _ in range(5):
                    try:
                        together(service, caller, work)
                    except CarethreadError as error:
                        say(Said("retry", number, count + 1, error=repr(error)))
                    else:
                        say(Said("done", number, count + 1))
                        break

        in_threads(4, deed)
