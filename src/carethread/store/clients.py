"""Which programs may ask, and which tokens count no more."""

from carethread.clock import Clock, Instant
from carethread.ids import IdSource, ParticipantId
from carethread.policy.clients import RegisteredClient
from carethread.store.database import Database


class CurrentRights:
    """Clients and revoked tokens at a generation of the registry."""

    generation: int

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return a client by what it is called in tokens, active or not; nothing if it is not known."""
        raise NotImplementedError

    def client_of(self, participant: ParticipantId) -> RegisteredClient | None:
        """Return a client by its id as a participant."""
        raise NotImplementedError

    def is_revoked(self, jti: str) -> bool:
        """Say whether a token was revoked, by its `jti`."""
        raise NotImplementedError


class Clients:
    """The registry of clients of one installation."""

    def __init__(self, database: Database, clock: Clock, mint: IdSource) -> None:
        """Use `CoordinationService.clients`."""
        self._database = database
        self._clock = clock
        self._mint = mint

    def current(self) -> CurrentRights:
        """Return the registry as it is now."""
        raise NotImplementedError

    def revoke_token(self, jti: str, expires_at: Instant, *, by: str) -> bool:
        """Have a token count no more, everywhere and at once. Return whether that is new."""
        raise NotImplementedError
