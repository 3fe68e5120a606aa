"""How far a token reaches: its scopes, and the one patient it may be bound to."""

from collections.abc import Iterable

from carethread.errors import UnknownMessageError, UnknownThreadError
from carethread.fhir.call import Call
from carethread.fhir.refusals import InsufficientScopeError
from carethread.fhir.scopes import Reach
from carethread.ids import ParticipantId
from carethread.reads import resolve


def bound_to(call: Call, interaction: str, type_name: str = "") -> str | None:
    """Return the FHIR id of the one patient that an interaction is confined to, if it is.

    Raises:
        InsufficientScopeError: the token does not cover it.
    """
    wanted = type_name or call.support.type
    if call.token.scopes.check(wanted, interaction) is Reach.ALL:
        return None
    if call.token.patient is None:
        raise InsufficientScopeError(f"user/{wanted}")
    return call.token.patient


def patient_of_token(call: Call, fhir_id: str) -> ParticipantId:
    """Return the patient whom a token is bound to.

    Raises:
        InsufficientScopeError: the directory does not have them.
    """
    found = resolve(call.service, [("Patient", fhir_id)]).get(("Patient", fhir_id))
    if found is None:
        raise InsufficientScopeError(f"user/{call.support.type}")
    return ParticipantId(found)


def check_within(call: Call, bound: str | None, patient: ParticipantId, resource_id: str) -> None:
    """What is about another patient is not there for a token that is bound to one.

    Raises:
        UnknownThreadError, UnknownMessageError: it is about another.
    """
    if bound is None or patient_of_token(call, bound) == patient:
        return
    if call.support.type == "Communication":
        raise UnknownMessageError(f"there is no message {resource_id}")
    raise UnknownThreadError(f"there is no thread {resource_id}")


def check_besides(call: Call, types: Iterable[str], interaction: str, bound: str | None) -> None:
    """Whatever comes along, or is looked through, needs a scope on its own type, as far-reaching as the search.

    Raises:
        InsufficientScopeError: there is none.
    """
    for each in types:
        reach = call.token.scopes.check(each, interaction)
        if reach is Reach.PATIENT and (bound is None or each not in _ABOUT_PATIENT):
            raise InsufficientScopeError(f"user/{each}")


# What comes with a patient's threads and messages is about that patient.
_ABOUT_PATIENT = frozenset({"Communication", "CommunicationRequest", "Patient"})
