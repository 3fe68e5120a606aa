"""From what the index holds to what is served, with nothing in it that whoever asks may not read."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Served
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads.meant import role_of
from carethread.record.model import INDIVIDUAL_ROLES, Ledger, Message, Role
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.store.asking import Asking
from carethread.store.called import called_of
from carethread.store.held import Held, HeldThread, Reading, Recorded
from carethread.store.threads import Judge

# What this process projected lately: about a kilobyte each.
_REMEMBERED = 30_000


class _Projected(Struct, frozen=True):
    """What follows from a record as it stood at a head, and so never changes: a message, and what corrects it."""

    projection: MessageProjection
    corrections: tuple[Held, ...]
    named: tuple[tuple[ParticipantId, Role], ...]
    place: tuple[int, int]


class _ProjectedThread(Struct, frozen=True):
    """Likewise a thread that takes up no other: which that is depends on who asks."""

    projection: ThreadProjection
    participants: dict[ParticipantId, Role]
    opening: tuple[tuple[ParticipantId, Role], ...]


_remembered: dict[tuple[MessageId, Recorded, str], _Projected] = {}
_remembered_threads: dict[tuple[CommunicationId, str], _ProjectedThread] = {}


def requester_of(ledger: Ledger, opening: Message | None) -> ParticipantId | None:
    """Return who opened a thread: in a plain one, whoever wrote its first message, else the first individual in it."""
    if ledger.addressing is not None:
        return ledger.addressing.requester
    if opening is not None:
        return opening.author_id
    return next((each.id for each in ledger.participants if each.role in INDIVIDUAL_ROLES), None)


def recipients_of(ledger: Ledger, opening: Message | None) -> tuple[ParticipantId, ...]:
    """Return to whom a thread is addressed: a plain one, to everybody but who opened it."""
    if ledger.addressing is not None:
        return ledger.addressing.recipients
    requester = requester_of(ledger, opening)
    return tuple(each.id for each in ledger.participants if each.id != requester)


def _named_in(message: Message, ledger: Ledger) -> Iterator[tuple[ParticipantId, Role]]:
    """Yield whom a message names, as what."""
    named = [message.author_id, *[each.id for each in message.to]]
    if message.on_behalf_of is not None:
        named.append(message.on_behalf_of.id)
    yield from ((each, role_of(each, ledger, message)) for each in named)
    if message.via is not None:
        yield message.via.id, Role.SYSTEM


def _named_in_opening(held: HeldThread, ledger: Ledger) -> tuple[tuple[ParticipantId, Role], ...]:
    return () if held.opening is None else tuple(_named_in(held.opening, ledger))


def _roles(ledger: Ledger) -> dict[ParticipantId, Role]:
    return {each.id: each.role for each in ledger.participants}


class Projecting:
    """Makes what is served in one answer, and gathers who is named in it and what the log has to say."""

    def __init__(self, asking: Asking) -> None:
        """Serve whoever asks."""
        self.connection = asking.connection
        self.reading = Reading(asking.connection)
        self.judge = Judge(asking.connection, asking.actor, asking.at)
        self._called = called_of(asking.connection)
        self._people: dict[ParticipantId, Role] = {}
        self._served: dict[tuple[int, int], tuple[HeldThread, set[MessageId]]] = {}

    # ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def messages(self, found: Iterable[Held]) -> tuple[MessageProjection, ...]:
        """Return messages as they are served."""
        # Whoever answers or corrects a message is in the same record: its head says whether anything is new.
        held = [(each, (each.message.id, each.recorded, each.thread.stored.version)) for each in found]
        known = {key: kept for _, key in held if (kept := _remembered.get(key)) is not None}
        new = [(each, key) for each, key in held if key not in known]
        if new:
            if len(_remembered) > _REMEMBERED:
                _remembered.clear()
            projected = self._projected([each for each, _ in new])
            for (_, key), each in zip(new, projected, strict=True):
                known[key] = _remembered[key] = each
        return tuple([self._as_now(each, known[key]) for each, key in held])

    def _projected(self, held: list[Held]) -> list[_Projected]:
        corrections = self.reading.corrections(each.message.id for each in held)
        others = {named for each in held for named in (each.message.in_response_to, each.message.corrects) if named}
        ids = self.reading.ids_of(others) if others else {}
        return [
            _Projected(
                self._message(each, [], set(), ids),
                tuple(corrections.get(each.message.id, ())),
                tuple(_named_in(each.message, each.thread.stored.ledger)),
                each.thread.place,
            )
            for each in held
        ]

    def _as_now(self, held: Held, known: _Projected) -> MessageProjection:
        """Return a message as the directory stands now, with the corrections that whoever asks may read."""
        projection, people = known.projection, self._people
        patient = self._called.patient(self.connection, held.thread.stored.clinical_id)
        for each, role in known.named:
            if each not in people:
                people[each] = role
        people.setdefault(patient, Role.PATIENT)
        shown = self._served.get(known.place)
        if shown is None:
            shown = self._served[known.place] = (held.thread, set())
        shown[1].add(projection.message.id)
        if patient != projection.patient:
            projection = replace(projection, patient=patient)
        if not known.corrections:
            return projection
        readable = self._readable((known.corrections,))
        return replace(
            projection,
            version=1 + len(known.corrections),
            corrected_by=tuple(each.id for each in known.corrections if each.message.id in readable),
        )

    def versions(self, held: Held) -> tuple[MessageProjection, ...]:
        """Return a message in all its versions, oldest first: each correction of it made one."""
        corrections = self.reading.corrections((held.message.id,)).get(held.message.id, [])
        readable = self._readable((corrections,))
        message = held.message
        ids = self.reading.ids_of(each for each in (message.in_response_to, message.corrects) if each is not None)
        return tuple(
            self._message(held, corrections[:number], readable, ids) for number in range(len(corrections) + 1)
        )  # fmt: skip

    def _readable(self, corrections: Iterable[Iterable[Held]]) -> set[MessageId]:
        """Return which corrections whoever asks may read."""
        return {
            each.message.id
            for several in corrections
            for each in several
            if self.judge.may_read(each.thread.stored)
        }  # fmt: skip

    def _message(
        self, held: Held, corrections: list[Held], readable: set[MessageId], ids: dict[MessageId, str]
    ) -> MessageProjection:
        message, stored = held.message, held.thread.stored
        patient = self._called.patient(self.connection, stored.clinical_id)
        self._name_message(message, stored.ledger)
        self._people.setdefault(patient, Role.PATIENT)
        self._serve(held.thread, message)
        return MessageProjection(
            id=held.id,
            message=message,
            record=stored.record,
            thread=stored.ledger.communication_id,
            thread_id=held.thread.id,
            patient=patient,
            visibility=stored.ledger.visibility,
            version=1 + len(corrections),
            answers=None if message.in_response_to is None else ids.get(message.in_response_to),
            corrects=None if message.corrects is None else ids.get(message.corrects),
            corrected_by=tuple(each.id for each in corrections if each.message.id in readable),
            identifiers=held.identifiers,
        )

    def _name_message(self, message: Message, ledger: Ledger) -> None:
        for each, role in _named_in(message, ledger):
            self._people.setdefault(each, role)

    # ── Threads ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def threads(self, found: Iterable[HeldThread]) -> tuple[ThreadProjection, ...]:
        """Return threads as they are served."""
        return tuple(map(self.thread, found))

    def thread(self, held: HeldThread) -> ThreadProjection:
        """Return a thread as it is served."""
        stored = held.stored
        ledger = stored.ledger
        if ledger.continues is not None:
            return self.thread_version(held, ledger, stored.versions)
        key = ledger.communication_id, stored.version
        known = _remembered_threads.get(key)
        if known is None:
            if len(_remembered_threads) > _REMEMBERED:
                _remembered_threads.clear()
            known = _remembered_threads[key] = _ProjectedThread(
                self._thread(held, ledger, stored.versions), _roles(ledger), _named_in_opening(held, ledger)
            )
        patient = self._name_thread(held, known.participants, known.opening)
        projection = known.projection
        return projection if patient == projection.patient else replace(projection, patient=patient)

    def thread_version(self, held: HeldThread, ledger: Ledger, version: int) -> ThreadProjection:
        """Return a thread as it stood in a version; whoever asks may read it as it stands."""
        self._name_thread(held, _roles(ledger), _named_in_opening(held, ledger))
        return self._thread(held, ledger, version)

    def _name_thread(
        self,
        held: HeldThread,
        participants: dict[ParticipantId, Role],
        opening: tuple[tuple[ParticipantId, Role], ...],
    ) -> ParticipantId:
        """Note who is named in a thread that is served; return its patient."""
        people = self._people
        patient = self._called.patient(self.connection, held.stored.clinical_id)
        people.setdefault(patient, Role.PATIENT)
        people.update(participants)
        for each, role in opening:
            people.setdefault(each, role)
        self._serve(held, held.opening)
        return patient

    def _thread(self, held: HeldThread, ledger: Ledger, version: int) -> ThreadProjection:
        stored = held.stored
        return ThreadProjection(
            id=held.id,
            ledger=ledger,
            record=stored.record,
            patient=self._called.patient(self.connection, stored.clinical_id),
            version=version,
            updated=ledger.last_updated_at,
            opening=held.opening,
            continues=self._continued(ledger),
            identifiers=stored.identifiers,
        )

    def _continued(self, ledger: Ledger) -> str | None:
        if ledger.continues is None:
            return None
        found = self.reading.threads_by_own_id((ledger.continues,)).get(ledger.continues)
        return None if found is None or not self.judge.may_read(found.stored) else found.id

    # ── What goes with all of them ────────────────────────────────────────────────────────────────────────────────────

    def _serve(self, held: HeldThread, message: Message | None) -> None:
        known = self._served.get(held.place)
        if known is None:
            known = self._served[held.place] = (held, set())
        if message is not None:
            known[1].add(message.id)

    def served(self) -> tuple[Served, ...]:
        """Return what the log has to say: of each thread, how many of its entries were shown."""
        return tuple(
            Served(each.stored.ledger.communication_id, each.stored.version, len(entries))
            for each, entries in self._served.values()
        )

    def names(self) -> dict[ParticipantId, str]:
        """Return what everybody is called who was named so far."""
        return self._called.names(self.connection, self._people)
