"""Keeping what somebody types, until they post or discard it. It is no part of any record."""

from collections.abc import Iterator

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.policy.actor import Caller
from carethread.policy.drafts import (
    Draft,
    DraftContent,
    DraftPlace,
    check_content,
    check_drafts,
    check_place,
    drafting,
)
from carethread.store import drafts
from carethread.store.access import logged
from carethread.store.asking import actor_for
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.writer import Job
from carethread.writes.acting import performed


def keep_draft(
    service: CoordinationService, caller: Caller, place: DraftPlace, content: DraftContent, *, expected: int
) -> Draft:
    """Keep what somebody has typed so far, for 90 days from now; return it with its new version.

    `expected` is the version they began with, 0 for none: of two pages that are open at one place, neither overwrites
    what the other kept. The log tells when a draft is begun, and not of each time it is kept.

    Raises:
        VersionConflictError: it is at another version; read that. Or it is there no more, or already.
        UnknownThreadError, UnknownMessageError, UnknownPersonError: there is no such place, or they may not read there.
        InvalidValueError: the content is too large, or an id in it is none.
        TooMuchError: they have as many drafts as anybody may.
        NotAllowedError, InactiveError: a system asks, or somebody as auditor or steward, or who is not active.
    """
    check_place(place)
    asked = drafts.asked_about(caller, Action.WRITTEN, place)
    archive = service.archive
    kept: list[Draft] = []

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        person = drafting(caller)
        actor = actor_for(connection, caller, at)
        check_drafts(actor)
        drafts.Places(connection, actor, at).check(place)
        new = Draft(place, checked, max(at, expected + 1), at)
        if not expected:
            drafts.sweep(connection, at)
        drafts.keep(connection, person, new, expected=expected)
        kept[:] = [new]
        if not expected:
            yield logged(replace(asked, actor_kind=actor.kind.value), at)

    def work() -> None:
        archive.submit(Job(None, apart=effects))

    checked = check_content(content)
    performed(archive, asked, work)
    return kept[0]


def discard_draft(service: CoordinationService, caller: Caller, place: DraftPlace) -> None:
    """Remove what somebody has begun to write at a place. Where there is nothing, that is what was wanted.

    Raises:
        NotAllowedError, InactiveError: a system asks, or somebody as auditor or steward, or who is not active.
    """
    check_place(place)
    asked = replace(drafts.asked_about(caller, Action.WRITTEN, place), detail="draft discarded")
    archive = service.archive

    def effects(connection: Connection) -> Iterator[Effect]:
        at = archive.clock()
        person = drafting(caller)
        actor = actor_for(connection, caller, at)
        check_drafts(actor)
        drafts.discard(connection, person, place)
        yield logged(replace(asked, actor_kind=actor.kind.value), at)

    performed(archive, asked, lambda: archive.submit(Job(None, apart=effects)))
