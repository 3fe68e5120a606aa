"""OAuth bearer tokens: JSON Web Tokens of the issuers that this installation trusts.

A token is checked once and remembered by its hash until it ends, its issuer's keys change or it is pushed out by
others. Whether it was revoked is asked each time.
"""

from carethread.fhir.token import Token


class Tokens:
    """Checks tokens. Thread-safe."""

    def check(self, authorization: str | None) -> Token:
        """Return what the token of an `Authorization` header says. May wait for an issuer's keys.

        Raises:
            MissingTokenError: there is none.
            InvalidTokenError: it is not good.
            IssuerUnavailableError: its issuer's keys cannot be had now.
        """
        raise NotImplementedError

    def known(self, authorization: str | None) -> Token | None:
        """Return the same if it needs no waiting, else nothing: for an event loop, before it asks a thread."""
        raise NotImplementedError
