"""Searches for threads and messages, by GET and by POST, and their histories."""

from collections.abc import Callable
from typing import TypeVar

from carethread.directory.versions import EntryProjection
from carethread.errors import InvalidValueError
from carethread.fhir import criteria
from carethread.fhir.answers import Answer
from carethread.fhir.asked import FORM
from carethread.fhir.bounds import bound_to, check_besides
from carethread.fhir.bundling import Found, Shown, searchset
from carethread.fhir.call import Call
from carethread.fhir.mapping.parts import Names
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.paging import link
from carethread.fhir.queries import Query, bad, read_pairs, read_query
from carethread.fhir.showing import entry_bytes
from carethread.reads import Total, search_messages, search_threads
from carethread.record.projection import MessageProjection, ThreadProjection

Page = TypeVar("Page")
_TOTALS = {"none": Total.NONE, "estimate": Total.ACCURATE, "accurate": Total.ACCURATE}


def asked_query(call: Call) -> Query:
    """Return what a search asks, from address and form.

    Raises:
        RefusedError: it is not in order.
    """
    pairs = read_pairs(call.asked.query)
    if call.asked.method == "POST":
        if call.asked.media_type != FORM:
            raise RefusedError(415, Issue(code="not-supported", text=f"a search by POST is {FORM}"))
        pairs += read_pairs(call.asked.body)
    return read_query(call.support, pairs, call.base, lenient=call.preferences.lenient)


def said(query: Query) -> str:
    """Return a search as the log keeps it."""
    return link("", "", query.pairs)[1:]


def place(call: Call, query: Query) -> str:
    """Return where a search goes on.

    Raises:
        RefusedError: its link is not one of ours.
    """
    return call.signer.open(call.support.type, query.pairs, query.cursor)


def messages(call: Call) -> Answer:
    """Search for messages."""
    query = asked_query(call)
    bound = bound_to(call, "search-type")
    _check_besides(call, query, bound)
    page = within_limits(
        lambda: search_messages(
            call.service,
            call.caller,
            criteria.criteria("Communication", query, bound),
            order=criteria.MESSAGE_ORDERS[query.sort],
            after=place(call, query),
            count=_count(query),
            total=_total(query),
            includes=criteria.includes("Communication", query),
            query=said(query),
        )
    )
    return searchset(
        call,
        query,
        Found(
            matches=[shown_message(call, each, page.names) for each in page.messages],
            included=[
                *(shown_thread(call, each, page.names) for each in page.threads),
                *(shown_message(call, each, page.names) for each in page.corrections),
                *map(shown_entry, page.entries),
            ],
            total=page.total,
            after=page.after,
        ),
    )


def threads(call: Call) -> Answer:
    """Search for threads."""
    query = asked_query(call)
    bound = bound_to(call, "search-type")
    _check_besides(call, query, bound)
    page = within_limits(
        lambda: search_threads(
            call.service,
            call.caller,
            criteria.criteria("CommunicationRequest", query, bound),
            order=criteria.THREAD_ORDERS[query.sort],
            after=place(call, query),
            count=_count(query),
            total=_total(query),
            includes=criteria.includes("CommunicationRequest", query),
            query=said(query),
        )
    )
    return searchset(
        call,
        query,
        Found(
            matches=[shown_thread(call, each, page.names) for each in page.threads],
            included=[
                *(shown_message(call, each, page.names) for each in page.messages),
                *map(shown_entry, page.entries),
            ],
            total=page.total,
            after=page.after,
        ),
    )


def _count(query: Query) -> int:
    return 0 if query.shape.summary == "count" else query.count


def _total(query: Query) -> Total:
    return Total.ACCURATE if _count(query) == 0 else _TOTALS[query.total]


def within_limits(search: Callable[[], Page]) -> Page:
    """Search; what is not in order then is the search.

    Raises:
        RefusedError: a value, or a place, is none.
    """
    try:
        return search()
    except InvalidValueError as error:
        raise bad("value", str(error), error.field) from error


def _check_besides(call: Call, query: Query, bound: str | None) -> None:
    check_besides(call, criteria.types_besides(query), "chain", bound)
    included: set[str] = set()
    for name in query.includes:
        parameter = call.support.parameter(name)
        included.update(() if parameter is None else parameter.targets)
    check_besides(call, included, "include", bound)
    check_besides(call, {type_name for type_name, _ in query.revincludes}, "include", bound)


# ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────────────


def shown_message(call: Call, projection: MessageProjection, names: Names) -> Shown:
    """Return a message of a Bundle."""
    return Shown(
        f"Communication/{projection.id}",
        call.encoded.message(projection, names),
        projection.version,
        projection.message.timestamp,
    )


def shown_thread(call: Call, projection: ThreadProjection, names: Names) -> Shown:
    """Return a thread of a Bundle."""
    return Shown(
        f"CommunicationRequest/{projection.id}",
        call.encoded.thread(projection, names),
        projection.version,
        projection.updated,
    )


def shown_entry(projection: EntryProjection) -> Shown:
    """Return an entry of the directory of a Bundle."""
    kind = projection.entry.__struct_config__.tag
    return Shown(
        f"{kind}/{projection.entry.fhir_id}", entry_bytes(projection), projection.version, projection.recorded_at
    )
