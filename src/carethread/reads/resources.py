"""Threads and messages by what clients call them: read, in earlier versions, as a feed; and what references mean."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, UnknownMessageError, UnknownThreadError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads.criteria import Kind
from carethread.reads.found import FeedPage, Names, ThreadHistory
from carethread.reads.projecting import Projecting
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.called import called_of, kind_of, meant_by_identifier
from carethread.store.changes import Change, changes_after
from carethread.store.directory_entries import Look, entries_around
from carethread.store.held import Held, HeldThread, Reading
from carethread.store.names import Kind as Named
from carethread.store.names import find_named
from carethread.store.past import thread_versions

MOST_OF_FEED = 1_000
# Changes that one call of the feed looks at: what may not be read is passed over.
_LOOKED_AT = 1_000
_RESOURCE_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
T = TypeVar("T")
Meant = ParticipantId | CommunicationId | MessageId


def message_resource(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[MessageProjection, Names]:  # fmt: skip
    """Return a message by its resource id, or by its own.

    Raises:
        UnknownMessageError: there is none, or they may not read its thread.
    """
    return _message(
        service, caller, resource_id, "message", lambda projecting, held: projecting.messages((held,))[0]
    )  # fmt: skip


def message_resource_version(
    service: CoordinationService, caller: Caller, resource_id: str, version: int
) -> tuple[MessageProjection, Names]:
    """Return a message as it was with `version - 1` corrections.

    Raises:
        UnknownMessageError: there is none, they may not read it, or it has no such version.
    """

    def show(projecting: Projecting, held: Held) -> MessageProjection:
        versions = projecting.versions(held)
        if not 0 < version <= len(versions):
            raise _unknown_message(resource_id)
        return versions[version - 1]

    return _message(service, caller, resource_id, f"message version {version}", show)


def message_resource_history(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[tuple[MessageProjection, ...], Names]:
    """Return a message in all its versions, newest first; likewise."""
    return _message(
        service, caller, resource_id, "message history", lambda projecting, held: projecting.versions(held)[::-1]
    )


def _message(
    service: CoordinationService,
    caller: Caller,
    resource_id: str,
    detail: str,
    show: Callable[[Projecting, Held], T],
) -> tuple[T, Names]:
    asked = _asked(caller, resource_id)

    def work(asking: Asking) -> tuple[tuple[T, Names], Shown]:
        projecting = Projecting(asking)
        held = None
        if _RESOURCE_ID.fullmatch(resource_id):
            held = projecting.reading.message_at(find_named(asking.connection, Named.MESSAGE, resource_id))
        if held is None or not projecting.judge.may_read(held.thread.stored):
            raise _unknown_message(resource_id)
        shown = show(projecting, held)
        logged = replace(_served(asked, projecting, held.thread, detail), message=held.message.id)
        return (shown, projecting.names()), Shown(logged)

    return answer(service.archive, asked, caller, work)


def thread_resource(
    service: CoordinationService, caller: Caller, resource_id: str
) -> tuple[ThreadProjection, Names]:  # fmt: skip
    """Return a thread by its resource id, or by its communication id.

    Raises:
        UnknownThreadError: there is none, or they may not read it.
    """
    return _thread(service, caller, resource_id, "thread", lambda projecting, held: projecting.thread(held))


def thread_resource_version(
    service: CoordinationService, caller: Caller, resource_id: str, version: int
) -> tuple[ThreadProjection, Names]:
    """Return a thread as it stood in a version.

    Raises:
        UnknownThreadError: there is none, they may not read it, or it has no such version.
    """

    def show(projecting: Projecting, held: HeldThread) -> ThreadProjection:
        stored = held.stored
        if not 0 < version <= stored.versions:
            raise _unknown_thread(resource_id)
        if version == stored.versions:
            return projecting.thread(held)
        ledgers = thread_versions(service.archive, stored.record, stored.ledger.communication_id)
        return projecting.thread_version(held, ledgers[version - 1], version)

    return _thread(service, caller, resource_id, f"thread version {version}", show)


def thread_resource_history(service: CoordinationService, caller: Caller, resource_id: str) -> ThreadHistory:
    """Return a thread in all its versions, newest first; likewise."""

    def show(projecting: Projecting, held: HeldThread) -> tuple[ThreadProjection, ...]:
        stored = held.stored
        ledgers = thread_versions(service.archive, stored.record, stored.ledger.communication_id)
        # Others may have written since this answer's snapshot.
        numbered = list(enumerate(ledgers[: stored.versions], 1))
        return tuple(projecting.thread_version(held, ledger, number) for number, ledger in reversed(numbered))

    return ThreadHistory(*_thread(service, caller, resource_id, "thread history", show))


def _thread(
    service: CoordinationService,
    caller: Caller,
    resource_id: str,
    detail: str,
    show: Callable[[Projecting, HeldThread], T],
) -> tuple[T, Names]:
    asked = _asked(caller, resource_id)

    def work(asking: Asking) -> tuple[tuple[T, Names], Shown]:
        projecting = Projecting(asking)
        held = None
        if _RESOURCE_ID.fullmatch(resource_id):
            held = projecting.reading.thread_at(find_named(asking.connection, Named.THREAD, resource_id))
        if held is None or not projecting.judge.may_read(held.stored):
            raise _unknown_thread(resource_id)
        shown = show(projecting, held)
        return (shown, projecting.names()), Shown(_served(asked, projecting, held, detail))

    return answer(service.archive, asked, caller, work)


def _asked(caller: Caller, resource_id: str) -> AccessEntry:
    # What cannot be an id is not kept: it may be anything.
    known = resource_id if _RESOURCE_ID.fullmatch(resource_id) else ""
    return replace(line(caller, Action.SERVED), query=msgspec.json.encode({"id": known}).decode())


def _served(asked: AccessEntry, projecting: Projecting, held: HeldThread, detail: str) -> AccessEntry:
    stored = held.stored
    return replace(
        asked,
        detail=detail,
        record=stored.record,
        thread=stored.ledger.communication_id,
        version=stored.version,
        served=projecting.served(),
    )


def _unknown_message(resource_id: str) -> UnknownMessageError:
    return UnknownMessageError(f"there is no message {resource_id}")


def _unknown_thread(resource_id: str) -> UnknownThreadError:
    return UnknownThreadError(f"there is no thread {resource_id}")


# ── The feed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Fed(Struct):
    """What a call of the feed has found so far."""

    messages: list[MessageProjection]
    threads: list[ThreadProjection]


def feed(service: CoordinationService, caller: Caller, kind: Kind, *, after: str = "", count: int = 50) -> FeedPage:
    """Return what they may read, in the order of its commits, after a place in it.

    A message comes when it is recorded, and again in each version that a correction makes. A thread comes in the
    version it has now; those before it, which the feed has as well, are passed over. Whatever is committed later has a
    later place. One call looks at so much and no more: a page may be empty, and `after` still move. A page may hold
    one more than was asked for.

    Raises:
        InvalidValueError: `after` or `count` is not in order.
    """
    query = msgspec.json.encode({"feed": kind.name.lower(), "after": after[:64]}).decode("ascii", "replace")
    asked = replace(line(caller, Action.LISTED), detail="feed", query=query)

    def work(asking: Asking) -> tuple[FeedPage, Shown]:
        if not 0 < count <= MOST_OF_FEED:
            raise InvalidValueError("count", f"is not from 1 to {MOST_OF_FEED}")
        projecting = Projecting(asking)
        changes, cursor = changes_after(asking.connection, after, _LOOKED_AT)
        fed = _Fed([], [])
        place = after
        for each in changes:
            if len(fed.messages) + len(fed.threads) >= count:
                break
            (_feed_message if kind is Kind.MESSAGE else _feed_thread)(projecting, each, fed)
            place = each.cursor
        is_end = place == cursor and len(changes) < _LOOKED_AT
        page = FeedPage(tuple(fed.messages), tuple(fed.threads), projecting.names(), place, is_end)
        return page, Shown(replace(asked, served=projecting.served()))

    return answer(service.archive, asked, caller, work)


def _feed_thread(projecting: Projecting, change: Change, fed: _Fed) -> None:
    held = projecting.reading.threads_by_own_id((change.thread,)).get(change.thread)
    if held is None or held.stored.versions != change.thread_version or not projecting.judge.may_read(held.stored):
        return
    fed.threads.append(projecting.thread(held))


def _feed_message(projecting: Projecting, change: Change, fed: _Fed) -> None:
    wanted = [each for each in (change.message, change.corrects) if each is not None]
    found = projecting.reading.messages_by_own_id(wanted)
    for each in wanted:
        held = found.get(each)
        if held is None or not projecting.judge.may_read(held.thread.stored):
            continue
        # As it was after that commit: what corrected it later comes later.
        corrections = projecting.reading.corrections((each,)).get(each, [])
        fed.messages.append(projecting.versions(held)[sum(one.recorded[2] <= change.seq for one in corrections)])


# ── References ────────────────────────────────────────────────────────────────────────────────────────────────────────


def resolve(
    service: CoordinationService, references: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Meant]:  # fmt: skip
    """Return what references mean, given as resource type and id; what is unknown is left out.

    An entry of the directory may be named by a business identifier as well, as `system|value`: no id holds a bar.
    Nobody's rights are asked: whatever uses what is found asks them.
    """
    found: dict[tuple[str, str], Meant] = {}
    with service.archive.database.snapshot() as connection:
        reading, called = Reading(connection), called_of(connection)
        for kind, resource_id in dict.fromkeys(references):
            if "|" in resource_id:
                system, _, value = resource_id.partition("|")
                carriers = meant_by_identifier(connection, kind, system, value)
                if len(carriers) == 1:
                    found[kind, resource_id] = carriers[0]
                continue
            if not _RESOURCE_ID.fullmatch(resource_id):
                continue
            if kind == "Communication":
                held = reading.message_at(find_named(connection, Named.MESSAGE, resource_id))
                if held is not None:
                    found[kind, resource_id] = held.message.id
            elif kind == "CommunicationRequest":
                thread = reading.thread_at(find_named(connection, Named.THREAD, resource_id))
                if thread is not None:
                    found[kind, resource_id] = thread.stored.ledger.communication_id
            else:
                meant = called.meant(connection, kind, resource_id).known
                entries = entries_around(connection, meant, look=Look.ALONE) if meant else {}
                known = [each for each in meant if each in entries and kind_of(entries[each]).value == kind]
                if known:
                    found[kind, resource_id] = known[0]
    return found
