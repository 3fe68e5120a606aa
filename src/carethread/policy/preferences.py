"""What somebody likes to be shown: in which language, and times in which zone. Nothing here decides about access."""

import re

from msgspec import Struct

from carethread.errors import InvalidValueError, NotAllowedError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller

# Their form alone; what an installation speaks, and which zones its machine knows, is asked where pages are made.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z][A-Za-z0-9_+\-]*){0,3}", re.ASCII)
_LONGEST_ZONE = 64


class Preferences(Struct, frozen=True):
    """What a person chose; empty is what the installation has.

    `language` is a tag of BCP 47 such as `nl`, `zone` a name of the IANA's such as `Europe/Amsterdam`.
    """

    language: str = ""
    zone: str = ""


def choosing(caller: Caller) -> ParticipantId:
    """Return whose preferences a call is about: those of the person who asks.

    Raises:
        NotAllowedError: a system asks.
    """
    if caller.person is None or caller.system is not None:
        raise NotAllowedError("preferences are of persons who ask as themselves")
    return caller.person


def check_preferences(preferences: Preferences) -> Preferences:
    """Return preferences whose values have their form.

    Raises:
        InvalidValueError: one has not.
    """
    check_language(preferences.language)
    check_zone(preferences.zone)
    return preferences


def check_language(tag: str) -> str:
    """Return a language's tag, or nothing.

    Raises:
        InvalidValueError: it does not look like one.
    """
    if tag and _LANGUAGE.fullmatch(tag) is None:
        raise InvalidValueError("language", "is not a language tag such as nl or en-GB")
    return tag


def check_zone(name: str) -> str:
    """Return a time zone's name, or nothing.

    Raises:
        InvalidValueError: it does not look like one.
    """
    if name and (len(name) > _LONGEST_ZONE or _ZONE.fullmatch(name) is None):
        raise InvalidValueError("zone", "is not the name of a time zone such as Europe/Amsterdam")
    return name
