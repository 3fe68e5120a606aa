"""The escape rule, clause by clause, and that it can be undone in one way only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import InvalidValueError
from carethread.record.escape import (
    InvalidBodyError,
    escape_body,
    escape_inline,
    escape_label,
    unescape_body,
    unescape_inline,
    unescape_label,
)
from tests.record.strategies import FRAGMENTS, bodies, names

BLOCK_STARTS = [
    ("# x", "\\# x"), ("###### x", "\\###### x"), ("####### x", "####### x"), ("#x", "#x"), ("#", "\\#"),
    ("#\tx", "\\#\tx"),
    ("- x", "\\- x"), ("-", "\\-"), ("-x", "-x"), ("+ x", "\\+ x"), ("+", "\\+"), ("+x", "+x"), ("+\tx", "\\+\tx"),
    ("> x", "\\> x"), (">6.0", "\\>6.0"), ("a > b", "a > b"),
    ("1. x", "1\\. x"), ("1) x", "1\\) x"), ("1.", "1\\."), ("1.x", "1.x"), ("1.5 mg", "1.5 mg"),
    ("123456789. x", "123456789\\. x"), ("1234567890. x", "1234567890. x"), ("a 1. x", "a 1. x"),
    ("---", "\\---"), ("- - -", "\\- - -"), ("--", "\\--"), ("===", "\\==="), ("=", "\\="), ("= =", "\\= ="),
    ("-=_", "\\-=\\_"),
    ("__", "\\_\\_"), ("--x", "--x"), ("=x", "=x"),
    ("|---|", "\\|---|"), (":-:", "\\:-:"), ("|", "\\|"), (":", "\\:"), ("- | -", "\\- | -"), ("|x|", "|x|"),
    (":x", ":x"),
    ("  # x", "  \\# x"), ("a\n   - x", "a\n   \\- x"), ("a\n      - x", "a\n      \\- x"),
    ("a\n\t1. x", "a\n\t1\\. x"),
]  # fmt: skip

INLINE = [
    ("`", "\\`"), ("a``b", "a\\`\\`b"),
    ("2*3", "2\\*3"), ("2 * 3", "2 * 3"), ("*x*", "\\*x\\*"), ("a *", "a *"), ("2 ** 3", "2 \\*\\* 3"),
    ("x *y", "x \\*y"),
    ("_x_", "\\_x\\_"), ("a_b", "a_b"), ("a__b", "a\\_\\_b"), ("a _ b", "a _ b"), ("a _", "a _"), ("é_é", "é\\_é"),
    ("~5", "~5"), ("5~10", "5\\~10"), ("~~x~~", "\\~\\~x\\~\\~"), ("a ~ b", "a ~ b"),
    ("a <b", "a \\<b"), ("a </b", "a \\</b"), ("a <!x", "a \\<!x"), ("a <?x", "a \\<?x"), ("a <5", "a <5"),
    ("a < b", "a < b"),
    ("x <1@b", "x \\<1@b"), ("x <1 @b", "x <1 @b"), ("x <", "x <"),
    ("&amp;", "\\&amp;"), ("&#1;", "\\&#1;"), ("&#xF;", "\\&#xF;"), ("&amp", "&amp"), ("a & b;", "a & b;"),
    ("&frac12;", "\\&frac12;"),
    ("&#;", "&#;"), ("R&D", "R&D"),
    ("[x](y)", "[x\\](y)"), ("[x]: y", "[x\\]: y"), ("[x] y", "[x] y"), ("[x][y]", "[x][y]"),
    ("a\\*", "a\\\\\\*"), ("a\\b", "a\\b"), ("a\\", "a\\\\"), ("C:\\dir", "C:\\dir"), ("\\\\", "\\\\\\\\"),
]  # fmt: skip


@pytest.mark.parametrize("typed, written", BLOCK_STARTS + INLINE + [("a\\\nb", "a\\\\\nb")])
def test_each_clause_in_a_body(typed: str, written: str) -> None:
    assert escape_body(typed) == written
    assert unescape_body(written) == typed


@pytest.mark.parametrize("typed, written", INLINE)
def test_each_inline_clause_in_a_name(typed: str, written: str) -> None:
    assert escape_inline(typed) == written
    assert unescape_inline(written, "name") == typed


@pytest.mark.parametrize("typed", [typed for typed, _ in BLOCK_STARTS if "_" not in typed])
def test_block_starts_stay_in_a_name(typed: str) -> None:
    assert escape_inline(typed) == typed


@pytest.mark.parametrize(
    "typed, written",
    [
        ("x.png", "x.png"),
        ("a]b[c", "a\\]b\\[c"),
        ("a *", "a \\*"),
        ("a _", "a \\_"),
        ("a\\", "a\\\\"),
        ("a * b", "a * b"),
    ],
)
def test_file_names_are_labels(typed: str, written: str) -> None:
    assert escape_label(typed) == written
    assert unescape_label(written, "file_name") == typed


@pytest.mark.parametrize(
    "typed, written",
    [
        ("    *x*", "    *x*"),
        ("\t*x*", "\t*x*"),
        ("  \t*x*", "  \t*x*"),
        ("   *x*", "   \\*x\\*"),
        ("a\n    *x*", "a\n    \\*x\\*"),
        ("a\n\n    *x*\n    ---\n\n\n    # y\n*z*", "a\n\n    *x*\n    ---\n\n\n    # y\n\\*z\\*"),
        ("    x\n*y*\n    *z*", "    x\n\\*y\\*\n    \\*z\\*"),
        ("\u00a0\n    *x*", "\u00a0\n    \\*x\\*"),
    ],
)
def test_indented_code_stays(typed: str, written: str) -> None:
    assert escape_body(typed) == written
    assert unescape_body(written) == typed


@pytest.mark.parametrize(
    "written, line",
    [
        ("*x*", 1),
        ("a\\b\nb \\c\n\\d\\.", 3),
        ("x\n1. y", 2),
        ("a\\.", 1),
        ("x\n\n    a\n# b", 4),
        ("a\\", 1),
        ("\\# x\n\\#x", 2),
    ],
)
def test_other_escapes_of_a_body_are_faults_of_a_line(written: str, line: int) -> None:
    with pytest.raises(InvalidBodyError, match="not escaped in the canonical way") as caught:
        unescape_body(written)
    assert caught.value.line == line


@pytest.mark.parametrize("written", ["*x*", "a\\.b", "a\\"])
def test_other_escapes_of_a_name_are_faults(written: str) -> None:
    with pytest.raises(InvalidValueError, match="name: is not escaped in the canonical way"):
        unescape_inline(written, "name")
    with pytest.raises(InvalidValueError, match="name: is not escaped in the canonical way"):
        unescape_label(written, "name")


@given(bodies)
def test_bodies_round_trip(body: str) -> None:
    assert unescape_body(escape_body(body)) == body


@given(names)
def test_names_round_trip(name: str) -> None:
    assert unescape_inline(escape_inline(name), "name") == name
    assert unescape_label(escape_label(name), "name") == name


@given(bodies, bodies)
def test_bodies_are_told_apart(one: str, other: str) -> None:
    assert (escape_body(one) == escape_body(other)) is (one == other)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_only_what_would_be_written_is_read(written: str) -> None:
    try:
        typed = unescape_body(written)
    except InvalidBodyError as error:
        fault = error
    else:
        assert escape_body(typed) == written
        return
    assert 1 <= fault.line <= written.count("\n") + 1
