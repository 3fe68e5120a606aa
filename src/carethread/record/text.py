"""Which characters the record takes, in bodies and in names.

Every rule is a fixed list of code points, never a property looked up in the running Python's Unicode tables: what
is canonical today must be canonical under every later version of Unicode.

| characters | bodies | names |
|---|---|---|
| control characters (C0, DEL, C1) | refused but tab and line feed | refused |
| carriage return | only before a line feed, and dropped there | refused |
| U+2028, U+2029 | refused | refused |
| bidirectional embeddings, overrides, isolates | refused | refused |
| implicit marks: LRM, RLM, ALM | taken | taken |
| surrogates, noncharacters, private use | refused | refused |
| variation selectors | taken directly after a visible character | the same |
| joiners: ZWJ, ZWNJ, U+034F, U+180E | taken directly after a visible character or its selector | the same |
| tag characters | taken in U+1F3F4, one or more of U+E0020…E007E, U+E007F | the same |
| other characters that show nothing | refused | refused |
| `<` and `>` | taken | refused |
| everything else, assigned or not | taken | taken |

Variation selectors are U+180B…180D, U+180F, U+FE00…FE0F and U+E0100…E01EF. The other characters that show nothing are
U+00AD, U+115F, U+1160, U+17B4, U+17B5, U+200B, U+2060…2065, U+206A…206F, U+3164, U+FEFF, U+FFA0, U+FFF0…FFFB,
U+1BCA0…1BCA3, U+1D173…1D17A, U+E0000…E001F, U+E0080…E00FF and U+E01F0…E0FFF.

Private-use characters are refused because they have no meaning of their own: the same code point is a micro sign in
one font and a letter m in another.

A *visible* character is one that is neither a space (tab, line feed, U+0020, U+00A0, U+1680, U+2000…200A, U+202F,
U+205F, U+2800, U+3000) nor one of the marks, selectors, joiners and tags that the table takes.
"""

import re

from carethread.errors import InvalidTextError, InvalidValueError

MAX_BODY = 100_000
MAX_NAME = 200

# Ranges of a regular expression's character class. Whatever is above U+FFFF stands apart: below, `re` looks a character
# up in a table, above it goes through range after range.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SEPARATOR = "\u2028\u2029"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_SURROGATE = "\ud800-\udfff"
_NONCHARACTER = "\ufdd0-\ufdef\ufffe\uffff"
_PRIVATE = "\ue000-\uf8ff"
_INVISIBLE = "\u00ad\u115f\u1160\u17b4\u17b5\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
_SELECTOR = "\u180b-\u180d\u180f\ufe00-\ufe0f"
_JOINER = "\u034f\u180e\u200c\u200d"
_MARK = "\u061c\u200e\u200f"
_SPACE = "\t\n\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_HIGH_NONCHARACTER = "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
)
_HIGH_PRIVATE = "\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_HIGH_INVISIBLE = (
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
_HIGH_SELECTOR = "\U000e0100-\U000e01ef"
_TAG = "\U000e0020-\U000e007f"
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"

_LOW_SUSPECT = _CONTROL + _SEPARATOR + _BIDI + _SURROGATE + _NONCHARACTER + _PRIVATE + _INVISIBLE + _SELECTOR + _JOINER
_HIGH_SUSPECT = _HIGH_NONCHARACTER + _HIGH_PRIVATE + _HIGH_INVISIBLE + _HIGH_SELECTOR + _TAG
_NOT_JOINABLE = _SPACE + _MARK + _JOINER + _TAG
_NOT_VISIBLE = _NOT_JOINABLE + _SELECTOR + _HIGH_SELECTOR

# What none of these finds has nothing to refuse: first the quick ones, then the exact one.
_ASCII_SUSPECT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]").search
_ROUGH_SUSPECT = re.compile(f"[{_LOW_SUSPECT}\U00010000-\U0010ffff]").search
_SUSPECT = re.compile(f"[{_LOW_SUSPECT}{_HIGH_SUSPECT}]").search

_VISIBLE = re.compile(f"[^{_NOT_VISIBLE}]").search
_EDGE_SPACE = re.compile(f"\\A[{_SPACE}]|[{_SPACE}]\\Z").search
_FIRST_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")

# The slow path names the fault. A group's name with spaces for underscores is its description.
_FAULT = re.compile(
    f"(?P<flag>{_FLAG})"
    r"|(?P<a_carriage_return_without_a_line_feed>\r(?!\n))"
    r"|(?P<line_end>\r\n)"
    f"|(?P<a_control_character>[{_CONTROL}])"
    f"|(?P<a_line_or_paragraph_separator>[{_SEPARATOR}])"
    f"|(?P<a_bidirectional_control>[{_BIDI}])"
    f"|(?P<a_lone_surrogate>[{_SURROGATE}])"
    f"|(?P<a_noncharacter>[{_NONCHARACTER}{_HIGH_NONCHARACTER}])"
    f"|(?P<a_private_use_character>[{_PRIVATE}{_HIGH_PRIVATE}])"
    f"|(?P<an_invisible_character>[{_INVISIBLE}{_HIGH_INVISIBLE}])"
    f"|(?P<a_variation_selector_after_nothing_it_could_vary>(?<![^{_NOT_VISIBLE}])[{_SELECTOR}{_HIGH_SELECTOR}])"
    f"|(?P<a_joiner_after_nothing_it_could_join>(?<![^{_NOT_JOINABLE}])[{_JOINER}])"
    f"|(?P<a_tag_character_outside_a_flag>[{_TAG}])"
)
_NAME_FAULT = re.compile(r"(?P<a_line_break>[\n\r])|(?P<a_tab>\t)|(?P<a_pointed_bracket>[<>])").search


def check_body(text: str, *, has_attachment: bool = False) -> str:
    """Return a message's body as it is recorded.

    CRLF becomes LF; U+0020 and tabs at the ends of lines go, and so do the lines at both ends that held nothing
    else. Nothing else changes: what this returns, it returns again for itself.

    Raises:
        InvalidTextError: a character the record refuses; its position counts in `text` as given.
        InvalidValueError: no visible character and no attachment, or more than 100,000 characters as recorded.
    """
    given = text
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if _is_suspicious(text):
        _refuse_faults(given, "body")
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if text[:1] in ("\n", " ", "\t"):
        start = _FIRST_BLANK_LINES.match(text)
        text = text[start.end() :] if start is not None else text
    if text[-1:] in ("\n", " ", "\t"):
        text = text.rstrip(" \t\n")
    if len(text) > MAX_BODY:
        raise InvalidValueError("body", f"is longer than {MAX_BODY:,} characters")
    if _VISIBLE(text) is None and not (has_attachment and not text):
        raise InvalidValueError("body", "has no visible character")
    return text


def check_name(text: str, field: str) -> str:
    """Return a name of a person, group, place, system or file, unchanged.

    One line of 1 to 200 characters, at least one of them visible, no space at either end, no `<` or `>`, no tab.

    Raises:
        InvalidTextError: a character that has no place in a name.
        InvalidValueError: empty, blank, too long, or a space at an end.
    """
    fault = _NAME_FAULT(text)
    if fault is not None:
        raise InvalidTextError(field, _description(fault), fault.start())
    if _is_suspicious(text):
        _refuse_faults(text, field)
    if not text:
        raise InvalidValueError(field, "is empty")
    if len(text) > MAX_NAME:
        raise InvalidValueError(field, f"is longer than {MAX_NAME} characters")
    if _EDGE_SPACE(text) is not None:
        raise InvalidValueError(field, "begins or ends with a space")
    if _VISIBLE(text) is None:
        raise InvalidValueError(field, "has no visible character")
    return text


def _is_suspicious(text: str) -> bool:
    if text.isascii():
        return _ASCII_SUSPECT(text) is not None
    return _ROUGH_SUSPECT(text) is not None and _SUSPECT(text) is not None


def _refuse_faults(text: str, field: str) -> None:
    for found in _FAULT.finditer(text):
        if found.lastgroup not in ("flag", "line_end"):
            raise InvalidTextError(field, _description(found), found.start())


def _description(found: re.Match[str]) -> str:
    kind = str(found.lastgroup).replace("_", " ").replace("private use", "private-use")
    return f"{kind} (U+{ord(found[0][0]):04X})"
