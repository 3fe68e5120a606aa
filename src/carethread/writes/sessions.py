"""Signing in and out, and acting as something else in between. Who somebody is was found out before."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import UnknownSessionError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import Actor, Caller
from carethread.policy.preferences import check_language, check_zone
from carethread.policy.sessions import Acting, Session, check_acts, check_limits
from carethread.store import preferences, sessions
from carethread.store.access import logged
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.writer import Job
from carethread.writes.acting import performed

Result = TypeVar("Result")


def begin_session(
    service: CoordinationService,
    person: ParticipantId,
    *,
    idle: int,
    longest: int,
    acting: Acting | None = None,
    language: str | None = None,
    zone: str | None = None,
    client: str = "",
    request_id: str = "",
) -> tuple[Session, str]:
    """Begin a session; return it, and the secret for the browser, which is kept nowhere.

    Args:
        service: the installation.
        person: who signed in.
        idle: after how many milliseconds without use it is over.
        longest: after how many milliseconds it is over in any case.
        acting: as what they act; left out, for themselves.
        language: in which they read; left out, as they prefer.
        zone: whose times they read; likewise.
        client: the program in between, for the log.
        request_id: what ties the line of the log to others.

    Raises:
        InvalidValueError: a limit, the language or the zone is not in order.
        UnknownPersonError: the directory has no such person.
        InactiveError: they are not active.
        NotMemberError: they are no active member of the group.
        NotAllowedError, PurposeError: they are not appointed to that, or an auditor states no purpose.
    """
    parse_participant_id(person, "person")
    check_limits(idle, longest)
    check_language(language or "")
    check_zone(zone or "")
    archive = service.archive
    wanted = acting or Acting()
    asked = _line(person, wanted, "session begun", client, request_id)
    session_id, secret = str(archive.mint()), sessions.new_secret()

    def begin(connection: Connection, at: Instant) -> tuple[Session, Actor]:
        actor = _actor(connection, person, wanted, at)
        chosen = preferences.of_person(connection, person)
        new = Session(
            id=session_id,
            person=person,
            acting=wanted,
            csrf=sessions.csrf_of(secret),
            language=chosen.language if language is None else language,
            zone=chosen.zone if zone is None else zone,
            began_at=at,
            last_used_at=at,
            idle=idle,
            ends_at=Instant(at + longest),
        )
        sessions.begin(connection, new, secret)
        return new, actor

    return _logged(service, asked, begin), secret


def change_session(
    service: CoordinationService,
    secret: str,
    *,
    acting: Acting | None = None,
    language: str | None = None,
    zone: str | None = None,
    client: str = "",
    request_id: str = "",
) -> Session:
    """Change as what somebody acts, the language or the zone, for as long as the session lasts. What is left out stays.

    `acting` counts whole: `Acting()` is for themselves. Whoever becomes an auditor or steward, or ceases to be one, is
    given another secret as well: `rotate_session`.

    Raises:
        UnknownSessionError: there is no session, as for `reads.session`.
        InvalidValueError: the language or the zone is not in order, or what they act as is neither auditor nor steward.
        NotMemberError: they are no active member of the group.
        NotAllowedError, PurposeError: they are not appointed to that, or an auditor states no purpose.
    """
    check_language(language or "")
    check_zone(zone or "")
    before = _known(service, secret)
    asked = _line(before.person, acting or before.acting, "session changed", client, request_id)

    def change(connection: Connection, at: Instant) -> tuple[Session, Actor]:
        now, actor = _current(connection, secret, at)
        if acting is not None:
            actor = _actor(connection, now.person, acting, at)
            now = replace(now, acting=acting)
        now = replace(
            now,
            language=now.language if language is None else language,
            zone=now.zone if zone is None else zone,
        )
        sessions.change(connection, now)
        return now, actor

    return _logged(service, asked, change)


def rotate_session(service: CoordinationService, secret: str) -> tuple[Session, str]:
    """Give a session another secret, and so another `csrf`; return both. Of several who ask with one secret, one does.

    It lasts no longer for that. Nothing is logged: it is the same person, who acts as the same.

    Raises:
        UnknownSessionError: there is no session, as for `reads.session`.
    """
    archive = service.archive
    new = sessions.new_secret()
    rotated: list[Session] = []

    def effects(connection: Connection) -> tuple[Effect, ...]:
        now, _ = _current(connection, secret, archive.clock())
        sessions.rotate(connection, secret, new)
        rotated[:] = [replace(now, csrf=sessions.csrf_of(new))]
        return ()

    archive.submit(Job(None, apart=effects))
    return rotated[0], new


def end_session(service: CoordinationService, secret: str, *, client: str = "", request_id: str = "") -> None:
    """End a session. Where there is none any more, that is what was wanted."""
    archive = service.archive
    with archive.database.read() as connection:
        person = sessions.person_of(connection, secret)
    if person is None:
        return
    ended = _line(person, Acting(), "session ended", client, request_id)

    def effects(connection: Connection) -> Iterator[Effect]:
        sessions.end(connection, secret)
        yield logged(ended, archive.clock())

    archive.submit(Job(None, apart=effects))


def end_sessions_of(
    service: CoordinationService, person: ParticipantId, *, client: str = "", request_id: str = ""
) -> int:
    """End all sessions of a person, wherever they signed in; return how many were still kept."""
    archive = service.archive
    parse_participant_id(person, "person")
    line_of_all = _line(person, Acting(), "sessions ended", client, request_id)
    ended: list[int] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        ended[:] = [sessions.end_all(connection, person)]
        yield logged(line_of_all, archive.clock())

    archive.submit(Job(None, apart=effects))
    return ended[0]


def _line(person: ParticipantId, acting: Acting, detail: str, client: str, request_id: str) -> AccessEntry:
    caller = Caller(person, acting.kind, acting.purpose, client=client, request_id=request_id)
    return replace(line(caller, Action.WRITTEN), detail=detail, acting_for=acting.group)


def _logged(
    service: CoordinationService,
    asked: AccessEntry,
    change: Callable[[Connection, Instant], tuple[Session, Actor]],
) -> Session:
    archive = service.archive
    done: list[Session] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        session, actor = change(connection, at)
        done[:] = [session]
        yield logged(replace(asked, actor_kind=actor.kind.value), at)

    performed(archive, asked, lambda: archive.submit(Job(None, apart=effects)))
    return done[0]


def _actor(connection: Connection, person: ParticipantId, acting: Acting, at: Instant) -> Actor:
    actor = actor_for(connection, Caller(person, acting.kind, acting.purpose), at)
    check_acts(actor, acting)
    return actor


def _known(service: CoordinationService, secret: str) -> Session:
    archive = service.archive
    with archive.database.snapshot() as connection:
        return _current(connection, secret, archive.clock(), lock=False)[0]


def _current(connection: Connection, secret: str, at: Instant, *, lock: bool = True) -> tuple[Session, Actor]:
    found = sessions.current(connection, secret, at, lock=lock)
    if found is None:
        raise UnknownSessionError("nobody has signed in with this secret, or not any more")
    return found
