"""Whose tokens are trusted: the issuers of a TOML file, each with its audience, algorithms and keys."""

import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert

from carethread.errors import ConfigurationError
from carethread.trust.fetching import is_safe
from carethread.trust.key_sources import FileKeys, KeySource, PublishedKeys
from carethread.trust.keys import ALGORITHMS, KeySetError, read_key_set

DAY_S = 24 * 60 * 60
# No token of anybody lasts longer, so that revoked ones need not be known for ever.
LONGEST_S = 90 * DAY_S
_UNITS = {"s": 1, "m": 60, "h": 60 * 60, "d": DAY_S}
_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])", re.ASCII)


class Issuer(Struct, frozen=True):
    """Somebody whose tokens are trusted.

    Attributes:
        name: what stands in `iss`.
        audiences: this server, as the issuer calls it: one of them must stand in `aud`.
        algorithms: with which it signs; others are refused.
        keys: with what its signatures are checked.
        longest: how far ahead a token may end, in seconds.
        fhir_base: under which its `fhirUser` names people, where it writes whole URLs.
        authorization_endpoint: where people sign in; for the SMART configuration.
        token_endpoint: where tokens are given; likewise.
        capabilities: of it, as SMART names them; likewise.
    """

    name: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    keys: KeySource
    longest: int = DAY_S
    fhir_base: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    capabilities: tuple[str, ...] = ()


class _Table(Struct, forbid_unknown_fields=True):
    """One `[[issuer]]` of the file."""

    issuer: str
    audience: str | list[str]
    algorithms: list[str]
    keys_file: str = ""
    keys_url: str = ""
    longest: str = "24h"
    fhir_base: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    capabilities: list[str] = []


class _File(Struct, forbid_unknown_fields=True):
    issuer: list[_Table]


def load_issuers(path: Path) -> tuple[Issuer, ...]:
    """Read the file of issuers.

    Raises:
        ConfigurationError: it cannot be read, or something in it is wrong; the message says what.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        found = convert(table, _File)
    except OSError as error:
        raise ConfigurationError(f"cannot read the issuers in {path}: {error.strerror}") from error
    except (UnicodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"the issuers in {path} are not in order: {error}") from error
    names = [each.issuer for each in found.issuer]
    for each in found.issuer:
        if names.count(each.issuer) > 1:
            raise ConfigurationError(f"{path}: issuer {each.issuer!r} stands there twice")
    return tuple(_issuer(each, path) for each in found.issuer)


def read_duration(text: str) -> int | None:
    """Return the seconds of `90s`, `30m`, `1h` or `7d`; nothing if it is not written so."""
    found = _DURATION.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def _issuer(table: _Table, path: Path) -> Issuer:
    place = f"{path}: issuer {table.issuer!r}"
    audiences = frozenset([table.audience] if isinstance(table.audience, str) else table.audience)
    algorithms = frozenset(table.algorithms)
    longest = read_duration(table.longest)
    if not table.issuer or not audiences or "" in audiences:
        raise ConfigurationError(f"{place}: issuer and audience must say something")
    if not algorithms or not algorithms <= ALGORITHMS.keys():
        raise ConfigurationError(f"{place}: algorithms must be some of {', '.join(ALGORITHMS)}")
    if longest is None or longest > LONGEST_S:
        raise ConfigurationError(f"{place}: longest must be a time such as 90s, 30m, 24h or 7d, and 90d at most")
    for name in ("fhir_base", "authorization_endpoint", "token_endpoint"):
        url = getattr(table, name)
        if url and not is_safe(url):
            raise ConfigurationError(f"{place}: {name} must be an https URL")
    return Issuer(
        name=table.issuer,
        audiences=audiences,
        algorithms=algorithms,
        keys=_keys(table, path, place),
        longest=longest,
        fhir_base=table.fhir_base.rstrip("/"),
        authorization_endpoint=table.authorization_endpoint,
        token_endpoint=table.token_endpoint,
        capabilities=tuple(table.capabilities),
    )


def _keys(table: _Table, path: Path, place: str) -> KeySource:
    if bool(table.keys_file) == bool(table.keys_url):
        raise ConfigurationError(f"{place}: say where its keys are, with keys_file or with keys_url")
    if table.keys_url:
        if not is_safe(table.keys_url):
            raise ConfigurationError(f"{place}: keys_url must be an https URL")
        return PublishedKeys(table.keys_url)
    file = path.parent / Path(table.keys_file).expanduser()
    try:
        if not read_key_set(file.read_bytes()):
            raise ConfigurationError(f"{place}: no key in {file} can be used: each needs a kid, and to be public")
    except OSError as error:
        raise ConfigurationError(f"{place}: cannot read the keys in {file}: {error.strerror}") from error
    except KeySetError as error:
        raise ConfigurationError(f"{place}: {file} {error}") from error
    return FileKeys(file)
