"""Attachments: where they lie, and how their media type is written."""

import mimetypes
import re

import pytest
from msgspec.structs import replace

from carethread.errors import InvalidValueError
from carethread.record.media_types import EXTENSIONS, attachment_path, check_attachment, check_media_type
from carethread.record.model import Attachment

XRAY = Attachment("0123456789abcdef" * 4, "image/png", 48213, "chest.png")


def test_a_file_lies_where_its_content_and_type_say() -> None:
    assert attachment_path(XRAY) == f"attachments/{XRAY.sha256}.png"
    assert attachment_path(replace(XRAY, media_type="application/x-unknown")) == f"attachments/{XRAY.sha256}.bin"


def test_the_table_agrees_with_the_wider_world() -> None:
    for media_type, extension in EXTENSIONS.items():
        assert check_media_type(media_type) == media_type
        assert re.fullmatch("[a-z0-9]{2,5}", extension)
        known = mimetypes.guess_all_extensions(media_type)
        same_by_another_name = {"application/hl7-v2", "application/vnd.oasis.opendocument.text", "video/ogg"}
        assert not known or f".{extension}" in known or media_type in same_by_another_name


@pytest.mark.parametrize(
    "media_type", ["a/b", "application/vnd.x-y+json", "x/a!b#c$d&e^f_g", "0/1", f"a/{'b' * 127}", f"{'a' * 127}/b"]
)
def test_media_types_that_are_taken(media_type: str) -> None:
    assert check_attachment(replace(XRAY, media_type=media_type)).media_type == media_type


@pytest.mark.parametrize(
    "media_type",
    ["", "image", "image/", "/png", "Image/png", "image/png;q=1", "image/png ", "a/b/c", "a/é", "a/.b", "a/b\n",
     f"a/{'b' * 128}"],
)  # fmt: skip
def test_media_types_that_are_refused(media_type: str) -> None:
    with pytest.raises(InvalidValueError, match="media_type: is not a lower-case media type"):
        check_media_type(media_type)


@pytest.mark.parametrize(
    "attachment, field",
    [
        (replace(XRAY, sha256="0" * 63), "sha256"),
        (replace(XRAY, sha256="A" * 64), "sha256"),
        (replace(XRAY, size=0), "size"),
        (replace(XRAY, size=-1), "size"),
        (replace(XRAY, size=10**15), "size"),
        (replace(XRAY, file_name=""), "file_name"),
        (replace(XRAY, file_name="<x>"), "file_name"),
    ],
)
def test_attachments_that_are_refused(attachment: Attachment, field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        check_attachment(attachment)
    assert caught.value.field == field
