"""Resources encoded once: the same messages and threads are shown again and again, and seldom change.

What a resource looks like follows from what is its key here; a message's own words never change.
"""

from collections.abc import Callable, Hashable

from msgspec import Struct

from carethread.fhir.mapping.communication import communication
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.request import communication_request
from carethread.fhir.validation import encode
from carethread.ids import ParticipantId
from carethread.record.model import Message
from carethread.record.projection import MessageProjection, ThreadProjection

# A few kilobytes each.
REMEMBERED = 10_000
# Larger ones are seldom, and would fill the memory.
LARGEST = 16 * 1024


class Encoded:
    """What was encoded before, of one installation. Thread-safe."""

    def __init__(self, remembers: int = REMEMBERED) -> None:
        """Remember so many resources at most."""
        self._remembers = remembers
        self._kept: dict[Hashable, bytes] = {}
        # By their ids, for projections that are the very same: nothing of them needs a look but the names.
        self._same: dict[tuple[type, str], _Same] = {}

    def message(self, projection: MessageProjection, names: Names) -> bytes:
        """Return a message as JSON."""
        found = self._found(projection, names)
        if found is None:
            found = self._message(projection, names)
            self._keep(projection, (projection.patient, *_people(projection.message)), names, found)
        return found

    def _message(self, projection: MessageProjection, names: Names) -> bytes:
        key = (
            projection.id,
            projection.message.id,
            projection.thread_id,
            projection.version,
            projection.visibility,
            projection.answers,
            projection.corrects,
            projection.corrected_by,
            projection.identifiers,
            names.get(projection.patient),
            _named(projection.message, names),
        )
        return self._of(key, lambda: encode(communication(projection, names)))

    def thread(self, projection: ThreadProjection, names: Names) -> bytes:
        """Return a thread as JSON."""
        found = self._found(projection, names)
        if found is None:
            found = self._thread(projection, names)
            opening = () if projection.opening is None else _people(projection.opening)
            people = (projection.patient, *[each.id for each in projection.ledger.participants], *opening)
            self._keep(projection, people, names, found)
        return found

    def _found(self, projection: MessageProjection | ThreadProjection, names: Names) -> bytes | None:
        same = self._same.get((type(projection), projection.id))
        if same is not None and same.projection is projection and _called(same.people, names) == same.names:
            return same.encoded
        return None

    def _keep(
        self,
        projection: MessageProjection | ThreadProjection,
        people: tuple[ParticipantId, ...],
        names: Names,
        encoded: bytes,
    ) -> None:
        if len(encoded) <= LARGEST:
            if len(self._same) >= self._remembers:
                self._same.clear()
            self._same[type(projection), projection.id] = _Same(projection, people, _called(people, names), encoded)

    def _thread(self, projection: ThreadProjection, names: Names) -> bytes:
        opening = projection.opening
        key = (
            projection.id,
            projection.ledger.communication_id,
            projection.version,
            projection.updated,
            projection.continues,
            projection.identifiers,
            names.get(projection.patient),
            tuple([names.get(each.id) for each in projection.ledger.participants]),
            None if opening is None else (opening.id, _named(opening, names)),
        )
        return self._of(key, lambda: encode(communication_request(projection, names)))

    def _of(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        found = self._kept.get(key)
        if found is None:
            found = make()
            if len(found) <= LARGEST:
                if len(self._kept) >= self._remembers:
                    self._kept.clear()
                self._kept[key] = found
        return found


class _Same(Struct, frozen=True):
    projection: MessageProjection | ThreadProjection
    people: tuple[ParticipantId, ...]
    names: tuple[str | None, ...]
    encoded: bytes


def _named(message: Message, names: Names) -> tuple[str | None, ...]:
    """Return what those are called whom a message names."""
    return _called(_people(message), names)


def _people(message: Message) -> tuple[ParticipantId, ...]:
    groups = (each.id for each in (message.on_behalf_of, message.via) if each is not None)
    return (message.author_id, *[each.id for each in message.to], *groups)


def _called(people: tuple[ParticipantId, ...], names: Names) -> tuple[str | None, ...]:
    return tuple(map(names.get, people))
