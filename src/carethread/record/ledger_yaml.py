"""`ledger.yaml`: who is involved in a thread, and under which rules.

Keys stand in the order of `render_ledger`. `addressing`, its `reply_to`, and `continues` are left out when they say
nothing; everything else is always there. Names are texts of `carethread.record.yaml_form`; all other scalars are plain.
"""

from carethread.clock import Instant, format_instant, parse_instant
from carethread.errors import FormatError, InvalidValueError
from carethread.ids import parse_communication_id, parse_participant_id
from carethread.record.ledger_check import check_ledger
from carethread.record.model import (
    Addressing,
    Ledger,
    Participant,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.words import read_word
from carethread.record.yaml_form import YamlReader, line_of, read_flag, read_scalar, write_flag, write_scalar

FILE = "ledger.yaml"

_KEYS = (
    "communication_id", "status", "created_at", "last_updated_at", "participants",
    "addressing", "continues", "visibility", "policies",
)  # fmt: skip
_PARTICIPANT_KEYS = ("participant_id", "role", "display_name")
_ADDRESSING_KEYS = ("requester", "reply_to", "recipients")
_VISIBILITY_KEYS = ("sensitivity", "restricted")
_POLICIES_KEYS = ("allow_patient_participation", "allow_external_organisations")

_CREATED = b"\ncreated_at: "
_LAST_UPDATED = b"\nlast_updated_at: "
_INSTANT_LENGTH = 24


def _read_status(text: str, field: str) -> ThreadStatus:
    return read_word(ThreadStatus, text, field)


def _read_role(text: str, field: str) -> Role:
    return read_word(Role, text, field)


def _read_sensitivity(text: str, field: str) -> Sensitivity:
    return read_word(Sensitivity, text, field)


def render_ledger(ledger: Ledger) -> bytes:
    """Write a ledger.

    Raises:
        InvalidValueError: it contradicts itself, see `check_ledger`.
    """
    check_ledger(ledger)
    lines = [
        f"communication_id: {ledger.communication_id}",
        f"status: {ledger.status.value}",
        f"created_at: {format_instant(ledger.created_at)}",
        f"last_updated_at: {format_instant(ledger.last_updated_at)}",
        "participants:",
    ]
    for participant in ledger.participants:
        lines += (
            f"- participant_id: {participant.id}",
            f"  role: {participant.role.value}",
            f"  display_name: {write_scalar(participant.name)}",
        )
    addressing = ledger.addressing
    if addressing is not None:
        lines += ("addressing:", f"  requester: {addressing.requester}")
        if addressing.reply_to is not None:
            lines.append(f"  reply_to: {addressing.reply_to}")
        lines.append("  recipients:")
        lines += [f"  - {recipient}" for recipient in addressing.recipients]
    if ledger.continues is not None:
        lines.append(f"continues: {ledger.continues}")
    lines += (
        "visibility:",
        f"  sensitivity: {ledger.visibility.sensitivity.value}",
        f"  restricted: {write_flag(ledger.visibility.restricted)}",
        "policies:",
        f"  allow_patient_participation: {write_flag(ledger.policies.allow_patient_participation)}",
        f"  allow_external_organisations: {write_flag(ledger.policies.allow_external_organisations)}",
        "",
    )
    return "\n".join(lines).encode()


def with_last_updated(ledger: bytes, instant: Instant) -> bytes:
    """Return a canonical ledger's bytes with another `last_updated_at`, without reading the rest."""
    start = ledger.index(_LAST_UPDATED) + len(_LAST_UPDATED)
    return b"%b%b%b" % (ledger[:start], format_instant(instant).encode(), ledger[start + _INSTANT_LENGTH :])


def split_last_updated(ledger: bytes) -> tuple[bytes, Instant]:
    """Return a canonical ledger's bytes with `created_at` as `last_updated_at`, and what that was.

    Every message moves that time and nothing else, so that what is read of the rest holds for many versions.
    """
    start = ledger.index(_LAST_UPDATED) + len(_LAST_UPDATED)
    end = start + _INSTANT_LENGTH
    created = ledger.index(_CREATED) + len(_CREATED)
    rest = b"%b%b%b" % (ledger[:start], ledger[created : created + _INSTANT_LENGTH], ledger[end:])
    return rest, parse_instant(ledger[start:end].decode(), "last_updated_at")


def parse_ledger(data: bytes) -> Ledger:
    """Read a ledger.

    Raises:
        FormatError: the bytes are not exactly what `render_ledger` writes for what they say; it names the path.
    """
    reader = YamlReader(FILE, data, _KEYS)
    communication_id = reader.value("communication_id", parse_communication_id)
    status = reader.value("status", _read_status)
    created_at = reader.value("created_at", parse_instant)
    last_updated_at = reader.value("last_updated_at", parse_instant)
    participants = tuple(
        Participant(
            id=reader.value("participant_id", parse_participant_id),
            role=reader.value("role", _read_role),
            name=reader.value("display_name", read_scalar),
        )
        for _ in reader.mappings("participants", _PARTICIPANT_KEYS)
    )
    addressing = _parse_addressing(reader) if reader.begins("addressing") else None
    continues = reader.optional("continues", parse_communication_id)
    with reader.mapping("visibility", _VISIBILITY_KEYS):
        visibility = Visibility(
            sensitivity=reader.value("sensitivity", _read_sensitivity),
            restricted=reader.value("restricted", read_flag),
        )
    with reader.mapping("policies", _POLICIES_KEYS):
        policies = Policies(
            allow_patient_participation=reader.value("allow_patient_participation", read_flag),
            allow_external_organisations=reader.value("allow_external_organisations", read_flag),
        )
    reader.finish()
    ledger = Ledger(
        communication_id=communication_id,
        created_at=created_at,
        last_updated_at=last_updated_at,
        participants=participants,
        status=status,
        addressing=addressing,
        continues=continues,
        visibility=visibility,
        policies=policies,
    )
    try:
        check_ledger(ledger)
    except InvalidValueError as error:
        raise FormatError(FILE, line_of(data, error.field), str(error)) from None
    return ledger


def _parse_addressing(reader: YamlReader) -> Addressing:
    with reader.mapping("addressing", _ADDRESSING_KEYS):
        return Addressing(
            requester=reader.value("requester", parse_participant_id),
            reply_to=reader.optional("reply_to", parse_participant_id),
            recipients=reader.scalars("recipients", parse_participant_id),
        )
