r"""What Markdown would act on gets a backslash, and nothing else does.

A body, and a name, must show in every CommonMark renderer as exactly what was typed. The rule, normative:

| where | a backslash goes before |
|---|---|
| start of a line, after its indentation | 1–6 `#`, one `-`, one `+`, when a space, a tab or the line's end follows |
| | `>` |
| | the `.` or `)` after 1–9 digits, when a space, a tab or the line's end follows |
| | the first character of a line made of `-` `=` `_` and spaces only |
| | the first character of a line made of `|` `:` `-` and spaces only |
| anywhere | every backtick |
| | `*`, unless spaced |
| | `_`, unless spaced, or between two ASCII letters or digits |
| | `~`, beside another `~`, or directly after anything but a space or tab |
| | `<`, before an ASCII letter, `/`, `!`, `?`, or what begins an e-mail autolink |
| | `&`, when what follows reads as an entity: `#` and digits, `#x` and hex digits, or a name; then `;` |
| | `]`, before `(` or `:` |
| | `\`, before ASCII punctuation or at the end of the line |

*Spaced*: directly after a space or tab that is not the line's indentation, and directly before a space, a tab or the
end of the line. All lists are of ASCII characters, so that the form does not depend on a version of Unicode.

Lines indented by four columns or more (tab stops of four) at the start of the body or after a blank line, and further
such lines directly after one of them, are Markdown's indented code and stay as they are.

The second half applies to names. In a file name, which stands in a link's label, every `[` and `]` gets a backslash
too, and the end of the name does not count as the end of a line in *spaced*.

Texts given to the escaping functions have passed `carethread.record.text`. Each function that unescapes takes
exactly what its counterpart writes.
"""

import re

from carethread.errors import InvalidValueError

_PUNCTUATION = r"!-/:-@\[-`{-~"


def _inline(*, end: str, more: str = "") -> str:
    # Each alternative begins with a literal: `re` then skips quickly over everything else.
    return (
        r"`"
        rf"|\*(?!(?<=[ \t]\*)(?:[ \t]{end}))"
        rf"|_(?!(?<=[ \t]_)(?:[ \t]{end})|(?<=[A-Za-z0-9]_)[A-Za-z0-9])"
        r"|~(?:(?=~)|(?<=[^ \t]~))"
        r"|<(?=[A-Za-z/!?]|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9])"
        r"|&(?=(?:#[0-9]+|#[Xx][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)"
        rf"|\\(?=[{_PUNCTUATION}]|\Z)" + (more or r"|\](?=[(:])")
    )


_INLINE = re.compile(_inline(end=r"|\Z"))
_LABEL = re.compile(_inline(end="", more=r"|\[|\]"))
_ESCAPED = re.compile(rf"\\([{_PUNCTUATION}])")
_BLOCK_START = re.compile(
    r"#{1,6}(?=[ \t]|\Z)"
    r"|[-+](?=[ \t]|\Z)"
    r"|>"
    r"|[-=][-=_ \t]*\Z"
    r"|[|:-][|: \t-]*\Z"
)
_NUMBER = re.compile(r"[0-9]{1,9}(?=[.)](?:[ \t]|\Z))")
_INDENTATION = re.compile(r"[ \t]*")

# The fast path: a text without any of these is its own escaped form, and its own unescaped form.
_SPECIAL = re.compile(r"[`*_~<&\\\]]").search
_LABEL_SPECIAL = re.compile(r"[`*_~<&\\\[\]]").search
_FIRST = frozenset(" \t#>+=|:-0123456789")
_SPECIAL_LINE = re.compile(r"\n[ \t#>+=|:0-9-]").search


class InvalidBodyError(InvalidValueError):
    """A body's escapes are not canonical; `line` counts within the body, from 1."""

    def __init__(self, line: int) -> None:
        """Name the line."""
        super().__init__("body", "is not escaped in the canonical way")
        self.line = line


def escape_body(text: str) -> str:
    """Write a checked body so that Markdown shows it as typed."""
    if _is_plain(text):
        return text
    return "\n".join([line if verbatim else _escape_line(line) for verbatim, line in _lines(text)])


def unescape_body(text: str) -> str:
    """Read what `escape_body` wrote.

    Raises:
        InvalidValueError: it would have written something else; the fault names the line, counted from 1.
    """
    if _is_plain(text):
        return text
    unescaped = "\n".join([line if verbatim else _ESCAPED.sub(r"\1", line) for verbatim, line in _lines(text)])
    again = escape_body(unescaped)
    if again != text:
        pairs = zip(again.split("\n"), text.split("\n"), strict=True)
        line = next(number for number, (ours, theirs) in enumerate(pairs, 1) if ours != theirs)
        raise InvalidBodyError(line)
    return unescaped


def escape_inline(text: str) -> str:
    """Write a checked name so that Markdown shows it as it is."""
    return text if _SPECIAL(text) is None else _INLINE.sub(r"\\\g<0>", text)


def unescape_inline(text: str, field: str) -> str:
    """Read what `escape_inline` wrote.

    Raises:
        InvalidValueError: it would have written something else.
    """
    if _SPECIAL(text) is None:
        return text
    unescaped = _ESCAPED.sub(r"\1", text)
    if escape_inline(unescaped) != text:
        raise InvalidValueError(field, "is not escaped in the canonical way")
    return unescaped


def escape_label(text: str) -> str:
    """Write a checked file name as the label of a link."""
    return text if _LABEL_SPECIAL(text) is None else _LABEL.sub(r"\\\g<0>", text)


def unescape_label(text: str, field: str) -> str:
    """Read what `escape_label` wrote.

    Raises:
        InvalidValueError: it would have written something else.
    """
    if _LABEL_SPECIAL(text) is None:
        return text
    unescaped = _ESCAPED.sub(r"\1", text)
    if escape_label(unescaped) != text:
        raise InvalidValueError(field, "is not escaped in the canonical way")
    return unescaped


def _is_plain(text: str) -> bool:
    return _SPECIAL(text) is None and text[:1] not in _FIRST and _SPECIAL_LINE(text) is None


def _lines(text: str) -> list[tuple[bool, str]]:
    """Pair each line with whether it is indented code. Escaping changes neither indentation nor blank lines."""
    lines: list[tuple[bool, str]] = []
    can_be_code = True
    for line in text.split("\n"):
        can_be_code = can_be_code and (not line or _is_indented(line))
        lines.append((can_be_code, line))
        can_be_code = can_be_code or not line
    return lines


def _is_indented(line: str) -> bool:
    """Tell whether a line is indented by four columns or more: four spaces, or a tab after at most three."""
    return line.startswith(("    ", "\t", " \t", "  \t", "   \t"))


def _escape_line(line: str) -> str:
    indentation = _INDENTATION.match(line).end()  # type: ignore[union-attr]  # matches nothing at worst
    rest = line[indentation:]
    escaped = _INLINE.sub(r"\\\g<0>", rest)
    if _BLOCK_START.match(rest) is not None:
        escaped = "\\" + escaped
    else:
        number = _NUMBER.match(rest)
        if number is not None:
            escaped = f"{number[0]}\\{escaped[number.end() :]}"
    return line[:indentation] + escaped
