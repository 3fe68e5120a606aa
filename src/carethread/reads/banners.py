"""Who is who: patients as the head of a page names them, and what everybody is called."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.model import Entry, Identifier, Patient
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import Caller
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.called import newest_entries
from carethread.store.database import Connection
from carethread.store.directory_own import acquaintance
from carethread.store.directory_search import name_of

MOST_NAMES = 1_000


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
    """Return patients, by id, as far as whoever asks may know of them; whoever else is not there.

    Raises:
        InvalidValueError: something is no id, or they are too many.
    """
    found = _entries(service, caller, patients, "patients", lambda each: isinstance(each, Patient))
    return {each.id: banner_of(each) for each in found if isinstance(each, Patient)}


def names(service: CoordinationService, caller: Caller, ids: Iterable[ParticipantId]) -> Mapping[ParticipantId, str]:
    """Return what people and groups are called now, as far as whoever asks may know of them; roles have no name.

    Raises:
        InvalidValueError: something is no id, or they are too many.
    """
    return {
        each.id: name_of(each) for each in _entries(service, caller, ids, "names", lambda each: bool(name_of(each)))
    }


def _entries(
    service: CoordinationService,
    caller: Caller,
    ids: Iterable[ParticipantId],
    detail: str,
    counts: Callable[[Entry], bool],
) -> list[Entry]:
    wanted = [parse_participant_id(each, "ids") for each in dict.fromkeys(ids)]
    if len(wanted) > MOST_NAMES:
        raise InvalidValueError("ids", f"are more than {MOST_NAMES:,}")
    asked = replace(line(caller, Action.SERVED), detail=detail)

    def work(asking: Asking) -> tuple[list[Entry], Shown]:
        found, served = _known(asking, service.archive.installation.custodian.id, wanted, counts)
        return found, Shown(replace(asked, entries=served))

    return answer(service.archive, asked, caller, work)


def known_patients(
    asking: Asking, custodian: ParticipantId, patients: Iterable[ParticipantId]
) -> tuple[Mapping[ParticipantId, Banner], tuple[ServedEntry, ...]]:
    """Return patients, by id, as `banners` does; and what the log has to say of that."""
    found, served = _known(asking, custodian, patients, lambda each: isinstance(each, Patient))
    return {each.id: banner_of(each) for each in found if isinstance(each, Patient)}, served


def _known(
    asking: Asking, custodian: ParticipantId, ids: Iterable[ParticipantId], counts: Callable[[Entry], bool]
) -> tuple[list[Entry], tuple[ServedEntry, ...]]:
    knowing = acquaintance(asking, custodian)
    found = [
        (shown, version)
        for entry, version, _ in newest_entries(asking.connection, ids)
        if counts(entry) and (shown := knowing.shown(entry)) is not None
    ]
    return [each for each, _ in found], tuple(ServedEntry(each.id, version) for each, version in found)


def banner_of(patient: Patient) -> Banner:
    """Return a patient as the head of a page names them."""
    return Banner(
        patient.id, patient.name, patient.birth_date, patient.identifiers, patient.active, patient.replaced_by
    )


def banners_in(
    connection: Connection, patients: Iterable[ParticipantId]
) -> tuple[tuple[Banner, ...], tuple[ServedEntry, ...]]:
    """Return patients that are one, whoever stands for them first; and what the log has to say of that."""
    found = [
        (banner_of(entry), ServedEntry(entry.id, version))
        for entry, version, _ in newest_entries(connection, sorted(patients))
        if isinstance(entry, Patient)
    ]
    found.sort(key=lambda each: each[0].replaced_by is not None)
    return tuple(banner for banner, _ in found), tuple(served for _, served in found)
