"""Which characters bodies and names may hold."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import InvalidTextError, InvalidValueError
from carethread.record.text import MAX_BODY, MAX_NAME, check_body, check_name
from tests.record.strategies import hostile_texts

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    "typed, recorded",
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("one  \ntwo\t\n \t\nthree \t ", "one\ntwo\n\nthree"),
        ("\n \n\t\n  one\n\n", "  one"),
        ("    code", "    code"),
        ("a\u00a0", "a\u00a0"),
        ("\u00a0\na", "\u00a0\na"),
        ("one \r\n\r\n\r\ntwo", "one\n\n\ntwo"),
        ("tab\tin\tline", "tab\tin\tline"),
        ("é – ’ µg ½ ±", "é – ’ µg ½ ±"),
    ],
)
def test_a_body_is_normalised_and_nothing_more(typed: str, recorded: str) -> None:
    assert check_body(typed) == recorded


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d⚕\ufe0f", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3", FLAG, f"a{FLAG}{FLAG}b", "می\u200cخواهم", "क्\u200dष",
        "葛\U000e0100",
        "abc \u200eABC\u200f \u061c٣", "ᠠ\u180e", "\u0378 unassigned", "\U0001f9ff", "e\u0301", "\u0301", "�", "\ufffc",
        "naïve", "日本語", "שלום", "x\u200d", "\u00a0x",
    ],
)  # fmt: skip
def test_text_of_every_language_is_taken(text: str) -> None:
    assert check_body(text) == text
    assert check_body(f"a {text} b") == f"a {text} b"


@pytest.mark.parametrize(
    "text, position, fault",
    [
        ("ab\x00", 2, "a control character (U+0000)"),
        ("a\x0bb", 1, "a control character (U+000B)"),
        ("a\x1b[1m", 1, "a control character (U+001B)"),
        ("a\x7f", 1, "a control character (U+007F)"),
        ("é\x85b", 1, "a control character (U+0085)"),
        ("a\rb", 1, "a carriage return without a line feed (U+000D)"),
        ("a\r\n\r\r\n", 3, "a carriage return without a line feed (U+000D)"),
        ("a\r\n\x00", 3, "a control character (U+0000)"),
        ("a\u2028b", 1, "a line or paragraph separator (U+2028)"),
        ("a\u2029b", 1, "a line or paragraph separator (U+2029)"),
        ("a\u202eb", 1, "a bidirectional control (U+202E)"),
        ("a\u2066b", 1, "a bidirectional control (U+2066)"),
        ("a\ud800", 1, "a lone surrogate (U+D800)"),
        ("\udfff", 0, "a lone surrogate (U+DFFF)"),
        ("a\ufdd0", 1, "a noncharacter (U+FDD0)"),
        ("a\uffff", 1, "a noncharacter (U+FFFF)"),
        ("a\U0010fffe", 1, "a noncharacter (U+10FFFE)"),
        ("a\uf06d", 1, "a private-use character (U+F06D)"),
        ("a\U000f0000", 1, "a private-use character (U+F0000)"),
        ("a\u00ad", 1, "an invisible character (U+00AD)"),
        ("a\u200bb", 1, "an invisible character (U+200B)"),
        ("a\u2060b", 1, "an invisible character (U+2060)"),
        ("\ufeffa", 0, "an invisible character (U+FEFF)"),
        ("a\u3164", 1, "an invisible character (U+3164)"),
        ("a\ufffa", 1, "an invisible character (U+FFFA)"),
        ("a\U000e0001", 1, "an invisible character (U+E0001)"),
        ("a\U0001d173", 1, "an invisible character (U+1D173)"),
        ("\ufe0f", 0, "a variation selector after nothing it could vary (U+FE0F)"),
        ("a \ufe0f", 2, "a variation selector after nothing it could vary (U+FE0F)"),
        ("a\ufe0f\ufe0f", 2, "a variation selector after nothing it could vary (U+FE0F)"),
        ("a\u200d\U000e0100", 2, "a variation selector after nothing it could vary (U+E0100)"),
        ("\u200da", 0, "a joiner after nothing it could join (U+200D)"),
        ("a\n\u200c", 2, "a joiner after nothing it could join (U+200C)"),
        ("a\u200d\u200d", 2, "a joiner after nothing it could join (U+200D)"),
        ("a\u200e\u200d", 2, "a joiner after nothing it could join (U+200D)"),
        ("a\U000e0041", 1, "a tag character outside a flag (U+E0041)"),
        (FLAG[:-1], 1, "a tag character outside a flag (U+E0067)"),
        ("\U0001f3f4\U000e007f", 1, "a tag character outside a flag (U+E007F)"),
        (f"{FLAG}\U000e0067", 7, "a tag character outside a flag (U+E0067)"),
        (f"{FLAG}\u200d", 7, "a joiner after nothing it could join (U+200D)"),
        ("👍 \x00", 2, "a control character (U+0000)"),
    ],
)
def test_what_is_refused_is_named_with_its_position(text: str, position: int, fault: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        check_body(text)
    assert caught.value.position == position
    assert str(caught.value) == f"body: {fault} at position {position}"
    if text.isascii() and ("\r" in text or "\n" in text):
        return
    with pytest.raises(InvalidTextError):
        check_name(text, "name")


@pytest.mark.parametrize("text", ["", " ", "\n\t\n", "\u00a0", "\u3000 \u2800", "\u200e\u200f\u061c", "\r\n"])
def test_a_body_needs_something_to_see(text: str) -> None:
    with pytest.raises(InvalidValueError, match="body: has no visible character"):
        check_body(text)


def test_a_body_may_be_empty_beside_an_attachment_but_not_blank() -> None:
    assert check_body(" \r\n\t", has_attachment=True) == ""
    assert check_body("x", has_attachment=True) == "x"
    with pytest.raises(InvalidValueError, match="no visible character"):
        check_body("\u00a0", has_attachment=True)


def test_a_body_has_an_end() -> None:
    assert check_body(" \n" + "é" * MAX_BODY + "\n ") == "é" * MAX_BODY
    with pytest.raises(InvalidValueError, match="body: is longer than 100,000 characters"):
        check_body("é" * (MAX_BODY + 1))


def test_spaces_take_no_longer_than_they_must() -> None:
    """With a search that backs up, this would take minutes."""
    spaces = " \t" * 1_000_000
    assert check_body(f"a \n{spaces}\n{spaces}\nb{spaces}") == "a\n\n\nb"
    with pytest.raises(InvalidValueError, match="is longer than"):
        check_body(f"a \n{spaces}x")


@pytest.mark.parametrize(
    "text", ["Dr Jane Smith", "O'Brien", "No", "~", "- x", "a\u00a0b", "\u200fעברית", "👩\u200d⚕\ufe0f", "x" * MAX_NAME]
)
def test_names_stay_as_they_are(text: str) -> None:
    assert check_name(text, "name") == text


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "is empty"),
        (" x", "begins or ends with a space"),
        ("x ", "begins or ends with a space"),
        ("x\u00a0", "begins or ends with a space"),
        ("\u3000x", "begins or ends with a space"),
        ("\u200e", "has no visible character"),
        ("x" * (MAX_NAME + 1), "is longer than 200 characters"),
        ("x\ny", "a line break (U+000A) at position 1"),
        ("x\r\ny", "a line break (U+000D) at position 1"),
        ("x\ty", "a tab (U+0009) at position 1"),
        ("Jane <j@x>", "a pointed bracket (U+003C) at position 5"),
        ("é>", "a pointed bracket (U+003E) at position 1"),
        ("x\x00", "a control character (U+0000) at position 1"),
        ("é\u202e", "a bidirectional control (U+202E) at position 1"),
    ],
)
def test_names_that_are_refused(text: str, fault: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        check_name(text, "author.name")
    assert str(caught.value) == f"author.name: {fault}"


def test_each_code_point_is_taken_or_refused_as_its_kind_says() -> None:
    """The lists of code points against the Unicode tables of this Python, where those have an opinion."""
    fillers = {0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    joiners = {0x200C, 0x200D, 0x180E}
    marks = {0x61C, 0x200E, 0x200F}
    signs = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13460)}
    taken: list[str] = []
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        if category == "Cf":
            refused = code not in joiners | marks | signs
        else:
            refused = (category in ("Cc", "Cs", "Co", "Zl", "Zp") and chr(code) not in "\t\n") or code in fillers
        if not refused:
            taken += [] if category == "Cn" else ["a", chr(code)]
        elif code < 0xF0000 or code % 251 == 0:
            with pytest.raises(InvalidTextError):
                check_body(f"a{chr(code)}b")
    for start in range(0, len(taken), 50_000):
        text = "".join(taken[start : start + 50_000]) + "b"
        assert check_body(text) == text.replace("\r\n", "\n")


@given(hostile_texts, st.booleans())
def test_checking_a_body_twice_changes_nothing(text: str, has_attachment: bool) -> None:
    try:
        body = check_body(text, has_attachment=has_attachment)
    except InvalidValueError:
        return
    assert check_body(body, has_attachment=has_attachment) == body
    lines = [line.rstrip(" \t") for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    assert body == "\n".join(lines)


@given(
    st.lists(st.sampled_from("a \ufe0f\u200d\u200c\u200e\U0001f3f4\U000e0067\U000e007f\U000e0100"), max_size=8).map(
        "".join
    )
)
def test_sequences_against_a_naive_reading(text: str) -> None:
    try:
        check_body(f"x\n{text}\nx")
    except InvalidTextError as error:
        fault: int | None = error.position - 2
    else:
        fault = None
    assert fault == _first_fault(text)


def _first_fault(text: str) -> int | None:
    in_flag = set()
    for start, end in itertools.combinations(range(len(text) + 1), 2):
        part = text[start:end]
        if part[0] == "\U0001f3f4" and part[-1] == "\U000e007f" and set(part[1:-1]) == {"\U000e0067"}:
            in_flag |= set(range(start + 1, end))
    for at, character in enumerate(text):
        before = text[at - 1] if at else " "
        visible = before in "a\U0001f3f4"
        selector = before in "\ufe0f\U000e0100"
        if character in "\ufe0f\U000e0100" and not visible:
            return at
        if character in "\u200d\u200c" and not visible and not selector:
            return at
        if character in "\U000e0067\U000e007f" and at not in in_flag:
            return at
    return None
