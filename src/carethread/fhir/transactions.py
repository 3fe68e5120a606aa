"""Transactions: all entries of a Bundle are recorded as one, or nothing but the refusal.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.fhir.answers import Answer
from carethread.fhir.bundles import LARGEST_ANSWER, answered, bundle_of, peek, single
from carethread.fhir.call import Call
from carethread.fhir.interactions import Interaction
from carethread.fhir.linking import Linked, Links, in_order
from carethread.fhir.outcome import Issue, RefusedError, refused
from carethread.fhir.queries import bad
from carethread.fhir.submitted import TRANSACTION, Request, Submitted, call_of
from carethread.fhir.table import BY_TYPE
from carethread.writes import together

_WRITING = frozenset({"POST", "PUT"})
# What stands in a coordination record.
_RECORDED = frozenset({"Communication", "CommunicationRequest"})
_TAKING_PART = frozenset({Interaction.CREATE, Interaction.UPDATE, Interaction.READ, Interaction.SEARCH})
_HEADERS = {"If-None-Exist": "ifNoneExist", "If-Match": "ifMatch"}
MOST_SEARCHES = 50


class _Entry(Struct, frozen=True):
    """One entry, its request as it stands, and what it says of others."""

    request: Request
    call: Call
    linked: Linked


class _Plan(Struct, frozen=True):
    entries: tuple[_Entry, ...]
    order: tuple[int, ...]
    links: Links


class _Found(Struct, frozen=True):
    """The part of a Bundle that says what a search found."""

    entry: tuple[dict[str, Any], ...] = ()


_found = msgspec.json.Decoder(_Found)


def transaction(call: Call, submitted: Submitted) -> Answer:
    """Do all entries as one.

    Raises:
        RefusedError: one cannot be done; it says which. Nothing was recorded.
    """
    plan = _planned(call, submitted)
    doing: list[Request] = []

    def work(inside: CoordinationService) -> dict[int, Answer]:
        # It may be begun anew.
        doing.clear()
        return _Doing(plan, inside, doing).all()

    try:
        answers = together(call.service, call.caller, work)
    except CarethreadError as error:
        refusal = refused(error, call.asked.request_id)
        raise (_at(doing[-1], refusal) if doing else refusal) from error
    entries = [answered(call, each.request, answers[each.request.number]) for each in plan.entries]
    return bundle_of(call, TRANSACTION, entries)


# ── Before anything is done ───────────────────────────────────────────────────────────────────────────────────────────


def _planned(call: Call, submitted: Submitted) -> _Plan:
    """Look at all entries, and at what they say of each other.

    Raises:
        RefusedError: it cannot be done, whatever is recorded.
    """
    requests = submitted.requests
    links = Links(requests, call.base)
    entries = []
    targets: dict[str, Request] = {}
    for each in requests:
        try:
            asked = call_of(call, each)
            _check_takes_part(asked, each)
            _check_once(asked, each, targets)
            entries.append(_Entry(each, asked, links.linked(each)))
        except CarethreadError as error:
            raise _at(each, refused(error, call.asked.request_id)) from error
    order = in_order(requests, [each.linked for each in entries])
    return _Plan(tuple(entries), tuple(order), links)


def _check_takes_part(asked: Call, request: Request) -> None:
    if asked.route.what not in _TAKING_PART:
        raise RefusedError(
            422,
            Issue(
                code="not-supported",
                # Earlier versions are in the repositories, which follow once a transaction has ended.
                text="a transaction creates, updates, reads and searches; it has no part in anything else",
                expression=(f"{request.expression}.request.url",),
                instead="Send it by itself, or in a batch.",
            ),
        )


def _check_once(asked: Call, request: Request, targets: dict[str, Request]) -> None:
    if request.method != "PUT":
        return
    if targets.setdefault(asked.asked.path.removesuffix("/"), request) is not request:
        raise _twice(request)


def _twice(request: Request) -> RefusedError:
    return RefusedError(
        422,
        Issue(
            code="duplicate",
            text="another entry writes the same resource",
            expression=(request.expression,),
            instead="Write each once.",
        ),
    )


# ── As one ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Doing:
    """One attempt at a transaction. `doing` takes each entry as it is begun, so that the last can be named."""

    def __init__(self, plan: _Plan, inside: CoordinationService, doing: list[Request]) -> None:
        self._plan = plan
        self._inside = inside
        self._doing = doing
        self._names = {
            each.request.number: each.call.asked.path.removesuffix("/")
            for each in plan.entries
            if each.request.method == "PUT"
        }
        self._written: set[str] = set()
        self._patients: set[str] = set()
        self._size = 0

    def all(self) -> dict[int, Answer]:
        """Do everything; return the answers by the numbers of the entries."""
        # What is searched is what was there before, wherever in the Bundle the search stands.
        searched = self._searched()
        return {number: self._one(self._plan.entries[number], searched) for number in self._plan.order}

    def _one(self, entry: _Entry, searched: Mapping[str, str]) -> Answer:
        request = entry.request
        self._doing.append(request)
        body = self._plan.links.rewritten(request, self._names, searched)
        asked = msgspec.structs.replace(entry.call.asked, body=body)
        answer = single(replace(entry.call.within(self._inside), asked=asked))
        self._size += len(answer.body)
        if self._size > LARGEST_ANSWER:
            raise RefusedError(
                413, Issue(code="too-costly", text="what is answered is more than a Bundle holds", expression=())
            )
        if request.method in _WRITING:
            self._check_written(request, answer)
        return answer

    def _check_written(self, request: Request, answer: Answer) -> None:
        written = peek(answer)
        name = f"{written.resource_type}/{written.id}"
        if name in self._written:
            raise _twice(request)
        self._written.add(name)
        self._names[request.number] = name
        if written.resource_type not in _RECORDED:
            return
        self._patients.add(written.subject.reference)
        if len(self._patients) > 1:
            raise RefusedError(
                422,
                Issue(
                    code="business-rule",
                    text="a transaction writes to the record of one patient",
                    expression=(request.expression,),
                    instead="Send one for each patient.",
                ),
            )

    def _searched(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in self._plan.entries:
            for text, expression in entry.linked.searches.items():
                if text in found:
                    continue
                self._doing.append(entry.request)
                if len(found) >= MOST_SEARCHES:
                    raise bad("too-costly", f"there are more than {MOST_SEARCHES} searches", expression)
                found[text] = self._the_one(entry.call, text, expression)
        return found

    def _the_one(self, call: Call, text: str, expression: str) -> str:
        """Return what a search in place of a reference finds."""
        if text.partition("?")[0] not in BY_TYPE:
            raise bad("not-supported", "there are no resources of this type", expression)
        request = Request(number=0, method="GET", url=f"{text}&_count=2&_elements=id")
        asked = call_of(call, request)
        answer = single(asked.within(self._inside))
        names = [
            each["fullUrl"].removeprefix(f"{call.base}/")
            for each in _found.decode(answer.body).entry
            if each["search"]["mode"] == "match"
        ]
        if len(names) == 1:
            return str(names[0])
        if names:
            raise RefusedError(
                412, Issue(code="multiple-matches", text="there are several of these", expression=(expression,))
            )
        raise RefusedError(
            422, Issue(code="not-found", text="this names nothing that is here", expression=(expression,))
        )


# ── Which entry it was ────────────────────────────────────────────────────────────────────────────────────────────────


def _at(request: Request, refusal: RefusedError) -> RefusedError:
    """Return a refusal that says of which entry it speaks."""
    issues = (
        msgspec.structs.replace(
            each, expression=tuple(_placed(request, one) for one in each.expression) or (request.expression,)
        )
        for each in refusal.issues
    )
    return RefusedError(refusal.status, *issues, headers=refusal.headers)


def _placed(request: Request, expression: str) -> str:
    if expression.startswith("Bundle.entry["):
        return expression
    if expression in _HEADERS:
        return f"{request.expression}.request.{_HEADERS[expression]}"
    type_name, dot, rest = expression.partition(".")
    if type_name == "Resource" or type_name in BY_TYPE:
        return f"{request.expression}.resource{dot}{rest}"
    # A parameter of a search.
    return f"{request.expression}.request.url"
