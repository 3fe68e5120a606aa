"""Programs that may ask: what the registry of clients says of one."""

from msgspec import Struct

from carethread.ids import ParticipantId
from carethread.policy.actor import SystemClient
from carethread.policy.directory_rights import DirectoryRights


class RegisteredClient(Struct, frozen=True, kw_only=True):
    """A program that is known here.

    Attributes:
        client_id: what it is called in tokens.
        id: its id as a participant: it stands in records as the system through which somebody wrote.
        name: what people call it.
        speaks_for: the organisations for whose members it asks, or for itself.
        manages: the organisations whose entries of the directory it writes.
        manages_all: whether it writes the whole directory.
        active: an inactive client does nothing.
    """

    client_id: str
    id: ParticipantId
    name: str
    speaks_for: tuple[ParticipantId, ...] = ()
    manages: tuple[ParticipantId, ...] = ()
    manages_all: bool = False
    active: bool = True

    @property
    def system(self) -> SystemClient:
        """The client as one that asks."""
        return SystemClient(self.id, self.name, frozenset(self.speaks_for))

    @property
    def rights(self) -> DirectoryRights:
        """What of the directory it writes; nothing if it is not active."""
        if not self.active:
            return DirectoryRights()
        return DirectoryRights(frozenset(self.manages), self.manages_all)
