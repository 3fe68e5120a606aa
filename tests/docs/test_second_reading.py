"""The escaping rule once more, written from the page alone and without regular expressions: both must agree.

What a second implementer would make of `docs/format.md`. If this differs from the program, the page is not exact.
"""

import string

from hypothesis import given
from hypothesis import strategies as st

from carethread.record import escape
from tests.record.strategies import FRAGMENTS, bodies, names

LETTERS, DIGITS = frozenset(string.ascii_letters), frozenset(string.digits)
PUNCTUATION = frozenset(string.punctuation)
BLANK = frozenset(" \t")
MAILBOX = LETTERS | DIGITS | frozenset(".!#$%&'*+/=?^_`{}~-|")


def _length(line: str, start: int, members: frozenset[str]) -> int:
    """Return how many characters from `start` on are members."""
    end = start
    while end < len(line) and line[end] in members:
        end += 1
    return end - start


def _before(line: str, at: int) -> str:
    return line[at - 1] if at else ""


def _block_start(line: str) -> int | None:
    """E1 to E6: the place of a backslash, if one goes there. `line` has no indentation."""

    def ends(at: int) -> bool:
        return at == len(line) or line[at] in BLANK

    hashes = _length(line, 0, frozenset("#"))
    digits = _length(line, 0, DIGITS)
    if 1 <= hashes <= 6 and ends(hashes):
        return 0
    if line[:1] in ("-", "+") and ends(1):
        return 0
    if line[:1] == ">":
        return 0
    if 1 <= digits <= 9 and line[digits : digits + 1] in (".", ")") and ends(digits + 1):
        return digits
    if line[:1] in ("-", "=") and _length(line, 0, BLANK | frozenset("-=_")) == len(line):
        return 0
    if line[:1] in ("|", ":", "-") and _length(line, 0, BLANK | frozenset("|:-")) == len(line):
        return 0
    return None


def _is_entity(line: str, start: int) -> bool:
    if line[start : start + 1] == "#":
        if line[start + 1 : start + 2] in ("x", "X"):
            first, members = start + 2, frozenset(string.hexdigits)
        else:
            first, members = start + 1, DIGITS
    elif line[start : start + 1] in LETTERS and line[start : start + 1]:
        first, members = start, LETTERS | DIGITS
    else:
        return False
    length = _length(line, first, members)
    return length > 0 and line[first + length : first + length + 1] == ";"


def _is_mail(line: str, start: int) -> bool:
    length = _length(line, start, MAILBOX)
    at = start + length
    return length > 0 and line[at : at + 1] == "@" and line[at + 1 : at + 2] in LETTERS | DIGITS


def _is_marked(line: str, at: int, *, label: bool) -> bool:
    """E7 to E16, E17, E21."""
    character, before, after = line[at], _before(line, at), line[at + 1 : at + 2]
    spaced = before in BLANK and (after in BLANK or (not after and not label))
    match character:
        case "`":
            return True
        case "*":
            return not spaced
        case "_":
            return not (spaced or (before in LETTERS | DIGITS and after in LETTERS | DIGITS))
        case "~":
            return after == "~" or (before != "" and before not in BLANK)
        case "<":
            return after in LETTERS | frozenset("/!?") or _is_mail(line, at + 1)
        case "&":
            return _is_entity(line, at + 1)
        case "[":
            return label
        case "]":
            return label or after in ("(", ":")
        case "\\":
            return not after or after in PUNCTUATION
    return False


def _escaped(line: str, *, block: bool, label: bool = False) -> str:
    marked = {at for at in range(len(line)) if _is_marked(line, at, label=label)}
    start = _block_start(line) if block else None
    if start is not None:
        marked.add(start)
    return "".join(f"\\{each}" if at in marked else each for at, each in enumerate(line))


def escaped_body(body: str) -> str:
    """Escape a body as the page says."""
    written = []
    code_may_begin = True
    for line in body.split("\n"):
        rest = line.lstrip(" \t")
        indentation = line[: len(line) - len(rest)]
        columns = 0
        for each in indentation:
            columns = columns + 4 - columns % 4 if each == "\t" else columns + 1
        is_code = code_may_begin and columns >= 4
        code_may_begin = not line or is_code
        written.append(line if is_code else indentation + _escaped(rest, block=True))
    return "\n".join(written)


@given(bodies)
def test_bodies_are_escaped_as_the_page_says(body: str) -> None:
    assert escape.escape_body(body) == escaped_body(body)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_any_text_is_escaped_as_the_page_says(typed: str) -> None:
    # Lines of nothing but blanks do not come here: a body has none.
    if all(line.strip(" \t") or not line for line in typed.split("\n")):
        assert escape.escape_body(typed) == escaped_body(typed)


@given(names)
def test_names_are_escaped_as_the_page_says(name: str) -> None:
    assert escape.escape_inline(name) == _escaped(name, block=False)
    assert escape.escape_label(name) == _escaped(name, block=False, label=True)
