"""Who has signed in."""

from msgspec.structs import replace

from carethread.coordination import CoordinationService
from carethread.policy.sessions import NOTED_EVERY_MS, Session
from carethread.store import sessions
from carethread.store.writer import Job


def session(service: CoordinationService, secret: str, *, uses: bool = True) -> Session | None:
    """Return the session that a browser's secret stands for, as it holds now.

    There is none if the secret is unknown or was replaced; if the session was ended, left unused for too long, or is
    too old; if its person is not active any more, or not appointed any more to what they act as. A group that they
    have left is not in it. That it is used is noted once a minute; without `uses`, to look is no use of it. Every
    request asks, so nothing is logged.

    Raises:
        StorageError: the use cannot be noted.
    """
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        found = sessions.current(connection, secret, at)
    if found is None:
        return None
    now, _ = found
    if not uses or at - now.last_used_at < NOTED_EVERY_MS:
        return now
    used = replace(now, last_used_at=at)
    archive.submit(Job(None, apart=lambda _: (sessions.used(used),)))
    return used
