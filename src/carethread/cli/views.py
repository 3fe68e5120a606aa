"""How ledgers and messages look to people. All of what is recorded is shown, as it was typed."""

from carethread.cli import output
from carethread.clock import Instant, format_instant
from carethread.record.model import CoordinationStatus, Ledger, Message, Participant, Party

_YES = {True: "yes", False: "no"}


def show_record(status: CoordinationStatus, path: str, threads: int) -> None:
    """Print a record's status."""
    output.pairs(
        (
            ("Record", status.coordination_id),
            ("Clinical record", status.clinical_id),
            ("Written by", f"{status.custodian.name} ({status.custodian.id})"),
            ("State", status.lifecycle_state.value),
            ("Takes messages", _YES[status.record_open]),
            ("Can be queried", _YES[status.record_queryable]),
            ("Can be modified", _YES[status.record_modifiable]),
            ("Threads", str(threads)),
            ("Repository", path),
        )
    )


def show_ledger(ledger: Ledger) -> None:
    """Print a thread's ledger."""
    people = {each.id: each for each in ledger.participants}
    rows = [
        ("Thread", ledger.communication_id),
        ("Status", ledger.status.value),
        ("Created", at(ledger.created_at)),
        ("Last updated", at(ledger.last_updated_at)),
        ("Continues", ledger.continues or ""),
    ]
    addressing = ledger.addressing
    if addressing is not None:
        rows.append(("Requester", _named(people[addressing.requester])))
        if addressing.reply_to is not None:
            rows.append(("Replies go to", _named(people[addressing.reply_to])))
        rows.extend(("Addressed to", _named(people[each])) for each in addressing.recipients)
    restricted = ", named individuals only" if ledger.visibility.restricted else ""
    rows.append(("Visibility", ledger.visibility.sensitivity.value + restricted))
    rows.append(("Patients", _allowed(ledger.policies.allow_patient_participation)))
    rows.append(("Other organisations", _allowed(ledger.policies.allow_external_organisations)))
    output.pairs(rows)
    output.say("")
    show_participants(ledger.participants)


def show_participants(participants: tuple[Participant, ...]) -> None:
    """Print who takes part in a thread."""
    output.table(("PARTICIPANT", "ROLE", "ID"), ((each.name, _word(each.role.value), each.id) for each in participants))


def show_message(message: Message) -> None:
    """Print a message, its body as it was typed."""
    role = message.type.value if message.author_role is None else message.author_role.value
    output.pairs(
        (
            ("Message", message.id),
            ("Type", message.type.value),
            ("At", at(message.timestamp)),
            ("Author", f"{message.author_name} ({_word(role)}, {message.author_id})"),
            ("On behalf of", "" if message.on_behalf_of is None else _party(message.on_behalf_of)),
            *(("To", _party(each)) for each in message.to),
            ("In response to", message.in_response_to or ""),
            ("Corrects", message.corrects or ""),
            ("Sent", "" if message.sent is None else at(message.sent)),
            ("Via", "" if message.via is None else _party(message.via)),
            *(
                ("Attachment", f"{each.file_name} ({each.media_type}, {each.size:,} bytes, {each.sha256})")
                for each in message.attachments
            ),
        )
    )
    if message.body:
        output.say("")
        output.body(message.body)


def at(instant: Instant) -> str:
    """Write a time for people: to the millisecond, in UTC."""
    return format_instant(instant).replace("T", " ").replace("Z", " UTC")


def at_minute(instant: Instant) -> str:
    """Write a time for a list: to the minute, in UTC."""
    return f"{format_instant(instant)[:16].replace('T', ' ')} UTC"


def _word(word: str) -> str:
    return word.replace("_", " ")


def _allowed(policy: bool) -> str:
    return "may take part" if policy else "may not take part"


def _named(participant: Participant) -> str:
    return f"{participant.name} ({_word(participant.role.value)}, {participant.id})"


def _party(party: Party) -> str:
    return f"{party.name} ({party.id})"
