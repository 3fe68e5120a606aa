"""What somebody likes to be shown."""

import pytest

from carethread import errors
from carethread.policy.actor import Caller, SystemClient
from carethread.policy.preferences import Preferences, check_preferences, choosing
from tests.people import person


@pytest.mark.parametrize("language", ["", "nl", "en-GB", "zh-Hant-TW", "sr-Latn"])
@pytest.mark.parametrize("zone", ["", "UTC", "Europe/Amsterdam", "America/Port-au-Prince", "Etc/GMT+5"])
def test_what_can_be_chosen(language: str, zone: str) -> None:
    assert check_preferences(Preferences(language, zone)) == Preferences(language, zone)


@pytest.mark.parametrize("language", ["n", "nl_NL", "nl-", "../en", "nl-x" + "-abcd" * 9, "nl\n"])
def test_what_is_no_language(language: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="language"):
        check_preferences(Preferences(language))


@pytest.mark.parametrize("zone", ["../etc/passwd", "/UTC", "Europe//Amsterdam", "Europe/", "a" * 65, "UTC\n", "1"])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="zone"):
        check_preferences(Preferences("", zone))


def test_whose_they_are() -> None:
    assert choosing(Caller(person(1))) == person(1)
    system = SystemClient(person(9), "EHR", frozenset())
    for caller in (Caller(None), Caller(None, system=system), Caller(person(1), system=system)):
        with pytest.raises(errors.NotAllowedError):
            choosing(caller)
