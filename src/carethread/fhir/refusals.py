"""Why a request is turned away before its content is looked at, and what the answer's headers say (RFC 6750).

The words are fixed: nothing of a token, a header or a key is ever repeated in them.
"""

from carethread.errors import CarethreadError

REALM = "carethread"
_RETRY_AFTER_S = 30


class AccessError(CarethreadError):
    """Base of "whoever asks this did not show that they may"."""

    code = "access"


class MissingTokenError(AccessError):
    """The request carries no bearer token."""

    code = "missing-token"


class InvalidTokenError(AccessError):
    """The token is malformed, expired, revoked, not meant for this server, or not signed by whom it names."""

    code = "invalid-token"


class InsufficientScopeError(AccessError):
    """The token is good, and does not cover what was asked; `needed` is a scope that would."""

    code = "insufficient-scope"

    def __init__(self, needed: str) -> None:
        """Name the scope, such as `user/Communication.c`."""
        super().__init__(f"the token's scopes do not cover this: {needed} would")
        self.needed = needed


class IssuerUnavailableError(AccessError):
    """The keys of the token's issuer cannot be fetched now, so nothing can be said of the token."""

    code = "issuer-unavailable"


def answer(error: AccessError) -> tuple[int, dict[str, str]]:
    """Return the status and the headers that go with a refusal."""
    if isinstance(error, IssuerUnavailableError):
        return 503, {"Retry-After": str(_RETRY_AFTER_S)}
    said = [f'realm="{REALM}"']
    if isinstance(error, InsufficientScopeError):
        said += ['error="insufficient_scope"', f'error_description="{error}"', f'scope="{error.needed}"']
        return 403, {"WWW-Authenticate": "Bearer " + ", ".join(said)}
    # RFC 6750, 3.1: who sent no token is not told of an error, only how to come back.
    if not isinstance(error, MissingTokenError):
        said += ['error="invalid_token"', f'error_description="{error}"']
    return 401, {"WWW-Authenticate": "Bearer " + ", ".join(said)}
