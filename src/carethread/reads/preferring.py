"""What somebody likes to be shown."""

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.policy.actor import Caller
from carethread.policy.preferences import Preferences, choosing
from carethread.store import preferences as store
from carethread.store.asking import Asking, Shown, answer, line


def preferences(service: CoordinationService, caller: Caller) -> Preferences:
    """Return what somebody chose, or that they chose nothing.

    Raises:
        NotAllowedError: a system asks.
    """
    asked = replace(line(caller, Action.SERVED), detail="preferences")

    def work(asking: Asking) -> tuple[Preferences, Shown]:
        return store.of_person(asking.connection, choosing(caller)), Shown(asked)

    return answer(service.archive, asked, caller, work)
