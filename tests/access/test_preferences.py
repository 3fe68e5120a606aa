"""What persons like to be shown."""

import pytest

from carethread import errors
from carethread.reads import Preferences, preferences
from carethread.writes import keep_preferences
from tests.region import Region


def test_each_has_their_own(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    assert preferences(service, a1) == Preferences()
    keep_preferences(service, a1, Preferences("nl"))
    keep_preferences(service, a1, Preferences("en", "Europe/Amsterdam"))
    assert preferences(service, a1) == Preferences("en", "Europe/Amsterdam")
    keep_preferences(service, a1, Preferences())
    assert preferences(service, a1) == Preferences()
    keep_preferences(service, region.caller("P1"), Preferences("nl"))
    assert preferences(service, a1) == Preferences()


def test_what_is_not_kept(region: Region) -> None:
    service = region.service
    with pytest.raises(errors.InvalidValueError):
        keep_preferences(service, region.caller("A1"), Preferences("no language"))
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    with pytest.raises(errors.InactiveError):
        keep_preferences(service, region.caller("A1"), Preferences("nl"))
