"""Whom a sign-in provider means: the step from somebody outside to a person of the directory."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from carethread.access_log import Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.model import EntryKind
from carethread.errors import InvalidValueError, NotRecognisedError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.record.text import check_name
from carethread.store.asking import line, log, log_refusal
from carethread.store.called import called_of, meant_by_identifier, newest_entries
from carethread.store.database import Connection
from carethread.store.people import actor_of

_NOBODY = ParticipantId("00000000-0000-0000-0000-000000000000")
_PEOPLE = (EntryKind.PRACTITIONER.value, EntryKind.RELATED_PERSON.value, EntryKind.PATIENT.value)
SIGN_IN = "sign-in"


def person_of_claim(
    service: CoordinationService, claim: str, *, client: str = "", request_id: str = ""
) -> ParticipantId:  # fmt: skip
    """Return the one active person whom a sign-in provider means. That they sign in is logged first.

    Args:
        service: the installation.
        claim: `Type/id` of a practitioner, related person or patient, or an identifier of theirs, as `system|value`.
        client: the program through which, for the log.
        request_id: what ties lines of the log together.

    Raises:
        NotRecognisedError: there is nobody, or several, or they are not active; it is the same for all of these.
        StorageError: the line cannot be stored.
    """
    archive = service.archive
    kept = _kept(claim)
    query = msgspec.json.encode({"claim": kept}).decode()
    caller = Caller(_NOBODY, client=client, request_id=request_id)
    asked = replace(line(caller, Action.SEARCHED), detail=SIGN_IN, query=query)
    at = archive.clock()
    with archive.database.snapshot() as connection:
        found = newest_entries(connection, _meant(connection, kept))
        actors = [actor_of(connection, entry.id, at) for entry, _, _ in found]
    if len(actors) != 1 or not actors[0].active:
        error = NotRecognisedError("nobody who may sign in here is meant")
        log_refusal(archive, asked, error)
        raise error
    ((entry, version, _),), (actor,) = found, actors
    shown = (ServedEntry(entry.id, version),)
    log(archive, replace(asked, actor=actor.id, actor_kind=actor.kind.value, entries=shown))
    return actor.id


def _kept(claim: str) -> str:
    """Return a claim as the log keeps it: nothing of what is no line of text."""
    try:
        return check_name(claim, "claim")
    except InvalidValueError:
        return ""


def _meant(connection: Connection, claim: str) -> Sequence[ParticipantId]:
    """Return everybody who may be meant, active or not."""
    if "|" in claim:
        system, _, value = claim.partition("|")
        if not system or not value:
            return ()
        return [each for kind in _PEOPLE for each in meant_by_identifier(connection, kind, system, value)]
    kind, _, fhir_id = claim.partition("/")
    return called_of(connection).meant(connection, kind, fhir_id).known if kind in _PEOPLE else ()
