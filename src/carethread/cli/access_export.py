"""Lines of the access log as JSON lines or as a table for spreadsheets, one after the other as they are read.

A spreadsheet takes a cell that begins like a formula for one, and works it out. Such cells get an apostrophe in front,
as OWASP advises (CSV injection).
"""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import msgspec

from carethread.access_log import AccessEntry
from carethread.cli.people_documents import AccessLineDocument
from carethread.errors import InvalidValueError

FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = AccessLineDocument.__struct_fields__
_EVERY = 100


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"


def write_lines(
    entries: Iterable[AccessEntry], file: TextIO, wanted: Format, progress: Callable[[int], None] | None
) -> int:
    """Write lines as they come; return how many."""
    documents = (AccessLineDocument.of(each) for each in entries)
    number = 0
    table = csv.writer(file, lineterminator="\r\n" if wanted is Format.CSV else "\n")
    if wanted is Format.CSV:
        table.writerow(COLUMNS)
    for number, document in enumerate(documents, 1):
        if wanted is Format.CSV:
            table.writerow(_cells(document))
        else:
            file.write(msgspec.json.encode(document).decode() + "\n")
        if progress is not None and number % _EVERY == 0:
            progress(number)
    file.flush()
    return number


def _cells(document: AccessLineDocument) -> Iterator[str]:
    for name in COLUMNS:
        value = getattr(document, name)
        if name == "served":
            value = " ".join(f"{each.communication_id}@{each.version}:{each.entries}" for each in document.served)
        if name == "entries":
            value = " ".join(f"{each.entry_id}@{each.version}" for each in document.entries)
        text = "" if value is None else str(value)
        yield f"'{text}" if text.startswith(FORMULA) else text


@contextmanager
def written_to(path: Path | None) -> Iterator[TextIO]:
    """Yield a new file that only its owner can read, or standard output. A file that is not complete is removed.

    Raises:
        InvalidValueError: the file is there already, or cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidValueError("output", f"cannot write {path}: {error.strerror}; name a new file") from error
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - it is open already
            yield file
    except BaseException:
        path.unlink()
        raise
