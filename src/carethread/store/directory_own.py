"""Whom of the directory somebody knows of: professionals everybody, the patient's side the people of their own.

Their own are themselves and those merged with them, who takes part in threads they may read, their teams with their
members, and the authors of messages they may read. What an entry says of anybody else is left out of it.
"""

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from carethread.directory.memberships import members_of
from carethread.directory.model import CareTeam, Entry, Organization, Patient, PractitionerRole, RelatedPerson
from carethread.directory.relations import relations
from carethread.ids import ParticipantId
from carethread.policy.actor import PATIENT_SIDE
from carethread.policy.reading import may_read
from carethread.store import directory_statements as statements
from carethread.store import search
from carethread.store.asking import Asking
from carethread.store.directory_entries import entries_around
from carethread.store.keys import id_of, key_of
from carethread.store.people import records_of_patient
from carethread.store.threads import asked_about, threads_of
from carethread.store.ways import bounds
from carethread.store.words import Search, author_token


class Acquaintance(Struct, frozen=True):
    """Whom somebody knows of: everybody, where `people` is left out."""

    people: frozenset[ParticipantId] | None = None

    def knows(self, entry: Entry) -> bool:
        """Say whether they know of an entry: of a role, if they know both who holds it and where."""
        if self.people is None:
            return True
        if isinstance(entry, PractitionerRole):
            return {entry.practitioner, entry.organization} <= self.people
        # An older version may be about another patient than the one of now.
        return entry.id in self.people and (not isinstance(entry, RelatedPerson) or entry.patient in self.people)

    def shown(self, entry: Entry) -> Entry | None:
        """Return what they may know of an entry; nothing if they do not know of it."""
        if self.people is None:
            return entry
        if not self.knows(entry):
            return None
        if isinstance(entry, CareTeam):
            members = tuple(each for each in entry.members if each.member in self.people)
            managing = entry.managing_organization if entry.managing_organization in self.people else None
            patient = entry.patient if entry.patient in self.people else None
            return replace(entry, members=members, managing_organization=managing, patient=patient)
        if isinstance(entry, Organization) and entry.part_of not in self.people:
            return replace(entry, part_of=None)
        if isinstance(entry, Patient) and entry.replaced_by not in self.people:
            return replace(entry, replaced_by=None)
        return entry

    def with_also(self, *others: ParticipantId) -> "Acquaintance":
        """Return this, and others whom they know of."""
        return self if self.people is None else Acquaintance(self.people.union(others))


def acquaintance(asking: Asking, custodian: ParticipantId) -> Acquaintance:
    """Return whom somebody knows of, authors aside. An inactive person knows of nobody."""
    actor = asking.actor
    if not actor.active:
        return Acquaintance(frozenset())
    if actor.kind not in PATIENT_SIDE:
        return Acquaintance()
    known = {actor.id} | actor.patients | _of_threads(asking, custodian) | _of_teams(asking)
    return Acquaintance(frozenset(known))


def _of_threads(asking: Asking, custodian: ParticipantId) -> set[ParticipantId]:
    """Return who takes part in the threads that somebody of the patient's side reads: all in records of their own."""
    connection, actor = asking.connection, asking.actor
    clinical_ids = {each for patient in sorted(actor.patients) for each in records_of_patient(connection, patient)}
    found: set[ParticipantId] = set()
    for clinical_id in sorted(clinical_ids):
        for stored in threads_of(connection, clinical_id, custodian):
            about = asked_about(connection, stored, actor, asking.at)
            if about is not None and may_read(actor, about):
                found.update(each.id for each in stored.ledger.participants)
    return found


def _of_teams(asking: Asking) -> set[ParticipantId]:
    """Return the teams that somebody is in, whom they name, and who is a member of them because of that."""
    teams = {each.group for each in asking.actor.memberships}
    entries = entries_around(asking.connection, teams)
    found = set(teams)
    for team in teams:
        named = (entries.get(target) for _, target in relations(entries[team]))
        for each in named:
            if isinstance(each, PractitionerRole):
                found |= {each.practitioner, each.organization}
            elif each is not None and _is_theirs(each, asking.actor.patients):
                found.add(each.id)
    for group in members_of(teams, entries, asking.at).values():
        found |= {member for member, _ in group}
    return found


def _is_theirs(entry: Entry, patients: frozenset[ParticipantId]) -> bool:
    """Say whether it is no other patient, and nobody related to another: a team may name one by mistake."""
    if isinstance(entry, Patient):
        return entry.id in patients
    return not isinstance(entry, RelatedPerson) or entry.patient in patients


def wrote_to(asking: Asking, author: ParticipantId, custodian: ParticipantId) -> bool:
    """Say whether somebody is the author of a message that may be read."""
    connection = asking.connection
    access = bounds(connection, asking.actor, custodian)
    wanted = Search((), access, (author_token(author),))
    return bool(search.found(connection, wanted, None, None, "", 1))


def roles_of(asking: Asking, people: Collection[ParticipantId]) -> set[ParticipantId]:
    """Return the roles that name somebody of these."""
    rows = statements.sources_of.rows(asking.connection, map(key_of, people), relation="practitioner")
    return {id_of(source) for (source,) in rows}
