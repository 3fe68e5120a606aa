"""How times, steps and files of the script are read, and what is refused."""

import re
import struct
import zlib

import pytest

from carethread.clock import format_instant, parse_instant
from carethread.demonstration.files import curve, make_file, pdf
from carethread.demonstration.script import File, read_play
from carethread.demonstration.stage import Stage, time_of
from carethread.errors import InvalidValueError
from tests.demonstration.conftest import NOW


@pytest.mark.parametrize(
    "at, expected",
    [
        ("-3 tue 14:05", "2026-11-03T14:05:00.000Z"),
        ("-1 sun 09:00", "2026-11-22T09:00:00.000Z"),
        ("-16 mon 00:00", "2026-08-03T00:00:00.000Z"),
        ("14:05", "2026-10-01T14:05:00.000Z"),
        ("-25m", "2026-11-24T13:35:00.000Z"),
    ],
)
def test_times_are_relative(at: str, expected: str) -> None:
    before = parse_instant("2026-10-01T08:00:00.000Z")
    assert format_instant(time_of(at, NOW, before)) == expected


@pytest.mark.parametrize("at", ["", "tue 14:05", "3 tue 14:05", "-3 tue", "-25", "14:5", "-1 fre 10:00"])
def test_other_times_are_refused(at: str) -> None:
    with pytest.raises(InvalidValueError, match="is none of"):
        time_of(at, NOW)


def test_a_time_of_day_needs_a_day() -> None:
    with pytest.raises(InvalidValueError, match="names no day"):
        time_of("14:05", NOW)


def test_a_stage_mints_the_same_ids_in_the_same_scene() -> None:
    stage = Stage(NOW)
    stage.enter("-1 mon 08:00", "a thread 1")
    first = [stage.mint(), stage.mint()]
    stage.enter("-1 mon 09:00", "a thread 2")
    assert stage.mint() not in first
    stage.enter("-1 mon 10:00", "a thread 1")
    assert [stage.mint(), stage.mint()] == first
    assert first[0].version == 4
    assert format_instant(stage.clock()) == "2026-11-16T10:00:00.000Z"


_OPENED = '[[thread]]\nname = "a"\npatient = "p"\nopened = { at = "-1 mon 08:00", by = "b", to = ["c"], say = "d" }\n'


@pytest.mark.parametrize(
    "step, fault",
    [
        ('at = "09:00", by = "b"', "one thing happens"),
        ('at = "09:00", by = "b", say = "d", status = "closed"', "one thing happens"),
        ('at = "09:00", by = "b", shout = "d"', "unknown field `shout`"),
        ('at = "09:00", by = "b", status = "open again"', "Invalid enum value"),
    ],
)
def test_a_step_that_is_not_in_order_is_refused(step: str, fault: str) -> None:
    with pytest.raises(InvalidValueError, match=fault):
        read_play("a.toml", f"{_OPENED}then = [{{ {step} }}]\n".encode())


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"a\.toml"):
        read_play("a.toml", b"[[thread]")


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pdf_finds_its_own_objects() -> None:
    made = pdf(("A title (with brackets)", "", "Wond 3 × 4 cm – «rustig»"))
    table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n\Z", made)[0])
    assert made[table:].startswith(b"xref\n0 8\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n ", made[table:], re.MULTILINE), 1):
        assert made[int(place) :].startswith(b"%d 0 obj\n" % number)
    (length, stream) = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", made, re.DOTALL)[0]
    assert int(length) == len(stream)
    assert rb"(A title \(with brackets\)) Tj" in stream
    assert "Wond 3 × 4 cm – «rustig»".encode("cp1252") in stream


def test_a_picture_can_be_decoded() -> None:
    for points in ((3, 1, 4, 1, 5), (2, 2)):
        made = curve(points)
        assert made.startswith(b"\x89PNG\r\n\x1a\n")
        chunks, place = {}, 8
        while place < len(made):
            length, kind = struct.unpack(">I4s", made[place : place + 8])
            content = made[place + 8 : place + 8 + length]
            assert zlib.crc32(kind + content) == int.from_bytes(made[place + 8 + length : place + 12 + length])
            chunks[kind] = content
            place += 12 + length
        width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
        rows = zlib.decompress(chunks[b"IDAT"])
        assert len(rows) == height * (width + 1)
        assert set(rows) == {0, 1, 2}


def test_lines_become_a_text() -> None:
    made = make_file(File(name="a.txt", kind="txt", lines=("één", "twee")))
    assert (made.data, made.media_type) == ("één\ntwee\n".encode(), "text/plain")
