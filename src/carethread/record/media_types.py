"""Attachments in the repository: where they lie and how their media type is written."""

import re

from carethread.errors import InvalidValueError
from carethread.record.model import Attachment
from carethread.record.text import check_name

# RFC 6838, section 4.2, in lower case; no parameters.
_NAME = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(f"{_NAME}/{_NAME}", re.ASCII)
# What fits fifteen digits; how much an installation takes is its own affair.
MAX_SIZE = 10**15

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

# Part of the format: the table is closed, for the name of every file recorded follows from it.
EXTENSIONS = {
    "application/dicom": "dcm",
    "application/fhir+json": "json",
    "application/fhir+xml": "xml",
    "application/gzip": "gz",
    "application/hl7-v2": "hl7",
    "application/json": "json",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tiff",
    "image/webp": "webp",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
    "text/rtf": "rtf",
    "text/vcard": "vcf",
    "text/xml": "xml",
    "video/mp4": "mp4",
    "video/mpeg": "mpeg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


def check_media_type(text: str, field: str = "media_type") -> str:
    """Return a media type unchanged.

    Raises:
        InvalidValueError: not two names of RFC 6838 in lower case, with a slash between and nothing after.
    """
    if _MEDIA_TYPE.fullmatch(text) is None:
        raise InvalidValueError(field, "is not a lower-case media type without parameters, such as image/png")
    return text


def check_attachment(attachment: Attachment) -> Attachment:
    """Return an attachment unchanged.

    Raises:
        InvalidValueError: a malformed digest, media type or file name, or a size out of bounds.
    """
    if _SHA256.fullmatch(attachment.sha256) is None:
        raise InvalidValueError("sha256", "is not 64 lower-case hex digits")
    if not 1 <= attachment.size < MAX_SIZE:
        raise InvalidValueError("size", "is not from 1 byte to less than 10^15")
    check_media_type(attachment.media_type)
    check_name(attachment.file_name, "file_name")
    return attachment


def attachment_path(attachment: Attachment) -> str:
    """Return where an attachment lies, relative to its `thread.md`: `attachments/<sha256>.<ext>`."""
    return f"attachments/{attachment.sha256}.{EXTENSIONS.get(attachment.media_type, 'bin')}"
