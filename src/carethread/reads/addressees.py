"""Whom a thread can be addressed to, found by words: people with where they work, groups with who would read."""

from collections.abc import Mapping

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.directory.model import Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.record.model import Party, Role


class Place(Struct, frozen=True):
    """Where a practitioner works now, as what."""

    organization: Party
    standings: frozenset[Standing]


class Addressee(Struct, frozen=True):
    """Somebody, or a group, that can be addressed.

    Attributes:
        id: whom.
        role: what they are as a participant.
        name: what they are called.
        places: of a practitioner, where they work now.
        members: of a group, how many active members it has of each standing; who of them reads hangs on visibility.
        of: whose: of a team, its organisation or patient; of an organisation, what it is part of; of a related
            person, the patient.
    """

    id: ParticipantId
    role: Role
    name: str
    places: tuple[Place, ...] = ()
    members: Mapping[Standing, int] = {}
    of: Party | None = None


class AddresseePage(Struct, frozen=True):
    """Part of what was found, by name. `after` asks for the next part; empty at the end.

    A part may be short, or empty, and not the last: what a call looks at is bounded.
    """

    addressees: tuple[Addressee, ...]
    after: str = ""


def find_addressees(
    service: CoordinationService,
    caller: Caller,
    words: str = "",
    *,
    patient: ParticipantId | None = None,
    after: str = "",
    count: int = 20,
) -> AddresseePage:
    """Return active people, organisations and teams, by name.

    Args:
        service: the installation.
        caller: who asks. The patient's side finds the people and groups of its own.
        words: each is the beginning of a word of the name; without any, everybody.
        patient: whom a thread is about: then they, their related persons and their teams are found too. Of other
            patients nobody is.
        after: where the part before ended.
        count: how many at most.

    Raises:
        UnknownPersonError: there is no such patient, or whoever asks may not know of them.
        InvalidValueError: `after`, `count` or the words are not in order.
    """
    raise NotImplementedError
