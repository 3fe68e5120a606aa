"""A thread by the beginning of its id, among those somebody may read."""

import re

import msgspec
from msgspec.structs import replace

from carethread.access_log import Action, Served
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, UnknownThreadError
from carethread.ids import CommunicationId
from carethread.policy.actor import Caller
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.inbox import FIRST, Wanted, listed
from carethread.store.threads import thread_at
from carethread.store.ways import shelves

SHORTEST = 4
_MOST = 6
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_EVERY = 1 << 31


def find_thread(service: CoordinationService, caller: Caller, beginning: str) -> CommunicationId:
    """Return the thread in somebody's inboxes, archived or not, that ends with a UUID which begins so.

    What they may not read is not there: it makes nothing ambiguous. Auditors and stewards have no inbox.

    Raises:
        UnknownThreadError: there is none.
        InvalidValueError: too short, or several begin so.
    """
    query = msgspec.json.encode({"thread": beginning}).decode()
    asked = replace(line(caller, Action.LISTED), detail="beginning of an id", query=query)
    archive = service.archive

    def work(asking: Asking) -> tuple[CommunicationId, Shown]:
        if len(beginning) < SHORTEST:
            raise InvalidValueError("thread", f"give at least {SHORTEST} characters of an id")
        wanted = beginning.lower().replace("-", "")
        ways = shelves(asking.connection, asking.actor, archive.installation.custodian.id)
        found = [
            each
            for archived in (False, True)
            for each in listed(asking.connection, ways, Wanted(archived=archived), asking.actor.id, FIRST, _EVERY)
            if _HEX.fullmatch(wanted) and each.place.uuid.hex().startswith(wanted)
        ]
        if not found:
            raise UnknownThreadError(f"there is no thread whose id's UUID begins with {beginning!r}")
        threads = [thread_at(asking.connection, each.key, each.number) for each in found[:_MOST]]
        if len(threads) > 1:
            listing = ", ".join(each.ledger.communication_id for each in threads)
            raise InvalidValueError("thread", f"may be any of {len(found)}: {listing}")
        only = threads[0]
        served = (Served(only.ledger.communication_id, only.version),)
        return only.ledger.communication_id, Shown(replace(asked, record=only.record, served=served))

    return answer(archive, asked, caller, work)
