"""What pages say, in each language; times in each zone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.web.words import LANGUAGES, Words, language_of, translations
from tools import words as catalogues

SUMMER = Instant(1_782_907_200_000)  # 2026-07-01T12:00:00Z
WINTER = Instant(1_767_268_800_000)  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize("path", list(catalogues.languages()), ids=lambda path: path.parts[-3])
def test_every_sentence_is_translated_and_none_is_left_over(path: Path) -> None:
    """Bring it up to date with `make words`, and translate what that lists."""
    assert catalogues.untranslated(catalogues.read(path)) == []
    assert path.read_bytes() == catalogues.updated(path, catalogues.found())


@pytest.mark.parametrize("path", list(catalogues.languages()), ids=lambda path: path.parts[-3])
def test_a_translation_says_what_the_sentence_says(path: Path) -> None:
    for message in catalogues.read(path):
        faults = [str(each) for each in message.check(catalogues.read(path))]
        assert faults == [], message.id


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    assert {"en", *(path.parts[-3] for path in catalogues.languages())} == set(LANGUAGES)
    assert translations("en").gettext("Inbox") == "Inbox"
    assert translations("nl").gettext("Inbox") == "Postvak"


def test_times_are_in_the_readers_zone_with_the_exact_utc_beside() -> None:
    amsterdam, london = Words("nl", "Europe/Amsterdam"), Words("en", "Europe/London")
    said = '<time datetime="2026-07-01T12:00:00.000Z" title="2026-07-01 12:00:00.000 UTC">1 jul 2026, 14:00</time>'
    assert amsterdam.moment(SUMMER) == said
    assert "1 Jan 2026, 12:00:00" in london.moment(WINTER, seconds=True)
    assert ">13:00<" in amsterdam.time_of_day(WINTER)
    assert ">14:00<" in amsterdam.short(SUMMER, SUMMER)
    assert ">1 Jul<" in london.short(SUMMER, Instant(SUMMER + 86_400_000))
    assert ">1 Jan 2026<" in london.short(WINTER, Instant(WINTER + 400 * 86_400_000))
    assert london.exact(SUMMER) == "2026-07-01T12:00:00.000Z"


def test_dates_of_birth_as_far_as_they_are_known() -> None:
    assert Words("en", "UTC").birth_date("1961-04-09") == "9 April 1961"
    assert Words("nl", "UTC").birth_date("1961-04-09") == "9 april 1961"
    assert Words("en", "UTC").birth_date("1961") == "1961"


def test_identifiers_by_the_names_that_people_have_for_them() -> None:
    assert Words("nl", "UTC").identifier_name("http://fhir.nl/fhir/NamingSystem/bsn") == "BSN"
    assert Words("en", "UTC").identifier_name("urn:anything") == "Identifier"


@given(st.text())
def test_whatever_a_browser_says_some_language_is_chosen(accepted: str) -> None:
    assert language_of(accepted, ("en", "nl")) in ("en", "nl")
