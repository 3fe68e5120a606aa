"""Several writes as one: all of them are recorded, or none; and a write only where nothing like it is there yet."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller

Result = TypeVar("Result")
Found = TypeVar("Found")
Made = TypeVar("Made")


class Unless(Struct, Generic[Found, Made], frozen=True):
    """What `create_unless` came to: `made`, if nothing was found; else what was found, one or several."""

    found: tuple[Found, ...]
    made: Made | None = None


def together(service: CoordinationService, caller: Caller, work: Callable[[CoordinationService], Result]) -> Result:
    """Do several things as one; `work` is given the service to do them with.

    Raises:
        TooMuchError: the work takes more steps, bytes or time than others are made to wait.
        CarethreadError: what the work raises. Nothing was recorded but the refusal.
    """
    raise NotImplementedError


def create_unless(
    service: CoordinationService,
    caller: Caller,
    find: Callable[[CoordinationService], Sequence[Found]],
    create: Callable[[CoordinationService], Made],
    *,
    patient: ParticipantId | None,
) -> Unless[Found, Made]:
    """Create something unless it is there: of any number who ask at once, one creates it.

    Args:
        service: the installation.
        caller: who asks.
        find: returns what is there.
        create: creates it.
        patient: whom it is about; without one, it is an entry of the directory.

    Raises:
        CarethreadError: what either raises. Nothing was recorded but the refusal.
    """
    raise NotImplementedError
