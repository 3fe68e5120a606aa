"""Entries of the directory: read, searched, and written by clients that manage it."""

from collections.abc import Callable, Iterable

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.directory.criteria import EntryClause, EntryField, Matching, Named, Token, Wanted
from carethread.directory.criteria import Span as Between
from carethread.directory.criteria import Text as Words
from carethread.directory.model import CareTeam, EntryKind, Patient, RelatedPerson
from carethread.directory.versions import EntryProjection, WrittenEntry
from carethread.errors import UnknownPersonError
from carethread.fhir import values
from carethread.fhir.answers import Answer
from carethread.fhir.asked import check_is_json, read_if_match
from carethread.fhir.bounds import bound_to, patient_of_token
from carethread.fhir.bundling import Found, history, searchset
from carethread.fhir.call import Call
from carethread.fhir.conditions import ENOUGH, read_condition, several
from carethread.fhir.dates import Span
from carethread.fhir.interactions import Kind
from carethread.fhir.messages import version_of
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import Given, Query, bad
from carethread.fhir.refusals import InsufficientScopeError
from carethread.fhir.searching import asked_query, place, said, shown_entry, within_limits
from carethread.fhir.showing import entry_bytes, served, written
from carethread.fhir.validation import parse
from carethread.policy.directory_rights import DirectoryRights
from carethread.reads import current_rights, entry_history, read_entry, search_entries
from carethread.writes import create_unless, together, write_entry

# Of these, what a token that is bound to a patient reaches is what is about that patient.
_ABOUT_PATIENT = {
    EntryKind.PATIENT: EntryField.ID,
    EntryKind.RELATED_PERSON: EntryField.PATIENT,
    EntryKind.CARE_TEAM: EntryField.PATIENT,
}
_NOBODY = "-"


def _kind(call: Call) -> EntryKind:
    return EntryKind(call.support.type)


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(call: Call) -> Answer:
    """Answer an entry as it stands."""
    bound = bound_to(call, "read")
    found = read_entry(call.service, call.caller, _kind(call), call.route.id)
    _check_within(call, bound, found)
    return _served(call, found)


def vread(call: Call) -> Answer:
    """Answer a version of an entry."""
    bound = bound_to(call, "vread")
    found = read_entry(call.service, call.caller, _kind(call), call.route.id, version_of(call.route.version))
    _check_within(call, bound, found)
    return _served(call, found)


def of_entry(call: Call) -> Answer:
    """Answer the versions of an entry, newest first."""
    bound = bound_to(call, "history-instance")
    page = entry_history(call.service, call.caller, _kind(call), call.route.id, count=_MOST_VERSIONS)
    for each in page.entries:
        _check_within(call, bound, each)
    return history(call, [shown_entry(each) for each in page.entries])


_MOST_VERSIONS = 200


def _served(call: Call, found: EntryProjection) -> Answer:
    return served(call, entry_bytes(found), found.version, found.recorded_at)


def _check_within(call: Call, bound: str | None, found: EntryProjection) -> None:
    if bound is None:
        return
    entry = found.entry
    about = entry.id if isinstance(entry, Patient) else None
    if isinstance(entry, RelatedPerson | CareTeam):
        about = entry.patient
    elif not isinstance(entry, Patient):
        raise InsufficientScopeError(f"user/{call.support.type}")
    if about != patient_of_token(call, bound):
        raise UnknownPersonError(f"there is no {call.support.type} {call.route.id}")


# ── Searching ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def search(call: Call) -> Answer:
    """Search for entries of a kind."""
    query = asked_query(call)
    bound = bound_to(call, "search-type")
    clauses = _clauses(call, query, bound)
    counts = query.count == 0 or query.shape.summary == "count"
    page = within_limits(
        lambda: search_entries(
            call.service,
            call.caller,
            _kind(call),
            clauses,
            after=place(call, query),
            count=query.count or 1,
            query=said(query),
        )
    )
    if counts:
        return searchset(call, query, Found(matches=(), total=page.total))
    return searchset(
        call, query, Found(matches=map(shown_entry, page.entries), total=page.total, after=page.after)
    )  # fmt: skip


def _clauses(call: Call, query: Query, bound: str | None) -> tuple[EntryClause, ...]:
    found = [_clause(each) for each in query.given]
    if bound is not None:
        field = _ABOUT_PATIENT.get(_kind(call))
        if field is None:
            raise InsufficientScopeError(f"user/{call.support.type}")
        mine = Token(bound) if field is EntryField.ID else Named(bound, EntryKind.PATIENT)
        found.append(EntryClause(field, (mine,)))
    return tuple(found)


def _clause(given: Given) -> EntryClause:
    read = _READ[given.parameter.kind]
    wanted = tuple(each for value in given.values for each in read(value))
    return EntryClause(EntryField(given.parameter.name), wanted)


def _text(value: values.Value) -> Iterable[Wanted]:
    if isinstance(value, values.Text):
        matching = Matching.EXACT if value.exact else Matching.CONTAINS if value.contains else Matching.STARTS
        yield Words(value.text, matching)


def _token(value: values.Value) -> Iterable[Wanted]:
    if isinstance(value, values.Token):
        yield Token(value.code, value.system)


def _named(value: values.Value) -> Iterable[Wanted]:
    if isinstance(value, values.Reference):
        kind = EntryKind(value.type) if value.type in set(EntryKind) else None
        yield Named(value.id or _NOBODY, kind)
    elif isinstance(value, values.ByIdentifier):
        yield Named(identifier=Token(value.value, value.system))


def _span(value: values.Value) -> Iterable[Wanted]:
    if isinstance(value, Span):
        yield Between(value.since, value.until, within=value.since is not None and value.until is not None)


_READ: dict[Kind, Callable[[values.Value], Iterable[Wanted]]] = {
    Kind.STRING: _text,
    Kind.TOKEN: _token,
    Kind.REFERENCE: _named,
    Kind.DATE: _span,
    Kind.URI: _token,
}


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def create(call: Call) -> Answer:
    """Make an entry; with `If-None-Exist`, unless it is there."""
    _check_writes(call, "create")
    body = _body(call)
    condition = call.asked.header("if-none-exist")
    if not condition:
        return _write(call, body, create=True)
    query = read_condition(call, condition)
    clauses = _clauses(call, query, bound_to(call, "conditional-create"))
    done = create_unless(
        call.service,
        call.caller,
        lambda inside: (
            search_entries(inside, call.caller, _kind(call), clauses, count=ENOUGH, query=said(query)).entries
        ),
        lambda inside: _write(call.within(inside), body, create=True),
        patient=None,
    )
    if done.made is not None:
        return done.made
    if len(done.found) > 1:
        raise several()
    return _answer(call, done.found[0], made=False)


def update(call: Call) -> Answer:
    """Change an entry, or make it under an id that is not in use."""
    _check_writes(call, "update")
    body = _body(call)
    resource = parse(body, types=frozenset({call.support.type}))
    if resource.id != call.route.id:
        raise bad("value", "is not the id of the address", f"{call.support.type}.id")
    version = read_if_match(call.asked.header("if-match"))
    if version is None and resource.meta is not None and resource.meta.version_id is not None:
        version = version_of(resource.meta.version_id)
    return _write(call, body, expected=version)


def _body(call: Call) -> bytes:
    check_is_json(call.asked)
    parse(call.asked.body, types=frozenset({call.support.type}))
    return call.asked.body


def _check_writes(call: Call, interaction: str) -> None:
    if bound_to(call, interaction) is not None:
        raise InsufficientScopeError(f"system/{call.support.type}")


def _rights(call: Call) -> DirectoryRights:
    if call.caller.system is None:
        return DirectoryRights()
    client = current_rights(call.service).client_of(call.caller.system.id)
    return DirectoryRights() if client is None else client.rights


def _write(call: Call, body: bytes, *, expected: int | None = None, create: bool = False) -> Answer:
    rights = _rights(call)

    def work(service: CoordinationService) -> WrittenEntry:
        done = write_entry(service, call.caller, rights, body, expected_version=expected, create=create)
        # Nothing is dropped silently: whoever wants it dropped says so.
        dropped = clients_own(done.not_kept)
        if dropped and not call.preferences.lenient:
            raise _refused(dropped)
        return done

    done = together(call.service, call.caller, work)
    return _answer(call, done.projection, made=done.made)


def clients_own(not_kept: tuple[str, ...]) -> tuple[str, ...]:
    """Return of what is not kept what a client says; what the server says of an entry is taken back and replaced."""
    return tuple(each for each in not_kept if each.partition(".")[2] not in _SERVERS_OWN)


_SERVERS_OWN = frozenset({"meta", "text"})


def _refused(not_kept: tuple[str, ...]) -> RefusedError:
    return RefusedError(
        422,
        *(
            Issue(
                code="not-supported",
                text="this element is not kept",
                expression=(each,),
                instead="Leave it out, or send Prefer: handling=lenient to have it left out.",
            )
            for each in not_kept
        ),
    )


def _answer(call: Call, projection: EntryProjection, *, made: bool) -> Answer:
    encoded = entry_bytes(projection)
    updated: Instant = projection.recorded_at
    return written(call, encoded, projection.entry.fhir_id, projection.version, updated, made=made)
