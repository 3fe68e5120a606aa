"""Who is who: patients as the head of a page names them, and the names of others."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.directory.model import Identifier
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller


class Banner(Struct, frozen=True):
    """A patient as the head of a page names them.

    `birth_date` is ISO 8601, perhaps less precise than a day. `replaced_by` is the patient they were merged into.
    """

    id: ParticipantId
    name: str
    birth_date: str | None
    identifiers: tuple[Identifier, ...]
    active: bool = True
    replaced_by: ParticipantId | None = None


def banners(
    service: CoordinationService, caller: Caller, patients: Iterable[ParticipantId]
) -> Mapping[ParticipantId, Banner]:
    """Return patients, by id, as far as whoever asks may know of them; whoever else is not there."""
    raise NotImplementedError


def names(service: CoordinationService, caller: Caller, ids: Iterable[ParticipantId]) -> Mapping[ParticipantId, str]:
    """Return what people and groups of the directory are called now, as far as whoever asks may know of them."""
    raise NotImplementedError
