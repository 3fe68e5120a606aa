"""What is refused is in the access log, wherever it was refused: by the record, by a scope, or as it was read."""

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.fhir.asked import Asked
from carethread.fhir.call import Call
from carethread.policy.actor import Caller
from carethread.writes import log_refused

_READING = frozenset({"GET", "HEAD"})
_SEARCH = "_search"


def note_refused(call: Call, error: CarethreadError) -> None:
    """Log a refusal, unless that was done where it was found.

    Raises:
        StorageError: it cannot be stored.
    """
    support = call.route.support
    about = "" if support is None else f"{support.type}/{call.route.id}".removesuffix("/")
    log_refused(call.service, call.caller, error, _action(call.asked), query=f"{call.asked.method} {about}".strip())


def note_unroutable(service: CoordinationService, caller: Caller, asked: Asked, error: CarethreadError) -> None:
    """Log a request for what there is not, such as taking something away."""
    log_refused(service, caller, error, _action(asked), query=asked.method)


def _action(asked: Asked) -> Action:
    is_reading = asked.method in _READING or asked.path.endswith(_SEARCH)
    return Action.SERVED if is_reading else Action.WRITTEN
