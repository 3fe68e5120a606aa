"""What FHIR calls people, groups and patients' records, and whom its references mean.

Remembered by each connection: an entry keeps its type and id for ever, the rest until the directory changes.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from msgspec import Struct

from carethread.clock import Instant
from carethread.directory.model import Entry, EntryKind, Patient
from carethread.errors import InvalidValueError
from carethread.ids import ClinicalId, ParticipantId, parse_participant_id
from carethread.record.model import Role
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.directory_entries import Look, decode, entries_around, generation
from carethread.store.keys import id_of, key_of

# Of people and of records, before all is forgotten.
_REMEMBERED = 50_000
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
# What somebody is called whom the directory does not have.
_TYPES = {
    Role.CLINICIAN: EntryKind.PRACTITIONER,
    Role.CARE_ADMINISTRATOR: EntryKind.PRACTITIONER,
    Role.PATIENT: EntryKind.PATIENT,
    Role.PATIENT_ASSOCIATE: EntryKind.RELATED_PERSON,
    Role.ORGANISATION: EntryKind.ORGANIZATION,
    Role.CARE_TEAM: EntryKind.CARE_TEAM,
    Role.SYSTEM: EntryKind.ORGANIZATION,
}


class Meant(Struct, frozen=True):
    """Whom a reference means: entries of the directory; a UUID that the directory does not have, of whatever type."""

    known: tuple[ParticipantId, ...] = ()
    unknown: ParticipantId | None = None


class Called:
    """What one connection remembers. It serves one thread at a time."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._generation = -1
        # Whoever the directory does not have is called by the role that each answer knows them in.
        self._names: dict[ParticipantId, str | None] = {}
        self._patients: dict[ClinicalId, ParticipantId] = {}
        self._meant: dict[tuple[str | None, str], Meant] = {}

    def keep_up(self, connection: Connection) -> None:
        """Forget what the directory may say otherwise now. To be called once for each answer."""
        now = generation(connection)
        if now != self._generation or max(len(self._names), len(self._patients)) > _REMEMBERED:
            self._names.clear()
            self._patients.clear()
            self._meant.clear()
            self._generation = now

    def names(self, connection: Connection, people: Mapping[ParticipantId, Role]) -> dict[ParticipantId, str]:
        """Return what people and groups are called; those the directory does not have, by their roles."""
        new = [each for each in people if each not in self._names]
        if new:
            self._names.update(dict.fromkeys(new))
            for (content,) in statements.entries_by_id.rows(connection, map(key_of, new)):
                entry = decode(content)
                self._names[entry.id] = f"{kind_of(entry).value}/{entry.fhir_id}"
        return {each: self._names[each] or f"{type_of(role)}/{each}" for each, role in people.items()}

    def patient(self, connection: Connection, clinical_id: ClinicalId) -> ParticipantId:
        """Return whom a record is about: the patient that stands now, where some were merged."""
        found = self._patients.get(clinical_id)
        if found is None:
            found = self._patients[clinical_id] = _patient(connection, clinical_id)
        return found

    def meant(self, connection: Connection, kind: str | None, fhir_id: str) -> Meant:
        """Return whom a reference means: by FHIR id, or by the UUID, whether or not the directory has it."""
        if _FHIR_ID.fullmatch(fhir_id) is None:
            return Meant()
        found = self._meant.get((kind, fhir_id))
        if found is None:
            found = _meant(connection, kind, fhir_id)
            if len(self._meant) < _REMEMBERED:
                self._meant[kind, fhir_id] = found
        return found


_called: WeakKeyDictionary[Connection, Called] = WeakKeyDictionary()
_guard = threading.Lock()


def called_of(connection: Connection) -> Called:
    """Return what a connection remembers, as the directory stands."""
    with _guard:
        found = _called.setdefault(connection, Called())
    found.keep_up(connection)
    return found


def _patient(connection: Connection, clinical_id: ClinicalId) -> ParticipantId:
    row = connection.one(statements.find_patient, clinical_id=key_of(clinical_id))
    if row is None:
        return ParticipantId(clinical_id)
    patient = id_of(row[0])
    entries = entries_around(connection, (patient,), look=Look.MERGED)
    entry = entries.get(patient)
    # A load refuses circles.
    while isinstance(entry, Patient) and entry.replaced_by is not None and entry.replaced_by in entries:
        entry = entries[entry.replaced_by]
    return patient if entry is None else entry.id


def type_of(role: Role) -> str:
    """Return the resource type of somebody in a role whom the directory does not have."""
    return _TYPES[role].value


def kind_of(entry: Entry) -> EntryKind:
    """Return the resource type of an entry."""
    return EntryKind(str(entry.__struct_config__.tag))


def _meant(connection: Connection, kind: str | None, fhir_id: str) -> Meant:
    if kind is None:
        rows = connection.all(statements.find_by_fhir_id, fhir_id=fhir_id)
    else:
        rows = connection.all(statements.find_of_kind, fhir_id=fhir_id, kind=kind)
    found = [decode(content).id for (content,) in rows]
    try:
        own = parse_participant_id(fhir_id)
    except InvalidValueError:
        return Meant(tuple(found))
    entries = [decode(content) for (content,) in statements.entries_by_id.rows(connection, [key_of(own)])]
    found.extend(each.id for each in entries if kind in (None, kind_of(each).value))
    return Meant(tuple(dict.fromkeys(found)), None if entries else own)


def meant_by_identifier(
    connection: Connection, kind: str, system: str | None, value: str
) -> tuple[ParticipantId, ...]:  # fmt: skip
    """Return who carries a business identifier: without a system, of any."""
    if system is None:
        rows = connection.all(statements.find_by_value, kind=kind, value=value)
    else:
        rows = connection.all(statements.find_by_identifier, kind=kind, system=system, value=value)
    return tuple(id_of(row[0]) for row in rows)


def newest_entries(connection: Connection, ids: Iterable[ParticipantId]) -> list[tuple[Entry, int, Instant]]:
    """Return entries as they stand, with the number of that version and when it was recorded, in the order asked."""
    wanted = list(dict.fromkeys(ids))
    keys = [key_of(each) for each in wanted]
    entries = {each.id: each for each in (decode(row[0]) for row in statements.entries_by_id.rows(connection, keys))}
    marks: dict[ParticipantId, tuple[int, int]] = {}
    for key, version, at in statements.version_marks.rows(connection, keys):
        marks[id_of(key)] = max(marks.get(id_of(key), (0, 0)), (version, at))
    return [(entries[each], marks[each][0], Instant(marks[each][1])) for each in wanted if each in entries]
