"""Files that somebody keeps for a message of theirs."""

from uuid import UUID

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import UnknownUploadError
from carethread.policy.actor import Caller
from carethread.record.model import AttachmentContent
from carethread.store import uploads
from carethread.store.asking import Asking, Shown, answer, line


def own_upload(service: CoordinationService, caller: Caller, upload_id: str) -> AttachmentContent:
    """Return a file that this actor brought with `writes.keep_upload` less than a day ago.

    Raises:
        UnknownUploadError: they keep none of that id.
    """
    asked = replace(line(caller, Action.SERVED), detail="upload")

    def work(asking: Asking) -> tuple[AttachmentContent, Shown]:
        found = uploads.own(asking.connection, _parse(upload_id), uploads.owner_of(caller), asking.at)
        return found, Shown(replace(asked, query=f'{{"upload":"{upload_id}"}}'))

    return answer(service.archive, asked, caller, work)


def _parse(upload_id: str) -> UUID:
    try:
        found = UUID(upload_id)
    except ValueError:
        found = None
    if found is None or str(found) != upload_id:
        raise UnknownUploadError("what is kept has a UUID")
    return found
