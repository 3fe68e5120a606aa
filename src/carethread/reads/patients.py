"""Finding the right patient: by name, date of birth, identifier, and who could be taken for them."""

from enum import StrEnum

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.reads.banners import Banner


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


class Alike(StrEnum):
    """In what two patients are alike."""

    SAME_NAME = "same_name"  # case, accents and the order of names aside
    SIMILAR_NAME = "similar_name"  # but for a letter or two
    SAME_BIRTH_DATE = "same_birth_date"
    SIMILAR_BIRTH_DATE = "similar_birth_date"  # but for a digit, or with day and month the other way round


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
    """Return patients of whom all that is given holds. The patient's side finds its own patient only.

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
    raise NotImplementedError


def look_alikes(service: CoordinationService, caller: Caller, patient: ParticipantId) -> tuple[LookAlike, ...]:
    """Return other patients who could be taken for one, the most alike first: to be told apart before a thread opens.

    A name that is the same or similar suffices, and so does the same date of birth; a similar date of birth together
    with one name in common. Those merged with the patient, and inactive ones, are not among them. What is looked at is
    bounded. The patient's side knows of no other patients.

    Raises:
        UnknownPersonError: there is no such patient, or whoever asks may not know of them.
    """
    raise NotImplementedError
