"""Finding the right patient: by name, date of birth, identifier, and who could be taken for them."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.criteria import EntryClause, EntryField, Span, Text, Token
from carethread.directory.fhir_periods import read_date, read_period
from carethread.directory.likeness import Alike, alike, weight
from carethread.directory.matching import plain_words
from carethread.directory.model import EntryKind, Patient
from carethread.errors import DirectoryError, InvalidValueError, UnknownPersonError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import PATIENT_SIDE, Caller
from carethread.reads.banners import Banner, banner_of
from carethread.reads.directory import search_entries
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.called import newest_entries
from carethread.store.database import Connection
from carethread.store.directory_alike import perhaps_alike
from carethread.store.directory_finding import check_texts
from carethread.store.people import merged_patients
from carethread.store.ways import records_of

MOST_PATIENTS = 50
MOST_ALIKE = 20


class PatientHit(Struct, frozen=True):
    """A patient that was found, and whether there is a record of theirs, or of whom they are merged with."""

    banner: Banner
    has_record: bool


class PatientPage(Struct, frozen=True):
    """Part of what was found. `after` asks for the next part; empty at the end.

    A part may be short, or empty, and not the last: what a call looks at is bounded.
    """

    hits: tuple[PatientHit, ...]
    after: str = ""


class LookAlike(Struct, frozen=True):
    """A patient who could be taken for another, and why."""

    hit: PatientHit
    alike: frozenset[Alike]


def find_patients(
    service: CoordinationService,
    caller: Caller,
    *,
    name: str = "",
    birth_date: str = "",
    identifier: str = "",
    after: str = "",
    count: int = 20,
) -> PatientPage:
    """Return patients of whom all that is given holds, inactive and merged ones too.

    The patient's side finds its own patient only.

    Args:
        service: the installation.
        caller: who asks.
        name: words, each the beginning of a word of the name, in any order; case and accents do not count.
        birth_date: a day, `1956-05-27`; a month or a year alone find all patients born in them.
        identifier: its value, or `system|value`.
        after: where the part before ended.
        count: how many at most.

    Raises:
        InvalidValueError: nothing is given, or something is not in order.
    """
    if not 0 < count <= MOST_PATIENTS:
        raise InvalidValueError("count", f"is not from 1 to {MOST_PATIENTS}")
    clauses = tuple(_clauses(name, birth_date, identifier))
    if not clauses:
        raise InvalidValueError("query", "says nothing to look for: give a name, a date of birth or an identifier")
    given = {"name": name, "birth_date": birth_date, "identifier": identifier}
    check_texts((EntryClause(EntryField.NAME, tuple(map(Text, given.values()))),), "")
    query = msgspec.json.encode({"patients": {key: said for key, said in given.items() if said}}).decode()
    found = search_entries(service, caller, EntryKind.PATIENT, clauses, after=after, count=count, query=query)
    patients = (each.entry for each in found.entries)
    with service.archive.database.snapshot() as connection:
        custodian = service.archive.installation.custodian.id
        hits = (_hit(connection, each, custodian) for each in patients if isinstance(each, Patient))
        return PatientPage(tuple(hits), found.after)


def _clauses(name: str, birth_date: str, identifier: str) -> Iterator[EntryClause]:
    # The longest first: it is the one that is looked for, and leaves the fewest.
    for word in sorted(plain_words(name), key=len, reverse=True):
        yield EntryClause(EntryField.NAME, (Text(word),))
    if birth_date:
        try:
            born = read_date(birth_date.strip(), "birth_date")
            period = read_period(born, born, "birth_date")
        except DirectoryError:
            raise InvalidValueError("birth_date", "is not a date such as 1956-05-27") from None
        yield EntryClause(EntryField.BIRTH_DATE, (Span(period.start, period.end),))
    if identifier.strip():
        system, bar, value = identifier.strip().rpartition("|")
        if not value:
            raise InvalidValueError("identifier", "has no value")
        yield EntryClause(EntryField.IDENTIFIER, (Token(value, system if bar else None),))


def _hit(connection: Connection, patient: Patient, custodian: ParticipantId) -> PatientHit:
    return PatientHit(banner_of(patient), bool(records_of(connection, patient.id, custodian)))


def look_alikes(service: CoordinationService, caller: Caller, patient: ParticipantId) -> tuple[LookAlike, ...]:
    """Return other patients who could be taken for one, the most alike first: to be told apart before a thread opens.

    A name that is the same or similar suffices, and so does the same date of birth; a similar date of birth together
    with one name in common. Those merged with the patient, and inactive ones, are not among them. What is looked at is
    bounded. The patient's side knows of no other patients.

    Raises:
        UnknownPersonError: there is no such patient, or whoever asks may not know of them.
    """
    wanted = parse_participant_id(patient, "patient")
    query = msgspec.json.encode({"look_alikes": wanted}).decode()
    asked = replace(line(caller, Action.SEARCHED), query=query)
    custodian = service.archive.installation.custodian.id

    def work(asking: Asking) -> tuple[tuple[LookAlike, ...], Shown]:
        of = patient_known(asking, wanted)
        if asking.actor.kind in PATIENT_SIDE:
            return (), Shown(asked)
        connection = asking.connection
        same = merged_patients(connection, of.id)
        others = perhaps_alike(connection, of)
        judged = [(each, found) for each in others.values() if each.id not in same and (found := alike(of, each))]
        judged.sort(key=lambda each: (-weight(each[1]), each[0].name, each[0].id))
        page = judged[:MOST_ALIKE]
        versions = {
            entry.id: version for entry, version, _ in newest_entries(connection, [each.id for each, _ in page])
        }
        shown = tuple(ServedEntry(each.id, versions[each.id]) for each, _ in page)
        look = tuple(LookAlike(_hit(connection, each, custodian), why) for each, why in page)
        return look, Shown(replace(asked, entries=shown))

    return answer(service.archive, asked, caller, work)


def patient_known(asking: Asking, patient: ParticipantId) -> Patient:
    """Return a patient whom somebody may know of: of the patient's side, only their own.

    Raises:
        UnknownPersonError: there is none, or they may not.
    """
    actor = asking.actor
    is_theirs = actor.active and (actor.kind not in PATIENT_SIDE or patient in actor.patients)
    found = [entry for entry, _, _ in newest_entries(asking.connection, (patient,))]
    if not (is_theirs and found and isinstance(found[0], Patient)):
        raise UnknownPersonError(f"the directory has no patient {patient}")
    return found[0]
