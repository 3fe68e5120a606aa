"""How entries of the directory look: to people, and as documents."""

from collections.abc import Iterable, Iterator

from carethread.cli import output
from carethread.cli.documents import (
    AppointmentDocument,
    EntryDetailsDocument,
    EntryDocument,
    MembershipDocument,
    NamedEntryDocument,
)
from carethread.clock import Instant, format_instant
from carethread.directory.fhir_write import fhir_name
from carethread.directory.model import ALWAYS, Entry, Membership, Period
from carethread.directory.relations import relations
from carethread.directory.versions import Details
from carethread.ids import ParticipantId


def entry_rows(entries: Iterable[Entry]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what a table shows of each entry."""
    for each in entries:
        yield getattr(each, "name", ""), fhir_name(each), _state(each), each.id


def details_document(details: Details) -> EntryDetailsDocument:
    """Describe an entry with what surrounds it."""
    entry = details.entry
    period: Period = getattr(entry, "period", ALWAYS)
    own = ((entry.id, each) for each in details.memberships)
    return EntryDetailsDocument(
        EntryDocument.of(entry),
        getattr(entry, "standing", None),
        getattr(entry, "clinical_id", None),
        getattr(entry, "birth_date", None),
        _time(period.start),
        _time(period.end),
        tuple(
            NamedEntryDocument(field, EntryDocument.of(details.around[target])) for field, target in relations(entry)
        ),
        tuple(
            MembershipDocument(person, each.group, each.standing.value, each.patient)
            for person, each in (*own, *details.members)
        ),
        tuple(
            AppointmentDocument(
                each.duty.value,
                format_instant(each.appointed_at),
                each.appointed_by,
                _time(each.ended_at),
                each.ended_by,
            )
            for each in details.appointments
        ),
    )


def show_details(details: Details) -> None:
    """Print an entry with what surrounds it."""
    found = details_document(details)
    entry = found.entry
    output.pairs(
        (
            ("Name", entry.name or ""),
            ("Entry", entry.reference),
            ("Id", entry.id),
            ("State", _state(details.entry)),
            ("Standing", _word(found.standing or "")),
            ("Clinical record", found.clinical_id or ""),
            ("Born", found.birth_date or ""),
            ("From", found.start or ""),
            ("Until before", found.end or ""),
            *(("Identifier", f"{each.value} ({each.system})") for each in entry.identifiers),
            *((_word(each.field).capitalize(), _named(each.entry)) for each in found.names),
            *(("Duty", _duty(each)) for each in found.appointments),
        )
    )
    _show_table(details, (("MEMBER OF", each.group, each) for each in details.memberships))
    _show_table(details, (("MEMBERS", person, each) for person, each in details.members))


def _show_table(details: Details, rows: Iterable[tuple[str, ParticipantId, Membership]]) -> None:
    kept = list(rows)
    if kept:
        output.say("")
        output.table(
            (kept[0][0], "STANDING", "ONLY FOR", "ID"),
            (
                (
                    getattr(details.around[other], "name", ""),
                    _word(each.standing.value),
                    "" if each.patient is None else fhir_name(details.around[each.patient]),
                    other,
                )
                for _, other, each in kept
            ),
        )


def _state(entry: Entry) -> str:
    return "active" if entry.active else "inactive"


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _word(word: str) -> str:
    return word.replace("_", " ")


def _named(entry: EntryDocument) -> str:
    return f"{entry.name} ({entry.reference})" if entry.name else entry.reference


def _duty(each: AppointmentDocument) -> str:
    ended = "" if each.ended_at is None else f", until {each.ended_at} by {each.ended_by}"
    return f"{each.duty} from {each.appointed_at} by {each.appointed_by}{ended}"
