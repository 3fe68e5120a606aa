"""Who is meant: people, organisations and teams, as the directory or a thread knows them."""

from collections.abc import Iterable, Sequence

from carethread import CoordinationService, Participant
from carethread.cli.naming import find_participant
from carethread.directory.model import CareTeam, Entry, Organization, Patient, Practitioner, PractitionerRole
from carethread.directory.model import RelatedPerson as Related
from carethread.errors import InvalidValueError, NotParticipantError, UnknownPersonError
from carethread.ids import ParticipantId

Kinds = tuple[type[Entry], ...]

PEOPLE: Kinds = (Practitioner, Related, Patient)
GROUPS: Kinds = (Organization, CareTeam)
ANYBODY: Kinds = (*PEOPLE, *GROUPS)
# What may stand before a name, and what it narrows the name to.
PREFIXES: dict[str, Kinds] = {
    "organisation": (Organization,),
    "team": (CareTeam,),
    "person": PEOPLE,
    "patient": (Patient,),
}
_WORDS: dict[type[Entry], str] = {
    Organization: "an organisation",
    CareTeam: "a team",
    Practitioner: "a practitioner",
    PractitionerRole: "a role",
    Related: "a related person",
    Patient: "a patient",
}


def find_entry(service: CoordinationService, named: str, kinds: Kinds, field: str) -> Entry:
    """Return whom the directory knows under a UUID, `Type/id` or an id, with or without `organisation:` and so on.

    Raises:
        UnknownPersonError: nobody, or several.
        InvalidValueError: somebody of another kind.
    """
    prefix, colon, rest = named.partition(":")
    wanted = PREFIXES.get(prefix) if colon else None
    entry = service.directory.find(named) if wanted is None else _of_kind(service, rest, wanted)
    if not isinstance(entry, kinds):
        words = " or ".join(_WORDS[each] for each in kinds)
        raise InvalidValueError(field, f"is {_WORDS[type(entry)]} of the directory, not {words}")
    return entry


def _of_kind(service: CoordinationService, named: str, wanted: Kinds) -> Entry:
    """Return the one of a kind: an id may stand for an organisation and a team."""
    found: dict[ParticipantId, Entry] = {}
    for reference in (named, *(f"{each.__struct_config__.tag}/{named}" for each in wanted)):
        try:
            entry = service.directory.find(reference)
        except UnknownPersonError:
            continue
        if isinstance(entry, wanted):
            found[entry.id] = entry
    if len(found) != 1:
        word = " or ".join(_WORDS[each] for each in wanted)
        several = f"{len(found)} entries" if found else "no entry"
        raise UnknownPersonError(f"the directory has {several} {named!r} that is {word}")
    return next(iter(found.values()))


def find_all(
    service: CoordinationService, named: Iterable[str] | None, kinds: Kinds, field: str
) -> tuple[ParticipantId, ...]:  # fmt: skip
    """Return the UUIDs of those named, each once.

    Raises:
        UnknownPersonError, InvalidValueError: as `find_entry`.
    """
    return tuple(dict.fromkeys(find_entry(service, each, kinds, field).id for each in named or ()))


def find_taking_part(
    service: CoordinationService,
    participants: Sequence[Participant],
    named: str,
    field: str,
    *,
    joining: Sequence[ParticipantId] = (),
) -> ParticipantId:
    """Return who of a thread's participants is meant: by name or id there, or as the directory knows them.

    `joining` are about to take part.

    Raises:
        NotParticipantError: nobody who takes part.
        InvalidValueError: several.
    """
    try:
        return find_participant(participants, named, field)
    except (NotParticipantError, InvalidValueError) as error:
        missing = error
    try:
        found = find_entry(service, named, ANYBODY, field).id
    except UnknownPersonError:
        raise missing from None
    if found not in joining and all(each.id != found for each in participants):
        raise NotParticipantError(f"{field}: {found} does not take part in the thread")
    return found


def name_of(service: CoordinationService, participant: ParticipantId) -> str:
    """Return somebody's name now, or nothing where the directory does not know them."""
    try:
        entry = service.directory.find(participant)
    except UnknownPersonError:
        return ""
    return "" if isinstance(entry, PractitionerRole) else entry.name
