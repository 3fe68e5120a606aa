"""Keeping what somebody likes to be shown."""

from collections.abc import Iterator

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import InactiveError
from carethread.policy.actor import Caller
from carethread.policy.preferences import Preferences, check_preferences, choosing
from carethread.store import preferences
from carethread.store.access import logged
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.writer import Job
from carethread.writes.acting import performed


def keep_preferences(service: CoordinationService, caller: Caller, chosen: Preferences) -> None:
    """Keep what somebody chose, instead of all that they chose before. Sessions under way stay as they are.

    Raises:
        InvalidValueError: a value is not in order.
        NotAllowedError, InactiveError: a system asks, or somebody who is not active.
    """
    asked = replace(line(caller, Action.WRITTEN), detail="preferences")
    archive = service.archive

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        person = choosing(caller)
        actor = actor_for(connection, caller, at)
        if not actor.active:
            raise InactiveError(f"{actor.kind} {actor.id} is not active")
        yield preferences.kept(person, check_preferences(chosen))
        yield logged(replace(asked, actor_kind=actor.kind.value), at)

    performed(archive, asked, lambda: archive.submit(Job(None, apart=effects)))
