"""From a token to who asks."""

import pytest

from carethread.errors import NotAllowedError
from carethread.fhir.callers import caller_of
from carethread.fhir.refusals import InvalidTokenError
from carethread.fhir.token import Token
from carethread.ids import ParticipantId
from carethread.policy.actor import ActorKind, Caller, SystemClient
from tests.fhir.authorisation import Scene, claims, sign

ANNA = ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12")
HUB = SystemClient(ParticipantId("a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3"), "Hub", frozenset())
PEOPLE = {("Practitioner", "A1"): ANNA}


def of(token: Token, purpose: str = "") -> Caller:
    return caller_of(
        token,
        find_person=lambda kind, name: PEOPLE.get((kind, name)),
        find_client=lambda each: HUB if each.client == "hub" else None,
        purpose=purpose,
        request_id="r-1",
    )


def test_a_person_asks_as_themselves_or_as_an_auditor() -> None:
    token = Scene().check(sign())
    assert of(token) == Caller(ANNA, client="app", request_id="r-1")
    assert of(token, "complaint 12") == Caller(ANNA, ActorKind.AUDITOR, "complaint 12", client="app", request_id="r-1")


def test_a_token_without_a_person_is_its_clients() -> None:
    token = Scene().check(sign(claims(fhirUser=None, client_id="hub")))
    assert of(token) == Caller(None, system=HUB, client="hub", request_id="r-1")
    # What no person says makes nobody an auditor.
    with pytest.raises(NotAllowedError, match="only a person"):
        of(token, "complaint 12")


def test_a_persons_token_is_not_its_clients() -> None:
    assert of(Scene().check(sign(claims(client_id="hub")))).system is None


@pytest.mark.parametrize(
    "other, said",
    [
        ({"fhirUser": "Practitioner/B1"}, "names nobody of this directory"),
        ({"fhirUser": "Patient/A1"}, "names nobody of this directory"),
        ({"fhirUser": None}, "client is not registered here"),
        ({"fhirUser": None, "client_id": None}, "client is not registered here"),
    ],
)
def test_whoever_is_not_known_here_is_nobody(other: dict[str, str | None], said: str) -> None:
    with pytest.raises(InvalidTokenError, match=said):
        of(Scene().check(sign(claims(**other))))
