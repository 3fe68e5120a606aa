"""Any YAML parser reads a text as that text, and our reader takes one form only."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import FormatError, InvalidValueError
from carethread.record.yaml_form import RESERVED, YamlReader, line_of, read_flag, read_scalar, write_flag, write_scalar
from tests.record.strategies import names

texts = st.one_of(names, st.text(st.characters(codec="utf-8")))


@pytest.mark.parametrize(
    "text, written",
    [
        ("Dr Jane Smith", "Dr Jane Smith"),
        ("O'Brien, Mary-Jane (RN) & Co. +1_2/3", "O'Brien, Mary-Jane (RN) & Co. +1_2/3"),
        ("Ørsted", "Ørsted"),
        ("中文", "中文"),
        ("x-", "x-"),
        ("x'", "x'"),
        ("Nobody", "Nobody"),
        ("No", '"No"'),
        ("~", '"~"'),
        ("1e3", '"1e3"'),
        ("2026-01-01", '"2026-01-01"'),
        ("- x", '"- x"'),
        ("a: b", '"a: b"'),
        ("Jane:", '"Jane:"'),
        ("Jane #2", '"Jane #2"'),
        ("#x", '"#x"'),
        ("", '""'),
        (" x", '" x"'),
        ("x ", '"x "'),
        ('say "x" \\ y', '"say \\"x\\" \\\\ y"'),
        ("a\tb", '"a\\u0009b"'),
        ("a\nb", '"a\\u000ab"'),
        ("a\x85\u2028\ufeffb\uffff", '"a\\u0085\\u2028\\ufeffb\\uffff"'),
        ("\U0001f3f4", "\U0001f3f4"),
        ("(x)", '"(x)"'),
        ("¿x", '"¿x"'),
    ],
)
def test_texts_have_one_form(text: str, written: str) -> None:
    assert write_scalar(text) == written
    assert read_scalar(written, "name") == text


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_words_that_a_parser_might_take_for_something_else_are_quoted(word: str) -> None:
    for text in (word, word.upper(), word.capitalize()):
        assert write_scalar(text) == f'"{text}"'
        assert read_scalar(f'"{text}"', "name") == text
        with pytest.raises(InvalidValueError, match="name: is not written in the canonical way"):
            read_scalar(text, "name")


@pytest.mark.parametrize(
    "written",
    [
        '"Jane"', "'Jane'", '"a\\tb"', '"a\\x09b"', '"a\\u000Ab"', '"\\U0001f3f4"', '"\\/"', '"No', '"', '"a"b"',
        '"\\ud800"',
        "Jane:", "&a Jane", "*a", "!t Jane", "", "x ", "a\tb", '"a\x85"', '"\\U00110000"', '"\\U0010ffff"',
        '"\\u0041 1"',
    ],
)  # fmt: skip
def test_other_forms_of_a_text_are_refused(written: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_scalar(written, "participants[0].display_name")
    assert caught.value.field == "participants[0].display_name"


def test_a_lone_surrogate_cannot_be_written() -> None:
    with pytest.raises(InvalidValueError, match="holds a lone surrogate"):
        write_scalar("a\ud800")


@given(texts)
def test_texts_round_trip_and_every_parser_reads_them(text: str) -> None:
    written = write_scalar(text)
    assert read_scalar(written, "name") == text
    assert "\n" not in written
    for document in (f"key: {written}\n", f"key:\n- a:\n  - b: {written}\n", f"- {written}\n"):
        for loader in (yaml.BaseLoader, yaml.SafeLoader):
            value = yaml.load(document, loader)  # noqa: S506  # both are safe
            while not isinstance(value, str):
                value = next(iter(value.values())) if isinstance(value, dict) else value[0]
            assert value == text


@given(st.text(st.sampled_from('"\\u0aU1x \t:#-'), max_size=10))
def test_only_what_would_be_written_is_read(written: str) -> None:
    try:
        text = read_scalar(written, "name")
    except InvalidValueError:
        return
    assert write_scalar(text) == written


def test_flags() -> None:
    assert [write_flag(flag) for flag in (True, False)] == ["true", "false"]
    assert [read_flag(text, "restricted") for text in ("true", "false")] == [True, False]
    with pytest.raises(InvalidValueError, match="restricted: is neither true nor false"):
        read_flag("yes", "restricted")


def _read(data: bytes) -> tuple[str, str | None, list[str], tuple[str, ...]]:
    reader = YamlReader("x.yaml", data, ("a", "b", "c", "d"))
    a = reader.value("a", read_scalar)
    b = reader.optional("b", read_scalar)
    c = []
    for _ in reader.mappings("c", ("k", "l")):
        c.append(reader.value("k", read_scalar))
        reader.optional("l", read_scalar)
    with reader.mapping("d", ("e", "f")):
        e = reader.value("e", read_scalar)
        f = reader.scalars("f", read_scalar)
    reader.finish()
    return a, b, c, (e, *f)


GOOD = "a: x\nb: w\nc:\n- k: one\n  l: z\n- k: two\nd:\n  e: v\n  f:\n  - p\n  - q\n"


def test_a_file_is_read_from_top_to_bottom() -> None:
    assert _read(GOOD.encode()) == ("x", "w", ["one", "two"], ("v", "p", "q"))
    assert _read(GOOD.replace("b: w\n", "").encode())[1] is None


@pytest.mark.parametrize(
    "before, after, fault",
    [
        ("a: x\n", "", "line 1: a: is missing"),
        ("a: x", "a: &i x", "line 1: a: is not written in the canonical way"),
        ("a: x", "a:", "line 1: a: is not in the form it must have"),
        ("a: x", "# comment\na: x", "line 1: a: is not what this line says"),
        ("a: x", "---\na: x", "line 1: a: is not what this line says"),
        ("a: x", "%YAML 1.2\na: x", "line 1: a: is not what this line says"),
        ("a: x", "{a: x}", "line 1: {a: is unknown"),
        ("a: x", " a: x", "line 1: a: is not what this line says"),
        ("a: x", "a: x\na: x", "line 2: a: is there twice, or not in its place"),
        ("a: x", "z: x", "line 1: z: is unknown"),
        ("b: w", "b: w\nb: w", "line 3: b: is there twice, or not in its place"),
        ("b: w", "!t b: w", "line 2: c: is not what this line says"),
        ("c:\n- k: one\n  l: z\n- k: two\n", "", "line 3: c: is missing"),
        ("c:\n- k: one\n  l: z\n- k: two\n", "c: []\n", "line 3: c: is not in the form it must have"),
        ("- k: one\n  l: z\n- k: two\n", "", "line 4: c: is not a list of mappings"),
        ("- k: one", "  - k: one", "line 4: c: is not a list of mappings"),
        ("- k: one", "-  k: one", "line 4: c[0].k: is not what this line says"),
        ("- k: one", "- - k: one", "line 4: c[0].k: is not what this line says"),
        ("- k: one\n", "- k: 'one'\n", "line 4: c[0].k: is not written in the canonical way"),
        ("- k: one\n  l: z\n", "- l: z\n", "line 4: c[0].k: is missing"),
        ("- k: two", "- k: two\n  k: two", "line 7: c[1].k: is there twice, or not in its place"),
        ("- k: two", "- k: two\n  m: two", "line 7: c[1].m: is unknown"),
        ("- k: two", "- k: two\n    m: two", "line 7: is not a key of the mapping before it"),
        ("- k: two", "- k: two\n  - two", "line 7: is not a key of the mapping before it"),
        ("- k: two", "- k: two\n  #", "line 7: is not a key of the mapping before it"),
        ("- k: two", "- k: two\n\t", "line 7: d: is not what this line says"),
        ("- k: two\n", "- k: two\n\n", "line 7: d: is not what this line says"),
        ("  e: v\n", "", "line 8: d.e: is missing"),
        ("  e: v\n  f:\n  - p\n  - q\n", "", "line 8: d.e: is missing"),
        ("  e: v\n", "  e: v\n  e: v\n", "line 9: d.e: is there twice, or not in its place"),
        ("  e: v\n", "e: v\n", "line 8: d.e: is missing"),
        ("  f:\n", "  f: [p, q]\n", "line 9: d.f: is not in the form it must have"),
        ("  - p\n  - q\n", "", "line 10: d.f: is not a list"),
        ("  - q", "  - 1", "line 11: d.f[1]: is not written in the canonical way"),
        ("  - q", "  -  q", "line 11: d.f[1]: is not written in the canonical way"),
        ("  - q", "  - q\n  g: 1", "line 12: d.g: is unknown"),
        ("  - q", "  - q\ng: 1", "line 12: g: is unknown"),
        ("  - q", "  - q\nb: w", "line 12: b: is there twice, or not in its place"),
        ("  - q\n", "  - q\n\n", "line 12: is not a key of the mapping before it"),
        ("  - q\n", "  - q\n...\n", "line 12: is not a key of the mapping before it"),
        ("  - q\n", "  - q", "line 11: does not end with a line feed"),
        ("a: x\n", "a: x\r\n", "line 1: a: is not written in the canonical way"),
        ("a: x\n", "\ufeffa: x\n", "line 1: a: is not what this line says"),
        ("a: x\n", "a: x\udcff\n", "line 1: is not UTF-8"),
    ],
)
def test_anything_else_is_a_fault_with_its_path(before: str, after: str, fault: str) -> None:
    assert before in GOOD
    with pytest.raises(FormatError) as caught:
        _read(GOOD.replace(before, after, 1).encode("utf-8", "surrogateescape"))
    assert str(caught.value) == f"x.yaml, {fault}"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a: x", b"\x00", b"- " * 100_000 + b"\n", b"[" * 100_000, b"a:\n" * 1000]
)
def test_what_is_no_such_file_at_all(data: bytes) -> None:
    with pytest.raises(FormatError):
        _read(data)


@pytest.mark.parametrize(
    "path, line",
    [("a", 1), ("c", 3), ("c[0].k", 4), ("c[0].l", 5), ("c[1].k", 6), ("d.e", 8), ("d.f", 9), ("d.f[1]", 11)],
)
def test_a_path_leads_to_a_line(path: str, line: int) -> None:
    assert line_of(GOOD.encode(), path) == line
