"""The people of the tests, and the clock they live by."""

import random
import uuid

from carethread import Addressing, Author, Participant, Role
from carethread.clock import Instant
from carethread.ids import ParticipantId

PLACE = "Oxford University Hospitals"
CLINICAL_ID = "a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12"


def person(number: int) -> ParticipantId:
    """Return the id of somebody."""
    return ParticipantId(f"{number:08x}-9e3b-4a7c-8f1e-6b0d2c5a9f12")


JANE = Author(person(1), "Dr Jane Smith")
TOM = Author(person(2), "Dr Tom Patel")
JOHN = Author(person(3), "John Doe", Role.PATIENT)
MARY = Author(person(4), "Mary Doe", Role.PATIENT_ASSOCIATE)
ADMIN = Author(person(5), "Ann Lee", Role.CARE_ADMINISTRATOR)
PHARMACIST = Author(person(6), "Pat Pill")
SECOND_PHARMACIST = Author(person(7), "Sam Script")
GP = Author(person(8), "Dr Bo Bell")

PHARMACY = Participant(person(101), Role.ORGANISATION, "Riverside Pharmacy")
CLINIC = Participant(person(102), Role.ORGANISATION, "Hill Clinic")
TEAM = Participant(person(103), Role.CARE_TEAM, "Diabetes Team")


def listed(*authors: Author) -> tuple[Participant, ...]:
    """Return these people as participants."""
    return tuple(Participant(each.id, each.role, each.name) for each in authors)


PLAIN = listed(JANE, TOM, JOHN)
ADDRESSED = (*listed(PHARMACIST), PHARMACY, CLINIC)
ADDRESSING = Addressing(PHARMACIST.id, (CLINIC.id,), PHARMACY.id)


class Ticking:
    """A clock that moves on by a step whenever it is read; a test may set it."""

    def __init__(self, now: int = 1_768_142_175_234, step: int = 1_000) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> Instant:
        self.now += self.step
        return Instant(self.now)


def seeded_ids(seed: int = 0) -> "random.Random":
    """Return a source of the same UUIDs in every run."""
    return random.Random(seed)


def mint_from(source: random.Random) -> uuid.UUID:
    """Mint a UUID from a seeded source."""
    return uuid.UUID(int=source.getrandbits(128), version=4)
