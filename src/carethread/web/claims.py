"""From what a provider says of somebody to whom that may be in the directory."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from carethread.errors import ConfigurationError

_ONE_CLAIM = re.compile(r"([^{}]*)\{([^{}]+)\}([^{}]*)")
_MAX_MEANT = 180  # characters: one line of the access log
# Whoever may write anything there could be anybody, until the provider has looked.
_VERIFIED = {"email": "email_verified", "phone_number": "phone_number_verified"}


class ClaimOf(Struct, frozen=True):
    """Which claim says who somebody is, and what stands around it: `before` and `after`.

    Filled in, it is `Type/id` of a person, or an identifier, `system|value`.
    """

    name: str
    before: str = ""
    after: str = ""

    def meant(self, claims: Mapping[str, Any], bases: Iterable[str] = ()) -> str:
        """Return who is meant; empty where the claims do not say it, or not for sure.

        A whole URL below one of the bases of this server stands for what follows.
        """
        said = claims.get(self.name)
        if isinstance(said, int) and not isinstance(said, bool):
            said = str(said)
        if not isinstance(said, str) or not said:
            return ""
        if self.name in _VERIFIED and claims.get(_VERIFIED[self.name]) is not True:
            return ""
        if not self.before:
            said = next((said.removeprefix(f"{each}/") for each in bases if said.startswith(f"{each}/")), said)
        found = f"{self.before}{said}{self.after}"
        return found if len(found) <= _MAX_MEANT and found.isprintable() else ""


def read_claim(text: str) -> ClaimOf:
    """Return what the setting `sign_in_claim` says.

    Raises:
        ConfigurationError: it does not name one claim.
    """
    found = _ONE_CLAIM.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            "sign_in_claim must name one claim in braces, such as {fhirUser}, Practitioner/{sub} or "
            "https://hospital.example/staff|{employee_number}"
        )
    return ClaimOf(found[2], found[1], found[3])
