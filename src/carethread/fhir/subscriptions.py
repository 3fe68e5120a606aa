"""Subscriptions: who wants to be notified of what. They are their owner's alone."""

from collections.abc import Callable

from carethread.errors import IllegalTransitionError, InvalidValueError
from carethread.fhir.answers import Answer
from carethread.fhir.asked import check_is_json, read_if_match
from carethread.fhir.bounds import bound_to
from carethread.fhir.bundling import Found, Shown, searchset
from carethread.fhir.call import Call
from carethread.fhir.dates import Span
from carethread.fhir.mapping.subscription import SubscriptionDraft, read_subscription, subscription
from carethread.fhir.messages import version_of
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import Given, bad
from carethread.fhir.refusals import InsufficientScopeError
from carethread.fhir.searching import asked_query, place, said, within_limits
from carethread.fhir.showing import served, written
from carethread.fhir.types import Subscription as Resource
from carethread.fhir.validation import encode, parse
from carethread.fhir.values import Text, Token, Value
from carethread.fhir.watching import read_criteria
from carethread.fhir.webhooks import Reach, check_endpoint, check_headers
from carethread.policy.subscriptions import Headers, Subscription, Wish
from carethread.reads import read_subscription as found_subscription
from carethread.reads import search_subscriptions
from carethread.writes import change_subscription, subscribe

_TYPES = frozenset({"Subscription"})
_STATUSES = "http://hl7.org/fhir/subscription-status"
Wanted = Callable[[Subscription], bool]


def read(call: Call) -> Answer:
    """Answer a subscription."""
    _check_unbound(call, "read")
    found = found_subscription(call.service, call.caller, call.route.id)
    return served(call, encode(subscription(found)), found.version, found.updated)


def create(call: Call) -> Answer:
    """Begin to notify somebody."""
    _check_unbound(call, "create")
    draft = _draft(call)
    wish = checked(draft, call.base, call.options.reach)
    _check_reads(call, draft)
    return _answer(call, _with_rules(lambda: subscribe(call.service, call.caller, wish)), made=True)


def update(call: Call) -> Answer:
    """Change a subscription, end it, or have it go on after an error."""
    _check_unbound(call, "update")
    draft = _draft(call)
    if draft.id != call.route.id:
        raise bad("value", "is not the id of the address", "Subscription.id")
    wish = checked(draft, call.base, call.options.reach)
    _check_reads(call, draft)
    # Unlike what several write to, it may be ended whatever version it is at: it is one owner's.
    version = read_if_match(call.asked.header("if-match"))
    if version is None and draft.version is not None:
        version = version_of(draft.version)
    changed = _with_rules(
        lambda: change_subscription(call.service, call.caller, call.route.id, wish, expected_version=version)
    )
    return _answer(call, changed, made=False)


def search(call: Call) -> Answer:
    """Search for one's own subscriptions."""
    query = asked_query(call)
    _check_unbound(call, "search-type")
    wanted = [_wanted(each) for each in query.given]
    page = within_limits(
        lambda: search_subscriptions(
            call.service,
            call.caller,
            lambda found: all(each(found) for each in wanted),
            after=place(call, query),
            count=0 if query.shape.summary == "count" else min(query.count, _MOST),
            query=said(query),
        )
    )
    shown = [
        Shown(f"Subscription/{each.id}", encode(subscription(each)), each.version, each.updated)
        for each in page.subscriptions
    ]
    return searchset(call, query, Found(matches=shown, total=page.total, after=page.after))


_MOST = 500


def checked(draft: SubscriptionDraft, base: str, reach: frozenset[Reach]) -> Wish:
    """Return what a draft asks for, if it can be had.

    Raises:
        RefusedError: criteria, endpoint or headers are not in order.
    """
    read_criteria(draft.criteria, base)
    try:
        endpoint = check_endpoint(draft.endpoint, reach)
        headers = check_headers(draft.headers)
    except InvalidValueError as error:
        raise RefusedError(
            422, Issue(code="value", text=error.fault, expression=(f"Subscription.{error.field}",))
        ) from error
    return Wish(
        status=draft.status,
        criteria=draft.criteria,
        endpoint=endpoint,
        headers=Headers(headers),
        reason=draft.reason,
        end=draft.end,
    )


def _draft(call: Call) -> SubscriptionDraft:
    check_is_json(call.asked)
    resource = parse(call.asked.body, types=_TYPES)
    assert isinstance(resource, Resource)  # noqa: S101 - the only type that was asked for
    return read_subscription(resource)


def _check_unbound(call: Call, interaction: str) -> None:
    """A token that is bound to a patient cannot be held to that once it has expired, and what it began goes on."""
    if bound_to(call, interaction) is not None:
        raise InsufficientScopeError("user/Subscription.cruds")


def _check_reads(call: Call, draft: SubscriptionDraft) -> None:
    """Whoever is told that something is there may search for it, and through whatever that leads."""
    watched = read_criteria(draft.criteria, call.base)
    for each in (watched.type, *sorted(watched.besides)):
        if bound_to(call, "search-type", each) is not None:
            raise InsufficientScopeError(f"user/{each}.rs")


def _with_rules(write: Callable[[], Subscription]) -> Subscription:
    """Write; say of which element a value is not in order.

    Raises:
        RefusedError: it is not.
    """
    try:
        return write()
    except InvalidValueError as error:
        raise RefusedError(
            422, Issue(code="value", text=error.fault, expression=(f"Subscription.{error.field}",))
        ) from error
    except IllegalTransitionError as error:
        raise RefusedError(
            422,
            Issue(
                code="business-rule",
                text=str(error),
                expression=("Subscription.status",),
                instead="Say requested, and it is active at once; say off to end it.",
                detail=error.code,
            ),
        ) from error


def _answer(call: Call, found: Subscription, *, made: bool) -> Answer:
    return written(call, encode(subscription(found)), found.id, found.version, found.updated, made=made)


# ── What is looked for ────────────────────────────────────────────────────────────────────────────────────────────────


def _wanted(given: Given) -> Wanted:
    match given.parameter.name:
        case "_id":
            return _any(given, lambda value, found: isinstance(value, Token) and value.code == found.id)
        case "_lastUpdated":
            return _any(given, _updated)
        case "status":
            return _any(given, _status)
        case "criteria":
            return _any(given, lambda value, found: _text(value, found.criteria))
        case _:
            return _any(given, lambda value, found: isinstance(value, Text) and value.text == found.endpoint)


def _any(given: Given, holds: Callable[[Value, Subscription], bool]) -> Wanted:
    return lambda found: any(holds(each, found) for each in given.values)


def _updated(value: Value, found: Subscription) -> bool:
    return (
        isinstance(value, Span)
        and (value.since is None or value.since <= found.updated)
        and (value.until is None or found.updated < value.until)
    )


def _status(value: Value, found: Subscription) -> bool:
    return isinstance(value, Token) and value.system in {None, _STATUSES} and value.code == found.status


def _text(value: Value, text: str) -> bool:
    if not isinstance(value, Text):
        return False
    if value.exact:
        return text == value.text
    wanted, there = value.text.casefold(), text.casefold()
    return wanted in there if value.contains else there.startswith(wanted)
