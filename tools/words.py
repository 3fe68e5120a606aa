"""Bring the catalogues of sentences up to what templates and modules say.

    python tools/words.py          writes src/carethread/web/locale/*/LC_MESSAGES/carethread.po
    python tools/words.py --check  says what is missing, and fails if anything is

A sentence that is gone goes from the catalogues too. What it does not find is none: dates and numbers are Babel's.
"""

import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parents[1] / "src" / "carethread" / "web"
METHODS = [("**.py", "python"), ("**.html.jinja", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
OPTIONS = {"**.html.jinja": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}


def found() -> Catalog:
    """Return every sentence that pages say, and where."""
    catalog = Catalog(domain="carethread", charset="utf-8")
    for name, _, message, comments, context in extract_from_dir(WEB, METHODS, OPTIONS, KEYWORDS):
        catalog.add(message, None, [(name, 1)], auto_comments=comments, context=context)
    return catalog


def languages() -> Iterator[Path]:
    """Yield the catalogue of each language that there is."""
    yield from sorted((WEB / "locale").glob("*/LC_MESSAGES/carethread.po"))


def read(path: Path) -> Catalog:
    """Return a catalogue as it lies there."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], domain="carethread")


def updated(path: Path, template: Catalog) -> bytes:
    """Return a catalogue with the sentences of a template, and the translations that it has."""
    known = read(path)
    made = Catalog(locale=path.parts[-3], domain="carethread", charset="utf-8", fuzzy=False, header_comment="")
    for message in template:
        if not message.id:
            continue
        there = known.get(message.id, message.context)
        places = sorted({(name, 1) for name, _ in message.locations})
        made.add(message.id, None if there is None else there.string, places)
    buffer = BytesIO()
    write_po(buffer, made, sort_output=True, omit_header=True, width=120, include_lineno=False)
    head = f'msgid ""\nmsgstr ""\n"Language: {path.parts[-3]}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f'{head}"Plural-Forms: {made.plural_forms}\\n"\n\n'.encode() + buffer.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """Return the sentences without a translation, or with one that is only a guess."""
    return [str(each.id) for each in catalog if each.id and (not _is_whole(each.string) or each.fuzzy)]


def _is_whole(translation: str | Sequence[str] | None) -> bool:
    return bool(translation) if isinstance(translation, str) else bool(translation and all(translation))


def main(arguments: list[str]) -> int:
    """Write the catalogues, or with `--check` only look at them."""
    template = found()
    missing = 0
    for path in languages():
        made = updated(path, template)
        if "--check" in arguments:
            if path.read_bytes() != made:
                print(f"{path}: not as templates and modules say; run python tools/words.py")
                missing += 1
        else:
            path.write_bytes(made)
        for each in untranslated(read(path)):
            print(f"{path.parts[-3]}: {each}")
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
