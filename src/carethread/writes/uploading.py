"""Files that wait for the message they are to go with."""

from collections.abc import Iterator

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.coordination import CoordinationService
from carethread.errors import InactiveError
from carethread.policy.actor import Caller
from carethread.record.intake import prepare
from carethread.record.model import AttachmentContent, MessageContent
from carethread.store.access import logged
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.together import Joined, together
from carethread.store.uploads import Upload, kept, owner_of
from carethread.store.writer import Job
from carethread.writes.acting import performed


def keep_upload(service: CoordinationService, caller: Caller, file: AttachmentContent) -> str:
    """Keep a file for a day; return its id, a UUID, by which the same actor finds it again: `reads.own_upload`.

    What a system client keeps is the client's, whomever it asks for.

    Raises:
        InvalidValueError: the file is empty or too large, or its name or media type is not in order.
        TooMuchError: the actor keeps too much already.
        UnknownPersonError, NotAllowedError, InactiveError: the directory has no such actor, or none who is active.
    """
    asked = replace(line(caller, Action.WRITTEN), detail="upload")
    return performed(service.archive, asked, lambda: _keep(service, caller, file, asked))


def _keep(service: CoordinationService, caller: Caller, file: AttachmentContent, asked: AccessEntry) -> str:
    archive = service.archive
    prepare(MessageContent("", attachments=(file,)))
    upload = Upload(archive.mint(), owner_of(caller), file)

    def effects(connection: Connection) -> Iterator[Effect]:
        now = archive.clock()
        actor = actor_for(connection, caller, now)
        if not actor.active:
            raise InactiveError(f"{actor.kind} {actor.id} is not active")
        yield from kept(connection, upload, now)
        yield logged(replace(asked, actor_kind=actor.kind.value, query=f'{{"upload":"{upload.id}"}}'), now)

    def work(joined: Joined) -> None:
        # In a transaction of its own, so that what is kept already is counted exactly.
        joined.submit(Job(None, apart=effects))

    together(archive, work)
    return str(upload.id)
