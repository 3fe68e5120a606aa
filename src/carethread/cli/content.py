"""What goes into the record, from what is typed: participants, bodies, attachments."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from carethread import Addressing, AttachmentContent, Author, ClientIdentifier, Participant
from carethread.cli.naming import find_participant
from carethread.clock import Instant, parse_instant
from carethread.errors import ConfigurationError, InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id, random_uuid
from carethread.record.model import Role
from carethread.record.words import read_word

# Who is named without an id gets one. Three fields where there is an id, for a name may hold colons.
_PARTICIPANT = re.compile(r"(?P<role>[^:]*):(?:(?P<id>[^:]*):(?P<name>.*)|(?P<only_name>[^:]*))", re.DOTALL)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TO_THE_SECOND = re.compile(r"(T[0-9]{2}:[0-9]{2}:[0-9]{2})Z\Z", re.ASCII)

MEDIA_TYPES = {
    "aac": "audio/aac",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "dcm": "application/dicom",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "heic": "image/heic",
    "heif": "image/heif",
    "hl7": "application/hl7-v2",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
_OTHER_MEDIA_TYPE = "application/octet-stream"
# More than any message may carry or say: what is longer is read no further, and refused by the record's own limits.
_MOST_BYTES = 64 * 1024 * 1024

_SCISSORS = "------------------------ >8 ------------------------"
_HINT = "Write the message above this line; what follows it is not recorded."
_INSTRUCTIONS = f"\n{_SCISSORS}\n{_HINT}\nLeave nothing above it to record nothing.\n"
_BELOW = re.compile(f"^{_SCISSORS}$.*", re.MULTILINE | re.DOTALL)


def read_participants(texts: Iterable[str], *, may_make_ids: bool = True) -> tuple[Participant, ...]:
    """Read participants, each `ROLE:ID:NAME`, or `ROLE:NAME` for somebody who is given a new id.

    Raises:
        InvalidValueError: neither of them, no such role, or a malformed id.
    """
    return tuple(_read_participant(each, may_make_ids=may_make_ids) for each in texts)


def _read_participant(text: str, *, may_make_ids: bool) -> Participant:
    match = _PARTICIPANT.fullmatch(text)
    if match is None:
        raise InvalidValueError("participant", "is not ROLE:ID:NAME or ROLE:NAME, such as 'patient:John Doe'")
    role = read_word(Role, match["role"], "participant")
    if match["only_name"] is None:
        return Participant(parse_participant_id(match["id"].lower(), "participant"), role, match["name"])
    if not may_make_ids:
        raise InvalidValueError(
            "participant", "needs an id where --identifier is given: a new one would differ each time"
        )
    return Participant(ParticipantId(str(random_uuid())), role, match["only_name"])


def with_author(author: Author, participants: Iterable[Participant]) -> tuple[Participant, ...]:
    """Return the participants of a new thread: whoever opens it takes part, named or not."""
    named = tuple(participants)
    if any(each.id == author.id for each in named):
        return named
    return (Participant(author.id, author.role, author.name), *named)


def new_addressing(
    requester: ParticipantId, participants: tuple[Participant, ...], to: Iterable[str], reply_to: str | None
) -> Addressing | None:
    """Return the addressing of a thread that had none, if somebody in particular is asked.

    Raises:
        InvalidValueError: replies go somewhere, and nobody is asked.
        NotParticipantError: somebody named does not take part.
    """
    recipients = tuple(find_participant(participants, each, "to") for each in to)
    if reply_to is None:
        return Addressing(requester, recipients) if recipients else None
    if not recipients:
        raise InvalidValueError("reply-to", "needs --to: nobody is asked")
    return Addressing(requester, recipients, find_participant(participants, reply_to, "reply-to"))


def read_attachments(files: Sequence[Path]) -> tuple[AttachmentContent, ...]:
    """Read files that go with a message; what they are, their names' endings say.

    Raises:
        InvalidValueError: a file cannot be read, or is far too large.
    """
    return tuple(AttachmentContent(_read_file(each, "attach"), media_type(each), each.name) for each in files)


def media_type(file: Path) -> str:
    """Return the media type that the ending of a file's name stands for."""
    return MEDIA_TYPES.get(file.suffix.removeprefix(".").lower(), _OTHER_MEDIA_TYPE)


def read_sent(text: str | None) -> Instant | None:
    """Read when a message was sent, if that was said."""
    return None if text is None else parse_instant(text, "sent")


def read_time(text: str, field: str) -> Instant:
    """Read a time in UTC, to the day, to the second or to the millisecond.

    Raises:
        InvalidValueError: it is none.
    """
    whole = _DAY.fullmatch(text)
    if whole is not None:
        return parse_instant(f"{text}T00:00:00.000Z", field)
    return parse_instant(_TO_THE_SECOND.sub(r"\1.000Z", text), field)


def new_identifier(client: str, identifier: str | None) -> ClientIdentifier | None:
    """Return what the client calls its request, if it does."""
    return None if identifier is None else ClientIdentifier(client, identifier)


# ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def written_body(file: str | None, text: str | None, *, otherwise: str | None) -> Iterator[str]:
    """Yield a body: from an option, a file, standard input, or an editor.

    What was typed into an editor stays in a file if it could not be recorded.

    Args:
        file: the name of a file, or `-` for standard input.
        text: the body itself.
        otherwise: the body where none of these is given; where it is `None`, an editor is opened.

    Raises:
        InvalidValueError: two bodies, no body and no terminal to write it on, a file that cannot be read, or bytes
            that are not UTF-8.
        ConfigurationError: the editor failed.
    """
    if text is not None and file is not None:
        raise InvalidValueError("body", "is given twice: as --body and as a file")
    if text is not None:
        yield text
    elif file == "-":
        yield _decoded(sys.stdin.buffer.read(_MOST_BYTES))
    elif file is not None:
        yield _decoded(_read_file(Path(file), "body"))
    elif otherwise is not None:
        yield otherwise
    elif not sys.stdin.isatty():
        raise InvalidValueError("body", "is missing: give --body TEXT, a file, or - for standard input")
    else:
        with _edited() as typed:
            yield typed


@contextmanager
def _edited() -> Iterator[str]:
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    folder = Path(tempfile.mkdtemp(prefix="carethread-"))  # for its owner alone
    file = folder / "message.txt"
    try:
        file.write_text(_INSTRUCTIONS, encoding="utf-8")
        try:
            subprocess.run([*command, file], check=True)  # noqa: S603 - the editor is the user's own choice
        except (OSError, subprocess.CalledProcessError, IndexError) as error:
            raise ConfigurationError(
                "the editor failed; set EDITOR to one that works, or give --body TEXT or a file"
            ) from error
        yield _without_instructions(_decoded(file.read_bytes()))
    except BaseException:
        if _holds_a_draft(file):
            print(f"carethread: what you wrote is in {file}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _without_instructions(text: str) -> str:
    typed = _BELOW.sub("", text)
    if _HINT in typed:
        raise InvalidValueError("body", "holds the editor's instructions: leave the marked line above them")
    return typed


def _holds_a_draft(file: Path) -> bool:
    return file.is_file() and bool(_BELOW.sub("", file.read_text(encoding="utf-8", errors="replace")).strip())


def _read_file(file: Path, field: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as error:
        raise InvalidValueError(field, f"cannot read {file}: {error.strerror}") from error


def _decoded(data: bytes) -> str:
    try:
        # Some editors begin every file with a byte order mark, which nobody typed.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValueError("body", f"is not UTF-8 at byte {error.start}") from error
