"""From the settings to what signs people in."""

from carethread.app.secrets import read_content, read_secret
from carethread.clock import Clock
from carethread.errors import ConfigurationError
from carethread.settings import Settings, variable
from carethread.trust.fetching import is_safe
from carethread.trust.sealing import Seal
from carethread.web.authentication import OF_SECRETS, Authentication, Method
from carethread.web.claims import read_claim
from carethread.web.openid import Client, OpenId
from carethread.web.provider import Provider

_CLAIM = "{fhirUser}"
_SMART_SCOPE = "openid fhirUser"
_SCOPE = "openid"


def sign_in_of(
    settings: Settings, address: str, key: bytes, clock: Clock, *, bases: tuple[str, ...] = ()
) -> OpenId | None:  # fmt: skip
    """Return what signs people in; nothing where no provider is named. The provider is not asked yet.

    Args:
        settings: the installation's.
        address: of the web application, such as `https://care.example`.
        key: the installation's key for what it gives away sealed.
        clock: what time it is.
        bases: the URLs of this server's FHIR base, for a claim that is written out.

    Raises:
        ConfigurationError: a setting is not in order; the message names the remedy.
    """
    if settings.sign_in_issuer is None or settings.sign_in_client_id is None:
        return None
    issuer = settings.sign_in_issuer
    if not is_safe(issuer) or "?" in issuer:
        raise ConfigurationError(
            f"{variable('sign_in_issuer')} is no https URL: write it as the provider does, such as https://login.example"
        )
    claim = settings.sign_in_claim or _CLAIM
    client = Client(
        settings.sign_in_client_id,
        address.rstrip("/"),
        read_claim(claim),
        _scope(settings, claim),
        tuple(each.rstrip("/") for each in bases),
    )
    return OpenId(client, Provider(issuer), _authentication(settings), Seal(key), clock)


def _scope(settings: Settings, claim: str) -> str:
    scope = settings.sign_in_scope or (_SMART_SCOPE if claim == _CLAIM else _SCOPE)
    if _SCOPE not in scope.split(" "):
        raise ConfigurationError(f"{variable('sign_in_scope')} lacks {_SCOPE}: add it, or leave the setting out")
    return scope


def _authentication(settings: Settings) -> Authentication:
    named = settings.sign_in_client_authentication
    if named is not None and named not in {each.value for each in OF_SECRETS}:
        raise ConfigurationError(
            f"{variable('sign_in_client_authentication')}: say {' or '.join(OF_SECRETS)}, or leave it out"
        )
    secret, private = settings.sign_in_client_secret, settings.sign_in_client_key
    return Authentication(
        "" if secret is None else read_secret(secret),
        b"" if private is None else read_content(private),
        None if named is None else Method(named),
    )
