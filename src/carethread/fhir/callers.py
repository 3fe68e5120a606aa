"""From a checked token to who asks."""

from collections.abc import Callable

from carethread.errors import NotAllowedError
from carethread.fhir.refusals import InvalidTokenError
from carethread.fhir.token import Token
from carethread.ids import ParticipantId
from carethread.policy.actor import ActorKind, Caller, SystemClient

FindPerson = Callable[[str, str], ParticipantId | None]
FindClient = Callable[[Token], SystemClient | None]


def caller_of(
    token: Token,
    *,
    find_person: FindPerson,
    find_client: FindClient,
    purpose: str = "",
    request_id: str = "",
) -> Caller:
    """Return who asks.

    Args:
        token: checked.
        find_person: the participant with this type and FHIR id, if the directory has one.
        find_client: the system client that a token without a person belongs to, if it is registered and active.
        purpose: what the request's `Carethread-Purpose` says; whoever says one asks as an auditor.
        request_id: what ties lines of the log together.

    Raises:
        InvalidTokenError: nobody here is meant.
        NotAllowedError: a system states a purpose, as an auditor would.
    """
    if token.person is not None:
        person = find_person(*token.person)
        if person is None:
            raise InvalidTokenError("the token names nobody of this directory")
        kind = ActorKind.AUDITOR if purpose else None
        return Caller(person, kind, purpose, client=token.client, request_id=request_id)
    system = find_client(token)
    if system is None:
        raise InvalidTokenError("the token's client is not registered here")
    if purpose:
        raise NotAllowedError("only a person looks as an auditor, and the token names none")
    return Caller(None, system=system, client=token.client, request_id=request_id)
