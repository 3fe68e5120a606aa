"""Files that came with a form which could not be taken: they are kept, so that nobody has to choose them again."""

from msgspec import Struct

from carethread.errors import CarethreadError, UnknownUploadError
from carethread.reads import own_upload
from carethread.record.model import AttachmentContent
from carethread.web.showing import size
from carethread.web.visit import Visit
from carethread.writes import keep_upload

FIELD = "kept-file"


class KeptFile(Struct, frozen=True):
    """A file that waits for its message. `id` is empty where it was not kept, and has to be chosen again."""

    id: str
    name: str
    size: str


def kept_files(visit: Visit) -> list[KeptFile]:
    """Keep the files that a form brought, and return them with those that it had kept before."""
    found = []
    for each in visit.form.every(FIELD):
        try:
            file = own_upload(visit.service, visit.caller, each)
        except UnknownUploadError:
            continue
        found.append(KeptFile(each, file.file_name, size(len(file.data), visit.words)))
    for new in visit.form.files:
        try:
            kept = keep_upload(visit.service, visit.caller, AttachmentContent(new.data, new.content_type, new.name))
        except CarethreadError:
            kept = ""
        found.append(KeptFile(kept, new.name, size(len(new.data), visit.words)))
    return found


def attachments_of(visit: Visit) -> tuple[AttachmentContent, ...]:
    """Return the files that go with a message: those that were kept, and those that the form brought.

    Raises:
        UnknownUploadError: one is not kept any more.
    """
    kept = tuple(own_upload(visit.service, visit.caller, each) for each in visit.form.every(FIELD))
    return kept + tuple(AttachmentContent(each.data, each.content_type, each.name) for each in visit.form.files)
