"""Who wants an e-mail that says there is something new: a row for each person, and how far each was told.

As with subscriptions, nothing is queued: the feed says what happened. What is noted of an address that was given up or
replaced meanwhile counts for nothing.
"""

import msgspec
from sqlalchemy import bindparam, select, text, update

from carethread.clock import Instant
from carethread.ids import ParticipantId
from carethread.policy.mailing import Mailing, MailStatus, MailWish
from carethread.policy.preferences import Preferences
from carethread.store.database import Connection, Parameters, Row
from carethread.store.journal import Effect
from carethread.store.keys import id_of, key_of, text_of
from carethread.store.schema import mailing, preference

p = bindparam
_wish = msgspec.json.Decoder(MailWish)
_NAMES = [each.name for each in mailing.columns]
_mailings = select(*mailing.columns, preference.c.language, preference.c.zone).join_from(
    mailing, preference, preference.c.person_id == mailing.c.person_id, isouter=True
)
_find = _mailings.where(mailing.c.person_id == p("person"))
_lock = select(mailing.c.person_id).where(mailing.c.person_id == p("person")).with_for_update()
_is_in_use = (mailing.c.status == p("asked")) | (mailing.c.status == p("on"))
_in_use = _mailings.where(_is_in_use).order_by(mailing.c.person_id)
_keep = text(
    f"INSERT INTO mailing ({', '.join(_NAMES)}) VALUES (:{', :'.join(_NAMES)}) "  # noqa: S608 - names of columns
    f"ON CONFLICT (person_id) DO UPDATE SET {', '.join(f'{each} = excluded.{each}' for each in _NAMES[1:])}"
)
_same = update(mailing).where(mailing.c.person_id == p("person"), mailing.c.mailing_id == p("of_id"))
_asked = _same.values(asked_at=p("at"), failing_since=p("nothing"))
_told = _same.values(place=p("new_place"), mailed_at=p("at"), failing_since=p("nothing"))
_passed = _same.values(place=p("new_place"), failing_since=p("nothing"))
_failed = _same.where(mailing.c.failing_since.is_(None)).values(failing_since=p("at"))
_refused = _same.values(status=p("new_status"), failing_since=p("nothing"))


def of_person(connection: Connection, person: ParticipantId, *, lock: bool = False) -> Mailing:
    """Return what a person wants; locked, it stays until the transaction ends. Who never wanted any has no id."""
    if lock:
        connection.one(_lock, person=key_of(person))
    row = connection.one(_find, person=key_of(person))
    return Mailing(person, "") if row is None else _read(row)


def in_use(connection: Connection) -> tuple[Mailing, ...]:
    """Return all for which something is sent, in the order of the persons' ids."""
    return tuple(map(_read, connection.all(_in_use, asked=MailStatus.ASKED.value, on=MailStatus.ON.value)))


def kept(after: Mailing) -> Effect:
    """Return the row that keeps what a person wants from now on."""
    return Effect(_keep, _row(after), wakes=True)


# ── What whoever sends says ───────────────────────────────────────────────────────────────────────────────────────────


def asked(of: Mailing, at: Instant) -> Effect:
    """Return what keeps that a link was sent to an address."""
    return Effect(_asked, {**_of(of), "at": at, "nothing": None})


def told(of: Mailing, place: str, at: Instant) -> Effect:
    """Return what keeps that a person was told of everything up to a place."""
    return Effect(_told, {**_of(of), "new_place": place, "at": at, "nothing": None})


def passed(of: Mailing, place: str) -> Effect:
    """Return what keeps that up to a place there is nothing to tell a person, or not any more."""
    return Effect(_passed, {**_of(of), "new_place": place, "nothing": None})


def failed(of: Mailing, at: Instant) -> Effect:
    """Return what keeps that nothing can be sent to a person, since an instant if that was not so before."""
    return Effect(_failed, {**_of(of), "at": at})


def refused(of: Mailing) -> Effect:
    """Return what keeps that no server takes anything for an address."""
    return Effect(_refused, {**_of(of), "new_status": MailStatus.REFUSED.value, "nothing": None})


def _of(of: Mailing) -> Parameters:
    return {"person": key_of(of.person), "of_id": key_of(of.id)}


# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(of: Mailing) -> Parameters:
    return {
        "person_id": key_of(of.person),
        "mailing_id": key_of(of.id),
        "status": of.status.value,
        "wish": msgspec.json.encode(of.wish),
        "asked_at": of.asked_at,
        "place": of.place,
        "mailed_at": of.mailed_at,
        "failing_since": of.failing_since,
        "asked_times": of.asked_times,
        "asked_since": of.asked_since,
    }


def _read(row: Row) -> Mailing:
    person, key, status, wish, asked_at, place, mailed_at, failing_since, times, since, language, zone = row
    return Mailing(
        person=id_of(person),
        id=text_of(key),
        status=MailStatus(status),
        wish=_wish.decode(bytes(wish)),
        asked_at=asked_at,
        place=place,
        mailed_at=mailed_at,
        failing_since=failing_since,
        asked_times=times,
        asked_since=since,
        preferences=Preferences(language or "", zone or ""),
    )
