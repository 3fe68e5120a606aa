"""Several writes as one: all of them are recorded, or none; and a write only where nothing like it is there yet."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.store.asking import line, log_refusal, was_logged
from carethread.store.together import Joined, take_turn
from carethread.store.together import together as all_or_nothing

Result = TypeVar("Result")
Found = TypeVar("Found")
Made = TypeVar("Made")


class Unless(Struct, Generic[Found, Made], frozen=True):
    """What `create_unless` came to: `made`, if nothing was found; else what was found, one or several."""

    found: tuple[Found, ...]
    made: Made | None = None


def together(service: CoordinationService, caller: Caller, work: Callable[[CoordinationService], Result]) -> Result:
    """Do several things as one; `work` is given the service to do them with.

    Every function of `reads` and `writes` works with it, and the directory's; what needs a repository does not, such as
    `verify` and `history`. While `work` runs everybody else waits: it must wait for nothing and for nobody. It may be
    called again, from the beginning, after everything was rolled back.

    A refusal that `work` gets over is recorded with what it did instead. Further calls inside join the outer one, and
    fail all of it if they fail.

    Raises:
        TooMuchError: the work takes more steps, bytes or time than others are made to wait.
        CarethreadError: what the work raises. Nothing was recorded but the refusal.
    """
    asked = line(caller, Action.WRITTEN)

    def inside(joined: Joined) -> Result:
        try:
            return work(CoordinationService(joined))
        except CarethreadError as error:
            # Most are logged where they are raised, with more than is known here.
            if not was_logged(error):
                log_refusal(joined, asked, error)
            raise

    return all_or_nothing(service.archive, inside)


def create_unless(
    service: CoordinationService,
    caller: Caller,
    find: Callable[[CoordinationService], Sequence[Found]],
    create: Callable[[CoordinationService], Made],
    *,
    patient: ParticipantId | None,
) -> Unless[Found, Made]:
    """Create something unless it is there: of any number who ask at once, in any process, one creates it.

    Args:
        service: the installation.
        caller: who asks.
        find: returns what is there. Both are called as `work` is in `together`.
        create: creates it.
        patient: whom it is about; without one, it is an entry of the directory.

    Raises:
        TooMuchError: the work takes too long.
        CarethreadError: what either raises. Nothing was recorded but the refusal.
    """

    def work(inside: CoordinationService) -> Unless[Found, Made]:
        take_turn(inside.archive, patient)
        found = tuple(find(inside))
        return Unless(found) if found else Unless((), create(inside))

    return together(service, caller, work)
