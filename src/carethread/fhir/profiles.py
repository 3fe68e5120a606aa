"""PURE: the profiles of our implementation guide, and what they ask for beyond what every write does."""

from collections.abc import Iterator, Mapping

from carethread.fhir import types
from carethread.fhir.mapping.terms import STRUCTURES
from carethread.fhir.outcome import Issue
from carethread.fhir.types import AnyResource

COMMUNICATION = f"{STRUCTURES}/carethread-communication"
COMMUNICATION_REQUEST = f"{STRUCTURES}/carethread-communication-request"
ORGANIZATION_COMMUNICATION = f"{STRUCTURES}/carethread-organization-communication"
ORGANIZATION_COMMUNICATION_REQUEST = f"{STRUCTURES}/carethread-organization-communication-request"

# Of each type, first the one that everything served conforms to.
PROFILES: Mapping[str, tuple[str, ...]] = {
    "Communication": (COMMUNICATION, ORGANIZATION_COMMUNICATION),
    "CommunicationRequest": (COMMUNICATION_REQUEST, ORGANIZATION_COMMUNICATION_REQUEST),
}
# Where these let no patient write or be written to; the others ask for nothing that a write does not.
_WITHOUT_PATIENTS = frozenset({ORGANIZATION_COMMUNICATION, ORGANIZATION_COMMUNICATION_REQUEST})


def profile_faults(resource: AnyResource, profile: str) -> Iterator[Issue]:
    """Say where a resource, which is valid R4, does not conform to a profile of ours; nothing of any other."""
    if profile not in _WITHOUT_PATIENTS:
        return
    named: list[tuple[str, types.Reference | None]] = []
    if isinstance(resource, types.Communication):
        named.append(("Communication.sender", resource.sender))
        named += [(f"Communication.recipient[{number}]", each) for number, each in enumerate(resource.recipient)]
    elif isinstance(resource, types.CommunicationRequest):
        at = "CommunicationRequest"
        named += [(f"{at}.requester", resource.requester), (f"{at}.sender", resource.sender)]
        named += [(f"{at}.recipient[{number}]", each) for number, each in enumerate(resource.recipient)]
    for place, each in named:
        if each is not None and "Patient" in (each.type, (each.reference or "").rpartition("/")[0].rpartition("/")[2]):
            yield Issue(
                code="business-rule",
                text="this profile is for conversations without the patient",
                expression=(place,),
                instead="Conform to the general profile, which lets patients write and be written to.",
            )
