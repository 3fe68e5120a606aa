"""Which programs may ask, and which tokens count no more.

Every request asks. What a process knows is kept by the generation of the registry, which each change counts up, and
only what is newer is read: so a request costs one short statement, and a revocation counts from the next one on,
whichever process it reaches.
"""

import re
import threading
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, insert, select, update

from carethread.clock import Clock, Instant
from carethread.directory.model import Organization
from carethread.errors import DuplicateClientError, InvalidValueError, UnknownClientError, UnknownPersonError
from carethread.ids import IdSource, ParticipantId
from carethread.policy.clients import RegisteredClient
from carethread.record.text import check_name
from carethread.store import directory_search
from carethread.store.database import Connection, Database
from carethread.store.keys import key_of
from carethread.store.schema import client, client_state, client_version, revoked_token

p = bindparam

# Everything that can be seen in ASCII; a longer name, or one with spaces, is no client's and no token's.
_NAME = re.compile(r"[!-~]{1,200}", re.ASCII)
# A token that has expired is remembered for so long: other clocks may be behind.
_GRACE_MS = 24 * 60 * 60 * 1000

_generation = select(client_state.c.generation).where(client_state.c.one == p("one"))
_lock = _generation.with_for_update()
_count = update(client_state).where(client_state.c.one == p("key")).values(generation=p("new_generation"))
_changed_clients = select(client.c.content).where(client.c.generation > p("since"))
_changed_tokens = select(revoked_token.c.jti, revoked_token.c.expires_at).where(revoked_token.c.generation > p("since"))
_find = select(client.c.content, client.c.version).where(client.c.client_id == p("client_id"))
_find_participant = select(client.c.client_id).where(client.c.participant_id == p("participant_id"))
_all = select(client.c.content).order_by(client.c.client_id)
_insert = insert(client)
_update = (
    update(client)
    .where(client.c.client_id == p("key"))
    .values(version=p("new_version"), generation=p("new_generation"), content=p("new_content"))
)
_insert_version = insert(client_version)
_last_version = (
    select(client_version.c.recorded_at)
    .where(client_version.c.client_id == p("client_id"))
    .where(client_version.c.version == p("version"))
)
_versions = (
    select(
        client_version.c.version, client_version.c.recorded_at, client_version.c.recorded_by, client_version.c.content
    )
    .where(client_version.c.client_id == p("client_id"))
    .order_by(client_version.c.version)
)
_find_token = select(revoked_token.c.jti).where(revoked_token.c.jti == p("jti"))
_insert_token = insert(revoked_token)
_forget_tokens = delete(revoked_token).where(revoked_token.c.expires_at < p("before"))

_decoder = msgspec.json.Decoder(RegisteredClient)


class CurrentRights(Struct, frozen=True):
    """Clients and revoked tokens at a generation of the registry."""

    generation: int
    clients: Mapping[str, RegisteredClient]
    participants: Mapping[ParticipantId, RegisteredClient]
    revoked: Mapping[str, Instant]

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return a client by what it is called in tokens, active or not; nothing if it is not known."""
        return self.clients.get(client_id)

    def client_of(self, participant: ParticipantId) -> RegisteredClient | None:
        """Return a client by its id as a participant."""
        return self.participants.get(participant)

    def is_revoked(self, jti: str) -> bool:
        """Say whether a token was revoked, by its `jti`."""
        return jti in self.revoked


_NOTHING = CurrentRights(-1, {}, {}, {})


class ClientVersion(Struct, frozen=True):
    """A client as the registry had it from an instant on, and who recorded that. Versions count from 1."""

    number: int
    recorded_at: Instant
    recorded_by: str
    client: RegisteredClient


class ClientChange(Struct, frozen=True):
    """What is to be different; what is left out stays. Organisations are named as `Directory.find` takes them."""

    name: str | None = None
    speaks_for: tuple[str, ...] | None = None
    manages: tuple[str, ...] | None = None
    manages_all: bool | None = None
    active: bool | None = None


class Clients:
    """The registry of clients of one installation. Each call is a transaction of its own."""

    def __init__(self, database: Database, clock: Clock, mint: IdSource) -> None:
        """Use `CoordinationService.clients`."""
        self._database = database
        self._clock = clock
        self._mint = mint
        self._known = _NOTHING
        self._guard = threading.Lock()

    # ── What every request asks ───────────────────────────────────────────────────────────────────────────────────────

    def current(self) -> CurrentRights:
        """Return the registry as it is now."""
        with self._database.read() as connection:
            now = _read_generation(connection)
            known = self._known
            return known if known.generation == now else self._renewed(connection)

    def _renewed(self, connection: Connection) -> CurrentRights:
        with self._guard:
            known = self._known
            # What is committed after this is read again the next time.
            now = _read_generation(connection)
            if known.generation != now:
                known = self._known = _with_changes(connection, known, now, self._clock())
            return known

    # ── Clients ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def all(self) -> tuple[RegisteredClient, ...]:
        """Return all clients, inactive ones too, by what they are called in tokens."""
        with self._database.read() as connection:
            return tuple(_decode(content) for (content,) in connection.all(_all))

    def find(self, client_id: str) -> RegisteredClient:
        """Return a client.

        Raises:
            UnknownClientError: none is called so.
        """
        with self._database.read() as connection:
            return _found(connection, client_id)[0]

    def history(self, client_id: str) -> tuple[ClientVersion, ...]:
        """Return all versions of a client, oldest first.

        Raises:
            UnknownClientError: none is called so.
        """
        with self._database.snapshot() as connection:
            _found(connection, client_id)
            rows = connection.all(_versions, client_id=client_id)
        return tuple(ClientVersion(number, at, by, _decode(content)) for number, at, by, content in rows)

    def add(
        self, client_id: str, change: ClientChange, *, by: str, participant: ParticipantId | None = None
    ) -> RegisteredClient:
        """Make a client known. It has no right but those that are given here.

        Args:
            client_id: what it is called in tokens.
            change: its name and its rights.
            by: who makes it known.
            participant: its id in records; left out, it is minted.

        Raises:
            InvalidValueError: a name is not in order.
            UnknownPersonError: the directory has no such organisation.
            DuplicateClientError: a client is called so, or its id is taken.
        """
        check_name_in_tokens(client_id, "client_id")
        if change.name is None:
            raise InvalidValueError("name", "is missing")
        with self._database.write() as connection:
            generation = _begin(connection)
            if connection.one(_find, client_id=client_id) is not None:
                raise DuplicateClientError(f"there is a client {client_id} already")
            own_id = participant or ParticipantId(str(self._mint()))
            _check_free(connection, own_id)
            made = _changed(connection, RegisteredClient(client_id=client_id, id=own_id, name=""), change)
            content = msgspec.json.encode(made)
            connection.run(
                _insert,
                client_id=client_id,
                participant_id=key_of(own_id),
                version=1,
                generation=generation,
                content=content,
            )
            self._record(connection, made, 1, by)
        return made

    def change(self, client_id: str, change: ClientChange, *, by: str) -> tuple[RegisteredClient, bool]:
        """Change what a client is called or may do. Return it, and whether that is new.

        Raises:
            UnknownClientError: none is called so.
            InvalidValueError: the name is not in order.
            UnknownPersonError: the directory has no such organisation.
        """
        with self._database.write() as connection:
            generation = _begin(connection)
            before, version = _found(connection, client_id)
            after = _changed(connection, before, change)
            if after == before:
                return before, False
            connection.run(
                _update,
                key=client_id,
                new_version=version + 1,
                new_generation=generation,
                new_content=msgspec.json.encode(after),
            )
            self._record(connection, after, version + 1, by)
        return after, True

    def _record(self, connection: Connection, made: RegisteredClient, version: int, by: str) -> None:
        last = connection.one(_last_version, client_id=made.client_id, version=version - 1)
        now = self._clock()
        connection.run(
            _insert_version,
            client_id=made.client_id,
            version=version,
            # The clock may have gone back; versions do not.
            recorded_at=now if last is None else max(now, last[0]),
            recorded_by=by,
            content=msgspec.json.encode(made),
        )

    # ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def revoke_token(self, jti: str, expires_at: Instant, *, by: str) -> bool:
        """Have a token count no more, everywhere and at once. Return whether that is new.

        Raises:
            InvalidValueError: the `jti` is none.
        """
        check_name_in_tokens(jti, "jti")
        with self._database.write() as connection:
            generation = _begin(connection)
            if connection.one(_find_token, jti=jti) is not None:
                return False
            now = self._clock()
            connection.run(_forget_tokens, before=now - _GRACE_MS)
            connection.run(
                _insert_token, jti=jti, expires_at=expires_at, generation=generation, revoked_at=now, revoked_by=by
            )
        return True


def check_name_in_tokens(text: str, field: str) -> str:
    """Return what something is called in tokens.

    Raises:
        InvalidValueError: it is not 1 to 200 characters of ASCII, or one cannot be seen.
    """
    if _NAME.fullmatch(text) is None:
        raise InvalidValueError(field, "is not 1 to 200 visible characters of ASCII")
    return text


def _decode(content: bytes) -> RegisteredClient:
    return _decoder.decode(bytes(content))


def _read_generation(connection: Connection) -> int:
    row = connection.one(_generation, one=1)
    return int(row[0]) if row is not None else 0  # pragma: no branch - the migration made the row


def _with_changes(connection: Connection, known: CurrentRights, now: int, at: Instant) -> CurrentRights:
    """Return what is known with what was changed since."""
    new = [_decode(content) for (content,) in connection.all(_changed_clients, since=known.generation)]
    tokens: dict[str, Instant] = dict(connection.all(_changed_tokens, since=known.generation))
    counting = {jti: expires for jti, expires in known.revoked.items() if expires >= at - _GRACE_MS}
    return CurrentRights(
        now,
        {**known.clients, **{each.client_id: each for each in new}},
        {**known.participants, **{each.id: each for each in new}},
        counting | tokens,
    )


def _begin(connection: Connection) -> int:
    """Wait for whoever else changes the registry, and count the change; return its number."""
    connection.one(_lock, one=1)
    number = _read_generation(connection) + 1
    connection.run(_count, key=1, new_generation=number)
    return number


def _found(connection: Connection, client_id: str) -> tuple[RegisteredClient, int]:
    row = connection.one(_find, client_id=client_id)
    if row is None:
        raise UnknownClientError(f"there is no client {client_id}")
    return _decode(row[0]), row[1]


def _check_free(connection: Connection, own_id: ParticipantId) -> None:
    taken = connection.one(_find_participant, participant_id=key_of(own_id)) is not None
    if not taken:
        try:
            directory_search.find(connection, own_id)
        except UnknownPersonError:
            return
    raise DuplicateClientError(f"{own_id} is the id of another client or entry")


def _changed(connection: Connection, before: RegisteredClient, change: ClientChange) -> RegisteredClient:
    after = before
    if change.name is not None:
        after = replace(after, name=check_name(change.name, "name"))
    if change.speaks_for is not None:
        after = replace(after, speaks_for=_organizations(connection, change.speaks_for))
    if change.manages is not None:
        after = replace(after, manages=_organizations(connection, change.manages))
    if change.manages_all is not None:
        after = replace(after, manages_all=change.manages_all)
    return after if change.active is None else replace(after, active=change.active)


def _organizations(connection: Connection, references: Iterable[str]) -> tuple[ParticipantId, ...]:
    """Return the ids of organisations, each once, in the order in which they were named."""
    found: dict[ParticipantId, None] = {}
    for each in references:
        entry = directory_search.find(connection, each)
        if not isinstance(entry, Organization):
            raise UnknownPersonError(f"the directory has no organisation {each}")
        found[entry.id] = None
    return tuple(found)
