"""What an installation is told from outside: one frozen value, from the environment and an optional TOML file.

The environment wins over the file, and an option on the command line wins over both. Only the composition root and
the command line read settings; everything below takes arguments.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, get_args, get_type_hints
from zoneinfo import ZoneInfo

from carethread.errors import ConfigurationError

FILE_VARIABLE = "CARETHREAD_SETTINGS"
_PREFIX = "CARETHREAD_"


@dataclass(frozen=True)
class Documented:
    """What a setting means, and an example of it. Every setting has it."""

    meaning: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an installation can be told. Each field is a setting; what is left out is `None`."""

    data: Annotated[
        Path | None,
        Documented(
            "The data directory: the records, and the database unless `database_url` names another. It has no "
            "default, because records must never end up where nobody looks for them.",
            "/var/lib/carethread",
        ),
    ] = None
    database_url: Annotated[
        str | None,
        Documented(
            "A PostgreSQL database. Left out: SQLite in the data directory.",
            "postgresql://carethread@db.example/carethread",
        ),
    ] = None
    installation_name: Annotated[
        str | None,
        Documented(
            "What this installation is called in every record it writes. Said once, when the data directory is made. "
            "Left out: `Carethread`.",
            "Thames Valley Shared Care",
        ),
    ] = None
    installation_domain: Annotated[
        str | None,
        Documented(
            "The right side of people's addresses in commits. Said once likewise. Left out: `carethread.invalid`.",
            "care.example",
        ),
    ] = None
    signing_key: Annotated[
        Path | None,
        Documented(
            "A private key, PEM or OpenSSH, with which every commit is signed. Left out: commits are not signed.",
            "/etc/carethread/signing.key",
        ),
    ] = None
    signing_certificate: Annotated[
        Path | None,
        Documented(
            "The PEM certificate for `signing_key`: signatures are then CMS. Left out: the key signs as SSH does.",
            "/etc/carethread/signing.pem",
        ),
    ] = None
    trusted_certificates: Annotated[
        Path | None,
        Documented(
            "PEM certificates of the authorities whose CMS signatures `carethread verify` accepts.",
            "/etc/carethread/authorities.pem",
        ),
    ] = None
    allowed_signers: Annotated[
        Path | None,
        Documented(
            "The SSH keys whose signatures `carethread verify` accepts, in the form of `ssh-keygen`'s ALLOWED SIGNERS.",
            "/etc/carethread/allowed_signers",
        ),
    ] = None

    token_issuers: Annotated[
        Path | None,
        Documented(
            "A TOML file that says [whose bearer tokens](tokens.md#issuers) are trusted. Left out: only those that "
            "`carethread token` makes.",
            "/etc/carethread/issuers.toml",
        ),
    ] = None
    host: Annotated[
        str | None,
        Documented("The address on which `carethread serve` listens. Left out: `127.0.0.1`.", "127.0.0.1"),
    ] = None
    port: Annotated[
        int | None,
        Documented("The port on which it listens. Left out: 8080.", "8080"),
    ] = None
    base_url: Annotated[
        str | None,
        Documented(
            "The FHIR base as clients know it, for links and tokens. Needed unless it listens on this machine alone.",
            "https://care.example/fhir",
        ),
    ] = None
    largest_request: Annotated[
        int | None,
        Documented("How large a request may be, in MiB. Left out: 40.", "40"),
    ] = None
    request_threads: Annotated[
        int | None,
        Documented("How many requests a process works on at once. Left out: 16.", "16"),
    ] = None
    accept_drafts: Annotated[
        bool | None,
        Documented(
            "Whether a CommunicationRequest with status `draft` opens a thread, as `active` does: `yes` or `no`. Some "
            "clients begin threads so. Left out: it is refused.",
            "yes",
        ),
    ] = None
    notify_this_machine: Annotated[
        bool | None,
        Documented(
            "Whether the endpoint of a subscription may lie on this machine, also without https: `yes` or `no`. Left "
            "out: it may not.",
            "yes",
        ),
    ] = None
    notify_private_networks: Annotated[
        bool | None,
        Documented(
            "Whether the endpoint of a subscription may have an address of a private network: `yes` or `no`. Left out: "
            "it may not, so that no client can have this server call what only this server can reach.",
            "yes",
        ),
    ] = None

    not_for_emergencies: Annotated[
        str | None,
        Documented(
            "What stands on every page on which something is sent: whom to call instead, and when. Left out: nothing "
            "stands there, which no installation should choose.",
            "Not for emergencies: call 112. We read messages on working days, 8:00 to 17:00; otherwise 0800 555 111.",
        ),
    ] = None
    time_zone: Annotated[
        str | None,
        Documented(
            "The time zone in which pages show times to whoever has not chosen one. Left out: `Europe/London`.",
            "Europe/Amsterdam",
        ),
    ] = None
    session_idle: Annotated[
        int | None,
        Documented("After how many minutes without use a session of the web application ends. Left out: 30.", "30"),
    ] = None
    session_longest: Annotated[
        int | None,
        Documented("After how many hours it ends in any case. Left out: 12.", "12"),
    ] = None
    largest_upload: Annotated[
        int | None,
        Documented(
            "How large the files of a message may be together, in MiB, in the web application. Left out: 25.", "25"
        ),
    ] = None

    patients_open_threads: Annotated[
        bool | None,
        Documented(
            "Whether patients and related persons may open threads themselves: `yes` or `no`. Left out: they may.",
            "no",
        ),
    ] = None

    sign_in_issuer: Annotated[
        str | None,
        Documented(
            "The provider at which [people sign in](sign-in.md), by OpenID Connect, as it names itself. Left out: "
            "nobody signs in.",
            "https://login.example",
        ),
    ] = None
    sign_in_client_id: Annotated[
        str | None,
        Documented("What the provider calls this installation. Needed with `sign_in_issuer`.", "carethread"),
    ] = None
    sign_in_client_secret: Annotated[
        Path | None,
        Documented(
            "A file with the secret that the provider gave, in its first line. Left out, without `sign_in_client_key` "
            "too: it gave none.",
            "/etc/carethread/sign-in.secret",
        ),
    ] = None
    sign_in_client_authentication: Annotated[
        str | None,
        Documented(
            "How the secret is shown: `client_secret_basic` or `client_secret_post`. Left out: as the provider says it "
            "takes it.",
            "client_secret_post",
        ),
    ] = None
    sign_in_client_key: Annotated[
        Path | None,
        Documented(
            "A private key, PEM, instead of a secret (`private_key_jwt`): RSA, an elliptic curve, or Ed25519.",
            "/etc/carethread/sign-in.key",
        ),
    ] = None
    sign_in_claim: Annotated[
        str | None,
        Documented(
            "[Which claim](sign-in.md#claim) says who somebody is in the directory, in braces, with what stands around "
            "it. Left out: `{fhirUser}`.",
            "Practitioner/{employee_number}",
        ),
    ] = None
    sign_in_scope: Annotated[
        str | None,
        Documented(
            "What the provider is asked for, separated by spaces, `openid` among it. Left out: `openid`, and "
            "`fhirUser` where that is the claim.",
            "openid profile",
        ),
    ] = None

    smtp_url: Annotated[
        str | None,
        Documented(
            "The server that takes [e-mail](operations.md#e-mail), with the user's name, if it asks for one: "
            "`smtps://`, or `smtp://` with STARTTLS, which only a server on this machine may lack. Left out: no e-mail "
            "is sent.",
            "smtp://carethread@mail.example:587",
        ),
    ] = None
    smtp_password: Annotated[
        Path | None,
        Documented("A file with that user's password in its first line.", "/etc/carethread/smtp.password"),
    ] = None
    mail_from: Annotated[
        str | None,
        Documented("The address from which e-mail comes. Needed with `smtp_url`.", "no-reply@care.example"),
    ] = None

    @classmethod
    def load(cls, environ: Mapping[str, str], data: Path | None = None) -> Self:
        """Read the environment, and the TOML file that `CARETHREAD_SETTINGS` names.

        Args:
            environ: the environment.
            data: the data directory, where it was given otherwise.

        Raises:
            ConfigurationError: a value is wrong, or the file cannot be read; the message says what to do.
        """
        found = _from_file(environ.get(FILE_VARIABLE, ""))
        for name in _NAMES:
            text = environ.get(variable(name), "")
            if text:
                found[name] = _Given(text, variable(name), Path())
        values: dict[str, Any] = {name: _value(name, given) for name, given in found.items()}
        if data is not None:
            values["data"] = data
        settings = cls(**values)
        if settings.signing_certificate is not None and settings.signing_key is None:
            raise ConfigurationError(
                f"signing_certificate is set, but no key to go with it: set {variable('signing_key')} as well"
            )
        _check_sign_in(settings)
        _check_mail(settings)
        return settings

    def data_directory(self) -> Path:
        """Return the data directory.

        Raises:
            ConfigurationError: none was named.
        """
        if self.data is None:
            raise ConfigurationError(
                f"no data directory is named: give --data DIRECTORY, or set {variable('data')} to its path"
            )
        return self.data


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return _PREFIX + name.upper()


def documentation() -> dict[str, Documented]:
    """Return what every setting means, in their order."""
    return {name: next(each for each in get_args(kind) if isinstance(each, Documented)) for name, kind in _kinds()}


def _check_sign_in(settings: Settings) -> None:
    """Check that what is said of signing in belongs together."""
    said = [name for name in _NAMES if name.startswith("sign_in_") and getattr(settings, name) is not None]
    if not said:
        return
    for needed in ("sign_in_issuer", "sign_in_client_id"):
        if needed not in said:
            raise ConfigurationError(f"{said[0]} is set, but not {needed}: set {variable(needed)} as well")
    if {"sign_in_client_secret", "sign_in_client_key"} <= set(said):
        raise ConfigurationError("sign_in_client_secret and sign_in_client_key are both set: leave one of them out")
    if "sign_in_client_authentication" in said and "sign_in_client_secret" not in said:
        raise ConfigurationError(
            f"sign_in_client_authentication says how a secret is shown, and there is none: set "
            f"{variable('sign_in_client_secret')}, or leave it out"
        )


def _check_mail(settings: Settings) -> None:
    """Check that what is said of e-mail belongs together."""
    for name, needed in (("smtp_url", "mail_from"), ("mail_from", "smtp_url"), ("smtp_password", "smtp_url")):
        if getattr(settings, name) is not None and getattr(settings, needed) is None:
            raise ConfigurationError(f"{name} is set, but not {needed}: set {variable(needed)} as well")


@dataclass(frozen=True)
class _Given:
    """A value as it was found: where, and relative to which directory paths are meant."""

    text: str
    place: str
    directory: Path


def _kinds() -> list[tuple[str, Any]]:
    return list(get_type_hints(Settings, include_extras=True).items())


_NAMES = tuple(name for name, _ in _kinds())
_PATHS = frozenset(name for name, kind in _kinds() if get_args(get_args(kind)[0])[0] is Path)
_CHOICES = frozenset(name for name, kind in _kinds() if get_args(get_args(kind)[0])[0] is bool)
_NUMBERS = frozenset(name for name, kind in _kinds() if get_args(get_args(kind)[0])[0] is int)
# More than any of them could be meant to be.
_LARGEST_NUMBER = 100_000
_ANSWERS = {"yes": True, "no": False}
# The data directory may still be to be made.
_FILES = _PATHS - {"data"}


def _from_file(name: str) -> dict[str, _Given]:
    if not name:
        return {}
    path = Path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"cannot read the settings file {name}: {reason}; correct {FILE_VARIABLE}, or unset it"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the settings file {name} is not TOML: {error}") from error
    found = {}
    for key, value in table.items():
        if key not in _NAMES:
            raise ConfigurationError(f"{name}: {key!r} is no setting; there are {', '.join(_NAMES)}")
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f'{name}: {key} must be a text in quotes, such as {key} = "…"; or leave it out')
        found[key] = _Given(value, f"{name}: {key}", path.parent)
    return found


def _value(name: str, given: _Given) -> str | bool | int | Path:
    if name == "database_url":
        return _database_url(given)
    if name in _CHOICES:
        if given.text not in _ANSWERS:
            raise ConfigurationError(f"{given.place}: say yes or no, or leave it out")
        return _ANSWERS[given.text]
    if name in _NUMBERS:
        return _number(given)
    if name == "time_zone":
        return _time_zone(given)
    if name not in _PATHS:
        return given.text
    path = given.directory / Path(given.text).expanduser()
    if name in _FILES and not path.is_file():
        raise ConfigurationError(f"{given.place}: there is no file {path}; name one that exists, or leave it out")
    return path


def _number(given: _Given) -> int:
    if not given.text.isascii() or not given.text.isdigit() or not 0 < int(given.text) <= _LARGEST_NUMBER:
        raise ConfigurationError(f"{given.place}: say a whole number from 1 to {_LARGEST_NUMBER}, or leave it out")
    return int(given.text)


def _time_zone(given: _Given) -> str:
    try:
        ZoneInfo(given.text)
    except (ValueError, OSError, KeyError) as error:
        raise ConfigurationError(
            f"{given.place}: this machine knows no time zone {given.text!r}; name one such as Europe/Amsterdam"
        ) from error
    return given.text


def _database_url(given: _Given) -> str:
    # The text may hold a password, so it is not repeated.
    if not given.text.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError(
            f"{given.place} is not the URL of a PostgreSQL database, such as postgresql://user@host/name; "
            "leave it out for SQLite in the data directory"
        )
    return given.text
