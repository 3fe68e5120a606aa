"""Sessions: found by the hash of the secret that a browser has, and over by themselves.

The secret is 256 random bits, so its plain hash tells nothing of it, and looking one up by its hash takes as long
whether it is nearly right or not. What is done here is done at once, on the connection, and not with the batch: each
sees what the one before it did, and of several who have one secret, one changes it.
"""

import base64
import hmac
import re
import secrets
from hashlib import sha256

from sqlalchemy import bindparam, delete, insert, select, update

from carethread.clock import Instant
from carethread.errors import NotAllowedError
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Caller
from carethread.policy.sessions import Acting, Session, as_of_now
from carethread.store import statements
from carethread.store.asking import actor_for
from carethread.store.database import Connection, Parameters, Row
from carethread.store.journal import Effect
from carethread.store.keys import id_of, key_of, text_of
from carethread.store.schema import web_session

# How many of those that are over are removed when one begins: more than one, so that they do not gather.
MOST_SWEPT = 100
_SECRET_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_\-]{43}", re.ASCII)

p = bindparam
_columns = [each for each in web_session.columns if each.name not in ("secret_hash", "over_at")]
_insert = (
    insert(web_session).inline().values({each.name: p(each.name, type_=each.type) for each in web_session.columns})
)
_find = select(*_columns).where(web_session.c.secret_hash == p("hash"), web_session.c.over_at > p("at"))
_lock = _find.with_for_update()
_of_secret = select(web_session.c.person_id).where(web_session.c.secret_hash == p("hash"))
_change = (
    update(web_session)
    .where(web_session.c.session_id == p("key"))
    .values(
        acting_for=p("new_acting_for"),
        kind=p("new_kind"),
        purpose=p("new_purpose"),
        language=p("new_language"),
        zone=p("new_zone"),
    )
)
_rotate = update(web_session).where(web_session.c.secret_hash == p("old_hash")).values(secret_hash=p("new_hash"))
_use = (
    update(web_session)
    .where(web_session.c.session_id == p("key"), web_session.c.last_used_at < p("at"))
    .values(last_used_at=p("at"), over_at=p("new_over_at"))
)
_end = delete(web_session).where(web_session.c.secret_hash == p("hash"))
_end_all = delete(web_session).where(web_session.c.person_id == p("person"))
# Nobody waits for another to remove them.
_over = (
    select(web_session.c.session_id)
    .where(web_session.c.over_at <= p("at"))
    .order_by(web_session.c.over_at)
    .limit(p("count"))
    .offset(statements.ZERO)
    .with_for_update(skip_locked=True)
)
_sweep = delete(web_session).where(web_session.c.session_id == p("key"))


def new_secret() -> str:
    """Mint what a browser will have: 256 random bits, as 43 characters that are safe in a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def csrf_of(secret: str) -> str:
    """Return what a session's forms carry: made from the secret, so that it is kept nowhere and changes with it."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"csrf", "sha256")).rstrip(b"=").decode()


def current(
    connection: Connection, secret: str, at: Instant, *, lock: bool = False
) -> tuple[Session, Actor] | None:  # fmt: skip
    """Return the session of a secret and its person, as it holds now; locked, it stays until the transaction ends.

    There is none where the secret is unknown or the session is over, where the person is not active any more, or not
    appointed any more to what they act as.
    """
    if _SECRET.fullmatch(secret) is None:
        return None
    row = connection.one(_lock if lock else _find, hash=_hash(secret), at=at)
    if row is None:
        return None
    session = _read(row, csrf_of(secret))
    acting = session.acting
    try:
        actor = actor_for(connection, Caller(session.person, acting.kind, acting.purpose), at)
    except NotAllowedError:
        return None
    return (as_of_now(session, actor), actor) if actor.active else None


def person_of(connection: Connection, secret: str) -> ParticipantId | None:
    """Return whose secret it is, also where the session is over."""
    if _SECRET.fullmatch(secret) is None:
        return None
    row = connection.one(_of_secret, hash=_hash(secret))
    return None if row is None else id_of(row[0])


def begin(connection: Connection, new: Session, secret: str) -> None:
    """Begin a session, and remove some of those that are over."""
    connection.many(_sweep, [{"key": row[0]} for row in connection.all(_over, at=new.began_at, count=MOST_SWEPT)])
    connection.run(
        _insert,
        session_id=key_of(new.id),
        secret_hash=_hash(secret),
        person_id=key_of(new.person),
        **_chosen(new),
        began_at=new.began_at,
        last_used_at=new.last_used_at,
        idle=new.idle,
        ends_at=new.ends_at,
        over_at=new.over_at,
    )


def change(connection: Connection, after: Session) -> None:
    """Let a session, found locked, be what it is to be: as what its person acts, the language, the zone."""
    connection.run(_change, key=key_of(after.id), **{f"new_{name}": value for name, value in _chosen(after).items()})


def rotate(connection: Connection, old: str, new: str) -> None:
    """Give a session, found locked, another secret; the one it had is unknown from then on."""
    connection.run(_rotate, old_hash=_hash(old), new_hash=_hash(new))


def used(session: Session) -> Effect:
    """Return what notes when a session was used last. One that has ended meanwhile stays so."""
    row = {"key": key_of(session.id), "at": session.last_used_at, "new_over_at": session.over_at}
    return Effect(_use, row)


def end(connection: Connection, secret: str) -> None:
    """End the session of a secret, if there is one."""
    connection.run(_end, hash=_hash(secret))


def end_all(connection: Connection, person: ParticipantId) -> int:
    """End all sessions of a person; return how many there were."""
    return connection.run(_end_all, person=key_of(person))


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _chosen(session: Session) -> Parameters:
    acting = session.acting
    return {
        "acting_for": None if acting.group is None else key_of(acting.group),
        "kind": None if acting.kind is None else acting.kind.value,
        "purpose": acting.purpose,
        "language": session.language,
        "zone": session.zone,
    }


def _read(row: Row, csrf: str) -> Session:
    key, person, group, kind, purpose, language, zone, began_at, last_used_at, idle, ends_at = row
    acting = Acting(None if group is None else id_of(group), None if kind is None else ActorKind(kind), purpose)
    return Session(
        id=text_of(key),
        person=id_of(person),
        acting=acting,
        csrf=csrf,
        language=language,
        zone=zone,
        began_at=began_at,
        last_used_at=last_used_at,
        idle=idle,
        ends_at=ends_at,
    )
