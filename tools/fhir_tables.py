"""Write what docs/fhir.md says in tables from what the gateway is made of.

    python tools/fhir_tables.py

What stands between two comments `<!-- name -->` and `<!-- end of name -->` is written; everything else is prose. The
tests compare.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from carethread.fhir.interactions import Parameter, Support
from carethread.fhir.mapping import communication, request
from carethread.fhir.mapping.reading import ANY_RESOURCE, Reasons
from carethread.fhir.outcome import ROWS
from carethread.fhir.table import TABLE
from carethread.fhir.types.primitives import fhir_name

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fhir.md"
_CHOICE = "occurrence_"


def written(page: str) -> str:
    """Return the page with its tables as they should be."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        page, count = pattern.subn(lambda _: f"{begin}\n{chr(10).join(table()).strip()}\n\n{end}", page)  # noqa: B023 - used at once
        assert count == 1, f"the page has no place for {name}"
    return page


# ── What can be asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def _interactions() -> Iterator[str]:
    yield "| resource | what stands behind it | interactions | also |"
    yield "|---|---|---|---|"
    for each in TABLE:
        done = ", ".join(f"`{interaction}`" for interaction in each.interactions)
        yield f"| `{each.type}` | {each.meaning} | {done} | {', '.join(_besides(each))} |"


def _besides(support: Support) -> Iterator[str]:
    if support.conditional_create:
        yield "`If-None-Exist`"
    if support.update_creates:
        yield "`PUT` creates"
    if support.validates:
        yield "`$validate`"


def _parameters() -> Iterator[str]:
    for support in TABLE:
        if not support.parameters:
            continue
        yield f"| `{support.type}` is searched by | kind | what it finds | of which types | also |"
        yield "|---|---|---|---|---|"
        for each in support.parameters:
            name = f"**`{each.name}`**" if each.own else f"`{each.name}`"
            also = ", ".join(f"`{form}`" for form in _forms(each))
            yield f"| {name} | {each.kind} | {each.meaning} | {', '.join(each.targets)} | {also} |"
        for reverse in support.reverse:
            yield f"| `{reverse.name}` | | What a {reverse.type} with this `{reverse.parameter}` belongs to. | | |"
        yield ""


def _forms(parameter: Parameter) -> Iterator[str]:
    """Yield how a parameter may be written besides: modifiers, and chains where every type has the same."""
    yield from (f":{each}" for each in sorted(parameter.modifiers))
    for name, chains in groupby(sorted(parameter.chains, key=lambda each: each[1]), key=lambda each: each[1]):
        types = [each for each, _ in chains]
        yield f".{name}" if len(types) == 1 else f":Type.{name}"


def _along() -> Iterator[str]:
    yield "| resource | `_include` | `_revinclude` | `_sort` |"
    yield "|---|---|---|---|"
    for each in TABLE:
        if each.includes or each.revincludes or each.sorts:
            include = ", ".join(f"`{each.type}:{name}`" for name in each.includes)
            reverse = ", ".join(f"`{of}:{name}`" for of, name in each.revincludes)
            yield f"| `{each.type}` | {include} | {reverse} | {', '.join(f'`{name}`' for name in each.sorts)} |"


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────────────────


def _refused(type_name: str, *tables: Reasons) -> Iterator[str]:
    yield f"| {type_name} | why it is not kept | instead |"
    yield "|---|---|---|"
    for table in tables:
        for fields, reason in _alike(table):
            yield f"| {', '.join(f'`{each}`' for each in fields)} | {reason[0]} | {reason[1]} |"


def _alike(reasons: Reasons) -> Iterator[tuple[list[str], tuple[str, str]]]:
    for reason, fields in groupby(reasons, key=lambda each: reasons[each]):
        names = (_CHOICE[:-1] + "[x]" if each.startswith(_CHOICE) else fhir_name(each) for each in fields)
        yield list(dict.fromkeys(names)), reason


def _statuses(reasons: Reasons) -> Reasons:
    return {f"status {code}": reason for code, reason in reasons.items()}


# ── Errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _errors() -> Iterator[str]:
    yield "| status | `issue.code` | our codes |"
    yield "|---|---|---|"
    found = sorted({(row.status, row.code) for row in ROWS.values()})
    for status, code in found:
        ours = dict.fromkeys(each.code for each, row in ROWS.items() if (row.status, row.code) == (status, code))
        yield f"| {status} | `{code}` | {', '.join(f'`{each}`' for each in ours)} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "interactions": _interactions,
    "search parameters": _parameters,
    "what comes along": _along,
    "not kept of any": lambda: _refused("of any resource", ANY_RESOURCE),
    "not kept of a thread": lambda: _refused(
        "of a CommunicationRequest", request.REASONS, _statuses(request.STATUSES)
    ),
    "not kept of a message": lambda: _refused(
        "of a Communication", communication.REASONS, _statuses(communication.STATUSES)
    ),
    "errors": _errors,
}  # fmt: skip


def main() -> None:
    """Write the tables into their places."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
