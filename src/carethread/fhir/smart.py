"""PURE: what `/.well-known/smart-configuration` says: where a client gets a token for this server.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from carethread.fhir.issuers import Issuer
from carethread.fhir.scopes import NEEDED, Context

_LETTERS = "cruds"
_OURS = ("permission-patient", "permission-user", "permission-v1", "permission-v2")


def smart_configuration(issuers: Iterable[Issuer], interactions: Mapping[str, Iterable[str]]) -> dict[str, Any] | None:
    """Return the document, or nothing where no issuer says where it gives tokens.

    Args:
        issuers: in the order of the file; the first that has a token endpoint is told of.
        interactions: for each type of resource, what can be done with it, as the CapabilityStatement calls it.
    """
    found = next((each for each in issuers if each.token_endpoint), None)
    if found is None:
        return None
    document: dict[str, Any] = {"token_endpoint": found.token_endpoint}
    grants = ["client_credentials"]
    if found.authorization_endpoint:
        document["authorization_endpoint"] = found.authorization_endpoint
        document["response_types_supported"] = ["code"]
        grants = ["authorization_code", *grants]
    return {
        **document,
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": _scopes(interactions),
        "capabilities": sorted({*_OURS, *found.capabilities}),
    }


def _scopes(interactions: Mapping[str, Iterable[str]]) -> list[str]:
    found = []
    for resource_type, done in sorted(interactions.items()):
        needed = {letter for each in done for letter in NEEDED[each]}
        letters = "".join(each for each in _LETTERS if each in needed)
        found += [f"{context}/{resource_type}.{letters}" for context in Context if letters]
    return found
