"""The access log as AuditEvents, for auditors, who say why they look."""

from collections.abc import Callable, Collection

from carethread.access_log import AccessEntry, Outcome
from carethread.fhir.answers import Answer
from carethread.fhir.bounds import bound_to
from carethread.fhir.bundling import Found, Shown, searchset
from carethread.fhir.call import Call
from carethread.fhir.dates import Span
from carethread.fhir.mapping.audit import OUTCOMES, Called, action_code, audit_event
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import Given, Query
from carethread.fhir.refusals import InsufficientScopeError
from carethread.fhir.searching import asked_query, place, said, within_limits
from carethread.fhir.showing import served
from carethread.fhir.validation import encode
from carethread.fhir.values import Reference, Token
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.reads import AccessPage, Entity, Filter, access_page, resolve
from carethread.record.model import Party

_LONGEST_NUMBER = 18
Keep = Callable[[AccessEntry], bool]


def read(call: Call) -> Answer:
    """Answer a line of the log."""
    _check_unbound(call, "read")
    number = _number(call.route.id)
    page = access_page(call.service, call.caller, Filter(number=number), count=1)
    if not page.lines:
        raise RefusedError(404, Issue(code="not-found", text="there is no such line in the log"))
    return served(call, _shown(call, page, page.lines[0]).resource, 1, page.lines[0].at)


def search(call: Call) -> Answer:
    """Search the log, newest lines first."""
    query = asked_query(call)
    _check_unbound(call, "search-type")
    wanted, entity, patient, keep = _asked(call, query)
    if wanted is None or query.count == 0:
        return searchset(call, query, Found(matches=()))
    after = place(call, query)
    page = within_limits(
        lambda: access_page(
            call.service,
            call.caller,
            wanted,
            entity=entity,
            patient=patient,
            keep=keep,
            after=int(after or 0),
            count=query.count,
            query=said(query),
        )
    )
    shown = [_shown(call, page, each) for each in page.lines]
    return searchset(call, query, Found(matches=shown, after=str(page.after) if page.after else ""))


def _check_unbound(call: Call, interaction: str) -> None:
    if bound_to(call, interaction) is not None:
        raise InsufficientScopeError("user/AuditEvent.rs")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0


def _shown(call: Call, page: AccessPage, line: AccessEntry) -> Shown:
    custodian = call.service.archive.installation.custodian
    called = Called(page.threads, page.messages, {}, None if line.record is None else page.patients.get(line.record))
    event = audit_event(line, page.names, observer=Party(custodian.id, custodian.name), called=called)
    return Shown(f"AuditEvent/{line.number}", encode(event), 1, line.at)


# ── What is asked for ─────────────────────────────────────────────────────────────────────────────────────────────────


def _asked(call: Call, query: Query) -> tuple[Filter | None, Entity | None, ParticipantId | None, Keep]:
    """Return which lines are wanted: by columns, what they are about, whom, and what else must hold of each.

    Of what names somebody or something that is not here, there are no lines: then there is no filter.
    """
    filters: dict[str, object] = {}
    entity: Entity | None = None
    patient: ParticipantId | None = None
    checks: list[Keep] = []
    for each in query.given:
        match each.parameter.name:
            case "_id":
                numbers = {_number(one.code or "") for one in each.values if isinstance(one, Token)}
                checks.append(_one_of(lambda line: line.number, numbers))
                filters["number"] = next(iter(numbers)) if len(numbers) == 1 else None
            case "date" | "_lastUpdated":
                checks.append(_within(each))
            case "action":
                codes = {one.code for one in each.values if isinstance(one, Token)}
                checks.append(_one_of(lambda line: action_code(line.action, line.detail), codes))
            case "outcome":
                codes = {one.code for one in each.values if isinstance(one, Token)}
                checks.append(_one_of(lambda line: OUTCOMES[Outcome(line.outcome)], codes))
            case "agent":
                people = {ParticipantId(one) for one in _meant(call, each)}
                checks.append(_one_of(lambda line: line.actor, people))
                filters["actor"] = next(iter(people)) if len(people) == 1 else None
                if not people:
                    return None, None, None, _always
            case "patient":
                found = _meant(call, each)
                if len(found) != 1:
                    return None, None, None, _always
                patient = ParticipantId(found[0])
            case _:
                entity = _entity(call, each)
                if entity is None:
                    return None, None, None, _always
    wanted = Filter(**{name: value for name, value in filters.items() if value is not None})  # type: ignore[arg-type]
    return wanted, entity, patient, lambda line: all(each(line) for each in checks)


def _always(_: AccessEntry) -> bool:
    return True


def _one_of(read_value: Callable[[AccessEntry], object], wanted: Collection[object]) -> Keep:
    return lambda line: read_value(line) in wanted


def _within(given: Given) -> Keep:
    spans = [each for each in given.values if isinstance(each, Span)]
    return lambda line: any(
        (each.since is None or each.since <= line.at) and (each.until is None or line.at < each.until) for each in spans
    )


def _meant(call: Call, given: Given) -> list[str]:
    targets = given.parameter.targets
    pairs = [
        (kind, each.id)
        for each in given.values
        if isinstance(each, Reference)
        for kind in ((each.type,) if each.type else targets)
    ]
    return list(dict.fromkeys(resolve(call.service, pairs).values()))


def _entity(call: Call, given: Given) -> Entity | None:
    for each in given.values:
        if not isinstance(each, Reference) or not each.type:
            continue
        found = resolve(call.service, [(each.type, each.id)]).get((each.type, each.id))
        if found is None:
            return None
        if each.type == "Communication":
            return Entity(message=MessageId(found))
        if each.type == "CommunicationRequest":
            return Entity(thread=CommunicationId(found))
        return Entity(entry=ParticipantId(found))
    return None
