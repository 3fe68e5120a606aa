"""What pages say, in the reader's language, and times in the reader's zone.

Sentences stand in templates and modules in English; `locale/` has them in other languages, as gettext keeps them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from markupsafe import Markup, escape

from carethread.clock import Instant, format_instant

LANGUAGES = {"en": "English", "nl": "Nederlands"}
# British dates: the pages are written in British English.
_LOCALES = {"en": Locale("en", "GB"), "nl": Locale("nl", "NL")}
# What everybody calls them. Any other is an identifier.
_IDENTIFIERS = {
    "https://fhir.nhs.uk/Id/nhs-number": "NHS number",
    "http://fhir.nl/fhir/NamingSystem/bsn": "BSN",
}
_LOCALE_DIR = Path(__file__).parent / "locale"
_DOMAIN = "carethread"


@cache
def translations(language: str) -> NullTranslations:
    """Return the sentences of a language. English ones are those of the templates."""
    path = _LOCALE_DIR / language / "LC_MESSAGES" / f"{_DOMAIN}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=language, domain=_DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled, _DOMAIN)


def language_of(accepted: str, offered: Sequence[str]) -> str:
    """Return which language an `Accept-Language` header asks for first, or the first that is offered."""
    ranked = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        ranked.append((-weight, position, tag.strip().lower().partition("-")[0]))
    return next((tag for _, _, tag in sorted(ranked) if tag in offered), offered[0])


class Words:
    """The language and time zone of whoever reads a page."""

    def __init__(self, language: str, zone: str) -> None:
        """Take a language of `LANGUAGES` and the name of a zone."""
        self.language = language
        self.zone = ZoneInfo(zone)
        self._locale = _LOCALES[language]
        found = translations(language)
        self.gettext = found.gettext
        self.ngettext = found.ngettext

    def _local(self, instant: Instant) -> datetime:
        return datetime.fromtimestamp(instant / 1000, UTC).astimezone(self.zone)

    def moment(self, instant: Instant, *, seconds: bool = False) -> Markup:
        """Return a date and a time of day, with the exact UTC for whoever points at it, and for machines."""
        pattern = "d MMM y, HH:mm:ss" if seconds else "d MMM y, HH:mm"
        return self._time(instant, format_datetime(self._local(instant), pattern, locale=self._locale))

    def time_of_day(self, instant: Instant) -> Markup:
        """Return the time of day alone, with the exact UTC likewise."""
        return self._time(instant, format_time(self._local(instant), "HH:mm", locale=self._locale))

    def short(self, instant: Instant, now: Instant) -> Markup:
        """Return the time of day for today, else the date."""
        local, today = self._local(instant), self._local(now)
        if local.date() == today.date():
            return self.time_of_day(instant)
        pattern = "d MMM" if local.year == today.year else "d MMM y"
        return self._time(instant, format_date(local.date(), pattern, locale=self._locale))

    def exact(self, instant: Instant) -> str:
        """Return an instant in UTC to the millisecond, as the record has it."""
        return format_instant(instant)

    def birth_date(self, text: str) -> str:
        """Return a date such as `1961-04-09`, or as much of one as is known, as people write it."""
        try:
            found = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return text
        return format_date(found, "d MMMM y", locale=self._locale)

    def identifier_name(self, system: str) -> str:
        """Return what people call an identifier of this system."""
        return _IDENTIFIERS.get(system) or self.gettext("Identifier")

    def _time(self, instant: Instant, shown: str) -> Markup:
        text = format_instant(instant)
        # Digits and signs of ours. A long page has a thousand of these, and `Markup.format` takes its time.
        utc = text[:-1].replace("T", " ")
        return Markup(f'<time datetime="{text}" title="{utc} UTC">{escape(shown)}</time>')  # noqa: S704
