"""`If-None-Exist`: something is created unless a search finds it; of any number who ask at once, one creates it.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from collections.abc import Callable
from typing import TypeVar

from carethread.fhir.answers import Answer
from carethread.fhir.bounds import bound_to
from carethread.fhir.call import Call
from carethread.fhir.criteria import criteria
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import Query, bad, read_pairs, read_query
from carethread.fhir.searching import said
from carethread.ids import ParticipantId
from carethread.reads import search_messages, search_threads
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.writes import create_unless

T = TypeVar("T")
# Enough to tell one from several.
ENOUGH = 2


def read_condition(call: Call, condition: str) -> Query:
    """Return what `If-None-Exist` looks for.

    Raises:
        RefusedError: it is no search, or finds everything.
    """
    query = read_query(call.support, read_pairs(condition.removeprefix("?").encode("latin-1")), call.base)
    if not query.given:
        raise bad("required", "names nothing to look for", "If-None-Exist")
    return query


def several() -> RefusedError:
    """Return the refusal of a condition that more than one thing fulfils."""
    return RefusedError(
        412, Issue(code="multiple-matches", text="there are several of these", expression=("If-None-Exist",))
    )


def message_unless(
    call: Call,
    condition: str,
    patient: ParticipantId,
    make: Callable[[Call], Answer],
    show: Callable[[Call, MessageProjection], Answer],
) -> Answer:
    """Record a message unless a search finds one."""
    query = read_condition(call, condition)
    wanted = criteria("Communication", query, bound_to(call, "conditional-create"))
    done = create_unless(
        call.service,
        call.caller,
        lambda inside: search_messages(inside, call.caller, wanted, count=ENOUGH, query=said(query)).messages,
        lambda inside: make(call.within(inside)),
        patient=patient,
    )
    return _answered(call, done.made, done.found, show)


def thread_unless(
    call: Call,
    condition: str,
    patient: ParticipantId,
    make: Callable[[Call], Answer],
    show: Callable[[Call, ThreadProjection], Answer],
) -> Answer:
    """Open a thread unless a search finds one."""
    query = read_condition(call, condition)
    wanted = criteria("CommunicationRequest", query, bound_to(call, "conditional-create"))
    done = create_unless(
        call.service,
        call.caller,
        lambda inside: search_threads(inside, call.caller, wanted, count=ENOUGH, query=said(query)).threads,
        lambda inside: make(call.within(inside)),
        patient=patient,
    )
    return _answered(call, done.made, done.found, show)


def _answered(call: Call, made: Answer | None, found: tuple[T, ...], show: Callable[[Call, T], Answer]) -> Answer:
    if made is not None:
        return made
    if len(found) > 1:
        raise several()
    return show(call, found[0])
