"""Write the implementation guide's code system of errors from the program's own.

    PYTHONPATH=. python tools/fhir_errors.py

It becomes `ig/input/fsh/errors.fsh`; the tests compare.
"""

import json
from pathlib import Path

from carethread.errors import CarethreadError
from carethread.fhir.outcome import CODES, ROWS
from carethread.fhir.refusals import AccessError

ERRORS = Path(__file__).resolve().parents[1] / "ig" / "input" / "fsh" / "errors.fsh"
_HEAD = f"""\
// Written by tools/fhir_errors.py from the program's errors; the tests compare.

CodeSystem: ErrorCode
Id: error
Title: "Why something was refused"
Description: "In `OperationOutcome.issue.details`: what was wrong, in codes that stay."
* ^url = "{CODES}"
* ^experimental = false
* ^caseSensitive = true
"""


def fsh() -> str:
    """Return the code system: what an answer may carry, each with its meaning."""
    kinds = [*ROWS, *AccessError.__subclasses__()]
    said = {each.code: _meaning(each) for each in kinds}
    return _HEAD + "".join(f"* #{code} {json.dumps(meaning, ensure_ascii=False)}\n" for code, meaning in said.items())


def _meaning(kind: type[CarethreadError]) -> str:
    return (kind.__doc__ or "").partition("\n")[0].replace('"', "'").rstrip(".")


def main() -> None:
    """Write the code system into its place."""
    ERRORS.write_text(fsh(), encoding="utf-8")


if __name__ == "__main__":
    main()
