"""Entries of the directory, read for somebody: professionals see all, the patient's side those of their own."""

from collections.abc import Iterable

from carethread.coordination import CoordinationService
from carethread.directory.criteria import EntryClause
from carethread.directory.model import EntryKind
from carethread.directory.versions import EntryPage, EntryProjection
from carethread.policy.actor import Caller
from carethread.store.clients import CurrentRights


def current_rights(service: CoordinationService) -> CurrentRights:
    """Return the clients as they are now, and which tokens are revoked. One short statement if nothing changed."""
    return service.clients.current()


def read_entry(
    service: CoordinationService, caller: Caller, kind: EntryKind, fhir_id: str, version: int | None = None
) -> EntryProjection:
    """Return an entry by its FHIR id or its UUID, as it stands or in one of its versions.

    Raises:
        UnknownPersonError: there is none, or whoever asks may not know of it: the same was looked up for both.
    """
    raise NotImplementedError


def search_entries(
    service: CoordinationService,
    caller: Caller,
    kind: EntryKind,
    clauses: Iterable[EntryClause] = (),
    *,
    after: str = "",
    count: int = 50,
    query: str = "",
) -> EntryPage:
    """Return entries of a kind of which all clauses hold. What may not be known of is not there.

    Args:
        service: the installation.
        caller: who asks.
        kind: of what.
        clauses: what must hold; without any, all.
        after: where the part before ended.
        count: how many at most.
        query: what was asked, as the log is to keep it; left out, the clauses.

    Raises:
        InvalidValueError: `after` or `count` is not in order, or the kind has no such field.
    """
    raise NotImplementedError


def entry_history(
    service: CoordinationService, caller: Caller, kind: EntryKind, fhir_id: str, *, after: str = "", count: int = 50
) -> EntryPage:
    """Return the versions of an entry, newest first.

    Raises:
        UnknownPersonError: as in `read_entry`.
        InvalidValueError: `after` or `count` is not in order.
    """
    raise NotImplementedError
