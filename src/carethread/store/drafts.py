"""Drafts: one a person and place, changed by whoever names the version they changed.

What keeps one is done at once, on the connection, and not with the batch: of two who name one version, one keeps
theirs, whether they come together or from two processes.

A place is kept as the word for its kind and the id: `reply`, `correction` or `thread`. Versions are the instants of
keeping, moved on where need be: one that was posted or discarded, and begun anew, is no version that an old page knows.
"""

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, func, select, text, update

from carethread.access_log import AccessEntry, Action
from carethread.clock import Instant
from carethread.errors import NotFoundError, TooMuchError, UnknownPersonError, VersionConflictError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, Caller
from carethread.policy.drafts import CorrectionOf, Draft, DraftContent, DraftPlace, ReplyIn, ThreadAbout, Unfinished
from carethread.policy.reading import unknown_message, unknown_thread
from carethread.store import statements
from carethread.store.asking import line
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.keys import key_of
from carethread.store.people import surviving_patient
from carethread.store.schema import draft
from carethread.store.threads import Judge, Stored, find_thread, find_thread_of

KEPT_MS = 90 * 24 * 60 * 60 * 1000
# Of one person, so that nobody fills the disk by opening pages.
MOST_DRAFTS = 200
# How many that are too old are removed when one begins.
MOST_SWEPT = 100

p = bindparam
_content = msgspec.json.Decoder(DraftContent)
_is_there = (draft.c.person_id == p("person")) & (draft.c.place == p("place"))
_find = select(draft.c.version, draft.c.kept_at, draft.c.content).where(_is_there, draft.c.kept_at > p("before"))
_of_person = (
    select(draft.c.place, draft.c.kept_at)
    .where(draft.c.person_id == p("person"), draft.c.kept_at > p("before"))
    .order_by(draft.c.kept_at.desc(), draft.c.place)
)
_count_others = (
    select(func.count())
    .select_from(draft)
    .where(draft.c.person_id == p("person"), draft.c.place != p("place"), draft.c.kept_at > p("before"))
)
_begin = text(
    "INSERT INTO draft (person_id, place, version, kept_at, content) "
    "VALUES (:person, :place, :version, :at, :content) ON CONFLICT (person_id, place) "
    "DO UPDATE SET version = excluded.version, kept_at = excluded.kept_at, content = excluded.content "
    "WHERE draft.kept_at <= :before"
)
_go_on = (
    update(draft)
    .where(draft.c.person_id == p("of_person"), draft.c.place == p("at_place"))
    .where(draft.c.version == p("expected"), draft.c.kept_at > p("before"))
    .values(version=p("new_version"), kept_at=p("at"), content=p("new_content"))
)
_discard = delete(draft).where(_is_there)
# Nobody waits for another to remove them.
_old = (
    select(draft.c.person_id, draft.c.place)
    .where(draft.c.kept_at <= p("before"))
    .order_by(draft.c.kept_at)
    .limit(p("count"))
    .offset(statements.ZERO)
    .with_for_update(skip_locked=True)
)


def asked_about(caller: Caller, action: Action, place: DraftPlace) -> AccessEntry:
    """Return the line of the log for a draft: where it belongs, and nothing of what it holds."""
    asked = replace(line(caller, action), detail="draft")
    match place:
        case ReplyIn(thread=thread):
            return replace(asked, thread=thread)
        case CorrectionOf(message=message):
            return replace(asked, message=message)
        case _:
            return replace(asked, query=msgspec.json.encode({"patient": place.patient}).decode())


class Places:
    """Says where somebody may have drafts: in threads that they may read, and about patients whom they may see.

    The same is looked up whether there is no such thread or message, or it is not theirs.
    """

    def __init__(self, connection: Connection, actor: Actor, at: Instant) -> None:
        """Look up once what bears on all of them."""
        self._connection, self._actor = connection, actor
        self._judge = Judge(connection, actor, at)

    def are_open(self, place: DraftPlace) -> bool:
        """Say whether they may have a draft there now."""
        match place:
            case ReplyIn(thread=thread):
                return self._reads(find_thread(self._connection, thread))
            case CorrectionOf(message=message):
                found = find_thread_of(self._connection, message)
                return self._reads(None if found is None else found[0])
            case _:
                return self._sees(place.patient)

    def check(self, place: DraftPlace) -> None:
        """They may have a draft there now.

        Raises:
            UnknownThreadError, UnknownMessageError, UnknownPersonError: they may not, or there is no such place.
        """
        if not self.are_open(place):
            raise _unknown(place)

    def _reads(self, stored: Stored | None) -> bool:
        return stored is not None and self._judge.may_read(stored)

    def _sees(self, patient: ParticipantId) -> bool:
        if self._actor.kind in PATIENT_SIDE:
            return patient in self._actor.patients
        try:
            surviving_patient(self._connection, patient)
        except UnknownPersonError:
            return False
        return True


def _unknown(place: DraftPlace) -> NotFoundError:
    match place:
        case ReplyIn(thread=thread):
            return unknown_thread(thread)
        case CorrectionOf(message=message):
            return unknown_message(message)
        case _:
            return UnknownPersonError(f"the directory has no patient {place.patient}")


def find(connection: Connection, person: ParticipantId, place: DraftPlace, at: Instant) -> Draft | None:
    """Return what a person has begun to write at a place, if anything."""
    row = connection.one(_find, person=key_of(person), place=_key(place), before=at - KEPT_MS)
    return None if row is None else Draft(place, _content.decode(bytes(row[2])), row[0], row[1])


def of_person(connection: Connection, person: ParticipantId, at: Instant) -> list[Unfinished]:
    """Return where a person has begun to write, newest first."""
    rows = connection.all(_of_person, person=key_of(person), before=at - KEPT_MS)
    return [Unfinished(_place(place), kept_at) for place, kept_at in rows]


def keep(connection: Connection, person: ParticipantId, new: Draft, *, expected: int) -> None:
    """Keep what a person has typed so far, instead of the version they began with; 0: there is none yet.

    Raises:
        VersionConflictError: it is at another version, or there is none any more, or one already. Nothing is changed.
        TooMuchError: they have as many as anybody may.
    """
    key, place, before = key_of(person), _key(new.place), new.kept_at - KEPT_MS
    content = msgspec.json.encode(new.content)
    if expected:
        touched = connection.run(
            _go_on,
            of_person=key,
            at_place=place,
            expected=expected,
            before=before,
            new_version=new.version,
            at=new.kept_at,
            new_content=content,
        )
    else:
        if connection.all(_count_others, person=key, place=place, before=before)[0][0] >= MOST_DRAFTS:
            raise TooMuchError(f"more than {MOST_DRAFTS} drafts of one person are not kept: post or discard some")
        touched = connection.run(
            _begin, person=key, place=place, version=new.version, at=new.kept_at, content=content, before=before
        )
    if not touched:
        there = connection.one(_find, person=key, place=place, before=before)
        raise VersionConflictError("the draft", expected, 0 if there is None else there[0])


def sweep(connection: Connection, at: Instant) -> None:
    """Remove some of the drafts that nobody has written to for too long."""
    rows = connection.all(_old, before=at - KEPT_MS, count=MOST_SWEPT)
    connection.many(_discard, [{"person": person, "place": place} for person, place in rows])


def discard(connection: Connection, person: ParticipantId, place: DraftPlace) -> None:
    """Remove a draft, if there is one."""
    connection.run(_discard, person=key_of(person), place=_key(place))


def finished(person: ParticipantId, place: DraftPlace) -> Effect:
    """Return what removes a draft together with the commit that records what became of it."""
    return Effect(_discard, {"person": key_of(person), "place": _key(place)})


def _key(place: DraftPlace) -> str:
    match place:
        case ReplyIn(thread=thread):
            return f"reply {thread}"
        case CorrectionOf(message=message):
            return f"correction {message}"
        case _:
            return f"thread {place.patient}"


def _place(key: str) -> DraftPlace:
    kind, _, identifier = key.partition(" ")
    if kind == "reply":
        return ReplyIn(CommunicationId(identifier))
    if kind == "correction":
        return CorrectionOf(MessageId(identifier))
    return ThreadAbout(ParticipantId(identifier))
