"""Templates to text: Jinja, everything escaped, nothing undefined, one environment for each language."""

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from carethread.web.words import translations

_EXTENSION = ".html.jinja"


@cache
def environment(language: str) -> Environment:
    """Return where templates of a language are made."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader("carethread.web", "templates"), PackageLoader("nhsuk_frontend_jinja", "templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made


def renderer(language: str, **every_page: Any) -> Callable[..., str]:
    """Return what makes a page out of a template and what it shows."""
    found = environment(language)

    def render(template: str, **shown: Any) -> str:
        return found.get_template(template + _EXTENSION).render(**every_page, **shown)

    return render
