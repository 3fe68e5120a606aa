"""Who sees what, the slow way: plain loops over everything, written from the pages and not from the code.

Nothing of `policy` or `store` is used. People and groups go by their short names.
"""

import unicodedata
from collections.abc import Callable, Iterable

from msgspec import Struct, field

from carethread import Communication
from carethread.ids import ParticipantId
from carethread.record.model import Message

CLINICIAN, ADMINISTRATOR, PATIENT, RELATED = "clinician", "care_administrator", "patient", "patient_associate"
GROUPS = ("organisation", "care_team")


class Team(Struct):
    members: list[str]
    patient: str | None = None
    active: bool = True


class People(Struct):
    """The directory as somebody would write it on a wall."""

    practitioners: dict[str, bool] = field(default_factory=dict)  # whether they are active
    organizations: dict[str, bool] = field(default_factory=dict)
    roles: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)  # who, where: as what, still
    patients: dict[str, bool] = field(default_factory=dict)
    related: dict[str, tuple[str, bool]] = field(default_factory=dict)  # to whom
    teams: dict[str, Team] = field(default_factory=dict)
    merged: list[frozenset[str]] = field(default_factory=list)

    def one(self, patient: str) -> frozenset[str]:
        """Return a patient and all who turned out to be the same."""
        same = {patient}
        for _ in self.merged:
            for pair in self.merged:
                if pair & same:
                    same |= pair
        return frozenset(same)

    def is_active(self, who: str) -> bool:
        return self.practitioners.get(who) or self.patients.get(who) or self.related.get(who, ("", False))[1] or False

    def own_patient(self, who: str) -> str | None:
        """Return on whose side somebody is, if on a patient's."""
        if who in self.patients:
            return who
        return self.related[who][0] if who in self.related else None

    def jobs(self, who: str) -> list[tuple[str, str]]:
        """Return where a practitioner works now, and as what."""
        return [
            (place, standing)
            for (person, place), (standing, still) in self.roles.items()
            if person == who and still and self.practitioners[who] and self.organizations[place]
        ]

    def members(self) -> set[tuple[str, str, str, str | None]]:
        """Return who is a member of what, as what, and for which patient only."""
        found = {(who, place, standing, None) for who in self.practitioners for place, standing in self.jobs(who)}
        facts: set[tuple[str, str, str, str | None]] = set(found)
        while True:
            more = {each for name, team in self.teams.items() if team.active for each in self._of(name, team, facts)}
            if more <= facts:
                return facts
            facts |= more

    def _of(
        self, name: str, team: Team, facts: set[tuple[str, str, str, str | None]]
    ) -> Iterable[tuple[str, str, str, str | None]]:
        for member in team.members:
            if member in self.practitioners:
                if self.practitioners[member]:
                    clinical = CLINICIAN in [standing for _, standing in self.jobs(member)]
                    yield member, name, CLINICIAN if clinical else ADMINISTRATOR, team.patient
            elif member in self.patients or member in self.related:
                own = self.own_patient(member)
                if self.is_active(member) and team.patient is not None and own in self.one(team.patient):
                    yield member, name, PATIENT if member in self.patients else RELATED, team.patient
            else:
                for who, group, standing, only_for in facts:
                    if group != member:
                        continue
                    if team.patient is None:
                        if standing in (CLINICIAN, ADMINISTRATOR):
                            yield who, name, standing, only_for
                    elif only_for is None or only_for in self.one(team.patient):
                        yield who, name, standing, team.patient


class Spoken(Struct):
    """A thread with the names its record knows, and the patient in whose record it is."""

    patient: str
    record: str
    there: Communication

    @property
    def id(self) -> str:
        return self.there.ledger.communication_id

    @property
    def activity(self) -> tuple[int, str]:
        """What lists are in the order of."""
        return self.there.ledger.last_updated_at, self.id[-36:]

    @property
    def last_message(self) -> int:
        """Return the place of the last entry that a person wrote, from 1."""
        return max((at for at, each in enumerate(self.there.messages, 1) if each.type != "system"), default=0)


class Naive(Struct):
    """Everything, and what people left beside it."""

    people: People
    name_of: Callable[[ParticipantId], str]
    opened: dict[tuple[str, str], int] = field(default_factory=dict)  # who, which thread: how far
    asides: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)  # which group: how far, by whom
    client_organizations: tuple[str, ...] = ()

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def ways(self, who: str, thread: Spoken) -> set[str]:
        """Return by which of its participants somebody reads a thread."""
        ledger = thread.there.ledger
        about = self.people.one(thread.patient)
        roles = {self.name_of(each.id): each.role for each in ledger.participants}
        if not self.people.is_active(who):
            return set()
        own = self.people.own_patient(who)
        if own is not None and own not in about:
            return set()
        named = self.selves(who) & roles.keys()
        found = {each for each in named if not self._opened_for_a_group(each, thread)}
        for person, group, standing, only_for in self.people.members():
            if person != who or roles.get(group) not in GROUPS or not (only_for is None or only_for in about):
                continue
            if self._reaches(thread, standing):
                found.add(group)
        return found

    def selves(self, who: str) -> frozenset[str]:
        """Return under which names somebody takes part: a patient also as the entries merged with theirs."""
        return self.people.one(who) if who in self.people.patients else frozenset({who})

    @staticmethod
    def _reaches(thread: Spoken, standing: str) -> bool:
        """Say whether members of groups read a thread who are this in the group."""
        ledger = thread.there.ledger
        if ledger.visibility.restricted or ledger.visibility.sensitivity == "restricted":
            return False
        if ledger.visibility.sensitivity == "confidential":
            return standing == CLINICIAN
        return standing in (CLINICIAN, ADMINISTRATOR) or ledger.policies.allow_patient_participation

    def _opened_for_a_group(self, who: str, thread: Spoken) -> bool:
        ledger = thread.there.ledger
        addressing = ledger.addressing
        if addressing is None or addressing.reply_to is None or self.name_of(addressing.requester) != who:
            return False
        roles = {each.id: each.role for each in ledger.participants}
        return roles[addressing.reply_to] in GROUPS and addressing.requester not in addressing.recipients

    def groups(self, who: str) -> set[str]:
        if not self.people.is_active(who):
            return set()
        return {group for person, group, _, _ in self.people.members() if person == who}

    # ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def inbox(
        self, who: str, threads: list[Spoken], of: str | None, *, archived: bool, waiting: bool, unread: bool
    ) -> list[Spoken]:
        found = []
        for each in threads:
            ways = self.ways(who, each)
            if of is not None:
                ways &= self.selves(who) if of == who else {of}
            if waiting:
                ways = {way for way in ways if self.waits(way, each)}
            elif (each.there.ledger.status == "archived") is not archived:
                continue
            if ways and (not unread or self.is_unread(who, each)):
                found.append(each)
        return sorted(found, key=lambda each: each.activity, reverse=True)

    def is_unread(self, who: str, thread: Spoken) -> bool:
        return thread.last_message > self.opened.get((who, thread.id), 0)

    def waits(self, participant: str, thread: Spoken) -> bool:
        """Say whether something addressed to them came after their side's last message, and was not set aside."""
        if thread.there.ledger.status != "open":
            return False
        asked = answered = 0
        for at, each in enumerate(thread.there.messages, 1):
            if each.type in ("system", "correction"):
                continue
            speaking = {self.name_of(each.author_id)}
            if each.on_behalf_of is not None:
                speaking.add(self.name_of(each.on_behalf_of.id))
            to = {self.name_of(party.id) for party in each.to}
            if not to and thread.there.ledger.addressing is None:
                to = {self.name_of(other.id) for other in thread.there.ledger.participants} - speaking
            asked = at if participant in to else asked
            answered = at if participant in speaking | self._side(thread, each, to) else answered
        return asked > max(answered, self.asides.get((participant, thread.id), (0, ""))[0])

    def _side(self, thread: Spoken, message: Message, to: set[str]) -> set[str]:
        """Return those for whom a message counts as theirs, as far as the record says so."""
        addressing = thread.there.ledger.addressing
        if addressing is None:
            return set()
        requester, asked = self.name_of(addressing.requester), {self.name_of(each) for each in addressing.recipients}
        back = {requester} | (set() if addressing.reply_to is None else {self.name_of(addressing.reply_to)})
        if message.on_behalf_of is not None:
            group = self.name_of(message.on_behalf_of.id)
            sides = [side for side in (back - {requester} | ({requester} & {group}), asked) if group in side]
        elif self.name_of(message.author_id) == requester:
            sides = [back]
        else:
            sides = [side for side in (back, asked) if self.name_of(message.author_id) in side]
        if len(sides) == 1:
            return back if sides[0] <= back and sides[0] is not asked else asked
        # Neither says it: then whom it went to does.
        if bool(to & asked) == bool(to & back):
            return set()
        return back if to & asked else asked

    # ── Search ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def search(
        self,
        threads: list[Spoken],
        readable: Callable[[Spoken], bool],
        query: str,
        matches: Callable[[Spoken, Message], bool],
    ) -> list[Message]:
        found = [
            message
            for thread in threads
            if readable(thread)
            for message in thread.there.messages
            if message.type != "system" and matches(thread, message) and says(message, query)
        ]
        record = {message.id: thread.record for thread in threads for message in thread.there.messages}
        return sorted(
            found, key=lambda each: (each.sent or each.timestamp, record[each.id][-4:], each.timestamp), reverse=True
        )


def split(text: str) -> list[str]:
    """Return the words of a text: letters and digits, without case and accents."""
    bare = [each for each in unicodedata.normalize("NFD", text) if unicodedata.category(each) != "Mn"]
    return "".join(each if each.isalnum() else " " for each in bare).casefold().split()


def says(message: Message, query: str) -> bool:
    """Say whether a message has every word of a query, a phrase in quotes, the beginning of a word before a star."""
    said = split(" ".join([message.body, *(each.file_name for each in message.attachments)]))
    quoted = query.split('"')
    phrases = [split(each) for each in quoted[1::2]]
    alone = [each for part in quoted[::2] for each in part.split()]
    for phrase in phrases:
        if not any(said[at : at + len(phrase)] == phrase for at in range(len(said))):
            return False
    for each in alone:
        (word,) = split(each)
        if each.endswith("*"):
            if not any(other.startswith(word) for other in said):
                return False
        elif word not in said:
            return False
    return True
