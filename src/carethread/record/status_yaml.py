"""`COORDINATION_STATUS.yaml`: which record this is, who writes it, and what it is open to.

Every key is always there, in the order of `render_status`. A coordination id that reads as a number (digits only, or
digits, one `e`, digits) stands in double quotes.
"""

import re

from carethread.errors import FormatError, InvalidValueError
from carethread.ids import CoordinationId, parse_clinical_id, parse_coordination_id, parse_participant_id
from carethread.record.ledger_check import check_status
from carethread.record.model import CoordinationStatus, Custodian, LifecycleState
from carethread.record.words import read_word
from carethread.record.yaml_form import YamlReader, line_of, read_flag, read_scalar, write_flag, write_scalar

FILE = "COORDINATION_STATUS.yaml"

_KEYS = ("coordination_id", "clinical_id", "custodian", "status")
_CUSTODIAN_KEYS = ("id", "name")
_STATUS_KEYS = ("lifecycle_state", "record_open", "record_queryable", "record_modifiable")

_NUMBER = re.compile(r"[0-9]+(?:e[0-9]+)?", re.ASCII)


def render_status(status: CoordinationStatus) -> bytes:
    """Write a record's status.

    Raises:
        InvalidValueError: the custodian's name is one the record refuses.
    """
    check_status(status)
    return (
        f"coordination_id: {_write_id(status.coordination_id)}\n"
        f"clinical_id: {status.clinical_id}\n"
        "custodian:\n"
        f"  id: {status.custodian.id}\n"
        f"  name: {write_scalar(status.custodian.name)}\n"
        "status:\n"
        f"  lifecycle_state: {status.lifecycle_state.value}\n"
        f"  record_open: {write_flag(status.record_open)}\n"
        f"  record_queryable: {write_flag(status.record_queryable)}\n"
        f"  record_modifiable: {write_flag(status.record_modifiable)}\n"
    ).encode()


def parse_status(data: bytes) -> CoordinationStatus:
    """Read a record's status.

    Raises:
        FormatError: the bytes are not exactly what `render_status` writes for what they say; it names the path.
    """
    reader = YamlReader(FILE, data, _KEYS)
    coordination_id = reader.value("coordination_id", _read_id)
    clinical_id = reader.value("clinical_id", parse_clinical_id)
    with reader.mapping("custodian", _CUSTODIAN_KEYS):
        custodian = Custodian(id=reader.value("id", parse_participant_id), name=reader.value("name", read_scalar))
    with reader.mapping("status", _STATUS_KEYS):
        status = CoordinationStatus(
            coordination_id=coordination_id,
            clinical_id=clinical_id,
            custodian=custodian,
            lifecycle_state=reader.value("lifecycle_state", _read_lifecycle_state),
            record_open=reader.value("record_open", read_flag),
            record_queryable=reader.value("record_queryable", read_flag),
            record_modifiable=reader.value("record_modifiable", read_flag),
        )
    reader.finish()
    try:
        check_status(status)
    except InvalidValueError as error:
        raise FormatError(FILE, line_of(data, error.field), str(error)) from None
    return status


def _write_id(text: str) -> str:
    return f'"{text}"' if _NUMBER.fullmatch(text) is not None else text


def _read_id(text: str, field: str) -> CoordinationId:
    value = parse_coordination_id(text.strip('"'), field)
    if _write_id(value) != text:
        raise InvalidValueError(field, "is not written in the canonical way")
    return value


def _read_lifecycle_state(text: str, field: str) -> LifecycleState:
    return read_word(LifecycleState, text, field)
