"""What is asked and not recorded: a write that is only tried, and one that is refused before it begins."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.policy.actor import Caller
from carethread.store.asking import line, log, log_refusal, was_logged
from carethread.writes.together import together

Result = TypeVar("Result")


class _UndoneError(Exception):
    """The work succeeded, and is undone."""


def tried(
    service: CoordinationService, caller: Caller, work: Callable[[CoordinationService], Result], *, query: str
) -> Result:
    """Do work as `together` does, return what it returned, and record nothing but that it was tried.

    Args:
        service: the installation.
        caller: who asks.
        work: is given the service to do it with.
        query: what the line of the log says.

    Raises:
        CarethreadError: what the work raises, which is logged.
    """
    results: list[Result] = []

    def whole(inside: CoordinationService) -> None:
        results[:] = [work(inside)]
        raise _UndoneError

    with suppress(_UndoneError):
        together(service, caller, whole)
    log_tried(service, caller, query=query)
    return results[0]


def log_tried(service: CoordinationService, caller: Caller, *, query: str) -> None:
    """Log that somebody asked what would be refused, and was told.

    Raises:
        StorageError: it cannot be stored; then nothing may be told.
    """
    log(service.archive, replace(line(caller, Action.SERVED), detail="validate", query=query))


def log_refused(
    service: CoordinationService, caller: Caller, error: CarethreadError, action: Action, *, query: str = ""
) -> None:
    """Log what was refused before anything of it was begun, unless the log tells of it already.

    Args:
        service: the installation.
        caller: who asked.
        error: why it is refused; or that, by its context, why it is.
        action: what was asked.
        query: of what, in the words of the interface.
    """
    if not was_logged(error):
        log_refusal(service.archive, replace(line(caller, action), query=query), error)
