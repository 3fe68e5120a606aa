"""From the settings to the server that takes e-mail."""

from urllib.parse import SplitResult, unquote, urlsplit

from carethread.app.local import is_local
from carethread.app.secrets import read_secret
from carethread.errors import ConfigurationError, InvalidValueError
from carethread.policy.mailing import check_address
from carethread.settings import Settings, variable
from carethread.web import Encryption, MailServer

_PORTS = {"smtp": 587, "smtps": 465}


def mail_server_of(settings: Settings) -> MailServer | None:
    """Return where e-mail is handed over; nothing where that is not said. The server is not asked yet.

    Raises:
        ConfigurationError: a setting is not in order; the message names the remedy.
    """
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    try:
        check_address(settings.mail_from)
    except InvalidValueError as error:
        raise ConfigurationError(
            f"{variable('mail_from')} is no e-mail address: write it without a name, such as no-reply@care.example"
        ) from error
    parts, port = _parts(settings.smtp_url)
    host = parts.hostname or ""
    user = unquote(parts.username or "")
    if bool(user) is (settings.smtp_password is None):
        raise ConfigurationError(
            f"{variable('smtp_url')} and {variable('smtp_password')}: say both the user and the password, or neither"
        )
    encryption = Encryption.FROM_THE_START
    if parts.scheme == "smtp":
        encryption = Encryption.NONE if is_local(host) else Encryption.STARTTLS
    password = "" if settings.smtp_password is None else read_secret(settings.smtp_password)
    return MailServer(host, port, encryption, settings.mail_from, user, password)


def _parts(url: str) -> tuple[SplitResult, int]:
    # The text may hold a password, so it is not repeated.
    wrong = ConfigurationError(
        f"{variable('smtp_url')} is not the URL of a mail server, such as smtp://user@mail.example:587; a password "
        f"belongs in a file that {variable('smtp_password')} names"
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.password is not None:
        raise wrong
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    return parts, port or _PORTS[parts.scheme]
