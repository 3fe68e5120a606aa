"""PURE: from a search as it was asked to what the reads are asked for."""

from collections.abc import Callable, Iterable

from carethread.fhir import values
from carethread.fhir.dates import Span
from carethread.fhir.mapping import terms
from carethread.fhir.queries import Given, Query
from carethread.reads import (
    Between,
    ByIdentifier,
    Clause,
    Criteria,
    Field,
    Include,
    MessageOrder,
    Ref,
    ThreadOrder,
    Token,
)
from carethread.reads.criteria import Value

_STATUS = {
    "Communication": "http://hl7.org/fhir/event-status",
    "CommunicationRequest": "http://hl7.org/fhir/request-status",
}
_FIELDS: dict[str, dict[str, Field]] = {
    "Communication": {
        "_id": Field.ID,
        "_lastUpdated": Field.LAST_UPDATED,
        "_tag": Field.TAG,
        "_security": Field.SECURITY,
        "_content": Field.CONTENT,
        "based-on": Field.THREAD,
        "part-of": Field.THREAD,
        "subject": Field.SUBJECT,
        "patient": Field.SUBJECT,
        "sender": Field.SENDER,
        "recipient": Field.RECIPIENT,
        "sent": Field.SENT,
        "status": Field.STATUS,
        "category": Field.CATEGORY,
        "identifier": Field.IDENTIFIER,
        "in-response-to": Field.IN_RESPONSE_TO,
        "corrects": Field.CORRECTS,
    },
    "CommunicationRequest": {
        "_id": Field.ID,
        "_lastUpdated": Field.LAST_UPDATED,
        "_tag": Field.TAG,
        "_security": Field.SECURITY,
        "requester": Field.REQUESTER,
        "sender": Field.SENDER,
        "sender-care-team": Field.SENDER_CARE_TEAM,
        "recipient": Field.RECIPIENT,
        "subject": Field.SUBJECT,
        "patient": Field.SUBJECT,
        "status": Field.STATUS,
        "authored": Field.AUTHORED,
        "identifier": Field.IDENTIFIER,
    },
}
_OF_THREAD = {
    "recipient": Field.THREAD_RECIPIENT,
    "requester": Field.THREAD_REQUESTER,
    "sender": Field.THREAD_SENDER,
    "status": Field.THREAD_STATUS,
}
# Code systems whose codes these fields hold; a token that names another matches nothing.
_SYSTEMS: dict[tuple[str, Field], str] = {
    ("Communication", Field.STATUS): _STATUS["Communication"],
    ("CommunicationRequest", Field.STATUS): _STATUS["CommunicationRequest"],
    ("Communication", Field.THREAD_STATUS): _STATUS["CommunicationRequest"],
    ("Communication", Field.CATEGORY): terms.MESSAGE_CATEGORY,
}
_TAGS = {Field.TAG: terms.TAG, Field.SECURITY: terms.CONFIDENTIALITY}
# All that these fields hold.
_CODES: dict[Field, tuple[str, ...]] = {
    Field.STATUS: ("active", "completed"),
    Field.THREAD_STATUS: ("active", "completed"),
    Field.CATEGORY: tuple(each.value for each in terms.MESSAGE_CATEGORIES),
    Field.TAG: tuple(terms.TAGS),
    Field.SECURITY: tuple(terms.SECURITY_DISPLAYS),
}
# No resource is called so: what asks for it finds nothing.
_NOTHING = ""
_INCLUDES: dict[tuple[str, str], Include] = {
    ("Communication", "based-on"): Include.THREAD,
    ("Communication", "part-of"): Include.THREAD,
    ("Communication", "sender"): Include.SENDER,
    ("Communication", "recipient"): Include.RECIPIENT,
    ("Communication", "subject"): Include.SUBJECT,
    ("CommunicationRequest", "requester"): Include.REQUESTER,
    ("CommunicationRequest", "sender"): Include.SENDER,
    ("CommunicationRequest", "recipient"): Include.RECIPIENT,
    ("CommunicationRequest", "subject"): Include.SUBJECT,
}
_REVINCLUDES = {("Communication", "corrects"): Include.CORRECTIONS, ("Communication", "based-on"): Include.MESSAGES}
MESSAGE_ORDERS = {
    "": MessageOrder.NEWEST_SENT,
    "sent": MessageOrder.SENT,
    "-sent": MessageOrder.NEWEST_SENT,
    "_lastUpdated": MessageOrder.LAST_UPDATED,
    "-_lastUpdated": MessageOrder.NEWEST_UPDATED,
}
THREAD_ORDERS = {
    "": ThreadOrder.NEWEST_AUTHORED,
    "authored": ThreadOrder.AUTHORED,
    "-authored": ThreadOrder.NEWEST_AUTHORED,
    "_lastUpdated": ThreadOrder.LAST_UPDATED,
    "-_lastUpdated": ThreadOrder.NEWEST_UPDATED,
}


def criteria(type_name: str, query: Query, patient: str | None = None) -> Criteria:
    """Return what a search for messages or threads asks for; with `patient`, of that patient alone."""
    clauses = [_clause(type_name, each) for each in query.given]
    if patient is not None:
        clauses.append(Clause(Field.SUBJECT, (Ref("Patient", patient),)))
    return Criteria(tuple(clauses))


def includes(type_name: str, query: Query) -> frozenset[Include]:
    """Return what comes along."""
    forward = (_INCLUDES[type_name, each] for each in query.includes)
    return frozenset((*forward, *(_REVINCLUDES[each] for each in query.revincludes)))


def types_besides(query: Query) -> frozenset[str]:
    """Return the types that chains look through."""
    found = {each.target for each in query.given if each.target}
    return frozenset(found | {each.reverse.type for each in query.given if each.reverse is not None})


def _clause(type_name: str, given: Given) -> Clause:
    if given.reverse is not None:
        return Clause(Field.MESSAGE_SENDER, _values(given, _person(given.parameter.targets)))
    if given.chained is not None and given.target == "CommunicationRequest":
        field = _OF_THREAD[given.chained.name]
        read = (
            _code(_SYSTEMS[type_name, field], _CODES[field])
            if field is Field.THREAD_STATUS
            else _person(given.chained.targets)
        )
        return Clause(field, _values(given, read))
    field = _FIELDS[type_name][given.parameter.name]
    if given.chained is not None:
        return Clause(field, _values(given, lambda value: _called(value, (given.target,))))
    return Clause(field, _values(given, _reader(type_name, field, given)), negated=given.negated)


def _values(given: Given, read: Callable[[values.Value], Iterable[Value]]) -> tuple[Value, ...]:
    return tuple(found for each in given.values for found in read(each))


def _reader(type_name: str, field: Field, given: Given) -> Callable[[values.Value], Iterable[Value]]:
    if field is Field.IDENTIFIER:
        return _identifier
    if field is Field.ID:
        return _code(None)
    if field in _TAGS:
        return _code(_TAGS[field], _CODES[field])
    if (type_name, field) in _SYSTEMS:
        return _code(_SYSTEMS[type_name, field], _CODES[field])
    if field in {Field.SENT, Field.AUTHORED, Field.LAST_UPDATED}:
        return _between
    if field is Field.CONTENT:
        return _words
    return _person(given.parameter.targets)


def _person(targets: tuple[str, ...]) -> Callable[[values.Value], Iterable[Value]]:
    def read(value: values.Value) -> Iterable[Value]:
        if isinstance(value, values.Reference):
            only = targets[0] if len(targets) == 1 else None
            return (Ref(value.type or only, value.id),)
        return _called(value, targets)

    return read


def _called(value: values.Value, targets: tuple[str, ...]) -> Iterable[Value]:
    if isinstance(value, values.ByIdentifier):
        return tuple(ByIdentifier(each, value.system, value.value) for each in targets)
    if isinstance(value, values.Token) and value.code is not None:
        return tuple(ByIdentifier(each, value.system, value.code) for each in targets)
    return (Ref(targets[0], _NOTHING),)


def _identifier(value: values.Value) -> Iterable[Value]:
    return (Token(value.system, value.code) if isinstance(value, values.Token) else Token(_NOTHING, _NOTHING),)


def _code(system: str | None, codes: Iterable[str] = ()) -> Callable[[values.Value], Iterable[Value]]:
    """Read codes of this system; the system alone stands for all of them."""

    def read(value: values.Value) -> Iterable[Value]:
        if not isinstance(value, values.Token) or value.system not in {None, system}:
            return (_NOTHING,)
        return tuple(codes) if value.code is None else (value.code,)

    return read


def _between(value: values.Value) -> Iterable[Value]:
    return (Between(value.since, value.until),) if isinstance(value, Span) else ()


def _words(value: values.Value) -> Iterable[Value]:
    return (value.text,) if isinstance(value, values.Text) else ()
