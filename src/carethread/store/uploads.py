"""Files that wait for the message they are to go with: kept for a day, for whoever brought them."""

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, insert, select

from carethread.clock import Instant
from carethread.errors import PurposeError, TooMuchError, UnknownUploadError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.record.model import AttachmentContent
from carethread.store import statements
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.keys import key_of
from carethread.store.schema import upload
from carethread.store.together import take_turn_as

KEPT_MS = 24 * 60 * 60 * 1000
MOST_UPLOADS = 200
MOST_UPLOAD_BYTES = 256 * 1024 * 1024

p = bindparam
_insert = insert(upload).inline().values({each.name: p(each.name, type_=each.type) for each in upload.columns})
_clear = delete(upload).where(upload.c.at <= p("before"))
_kept = select(func.count(), func.coalesce(func.sum(upload.c.size), statements.ZERO)).where(
    upload.c.owner_id == p("owner"), upload.c.at > p("before")
)
_find = select(upload.c.content, upload.c.media_type, upload.c.file_name).where(
    upload.c.upload_id == p("upload_id"), upload.c.owner_id == p("owner"), upload.c.at > p("before")
)


class Upload(Struct, frozen=True):
    """A file that is kept: under which id, for whom, and what it is."""

    id: UUID
    owner: ParticipantId
    file: AttachmentContent


def owner_of(caller: Caller) -> ParticipantId:
    """Return whose a file is that is brought now: the system client's, if one asks, else the person's.

    Raises:
        PurposeError: nobody asks.
    """
    owner = caller.person if caller.system is None else caller.system.id
    if owner is None:
        raise PurposeError("nobody asks: name a person or a system client")
    return owner


def kept(connection: Connection, new: Upload, at: Instant) -> Iterator[Effect]:
    """Yield what keeps a file that was checked, and removes those whose day is over. By itself in its transaction.

    Raises:
        TooMuchError: they keep as much as anybody may already.
    """
    take_turn_as(connection, f"upload {new.owner}")
    before = at - KEPT_MS
    size = len(new.file.data)
    count, total = connection.all(_kept, owner=key_of(new.owner), before=before)[0]
    if count >= MOST_UPLOADS or total + size > MOST_UPLOAD_BYTES:
        raise TooMuchError(f"more than {MOST_UPLOADS} files or {MOST_UPLOAD_BYTES:,} bytes of one actor are not kept")
    yield Effect(_clear, {"before": before})
    yield Effect(
        _insert,
        {
            "upload_id": new.id.bytes,
            "owner_id": key_of(new.owner),
            "media_type": new.file.media_type,
            "file_name": new.file.file_name,
            "sha256": sha256(new.file.data).digest(),
            "size": size,
            "at": at,
            "content": new.file.data,
        },
    )


def own(connection: Connection, upload_id: UUID, owner: ParticipantId, at: Instant) -> AttachmentContent:
    """Return a file that somebody keeps.

    Raises:
        UnknownUploadError: they keep none of that id.
    """
    row = connection.one(_find, upload_id=upload_id.bytes, owner=key_of(owner), before=at - KEPT_MS)
    if row is None:
        raise UnknownUploadError(f"no file {upload_id} is kept")
    return AttachmentContent(bytes(row[0]), row[1], row[2])
