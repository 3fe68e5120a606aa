"""Who wants an e-mail that says there is something new; and what whoever sends them has to keep."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import InactiveError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.mailing import (
    Mailing,
    MailStatus,
    MailWish,
    confirmed,
    ended,
    may_be_confirmed,
    wished,
)
from carethread.policy.preferences import choosing
from carethread.store import mailings
from carethread.store.access import logged
from carethread.store.asking import actor_for, line
from carethread.store.changes import last_cursor
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.writer import Job
from carethread.writes.acting import performed


def keep_mail_wish(service: CoordinationService, caller: Caller, wish: MailWish) -> Mailing:
    """Keep where and how often somebody wants to be told that there is something new.

    Nothing of it is sent before they have opened the link that goes to an address they did not confirm yet.

    Raises:
        InvalidValueError: the address is none, or a time is no time of day.
        TooMuchError: too many links were sent for them lately.
        NotAllowedError, InactiveError: a system asks, or somebody who is not active.
    """
    new_id = str(service.archive.mint())
    return _chosen(service, caller, "e-mail", lambda before, at: wished(before, wish, new_id, at))


def end_mail(service: CoordinationService, caller: Caller) -> Mailing:
    """Send somebody no more e-mail, and forget the address.

    Raises:
        NotAllowedError, InactiveError: a system asks, or somebody who is not active.
    """
    new_id = str(service.archive.mint())
    return _chosen(service, caller, "e-mail ended", lambda before, _: ended(before, new_id))


def _chosen(
    service: CoordinationService, caller: Caller, detail: str, make: Callable[[Mailing, Instant], Mailing]
) -> Mailing:
    archive = service.archive
    asked = replace(line(caller, Action.WRITTEN), detail=detail)
    kept: list[Mailing] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        person = choosing(caller)
        actor = actor_for(connection, caller, at)
        if not actor.active:
            raise InactiveError(f"{actor.kind} {actor.id} is not active")
        after = make(mailings.of_person(connection, person, lock=True), at)
        kept[:] = [after]
        yield mailings.kept(after)
        yield logged(replace(asked, actor_kind=actor.kind.value), at)

    performed(archive, asked, lambda: archive.submit(Job(None, apart=effects)))
    return kept[0]


# ── Through a link that was sent ──────────────────────────────────────────────────────────────────────────────────────


def confirm_mail(
    service: CoordinationService, person: ParticipantId, mailing_id: str, *, client: str = "", request_id: str = ""
) -> bool:
    """Confirm an address, as whoever has the link that was sent there; say whether it is confirmed now.

    Raises:
        InvalidValueError: what the caller says of itself cannot be kept.
    """

    def make(connection: Connection, before: Mailing, at: Instant) -> Mailing | None:
        if may_be_confirmed(before, mailing_id, at):
            return confirmed(before, last_cursor(connection))
        return None

    after = _linked(service, _line(person, "e-mail confirmed", client, request_id), make)
    return after.id == mailing_id and after.status is MailStatus.ON


def end_mail_to(
    service: CoordinationService, person: ParticipantId, mailing_id: str, *, client: str = "", request_id: str = ""
) -> None:
    """Send no more e-mail to an address, as whoever has a link that was sent there.

    Where none is sent there any more, that is what was wanted.

    Raises:
        InvalidValueError: what the caller says of itself cannot be kept.
    """
    new_id = str(service.archive.mint())

    def make(_: Connection, before: Mailing, __: Instant) -> Mailing | None:
        return ended(before, new_id) if before.id == mailing_id else None

    _linked(service, _line(person, "e-mail ended", client, request_id), make)


def _line(person: ParticipantId, detail: str, client: str, request_id: str) -> AccessEntry:
    return replace(line(Caller(person, client=client, request_id=request_id), Action.WRITTEN), detail=detail)


def _linked(
    service: CoordinationService,
    asked: AccessEntry,
    make: Callable[[Connection, Mailing, Instant], Mailing | None],
) -> Mailing:
    archive = service.archive
    found: list[Mailing] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        before = mailings.of_person(connection, asked.actor, lock=True)
        after = make(connection, before, at)
        found[:] = [after or before]
        if after is not None:
            yield mailings.kept(after)
            yield logged(asked, at)

    archive.submit(Job(None, apart=effects))
    return found[0]


# ── For whoever sends ─────────────────────────────────────────────────────────────────────────────────────────────────


def note_asked(service: CoordinationService, of: Mailing) -> None:
    """Keep that the link was sent. What is noted of an address that was replaced meanwhile counts for nothing.

    Raises:
        StorageError: it could not be kept. The link may be sent again.
    """
    _keep(service, mailings.asked(of, service.archive.clock()))


def note_mailed(service: CoordinationService, of: Mailing, place: str) -> None:
    """Keep that a person was told of everything up to a place; likewise.

    Raises:
        StorageError: it could not be kept. They may be told again.
    """
    _keep(service, mailings.told(of, place, service.archive.clock()))


def note_passed(service: CoordinationService, places: Mapping[Mailing, str]) -> None:
    """Keep that up to a place there is nothing to tell a person, or not any more; likewise for several.

    Raises:
        StorageError: it could not be kept.
    """
    _keep(service, *(mailings.passed(of, place) for of, place in places.items()))


def note_not_mailed(service: CoordinationService, several: Iterable[Mailing]) -> None:
    """Keep that nothing can be sent to these persons, from now on where that was not so before; likewise.

    Raises:
        StorageError: it could not be kept.
    """
    at = service.archive.clock()
    _keep(service, *(mailings.failed(each, at) for each in several))


def note_refused(service: CoordinationService, of: Mailing) -> None:
    """Keep that no server takes anything for an address: nothing more is sent there; likewise.

    Raises:
        StorageError: it could not be kept.
    """
    _keep(service, mailings.refused(of))


def _keep(service: CoordinationService, *effects: Effect) -> None:
    if effects:
        service.archive.submit(Job(None, apart=lambda _: effects))
